"""Shadow and highlight of a coloured page: found in a picture that was sampled, or made by light on inflated flats.

Where a full-size model sampled a picture, the decomposer sees it with the page's lines over it, at the network's size.
Else regions become cushions on the cushions of areas of one colour and of figures, with light on them. What comes of
either is enlarged to the page and kept to where the flat is painted. Knows the decomposer only as a function.
"""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright.domain import FloatImage, Labels, Pixels
from celwright.fitting import stored_highlight, stored_shadow
from celwright.layers import quantized
from celwright.pipelines.colorize.field import Field
from celwright.regions.hinted import background
from celwright.regions.inflation import inflated

Predict = Callable[[NDArray[Any]], FloatImage]
"""(h, w, 3) of 8 bit -> (h, w, 13) float32: line alpha, line colour, flat, shadow, highlight."""

LIT_SIDE = 1024  # px; the longer side of what light is computed on
_ROWS = 256  # rows stored at once: bounds the memory of float planes
_ASIDE, _TOWARDS = 0.96, 0.75  # how much of the light comes from the side, and from where we stand
# How high regions, areas of one colour and whole figures are inflated at most (of the longer side seen), and what each
# counts: regions give limbs and folds their own roundness, figures make the light one.
_CUSHIONS = ((0.05, 0.8), (0.05, 0.3), (0.2, 0.7))
_ROUND = 0.01  # of the longer side: so far edges of the relief are rounded
_DARK, _BRIGHT, _EDGE = 0.28, 1.12, 0.07  # of light: shadow from here on, highlight from here on, how soft both begin
_SHADOW, _SHINE = (0.74, 0.68, 0.80), 0.35  # the shadow's factor, cool, and the highlight's strength
_SMALL = 0.002  # of what is painted; smaller areas stay flat
_FAINTEST = 0.03  # weaker shading is the sampling's noise


def found_shading(predict: Predict, picture: FloatImage, line: FloatImage) -> FloatImage:
    """(h, w, 6) shadow (factor) and highlight (amount) of ``picture`` (h, w, 3) under ``line`` (h, w, 4), 0..1."""
    drawn = picture * (1 - line[..., 3:]) + line[..., :3] * line[..., 3:]
    shading = predict(np.round(drawn * 255).astype(np.uint8))[..., 7:13]
    shading[..., :3][(1 - shading[..., :3]).max(axis=2) < _FAINTEST] = 1
    shading[..., 3:][shading[..., 3:].max(axis=2) < _FAINTEST] = 0
    return shading


def inflated_shading(labels: Labels, colors: FloatImage, field: Field, light: int) -> FloatImage:
    """(h, w, 6) shadow (factor) and highlight (amount), 0..1, of the part of a page that ``field`` shows: ``labels``
    (H, W) in ``colors`` (count + 1, 4), with ``light`` from so many degrees, from the right counter-clockwise.
    Neighbours of one colour are one area; small ones stay flat."""
    from skimage.measure import label

    levels = np.where(colors[:, 3] > 0, np.round(colors[:, :3] * 255) @ (65536, 256, 1) + 1, 0)
    levels[0] = levels[background(labels)] = 0  # light falls on figures, not on the paper behind them
    kinds = np.unique(levels, return_inverse=True)[1].reshape(-1)
    seen = field.sampled(labels)
    areas = label(kinds[seen], background=0, connectivity=1)  # type: ignore[no-untyped-call]
    painted = areas > 0
    side, height = float(max(areas.shape)), np.zeros(areas.shape, np.float32)
    for part, (most, weight) in zip(
        (np.where(painted, seen, 0), areas, painted.astype(np.int32)), _CUSHIONS, strict=True
    ):
        height += np.float32(weight) * inflated(part, most * side)
    height = cv2.GaussianBlur(height, (0, 0), _ROUND * side)
    slope_x, slope_y = (cv2.Sobel(height, cv2.CV_32F, *order, scale=1 / 8) for order in ((1, 0), (0, 1)))
    right, up = _ASIDE * np.cos(np.deg2rad(light)), _ASIDE * np.sin(np.deg2rad(light))
    facing = (_TOWARDS - right * slope_x + up * slope_y) / np.sqrt(1 + slope_x**2 + slope_y**2)
    large = (np.bincount(areas.reshape(-1)) >= _SMALL * max(1, int(painted.sum())))[areas] & painted
    shadow, shine = (
        np.where(large, cv2.GaussianBlur(np.where(large, part, 0).astype(np.float32), (0, 0), 1.0), 0)
        for part in (np.clip((_DARK - facing) / _EDGE + 0.5, 0, 1), np.clip((facing - _BRIGHT) / _EDGE, 0, 1))
    )
    shading = np.empty((*areas.shape, 6), np.float32)
    shading[..., :3] = 1 - shadow[..., None] * (1 - np.array(_SHADOW, np.float32))
    shading[..., 3:] = shine[..., None] * np.float32(_SHINE)
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
