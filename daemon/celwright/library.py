"""Characters and palettes that the user keeps, as plain files that anybody can read, copy and share.

``library/NAME/image.png``, ``mask.png`` (white: the character) and ``palette.gpl``, and palettes without a character
as ``palettes/NAME.gpl``, all in the user's folder, where the plugin for Krita reads and writes them too. Knows files;
nothing of what references and palettes do.
"""

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from celwright.domain import Palette, Pixels, Reference
from celwright.errors import OutputError, WrongUsageError
from celwright.imaging.files import read_picture
from celwright.imaging.palettes import read_palette, write_palette
from celwright.imaging.saving import write_png

IMAGE, MASK, PALETTE = "image.png", "mask.png", "palette.gpl"
_UNFIT = re.compile(r'[\x00-\x1f<>:"/\\|?*]|^\.|[. ]$')  # in a file's name, on any system
_LONGEST = 80


@dataclass(frozen=True)
class Character:
    """What there is of one: its picture's size in pixels, and whether it has a mask and a palette."""

    name: str
    width: int
    height: int
    mask: bool
    palette: bool


class Library:
    """What lies in ``folder``, which need not be there yet."""

    def __init__(self, folder: Path) -> None:
        self._characters, self._palettes = folder / "library", folder / "palettes"

    def names(self) -> list[str]:
        """The characters', in order."""
        found = self._characters.glob(f"*/{IMAGE}")
        return sorted((path.parent.name for path in found if path.parent.name[0] != "."), key=str.casefold)

    def characters(self) -> Iterator[Character]:
        """Raises UnusableInputError when a picture cannot be read."""
        for name in self.names():
            image, _ = read_picture(self._file(name, IMAGE))
            mask, palette = (self._file(name, which).is_file() for which in (MASK, PALETTE))
            yield Character(name, image.width, image.height, mask, palette)

    def reference(self, name: str) -> Reference:
        """The character of that name. Raises WrongUsageError when there is none or its mask does not fit."""
        self._check_known(name)
        image, _ = read_picture(self._file(name, IMAGE))
        mask = self._file(name, MASK)
        return Reference(image, read_picture(mask)[0] if mask.is_file() else None)

    def palette(self, name: str) -> Palette:
        """The saved palette of that name, else the character's. Raises WrongUsageError when there is neither."""
        for path in (self._palettes / f"{name}.gpl", self._file(name, PALETTE)):
            if _fit(name) and path.is_file():
                return read_palette(path)
        own = [other for other in self.names() if self._file(other, PALETTE).is_file()]
        saved = [path.stem for path in self._palettes.glob("*.gpl")]
        known = ", ".join(sorted({*own, *saved}, key=str.casefold)) or "none"
        raise WrongUsageError(
            f"There is no palette {name!r}, neither as a file nor in the library ({known}); name a palette file, "
            f"'flatting' or 'auto', or add the palette to the library."
        )

    def add(
        self,
        name: str,
        image: Pixels,
        mask: Pixels | None = None,
        palette: Palette | None = None,
        *,
        force: bool = False,
    ) -> Path:
        """Keep a character; gives its folder, which appears whole or not at all. Raises WrongUsageError for a name
        that is unfit or taken (unless ``force``: then the old one is replaced) and a mask that does not fit the
        picture, OutputError when the disk refuses."""
        if not _fit(name):
            raise WrongUsageError(
                f"{name!r} cannot be a character's name, which is a folder's too; 1 to {_LONGEST} letters, digits and "
                f'blanks are allowed, but none of < > : " / \\ | ? *, no dot in front or at the end: choose another.'
            )
        Reference(image, mask)  # says what is wrong with them
        target = self._characters / name
        if target.exists() and not force:
            raise WrongUsageError(
                f"The library holds a character {name!r} already; use --force to replace it or choose another name."
            )
        beside = self._characters / f".{secrets.token_hex(8)}.part"
        try:
            beside.mkdir(mode=0o700, parents=True)
            write_png(beside / IMAGE, image)
            if mask is not None:
                write_png(beside / MASK, Pixels(mask.coverage()[..., None]))
            if palette is not None:
                write_palette(beside / PALETTE, palette)
            if target.exists():
                for path in beside.iterdir():
                    os.replace(path, target / path.name)
                for which, made in ((MASK, mask), (PALETTE, palette)):
                    if made is None:
                        (target / which).unlink(missing_ok=True)
            else:
                os.rename(beside, target)
        except OSError as fault:
            raise OutputError(
                f"The character {name!r} could not be written to {self._characters} ({fault.strerror or fault}): "
                f"check that folder's rights and space."
            ) from fault
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        return target

    def remove(self, name: str) -> list[Path]:
        """Delete a character's files; gives what somebody else put beside them, which stays. Raises WrongUsageError
        when there is no such character."""
        self._check_known(name)
        folder = self._characters / name
        for which in (MASK, PALETTE, IMAGE):
            (folder / which).unlink(missing_ok=True)
        left = sorted(folder.iterdir())
        if not left:
            folder.rmdir()
        return left

    def _check_known(self, name: str) -> None:
        if name not in self.names():
            known = ", ".join(self.names()) or "none"
            raise WrongUsageError(
                f"There is no character {name!r} in the library ({known}); add it with 'celwright library add'."
            )

    def _file(self, name: str, which: str) -> Path:
        return self._characters / name / which


def _fit(name: str) -> bool:
    return 0 < len(name) <= _LONGEST and not _UNFIT.search(name)
