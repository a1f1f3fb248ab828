"""The part of a page that a colour network sees, and everything about it at the network's size.

A selection is seen with its surroundings, the whole page without one. Sides are rounded to the network's stride, so
that the field is stretched by a few per cent rather than padded. Knows no network.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright.domain import FloatImage
from celwright.imaging.resampling import Number, looked_up

STRIDE = 32  # px; sides that the network takes are multiples of it
_MARGIN = 0.3  # of the selection's longer side, seen around it


@dataclass(frozen=True)
class Field:
    """``rows`` and ``columns`` of the page are seen as ``height`` x ``width`` pixels."""

    rows: slice
    columns: slice
    height: int
    width: int

    @property
    def box(self) -> tuple[slice, slice]:
        return self.rows, self.columns

    def reduced(self, image: NDArray[np.float32]) -> FloatImage:
        """(height, width[, C]) of a page's image (H, W[, C])."""
        part = image[self.box]
        kind = cv2.INTER_AREA if part.shape[0] > self.height else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(part, (self.width, self.height), interpolation=kind), np.float32)

    def sampled(self, plane: NDArray[Number]) -> NDArray[Number]:
        """(height, width) of a page's labels or levels (H, W): those under the middles of the field's pixels."""
        return looked_up(plane[self.box], self.height, self.width)


def field_of(height: int, width: int, selected: NDArray[np.bool_] | None, side: int, stride: int = STRIDE) -> Field:
    """What to see of a page of ``height`` x ``width`` pixels: all, or the (H, W) selection with its surroundings. The
    longer side becomes ``side`` pixels, smaller pages are enlarged; sides are multiples of ``stride``."""
    rows, columns = slice(0, height), slice(0, width)
    if selected is not None:
        rows, columns = (_extent(np.asarray(selected.any(axis=1 - axis))) for axis in (0, 1))
        margin = round(_MARGIN * max(rows.stop - rows.start, columns.stop - columns.start))
        rows = slice(max(0, rows.start - margin), min(height, rows.stop + margin))
        columns = slice(max(0, columns.start - margin), min(width, columns.stop + margin))
    size = rows.stop - rows.start, columns.stop - columns.start
    scale = side / max(size)
    small = (max(stride, round(length * scale / stride) * stride) for length in size)
    return Field(rows, columns, *small)


def _extent(occupied: NDArray[np.bool_]) -> slice:
    places = np.flatnonzero(occupied)
    return slice(int(places[0]), int(places[-1]) + 1)
