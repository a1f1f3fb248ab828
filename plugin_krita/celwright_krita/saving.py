"""A document's parts become a file, whole or not at all: written beside its name and renamed when it is complete.

Nothing of the artist's is overwritten unless that is asked for. Knows neither the wire nor Krita.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from dataclasses import dataclass
from typing import Generator

from celwright_krita.document import DocumentPart, DocumentStart
from celwright_krita.domain import Progress
from celwright_krita.errors import CelwrightError, WrongUsageError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


class OutputError(CelwrightError):
    """The file could not be written; nothing half-written stays under its name or beside it."""


class ExistingFileError(WrongUsageError):
    """A file is there already; the artist may want to replace it."""


@dataclass(frozen=True)
class Saved:
    """The document is at ``path``, which ends in .psb where a .psd was asked for and would have been too large."""

    path: str


def save(
    path: str, parts: Generator[DocumentPart, None, None], replace: bool = False
) -> Generator[Progress | Saved, None, None]:
    """Write ``parts`` (of ``Client.write_document``) to ``path``: Progress again and again, Saved at last. Nothing is
    sent to the daemon before the first is asked for; closing the iterator ends the call and leaves nothing.

    Raises, besides what ``parts`` raise, WrongUsageError for a missing folder, ExistingFileError for a file that is
    there unless it is to be ``replace``d, OutputError when the operating system refuses.
    """
    with contextlib.closing(parts):
        final = _checked(path, replace)
        hidden = os.path.join(os.path.dirname(final), f".{secrets.token_hex(8)}.part")
        try:
            with open(hidden, "xb") as file:
                size, done = 0, 0
                for part in parts:
                    if isinstance(part, DocumentStart):
                        size = part.bytes
                        final = _checked(_fitting(final, part.format), replace)
                    else:
                        file.write(part)
                        done += len(part)
                    yield Progress("save", min(1.0, done / max(size, 1)))
                file.flush()
                os.fsync(file.fileno())
            _rename(hidden, final, replace)
        except OSError as fault:
            raise _refused(path, fault) from fault
        finally:
            with contextlib.suppress(OSError):
                os.unlink(hidden)
    yield Saved(final)


def _checked(path: str, replace: bool) -> str:
    """Where ``path`` really is (links followed), when a file may be written there."""
    final = os.path.realpath(path)
    if os.path.isdir(final):
        raise WrongUsageError(f"{path} is a folder; name a file in it.")
    if not os.path.isdir(os.path.dirname(final)):
        raise WrongUsageError(f"The folder {os.path.dirname(path)} does not exist; create it or choose another.")
    if os.path.exists(final) and not replace:
        raise _existing(path)
    return final


def _fitting(path: str, became: str) -> str:
    """``path`` with the ending of what the file became: programs tell a PSB by its name."""
    stem, ending = os.path.splitext(path)
    return f"{stem}.psb" if became == "psb" and ending.lower() == ".psd" else path


def _rename(hidden: str, final: str, replace: bool) -> None:
    """Give the finished file its name; one that another program made meanwhile is not replaced either."""
    if replace:
        os.replace(hidden, final)
        return
    try:
        os.link(hidden, final)
    except FileExistsError:
        raise _existing(final) from None
    except OSError:  # a file system without hard links
        if os.path.exists(final):
            raise _existing(final) from None
        os.replace(hidden, final)


def _existing(path: str) -> ExistingFileError:
    return ExistingFileError(f"{path} exists already; replace it or choose another name.")


def _refused(path: str, fault: OSError) -> OutputError:
    if fault.errno in _FULL:
        return OutputError(f"{path} could not be written, the disk is full: free some space or choose another disk.")
    if fault.errno in _FORBIDDEN:
        return OutputError(f"{path} could not be written, its folder is read-only: choose another folder.")
    return OutputError(f"{path} could not be written ({fault.strerror or fault}): choose another name or folder.")
