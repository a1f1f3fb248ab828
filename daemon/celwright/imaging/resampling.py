"""Planes looked up at another size, and results of a reduced picture brought to full size along its own edges.

Knows arrays only, neither layers nor networks.
"""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from celwright.domain import FloatImage

Number = TypeVar("Number", bound="np.generic[Any]")

_SIMILAR = 0.07  # colour distance (RGB 0..1) at which a neighbour's say has fallen to 60 %
_FLOOR = 1e-4  # weight of the nearest neighbour when no colour is similar
_AT_ONCE = 64 * 1024  # pixels, few enough for the processor's cache: twice as fast


def looked_up(plane: NDArray[Number], height: int, width: int) -> NDArray[Number]:
    """(height, width) what of a plane (H, W) lies under the middles of so many pixels on the same stretch."""
    rows, columns = (
        ((np.arange(places) + 0.5) * length / places).astype(np.intp)
        for places, length in zip((height, width), plane.shape, strict=True)
    )
    return plane[np.ix_(rows, columns)]


def guided_rows(
    full: FloatImage, row: int, full_size: tuple[int, int], small: FloatImage, planes: FloatImage, small_row: int,
    small_size: tuple[int, int],
) -> FloatImage:  # fmt: skip
    """Joint bilateral upsampling (Kopf et al. 2007, eq. 3) of some rows.

    ``full`` (h, W, 3) rows from ``row`` of the full picture, of ``full_size`` (width, height) in all; ``small`` and
    ``planes`` (h', W', 3 and C) rows from ``small_row`` of the reduced picture and of what was found there, of
    ``small_size`` in all. Each full pixel takes the mean of its 3x3 nearest reduced pixels, weighed by closeness and
    by likeness of colour. Rows beyond those given are taken from the nearest that is. Returns (h, W, C).
    """
    height, width = full.shape[:2]
    at_y = (np.arange(row, row + height) + 0.5) * (small_size[1] / full_size[1]) - 0.5 - small_row
    at_x = (np.arange(width) + 0.5) * (small_size[0] / full_size[0]) - 0.5
    result = np.empty((height, width, planes.shape[2]), np.float32)
    step = max(1, _AT_ONCE // width)
    for start in range(0, height, step):
        rows = slice(start, start + step)
        result[rows] = _guided(full[rows], at_y[rows], at_x, small, planes)
    return result


def _guided(
    full: FloatImage, at_y: NDArray[Any], at_x: NDArray[Any], small: FloatImage, planes: FloatImage
) -> FloatImage:
    """The same for full pixels whose places in the reduced picture are given."""
    near_y, near_x = np.floor(at_y + 0.5).astype(np.intp), np.floor(at_x + 0.5).astype(np.intp)
    total: NDArray[Any] = np.zeros((*full.shape[:2], planes.shape[2]), np.float32)
    weights = np.zeros((*full.shape[:2], 1), np.float32)
    for dy in (-1, 0, 1):
        y = np.clip(near_y + dy, 0, len(small) - 1)
        close_y = np.maximum(1.5 - np.abs(near_y + dy - at_y), 0).astype(np.float32)
        for dx in (-1, 0, 1):
            x = np.clip(near_x + dx, 0, small.shape[1] - 1)
            close_x = np.maximum(1.5 - np.abs(near_x + dx - at_x), 0).astype(np.float32)
            there = np.ix_(y, x)
            difference = full - small[there]
            distance = np.einsum("hwc,hwc->hw", difference, difference)
            likeness = np.exp(distance * np.float32(-0.5 / _SIMILAR**2)) + np.float32(_FLOOR)
            weight = (likeness * (close_y[:, None] * close_x[None]))[..., None]
            total += planes[there] * weight
            weights += weight
    return np.asarray(total / np.maximum(weights, 1e-12), np.float32)


def rows_needed(start: int, stop: int, full_height: int, small_height: int) -> tuple[int, int]:
    """The reduced rows (first, one past the last) that ``guided_rows`` looks at for full rows start to stop."""
    scale = small_height / full_height
    first, last = int((start + 0.5) * scale) - 1, int((stop - 0.5) * scale) + 1
    return max(first, 0), min(last + 1, small_height)
