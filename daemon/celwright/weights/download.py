"""Fetch one file over HTTP until it is whole and its hash is right, through every way a server may fail.

A partial file stays where it is and the next try goes on from its end (RFC 9110, 14.2 Range, 13.1.5 If-Range); a file
that has changed in the meantime is begun again. Knows sizes, hashes and partial files; does not know what a model is.
"""

import hashlib
import os
import re
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from celwright.errors import ModelUnavailableError, OutputError
from celwright.weights.transport import BLOCK, Address, PassingError, ShorterThereError, answered, block, validator

TRIES = 5  # in a row that bring nothing new


def fetch(
    address: Address, target: Path, size: int, sha256: str, pause: Callable[[float], None] = time.sleep
) -> Iterator[int]:
    """Make ``target`` the file at ``address``; yields how many bytes of it are there, again and again. What is there
    already is kept and used. Ceasing to iterate stops it, and the next call goes on.

    Raises ModelUnavailableError when the server does not give the file of this ``size`` and ``sha256`` (a wrong file is
    deleted), OutputError when the disk does not take it. ``pause`` waits so many seconds before another try.
    """
    version = target.with_name(f"{target.name}.etag")
    with _writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    for may_begin_again in (True, False):
        pieced = yield from _complete(address, target, version, size, pause)
        digest = yield from _digest(target)
        if digest == sha256:
            with _writing(target), open(target, "rb+") as stream:
                os.fsync(stream.fileno())
            _discard(version)
            return
        _discard(target, version)
        if not (pieced and may_begin_again):  # pieces of two versions, when the server cannot tell them apart
            raise ModelUnavailableError(
                f"The file {address.url} arrived with SHA-256 {digest}, the catalogue names {sha256}; it was deleted: "
                f"try another mirror, and do not use a file whose hash differs."
            )


def _complete(
    address: Address, target: Path, version: Path, size: int, pause: Callable[[float], None]
) -> Generator[int, None, bool]:
    """Receive until ``target`` has ``size`` bytes; returns whether they may come from more than one answer."""
    if _bytes_of(target) > size:
        _discard(target, version)
    failures, furthest = 0, _bytes_of(target)
    pieced = furthest == size
    while (there := _bytes_of(target)) < size:
        yield there  # the moment to stop between two tries
        pieced = pieced or there > 0
        reason = "the connection ended early"
        try:
            yield from _received(address, target, version, there, size)
        except ShorterThereError as fault:
            _discard(target, version)
            reason = str(fault)
        except PassingError as fault:
            reason = str(fault)
        there = _bytes_of(target)
        failures = 0 if there > furthest else failures + 1
        furthest = max(furthest, there)
        if failures >= TRIES:
            raise ModelUnavailableError(
                f"The file {address.url} cannot be fetched now ({reason}; {there} of {size} bytes are here): "
                f"try again later, it goes on from there."
            )
        if there < size:
            pause(2.0**failures)
    yield size
    return pieced


def _received(address: Address, target: Path, version: Path, there: int, size: int) -> Iterator[int]:
    """One request and what it brings, written behind the ``there`` bytes or from the start."""
    known = version.read_text(encoding="ascii") if there and version.is_file() else ""
    with answered(address, there, known) as answer:
        if not _continues(answer, there, size, known, address.url):
            _discard(target, version)
            if answer.status == 206:
                raise PassingError("another part came than the one asked for")
            there = 0
            with _writing(version):
                version.write_text(validator(answer), encoding="ascii")
        with _writing(target), open(target, "ab") as stream:
            while arrived := block(answer):
                there += len(arrived)
                if there > size:
                    _discard(target, version)
                    raise ModelUnavailableError(
                        f"The file {address.url} goes on after the {size} bytes that the catalogue names; it was "
                        f"deleted: try another mirror, or correct the catalogue."
                    )
                stream.write(arrived)
                stream.flush()
                yield there


def _continues(answer: Any, there: int, size: int, known: str, url: str) -> bool:
    """Whether the answer goes on at byte ``there``; raises ModelUnavailableError when it announces another size."""
    announced, continues = answer.length, False
    if answer.status == 206:
        span = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", ""))
        announced = int(span[2]) if span and span[2] != "*" else None
        came = validator(answer)
        continues = span is not None and int(span[1]) == there > 0 and came in ("", known or came)
    if announced not in (None, size) and (continues or answer.status == 200):
        raise ModelUnavailableError(
            f"The file {url} is announced with {announced} bytes, the catalogue names {size}: try another mirror, or "
            f"correct the catalogue."
        )
    return continues


def _digest(path: Path) -> Generator[int, None, str]:
    """SHA-256 of the file; yields its size as it goes, so that it can be stopped."""
    digest, size = hashlib.sha256(), _bytes_of(path)
    with _writing(path), open(path, "rb") as stream:
        while read := stream.read(16 * BLOCK):
            digest.update(read)
            yield size
    return digest.hexdigest()


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        raise OutputError(
            f"{path} could not be written ({fault.strerror or fault}); free some space there, or choose another place "
            f"with CELWRIGHT_MODELS."
        ) from fault


def _bytes_of(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _discard(*paths: Path) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
