"""The secret that a client shows on TCP: made once for each user, readable by that user only. Knows no grpc."""

import contextlib
import os
import secrets
from pathlib import Path

from celwright.errors import AccessDeniedError, WrongUsageError


def private_folder(folder: Path) -> None:
    """Make ``folder`` for its owner only (0700) unless it is there; what is there stays as it is."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise WrongUsageError(
            f"The folder {str(folder)!r} cannot be made ({error.strerror}); name another with CELWRIGHT_SOCKET and "
            f"CELWRIGHT_TOKEN_FILE."
        ) from error


def created_token(path: Path) -> str:
    """The token in ``path``; a new one (256 random bits, 0600) when the file is not there.

    The file is written beside and linked into place, so that of two daemons starting together one makes the token
    and the other reads it whole. Raises WrongUsageError when it cannot be written, or others could read it.
    """
    private_folder(path.parent)
    beside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        if not path.exists():
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                with os.fdopen(descriptor, "w", encoding="ascii") as file:
                    file.write(secrets.token_urlsafe(32))
                with contextlib.suppress(FileExistsError):  # another daemon has made one meanwhile
                    os.link(beside, path)
            finally:
                beside.unlink()
    except OSError as error:
        raise WrongUsageError(
            f"The token file {str(path)!r} cannot be written ({error.strerror}); name another place with "
            f"CELWRIGHT_TOKEN_FILE."
        ) from error
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise WrongUsageError(
            f"The token file {str(path)!r} can be read by other users; only its owner may: run chmod 600 on it, or "
            f"remove it and a new one is made."
        )
    return read_token(path)


def read_token(path: Path) -> str:
    """The token in ``path``; AccessDeniedError when there is none."""
    try:
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        token = ""
    if not token:
        raise AccessDeniedError(
            f"No token can be read from {str(path)!r}; the daemon makes one when it starts on a port: start it, or "
            f"name the file with CELWRIGHT_TOKEN_FILE."
        )
    return token
