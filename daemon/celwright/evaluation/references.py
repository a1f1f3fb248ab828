"""How much of a page comes out in the artist's colours when another page of the same figure is the reference.

Two pages belong together when they lie side by side and their names differ in the last word and in numbers before it
only (``frame_0001``, ``frame_0002``; ``mia head-0``, ``mia head-45-left``); each takes its colours from the next one.
A page is a folder with ``line.png`` and ``flat.png``, or a finished picture cut out on transparency, whose lines and
flat the decomposer finds. Two plain ways to use the reference stand beside ours. Does not judge shading.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from celwright.domain import ColorizeRequest, Labels, Pipeline, Pixels, Reference
from celwright.errors import UnusableInputError
from celwright.evaluation.colorize import Rgba, close_share, flat_of
from celwright.evaluation.decompose import Decompose, embedded
from celwright.evaluation.metrics import over_white
from celwright.imaging.lineart import ink
from celwright.layers import as_float
from celwright.regions.fill import painted
from celwright.regions.trapped_ball import segment
from celwright.regions.vote import vote

CLOSE = 10.0  # CIEDE2000; up to it a colour counts as the artist's
_LAST_WORD = re.compile(r"([ _-]\d+)*[ _-][^ _-]*$")
_STEPS = 32  # values of a channel that the baseline by area tells apart


@dataclass(frozen=True)
class TransferScore:
    """One page: the page it took its colours from, and for each way the share of the visible flat area in the right
    colour; ``seconds`` of our way."""

    page: str
    reference: str
    shares: dict[str, float]
    seconds: float


@dataclass(frozen=True, eq=False)
class _Page:
    line: Pixels
    flat: Rgba
    picture: Pixels


def evaluate(
    directory: Path, colorize: Pipeline[ColorizeRequest], decompose: Decompose | None = None, gap: int = 8
) -> list[TransferScore]:
    """The scores of all pairs in and below ``directory``. ``decompose`` is the embedded model's pipeline by default and
    is asked only where there are finished pictures. Raises UnusableInputError when there is no pair."""
    pairs = list(_pairs(directory))
    if not pairs:
        raise UnusableInputError(
            f"There is no pair of pages in {directory}: folders with line.png and flat.png, or finished pictures on "
            f"transparency, whose names differ in the last word only are needed; name a folder that holds such."
        )
    if decompose is None and any(path.is_file() for path, _ in pairs):
        decompose = embedded()
    scores = []
    for path, other in pairs:
        page, shown = _page(path, decompose), _page(other, decompose)
        start = perf_counter()
        request = ColorizeRequest(page.line, references=(Reference(shown.picture),), gap=gap, shading=False)
        ours = flat_of(colorize, request)
        seconds = perf_counter() - start
        covered = ink(page.line)
        labels = segment(covered, gap).grown
        visible = (page.flat[..., 3] == 255) & (covered < 128)
        ways = {"celwright": ours, "by position": by_position(labels, covered, shown.flat)}
        ways["by area"] = by_area(labels, shown.flat)
        shares = {way: close_share(filled, page.flat, visible, CLOSE) for way, filled in ways.items()}
        scores.append(TransferScore(str(path.relative_to(directory)), other.name, shares, seconds))
    return scores


def table(scores: list[TransferScore]) -> str:
    """The scores as Markdown, with their mean in the last row."""
    ways = list(scores[0].shares)
    rows = [f"| page | reference | {' | '.join(ways)} | s |", "|---" * (len(ways) + 3) + "|"]
    rows += [_row(score.page, score.reference, score.shares, score.seconds) for score in scores]
    means = {way: float(np.mean([score.shares[way] for score in scores])) for way in ways}
    return "\n".join([*rows, _row("mean", "", means, float(np.mean([score.seconds for score in scores])))])


def _row(page: str, reference: str, shares: Mapping[str, float], seconds: float) -> str:
    return f"| {page} | {reference} | {' | '.join(f'{share:.3f}' for share in shares.values())} | {seconds:.1f} |"


def by_position(labels: Labels, covered: NDArray[np.uint8], flat: Rgba) -> Rgba:
    """Every region in the median colour of where it lies when the reference's flat is stretched over the page."""
    height, width = labels.shape
    seen = over_white(as_float(Pixels(flat)))
    laid = np.asarray(cv2.resize(seen, (width, height), interpolation=cv2.INTER_AREA), np.float32)
    colors = vote(labels, covered, laid, fixed=np.ones(int(labels.max()) + 1, bool)).colors
    return painted(labels, np.concatenate([colors, np.ones((len(colors), 1), np.float32)], axis=1), 8)


def by_area(labels: Labels, flat: Rgba) -> Rgba:
    """Regions ranked by area take the reference's colours ranked by area: the middle of a region's share of the page
    falls into a colour's share of the reference. Transparency counts as a colour."""
    levels = np.where(flat[..., 3:] > 127, flat, 0).reshape(-1, 4)
    coarse = levels // (256 // _STEPS)
    _, which, counts = np.unique(coarse, axis=0, return_inverse=True, return_counts=True)
    which = which.reshape(-1)
    order = np.argsort(-counts, kind="stable")
    means = np.stack([np.bincount(which, levels[:, i]) / counts for i in range(4)], axis=1)[order] / 255
    areas = np.bincount(labels.reshape(-1))
    areas[0] = 0
    ranked = np.argsort(-areas, kind="stable")
    middles = (np.cumsum(areas[ranked]) - areas[ranked] / 2) / areas.sum()
    colors = np.zeros((len(areas), 4), np.float32)
    taken = np.searchsorted(np.cumsum(counts[order]) / counts.sum(), middles)
    colors[ranked] = means[np.minimum(taken, len(means) - 1)]
    colors[:, 3] = colors[:, 3] > 0.5
    return painted(labels, colors, 8)


def _pairs(directory: Path) -> Iterator[tuple[Path, Path]]:
    """Each page that has others of its group, and the next one in the ring."""
    groups: dict[tuple[Path, str], list[Path]] = {}
    for path in sorted(directory.rglob("*")):
        folder = (path / "line.png").is_file() and (path / "flat.png").is_file()
        name = path.name if folder else path.stem
        if _LAST_WORD.search(name) and (folder or (path.suffix == ".png" and _is_cut_out(path))):
            groups.setdefault((path.parent, _LAST_WORD.sub("", name)), []).append(path)
    for group in groups.values():
        if len(group) > 1:
            yield from zip(group, [*group[1:], group[0]], strict=True)


def _is_cut_out(path: Path) -> bool:
    """Whether a picture stands on transparency; layers of a page do not count."""
    if (path.parent / "line.png").is_file():
        return False
    with Image.open(path) as image:
        return bool((np.asarray(image.convert("RGBA"))[[0, 0, -1, -1], [0, -1, 0, -1], 3] == 0).all())


def _page(path: Path, decompose: Callable[[Pixels], Mapping[str, Pixels]] | None) -> _Page:
    if path.is_dir():
        picture = path / "composite.png"
        layers = {name: _read(path / f"{name}.png") for name in ("line", "flat")}
        return _Page(layers["line"], layers["flat"].data, _read(picture) if picture.is_file() else layers["flat"])
    assert decompose is not None
    picture_of = _read(path)
    found = decompose(picture_of)
    return _Page(found["line"], found["flat"].data, picture_of)


def _read(path: Path) -> Pixels:
    with Image.open(path) as image:
        return Pixels(np.asarray(image.convert("RGBA")))
