"""What a network says of a picture, as far as it is known and still needed, and that at the picture's full size.

The network sees the picture on white paper, reduced where it is so large that its lines would be wider than any the
network knows. Knows neither networks nor what is made of their estimates.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright.domain import FloatImage, Pixels
from celwright.imaging import tiling
from celwright.imaging.resampling import guided_rows, rows_needed
from celwright.imaging.underpaint import REACH, underpainted

WORKING_SIDE = 1536  # px; the shorter side of the largest picture that the network sees unreduced
MARGIN = REACH + 2  # px; rows beyond a group that its result depends on
BASE = slice(4, 13)  # the planes of flat and shading in an estimate


class Estimates:
    """Bands go in from the top, rows of (h, W, 13) come out: line alpha, line colour, flat, shadow, highlight."""

    def __init__(self, picture: Pixels, working: NDArray[Any] | None = None) -> None:
        self.picture = picture
        self.opaque = on_white(picture)
        self.working = _reduced(self.opaque) if working is None else working  # what the network sees
        self.held: FloatImage = np.empty((0, self.working.shape[1], 13), np.float32)
        self.held_from = 0  # the working row that ``held`` begins with

    def add(self, band: tiling.Band) -> None:
        self.held = np.concatenate([self.held, band.image]) if len(self.held) else band.image

    def _needed(self, rows: slice) -> tuple[slice, slice]:
        """The full rows to be looked at for these full rows, and the working rows for those."""
        height = self.picture.height
        around = slice(max(rows.start - MARGIN, 0), min(rows.stop + MARGIN, height))
        return around, slice(*rows_needed(around.start, around.stop, height, len(self.working)))

    def reach(self, rows: slice) -> bool:
        """Whether enough is known for these full rows."""
        known: int = self.held_from + len(self.held)
        return int(self._needed(rows)[1].stop) <= known

    def forget_above(self, row: int) -> None:
        """Free what full rows from ``row`` on do not need."""
        first = self._needed(slice(row, row + 1))[1].start
        if first > self.held_from:
            self.held = self.held[first - self.held_from :].copy()
            self.held_from = first

    def rows(self, rows: slice) -> FloatImage:
        """(h, W, 13) at full size, with colour reaching under the lines."""
        around, working = self._needed(rows)
        held = self.held[working.start - self.held_from : working.stop - self.held_from]
        if self.working is self.opaque:
            held = held[around.start - working.start : around.stop - working.start]
        else:
            top = np.float32(self.picture.top)
            guide = self.working[working].astype(np.float32) / top
            full = self.opaque[around].astype(np.float32) / top
            size, small_size = self.picture.size, (self.working.shape[1], len(self.working))
            held = guided_rows(full, around.start, size, guide, held, working.start, small_size)
        visible = Pixels(self.picture.data[around]).alpha() == self.picture.top
        result = held[rows.start - around.start : rows.stop - around.start].copy()
        base = underpainted(held[..., BASE], held[..., 0], visible)
        result[..., BASE] = base[rows.start - around.start : rows.stop - around.start]
        return result


def on_white(picture: Pixels) -> NDArray[Any]:
    """(H, W, 3) in the picture's depth: laid on white paper, which the network knows best as a background and against
    which the soft rim of a cut-out figure looks like that of any drawing."""
    data = picture.data
    color = data[..., :3] if picture.channels >= 3 else np.repeat(data[..., :1], 3, axis=2)
    if picture.channels in (1, 3):
        return np.ascontiguousarray(color)
    result = np.empty_like(color)
    top = picture.top
    for row in range(0, picture.height, 256):  # in bands: the products need twice the bits
        rows = slice(row, row + 256)
        alpha = data[rows, :, -1:].astype(np.uint32)
        result[rows] = (color[rows] * alpha + (top - alpha) * top + top // 2) // top
    return result


def _reduced(opaque: NDArray[Any]) -> NDArray[Any]:
    height, width = opaque.shape[:2]
    scale = WORKING_SIDE / min(height, width)
    if scale >= 1:
        return opaque
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(opaque, size, interpolation=cv2.INTER_AREA))
