"""A shadow in hard steps, or of one hue, for each colour of the flat; and how to store it.

A shadow is an *amount*: how much of each channel of the flat it takes, (..., 3) in 0..1, none = 0; the largest of the
three is its *strength*. Knows arrays and groups of pixels, neither pictures nor regions.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright.domain import FloatImage
from celwright.fitting import largest, snapped

BINS = 256
_FAINT = 8  # bins; a weaker shadow is no step of its own
_FEW = 12  # pixels; fewer in shadow make no step
_ROUNDS = 12  # of 1-D k-means
_FULL = 0.98  # of the shaded pixels, that may be weaker than a shadow laid on in full
_OPAQUE = 0.97  # of that strength, from which on it is opaque: paint is never quite even


class ShadowStatistics:
    """What the shadows of each group look like, gathered band by band."""

    def __init__(self, groups: int) -> None:
        self.histogram = np.zeros((groups, BINS), np.int64)
        self.sums = np.zeros((groups, 3))

    def add(self, amount: FloatImage, group: NDArray[np.int32]) -> None:
        """``amount`` (n, 3) of pixels of ``group`` (n,)."""
        count = len(self.histogram)
        strength = np.rint(amount.max(axis=1, initial=0) * (BINS - 1)).astype(np.int64)
        keys = group.astype(np.int64) * BINS + strength
        self.histogram += np.bincount(keys, minlength=count * BINS).reshape(count, BINS)
        for channel in range(3):
            self.sums[:, channel] += np.bincount(group, amount[:, channel], minlength=count)

    def hues(self) -> FloatImage:
        """(groups, 3) the mean shadow of each group, its largest channel 1; grey where there is none."""
        strongest = self.sums.max(axis=1, keepdims=True)
        return np.where(strongest > 0, self.sums / np.maximum(strongest, 1e-9), 1).astype(np.float32)

    def full(self) -> FloatImage:
        """(groups,) the strength from which on few pixels of the group are; 1 where there is no shadow."""
        shaded = self.histogram[:, 1:].cumsum(axis=1)
        bins = (shaded < _FULL * shaded[:, -1:]).sum(axis=1) + 1
        return np.where(shaded[:, -1] > 0, bins / (BINS - 1) * _OPAQUE, 1).astype(np.float32)

    def levels(self, tones: int) -> FloatImage:
        """(groups, tones) strengths of the steps, rising; a group with fewer shadows repeats the darkest, or has 0."""
        return np.stack([_levels(counts, tones) for counts in self.histogram]).astype(np.float32)


def _levels(counts: NDArray[np.int64], tones: int) -> NDArray[np.float64]:
    """1-D k-means whose first centre stays at no shadow at all."""
    shaded = counts.copy()
    shaded[:_FAINT] = 0
    if shaded.sum() < _FEW:
        return np.zeros(tones)
    bins = np.arange(BINS)
    darkest = np.searchsorted(shaded.cumsum(), 0.9 * shaded.sum())
    centers = darkest * np.arange(tones + 1) / tones
    for _ in range(_ROUNDS):
        nearest = np.abs(bins[:, None] - centers).argmin(axis=1)
        for step in range(1, tones + 1):
            there = shaded * (nearest == step)
            if there.any():
                centers[step] = (there * bins).sum() / there.sum()
    return np.asarray(centers[1:] / (BINS - 1))


def coverage(strength: NDArray[np.uint16], levels: FloatImage) -> FloatImage:
    """(h, W, tones) how far each pixel lies in each step, which contains the darker ones.

    ``strength`` (h + 2, W) of 65535, one row more at both ends; ``levels`` (h, W, tones) of the pixel's own group. A
    step begins half way between two levels. What is in between in the picture, as along a smooth edge, is in between
    here, and nowhere else: the strength is divided by how much it changes over three pixels.
    """
    square = np.ones((3, 3), np.uint8)
    change = (cv2.dilate(strength, square) - cv2.erode(strength, square))[1:-1, :, None] / np.float32(65535)
    own = strength[1:-1, :, None] / np.float32(65535)
    below = np.concatenate([np.zeros_like(levels[..., :1]), levels[..., :-1]], axis=2)
    covered = np.clip((own - (levels + below) / 2) / np.maximum(change, 1e-4) + np.float32(0.5), 0, 1)
    # A step that a group has not got begins nowhere.
    found: FloatImage = np.where(levels > below, covered, 0)
    return found


def in_steps(covered: FloatImage, amounts: FloatImage, group: NDArray[np.int32]) -> FloatImage:
    """(h, W, 3) amounts: ``covered`` (h, W, tones) of the steps' ``amounts`` (groups, tones, 3)."""
    result = np.zeros((*group.shape, 3), np.float32)
    before: FloatImage | float = 0.0
    for step in range(covered.shape[2]):
        own = amounts[:, step][group]
        result += covered[..., step : step + 1] * (own - before)
        before = own
    return result


def of_one_hue(amount: FloatImage, hue: FloatImage) -> FloatImage:
    """(h, W, 3) the multiple of ``hue`` (h, W, 3, largest channel 1) nearest to ``amount``, by least squares."""
    size = (hue * hue).sum(axis=-1, keepdims=True)
    share: FloatImage = np.clip((amount * hue).sum(axis=-1, keepdims=True) / np.maximum(size, 1e-6), 0, 1)
    return share * hue


def step_amounts(
    levels: FloatImage, hues: FloatImage | None, sums: NDArray[np.float64], counts: NDArray[np.int64]
) -> FloatImage:
    """(groups, tones, 3) the amount of each step: ``levels`` (groups, tones) in the hue of the group, (groups, 3), or
    without ``hues`` in that which the step's own pixels have, ``sums`` (groups, tones, 3) of ``counts`` pixels."""
    if hues is not None:
        return levels[..., None] * hues[:, None]
    mean = sums / np.maximum(counts, 1)[..., None]
    strongest = mean.max(axis=2, keepdims=True)
    own = np.where(strongest > 0, mean / np.maximum(strongest, 1e-9), 1)
    return np.asarray(levels[..., None] * own, np.float32)


def stored_over(flat: FloatImage, amount: FloatImage, full: FloatImage, depth: int) -> FloatImage:
    """(h, W, 4) that laid normally over ``flat`` (h, W, 3) gives what multiplying it by 1 - ``amount`` gives.

    The layer-decomposition paper, appendix A: the colours of the result, with alpha. ``full`` (h, W, 1) is the strength
    from which on the layer is opaque: a weaker shadow is the same colour laid on more thinly.
    """
    strength = largest(amount)
    darkest = np.maximum(strength, full)
    alpha = snapped(np.asarray(strength / np.maximum(darkest, 1e-6), np.float32), depth)
    color = np.asarray(flat * (1 - amount / np.maximum(strength, 1e-6) * darkest), np.float32)
    return np.concatenate([snapped(color, depth), alpha], axis=2)


def stored_in_hue(amount: FloatImage, hue: FloatImage, depth: int) -> FloatImage:
    """(h, W, 4) that multiplies by 1 - ``amount``, a multiple of ``hue`` (h, W, 3): that colour, as strong as alpha."""
    return np.concatenate([snapped(1 - hue, depth), snapped(largest(amount), depth)], axis=2)


def steps_of(strength: FloatImage, levels: FloatImage) -> NDArray[np.intp]:
    """(n,) the step that each of (n,) strengths is nearest to, 0 = no shadow, of its own ``levels`` (n, tones)."""
    centers: Sequence[FloatImage] = [np.zeros_like(strength), *np.moveaxis(levels, -1, 0)]
    return np.asarray(np.abs(np.stack(centers) - strength).argmin(axis=0))
