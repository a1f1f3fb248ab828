"""Hints and selections as artists give them, simulated from the true colours.

Three hands of hints: StencilTorch's (section 3.2: regions' median colours, at most 25 of them, in discs of many
sizes), those of Concatenated Spatial Attention (section 4.1: patches around the middle of the canvas), and single dots
of true flats on some parts. Knows neither figures nor networks. Pictures are (S, S, 3) uint8, maps (S, S) uint8.
"""

from typing import Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright.training.painting.canvas import noise

Plane: TypeAlias = NDArray[np.uint8]
Hand: TypeAlias = Literal["none", "discs", "patches", "dots"]
HANDS: tuple[Hand, ...] = ("none", "discs", "patches", "dots")
_SHARES = (0.2, 0.25, 0.2, 0.35)
MOST_COLORS = 25


def hints(
    rng: np.random.Generator, color: Plane, flat: Plane, part: Plane, selection: Plane, hand: Hand | None = None
) -> Plane:
    """(S, S, 4) uint8: hint colours and their mask (255 = hint), inside ``selection`` only.

    ``color`` is the shaded picture, ``flat`` the true flats, ``part`` numbers the true regions.
    """
    hand = hand or HANDS[int(rng.choice(len(HANDS), p=_SHARES))]
    out = np.zeros((*part.shape, 4), np.uint8)
    if hand == "discs":
        _add_discs(rng, out, region_colors(rng, color, part), part, selection)
    elif hand == "patches":
        _add_patches(rng, out, color)
    elif hand == "dots":
        _add_dots(rng, out, flat, part, selection)
    out[selection == 0] = 0
    return out


def region_colors(rng: np.random.Generator, color: Plane, part: Plane) -> Plane:
    """(S, S, 3) every region in its median colour, and by k-means no more than 25 colours in all."""
    numbers, places = np.unique(part[::2, ::2], return_inverse=True)
    small = color[::2, ::2].reshape(-1, 3)
    medians = np.array([np.median(small[places.ravel() == i], axis=0) for i in range(len(numbers))], np.float32)
    if len(medians) > MOST_COLORS:
        cv2.setRNGSeed(int(rng.integers(1 << 30)))
        stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 1.0)
        _, labels, centers = cv2.kmeans(medians, MOST_COLORS, np.empty(0, np.int32), stop, 1, cv2.KMEANS_PP_CENTERS)
        medians = centers[labels.ravel()]
    table = np.zeros((256, 3), np.uint8)
    table[:] = np.round(medians[0])
    table[numbers] = np.round(medians)
    return np.asarray(table[part])


def _add_discs(rng: np.random.Generator, out: Plane, quantized: Plane, part: Plane, selection: Plane) -> None:
    """Strokes as discs of many sizes; a careful hand stays inside the region, a messy one does not."""
    size, careful = part.shape[0], rng.random() < 0.6
    for place in rng.choice(np.flatnonzero(selection), int(rng.integers(1, 40))).tolist():
        y, x = divmod(place, size)
        radius = int(np.exp(rng.uniform(0, np.log(max(2.0, size / 20)))))
        disc = np.zeros(part.shape, np.uint8)
        cv2.circle(disc, (x, y), radius, 1, -1)
        inside = (disc > 0) & (part == part[y, x]) if careful else disc > 0
        out[inside, :3] = quantized[y, x]
        out[inside, 3] = 255


def _add_patches(rng: np.random.Generator, out: Plane, color: Plane) -> None:
    """Square patches of 1 to 8 px with their average colour, placed by a Gaussian of a quarter of the side (4.1)."""
    size = color.shape[0]
    for _ in range(int(rng.geometric(0.125))):
        side = int(rng.integers(1, 9))
        x, y = np.clip(rng.normal(size / 2, size / 4, 2), 0, size - side).astype(int).tolist()
        window = slice(y, y + side), slice(x, x + side)
        out[window][..., :3] = np.round(color[window].reshape(-1, 3).mean(0))
        out[window][..., 3] = 255


def _add_dots(rng: np.random.Generator, out: Plane, flat: Plane, part: Plane, selection: Plane) -> None:
    """A dot of the true flat on some of the regions, or on all of them, away from their borders."""
    looks = rng.choice(np.flatnonzero(selection), 3000)
    depth = _depth(part).ravel()[looks]
    looks = looks[np.argsort(-np.minimum(depth, 4), kind="stable")]  # deep ones first, in random order
    numbers, firsts = np.unique(part.ravel()[looks], return_index=True)
    share = 1.0 if rng.random() < 0.3 else rng.random()
    size, least = part.shape[0], int(rng.integers(len(numbers)))
    for i, (number, first) in enumerate(zip(numbers.tolist(), firsts.tolist(), strict=True)):
        if rng.random() > share and i != least:
            continue
        y, x = divmod(int(looks[first]), size)
        dot = np.zeros(part.shape, np.uint8)
        cv2.circle(dot, (x, y), int(rng.integers(0, max(2, size // 48))), 1, -1)
        inside = (dot > 0) & (part == number)
        out[inside, :3] = flat[y, x]
        out[inside, 3] = 255


def _depth(part: Plane) -> NDArray[np.float32]:
    """(S, S) distance of each pixel from its region's border, in pixels."""
    same = np.ones(part.shape, np.uint8)
    same[:, 1:] &= part[:, 1:] == part[:, :-1]
    same[1:] &= part[1:] == part[:-1]
    return np.asarray(cv2.distanceTransform(same, cv2.DIST_L2, 3), np.float32)


def selected(rng: np.random.Generator, part: Plane, epsilon: float) -> Plane:
    """(S, S) uint8 selection, 255 = to be painted; the rest is context.

    StencilTorch anneals epsilon 0.9 -> 0 and begins with much context, ending with the whole picture (section 3.5); so
    ``max(epsilon, u)`` is here the share of regions that are *kept*, and with probability ``0.6 (1 - epsilon)``
    everything is painted. One selection in four is a free shape instead of regions.
    """
    if rng.random() < 0.6 * (1 - epsilon):
        return np.full(part.shape, 255, np.uint8)
    kept = max(epsilon, rng.random())
    if rng.random() < 0.25:
        surface = noise(rng, part.shape, int(rng.integers(2, 5)))
        chosen = surface > np.quantile(surface[::4, ::4], min(kept, 0.97))
        return np.where(chosen, np.uint8(255), np.uint8(0))
    numbers = np.unique(part)
    painted = rng.permutation(numbers)[: max(1, round(len(numbers) * (1 - kept)))]
    table = np.zeros(256, np.uint8)
    table[painted] = 255
    return np.asarray(table[part])
