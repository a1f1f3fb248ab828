"""A palette dealt out among regions: each takes a colour near its sampled one, and every colour gets about its share.

Entropic transport (Cuturi 2013; Sinkhorn's iterations), in which regions must be served and colours insist on their
shares only so far: sampled colours are means of what might be, and the nearest of a palette would often be a dull one
that hardly occurs in it. Knows colours and areas only.
"""

import numpy as np
from numpy.typing import NDArray

from celwright.domain import FloatImage
from celwright.imaging.color import ciede2000, srgb_to_lab
from celwright.imaging.muddiness import dull

_SOFT = 4.0  # CIEDE2000; how much farther a colour may lie for e times less of it
_INSISTENCE = 0.7  # of colours on their shares, 0 = none, 1 = strictly
_ROUNDS = 60


def dealt(sampled: FloatImage, areas: NDArray[np.number], palette: FloatImage, shares: FloatImage) -> FloatImage:
    """(n, 3) of the ``palette`` (K, 3) for regions of ``areas`` (n,) that were ``sampled`` (n, 3); ``shares`` (K,) of
    the palette. Colours are sRGB 0..1."""
    if not len(sampled):
        return sampled
    lab, wanted = srgb_to_lab(sampled), srgb_to_lab(palette)
    kernel = np.exp(-ciede2000(lab[:, None], wanted[None]).astype(np.float64) / _SOFT) + 1e-12
    weight = areas.astype(np.float64) / max(float(areas.sum()), 1e-9)
    share = shares.astype(np.float64) / shares.sum()
    scale = np.ones(len(palette))
    for _ in range(_ROUNDS):
        rows = weight / (kernel @ scale)
        scale = (share / np.maximum(kernel.T @ rows, 1e-12)) ** _INSISTENCE
    return np.asarray(palette[(kernel * scale).argmax(axis=1)], np.float32)


def cleared(colors: FloatImage, areas: NDArray[np.number]) -> FloatImage:
    """``colors`` (N, 3) of regions with ``areas`` (N,), in which the dull one that covers most and the clear one that
    covers most have changed places; as they are where all are dull or none is."""
    distinct, kind = np.unique(colors, axis=0, return_inverse=True)
    covered, mud = np.bincount(kind.reshape(-1), areas), dull(distinct)
    if mud.all() or not mud.any():
        return colors
    pair = [int(np.where(which, covered, -1).argmax()) for which in (mud, ~mud)]
    distinct[pair] = distinct[pair[::-1]]
    return distinct[kind.reshape(-1)]
