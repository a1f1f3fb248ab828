"""Characters and palettes as plain files in the user's folder: library/NAME/{image,mask}.png, palettes/NAME.gpl.

Whoever looks into the folder can read, copy and share them. Pictures are decoded and encoded by whom the library is
given; nothing that exists is overwritten.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from typing import Callable

from celwright_krita.domain import Palette
from celwright_krita.errors import UnusableInputError, WrongUsageError
from celwright_krita.pixels import Pixels
from celwright_krita.texts import tr

ReadPicture = Callable[[str], Pixels]  # raises a CelwrightError or OSError for what is no picture
WritePicture = Callable[[str, Pixels], None]
MAX_COLORS = 4096  # in a palette; the daemon's limit
_ENDING = ".gpl"
_UNFIT = re.compile(r'[\x00-\x1f<>:"/\\|?*]|^\.|[. ]$')  # for a file's name, on any system
_COLOR = re.compile(r"\s*(\d{1,3})\s+(\d{1,3})\s+(\d{1,3})(\s|$)")


class Library:
    """In ``folder``; pictures by ``read`` and ``write``, without which there are no characters."""

    def __init__(self, folder: str, read: ReadPicture | None = None, write: WritePicture | None = None) -> None:
        self._characters = os.path.join(folder, "library")
        self._palettes = os.path.join(folder, "palettes")
        self._read, self._write = read, write

    def characters(self) -> tuple[str, ...]:
        """Their names, in order."""
        if self._read is None:
            return ()
        found = [name for name in _listed(self._characters) if os.path.isfile(self._file(name, "image.png"))]
        return tuple(sorted(found, key=str.casefold))

    def character(self, name: str) -> tuple[Pixels, Pixels | None]:
        """Picture and mask. UnusableInputError when they cannot be read."""
        if self._read is None or name not in self.characters():
            raise UnusableInputError(tr("character.gone", name=name))
        try:
            image, path = self._read(self._file(name, "image.png")), self._file(name, "mask.png")
            mask = self._read(path) if os.path.isfile(path) else None
        except OSError:
            raise UnusableInputError(tr("character.unreadable", name=name)) from None
        if mask is not None:
            if mask.size != image.size:
                raise UnusableInputError(tr("character.mask", name=name))
            mask = Pixels(bytes(mask.samples())[:: mask.channels * mask.depth // 8], mask.width, mask.height, 1)
        return image, mask

    def save_character(self, name: str, image: Pixels, mask: Pixels | None) -> None:
        """WrongUsageError for a name that cannot be a folder's or is taken; OSError when the disk refuses."""
        target = os.path.join(self._characters, _checked(name))
        if os.path.exists(target):
            raise WrongUsageError(tr("character.exists", name=name))
        if self._write is None:
            raise WrongUsageError(tr("character.gone", name=name))
        os.makedirs(self._characters, mode=0o700, exist_ok=True)
        beside = tempfile.mkdtemp(prefix=".", dir=self._characters)
        try:
            self._write(os.path.join(beside, "image.png"), image)
            if mask is not None:
                self._write(os.path.join(beside, "mask.png"), mask)
            os.rename(beside, target)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise

    def palettes(self) -> tuple[str, ...]:
        """Names of the saved palettes, and of the characters that have one."""
        saved = [name[: -len(_ENDING)] for name in _listed(self._palettes) if name.lower().endswith(_ENDING)]
        own = [name for name in _listed(self._characters) if os.path.isfile(self._file(name, f"palette{_ENDING}"))]
        return tuple(sorted({*saved, *own}, key=str.casefold))

    def palette(self, name: str) -> Palette:
        """UnusableInputError when it cannot be read or is empty."""
        path = os.path.join(self._palettes, name + _ENDING)
        if not os.path.isfile(path):
            path = self._file(name, f"palette{_ENDING}")
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                found = map(_COLOR.match, file)
                rows = [tuple(min(255, int(value)) for value in match.groups()[:3]) for match in found if match]
        except OSError:
            raise UnusableInputError(tr("palette.unreadable", name=name)) from None
        return checked_palette(name, b"".join(map(bytes, rows)))

    def save_palette(self, name: str, colors: bytes) -> None:
        """``colors`` has 3 bytes each. WrongUsageError for a name that cannot be a file's or is taken."""
        colors = checked_palette(name, colors).colors
        path = os.path.join(self._palettes, _checked(name) + _ENDING)
        starts = range(0, len(colors), 3)
        rows = ["{:3d} {:3d} {:3d}".format(*colors[start : start + 3]) for start in starts]
        lines = ["GIMP Palette", f"Name: {name}", "Columns: 0", "#", *rows]
        if os.path.exists(path):
            raise WrongUsageError(tr("palette.exists", name=name))
        try:
            os.makedirs(self._palettes, mode=0o700, exist_ok=True)
            with open(f"{path}.part", "w", encoding="utf-8", newline="\n") as file:
                file.write("\n".join(lines) + "\n")
            os.replace(f"{path}.part", path)
        except OSError as error:
            raise WrongUsageError(tr("library.unwritable", reason=error.strerror)) from None

    def _file(self, name: str, which: str) -> str:
        return os.path.join(self._characters, name, which)


def checked_palette(name: str, colors: bytes) -> Palette:
    if not 3 <= len(colors) <= 3 * MAX_COLORS or len(colors) % 3:
        raise UnusableInputError(tr("palette.colors", name=name, count=len(colors) // 3, most=MAX_COLORS))
    return Palette(name, colors)


def _checked(name: str) -> str:
    """``name``, when it can be a file's on any system."""
    if not name or len(name) > 80 or _UNFIT.search(name):
        raise WrongUsageError(tr("library.name", name=name))
    return name


def _listed(folder: str) -> list[str]:
    try:
        return [name for name in os.listdir(folder) if not name.startswith(".")]
    except OSError:
        return []
