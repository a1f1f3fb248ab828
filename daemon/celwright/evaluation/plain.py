"""Decomposition by plain filters, with nothing learnt: what a network has to be better than.

Lines are what is thinner than a stroke and darker than its surroundings (black hat), the flat is a bilateral filter of
what lies under them, shadow and highlight are where that is clearly darker or lighter than around (local threshold).
"""

from collections.abc import Mapping

import cv2
import numpy as np

from celwright.domain import Pixels
from celwright.fitting import stored_highlight, stored_shadow
from celwright.layers import LayerStack, as_float, quantized

_STROKE = 0.012  # of the shorter side: the widest line
_AROUND = 0.05  # of the shorter side: the standard deviation of "around"
_INK = 0.15  # black hat from which there is line
_SHADE, _LIGHT = 0.8, 1.25  # of the lightness around, below and above which there is shadow and highlight
_STRENGTH = 0.3  # of each


def layers_by_filters(picture: Pixels) -> Mapping[str, Pixels]:
    """line, flat, shadow, highlight and composite of ``picture``."""
    image = as_float(picture.rgba())
    alpha = image[..., 3:]
    color = np.ascontiguousarray(image[..., :3] * alpha + 1 - alpha)
    side = min(color.shape[:2])
    stroke = max(3, round(side * _STROKE)) | 1
    closed = cv2.morphologyEx(color, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (stroke, stroke)))
    hat = (closed - color).mean(axis=2, keepdims=True)
    line = np.where(hat > _INK, np.clip(hat / np.maximum(closed.mean(axis=2, keepdims=True), 1e-3), 0, 1), 0) * alpha
    flat = np.where(cv2.dilate((line > 0).astype(np.uint8), np.ones((3, 3), np.uint8))[..., None] > 0, closed, color)
    for _ in range(2):
        flat = cv2.bilateralFilter(np.ascontiguousarray(flat, np.float32), 9, 0.1, 7)
    lightness, seen = flat.mean(axis=2), alpha[..., 0]
    around = cv2.GaussianBlur(lightness * seen, (0, 0), side * _AROUND)
    around /= np.maximum(cv2.GaussianBlur(seen, (0, 0), side * _AROUND), 1e-3)
    shade = _STRENGTH * ((lightness < _SHADE * around) * seen)[..., None].repeat(3, axis=2)
    light = _STRENGTH * ((lightness > _LIGHT * around) * seen)[..., None].repeat(3, axis=2)
    flat = np.clip(1 - (1 - np.minimum(flat / (1 - shade), 1)) / (1 - light), 0, 1)
    black = np.zeros_like(flat)
    stored = (
        np.concatenate([black, line], axis=2),
        np.concatenate([flat, alpha], axis=2),
        stored_shadow(1 - shade, picture.depth),
        stored_highlight(light, picture.depth),
    )
    return LayerStack(*(Pixels(quantized(np.asarray(layer, np.float32), picture.depth)) for layer in stored)).images()
