"""Light and shadow as the paper lays them, and as this project does.

The paper's light and shadow are *result colours*: RGBA laid normally over the flat (its appendix A, figure 10), so a
texture under them is hidden. Ours multiply and screen. Looks at one pixel at a time; knows neither networks nor files.
"""

from typing import Any, NamedTuple

import numpy as np

from celwright.domain import FloatImage

_SMALL = np.float32(1e-4)


class ResultLayers(NamedTuple):
    """(H, W, 4) float32 0..1 each, straight alpha, all laid normally: flat < shadow < light < line."""

    line: FloatImage
    flat: FloatImage
    light: FloatImage
    shadow: FloatImage


def recomposed(layers: ResultLayers) -> FloatImage:
    """(H, W, 4) the layers over one another."""
    color: Any
    alpha: Any
    color, alpha = layers.flat[..., :3], layers.flat[..., 3:]
    for layer in (layers.shadow, layers.light, layers.line):
        top = layer[..., 3:]
        under = alpha * (1 - top)
        alpha = top + under
        color = (layer[..., :3] * top + color * under) / np.maximum(alpha, _SMALL)
    return np.concatenate([color, alpha], axis=2)


def planes(layers: ResultLayers) -> FloatImage:
    """(H, W, 13) line alpha, line colour, flat (on white where it is transparent), shadow factor, screened light: what
    the embedded network estimates too. A shadow that brightens and a light that darkens become none."""
    flat = _over(layers.flat, np.ones_like(layers.flat[..., :3]))
    factor: Any = np.clip(_over(layers.shadow, flat) / np.maximum(flat, _SMALL), 0, 1)
    factor = np.where(flat < _SMALL, 1, factor)
    base = flat * factor
    amount = 1 - (1 - _over(layers.light, base)) / np.maximum(1 - base, _SMALL)
    amount = np.where(1 - base < _SMALL, 0, np.clip(amount, 0, 1))
    together: list[Any] = [layers.line[..., 3:], layers.line[..., :3], flat, factor, amount]
    return np.ascontiguousarray(np.concatenate(together, axis=2, dtype=np.float32))


def result_colors(
    flat: FloatImage, factor: FloatImage, amount: FloatImage, least: float = 2 / 255
) -> tuple[FloatImage, FloatImage]:
    """(light, shadow), each (H, W, 4), that give what ``factor`` multiplied into and ``amount`` screened over ``flat``,
    all (H, W, 3), give: opaque where they change anything by more than ``least``."""
    shaded = flat * factor
    lit = 1 - (1 - shaded) * (1 - amount)

    def layer(color: FloatImage, under: FloatImage) -> FloatImage:
        there = (np.abs(color - under).max(axis=2, keepdims=True) > least).astype(np.float32)
        return np.concatenate([color * there, there], axis=2)

    return layer(lit, shaded), layer(shaded, flat)


def _over(layer: FloatImage, base: FloatImage) -> FloatImage:
    return np.asarray(layer[..., :3] * layer[..., 3:] + base * (1 - layer[..., 3:]), np.float32)
