"""Three edits that are simple on layers and hard on a finished picture: another colour in the flat, another hue of the
shadow, a texture that lies under the shadow. Each takes the four layers and gives four layers back.
"""

import dataclasses

import cv2
import numpy as np
from celwright.domain import FloatImage, Pixels
from celwright.layers import LayerStack, as_float, quantized
from numpy.typing import NDArray
from PIL import ImageColor

_EDGE = 0.4  # of the reach; there an edit fades out


def recolored(stack: LayerStack, picked: str, wanted: str, reach: float) -> LayerStack:
    """The flat with all that is like ``picked`` moved to ``wanted`` (both hex), in CIE Lab, its nuances kept."""
    flat = as_float(stack.flat)
    lab = cv2.cvtColor(np.ascontiguousarray(flat[..., :3]), cv2.COLOR_RGB2Lab)
    moved = lab + _alike(flat, picked, reach)[..., None] * (_lab(wanted) - _lab(picked))
    return _with_flat(stack, np.asarray(cv2.cvtColor(moved.astype(np.float32), cv2.COLOR_Lab2RGB), np.float32))


def relit(stack: LayerStack, exponents: tuple[float, float, float]) -> LayerStack:
    """The shadow as dark as it was, in another hue: its lightness to the power of ``exponents``, one a channel."""
    shadow = as_float(stack.shadow)
    light = (1 - shadow[..., 3:] * (1 - shadow[..., :3])) @ np.array([0.30, 0.59, 0.11], np.float32)
    tinted = light[..., None] ** np.array(exponents, np.float32)
    opaque = np.concatenate([tinted, np.ones_like(light)[..., None]], axis=2)
    return dataclasses.replace(stack, shadow=_pixels(opaque, stack.shadow))


def textured(stack: LayerStack, picked: str, reach: float, pattern: str, period: float) -> LayerStack:
    """The flat with ``pattern`` (stripes, checks or dots, every ``period`` px) printed on all that is like
    ``picked``."""
    flat = as_float(stack.flat)
    rows, columns = (np.indices(flat.shape[:2]) * (2 * np.pi / period)).astype(np.float32)
    waves = {
        "stripes": np.sin(rows + columns),
        "checks": np.maximum(np.sin(rows), np.sin(columns)) - 0.4,
        "dots": np.sin(rows) + np.sin(columns) - 1.0,
    }
    print_ = np.clip(waves[pattern] * period / 4 + 0.5, 0, 1) * _alike(flat, picked, reach)
    return _with_flat(stack, flat[..., :3] * (1 - 0.35 * print_[..., None]))


def _alike(flat: FloatImage, picked: str, reach: float) -> NDArray[np.float32]:
    """(H, W) 0..1 how much a pixel has the picked colour; lightness counts half."""
    lab = cv2.cvtColor(np.ascontiguousarray(flat[..., :3]), cv2.COLOR_RGB2Lab)
    distance = np.linalg.norm((lab - _lab(picked)) * np.array([0.5, 1, 1], np.float32), axis=2)
    return np.asarray(np.clip((reach - distance) / (_EDGE * reach), 0, 1), np.float32)


def _lab(color: str) -> NDArray[np.float32]:
    rgb = np.array([[ImageColor.getrgb(color)]], np.float32) / 255
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2Lab)[0, 0], np.float32)


def _with_flat(stack: LayerStack, colors: FloatImage) -> LayerStack:
    image = np.concatenate([colors, as_float(stack.flat)[..., 3:]], axis=2)
    return dataclasses.replace(stack, flat=_pixels(image, stack.flat))


def _pixels(image: FloatImage, like: Pixels) -> Pixels:
    return Pixels(quantized(image, 8), like.offset, like.icc)
