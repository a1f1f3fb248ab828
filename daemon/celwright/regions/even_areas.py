"""Areas of one colour between lines, as cel painters fill them, and which of them touch.

Soft shading and texture belong to no area. Knows pixels and lines, nothing of layers.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright.domain import FloatImage

LINE = 0.3  # line alpha from which a pixel separates areas
_STEP = 12  # levels of 255 between neighbours from which there is an edge
_SPREAD = 6 / 255  # standard deviation of a channel up to which an area has one colour
_SMALLEST = 24  # px
_REACH = 3  # px from an area over which its soft edge is looked for
_THICK = 3  # dark areas are fills where they are so many times as thick as strokes
_DARK = 0.3  # the brightest channel up to which ink is dark
_STROKE = 0.7  # line alpha on average from which even a thick dark area stays line


@dataclass(frozen=True, eq=False)
class EvenAreas:
    """``labels`` (H, W) int32, 0 = no area; ``near`` the same, each area grown over its soft edges but over no line;
    ``color`` (N, 3) float32 and ``size`` (N,) pixels of each label, those of label 0 being zero."""

    labels: NDArray[np.int32]
    near: NDArray[np.int32]
    color: FloatImage
    size: NDArray[np.intp]


def even_areas(picture: NDArray[np.uint8], line_alpha: FloatImage) -> EvenAreas:
    """The areas of ``picture`` (H, W, 3) between lines of ``line_alpha`` (H, W)."""
    calm = np.asarray(cv2.medianBlur(picture, 3), np.uint8)
    inside = _smooth(calm) & (line_alpha < LINE)
    count, found = cv2.connectedComponents(inside.astype(np.uint8), connectivity=4)
    labels = np.asarray(found, np.int32)
    size = np.bincount(labels.reshape(-1), minlength=count)
    values: FloatImage = calm.astype(np.float32) / np.float32(255)
    mean = means(labels, values, size)
    squares: FloatImage = values * values
    deviation = np.sqrt(np.maximum(means(labels, squares, size) - mean * mean, 0))
    even = (size >= _SMALLEST) & (deviation.max(axis=1) < _SPREAD)
    even[0] = False
    renamed = np.zeros(count, np.int32)
    renamed[even] = np.arange(1, even.sum() + 1)
    labels = renamed[labels]
    first = np.zeros((1, 3), np.float32)
    color = np.concatenate([first, mean[even]]).astype(np.float32)
    return EvenAreas(labels, _near(labels, line_alpha), color, np.concatenate([[0], size[even]]))


def _smooth(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    kernel = np.ones((3, 3), np.uint8)
    return np.asarray((cv2.dilate(picture, kernel) - cv2.erode(picture, kernel)).max(axis=2) <= _STEP)


def means(
    labels: NDArray[np.int32], image: FloatImage, size: NDArray[Any], weight: NDArray[Any] | None = None
) -> NDArray[np.float64]:
    """(N, C) the mean of ``image`` (H, W, C) over each label of ``size`` (N,); pixels may have a ``weight`` (H, W)."""
    flat, scale = labels.reshape(-1), np.maximum(size, 1e-9)
    channels = (image[..., i] if weight is None else image[..., i] * weight for i in range(image.shape[2]))
    return np.stack([np.bincount(flat, channel.reshape(-1), len(size)) / scale for channel in channels], axis=1)


def _near(labels: NDArray[np.int32], line_alpha: FloatImage) -> NDArray[np.int32]:
    outside = (labels == 0).astype(np.uint8)
    if outside.all():
        return labels
    distance, nearest = cv2.distanceTransformWithLabels(outside, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
    named = np.zeros(int(nearest.max()) + 1, np.int32)
    named[nearest[outside == 0]] = labels[outside == 0]
    return np.where((distance <= _REACH) & (line_alpha < LINE), named[nearest], 0).astype(np.int32)


def contacts(areas: EvenAreas) -> dict[int, dict[int, int]]:
    """For each area that touches others without a line between, those others and the pixels of common border."""
    count, near, pairs = len(areas.size), areas.near, []
    for a, b in ((near[:, :-1], near[:, 1:]), (near[:-1], near[1:])):
        touching = (a != b) & (a > 0) & (b > 0)
        pairs.append(np.minimum(a, b)[touching].astype(np.int64) * count + np.maximum(a, b)[touching])
    keys, lengths = np.unique(np.concatenate(pairs), return_counts=True)
    touching_areas: dict[int, dict[int, int]] = {}
    for key, length in zip(keys.tolist(), lengths.tolist(), strict=True):
        first, second = divmod(key, count)
        touching_areas.setdefault(first, {})[second] = length
        touching_areas.setdefault(second, {})[first] = length
    return touching_areas


def beside(areas: EvenAreas) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """(H, W) two labels found close to each pixel, the same where there is one, 0 where there is none."""
    kernel = np.ones((2 * _REACH + 1, 2 * _REACH + 1), np.uint8)
    names = areas.labels.astype(np.float32)  # what OpenCV dilates; exact up to 2^24 areas
    high = cv2.dilate(names, kernel).astype(np.int32)
    names[names == 0] = len(areas.size)
    low = cv2.erode(names, kernel).astype(np.int32)
    low[high == 0] = 0
    return low, high


def dark_fills(picture: NDArray[np.uint8], line_alpha: FloatImage) -> NDArray[np.bool_]:
    """(H, W) the inside of dark areas far thicker than the picture's strokes and not line throughout: shoes, bags,
    hair. A rim as wide as a stroke is left out, since there the area may have an outline of the same colour."""
    calm = np.asarray(cv2.medianBlur(picture, 3), np.uint8)
    dark = ((picture.max(axis=2) < _DARK * 255) & _smooth(calm)).astype(np.uint8)
    none = np.zeros(dark.shape, np.bool_)
    if not dark.any():
        return none
    depth = cv2.distanceTransform(dark, cv2.DIST_L2, 5)
    ridges = (line_alpha > 0.5) & (depth > 0) & (depth >= cv2.dilate(depth, np.ones((3, 3), np.uint8)))
    stroke = float(np.median(depth[ridges])) if ridges.any() else 1.0  # half of the usual width
    core = depth > _THICK * stroke + 1
    if not core.any():
        return none
    away = cv2.distanceTransform((~core).astype(np.uint8), cv2.DIST_L2, 5)
    inside = (away <= _THICK * stroke + 1) & (depth > 2 * stroke)
    count, found = cv2.connectedComponents(inside.astype(np.uint8))
    labels = np.asarray(found, np.int32)
    size = np.bincount(labels.reshape(-1), minlength=count)
    line = means(labels, line_alpha[..., None], size)[:, 0]
    is_fill = line < _STROKE
    is_fill[0] = False
    return np.asarray(is_fill[labels])
