"""Regions that lines enclose, also where the lines do not quite meet: trapped balls of every radius at once.

A ball too large for an opening cannot leave a region through it (Zhang et al., "Vectorizing Cartoon Animations",
2009). Rolling balls of decreasing radius is a flood of the distance to the lines from its peaks downwards: each
peak floods a basin, and two basins meet at a saddle, whose height is the radius of the largest ball that passes.
Only the strip along the lines that is too narrow for the largest ball is looked at, so time goes with the length of
the lines rather than with the area of the page. Does not know colours or files.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright.domain import Labels, Leak
from celwright.regions.basins import Basins, distance_to_line, flood
from celwright.regions.growth import grown
from celwright.regions.merging import joined
from celwright.regions.openings import measured, width_across

LINE_FROM = 96  # of 255: pixels with more ink bound regions; antialiasing and pencil grain below do not
_ROWS = 64  # rows relabelled together
_SPECK = 4  # px; smaller holes in the ink are grain and belong to the line
_WIDEST_LINE = 12  # px; what is wider is a spot of black, not a stroke


@dataclass(frozen=True, eq=False)
class Regions:
    """What a page falls into.

    ``labels`` (H, W) int32: region IDs 1..count in reading order of their first pixel, 0 on line.
    ``grown`` the same, grown under the lines (nearest region): no 0 left, unless count is 0.
    ``leaks``: the openings that were closed, with the IDs of the regions on both sides (a graph: an unhinted region
    may take the colour of the region it has the widest leak with). ``areas``: (count + 1,) pixels per ID in
    ``labels``, the line's first.
    """

    labels: Labels
    grown: Labels
    leaks: tuple[Leak, ...]
    areas: NDArray[np.int64]

    @property
    def count(self) -> int:
        return len(self.areas) - 1


def segment(ink: NDArray[np.uint8], gap: int) -> Regions:
    """Regions of ``ink`` (H, W; 255 = line). Openings up to ``gap`` pixels wide are closed; 0 closes none.

    Deterministic; pixels of one region are 4-connected.
    """
    distance = distance_to_line(ink < LINE_FROM)
    found = flood(distance, gap / 2 + 1)
    saddle = found.saddles()
    passages = measured(distance, found.pixel[saddle], _line_width(distance))
    number, areas = _numbered(found, joined(found, saddle, passages, gap))
    leaks = _leaks(found, number, distance)
    labels = np.empty(ink.shape, np.int32)
    for row in range(0, len(labels), _ROWS):  # by rows: an index array of the whole page would be twice its size
        rows = slice(row, min(row + _ROWS, len(labels)))
        labels[rows] = number[found.of[row + 1 : rows.stop + 1, 1:-1]]
    areas[0] = labels.size - areas[1:].sum()
    return Regions(labels, grown(labels), leaks, areas)


def line_width(ink: NDArray[np.uint8]) -> float:
    """Typical width in pixels of the strokes of ``ink`` (H, W; 255 = line), 1 to 12."""
    return _line_width(distance_to_line(ink < LINE_FROM))


def _line_width(distance: NDArray[np.float32]) -> float:
    """Typical width of a stroke in pixels: ink per half its shore."""
    rows, columns = distance.shape
    ink_area = distance.size - np.count_nonzero(distance) - 2 * (rows + columns) + 4
    shore = np.count_nonzero((distance > 0) & (distance < 1.2))
    return float(np.clip(2 * ink_area / max(shore, 1), 1, _WIDEST_LINE))


def _numbered(found: Basins, region: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """From basin to region ID in reading order (0 for line and specks), and the areas by ID.

    A region's first pixel lies under a line or another region, so it is narrow, or in the page's first row.
    """
    count = int(region.max(initial=0)) + 1
    area = np.bincount(region, found.area, count).astype(np.int64)
    first = np.full(count, found.of.size, np.intp)
    width = found.of.shape[1]
    candidates = np.concatenate([np.arange(width, 2 * width), found.narrow])
    np.minimum.at(first, region[found.of.ravel()[candidates]], candidates)
    area[0] = 0
    kept = np.flatnonzero(area >= _SPECK)
    kept = kept[np.argsort(first[kept], kind="stable")]
    number = np.zeros(count, np.int32)
    number[kept] = np.arange(1, kept.size + 1, dtype=np.int32)
    return number[region], np.concatenate([np.zeros(1, np.int64), area[kept]])


def _leaks(found: Basins, number: NDArray[np.int32], distance: NDArray[np.float32]) -> tuple[Leak, ...]:
    """One leak per place where two regions touch, widest part first found, in reading order."""
    a, b = number[found.low], number[found.high]
    crossing = np.flatnonzero((a != b) & (a > 0) & (b > 0))
    if not crossing.size:
        return ()
    pixel, radius = found.pixel[crossing], found.radius[crossing]
    low, high = np.minimum(a, b)[crossing], np.maximum(a, b)[crossing]
    touching = np.zeros(distance.shape, np.uint8)
    touching.ravel()[pixel] = 1
    place = cv2.connectedComponents(touching, connectivity=8, ltype=cv2.CV_32S)[1].ravel()[pixel]
    order = np.lexsort((pixel, -radius, high, low, place))
    key = np.stack([place, low, high])[:, order]
    first = np.flatnonzero(np.concatenate([[True], (key[:, 1:] != key[:, :-1]).any(axis=0)]))
    best = pixel[order][first]
    width = width_across(distance, best)
    y, x = np.divmod(best, distance.shape[1])
    rows = sorted(
        zip(y.tolist(), x.tolist(), width.tolist(), key[1, first].tolist(), key[2, first].tolist(), strict=True)
    )
    return tuple(Leak(x - 1, y - 1, round(w, 1), (p, q)) for y, x, w, p, q in rows)
