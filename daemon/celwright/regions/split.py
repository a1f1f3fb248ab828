"""Splitting a region that holds hints of different colours along its narrowest passages.

Real line art is open, and through an opening wider than any gap two colours meet in one region. The hints tell where
they belong: a watershed floods the distance to the lines from them, widest places first, so that the cut runs where
the passage is narrowest (LazyBrush's idea, Sýkora et al., 2009). Does not know colours: hints are numbers.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright.domain import Labels
from celwright.regions.basins import distance_to_line
from celwright.regions.growth import grown
from celwright.regions.trapped_ball import LINE_FROM

_MOST = 1_000_000  # px; larger regions are cut on a coarser grid first
_ROWS = 64  # rows looked at together

Owner = NDArray[np.int32]


def split(labels: Labels, ink: NDArray[np.uint8], markers: Labels) -> tuple[Labels, Owner]:
    """Regions cut along their narrowest passages wherever they hold more than one marker.

    ``labels`` (H, W): region IDs, ``grown`` or not. ``markers`` (H, W) int32: 0 nowhere, else the number of a hint
    colour (1..): pixels of equal number need not touch. A region with markers of one number stays whole.
    Returns the new labels (old IDs kept for the part of the lowest number, further parts get IDs from
    ``labels.max() + 1``) and ``owner``: (new count + 1,) int32, the marker number that each region holds, 0 for none.
    """
    count = int(labels.max(initial=0))
    owner = np.zeros(count + 1, np.int32)
    marked = np.flatnonzero((markers > 0) & (labels > 0))
    if not marked.size:
        return labels, owner
    regions, numbers = labels.ravel()[marked], markers.ravel()[marked]
    stride = np.int64(numbers.max()) + 1
    keys = np.unique(regions * stride + numbers)
    held = (keys // stride).astype(np.int32)
    owner[held[::-1]] = (keys % stride)[::-1].astype(np.int32)
    shared = np.unique(held[1:][held[1:] == held[:-1]])
    if not shared.size:
        return labels, owner
    out, owners = labels.copy(), owner.tolist()
    for region, (rows, columns) in zip(shared.tolist(), _boxes(labels, shared), strict=True):
        box = rows, columns
        inside = labels[box] == region
        numbers_here = np.where(inside, markers[box], 0)
        part = _parted(inside, ink[box], numbers_here)
        for number in np.unique(numbers_here[numbers_here > 0])[1:].tolist():  # the lowest keeps the region's ID
            out[box][part == number] = len(owners)
            owners.append(number)
    return out, np.array(owners, np.int32)


def _boxes(labels: Labels, regions: NDArray[np.int32]) -> list[tuple[slice, slice]]:
    """Bounding boxes of some regions, wider by a pixel where the page goes on, found in one look at the page."""
    slot = np.full(int(labels.max()) + 1, -1, np.int32)
    slot[regions] = np.arange(regions.size, dtype=np.int32)
    height, width = labels.shape
    top, left = np.full(regions.size, height), np.full(regions.size, width)
    bottom, right = np.zeros(regions.size, np.intp), np.zeros(regions.size, np.intp)
    for start in range(0, height, _ROWS):
        which = slot[labels[start : start + _ROWS]]
        y, x = np.nonzero(which >= 0)
        own = which[y, x]
        np.minimum.at(top, own, y + start)
        np.maximum.at(bottom, own, y + start)
        np.minimum.at(left, own, x)
        np.maximum.at(right, own, x)
    ends = zip(top.tolist(), bottom.tolist(), left.tolist(), right.tolist(), strict=True)
    return [(slice(max(t - 1, 0), b + 2), slice(max(le - 1, 0), r + 2)) for t, b, le, r in ends]


def _parted(inside: NDArray[np.bool_], ink: NDArray[np.uint8], markers: Labels) -> Labels:
    """(h, w) the marker number of every pixel of the region ``inside``, 0 elsewhere."""
    free = inside & (ink < LINE_FROM)
    distance = fine = distance_to_line(free)
    step = math.ceil(math.sqrt(np.count_nonzero(free) / _MOST)) if free.size > _MOST else 1
    seeds = np.pad(markers, 1)
    coarse_seeds = seeds
    if step > 1:
        # Looks at every step-th pixel join only where a ball that reaches half way to the next is free of line.
        distance = np.pad(distance[::step, ::step], 1)
        distance[distance <= step / 2] = 0
        pooled = cv2.dilate(seeds.astype(np.float32), np.ones((step, step), np.uint8))
        coarse_seeds = np.pad(pooled[::step, ::step], 1).astype(np.int32)
    found = _cut(distance, np.where(distance > 0, coarse_seeds, 0))
    part = found
    if step > 1:
        part = np.repeat(np.repeat(found[1:-1, 1:-1], step, axis=0), step, axis=1)[: fine.shape[0], : fine.shape[1]]
        part[fine <= 1.5 * step] = 0  # no ball without line in it reaches to the place that was looked at
    part = np.where(seeds > 0, seeds, part)[1:-1, 1:-1]
    return np.where(inside, _nearest(part, inside), 0)


def _nearest(part: Labels, inside: NDArray[np.bool_]) -> Labels:
    """``part`` with each pixel of 0 replaced by the nearest part's number."""
    known = inside & (part > 0)
    return grown(np.where(known, part, 0))


def _cut(distance: NDArray[np.float32], seeds: Labels) -> Labels:
    """Marker numbers of all pixels with a distance."""
    from skimage.segmentation import watershed

    return np.asarray(watershed(-distance, seeds, mask=distance > 0), np.int32)  # type: ignore[no-untyped-call]
