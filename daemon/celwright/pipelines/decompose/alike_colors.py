"""Which colours of a picture are one to a painter, and how that one looks where it is lit.

Knows colours and how much there is of each, nothing of where they are.
"""

import numpy as np
from numpy.typing import NDArray

from celwright.domain import FloatImage
from celwright.imaging.color import lab_to_srgb, srgb_to_lab

_ALIKE = 5.0  # Lab distance of flats that are one
_LIGHTNESS = 0.6  # how much L counts beside a and b: shades of one colour meet before two colours do
_LIT = 0.25  # of a colour's pixels, that are not shaded at least
_STEP = 2.0  # Lab; colours are counted in cells of this size
_MOST = 800  # colours that are compared with each other


def alike(colors: FloatImage, sizes: NDArray[np.int64], at_most: int) -> tuple[NDArray[np.int32], FloatImage]:
    """(n,) the group of each of (n, 3) colours, and (groups, 3) their colours: one that occurs, as it is lit.

    Ward's clustering (Ward 1963) in Lab. An area weighs as the root of its pixels, so that an eye's colour is not given
    up for a shade of the sky.
    """
    lab = srgb_to_lab(colors)
    _, cell = np.unique(np.round(lab / _STEP), axis=0, return_inverse=True)
    cell = cell.reshape(-1)
    weight = np.maximum(np.bincount(cell, sizes), 1e-3)  # an area may have lost all of its pixels
    sums = np.stack([np.bincount(cell, sizes * lab[:, i]) for i in range(3)], axis=1)
    mean = np.asarray(sums / np.maximum(weight, 1)[:, None], np.float64)
    place = mean * (_LIGHTNESS, 1, 1)
    kept = np.sort(np.argsort(-weight, kind="stable")[:_MOST])
    joined = _joined(place[kept], np.sqrt(weight[kept]), at_most)
    leader: NDArray[np.intp] = np.empty(len(mean), np.intp)
    leader[kept] = kept[joined]
    rest = np.setdiff1d(np.arange(len(mean)), kept)
    if len(rest):
        chosen = np.unique(kept[joined])
        for start in range(0, len(rest), 10_000):
            part = rest[start : start + 10_000]
            near = ((place[part, None] - place[chosen]) ** 2).sum(axis=2).argmin(axis=1)
            leader[part] = chosen[near]
    _, member = np.unique(leader, return_inverse=True)
    shown = mean[_lit(member.reshape(-1), mean[:, 0], weight)].astype(np.float32)
    rounded = np.round(lab_to_srgb(shown) * 255) / np.float32(255)
    return member.reshape(-1)[cell].astype(np.int32), rounded.astype(np.float32)


def _lit(group: NDArray[np.intp], lightness: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.intp]:
    """For each group its lightest member, if that and lighter ones make up enough of it: the others are shaded."""
    order = np.lexsort((-lightness, group))
    total = np.bincount(group, weight)
    before = np.concatenate([[0.0], np.cumsum(total)[:-1]])
    share = (np.cumsum(weight[order]) - before[group[order]]) / total[group[order]]
    enough = order[share >= _LIT - 1e-9]
    _, first = np.unique(group[enough], return_index=True)
    return np.asarray(enough[first], np.intp)


def _joined(place: NDArray[np.float64], weight: NDArray[np.float64], at_most: int) -> NDArray[np.intp]:
    """(n,) for each colour the one that stands for its group: alike ones joined, and more while there are over
    ``at_most``."""
    count = len(place)
    place, weight = place.copy(), weight.copy()
    leader = np.arange(count)
    squared = ((place[:, None] - place) ** 2).sum(axis=2)
    np.fill_diagonal(squared, np.inf)
    cost = squared * (weight[:, None] * weight / (weight[:, None] + weight))
    left = count
    while left > 1:
        table = squared if squared.min() <= _ALIKE**2 else cost
        if table is cost and (at_most == 0 or left <= at_most):
            break
        first, second = np.unravel_index(int(table.argmin()), table.shape)
        place[first] = (place[first] * weight[first] + place[second] * weight[second]) / (
            weight[first] + weight[second]
        )
        weight[first] += weight[second]
        leader[leader == second] = first
        apart = ((place - place[first]) ** 2).sum(axis=1)
        apart[~np.isfinite(squared[first])] = np.inf
        apart[[first, second]] = np.inf
        squared[first], squared[:, first] = apart, apart
        cost[first] = cost[:, first] = apart * (weight[first] * weight / (weight[first] + weight))
        squared[second], squared[:, second] = np.inf, np.inf
        cost[second], cost[:, second] = np.inf, np.inf
        left -= 1
    return leader
