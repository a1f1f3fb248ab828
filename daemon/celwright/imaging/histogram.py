"""The colours of a picture as one small histogram, and how far two of them are apart.

Chroma is logarithmic as in HistoGAN and SALAC (section 2): u = log R/G and v = log B/G; of the three planes that those
use one is kept, since the others are linear in it, and lightness is added, without which white is black. Knows no
network; training and inference use the same function.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from celwright.domain import FloatImage

CHROMA_BINS = 8
LIGHT_BINS = 4
BINS = CHROMA_BINS * CHROMA_BINS * LIGHT_BINS
_FLOOR = 0.05  # added to every channel: black has no hue
_REACH = float(np.log((1 + _FLOOR) / _FLOOR))  # the largest log ratio there is


def color_histogram(srgb: ArrayLike, weights: ArrayLike | None = None) -> FloatImage:
    """(256,) float32 shares that sum to 1 of (..., 3) sRGB colours 0..1, each counted with its weight (...).

    Bins are lightness x u x v. Colours are shared out linearly among neighbouring bins, so that a small change of
    colour is a small change of histogram. Chroma is companded by a square root: pale colours get the finer bins.
    All zero when the weights are.
    """
    colors = np.asarray(srgb, np.float32).reshape(-1, 3)
    mass = np.ones(len(colors), np.float32) if weights is None else np.asarray(weights, np.float32).reshape(-1)
    logs = np.log(colors + np.float32(_FLOOR))
    ratios = (logs[:, ::2] - logs[:, 1:2]) / _REACH
    chroma = (np.sign(ratios) * np.sqrt(np.abs(ratios)) + 1) / 2 * (CHROMA_BINS - 1)
    light = colors @ np.array([0.299, 0.587, 0.114], np.float32) * (LIGHT_BINS - 1)
    out = np.zeros(BINS, np.float64)
    axes = [_shared(light, LIGHT_BINS), _shared(chroma[:, 0], CHROMA_BINS), _shared(chroma[:, 1], CHROMA_BINS)]
    for corner in np.ndindex(2, 2, 2):
        place: NDArray[Any] = np.zeros(len(colors), np.int64)
        share = mass
        for (low, part), upper, bins in zip(axes, corner, (LIGHT_BINS, CHROMA_BINS, CHROMA_BINS), strict=True):
            place = place * bins + low + upper
            share = share * (part if upper else 1 - part)
        out += np.bincount(place, share, minlength=BINS)
    total = out.sum()
    return np.asarray(out / total if total > 0 else out, np.float32)


def hellinger(histogram: ArrayLike, other: ArrayLike) -> float:
    """Hellinger distance 0..1 of two histograms (SALAC, section 3.3.2): |sqrt(g) - sqrt(t)| / sqrt(2)."""
    first, second = (np.sqrt(np.asarray(shares, np.float64)) for shares in (histogram, other))
    return float(np.linalg.norm(first - second) / np.sqrt(2))


def _shared(position: NDArray[np.floating[Any]], bins: int) -> tuple[NDArray[np.int64], NDArray[np.floating[Any]]]:
    """The lower of the two bins and the upper one's share, 0..1."""
    low = np.clip(np.floor(position), 0, bins - 2).astype(np.int64)
    return low, np.clip(position - low, 0, 1)
