"""Whether a colouring is muddy: most of it neither dark nor light nor clearly of any hue.

Knows colours only.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from celwright.imaging.color import srgb_to_lab

MUDDY = 0.5  # from this share on a colouring counts as muddy
_MIDDLE = (25.0, 68.0)  # Lab lightness
_DULL = 16.0  # Lab chroma


def muddiness(srgb: ArrayLike, weights: ArrayLike | None = None) -> float:
    """The share, 0..1, of (..., 3) sRGB colours 0..1, each counted with its weight (...), that are dull middle tones;
    0 where the weights are."""
    mud = dull(srgb).reshape(-1)
    mass = np.ones(len(mud)) if weights is None else np.asarray(weights, np.float64).reshape(-1)
    return float((mass * mud).sum() / max(mass.sum(), 1e-9))


def dull(srgb: ArrayLike) -> NDArray[np.bool_]:
    """(...) whether (..., 3) sRGB colours 0..1 are neither dark nor light nor clearly of any hue."""
    lab = srgb_to_lab(srgb)
    chroma, lightness = np.hypot(lab[..., 1], lab[..., 2]), lab[..., 0]
    return np.asarray((chroma < _DULL) & (lightness > _MIDDLE[0]) & (lightness < _MIDDLE[1]))
