"""Bays of the ground that belong to a figure: a face whose outline stays open at the neck is not the page.

What a large ball cannot reach from outside is a bay. Whether bays are a figure's own or pockets between arm and body
shows in how wide they are open and, where that is in doubt, in how solid other pictures of the figure are. Knows labels
and silhouettes only.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright.domain import Labels
from celwright.imaging.resampling import looked_up
from celwright.regions.hinted import background
from celwright.regions.split import split

_BALL = 0.25  # radius, of the geometric mean of a figure's height and width
_LEAST = 0.02  # of the closed silhouette; smaller bays are dents
_INSIDE = 0.01  # of it; smaller ground inside a figure is no part worth cutting off
_OPEN = 0.15  # of a bay's border; what is open further is a pocket
_SURELY_OWN = 0.07, 0.04  # of its border, of the closed silhouette: less open and larger is hardly ever a pocket
_TOLERANCE = 0.05  # of the closed silhouette, by which a figure may be more solid than its like
_SQUARE = np.ones((5, 5), np.uint8)  # px of the reduced page; so far from a figure a bay's marker begins
_DEEP = np.ones((11, 11), np.uint8)  # px; so far inside a figure ground must lie, for figures have a rim of paper


def closed(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(h, w) a silhouette with what a ball of a quarter of its size cannot reach from outside."""
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not len(rows):
        return inside
    box = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
    part = inside[box]
    radius = _BALL * float(np.sqrt(part.size))
    margin = int(np.ceil(radius)) + 2
    free = np.pad(~part, margin, constant_values=True).view(np.uint8)
    middles = (cv2.distanceTransform(free, cv2.DIST_L2, 5) > radius).view(np.uint8)
    _, waters = cv2.connectedComponents(middles, connectivity=4)
    deep = cv2.distanceTransform((waters != waters[0, 0]).view(np.uint8), cv2.DIST_L2, 5) > radius
    result = inside.copy()
    result[box] |= deep[margin:-margin, margin:-margin]
    return result


def solidity(inside: NDArray[np.bool_]) -> float:
    """How much of its closed silhouette a figure fills, 0..1; 1 for nothing."""
    return float(inside.sum() / max(1, closed(inside).sum())) if inside.any() else 1.0


def with_bays(
    labels: Labels,
    ink: NDArray[np.uint8],
    figures: NDArray[np.uint8],
    solid: float,
    whole: NDArray[np.intp] | None = None,
) -> tuple[Labels, NDArray[np.uint8]]:
    """``labels`` (H, W), grown, in which the figures' own bays are regions of their own, with IDs after the others, and
    ``figures`` (h, w), the page reduced (0 ground, else a figure's number), with these bays.

    ``solid``: the solidity of such figures, 0 where nobody knows; of each figure's bays that it nearly encloses,
    largest first, those are taken that do not make it more solid than that. Large bays that are hardly open, and ground
    that lies inside a figure as it is, since the ends of its outline nearly meet, are always taken. ``ink`` (H, W),
    255 = line. The cut runs along the narrowest passage. Regions ``whole`` (IDs) are not cut.
    """
    ground = np.isin(labels, np.setdiff1d(background(labels), [] if whole is None else whole))
    seen = looked_up(ground, *figures.shape)
    reduced = seen & (figures == 0)
    markers, grown_figures, count = np.zeros(figures.shape, np.int32), figures.copy(), 1
    for number in range(1, int(figures.max(initial=0)) + 1):
        own = figures == number
        shut = closed(own)
        parts, sizes = _parts(own & seen, _DEEP)
        for part in np.flatnonzero(sizes[1:] >= _INSIDE * shut.sum()) + 1:
            count += 1
            markers[parts == part] = count
        bays, sizes = _parts(shut & reduced, _SQUARE)
        room = (solid + _TOLERANCE) * shut.sum() - own.sum()
        for bay in np.argsort(-sizes[1:], kind="stable") + 1:
            if sizes[bay] < _LEAST * shut.sum():
                break
            whole_bay = np.asarray(cv2.dilate((bays == bay).view(np.uint8), _SQUARE), np.uint8)
            openness = _openness(whole_bay, shut)
            surely = openness <= _SURELY_OWN[0] and sizes[bay] >= _SURELY_OWN[1] * shut.sum()
            if surely or (openness <= _OPEN and sizes[bay] <= room):
                room -= sizes[bay]
                count += 1
                markers[bays == bay] = count
                grown_figures[reduced & (whole_bay > 0)] = number
    if count == 1:
        return labels, figures
    sea = reduced & (grown_figures == 0)
    markers[cv2.erode(sea.view(np.uint8), _SQUARE) > 0] = 1
    y, x = (
        (np.arange(large) * small // large).astype(np.intp)
        for small, large in zip(figures.shape, labels.shape, strict=True)
    )
    parted, _ = split(labels, ink, np.where(ground, markers[np.ix_(y, x)], 0))
    return parted, grown_figures


def _parts(mask: NDArray[np.bool_], rim: NDArray[np.uint8]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Numbers (h, w) of what hangs together in a mask without its rim, 0 = nothing, and the sizes of 0, 1, ..."""
    inside = cv2.erode(mask.view(np.uint8), rim)
    _, parts, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=4)
    return np.asarray(parts, np.int32), np.asarray(stats[:, cv2.CC_STAT_AREA], np.int32)


def _openness(bay: NDArray[np.uint8], shut: NDArray[np.bool_]) -> float:
    """Share of a bay's border (h, w) that lies outside the closed silhouette."""
    border = cv2.dilate(bay, np.ones((3, 3), np.uint8)) > bay
    return float((border & ~shut).sum() / max(1, border.sum()))
