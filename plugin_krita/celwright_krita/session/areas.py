"""Selections and small pictures: masks placed in a rectangle, layers cleared outside a mask, thumbnails by striding.

Knows neither documents nor the wire. What is large is done row by row, so that the window lives on meanwhile.
"""

from __future__ import annotations

from typing import Iterator

from celwright_krita.canvas import Raw, Rect
from celwright_krita.pixels import MIN_SIDE, Pixels, Samples, swapped_red_and_blue

THUMBNAIL_SIDE = 192  # px: lists show at most 72, twice as many on sharp screens
ROWS = 64  # cleared without a pause
_TO_ALL = bytes([0]) + bytes([255]) * 255  # coverage → which bits are kept


def grown(rect: Rect, margin: int) -> Rect:
    return Rect(rect.x - margin, rect.y - margin, rect.width + 2 * margin, rect.height + 2 * margin)


def large_enough(rect: Rect) -> Rect:
    """``rect``, to the right and down at least as large as the daemon needs."""
    return Rect(rect.x, rect.y, max(rect.width, MIN_SIDE), max(rect.height, MIN_SIDE))


def nothing_selected(mask: Raw) -> bool:
    return mask.rect.empty or mask.data == bytes(len(mask.data))


def placed(raw: Raw, rect: Rect, pixel_bytes: int = 1) -> bytearray:
    """The samples of ``raw`` that lie in ``rect``, row by row; 0 where it has none."""
    shared, stride = rect.meet(raw.rect), rect.width * pixel_bytes
    result = bytearray(stride * rect.height)
    source, width = memoryview(raw.data), shared.width * pixel_bytes
    for y in range(shared.y, shared.y + shared.height):
        start = ((y - raw.rect.y) * raw.rect.width + shared.x - raw.rect.x) * pixel_bytes
        target = (y - rect.y) * stride + (shared.x - rect.x) * pixel_bytes
        result[target : target + width] = source[start : start + width]
    return result


def mask_pixels(mask: Raw, rect: Rect) -> Pixels:
    """A selection as a one-channel image of the size and place of ``rect``."""
    return Pixels(placed(mask, rect), rect.width, rect.height, 1, 8, (rect.x, rect.y))


def alpha_pixels(raw: Raw) -> Pixels:
    """How opaque an RGBA layer is, as a one-channel 8-bit image; whatever its colours are."""
    data = raw.data[3::4] if raw.depth == "U8" else raw.data[7::8]
    return Pixels(data, raw.rect.width, raw.rect.height, 1, 8, (raw.rect.x, raw.rect.y))


def clear_outside(data: bytearray, rect: Rect, pixel_bytes: int, mask: Raw) -> Iterator[None]:
    """Set the samples of ``data`` (in ``rect``) to 0 where ``mask`` is 0 and leave all others bit for bit."""
    for top in range(0, rect.height, ROWS):
        rows = min(ROWS, rect.height - top)
        kept = bytes(placed(mask, Rect(rect.x, rect.y + top, rect.width, rows))).translate(_TO_ALL)
        start, end = top * rect.width * pixel_bytes, (top + rows) * rect.width * pixel_bytes
        if not kept.count(255):
            data[start:end] = bytes(end - start)
        elif kept.count(0):
            wide = bytearray(end - start)
            for byte in range(pixel_bytes):
                wide[byte::pixel_bytes] = kept
            both = int.from_bytes(wide, "little") & int.from_bytes(data[start:end], "little")
            data[start:end] = both.to_bytes(end - start, "little")
        yield


def thumbnail(image: Pixels, side: int) -> Pixels:
    """``image`` with at most about ``side`` pixels a side: every so many-th pixel, 8 bits, the channels as they are."""
    step = max(1, -(-max(image.size) // side))
    across, down = min(step, image.width // MIN_SIDE), min(step, image.height // MIN_SIDE)
    width, height, channels, size = image.width // across, image.height // down, image.channels, image.depth // 8
    samples, stride, result = image.samples(), image.width * channels * size, bytearray()
    for y in range(height):
        row = bytes(samples[y * down * stride : (y * down + 1) * stride])
        small = bytearray(width * channels)
        for channel in range(channels):
            start = channel * size + size - 1  # of 16 bits the upper 8
            small[channel::channels] = row[start :: across * channels * size][:width]
        result += small
    return Pixels(result, width, height, channels)


def raw_thumbnail(raw: Raw, side: int) -> Pixels:
    """The same of an RGBA layer as the painting program stores it."""
    rect = raw.rect
    small = thumbnail(Pixels(raw.data, rect.width, rect.height, 4, 8 if raw.depth == "U8" else 16), side)
    data: Samples = swapped_red_and_blue(small.data, 8)
    return Pixels(data, small.width, small.height)
