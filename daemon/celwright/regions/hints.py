"""The dots and strokes in a hint picture. Does not know which regions they mean."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright.domain import FloatImage, Labels, Pixels
from celwright.errors import UnusableInputError
from celwright.imaging.color import ciede2000, srgb_to_lab

_FAR = 20.0  # Lab, in any part; sRGB colours farther apart than this are never within _ONE_COLOR
_ONE_COLOR = 3.0  # CIEDE2000; hints nearer to each other than this are of one colour and split nothing


@dataclass(frozen=True, eq=False)
class Hints:
    """``marks`` (H, W) int32: number 1..count of the dot or stroke, 0 elsewhere; ``colors`` (count + 1, 3) sRGB 0..1;
    ``groups`` (count + 1,) int32: hints of one colour share a number from 1."""

    marks: Labels
    colors: FloatImage
    groups: NDArray[np.int32]

    @property
    def count(self) -> int:
        return len(self.colors) - 1


def find_hints(picture: Pixels) -> Hints:
    """The dots and strokes in a hint picture: touching pixels of about one colour.

    Soft edges are left out: pixels less than half as opaque as their blob, and blends no thicker than two pixels
    along a thicker hint. A hint has the colour that most of its pixels have. Raises UnusableInputError when the
    picture has no transparency or nothing else.
    """
    alpha = picture.alpha()
    if not alpha.any():
        raise UnusableInputError("The hints are fully transparent; paint at least one dot of colour or leave them out.")
    if alpha.min() == picture.top:
        raise UnusableInputError(
            "The hints have no transparency, so every pixel would be a hint; paint dots or strokes on an empty layer."
        )
    blobs = np.asarray(cv2.connectedComponents((alpha > 0).view(np.uint8), connectivity=8)[1], np.int32)
    places = np.flatnonzero(alpha)
    strength, blob = alpha.reshape(-1)[places], blobs.reshape(-1)[places]
    strongest = np.zeros(blob.max() + 1, alpha.dtype)
    np.maximum.at(strongest, blob, strength)
    places = places[strength >= strongest[blob] / 2]

    packed, colors = _distinct_colors(picture, places)
    groups = _groups(colors, np.bincount(packed))
    marks = _marks(alpha.shape, places, groups[packed], blobs)

    mark = marks.reshape(-1)[places]
    kept, packed = mark > 0, packed[mark > 0]
    pairs, counts = np.unique(mark[kept].astype(np.int64) * len(colors) + packed, return_counts=True)
    order = np.lexsort((pairs, -counts))
    numbers, first = np.unique(pairs[order] // len(colors), return_index=True)
    renumbered = np.zeros(int(marks.max()) + 1, np.int32)
    renumbered[numbers] = np.arange(1, len(numbers) + 1)
    commonest = pairs[order][first] % len(colors)
    return Hints(
        marks=renumbered[marks],
        colors=np.concatenate([np.zeros((1, 3), np.float32), colors[commonest]]),
        groups=np.concatenate([np.zeros(1, np.int32), groups[commonest]]),
    )


def _distinct_colors(picture: Pixels, places: NDArray[np.intp]) -> tuple[NDArray[np.intp], FloatImage]:
    """For each place the index of its colour, and the (N, 3) distinct colours in sRGB 0..1."""
    rgb = picture.data.reshape(-1, picture.channels)[places]
    rgb = (rgb[:, :3] if picture.channels == 4 else np.repeat(rgb[:, :1], 3, axis=1)).astype(np.int64)
    bits = picture.depth
    packed = (rgb[:, 0] << 2 * bits) | (rgb[:, 1] << bits) | rgb[:, 2]
    if bits == 8:  # a table of all colours is faster than sorting a picture full of them
        distinct = np.flatnonzero(np.bincount(packed, minlength=1 << 24))
        numbers = np.empty(1 << 24, np.int32)
        numbers[distinct] = np.arange(len(distinct))
        index = numbers[packed].astype(np.intp)
    else:
        distinct, index = np.unique(packed, return_inverse=True)
    mask = picture.top
    colors = np.stack([distinct >> 2 * bits, (distinct >> bits) & mask, distinct & mask], axis=1)
    return index, (colors / mask).astype(np.float32)


def _groups(colors: FloatImage, counts: NDArray[Any]) -> NDArray[np.int32]:
    """(N,) a number from 1 for each colour; colours that look alike share the number of the commonest of them."""
    bins, index = np.unique(np.rint(colors * 31).astype(np.int64) @ [1024, 32, 1], return_inverse=True)
    weights = np.bincount(index, counts)
    means = np.stack([np.bincount(index, colors[:, i] * counts) / weights for i in range(3)], axis=1)
    lab = srgb_to_lab(means)
    numbers = np.zeros(len(bins), np.int32)
    for number, i in enumerate(np.argsort(-weights, kind="stable"), start=1):
        if numbers[i] == 0:
            free = np.flatnonzero((numbers == 0) & (np.abs(lab - lab[i]).max(axis=1) < _FAR))
            numbers[free[ciede2000(lab[free], lab[i]) < _ONE_COLOR]] = number
    return np.unique(numbers, return_inverse=True)[1][index].astype(np.int32) + np.int32(1)


def _marks(shape: tuple[int, ...], places: NDArray[np.intp], group: NDArray[np.int32], blobs: Labels) -> Labels:
    """(H, W) numbers for touching places of one group, without the blends between groups."""
    from skimage.measure import label

    marks = np.zeros(shape, np.int32)
    blob = blobs.reshape(-1)[places]
    one_group = np.zeros(int(blobs.max()) + 1, np.int32)
    one_group[blob] = group
    if (one_group[blob] == group).all():  # dots and strokes that stand alone, as nearly always
        marks.reshape(-1)[places] = blob
        return marks
    marks.reshape(-1)[places] = group
    marks = np.asarray(label(marks, background=0, connectivity=2), np.int32)  # type: ignore[no-untyped-call]
    return _without_rims(marks, blobs)


def _without_rims(marks: Labels, blobs: Labels) -> Labels:
    """Marks no thicker than two pixels are dropped from a blob that also holds a thicker one."""
    numbers = marks.astype(np.float32)
    square = np.ones((3, 3), np.uint8)
    inner = (marks > 0) & (cv2.erode(numbers, square) == cv2.dilate(numbers, square))
    thick = np.zeros(int(marks.max()) + 1, bool)
    thick[marks[inner]] = True
    has_thick = np.zeros(int(blobs.max()) + 1, bool)
    has_thick[blobs[inner]] = True
    rim = (marks > 0) & has_thick[blobs] & ~thick[marks]
    return np.where(rim, np.int32(0), marks)
