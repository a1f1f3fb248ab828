"""How much the terms of the colorizer's loss should count: runs on a grid of weights, as a heat map.

SC-MILC's figure 4: structure (its lambda_s) down, the colours of instances (its lambda_c, here pointing) across, the
diffusion counting 1. Judged as ablations are. Where the paper has the FID of all, each cell has the share of the area
whose colour is pointed at rightly, by which it is coloured, and below it the Fréchet distance of colours invented.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from celwright.domain import Pixels
from celwright.errors import WrongUsageError
from celwright.evaluation.pairs import PairScore

_WIDE, _HIGH, _LEFT, _TOP = 132, 84, 132, 84  # px: a cell, and the room for what stands left of and above the cells
_WORST, _BEST = (38, 52, 96), (250, 214, 92)  # dark blue to yellow
_PAPER, _TEXT = (255, 255, 255), (30, 30, 34)


@dataclass(frozen=True)
class Balance:
    """What a run's ``structure`` and ``pointing`` counted in its loss, and its scores as ablations have them."""

    structure: float
    pointing: float
    pointed: PairScore
    sampled: PairScore
    invented: PairScore

    @property
    def words(self) -> tuple[str, str]:
        distance = self.invented.frechet
        return f"{self.pointed.accuracy:.3f}", "" if distance is None else f"{distance:.1f}"


def check(weights: Sequence[tuple[float, float]]) -> None:
    """Raises WrongUsageError where two runs have the same (structure, pointing)."""
    for pair in weights:
        if weights.count(pair) > 1:
            raise WrongUsageError(
                f"{weights.count(pair)} runs have structure {pair[0]:g} and pointing {pair[1]:g}; name one of them."
            )


def balances(weights: Sequence[tuple[float, float]], scores: Sequence[PairScore]) -> list[Balance]:
    """A Balance for each run's (structure, pointing), of three scores each."""
    return [Balance(*pair, *scores[3 * i : 3 * i + 3]) for i, pair in enumerate(weights)]


def _grid(found: Sequence[Balance]) -> tuple[list[float], list[float], dict[tuple[float, float], Balance]]:
    cells = {(one.structure, one.pointing): one for one in found}
    return sorted({one.structure for one in found}), sorted({one.pointing for one in found}), cells


def table(found: Sequence[Balance]) -> str:
    """The heat map as Markdown: a row for each weight of structure, a column for each of pointing."""
    rows, columns, cells = _grid(found)
    lines = [f"| structure \\ pointing | {' | '.join(f'{column:g}' for column in columns)} |"]
    lines.append("|---" * (len(columns) + 1) + "|")
    for row in rows:
        shown = [
            " / ".join(filter(None, cells[row, column].words)) if (row, column) in cells else "" for column in columns
        ]
        lines.append(f"| {row:g} | {' | '.join(shown)} |")
    return "\n".join(lines)


def heat_map(found: Sequence[Balance]) -> Pixels:
    """The same as an RGB picture, the best cells yellow and the worst ones blue."""
    rows, columns, cells = _grid(found)
    image = Image.new("RGB", (_LEFT + _WIDE * len(columns) + 8, _TOP + _HIGH * len(rows) + 8), _PAPER)
    pen, large, small = ImageDraw.Draw(image), ImageFont.load_default(22), ImageFont.load_default(16)
    shares = [one.pointed.accuracy for one in found]
    least, most = min(shares), max(shares)
    pen.text((_LEFT + _WIDE * len(columns) / 2, 22), "pointing", _TEXT, large, "mm")
    pen.text((_LEFT / 2, _TOP / 2 + 18), "structure", _TEXT, large, "mm")
    for j, column in enumerate(columns):
        pen.text((_LEFT + _WIDE * (j + 0.5), _TOP - 20), f"{column:g}", _TEXT, large, "mm")
    for i, row in enumerate(rows):
        pen.text((_LEFT - 36, _TOP + _HIGH * (i + 0.5)), f"{row:g}", _TEXT, large, "mm")
        for j, column in enumerate(columns):
            if (row, column) not in cells:
                continue
            one = cells[row, column]
            share = (one.pointed.accuracy - least) / max(most - least, 1e-6)
            color = np.round(np.add(np.multiply(_BEST, share), np.multiply(_WORST, 1 - share))).astype(int)
            left, top = _LEFT + _WIDE * j, _TOP + _HIGH * i
            pen.rectangle((left, top, left + _WIDE - 3, top + _HIGH - 3), tuple(color.tolist()))
            ink = _TEXT if color.mean() > 128 else _PAPER
            for word, font, y in zip(one.words, (large, small), (0.36, 0.7), strict=True):
                pen.text((left + _WIDE / 2, top + _HIGH * y), word, ink, font, "mm")
    return Pixels(np.asarray(image))
