"""Where a picture is one flat colour to an artist's eye: its areas between edges, and which of them are painted alike.

An area ends where the picture without its lines changes from one pixel to the next; soft shading stays inside. Areas
whose flats look alike share one colour. Knows arrays only; what becomes of the colours is decided elsewhere.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright.domain import FloatImage, Labels
from celwright.pipelines.decompose.alike_colors import alike

_EVEN = (6, 12, 24)  # 1/255; how far neighbours may differ inside an area: more, where there is none else
_TWO_COLORS = 14.0  # 1/255; a flat that varies by more within an area is cut in two
_FEW, _LEAST = 6, 4e-6  # pixels, and share of the picture's, of the smallest area
_LIGHT = 1e-3  # of the visible pixels, that an area of highlight has at most


@dataclass(frozen=True, eq=False)
class FlatRegions:
    """``labels`` (H, W): the area of each visible pixel from 1 on, 0 elsewhere. ``group`` (areas + 1,): which colour an
    area has, row 0 unused; ``colors`` (groups, 3) sRGB 0..1, ``even`` (areas + 1,) where nothing is shaded softly."""

    labels: Labels
    group: NDArray[np.int32]
    colors: FloatImage
    even: NDArray[np.bool_]

    def groups(self, rows: slice) -> NDArray[np.int32]:
        """(h, W) the colour's number of each pixel; that of nothing is any."""
        return self.group[self.labels[rows]]


def flat_regions(
    picture: NDArray[np.uint8],
    flat: NDArray[np.uint8],
    clear: NDArray[np.bool_],
    visible: NDArray[np.bool_],
    at_most: int,
) -> FlatRegions:
    """Areas of ``picture`` (H, W, 3), which has no lines, and their colours in ``flat`` (H, W, 3), ``at_most`` so many,
    0: as many as there are. ``clear`` (H, W) where no line and no rim is, ``visible`` where anything is."""
    labels = _areas(picture, flat, clear, visible)
    count = int(labels.max(initial=0))
    if not count:
        return FlatRegions(labels, np.zeros(1, np.int32), np.ones((1, 3), np.float32), np.ones(1, np.bool_))
    inside = np.where(clear, labels, 0)
    sizes = np.bincount(inside.reshape(-1), minlength=count + 1)
    bare = sizes[labels] == 0  # areas under lines only: their own pixels must do
    inside[bare] = labels[bare]
    sizes, mean, _ = _statistics(inside, flat, count)
    _, seen, spread = _statistics(inside, picture, count)
    # No flat is darker than the area it fills, or all of that would be highlight; a small area may be one.
    lit = (seen.mean(axis=1) > mean.mean(axis=1)) & (sizes > _LIGHT * np.count_nonzero(visible))
    found = np.asarray(np.where(lit[:, None], seen, mean) / 255, np.float32)
    group, colors = alike(found[1:], sizes[1:], at_most)
    return FlatRegions(labels, np.concatenate([group[:1], group]), colors, spread <= _EVEN[0])


def _areas(
    picture: NDArray[np.uint8], flat: NDArray[np.uint8], clear: NDArray[np.bool_], visible: NDArray[np.bool_]
) -> Labels:
    smooth = cv2.medianBlur(picture, 3)
    square = np.ones((3, 3), np.uint8)
    change = (cv2.dilate(smooth, square) - cv2.erode(smooth, square)).max(axis=2)
    del smooth
    seeds: Labels = np.zeros(visible.shape, np.int32)
    boxes = np.zeros((0, 5), np.int32)
    for even in _EVEN:
        seeds, boxes = _with_areas(clear & (change <= even), seeds, boxes)
    del change
    if not len(boxes):
        return visible.astype(np.int32)
    seeds = _cut(seeds, boxes, flat)
    outside = int(seeds.max()) + 1
    seeds[~visible] = outside
    framed = cv2.copyMakeBorder(seeds, 1, 1, 1, 1, cv2.BORDER_REPLICATE)  # watershed takes the outermost pixels away
    cv2.watershed(cv2.copyMakeBorder(picture, 1, 1, 1, 1, cv2.BORDER_REPLICATE), framed)  # -1 between areas
    return _filled(np.array(framed[1:-1, 1:-1], np.int32), picture, visible, outside)


def _with_areas(inner: NDArray[np.bool_], seeds: Labels, boxes: NDArray[np.int32]) -> tuple[Labels, NDArray[np.int32]]:
    """``seeds`` with those areas of ``inner`` that hold none yet, and their boxes (left, top, width, height, size)."""
    _, found, stats, _ = cv2.connectedComponentsWithStats(inner.view(np.uint8), connectivity=4, ltype=cv2.CV_32S)
    new = stats[:, cv2.CC_STAT_AREA] >= max(_FEW, _LEAST * seeds.size)
    new[found[seeds > 0]] = False
    new[0] = False
    number = (len(boxes) + np.cumsum(new)) * new
    return np.where(seeds > 0, seeds, number.astype(np.int32)[found]), np.concatenate([boxes, stats[new]])


def _cut(seeds: Labels, boxes: NDArray[np.int32], flat: NDArray[np.uint8]) -> Labels:
    """Areas with several flats, which a soft passage joins, apart."""
    count = len(boxes)
    _, _, spread = _statistics(seeds, flat, count)
    last = count
    for area in (np.flatnonzero(spread[1:] > _TWO_COLORS) + 1).tolist():
        x, y, width, height, size = boxes[area - 1].tolist()
        if size < 200:
            continue
        box = seeds[y : y + height, x : x + width]
        there = box == area
        colors = flat[y : y + height, x : x + width][there].astype(np.float32)
        wanted = min(6, 1 + int(np.ceil(spread[area] / _TWO_COLORS)))
        stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_MAX_ITER, 10, 1.0)
        looks = np.ascontiguousarray(colors[:: max(1, len(colors) // 5000)])
        cv2.setRNGSeed(1)  # the same picture always gives the same areas
        _, _, centers = cv2.kmeans(looks, wanted, None, stop, 2, cv2.KMEANS_PP_CENTERS)  # type: ignore[call-overload]
        distance = np.stack([np.abs(colors - center).sum(axis=1) for center in centers])
        which = distance.argmin(axis=0)
        box[there] = np.where(which == 0, area, last + which)
        last += wanted - 1
    return seeds


def _filled(labels: Labels, picture: NDArray[np.uint8], visible: NDArray[np.bool_], outside: int) -> Labels:
    """Visible pixels without an area get that of the likest neighbour, of the nearest pixel where none has one."""
    labels[((labels == outside) | (labels == 0)) & visible] = -1
    labels[~visible] = 0
    missing = np.argwhere(labels < 0)
    if len(missing):
        y, x = missing.T
        best, likest = np.full(len(y), np.inf), np.full(len(y), -1, np.int32)
        own = picture[y, x].astype(np.int32)
        for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1)):
            near = np.clip(y + dy, 0, len(labels) - 1), np.clip(x + dx, 0, labels.shape[1] - 1)
            difference = np.where(labels[near] > 0, np.abs(picture[near] - own).sum(axis=1), np.inf)
            better = difference < best
            best[better], likest[better] = difference[better], labels[near][better]
        labels[y, x] = likest
    if (labels < 0).any():
        _, nearest = cv2.distanceTransformWithLabels(
            (labels <= 0).view(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
        )
        source = np.zeros(int(nearest.max()) + 1, np.int32)
        source[nearest[labels > 0]] = labels[labels > 0]
        labels = np.where(labels < 0, source[nearest], labels).astype(np.int32)
    return labels


def _statistics(
    labels: Labels, picture: NDArray[np.uint8], count: int
) -> tuple[NDArray[np.int64], FloatImage, FloatImage]:
    """Pixels of each label, (count + 1, 3) their mean, (count + 1,) how far they scatter (largest of the channels)."""
    flat = labels.reshape(-1)
    sizes = np.bincount(flat, minlength=count + 1)
    some = np.maximum(sizes, 1)
    means, spreads = [], []
    for channel in range(3):
        values = picture[..., channel].reshape(-1)
        mean = np.bincount(flat, values, minlength=count + 1) / some
        squares = np.bincount(flat, np.square(values, dtype=np.uint16), minlength=count + 1) / some
        means.append(mean)
        spreads.append(np.sqrt(np.maximum(squares - mean**2, 0)))
    return sizes, np.stack(means, axis=1).astype(np.float32), np.max(spreads, axis=0).astype(np.float32)
