"""Shadow and highlight of a coloured page, found by the decomposer in the picture that the colorizer sampled.

The decomposer sees the sampled picture with the page's lines over it, at the network's size; what it finds is enlarged
to the page and kept to where the flat is painted. Knows the decomposer only as a function.
"""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright.domain import FloatImage, Pixels
from celwright.fitting import stored_highlight, stored_shadow
from celwright.layers import quantized
from celwright.pipelines.colorize.field import Field

Predict = Callable[[NDArray[Any]], FloatImage]
"""(h, w, 3) of 8 bit -> (h, w, 13) float32: line alpha, line colour, flat, shadow, highlight."""

_ROWS = 256  # rows stored at once: bounds the memory of float planes
_FAINTEST = 0.03  # weaker shading is the sampling's noise


def found_shading(predict: Predict, picture: FloatImage, line: FloatImage) -> FloatImage:
    """(h, w, 6) shadow (factor) and highlight (amount) of ``picture`` (h, w, 3) under ``line`` (h, w, 4), 0..1."""
    drawn = picture * (1 - line[..., 3:]) + line[..., :3] * line[..., 3:]
    shading = predict(np.round(drawn * 255).astype(np.uint8))[..., 7:13]
    shading[..., :3][(1 - shading[..., :3]).max(axis=2) < _FAINTEST] = 1
    shading[..., 3:][shading[..., 3:].max(axis=2) < _FAINTEST] = 0
    return shading


def shading_layers(shading: FloatImage, field: Field, flat: Pixels) -> tuple[Pixels, Pixels]:
    """Shadow and highlight as layers of ``flat``'s size, transparent where the flat is and outside the field."""
    layers = [np.zeros_like(flat.data) for _ in range(2)]
    height = field.rows.stop - field.rows.start
    size = field.columns.stop - field.columns.start, height
    painted = flat.data[field.box][..., 3] > 0
    for top in range(0, height, _ROWS):
        rows = slice(top, min(top + _ROWS, height))
        part = _enlarged_rows(shading, rows, size)
        stored = stored_shadow(part[..., :3], flat.depth), stored_highlight(part[..., 3:], flat.depth)
        for layer, image in zip(layers, stored, strict=True):
            band = quantized(np.where(painted[rows][..., None], image, 0).astype(np.float32), flat.depth)
            band[band[..., 3] == 0] = 0
            layer[field.box][rows] = band
    shadow, highlight = (Pixels(layer, flat.offset, flat.icc) for layer in layers)
    return shadow, highlight


def _enlarged_rows(small: FloatImage, rows: slice, size: tuple[int, int]) -> FloatImage:
    """Some rows of ``small`` (h, w, C) enlarged bilinearly to ``size`` (width, height)."""
    width, height = size
    y = (np.arange(rows.start, rows.stop, dtype=np.float32) + 0.5) * small.shape[0] / height - 0.5
    x = (np.arange(width, dtype=np.float32) + 0.5) * small.shape[1] / width - 0.5
    across, down = np.meshgrid(x, y)
    parts = (np.ascontiguousarray(small[..., i : i + 3]) for i in (0, 3))
    planes = [cv2.remap(part, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) for part in parts]
    return np.asarray(np.concatenate(planes, axis=2), np.float32)
