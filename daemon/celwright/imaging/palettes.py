"""Palette files become palettes: GIMP (GPL), Adobe swatch exchange (ASE), JSON, and lines of hex colours; palettes
become GIMP's.

The kind is told by the content, not by the file's name. Each fault names its place in the file. Does not know what
palettes are used for.
"""

import json
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from celwright.domain import Palette
from celwright.errors import CelwrightError, UnusableInputError, WrongUsageError
from celwright.imaging.color import lab_to_srgb
from celwright.imaging.saving import write_atomically

KINDS = "a GIMP palette (.gpl), an Adobe swatch exchange (.ase), JSON, or lines of #rrggbb"
_MAX_BYTES = 4 << 20
_HEX = re.compile(r"#?([0-9a-fA-F]{6}|[0-9a-fA-F]{3})")
_COLORS_ALLOWED = "'#rrggbb' or three whole numbers from 0 to 255 are allowed"

_Color = tuple[int, int, int]


def read_palette(path: Path) -> Palette:
    """The distinct colours of a palette file in the file's order, under the palette's or else the file's name.

    Raises WrongUsageError when there is no such file, UnusableInputError when its content cannot serve.
    """
    data = _bytes_of(path)
    try:
        name, colors = _parsed(data)
        if not colors:
            raise _Fault("holds no colour; add at least one")
        palette = Palette(name or path.stem, np.array(list(dict.fromkeys(colors)), np.uint8))
    except _Fault as fault:
        raise UnusableInputError(f"The palette {path} {fault}.") from None
    return palette


def write_palette(path: Path, palette: Palette, *, force: bool = False) -> None:
    """Write a GIMP palette. Faults as ``write_atomically``."""
    name = " ".join(palette.name.split())
    rows = ["{:3d} {:3d} {:3d}".format(*color) for color in palette.colors.tolist()]
    lines = ["GIMP Palette", f"Name: {name}", "Columns: 0", "#", *rows]
    with write_atomically(path, force=force) as stream:
        stream.write(("\n".join(lines) + "\n").encode())


class _Fault(CelwrightError):
    """What is wrong, as the rest of a sentence that begins with the palette's path."""


def _bytes_of(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise WrongUsageError(f"The palette {path} is a folder; name a palette file.")
        size = path.stat().st_size
        if size > _MAX_BYTES:
            raise UnusableInputError(
                f"The palette {path} has {size / 1e6:.1f} MB; at most {_MAX_BYTES / 1e6:.1f} MB are allowed: "
                f"is it a palette file?"
            )
        return path.read_bytes()
    except FileNotFoundError:
        raise WrongUsageError(f"The palette {path} does not exist; check its path.") from None
    except OSError as error:
        raise UnusableInputError(f"The palette {path} cannot be read ({error.strerror}); check its rights.") from None


def _parsed(data: bytes) -> tuple[str, list[_Color]]:
    if data.startswith(b"ASEF"):
        return "", _ase(data)
    unknown = _Fault(f"is of an unknown kind; {KINDS} is allowed: export it as one of these")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise unknown from None
    if "\0" in text:
        raise unknown
    if not text.strip():
        raise _Fault("is empty; add at least one colour")
    if text.startswith("GIMP Palette"):
        return _gpl(text)
    if text.lstrip()[0] in "[{":
        return _json(text)
    lines = list(_lines(text))
    if lines and not any(_HEX.fullmatch(line) for _, line in lines):
        raise unknown
    return "", [_hex_line(number, line) for number, line in lines]


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Numbered lines without blank ones and comments (``;``, ``//``, or ``#`` before anything but a hex digit)."""
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip()
        if line and not re.match(r";|//|#(?![0-9a-fA-F])", line):
            yield number, line


def _hex_line(number: int, line: str) -> _Color:
    color = _hex(line)
    if color is None:
        raise _Fault(f"has {line[:40]!r} in line {number}; one '#rrggbb' a line is allowed: correct that line")
    return color


def _hex(text: str) -> _Color | None:
    match = _HEX.fullmatch(text.strip())
    if match is None:
        return None
    digits = match[1] if len(match[1]) == 6 else "".join(2 * digit for digit in match[1])
    red, green, blue = bytes.fromhex(digits)
    return red, green, blue


def _gpl(text: str) -> tuple[str, list[_Color]]:
    """GIMP's palette: a first line, ``Name:`` and ``Columns:``, comments, then ``R G B`` with an optional name."""
    name, colors = "", []
    for number, line in list(_lines(text))[1:]:
        if line.startswith("Name:"):
            name = line[5:].strip()
        elif not line.startswith(("Columns:", "#")):
            match = re.match(r"(\d+)\s+(\d+)\s+(\d+)(?:\s|$)", line)
            color = _color([int(digits) for digits in match.groups()]) if match else None
            if color is None:
                raise _Fault(
                    f"has {line[:40]!r} in line {number}; three numbers from 0 to 255 and a name are allowed: "
                    f"correct that line"
                )
            colors.append(color)
    return name, colors


def _json(text: str) -> tuple[str, list[_Color]]:
    """A list of colours, or an object with ``colors`` and perhaps ``name``."""
    try:
        content: Any = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        place = f" in line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise _Fault(f"is not valid JSON{place}; check its brackets, commas and quotes") from None
    name = ""
    if isinstance(content, dict):
        name, content = str(content.get("name", "")), content.get("colors")
    if not isinstance(content, list):
        raise _Fault("has no list of colours; a list, or an object with 'colors', is allowed: add one")
    colors = []
    for number, entry in enumerate(content, start=1):
        color = _hex(entry) if isinstance(entry, str) else _color(entry)
        if color is None:
            raise _Fault(f"has {json.dumps(entry)[:40]} as colour {number}; {_COLORS_ALLOWED}: correct that entry")
        colors.append(color)
    return name, colors


def _color(entry: Any) -> _Color | None:
    if not isinstance(entry, list) or len(entry) != 3:
        return None
    if not all(type(part) is int and 0 <= part <= 255 for part in entry):
        return None
    return entry[0], entry[1], entry[2]


def _ase(data: bytes) -> list[_Color]:
    """Adobe swatch exchange: big-endian blocks (type, length, body); colour blocks are type 1."""
    colors = []
    try:
        (count,) = struct.unpack_from(">I", data, 8)
        place = 12
        for _ in range(count):
            kind, length = struct.unpack_from(">HI", data, place)
            body = data[place + 6 : place + 6 + length]
            place += 6 + length
            if place > len(data):
                raise _Fault("ends in the middle of a colour block; export it again")
            if kind == 0x0001:
                colors.append(_ase_color(body))
    except struct.error:
        raise _Fault("ends in the middle of a colour block; export it again") from None
    return colors


def _ase_color(body: bytes) -> _Color:
    """One swatch: name (UTF-16 with its length), a four-letter model, its parts as float32, and a use."""
    (letters,) = struct.unpack_from(">H", body)
    start = 2 + 2 * letters
    name = body[2:start].decode("utf-16-be", "replace").rstrip("\0")
    model = body[start : start + 4].decode("latin-1").strip()
    size = {"RGB": 3, "LAB": 3, "Gray": 1}.get(model)
    if size is None:
        raise _Fault(
            f"has the colour {name!r} in the model {model!r}, which means nothing on a screen without a printer's "
            f"profile; RGB, LAB and Gray are allowed: convert the swatches to RGB"
        )
    parts = np.array(struct.unpack_from(f">{size}f", body, start + 4), np.float32)
    if not np.isfinite(parts).all():
        raise _Fault(f"has the colour {name!r} with a part that is no number; export it again")
    # Adobe's LAB is meant under D50 as ours under D65: taken over as it is, white stays white.
    srgb = lab_to_srgb(parts * np.array([100, 1, 1], np.float32)) if model == "LAB" else np.broadcast_to(parts, 3)
    red, green, blue = (int(part) for part in np.rint(np.clip(srgb, 0, 1) * 255))
    return red, green, blue
