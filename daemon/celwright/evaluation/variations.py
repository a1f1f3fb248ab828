"""Whether automatic colouring gives visibly different colourings of one drawing, and none of them muddy.

Every ``line.png`` in and below a folder is coloured several times by drawn palettes. Knows files and figures, not how
colours are found.
"""

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from PIL import Image

from celwright.domain import ColorizeRequest, Finished, Pipeline, Pixels
from celwright.errors import UnusableInputError
from celwright.evaluation.colorize import Rgba
from celwright.imaging.histogram import color_histogram, hellinger
from celwright.imaging.muddiness import MUDDY, muddiness

DIFFERENT = 0.25  # the least mean Hellinger distance of two colourings' histograms
_STEP = 4  # px; every so many pixels count


@dataclass(frozen=True)
class Variety:
    """One page: the mean pairwise Hellinger distance of its flats' histograms, and how many of them are ``muddy``."""

    page: str
    count: int
    distance: float
    muddy: int

    @property
    def passed(self) -> bool:
        return self.distance >= DIFFERENT and self.muddy == 0


def evaluate(directory: Path, colorize: Pipeline[ColorizeRequest], count: int = 4, seed: int = 0) -> list[Variety]:
    """``count`` variations of each page. Raises UnusableInputError when there is none."""
    pages = sorted(directory.rglob("line.png"))
    if not pages:
        raise UnusableInputError(
            f"There is no line.png in {directory} or below; name a folder that holds folders with line art."
        )
    rows = []
    for path in pages:
        with Image.open(path) as image:
            line_art = Pixels(np.asarray(image.convert("RGBA")))
        request = ColorizeRequest(line_art, palette="auto", variations=count, seed=seed, shading=False)
        *_, last = colorize.run(request)
        assert isinstance(last, Finished)
        flats = [last.images[f"{i}/flat" if i else "flat"].data for i in range(count)]
        rows.append(variety(str(path.parent.relative_to(directory)), flats))
    return rows


def variety(page: str, flats: list[Rgba]) -> Variety:
    """What there is to say of several flats (H, W, 4) of one page; a single one has distance 0."""
    seen = [flat[::_STEP, ::_STEP].astype(np.float32) / 255 for flat in flats]
    histograms = [color_histogram(flat[..., :3], flat[..., 3]) for flat in seen]
    distances = [hellinger(*two) for two in combinations(histograms, 2)]
    muddy = sum(muddiness(flat[..., :3], flat[..., 3]) > MUDDY for flat in seen)
    return Variety(page, len(flats), float(np.mean(distances)) if distances else 0.0, muddy)


def table(rows: list[Variety]) -> str:
    """The rows as Markdown; the last line says how many pages are varied and clear enough."""
    lines = ["| page | variations | distance | muddy |", "|---|---|---|---|"]
    lines += [f"| {row.page} | {row.count} | {row.distance:.3f} | {row.muddy} |" for row in rows]
    good = sum(row.passed for row in rows)
    return "\n".join([*lines, "", f"{good} of {len(rows)} pages reach a distance of {DIFFERENT} with none muddy."])
