"""One image on the wire: a start that states its layout, then its samples in messages of at most 1 MiB.

Both ends use it: the client for what it sends, the daemon for what it sends back. Samples are copied once, from the
messages into an array that is allocated when the start has passed every check.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from celwright.domain import Pixels, check_size
from celwright.errors import WrongUsageError
from celwright.rpc.generated import celwright_pb2 as pb

CHUNK_BYTES = 1 << 20
ICC_BYTES = 1 << 20
HASH_BYTES = 32
_SAMPLE_TYPES: dict[int, np.dtype[Any]] = {8: np.dtype(np.uint8), 16: np.dtype("<u2")}


def samples(data: NDArray[Any]) -> memoryview:
    """The samples of (H, W, C) as they go over the wire: rows from the top, 16 bit little-endian; no copy if so."""
    plain = np.ascontiguousarray(data, dtype=_SAMPLE_TYPES[8 * data.dtype.itemsize])
    return plain.reshape(-1).view(np.uint8).data


def content_hash(data: NDArray[Any]) -> bytes:
    """BLAKE2b (32 bytes) of layout and samples, as celwright.proto defines it."""
    height, width, channels = data.shape
    digest = hashlib.blake2b(
        f"{width}x{height}x{channels}x{8 * data.dtype.itemsize}\n".encode(), digest_size=HASH_BYTES
    )
    digest.update(samples(data))
    return digest.digest()


def image_start(name: str, image: Pixels, *, content_hash: bytes = b"", reuse: bool = False) -> pb.ImageStart:
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


def chunks(image: Pixels) -> Iterator[bytes]:
    """The image's samples in pieces of at most 1 MiB."""
    view = samples(image.data)
    for start in range(0, len(view), CHUNK_BYTES):
        yield bytes(view[start : start + CHUNK_BYTES])


def byte_count(start: pb.ImageStart) -> int:
    """Bytes that the image's samples take; WrongUsageError or UnusableInputError for a start that makes no sense."""
    name = start.name
    if start.encoding != pb.ENCODING_RAW:
        raise WrongUsageError(f"The image {name!r} has the encoding {start.encoding}; 0 (raw samples) is allowed.")
    if not 1 <= start.channels <= 4:
        raise WrongUsageError(f"The image {name!r} has {start.channels} channels; 1 to 4 are allowed.")
    if start.depth not in _SAMPLE_TYPES:
        raise WrongUsageError(f"The image {name!r} has {start.depth} bits a channel; 8 or 16 are allowed.")
    if len(start.icc) > ICC_BYTES:
        raise WrongUsageError(
            f"The image {name!r} has an ICC profile of {len(start.icc)} bytes; at most {ICC_BYTES} are allowed."
        )
    if len(start.content_hash) not in (0, HASH_BYTES):
        raise WrongUsageError(
            f"The image {name!r} has a content hash of {len(start.content_hash)} bytes; {HASH_BYTES} are needed."
        )
    if start.reuse and not start.content_hash:
        raise WrongUsageError(
            f"The image {name!r} is to be reused but has no content hash; send the hash or the image."
        )
    check_size(start.width, start.height)
    return int(start.width * start.height * start.channels * start.depth // 8)


class IncomingImage:
    """An image while its bytes arrive. Memory is allocated only for a start that ``byte_count`` accepts."""

    def __init__(self, start: pb.ImageStart) -> None:
        self.start = start
        self.bytes = byte_count(start)
        self._filled = 0
        self._data = np.empty((start.height, start.width, start.channels), _SAMPLE_TYPES[start.depth])
        self._view = self._data.reshape(-1).view(np.uint8).data

    @property
    def complete(self) -> bool:
        return self._filled == self.bytes

    def take(self, chunk: bytes) -> None:
        """Append ``chunk``; WrongUsageError if it is empty, larger than 1 MiB or more than the image has left."""
        if not 1 <= len(chunk) <= CHUNK_BYTES:
            raise WrongUsageError(
                f"The image {self.start.name!r} got a chunk of {len(chunk)} bytes; 1 to {CHUNK_BYTES} are allowed."
            )
        end = self._filled + len(chunk)
        if end > self.bytes:
            raise WrongUsageError(
                f"The image {self.start.name!r} came with {end} bytes or more; its layout needs {self.bytes}."
            )
        self._view[self._filled : end] = chunk
        self._filled = end

    def pixels(self) -> Pixels:
        """The image, read-only because others may share it; WrongUsageError while bytes are missing."""
        if not self.complete:
            raise WrongUsageError(
                f"The image {self.start.name!r} ended after {self._filled} bytes; its layout needs {self.bytes}."
            )
        data = self._data.astype(self._data.dtype.newbyteorder("="), copy=False)
        data.setflags(write=False)
        return placed(data, self.start)


def placed(data: NDArray[Any], start: pb.ImageStart) -> Pixels:
    """``data`` with the offset and the ICC profile that ``start`` states."""
    return Pixels(data, (start.offset_x, start.offset_y), start.icc)
