"""Messages in a stream of bytes, as gRPC packs them: a flag byte, the length in 4 bytes, the message's bytes."""

from __future__ import annotations

import struct
from typing import Union

MESSAGE_LIMIT = 4 << 20  # bytes; a chunk has 1 MiB, an image's start at most as much for its ICC profile
PREFIX = struct.Struct(">?I")  # compressed?, length
Buffer = Union[bytes, memoryview]


class Unpacker:
    """Takes messages out of a stream that may be cut anywhere; the pieces of one message are joined once."""

    def __init__(self) -> None:
        self._pieces: list[Buffer] = []
        self._wanted = PREFIX.size  # bytes until the prefix or the body is complete
        self._in_body = False

    def messages(self, data: bytes) -> list[bytes]:
        """The messages that ``data`` completes; ValueError for what cannot be one."""
        complete = []
        view = memoryview(data)
        while len(view):
            piece, view = view[: self._wanted], view[self._wanted :]
            self._pieces.append(piece)
            self._wanted -= len(piece)
            if not self._wanted and not self._in_body:
                compressed, self._wanted = PREFIX.unpack(self._joined())
                if compressed or self._wanted > MESSAGE_LIMIT:
                    raise ValueError("compressed or too long")
                self._in_body = True
            if not self._wanted:
                complete.append(self._joined())
                self._wanted, self._in_body = PREFIX.size, False
        return complete

    @property
    def between_messages(self) -> bool:
        return not self._pieces and not self._in_body

    def _joined(self) -> bytes:
        whole = b"".join(self._pieces)
        self._pieces = []
        return whole
