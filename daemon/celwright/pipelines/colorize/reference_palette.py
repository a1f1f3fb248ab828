"""The colours that references are painted in: an artist's own colours are few. Knows pictures only."""

from collections.abc import Sequence

import numpy as np

from celwright.domain import FloatImage
from celwright.regions.vote import alike_made_equal

_LEVELS = 20  # of a channel, at first
_ALIKE = 6.0  # CIEDE2000; shades nearer than this are one colour
_LEAST = 0.002  # of a reference's area
_INK = 0.3  # pixels with more line than this show the line's colour


def palette_of(references: Sequence[FloatImage]) -> FloatImage:
    """(N, 3) sRGB colours, commonest first, of references (h, w, 5): RGB, ink and mask, 0..1."""
    seen = [image[..., :3][(image[..., 4] > 0.5) & (image[..., 3] < _INK)] for image in references]
    colors = np.concatenate([np.zeros((0, 3), np.float32), *seen])
    if not len(colors):
        return np.zeros((0, 3), np.float32)
    bins = np.floor(colors * (_LEVELS - 1e-3)).astype(np.int64) @ (_LEVELS**2, _LEVELS, 1)
    every = np.bincount(bins)
    taken = np.flatnonzero(every)
    counts = every[taken]
    means = np.stack([np.bincount(bins, colors[:, i])[taken] / counts for i in range(3)], axis=1).astype(np.float32)
    merged = alike_made_equal(means, counts, _ALIKE)
    distinct, back = np.unique(merged, axis=0, return_inverse=True)
    areas = np.bincount(back.reshape(-1), counts, len(distinct))
    order = np.argsort(-areas, kind="stable")
    return np.asarray(distinct[order][areas[order] >= _LEAST * len(colors)], np.float32)
