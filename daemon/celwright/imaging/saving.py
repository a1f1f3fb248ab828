"""Files appear whole or not at all, and nothing of the user's is overwritten without being asked to.

A file is written beside its final name under a hidden one and renamed when it is complete. Knows no picture formats
but PNG.
"""

import errno
import os
import secrets
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from numpy.typing import NDArray

from celwright.domain import Pixels
from celwright.errors import CelwrightError, OutputError, WrongUsageError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


def check_output(path: Path, *, force: bool = False) -> Path:
    """Where ``path`` really is (links followed), when a file may be written there; else WrongUsageError.

    Worth calling before long work; ``write_atomically`` calls it again.
    """
    final = Path(os.path.realpath(path))
    if final.is_dir():
        raise WrongUsageError(f"{path} is a folder; name a file to write, such as {path / 'picture.psd'}.")
    if final.exists():
        if not final.is_file():
            raise WrongUsageError(f"{path} is not a regular file; name a file to write.")
        if not force:
            raise _existing(path)
    if not final.parent.is_dir():
        raise WrongUsageError(f"The folder {path.parent} does not exist; create it or choose another for {path.name}.")
    return final


@contextmanager
def write_atomically(path: Path, *, force: bool = False) -> Iterator[BinaryIO]:
    """A binary stream whose content is at ``path`` when the block ends without a fault, and nowhere otherwise.

    Raises WrongUsageError for a missing folder and, without ``force``, for an existing file; OutputError when the
    operating system refuses (forbidden folder, full disk).
    """
    final = check_output(path, force=force)
    hidden = final.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with open(hidden, "xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        if force:
            os.replace(hidden, final)
        else:
            _rename_unless_taken(hidden, final, path)
    except OSError as fault:
        raise _refused(path, fault) from fault
    finally:
        with suppress(OSError):
            hidden.unlink()


def write_png(path: Path, pixels: Pixels, *, force: bool = False) -> None:
    """Write 8 or 16 bit pixels with their ICC profile as PNG. Faults as ``write_atomically``."""
    with write_atomically(path, force=force) as stream:
        # OpenCV writes no grey with alpha.
        stream.write(encoded_png(pixels.rgba().data if pixels.channels == 2 else pixels.data, pixels.icc))


def encoded_png(data: NDArray[Any], icc: bytes = b"") -> bytes:
    """The PNG file of (H, W, C) uint8 or uint16 data, C = 1, 3 or 4; the same pixels give the same bytes."""
    import cv2

    if data.shape[2] > 1:
        data = cv2.cvtColor(data, cv2.COLOR_RGB2BGR if data.shape[2] == 3 else cv2.COLOR_RGBA2BGRA)
    # On drawings this is three times as fast as the default at about the same size.
    fast = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
    fast += [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP]
    encoded = cv2.imencode(".png", data, fast)[1].tobytes()
    if not icc or data.shape[2] == 1:  # a profile for RGB has no place in a grey file
        return encoded
    # OpenCV writes no profile: an iCCP chunk goes behind the header chunk, which ends at byte 33 (PNG, 11.3.2.3).
    body = b"iCCP" + b"ICC profile\0\0" + zlib.compress(icc)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return encoded[:33] + chunk + encoded[33:]


def _rename_unless_taken(hidden: Path, final: Path, path: Path) -> None:
    """Give the finished file its name, unless another process took that name in the meantime."""
    try:
        os.link(hidden, final)
    except FileExistsError:
        raise _existing(path) from None
    except OSError:  # a file system without hard links
        if final.exists():
            raise _existing(path) from None
        os.replace(hidden, final)


def _existing(path: Path) -> WrongUsageError:
    return WrongUsageError(f"{path} exists already; use --force to overwrite it or choose another name.")


def _refused(path: Path, fault: OSError) -> CelwrightError:
    if fault.errno in _FULL:
        return OutputError(f"{path} could not be written, the disk is full: free some space or choose another disk.")
    if fault.errno in _FORBIDDEN:
        return OutputError(f"{path} could not be written, its folder is read-only: choose another folder.")
    return OutputError(f"{path} could not be written ({fault.strerror or fault}): choose another name or folder.")
