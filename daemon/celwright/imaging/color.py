"""Colours as numbers that agree with the eye: sRGB to CIELAB and back, and CIEDE2000 between two of them.

Colours are the last axis (3), float32; sRGB is 0..1 and gamma-encoded, Lab is L 0..100 with a, b about -100..100
(D65, 2 degrees). Knows nothing of regions, layers or files. scikit-image is loaded on first use.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from celwright.domain import FloatImage

_D65 = np.array([0.95047, 1.0, 1.08883], np.float32)
_CHUNK = 1 << 20  # colour pairs held at once


def srgb_to_lab(srgb: ArrayLike) -> FloatImage:
    """(..., 3) Lab of sRGB colours in 0..1."""
    from skimage.color import rgb2lab

    return np.asarray(rgb2lab(np.asarray(srgb, np.float32)), np.float32)


def lab_to_srgb(lab: ArrayLike) -> FloatImage:
    """(..., 3) sRGB 0..1 of Lab colours; what lies outside the gamut is clipped (CIE 15:2004, eq. 8.3-8.6)."""
    from skimage.color import xyz2rgb

    lightness, a, b = np.moveaxis(np.asarray(lab, np.float32), -1, 0)
    y = (lightness + 16) / 116
    f = np.stack([y + a / 500, y, y - b / 200], axis=-1)
    xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * _D65
    return np.asarray(np.clip(xyz2rgb(xyz), 0, 1), np.float32)


def ciede2000(lab: ArrayLike, other: ArrayLike) -> FloatImage:
    """(...) CIEDE2000 differences of two broadcastable arrays of Lab colours; 1 is just visible, 100 black to white."""
    from skimage.color import deltaE_ciede2000

    first, second = np.broadcast_arrays(np.asarray(lab, np.float32), np.asarray(other, np.float32))
    return np.asarray(deltaE_ciede2000(first, second), np.float32)  # type: ignore[no-untyped-call]


def nearest_colors(srgb: FloatImage, palette: FloatImage) -> NDArray[np.intp]:
    """(N,) for each of (N, 3) sRGB colours the index of the nearest of (M, 3) by CIEDE2000; the first of equals."""
    distinct, back = np.unique(srgb, axis=0, return_inverse=True)
    lab, targets = srgb_to_lab(distinct), srgb_to_lab(palette)
    rows = max(1, _CHUNK // len(targets))
    nearest = [ciede2000(lab[i : i + rows, None], targets).argmin(axis=1) for i in range(0, len(lab), rows)]
    return np.concatenate([*nearest, np.empty(0, np.intp)])[back.reshape(-1)]
