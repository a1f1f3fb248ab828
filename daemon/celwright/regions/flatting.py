"""Flatting: every region a colour of its own, far from its neighbours' and easy to tell apart from all others.

The same regions always get the same colours. Knows regions only by who touches whom.
"""

import numpy as np
from numpy.typing import NDArray

from celwright.domain import FloatImage, Labels
from celwright.imaging.color import srgb_to_lab

DISTINCT = 8_000  # regions up to this number get colours of their own; further ones repeat them
_STEPS = 28  # values per channel of the colours to choose from: 21952, of which the very dark and pale are left out
_SPARE = 1.5  # colours to choose from for each region
_NEIGHBOURS = 64  # of a region's neighbours so many are looked at: paper touches thousands
_LIGHTNESS = (30.0, 92.0)  # Lab L; darker is taken for line, paler for paper


def neighbours(labels: Labels) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(P, 2) pairs of region IDs, smaller first, that touch along pixel edges, and (P,) along how many edges."""
    stride = np.int64(int(labels.max(initial=0)) + 1)
    keys = []
    for first, second in ((labels[:, :-1], labels[:, 1:]), (labels[:-1], labels[1:])):
        border = first != second
        one, other = first[border].astype(np.int64), second[border]
        keys.append(np.minimum(one, other) * stride + np.maximum(one, other))
    pairs, lengths = np.unique(np.concatenate(keys), return_counts=True)
    both = np.stack([pairs // stride, pairs % stride], axis=1)
    real = both[:, 0] > 0
    return both[real], lengths[real]


def flatting_colors(labels: Labels, given: FloatImage) -> FloatImage:
    """(count + 1, 4) sRGB and alpha: ``given`` (the same shape) where its alpha is 1, elsewhere a colour of its own.

    ``labels`` (H, W) are grown, so that regions on both sides of a line touch. Regions are coloured from the largest
    down, each by that of the colours left which is farthest from its neighbours' colours.
    """
    colors = given.copy()
    free = np.flatnonzero(given[1:, 3] == 0) + 1
    if not len(free):
        return colors
    hinted = given[:, 3] > 0
    choice = _well_separated(min(int(_SPARE * len(free)) + 8, DISTINCT), np.unique(given[hinted, :3], axis=0))
    places = np.ascontiguousarray(_spread(choice).T)
    position = np.zeros((3, len(given)), np.float32)
    position[:, hinted] = _spread(given[hinted, :3]).T
    coloured = hinted.copy()
    around = _around(labels, len(given))
    areas = np.bincount(labels.reshape(-1), minlength=len(given))
    used = np.zeros(len(choice), bool)
    for turn, region in enumerate(free[np.argsort(-areas[free], kind="stable")]):
        if turn % len(choice) == 0:
            used[:] = False
        near = around[region][coloured[around[region]]]
        away = np.full(len(choice), np.inf, np.float32)
        for other in near[:_NEIGHBOURS]:
            np.minimum(away, _squares(places, position[:, other]), out=away)
        best = int(np.where(used, -1, away).argmax())
        used[best] = True
        position[:, region], coloured[region] = places[:, best], True
        colors[region] = (*choice[best], 1)
    return colors


def _around(labels: Labels, count: int) -> list[NDArray[np.int64]]:
    """For each region the IDs of those it touches."""
    pairs, _ = neighbours(labels)
    both = np.concatenate([pairs, pairs[:, ::-1]])
    both = both[np.argsort(both[:, 0], kind="stable")]
    return np.split(both[:, 1], np.searchsorted(both[:, 0], np.arange(1, count)))


def _well_separated(count: int, taken: FloatImage) -> FloatImage:
    """(count, 3) sRGB multiples of 1/255: each next one is farthest from all before it and from ``taken``."""
    steps = np.rint(np.linspace(0, 255, _STEPS)).astype(np.float32) / np.float32(255)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    lightness = srgb_to_lab(grid)[:, 0]
    grid = grid[(lightness >= _LIGHTNESS[0]) & (lightness <= _LIGHTNESS[1])]
    places = np.ascontiguousarray(_spread(grid).T)
    distance = np.full(len(grid), np.inf, np.float32)
    for place in _spread(taken):
        np.minimum(distance, _squares(places, place), out=distance)
    chosen = np.empty(count, np.intp)
    for i in range(count):
        chosen[i] = distance.argmax()
        np.minimum(distance, _squares(places, places[:, chosen[i]]), out=distance)
    return np.asarray(grid[chosen])


def _squares(places: FloatImage, place: FloatImage) -> FloatImage:
    """(N,) squared distances of (3, N) places from one."""
    total: FloatImage = np.square(places[0] - place[0])
    total += np.square(places[1] - place[1])
    total += np.square(places[2] - place[2])
    return total


def _spread(srgb: FloatImage) -> FloatImage:
    """(..., 3) a space in which plain distance comes near CIEDE2000: Lab with its chroma compressed as in DIN99."""
    lab = srgb_to_lab(srgb)
    chroma = np.maximum(np.hypot(lab[..., 1], lab[..., 2]), 1e-6)
    lab[..., 1:] *= (np.log1p(0.045 * chroma) / (0.045 * chroma))[..., None]
    return lab
