"""Regions and leaks as pictures. Knows labels; does not know how they were found."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright.domain import Labels, Leak, Pixels
from celwright.imaging.lineart import is_transparent
from celwright.regions.flatting import flatting_colors

_MARK = (255, 0, 102)  # RGB; a pink that hardly any drawing is made in


def id_map(labels: Labels) -> Pixels:
    """RGBA, 8 bit: each pixel's ID as a little-endian uint32, red the lowest byte. Lossless in a PNG."""
    return Pixels(np.ascontiguousarray(labels, dtype="<i4").view(np.uint8).reshape(*labels.shape, 4))


def labels_of(picture: Pixels) -> Labels:
    """The inverse of ``id_map``: (H, W) IDs of an RGBA picture."""
    packed = np.ascontiguousarray(picture.rgba().data, dtype=np.uint8)
    return np.asarray(packed.view("<i4")[..., 0], dtype=np.int32)


def region_colors(grown: Labels) -> NDArray[np.uint8]:
    """(count + 1, 3) sRGB: each region's own colour, clearly off its neighbours'; row 0 is black."""
    none = np.zeros((int(grown.max(initial=0)) + 1, 4), np.float32)
    return np.asarray(np.rint(flatting_colors(grown, none)[:, :3] * 255), dtype=np.uint8)


def preview(grown: Labels) -> Pixels:
    """RGBA: every region of ``grown`` (labels that reach under the lines) in its own colour, 0 transparent."""
    colors = region_colors(grown)
    opaque = np.full((len(colors), 1), 255, np.uint8)
    opaque[0] = 0
    return Pixels(np.concatenate([colors, opaque], axis=1)[grown])


def leak_overlay(line_art: Pixels, leaks: Sequence[Leak]) -> Pixels:
    """RGBA, 8 bit: the line art (on white, where it is transparent) with a ring around every closed opening."""
    data = line_art.rgba().data
    if line_art.depth == 16:
        data = (data // 257).astype(np.uint8)
    canvas = data.copy()
    if is_transparent(line_art):
        alpha = data[..., 3:].astype(np.uint16)
        canvas[..., :3] = (data[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255
    canvas[..., 3] = 255
    thick = max(2, round(max(line_art.size) / 600))
    for leak in leaks:
        radius = round(leak.width / 2) + 2 * thick
        cv2.circle(canvas, (leak.x, leak.y), radius, (*_MARK, 255), thick, cv2.LINE_AA)
    return Pixels(canvas, line_art.offset, line_art.icc)
