"""Regions vote on a picture: each takes the colour that the middle of it has there, alike colours become one.

The picture may be smaller than the regions: a network's colours are soft and lie a little beside the lines, but what
most of a region's inside says is right, and the regions keep the document's own edges. A region whose inside clearly
says two things is cut in two, as two hints would cut it. Knows no networks and no layers.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright.domain import FloatImage, Labels
from celwright.imaging.color import ciede2000, lab_to_srgb, srgb_to_lab
from celwright.regions.split import split

_LOOKS = 600_000  # looks at a page, about
_FEW = 48  # looks; a region with fewer is looked at in all its pixels
_TWO_APART = 15.0  # CIEDE2000 between two colours that split a region
_LEAST_SHARE = 0.12  # of the region, for the smaller of the two
_TIGHT = 0.35  # of their distance: how far the colours may scatter around each of the two
_TOGETHER = 0.85  # of a look's neighbours that must say the same, on average: two areas, no pattern
_ROUNDS = 6  # of 2-means
_LEAST_LOOKS = 200  # in a region, before it may be split


@dataclass(frozen=True, eq=False)
class Vote:
    """``labels`` (H, W) with split regions under new IDs; ``colors`` (count + 1, 3) sRGB 0..1, row 0 unused."""

    labels: Labels
    colors: FloatImage


@dataclass(frozen=True, eq=False)
class _Looks:
    """Places where the page is looked at: flat index, region, Lab colour of the picture, distance to the border."""

    places: NDArray[np.intp]
    region: NDArray[np.int32]
    lab: FloatImage
    depth: NDArray[np.float32]


def vote(labels: Labels, ink: NDArray[np.uint8], picture: FloatImage, fixed: NDArray[np.bool_] | None = None) -> Vote:
    """The colour of each region of ``labels`` (H, W) in ``picture`` (h, w, 3) sRGB 0..1, which shows the same field.

    The colour is the median in Lab of the inner half of the region. A region in which the picture is sure of two
    colours is split along its narrowest passage (``ink`` (H, W), 255 = line), unless ``fixed`` (count + 1,) forbids.
    """
    count = int(labels.max(initial=0))
    looks = _looks(labels, picture, count)
    medians = _medians(looks, count)
    markers = np.zeros(labels.shape, np.int32)
    sides: list[FloatImage] = []
    order = np.argsort(looks.region, kind="stable")
    bounds = np.searchsorted(looks.region[order], np.arange(count + 2))
    for region in (np.flatnonzero(np.diff(bounds)[1:] >= _LEAST_LOOKS) + 1).tolist():
        if fixed is not None and fixed[region]:
            continue
        own = order[bounds[region] : bounds[region + 1]]
        side = _sure_of_two(looks, own, labels.shape[1])
        if side is None:
            continue
        for which in (0, 1):
            members = own[side == which]
            core = members[looks.depth[members] >= np.median(looks.depth[members])]
            sides.append(np.median(looks.lab[members], axis=0))
            markers.reshape(-1)[looks.places[core]] = len(sides)
    labels, owner = split(labels, ink, markers)
    grown = np.concatenate([medians, np.zeros((len(owner) - len(medians), 3), np.float32)])
    grown[owner > 0] = np.array([np.zeros(3), *sides], np.float32)[owner[owner > 0]]
    return Vote(labels, lab_to_srgb(grown))


def _looks(labels: Labels, picture: FloatImage, count: int) -> _Looks:
    height, width = labels.shape
    step = max(1, int(np.sqrt(labels.size / _LOOKS)))
    looked = np.zeros(labels.shape, bool)
    looked[step // 2 :: step, step // 2 :: step] = True
    if step > 1:
        few = np.bincount(labels[looked], minlength=count + 1) < _FEW
        looked |= few[labels]
    looked &= labels > 0
    places = np.flatnonzero(looked)
    y, x = np.divmod(places, width)
    small = picture[y * picture.shape[0] // height, x * picture.shape[1] // width]
    # Numbers are exact in float32: there are fewer regions than 2**24.
    numbers, square = labels.astype(np.float32), np.ones((3, 3), np.uint8)
    inner = (cv2.erode(numbers, square) == cv2.dilate(numbers, square)).view(np.uint8)
    inner[[0, -1]] = inner[:, [0, -1]] = 0  # a region without any border would lie infinitely deep
    depth = cv2.distanceTransform(inner, cv2.DIST_L2, 3).reshape(-1)[places]
    return _Looks(places, labels.reshape(-1)[places], srgb_to_lab(small), depth)


def _medians(looks: _Looks, count: int) -> FloatImage:
    """(count + 1, 3) Lab, the median of the looks that lie deeper than the middle one; 0 without any."""
    typical = _median_by(looks.region, looks.depth, count)
    deep = looks.depth >= typical[looks.region]
    region, lab = looks.region[deep], looks.lab[deep]
    return np.stack([_median_by(region, lab[:, i], count) for i in range(3)], axis=1)


def _median_by(region: NDArray[np.int32], values: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """(count + 1,) the lower median of the values of each region; 0 for regions without values."""
    order = np.lexsort((values, region))
    ends = np.cumsum(np.bincount(region, minlength=count + 1))
    sizes = np.diff(ends, prepend=0)
    medians = np.zeros(count + 1, np.float32)
    some = sizes > 0
    medians[some] = values[order][ends[some] - 1 - sizes[some] // 2]
    return medians


def _sure_of_two(looks: _Looks, own: NDArray[np.intp], width: int) -> NDArray[np.int32] | None:
    """(len(own),) 0 or 1 for each look of a region that shows two areas of clearly different colours; else None."""
    lab = np.ascontiguousarray(looks.lab[own])
    spread = lab.std(axis=0).max()
    if spread < _TWO_APART / 3:
        return None
    along = lab[:, lab.std(axis=0).argmax()]
    side = along > np.percentile(along, (2, 98)).mean()
    for _ in range(_ROUNDS):  # 2-means
        if side.all() or not side.any():
            return None
        centers = np.stack([lab[~side].mean(axis=0), lab[side].mean(axis=0)])
        side = np.linalg.norm(lab - centers[1], axis=1) < np.linalg.norm(lab - centers[0], axis=1)
    share = side.mean()
    apart = float(ciede2000(centers[0], centers[1]))
    if apart < _TWO_APART or not _LEAST_SHARE <= share <= 1 - _LEAST_SHARE:
        return None
    nearest = np.linalg.norm(lab - centers[side.astype(np.intp)], axis=1)
    scatter = np.median(nearest) / np.linalg.norm(centers[0] - centers[1])
    if scatter > _TIGHT or _together(looks.places[own], side, width) < _TOGETHER:
        return None
    return np.asarray(side, np.int32)


def _together(places: NDArray[np.intp], side: NDArray[np.bool_], width: int) -> float:
    """The share of looks whose successor in the row of looks is on the same side."""
    same_row = places[1:] // width == places[:-1] // width
    return float((side[1:] == side[:-1])[same_row].mean()) if same_row.any() else 0.0


def alike_made_equal(colors: FloatImage, areas: NDArray[np.int64], within: float = 4.0) -> FloatImage:
    """(N, 3) sRGB colours in which those ``within`` a CIEDE2000 difference of a commoner one became that one.

    ``areas`` (N,) says how common each is. A drawing's skin is then one colour wherever it shows, not forty.
    """
    lab = srgb_to_lab(colors)
    result = colors.copy()
    free = areas > 0
    for i in np.argsort(-areas, kind="stable"):
        if not free[i]:
            continue
        near = np.flatnonzero(free & (np.abs(lab - lab[i]).max(axis=1) < 5 * within))
        near = near[ciede2000(lab[near], lab[i]) <= within]
        result[near] = colors[i]
        free[near] = False
    return result
