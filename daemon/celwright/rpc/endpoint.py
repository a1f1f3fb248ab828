"""One daemon for each Unix socket: a lock tells whether one lives, a socket that nobody answers is cleared away.

gRPC itself would take a living daemon's socket away without a word. Knows no gRPC.
"""

import contextlib
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

from celwright.access_token import private_folder
from celwright.errors import WrongUsageError

PROBE_SECONDS = 2.0  # a living daemon answers a connection at once


@contextlib.contextmanager
def claimed_socket(path: Path) -> Iterator[None]:
    """Hold ``path`` for a server that is about to bind it; remove the socket at the end.

    Raises WrongUsageError when a daemon listens there, when something else than a socket is there, or when others
    could put a socket of their own in its place.
    """
    import fcntl  # POSIX only, like the sockets

    private_folder(path.parent)
    _check_folder(path.parent)
    beside = path.with_name(f"{path.name}.lock")
    try:
        lock = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise WrongUsageError(
            f"The file {str(beside)!r} cannot be written ({error.strerror}); choose a folder of your own with --socket "
            f"or CELWRIGHT_SOCKET."
        ) from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _taken(path) from None
        except OSError:
            pass  # a file system without locks: asking the socket has to do
        _clear_stale(path)
        try:
            yield
        finally:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
    finally:
        os.close(lock)  # the file stays: removing it would let two daemons hold two locks


def _clear_stale(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise WrongUsageError(f"{str(path)!r} is there and not a socket; choose another path for the daemon's socket.")
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(PROBE_SECONDS)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except OSError:
            pass  # busy or not ours to ask: somebody lives there
    raise _taken(path)


def _taken(path: Path) -> WrongUsageError:
    return WrongUsageError(
        f"A daemon listens at {str(path)!r} already; use that one, or end it first, or choose another --socket."
    )


def _check_folder(folder: Path) -> None:
    """A folder that others may write to serves only when they cannot rename what is ours, as in /tmp (sticky)."""
    found = folder.stat()
    others_write = found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX
    if others_write or found.st_uid not in (0, os.geteuid()):
        raise WrongUsageError(
            f"Other users may change the folder {str(folder)!r}, and so the daemon's socket in it; choose a folder of "
            f"your own with --socket or CELWRIGHT_SOCKET."
        )
