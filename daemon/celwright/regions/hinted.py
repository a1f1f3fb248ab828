"""Which regions the hints mean.

A hint means every region that its middle enters; a rim that slips over a line does not count. Hints of different
colours in one region split it. A hint that stands in a bay of the background, behind an opening, fills the bay and not
the page. Does not know what becomes of regions without a hint.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright.domain import FloatImage, Labels, Leak
from celwright.regions.hints import Hints
from celwright.regions.split import split
from celwright.regions.trapped_ball import Regions

_STRAIT = 0.04  # of the page's shorter side; a narrower opening between a bay and the open was not meant
_LEAST_STRAIT = 16  # px


@dataclass(frozen=True, eq=False)
class HintedRegions:
    """Regions after hints of different colours have split them.

    ``labels`` (H, W) int32, grown under the lines. ``colors`` (count + 1, 4) float32: sRGB and alpha 1 where a hint
    says so, else 0. ``leaks`` join regions by ID.
    """

    labels: Labels
    colors: FloatImage
    leaks: tuple[Leak, ...]

    @property
    def count(self) -> int:
        return len(self.colors) - 1

    @property
    def hinted(self) -> NDArray[np.bool_]:
        """(count + 1,) whether a hint coloured the region."""
        return np.asarray(self.colors[:, 3] > 0)


def without_hints(regions: Regions) -> HintedRegions:
    """The regions as they are, none of them coloured."""
    return HintedRegions(regions.grown, np.zeros((regions.count + 1, 4), np.float32), regions.leaks)


def give_hints(regions: Regions, ink: NDArray[np.uint8], hints: Hints) -> HintedRegions:
    """Every region takes the colour of the hint that enters it; hints of different colours split it between them.

    ``ink`` (H, W), 255 = line. A hint that lies on lines alone means the region nearest to it, if that has no other.
    """
    markers = _entering_marks(regions, hints)
    groups = hints.groups[markers]
    for region in background(regions.grown).tolist():
        groups[_open_sea(regions.labels == region, markers > 0)] = hints.groups.max() + 1
    labels, _ = split(regions.grown, ink, groups)
    places = np.flatnonzero(markers)
    stride = np.int64(hints.count + 1)
    pairs, counts = np.unique(labels.reshape(-1)[places] * stride + markers.reshape(-1)[places], return_counts=True)
    order = np.lexsort((pairs, -counts))
    region, first = np.unique(pairs[order] // stride, return_index=True)
    colors = np.zeros((int(labels.max(initial=0)) + 1, 4), np.float32)
    colors[region, :3] = hints.colors[pairs[order][first] % stride]
    colors[region, 3] = 1
    return HintedRegions(labels, colors, regions.leaks)


def background(labels: Labels) -> NDArray[np.int32]:
    """IDs of the regions that hold a corner of the canvas."""
    corners = np.unique(labels[[0, 0, -1, -1], [0, -1, 0, -1]])
    return np.asarray(corners[corners > 0], np.int32)


def _open_sea(inside: NDArray[np.bool_], marked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(H, W) the part of a background region to which hints in its bays must not spill over.

    That is where the middle of a ball as wide as a strait gets from the canvas' edge. Nothing when a hint lies where
    the ball passes, for then the whole background is meant, and nothing when no hint lies in the region at all.
    """
    nowhere = np.zeros_like(inside)
    if not (inside & marked).any():
        return nowhere
    radius = max(_LEAST_STRAIT, _STRAIT * min(inside.shape)) / 2
    # Beyond the canvas the sea goes on: OpenCV takes only zeros for obstacles, and there are none outside.
    wide = cv2.distanceTransform(inside.view(np.uint8), cv2.DIST_L2, 5) > radius
    waters = np.asarray(cv2.connectedComponents(wide.view(np.uint8), connectivity=4)[1], np.int32)
    edge = np.concatenate([waters[0], waters[-1], waters[:, 0], waters[:, -1]])
    sea = np.isin(waters, np.unique(edge[edge > 0]))
    if not sea.any():
        return nowhere
    covered = inside & (cv2.distanceTransform((~sea).view(np.uint8), cv2.DIST_L2, 5) <= radius)
    return nowhere if (covered & marked).any() else sea


def _entering_marks(regions: Regions, hints: Hints) -> Labels:
    """The marks where they count: in regions that the hint's middle enters, or of which it covers at least half."""
    marks = hints.marks.reshape(-1)
    depth = cv2.distanceTransform(_apart(hints.marks), cv2.DIST_L2, 3).reshape(-1)
    places = np.flatnonzero(marks)
    mark, region, depth = marks[places], regions.labels.reshape(-1)[places], depth[places]
    half_width = np.zeros(hints.count + 1, np.float32)
    np.maximum.at(half_width, mark, depth)

    stride = np.int64(hints.count + 1)
    pairs, index, counts = np.unique(region * stride + mark, return_inverse=True, return_counts=True)
    of_region, of_mark = pairs // stride, pairs % stride
    middle = np.bincount(index, depth >= half_width[mark] / 2, len(pairs))
    enters = (middle >= (half_width[of_mark] / 2) ** 2) | (counts * 2 >= regions.areas[of_region])
    enters &= of_region > 0

    # A hint without any such region: the region with most of its pixels, else the nearest one, unless it has a hint.
    lost = np.ones(hints.count + 1, bool)
    lost[of_mark[enters]] = False
    stray = lost[mark]
    target = np.zeros(hints.count + 1, np.int32)
    nearest = regions.grown.reshape(-1)[places]
    if stray.any():
        seen = np.where(region[stray] > 0, 4, 1)  # a pixel beside the line says more than one on it
        both, back = np.unique(nearest[stray] * stride + mark[stray], return_inverse=True)
        votes = np.bincount(back, seen)
        ranked = np.argsort(votes, kind="stable")
        target[both[ranked] % stride] = both[ranked] // stride
        target[np.isin(target, of_region[enters])] = 0
    counted = np.where(stray, nearest == target[mark], enters[index])
    markers = np.zeros_like(hints.marks)
    markers.reshape(-1)[places[counted]] = mark[counted]
    return markers


def _apart(marks: Labels) -> NDArray[np.uint8]:
    """(H, W) 255 inside each mark, 0 outside and on the seams where marks touch."""
    # float32 holds every integer up to 2**24 exactly: more marks than fit into the largest picture.
    numbers = np.where(marks > 0, marks, np.inf).astype(np.float32)
    lowest_around = cv2.erode(numbers, cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)))
    return np.where((marks > 0) & (lowest_around == numbers), np.uint8(255), np.uint8(0))
