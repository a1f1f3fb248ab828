"""The formula, once: ``picture = line over screen(multiply(flat, shadow), highlight)``.

Computed in the document's own gamma-encoded space, straight alpha, float32 0..1, as Krita and Photoshop blend.
``flat`` is Normal, ``shadow`` Multiply and ``highlight`` Screen (both clipped to flat), ``line`` Normal with its own
colour and alpha. A shadow may be Normal instead: then its colours are those of the result, laid over the flat, and
``over(shadow, flat)`` stands for ``multiply(flat, shadow)`` (layer-decomposition paper, appendix A). Everything here
looks at one pixel at a time, so callers may work in bands. Knows no files and no networks.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from celwright.domain import FloatImage, Pixels, RecompositionError, ShadowBlend
from celwright.errors import WrongUsageError

NAMES = ("line", "flat", "shadow", "highlight")


@dataclass(frozen=True, eq=False)
class LayerStack:
    """The four layers of one picture: RGBA, straight alpha, all of one size, depth and offset. ``shadow_blend`` says
    how the shadow lies on the flat; the other layers' blend modes never change."""

    line: Pixels
    flat: Pixels
    shadow: Pixels
    highlight: Pixels
    shadow_blend: ShadowBlend = field(default="multiply", kw_only=True)

    def __post_init__(self) -> None:
        for name in NAMES:
            layer: Pixels = getattr(self, name)
            if (layer.data.shape, layer.depth) != ((*self.line.data.shape[:2], 4), self.line.depth):
                raise WrongUsageError(
                    f"The {name} layer is {layer.data.shape} at {layer.depth} bit, the line layer "
                    f"{self.line.data.shape} at {self.line.depth} bit; four RGBA layers of one size are needed."
                )

    def images(self) -> dict[str, Pixels]:
        """The layers by name and their ``composite``, at the layers' depth."""
        composite = Pixels(quantized(compose(self), self.line.depth), self.line.offset, self.line.icc)
        return {**{name: getattr(self, name) for name in NAMES}, "composite": composite}


def as_float(pixels: Pixels) -> FloatImage:
    """(H, W, C) float32 0..1."""
    return pixels.data.astype(np.float32) / np.float32(pixels.top)


def quantized(image: FloatImage, depth: int) -> NDArray[Any]:
    """Nearest uint8 or uint16 values of an image in 0..1."""
    kind = np.uint8 if depth == 8 else np.uint16
    return (np.clip(image, 0, 1) * top_value(depth) + np.float32(0.5)).astype(kind)


def top_value(depth: int) -> np.float32:
    return np.float32(255 if depth == 8 else 65535)


def compose(stack: LayerStack) -> FloatImage:
    """(H, W, 4) float32 straight RGBA of the four layers together."""
    line, flat, shadow, highlight = (as_float(getattr(stack, name)) for name in NAMES)
    base = under_line(flat[..., :3], shadow, highlight, stack.shadow_blend)
    return _over(line[..., :3], line[..., 3:], base, flat[..., 3:])


def under_line(
    flat: FloatImage, shadow: FloatImage, highlight: FloatImage, shadow_blend: ShadowBlend = "multiply"
) -> FloatImage:
    """(H, W, 3) colour of everything but the line: ``flat`` (H, W, 3) under RGBA ``shadow`` and ``highlight``."""
    if shadow_blend == "normal":
        base = flat * (1 - shadow[..., 3:]) + shadow[..., :3] * shadow[..., 3:]
    else:
        base = flat * (1 - shadow[..., 3:] * (1 - shadow[..., :3]))
    lit: FloatImage = 1 - (1 - base) * (1 - highlight[..., 3:] * highlight[..., :3])
    return lit


def _over(top: FloatImage, top_alpha: FloatImage, base: FloatImage, base_alpha: FloatImage) -> FloatImage:
    """Porter and Duff's *over* with straight alpha; colour arrays (H, W, 3), alphas (H, W, 1)."""
    under = (1 - top_alpha) * base_alpha
    alpha = top_alpha + under
    color = (top * top_alpha + base * under) / np.maximum(alpha, 1e-6)
    return np.concatenate([color, alpha], axis=2)


def recomposition_error(picture: Pixels, composite: Pixels) -> RecompositionError:
    """How far the composite is from the picture, over visible pixels, colours weighed by alpha, in 1/255."""
    return join_errors([squared_error(picture, composite)])


def squared_error(picture: Pixels, composite: Pixels) -> tuple[float, float, float, int]:
    """(max, sum, sum of squares, count) of the differences over visible pixels' channels, in 1/255.

    Sums of bands can be joined by ``join_errors``.
    """
    wanted, got = as_float(picture.rgba()), as_float(composite)
    visible = (wanted[..., 3] > 0) | (got[..., 3] > 0)
    difference = np.abs(wanted[..., :3] * wanted[..., 3:] - got[..., :3] * got[..., 3:])[visible] * 255
    if not difference.size:
        return 0.0, 0.0, 0.0, 0
    squares = float(np.square(difference, dtype=np.float64).sum())
    return float(difference.max()), float(difference.sum(dtype=np.float64)), squares, difference.size


def join_errors(parts: Iterable[tuple[float, float, float, int]]) -> RecompositionError:
    """The error of a whole picture from those of its bands."""
    maxima, sums, squares, counts = zip(*parts, strict=True)
    count = max(sum(counts), 1)
    mean_square = sum(squares) / count
    psnr = float("inf") if mean_square == 0 else 10 * np.log10(255**2 / mean_square)
    return RecompositionError(max(maxima), sum(sums) / count, float(psnr))
