"""Trained colorizers beside each other, such as those that leave a part out (SC-MILC, table III), on generated pairs.

A network is asked alone, without the lines' own likeness that the product adds, in three ways: where it points, what it
samples, and what it samples without any reference. Pointing has no need of the diffusion (LGB); inventing colours has.
Knows pairs; how they are judged is theirs.
"""

import ast
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from celwright.domain import FloatImage, Guidance, Labels, Pixels
from celwright.errors import UnusableInputError
from celwright.evaluation.contact_sheet import ways_sheet
from celwright.evaluation.pairs import GAP, Way, given
from celwright.imaging.lineart import drawn
from celwright.models.presets import build_colorizer
from celwright.pipelines.colorize.figures import figure_of, owners
from celwright.pipelines.colorize.reference_view import Look, reference_view
from celwright.pipelines.colorize.region_network import RegionNetwork, Told, unknown
from celwright.pipelines.network import best_device
from celwright.regions.fill import painted
from celwright.regions.trapped_ball import segment
from celwright.training.pairs import ColorSample

_STEPS = 8
_MOST_ROWS = 8  # of a sheet
_NAMES = {"sgm": "SGM", "ismff": "ISMFF", "lgb": "LGB"}


@dataclass(frozen=True, eq=False)
class _Page:
    """Regions of a page and its figures that a reference shows; ``seed``: of what is sampled for it."""

    labels: Labels
    told: list[Told]
    seed: int


@dataclass(frozen=True, eq=False)
class _Answer:
    """Of all regions of a page (regions + 1, 4): the colours ``pointed`` at, those ``sampled`` and those ``invented``,
    sampled without references; alpha 1 where there are such."""

    pointed: FloatImage
    sampled: FloatImage
    invented: FloatImage


def ways(runs: Sequence[Path], look: Look) -> list[Way]:
    """Three ways for each folder that a training wrote, of the averaged weights of its last checkpoint: pointed,
    sampled and invented, named after what it leaves out (and after its folder where another leaves out the same).
    Raises UnusableInputError when there are no such."""
    trained = [_trained(run) for run in runs]
    names = [name for name, _ in trained]
    shown = [name if names.count(name) == 1 else f"{name} ({run.name})" for run, name in zip(runs, names, strict=True)]
    page = lru_cache(maxsize=1)(lambda made: _page(made, look))  # all ways are asked about one sample after the other
    return [way for name, (_, network) in zip(shown, trained, strict=True) for way in _ways(name, network, page)]


def _ways(name: str, network: RegionNetwork, page: Callable[[ColorSample], _Page]) -> list[Way]:
    answer = lru_cache(maxsize=1)(lambda made: _answer(network, page(made)))

    def way(what: str) -> Way:
        return Way(f"{name}, {what}", lambda made: painted(page(made).labels, getattr(answer(made), what), 8))

    return [way(field.name) for field in fields(_Answer)]


def weights(run: Path) -> tuple[float, float]:
    """What structure and pointing counted in a training's loss. Raises UnusableInputError."""
    options = _checkpoint(run)["options"]
    return float(options["structure"]), float(options["pointing"])


def _checkpoint(run: Path, device: str = "cpu") -> dict[str, Any]:
    try:
        state: dict[str, Any] = torch.load(run / "checkpoint.pt", map_location=device, weights_only=True)
    except OSError as fault:
        raise UnusableInputError(
            f"{run} holds no checkpoint.pt ({fault.strerror}); name the folder that a colorizer's training wrote."
        ) from fault
    return state


def _trained(run: Path) -> tuple[str, RegionNetwork]:
    device = best_device()
    state = _checkpoint(run, device)
    left_out = ast.literal_eval(state["options"]["left_out"])
    network = build_colorizer(state["options"]["preset"], **dict.fromkeys(left_out, False))
    network.load_state_dict(state["average"])
    name = f"w/o {', '.join(_NAMES[part] for part in left_out)}" if left_out else "full"
    return name, RegionNetwork(network.eval().to(device), device, half=False)


def _page(made: ColorSample, look: Look) -> _Page:
    labels = segment(made.line, GAP).grown
    owner = owners(labels, made.instance, int(made.instance.max()))
    told = []
    for number in np.unique([one.instance for one in made.references if one.instance]).tolist():
        pictures = zip(made.references, given(made), strict=True)
        views = [reference_view(reference, look) for one, reference in pictures if one.instance == number]
        views = [view for view in views if len(view.colors)]
        own = np.flatnonzero(owner == number)
        if views and len(own):
            told.append(unknown(figure_of(labels, made.line, made.instance == number, own), views))
    return _Page(labels, told, zlib.crc32(made.line.tobytes()))


def _answer(network: RegionNetwork, page: _Page) -> _Answer:
    blank = np.zeros((int(page.labels.max(initial=0)) + 1, 4), np.float32)
    answer = _Answer(blank, blank.copy(), blank.copy())
    if page.told:
        alone = [replace(told, views=()) for told in page.told]
        sampled, invented = (_sampled(network, told, page.seed) for told in (page.told, alone))
        pointed = [network.taken(told)[0] for told in page.told]
        for colors, found in zip(vars(answer).values(), (pointed, sampled, invented), strict=True):
            for told, part in zip(page.told, found, strict=True):
                colors[told.figure.own, :3], colors[told.figure.own, 3] = part, 1
    return answer


def _sampled(network: RegionNetwork, told: Sequence[Told], seed: int) -> list[FloatImage]:
    *_, last = network.sampled(told, None, _STEPS, [seed], Guidance())
    return [colors[0] for colors in last]


class Sheet:
    """Collects what the ways of these names made of the first eight samples; handed to ``pairs.evaluate`` as ``show``.

    A row shows line art, a reference, the true flat and each way's, as they are judged."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._rows: list[list[tuple[str, Pixels]]] = []

    def __call__(self, made: ColorSample, truth: FloatImage, seen: Sequence[FloatImage]) -> None:
        if len(self._rows) < _MOST_ROWS:
            reference = next(Pixels(one.picture) for one in made.references if one.instance)
            flats = zip(("truth", *self._names), (truth, *seen), strict=True)
            shown = [(name, Pixels((flat * 255 + 0.5).astype(np.uint8))) for name, flat in flats]
            self._rows.append([("line art", drawn(made.line)), ("reference", reference), *shown])

    def drawn(self) -> Pixels:
        """The sheet, RGB."""
        return ways_sheet(self._rows)
