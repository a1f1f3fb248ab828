"""TLS files on disk, for a daemon that other machines may reach and for its clients. Knows no gRPC."""

from pathlib import Path

from celwright.errors import WrongUsageError


def read_file(path: Path) -> bytes:
    """The content of a PEM file; WrongUsageError when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise WrongUsageError(f"The TLS file {str(path)!r} cannot be read ({error.strerror}); name another.") from None
