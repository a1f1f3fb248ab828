"""The basins that a flood of the distance to the lines falls into, and the passages between them.

Watershed by steepest ascent (every pixel climbs to a peak), on the narrow pixels only; knows nothing of gaps.
Arrays are padded by one pixel of line all round, so that every free pixel has eight neighbours; pixels are named
by their flat index. A diagonal step must not slip between two pixels of line: regions are 4-connected.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

_LOOKS = 1_000_000
_CHUNK = 1 << 15  # pixels looked at together: what a processor keeps near
_DIAGONAL = 1.4  # as in OpenCV's 5x5 distance mask


@dataclass(frozen=True, eq=False)
class Basins:
    """``of`` (H, W) int32: the basin of every pixel, 0 on line. Per basin (index 0 is line): ``peak`` the largest
    radius and ``area`` in pixels. ``narrow``: the pixels in which the largest ball does not fit, in reading order.

    Contacts, one for each pair of neighbouring pixels in two basins: ``low`` < ``high`` the basins, ``pixel`` the
    one of the two nearer to the lines, ``radius`` the ball that fits there. Sorted by (low, high), widest first.
    """

    of: NDArray[np.int32]
    peak: NDArray[np.float32]
    area: NDArray[np.int64]
    narrow: NDArray[np.intp]
    low: NDArray[np.int32]
    high: NDArray[np.int32]
    pixel: NDArray[np.intp]
    radius: NDArray[np.float32]

    def saddles(self) -> NDArray[np.intp]:
        """Index of the widest contact of each pair of basins."""
        if not self.low.size:
            return np.zeros(0, np.intp)
        first = np.ones(self.low.size, np.bool_)
        first[1:] = (self.low[1:] != self.low[:-1]) | (self.high[1:] != self.high[:-1])
        return np.flatnonzero(first)


def flood(distance: NDArray[np.float32], reach: float) -> Basins:
    """Basins of ``distance`` (H, W), the distance to the nearest line, 0 on line and on the frame.

    Places with a distance above ``reach`` that touch are one basin without further look.
    """
    wide = (distance > reach).view(np.uint8)
    wide_count, components, stats, _ = cv2.connectedComponentsWithStats(wide, connectivity=8, ltype=cv2.CV_32S)
    of = np.asarray(components, dtype=np.int32)
    wide_area = np.asarray(stats[:, cv2.CC_STAT_AREA], dtype=np.int64)
    height = distance.ravel()
    narrow = np.flatnonzero((distance > 0) & (distance <= reach))
    flat = of.ravel()
    nodes = wide_count + np.arange(narrow.size, dtype=np.int32)
    flat[narrow] = nodes
    up = np.arange(wide_count + narrow.size, dtype=np.int32)
    for start in range(0, narrow.size, _CHUNK):
        part = slice(start, start + _CHUNK)
        up[wide_count:][part] = _upward(height, flat, narrow[part], distance.shape[1])
    while True:
        higher = up[up]
        if np.array_equal(higher, up):
            break
        up = higher
    summit = up == np.arange(up.size, dtype=np.int32)
    number = (np.cumsum(summit, dtype=np.int32) - 1)[up]
    count = int(np.count_nonzero(summit))
    peak = np.full(count, np.float32(reach))
    # The largest radius is smooth there: a million looks are enough to know it to a few pixels.
    step = max(1, round(math.sqrt(distance.size / _LOOKS)))
    looks = of[::step, ::step].ravel()
    np.maximum.at(peak, np.where(looks < wide_count, looks, 0), distance[::step, ::step].ravel())
    own = up[wide_count:]
    of_narrow = number[wide_count:]
    is_summit = own == nodes
    peak[of_narrow[is_summit]] = height[narrow[is_summit]]
    area = np.bincount(of_narrow, minlength=count)
    area[1:wide_count] += wide_area[1:]
    flat[narrow] = of_narrow
    return Basins(of, peak, area, narrow, *_contacts(height, flat, narrow, distance.shape[1]))


def distance_to_line(free: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(H + 2, W + 2) distance of every free pixel to the nearest other one, framed with 0.

    The page's border is no line: a ball may hang over it, so paper between a figure and the border stays wide.
    """
    distance = np.zeros((free.shape[0] + 2, free.shape[1] + 2), np.float32)
    inner = distance[1:-1, 1:-1]
    if free.all():
        inner[:] = max(free.shape)
    else:
        inner[:] = cv2.distanceTransform(free.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    return distance


def _neighbors(width: int) -> tuple[tuple[int, float, int, int], ...]:
    """(offset, length, and the two offsets of which one must be free) of the eight neighbours."""
    return (
        (-width, 1.0, 0, 0),
        (-1, 1.0, 0, 0),
        (1, 1.0, 0, 0),
        (width, 1.0, 0, 0),
        (-width - 1, _DIAGONAL, -width, -1),
        (-width + 1, _DIAGONAL, -width, 1),
        (width - 1, _DIAGONAL, width, -1),
        (width + 1, _DIAGONAL, width, 1),
    )


def _upward(
    height: NDArray[np.float32], node: NDArray[np.int32], narrow: NDArray[np.intp], width: int
) -> NDArray[np.int32]:
    """The node to which each narrow pixel climbs: its steepest neighbour, or itself at a summit.

    On level ground the way leads to the earlier pixel, so that a ridge is one basin and no circle can arise.
    """
    own = height.take(narrow)
    own_node = node.take(narrow)
    steepest = np.zeros(narrow.size, np.float32)
    target = own_node.copy()
    for offset, length, beside, below in _neighbors(width):
        other = narrow + offset
        slope = height.take(other) - own
        if length > 1:
            slope /= np.float32(length)
            slope[(height.take(narrow + beside) == 0) & (height.take(narrow + below) == 0)] = -1
        better = slope > steepest
        if offset < 0:
            better |= (slope == 0) & (steepest == 0) & (target == own_node)
        np.copyto(steepest, slope, where=better)
        np.copyto(target, node.take(other), where=better)
    return target


def _contacts(
    height: NDArray[np.float32], of: NDArray[np.int32], narrow: NDArray[np.intp], width: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.intp], NDArray[np.float32]]:
    """Basins.low, high, pixel, radius. Two basins meet along 4-neighbours wherever they meet at all."""
    lows, highs = [np.zeros(0, np.int32)], [np.zeros(0, np.int32)]
    pixels = [np.zeros(0, np.intp)]
    for start in range(0, narrow.size, _CHUNK):
        part = narrow[start : start + _CHUNK]
        own = of.take(part)
        for offset in (-width, -1, 1, width):
            other = of.take(part + offset)
            meets = np.flatnonzero((other != own) & (other != 0))
            here, there = part[meets], part[meets] + offset
            lows.append(np.minimum(own[meets], other[meets]))
            highs.append(np.maximum(own[meets], other[meets]))
            pixels.append(np.where(height[here] <= height[there], here, there))
    low, high, pixel = np.concatenate(lows), np.concatenate(highs), np.concatenate(pixels)
    radius = height[pixel]
    order = np.lexsort((pixel, -radius, high, low))
    return low[order], high[order], pixel[order], radius[order]
