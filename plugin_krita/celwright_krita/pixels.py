"""An image as bytes, the way it crosses the wire: rows from the top, no padding, grey | grey, alpha | RGB | RGBA.

16-bit samples are little-endian, in Krita as on the wire. Python's slices with a step do the work that numpy would.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Union

from celwright_krita.errors import UnusableInputError, WrongUsageError

MIN_SIDE = 8  # px; the daemon's limits, told here before anything is sent
MAX_SIDE = 30_000  # px
MAX_PIXELS = 8192 * 8192
HASH_BYTES = 32
Samples = Union[bytes, bytearray, memoryview]


@dataclass(frozen=True, eq=False)
class Pixels:
    """``data`` holds width * height * channels samples of ``depth`` bits (8 or 16); ``offset`` is (x, y) of the upper
    left corner in the document, in pixels, and may be negative; ``icc`` an ICC profile, empty for none.

    Raises UnusableInputError for sizes out of range, WrongUsageError for another layout or too few or many bytes.
    """

    data: Samples
    width: int
    height: int
    channels: int = 4
    depth: int = 8
    offset: tuple[int, int] = (0, 0)
    icc: bytes = b""

    def __post_init__(self) -> None:
        if not 1 <= self.channels <= 4 or self.depth not in (8, 16):
            raise WrongUsageError(
                f"An image of {self.channels} channels with {self.depth} bits came; 1 to 4 channels with 8 or 16 bits "
                f"are allowed: convert it."
            )
        check_size(self.width, self.height)
        needed = self.width * self.height * self.channels * self.depth // 8
        if memoryview(self.data).nbytes != needed:
            raise WrongUsageError(
                f"An image of {self.width}x{self.height} pixels came with {memoryview(self.data).nbytes} bytes; its "
                f"layout needs {needed}."
            )

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.width, self.height

    def samples(self) -> memoryview:
        """The bytes of ``data``, not copied."""
        return memoryview(self.data).cast("B")

    def content_hash(self) -> bytes:
        """BLAKE2b (32 bytes) of layout and samples, as celwright.proto defines it; offset and profile left out."""
        layout = f"{self.width}x{self.height}x{self.channels}x{self.depth}\n"
        digest = hashlib.blake2b(layout.encode("ascii"), digest_size=HASH_BYTES)
        digest.update(self.samples())
        return digest.digest()


def check_size(width: int, height: int) -> None:
    """Refuse sizes out of range with one sentence (UnusableInputError)."""
    if min(width, height) < MIN_SIDE:
        raise UnusableInputError(
            f"The image is {width}x{height} pixels; each side must have at least {MIN_SIDE}: use a larger picture."
        )
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise UnusableInputError(
            f"The image is {width}x{height} pixels; at most {MAX_SIDE} a side and {MAX_PIXELS} in all are allowed: "
            f"use a smaller picture."
        )


def swapped_red_and_blue(data: Samples, depth: int) -> bytearray:
    """Krita's BGRA as RGBA, and RGBA as BGRA; four channels of ``depth`` (8 or 16) bits, copied."""
    swapped = bytearray(data)
    kind = "B" if depth == 8 else "H"
    source, target = memoryview(data).cast("B").cast(kind), memoryview(swapped).cast(kind)
    target[0::4], target[2::4] = source[2::4], source[0::4]
    return swapped
