"""Joining basins to regions: the widest passages first, until only gaps in the drawing are left.

Knows basins and the measures of their passages; does not look at pixels.
"""

import numpy as np
from numpy.typing import NDArray

from celwright.regions.basins import Basins
from celwright.regions.openings import Openings

TIP = 0.6  # of a circle: a stroke ends where more than this is free of line
SWELL = 1.5  # a region is a room behind a gap when a ball this much larger than the gap fits into it
ROOM = 8.0  # without a tip, the room must be this much wider than the passage
LEAST = 24  # px; a smaller pocket is no room


def joined(found: Basins, saddle: NDArray[np.intp], passages: Openings, gap: int) -> NDArray[np.int32]:
    """(B,) the region of every basin: the least basin number in it; 0 for line."""
    radius = found.radius[saddle]
    order = np.argsort(-radius, kind="stable")
    parent = list(range(found.peak.size))
    peak, area = found.peak.tolist(), found.area.tolist()

    def root(basin: int) -> int:
        while parent[basin] != basin:
            parent[basin] = parent[parent[basin]]
            basin = parent[basin]
        return basin

    lows, highs = found.low[saddle][order].tolist(), found.high[saddle][order].tolist()
    for low, high, ball, width, openness in zip(
        lows,
        highs,
        radius[order].tolist(),
        passages.width[order].tolist(),
        passages.openness[order].tolist(),
        strict=True,
    ):
        a, b = root(low), root(high)
        if a == b:
            continue
        room = min(peak[a], peak[b])
        enough = SWELL if openness > TIP else ROOM
        if width <= gap + 0.25 and room > enough * ball and min(area[a], area[b]) >= LEAST:
            continue
        a, b = min(a, b), max(a, b)
        parent[b] = a
        peak[a] = max(peak[a], peak[b])
        area[a] += area[b]
    return np.array([root(basin) for basin in range(len(parent))], np.int32)
