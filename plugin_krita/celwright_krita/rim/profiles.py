"""The bytes of an ICC profile, of which Krita gives the name only: read from a small picture that Krita writes."""

from __future__ import annotations

import os
import tempfile
import zlib
from typing import Any, Iterator

from krita import InfoObject

_SIDE = 8
_known: dict[tuple[str, str, str], bytes] = {}


def profile_bytes(document: Any) -> bytes:
    """The profile of an RGBA or GRAYA ``document`` with U8 or U16; empty for others, and where Krita does not give it
    out. Once for each profile a cropped copy, which stands in no list, is written as PNG: some 10 ms."""
    model, depth, name = document.colorModel(), document.colorDepth(), document.colorProfile()
    if model not in ("RGBA", "GRAYA") or depth not in ("U8", "U16") or not name:
        return b""
    if (model, depth, name) not in _known:
        _known[model, depth, name] = _exported(document)
    return _known[model, depth, name]


def _exported(document: Any) -> bytes:
    copy = document.clone()
    try:
        copy.setBatchmode(True)  # no dialog with options
        copy.crop(0, 0, _SIDE, _SIDE)
        copy.waitForDone()
        wanted = InfoObject()
        wanted.setProperty("saveSRGBProfile", True)  # else a plain sRGB is only named
        wanted.setProperty("forceSRGB", False)
        with tempfile.TemporaryDirectory(prefix="celwright") as folder:
            path = os.path.join(folder, "profile.png")
            if not copy.exportImage(path, wanted):
                return b""
            with open(path, "rb") as file:
                return profile_in_png(file.read())
    except OSError:
        return b""
    finally:
        copy.close()


def profile_in_png(data: bytes) -> bytes:
    """What the chunk iCCP holds (PNG specification, 11.3.2.3): name, zero, method 0, deflated profile; else empty."""
    for kind, content in _chunks(data):
        if kind == b"iCCP":
            return zlib.decompress(content[content.index(b"\0") + 2 :])
    return b""


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    start = 8  # after the signature; then length, kind, content, checksum again and again
    while start + 12 <= len(data):
        length = int.from_bytes(data[start : start + 4], "big")
        yield data[start + 4 : start + 8], data[start + 8 : start + 8 + length]
        start += 12 + length
