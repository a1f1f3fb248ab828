"""One image on the wire: a start that states its layout, then its samples in messages of at most 1 MiB.

Samples going out are not copied before the socket; samples coming in are copied once, to their place.
"""

from __future__ import annotations

from typing import Iterator

from celwright_krita.errors import UnreadableAnswerError
from celwright_krita.pixels import MAX_PIXELS, MAX_SIDE, Pixels
from celwright_krita.rpc.generated import celwright_pb2 as pb

CHUNK_BYTES = 1 << 20
CHUNK_TAG = 3 << 3 | 2  # field 3 of every upload, length-delimited


def image_start(name: str, image: Pixels, content_hash: bytes, reuse: bool) -> pb.ImageStart:
    return pb.ImageStart(
        name=name,
        width=image.width,
        height=image.height,
        channels=image.channels,
        depth=image.depth,
        offset_x=image.offset[0],
        offset_y=image.offset[1],
        icc=image.icc,
        content_hash=content_hash,
        reuse=reuse,
    )


def chunk_messages(image: Pixels) -> Iterator[tuple[bytes, memoryview]]:
    """The samples as upload messages with the field ``chunk``, each as its head and a view: no bytes are copied, as
    protobuf itself would."""
    samples = image.samples()
    for start in range(0, len(samples), CHUNK_BYTES):
        chunk = samples[start : start + CHUNK_BYTES]
        yield bytes([CHUNK_TAG]) + _varint(len(chunk)), chunk


def _varint(number: int) -> bytes:
    """Protobuf's base-128 number, lowest seven bits first."""
    digits = bytearray()
    while number > 0x7F:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    digits.append(number)
    return bytes(digits)


class IncomingImage:
    """An image while its bytes arrive; UnreadableAnswerError for a layout that makes no sense or wrong bytes."""

    def __init__(self, start: pb.ImageStart) -> None:
        sides = 1 <= start.width <= MAX_SIDE and 1 <= start.height <= MAX_SIDE
        layout = 1 <= start.channels <= 4 and start.depth in (8, 16) and start.encoding == pb.ENCODING_RAW
        if not sides or not layout or start.width * start.height > MAX_PIXELS:
            raise UnreadableAnswerError(
                f"The daemon sent the image {start.name!r} in a layout that this plugin does not know "
                f"({start.width}x{start.height}, {start.channels} channels, {start.depth} bits); update the plugin."
            )
        self._start = start
        self._size = start.width * start.height * start.channels * start.depth // 8
        # Grows with what comes: to make it in one piece would hold the interpreter, and Krita, until it is zeroed.
        self._data = bytearray()

    def take(self, chunk: bytes) -> None:
        end = len(self._data) + len(chunk)
        if end > self._size:
            raise self._wrong(end)
        self._data += chunk

    def pixels(self) -> Pixels:
        """The image; the bytes are its own."""
        if not self.complete:
            raise self._wrong(len(self._data))
        start = self._start
        return Pixels(
            self._data,
            start.width,
            start.height,
            start.channels,
            start.depth,
            (start.offset_x, start.offset_y),
            start.icc,
        )

    @property
    def complete(self) -> bool:
        return len(self._data) == self._size

    def _wrong(self, count: int) -> UnreadableAnswerError:
        return UnreadableAnswerError(
            f"The daemon sent {count} bytes for the image {self._start.name!r}, whose layout needs {self._size}; "
            f"try again, and update daemon and plugin if it stays so."
        )
