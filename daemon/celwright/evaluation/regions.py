"""Segmentation measured on pages that people coloured by hand: how well regions match what they filled.

A page is a folder with ``line.png`` and ``flat.png`` (or, exact, ``ink_paint_tone.npz`` with paint IDs). A true
region is a 4-connected patch of one paint that lines do not cut. Knows files; segments through a callable.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from celwright.domain import Labels, Pixels
from celwright.errors import UnusableInputError
from celwright.imaging.lineart import ink
from celwright.pipelines.line_completion import Complete
from celwright.regions.show import labels_of
from celwright.regions.trapped_ball import LINE_FROM, segment
from celwright.training.broken_lines import broken

SMALLEST = 30  # px; smaller patches of paint are seams of antialiasing
_COMMON = 0.0002  # of the page; a rarer colour is a blend at the edge of two paints, not a paint


@dataclass(frozen=True)
class Score:
    """How one segmentation matches a page's true regions, paper not counted.

    ``iou`` mean over true regions of the best-matching region's intersection over union, ``area_iou`` the same
    weighed by area, ``purity`` share of the painted area that is right when each region takes the paint that most
    of it has (1 when no colour ever leaks), ``regions`` how many there are, ``seconds`` it took (None: unknown).
    """

    iou: float
    area_iou: float
    purity: float
    regions: int
    seconds: float | None = None


@dataclass(frozen=True)
class Row:
    """A page, the number of its true regions, and the scores by method: ours, perhaps without completed lines, plain
    components, a peer's."""

    page: str
    truth: int
    scores: Mapping[str, Score]


def evaluate(
    directory: Path,
    gap: int = 8,
    peer_labels: Path | None = None,
    complete: Complete | None = None,
    worn: bool = False,
) -> list[Row]:
    """Scores of all pages in and below ``directory``; the last row, "mean", averages the pages.

    ``peer_labels`` holds another tool's results, ``PAGE.png`` with region IDs as ``celwright segment`` writes them
    (PAGE: the page's folder name). With ``complete``, regions of completed lines are "celwright", those of the lines
    alone "as drawn". ``worn``: the lines are broken first, each page's always in the same way. Raises
    UnusableInputError when there is no page.
    """
    folders = sorted(path.parent for path in directory.rglob("line.png") if _has_truth(path.parent))
    if not folders:
        raise UnusableInputError(
            f"There is no page in {directory}: folders with line.png and flat.png (or ink_paint_tone.npz) are needed; "
            "name a folder that holds such folders."
        )
    rows = []
    for number, folder in enumerate(folders):
        covered = ink(Pixels(np.array(Image.open(folder / "line.png").convert("RGBA"))))
        seen = broken(np.random.default_rng(number), covered) if worn else covered
        peer = peer_labels / f"{folder.name}.png" if peer_labels is not None else None
        page = str(folder.relative_to(directory))
        rows.append(_row(page, true_regions(folder, covered), _methods(seen, gap, peer, complete)))
    return [*rows, _mean(rows)]


def table(rows: list[Row]) -> str:
    """The rows as text in columns."""
    methods = list(rows[-1].scores)
    width = max(len(row.page) for row in rows)
    lines = [" ".join([" " * width, "truth", *(f"{name:>38}" for name in methods)])]
    head = f"{'IoU':>6} {'area':>6} {'purity':>6} {'regions':>8} {'s':>7}"
    lines.append(" ".join([" " * width, "     ", *(f"{head:>38}" for _ in methods)]))
    for row in rows:
        cells = [f"{_cell(row.scores[name]) if name in row.scores else '-':>38}" for name in methods]
        lines.append(" ".join([row.page.ljust(width), f"{row.truth:5d}", *cells]))
    return "\n".join(lines)


def _cell(score: Score) -> str:
    seconds = "-" if score.seconds is None else f"{score.seconds:.3f}"
    return f"{score.iou:6.3f} {score.area_iou:6.3f} {score.purity:6.3f} {score.regions:8d} {seconds:>7}"


def _has_truth(folder: Path) -> bool:
    return (folder / "flat.png").exists() or (folder / "ink_paint_tone.npz").exists()


def _row(page: str, true: tuple[Labels, NDArray[np.int32]], methods: Mapping[str, Callable[[], Labels]]) -> Row:
    scores = {}
    for name, found in methods.items():
        start = time.perf_counter()
        labels = found()
        seconds = time.perf_counter() - start
        scores[name] = score(*true, labels, None if name == "peer" else seconds)
    return Row(page, int(true[0].max(initial=0)), scores)


def _methods(
    seen: NDArray[np.uint8], gap: int, peer: Path | None, complete: Complete | None
) -> dict[str, Callable[[], Labels]]:
    """Ways to find regions in the ink ``seen``."""
    methods: dict[str, Callable[[], Labels]] = {}
    if complete is not None:
        methods["celwright"] = lambda: segment(complete(seen), gap).grown
    methods["celwright" if complete is None else "as drawn"] = lambda: segment(seen, gap).grown
    methods["components"] = lambda: plain_components(seen)
    if peer is not None and peer.exists():
        methods["peer"] = lambda: labels_of(Pixels(np.array(Image.open(peer))))
    return methods


def plain_components(covered: NDArray[np.uint8]) -> Labels:
    """What a bucket fill without gap closing gives: 4-connected components off the lines."""
    free = (covered < LINE_FROM).view(np.uint8)
    return np.asarray(cv2.connectedComponents(free, connectivity=4, ltype=cv2.CV_32S)[1])


def true_regions(folder: Path, covered: NDArray[np.uint8]) -> tuple[Labels, NDArray[np.int32]]:
    """(H, W) IDs from 1 of the true regions, 0 elsewhere, and (H, W) the paint: 0 paper, -1 line or blend."""
    exact = folder / "ink_paint_tone.npz"
    if exact.exists():
        paint = np.load(exact)["paint"].astype(np.int32)
    else:
        paint = _paints(np.array(Image.open(folder / "flat.png").convert("RGBA")))
    paint[covered >= LINE_FROM] = -1
    truth = np.zeros(paint.shape, np.int32)
    count = 0
    for value in np.unique(paint[paint > 0]):
        _, patches, stats, _ = cv2.connectedComponentsWithStats((paint == value).view(np.uint8), connectivity=4)
        large = stats[:, cv2.CC_STAT_AREA] >= SMALLEST
        large[0] = False
        number = np.where(large, count + np.cumsum(large), 0).astype(np.int32)
        truth += number[patches]
        count += int(np.count_nonzero(large))
    return truth, paint


def _paints(flat: NDArray[np.uint8]) -> NDArray[np.int32]:
    """(H, W) a number from 1 for each colour that fills a fair share of the page, 0 transparent, -1 blends."""
    packed = flat[..., :3].astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], np.int32)
    solid = flat[..., 3] == 255
    colors, index, counts = np.unique(packed[solid], return_inverse=True, return_counts=True)
    number = np.where(counts >= max(SMALLEST, _COMMON * packed.size), np.arange(1, len(colors) + 1), -1)
    paint = np.where(flat[..., 3] == 0, 0, -1).astype(np.int32)
    paint[solid] = number[index]
    return paint


def score(truth: Labels, paint: NDArray[np.int32], found: Labels, seconds: float | None = None) -> Score:
    """How ``found`` (H, W) matches ``truth``; pixels of line or blend (``paint`` -1) do not count."""
    counted = paint >= 0
    true, got, hue = truth[counted].astype(np.int64), found[counted].astype(np.int64), paint[counted].astype(np.int64)
    count = int(got.max(initial=0)) + 1
    true_area, got_area = np.bincount(true), np.bincount(got, minlength=count)
    keys, shared = np.unique(true * count + got, return_counts=True)
    row, column = keys // count, keys % count
    overlap = np.where(column > 0, shared / (true_area[row] + got_area[column] - shared), 0.0)
    best = np.zeros(true_area.size)
    np.maximum.at(best, row, overlap)
    weight = true_area[1:].astype(np.float64)
    keys, shared = np.unique(got * (int(hue.max(initial=0)) + 1) + hue, return_counts=True)
    owner, value = keys // (int(hue.max(initial=0)) + 1), keys % (int(hue.max(initial=0)) + 1)
    order = np.lexsort((-shared, owner))
    first = np.concatenate([[True], np.diff(owner[order]) > 0])
    given = np.zeros(count, np.int64)
    given[owner[order][first]] = value[order][first]
    given[0] = -1
    painted = hue > 0
    purity = float(np.mean(given[got[painted]] == hue[painted])) if painted.any() else 1.0
    regions = int(np.count_nonzero(got_area[1:]))
    if not weight.size:
        return Score(1.0, 1.0, purity, regions, seconds)
    weighed = float(np.average(best[1:], weights=weight))
    return Score(float(best[1:].mean()), weighed, purity, regions, seconds)


def _mean(rows: list[Row]) -> Row:
    methods = {name: [row.scores[name] for row in rows if name in row.scores] for row in rows for name in row.scores}
    scores = {}
    for name, each in methods.items():
        known = [s.seconds for s in each if s.seconds is not None]
        scores[name] = Score(
            float(np.mean([s.iou for s in each])),
            float(np.mean([s.area_iou for s in each])),
            float(np.mean([s.purity for s in each])),
            round(float(np.mean([s.regions for s in each]))),
            float(np.mean(known)) if known else None,
        )
    return Row("mean", round(float(np.mean([row.truth for row in rows]))), scores)
