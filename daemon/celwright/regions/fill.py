"""Region colours become a flat, and regions without a hint take after others.

A region without a hint takes the colour of the nearest region of like size. The background, which is what holds a
corner of the canvas, neither takes nor gives colour unless a hint lies on it. Colours are per region until the very
last step, so no colour can bleed. Does not know palettes, networks or layers.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from celwright.domain import FloatImage, Labels
from celwright.layers import quantized
from celwright.regions.hinted import HintedRegions, background

_ROWS = 1 << 22  # pairs of regions compared at once


def nearest_alike(regions: HintedRegions) -> FloatImage:
    """(count + 1, 4) colours in which every region but the background took that of the nearest hinted one of like size.

    Nearest by the distance of the centroids times the square root of the ratio of the areas, so that one of two sleeves
    is coloured as the other is, not as the button beside it. The background lends its colour only when nothing else
    has a hint.
    """
    colors = regions.colors.copy()
    behind = background(regions.labels)
    lenders = np.setdiff1d(np.flatnonzero(regions.hinted), behind)
    if not len(lenders):
        lenders = np.flatnonzero(regions.hinted)
    takers = np.setdiff1d(np.flatnonzero(~regions.hinted[1:]) + 1, behind)
    if not len(lenders) or not len(takers):
        return colors
    areas, centroids = _areas_and_centroids(regions.labels, regions.count + 1)
    step = max(1, _ROWS // len(lenders))
    for part in (takers[i : i + step] for i in range(0, len(takers), step)):
        apart = np.hypot(*(centroids[:, part, None] - centroids[:, None, lenders]))
        unlike = np.abs(np.log(areas[part, None] / areas[lenders]))
        colors[part] = regions.colors[lenders[(np.log(apart + 1) + unlike / 2).argmin(axis=1)]]
    return colors


def painted(labels: Labels, colors: FloatImage, depth: int) -> NDArray[Any]:
    """(H, W, 4) RGBA of 8 or 16 bit: every pixel in its region's colour, (count + 1, 4) sRGB and alpha in 0..1."""
    stored = quantized(np.where(colors[:, 3:] > 0, colors, 0).astype(np.float32), depth)
    stored[0] = 0
    whole = np.uint32 if depth == 8 else np.uint64  # one number a pixel: four times as fast to look up
    looked_up = np.ascontiguousarray(stored).view(whole)[:, 0][labels]
    return looked_up[..., None].view(stored.dtype)


def _areas_and_centroids(labels: Labels, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(count,) pixels and (2, count) mean y and x of every region; regions without pixels have area 1."""
    height, width = labels.shape
    flat = labels.reshape(-1)
    areas = np.maximum(np.bincount(flat, minlength=count), 1).astype(np.float64)
    rows = np.bincount(flat, np.repeat(np.arange(height), width), count)
    columns = np.bincount(flat, np.tile(np.arange(width), height), count)
    return areas, np.stack([rows, columns]) / areas
