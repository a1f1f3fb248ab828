"""Which passages between basins are gaps in the drawing: narrow, and with the tip of a stroke at one side.

A wrist is narrow too, but there both sides are smooth outlines; a gap is where a stroke ends before it meets
another. Measures passages; does not decide about regions.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_RAYS = 48  # directions in which the nearest lines are looked for
_AHEAD = 0.35  # cosine; within 70 degrees of the way across lies the other side
_ARC = 32  # samples on the circle that tells a tip from a smooth line


@dataclass(frozen=True, eq=False)
class Openings:
    """Per passage: ``width`` in free pixels from line to line, ``openness`` 0..1: of a circle around the line's
    nearest point on the more exposed side, the longest arc free of line (0.5 a smooth line, near 1 a tip)."""

    width: NDArray[np.float32]
    openness: NDArray[np.float32]


def measured(distance: NDArray[np.float32], pixel: NDArray[np.intp], line_width: float) -> Openings:
    """Openings at the saddles ``pixel`` (flat indices into the padded ``distance``)."""
    y, x = np.divmod(pixel, distance.shape[1])
    radius = distance.ravel()[pixel]
    line = distance == 0
    angle = np.arange(_RAYS) * (2 * np.pi / _RAYS)
    hit = np.full((pixel.size, _RAYS), np.inf, np.float32)
    for more in (1.5, 1.0, 0.5, 0.0, -0.5):
        length = np.maximum(radius + more, 1)[:, None]
        inside = _sampled(line, y[:, None] + length * np.sin(angle), x[:, None] + length * np.cos(angle))
        np.copyto(hit, length, where=inside)
    nearest = hit.argmin(axis=1)
    apart = np.abs((np.arange(_RAYS)[None] - nearest[:, None] + _RAYS // 2) % _RAYS - _RAYS // 2)
    across = np.where(apart >= _RAYS * 5 // 18, hit, np.inf)
    opposite = across.argmin(axis=1)
    each = np.arange(pixel.size)
    openness = np.zeros(pixel.size, np.float32)
    for side, toward, known in (
        (nearest, angle[opposite], None),
        (opposite, angle[nearest], np.isfinite(across[each, opposite])),
    ):
        length = np.where(np.isfinite(hit[each, side]), hit[each, side], 0)
        free = _free_arc(line, y + length * np.sin(angle[side]), x + length * np.cos(angle[side]), line_width, toward)
        openness = np.maximum(openness, free if known is None else np.where(known, free, 0))
    return Openings(width_across(distance, pixel), openness)


def _sampled(line: NDArray[np.bool_], y: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.bool_]:
    """``line`` at the nearest pixels; beyond the page there is line, as on its frame."""
    rows = np.clip(np.rint(y).astype(np.intp), 0, line.shape[0] - 1)
    columns = np.clip(np.rint(x).astype(np.intp), 0, line.shape[1] - 1)
    return line[rows, columns]


def _free_arc(
    line: NDArray[np.bool_],
    y: NDArray[np.float64],
    x: NDArray[np.float64],
    line_width: float,
    toward: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Share of the circle around each point taken by its longest run without line.

    What lies ``toward`` the other side (an angle) is that side's line and does not count.
    """
    angle = np.arange(_ARC) * (2 * np.pi / _ARC)
    around = line_width + 2.5
    on_line = _sampled(line, y[:, None] + around * np.sin(angle), x[:, None] + around * np.cos(angle))
    on_line &= np.cos(angle - toward[:, None]) < _AHEAD
    twice = np.concatenate([on_line, on_line], axis=1)
    place = np.arange(2 * _ARC)
    last = np.maximum.accumulate(np.where(twice, place, -1), axis=1)
    return np.asarray(np.minimum((place - last).max(axis=1), _ARC) / _ARC, dtype=np.float32)


def width_across(distance: NDArray[np.float32], pixel: NDArray[np.intp]) -> NDArray[np.float32]:
    """Free pixels from line to line across a saddle.

    Across a passage of odd width the distances run k-1, k, k-1 (width 2k - 1), of even width k-1, k, k, k-1 (2k):
    the saddle's own distance plus the larger one of its two neighbours across.
    """
    flat, step = distance.ravel(), distance.shape[1]
    own = flat[pixel]
    steepest = np.full(pixel.size, -np.inf, np.float32)
    width = np.zeros(pixel.size, np.float32)
    for offset, length in ((1, 1.0), (step, 1.0), (step + 1, 1.4), (step - 1, 1.4)):
        left, right = flat[pixel - offset], flat[pixel + offset]
        fall = (2 * own - left - right) / np.float32(length)
        steeper = fall > steepest
        np.copyto(steepest, fall, where=steeper)
        np.copyto(width, own + np.maximum(left, right) + np.float32(length - 1), where=steeper)
    return width
