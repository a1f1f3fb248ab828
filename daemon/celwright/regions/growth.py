"""Regions grown to the nearest pixels without one: colour goes on under the line. Knows labels only."""

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright.domain import Labels

_CHUNK = 1 << 15  # pixels looked at together: what a processor keeps near


def grown(labels: Labels) -> Labels:
    """``labels`` with every 0 replaced by a nearest region's ID; unchanged when there is no region.

    Each pixel without a region walks down the distance to the regions until it stands in one, so that time goes
    with the number of such pixels.
    """
    bare = (labels == 0).view(np.uint8)
    if not bare.any() or not labels.any():
        return labels
    distance = np.asarray(cv2.distanceTransform(bare, cv2.DIST_L2, cv2.DIST_MASK_5), dtype=np.float32).ravel()
    out = labels.copy()
    flat = out.ravel()
    walkers = np.flatnonzero(distance)
    # At every walker's place stands its own name, -1, -2 ...; where it steps it reads a region's ID or another name.
    flat[walkers] = -1 - np.arange(walkers.size, dtype=np.int32)
    code = np.empty(walkers.size, np.int32)
    for start in range(0, walkers.size, _CHUNK):
        part = slice(start, start + _CHUNK)
        code[part] = flat.take(_downward(distance, walkers[part], labels.shape[1]))
    while True:
        walking = np.flatnonzero(code < 0)
        if not walking.size:
            break
        code[walking] = code[-1 - code[walking]]
    flat[walkers] = code
    return out


def _downward(distance: NDArray[np.float32], walkers: NDArray[np.intp], width: int) -> NDArray[np.intp]:
    """The neighbour to which each walker steps: the steepest way down; there always is one."""
    own = distance.take(walkers)
    column = walkers % width
    steepest = np.zeros(walkers.size, np.float32)
    target = walkers.copy()
    for down, right in ((-1, 0), (0, -1), (0, 1), (1, 0), (-1, -1), (-1, 1), (1, -1), (1, 1)):
        offset = down * width + right
        drop = own - distance.take(walkers + offset, mode="clip")
        if down and right:
            drop *= np.float32(1 / 1.4)
        steeper = drop > steepest
        if down:
            steeper &= walkers >= width if down < 0 else walkers < distance.size - width
        if right:
            steeper &= column != (0 if right < 0 else width - 1)
        np.copyto(steepest, drop, where=steeper)
        np.copyto(target, walkers + offset, where=steeper)
    return target
