"""The daemon as a process of ours: how it is found and started, and that it ends with us. Knows nothing of the wire.

The painting program's own Python and Qt must not reach it: its environment is cleaned. It leads a process group of its
own, and is told our process id, so that it ends even when the painting program is killed.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import shutil
import signal
import subprocess
import threading
import time
from typing import Iterator, Mapping

from celwright_krita.errors import DaemonUnreachableError
from celwright_krita.session.faults import DaemonMissingError
from celwright_krita.session.worker import Stop
from celwright_krita.settings import UNIX, user_folder
from celwright_krita.texts import tr

log = logging.getLogger(__name__)

READY_SECONDS = 60.0  # for the first start on a cold disk
LOOK_SECONDS = 0.1  # between two looks whether it has ended, or starting was given up
END_SECONDS = 3.0  # after SIGTERM, until it is killed
LOG_BYTES = 256 << 10  # of what it wrote before, that is kept
FOREIGN = ("PYTHON", "LD_", "DYLD_", "QT_", "QML", "KDE_", "GTK_", "GIO_", "APPIMAGE", "APPDIR")  # beginnings of names
_READY = "ready on "


def command(environment: Mapping[str, str]) -> str:
    """The program to start; DaemonMissingError when there is none. CELWRIGHT_COMMAND goes before the installers' link
    in the user's folder, and that before PATH."""
    told = environment.get("CELWRIGHT_COMMAND", "").strip()
    path = environment.get("PATH", os.defpath)
    if told:
        found = shutil.which(os.path.expanduser(told), path=path)
        if found is None:
            raise DaemonMissingError(tr("daemon.command", command=told))
        return found
    inside = ("venv", "bin", "celwright") if UNIX else ("venv", "Scripts", "celwright.exe")
    for candidate in (os.path.join(user_folder(environment), *inside), "celwright"):
        found = shutil.which(candidate, path=path)
        if found is not None:
            return found
    raise DaemonMissingError(tr("daemon.missing"))


def cleaned(environment: Mapping[str, str]) -> dict[str, str]:
    """``environment`` without what the painting program set for itself."""
    return {name: value for name, value in environment.items() if not name.upper().startswith(FOREIGN)}


class DaemonProcess:
    """At most one process. Its methods are called by one thread at a time, but ``end``, which any may call."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._process: subprocess.Popen | None = None

    @property
    def running(self) -> bool:
        """Whether a process that we started lives; one that has ended is reaped by asking."""
        return self._process is not None and self._process.poll() is None

    def start(self, stop: Stop) -> Iterator[None]:
        """Start it and wait until it says that it is ready, yielding now and then. Raises DaemonMissingError, or
        DaemonUnreachableError with the daemon's own sentence when it ends before it is ready."""
        arguments = [command(self._environment), "serve", "--owner-pid", str(os.getpid())]
        folder = user_folder(self._environment)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        journal = os.path.join(folder, "daemon.log")
        log.info("Starting the daemon")
        with open(journal, "ab" if _small(journal) else "wb") as errors:
            begun = errors.seek(0, os.SEEK_END)
            try:
                self._process = process = subprocess.Popen(
                    arguments,
                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
                    cwd=folder, env=cleaned(self._environment), **_own_group(),
                )  # fmt: skip
            except OSError as error:
                raise DaemonMissingError(tr("daemon.unstartable", reason=error.strerror or str(error))) from None
        try:
            yield from self._ready(process, journal, begun)
        except BaseException:
            self.end()
            raise

    def _ready(self, process: subprocess.Popen, journal: str, begun: int) -> Iterator[None]:
        lines: queue.Queue = queue.Queue()
        reader = threading.Thread(target=_read, args=(process.stdout, lines), name="celwright-daemon", daemon=True)
        reader.start()
        patience = time.monotonic() + READY_SECONDS
        while True:
            with contextlib.suppress(queue.Empty):
                line = lines.get(timeout=LOOK_SECONDS)
                if line is None:
                    process.wait(END_SECONDS)
                    raise DaemonUnreachableError(_last_words(journal, begun, process.returncode))
                if line.startswith(_READY):
                    return
            if time.monotonic() > patience:
                raise DaemonUnreachableError(tr("daemon.slow", seconds=int(READY_SECONDS)))
            yield

    def end(self, seconds: float = END_SECONDS) -> None:
        """End it and reap it: a word to its group, ``seconds`` of patience, then by force."""
        process = self._process
        if process is None:
            return
        log.info("Ending the daemon")
        _signal(process, getattr(signal, "SIGTERM", None))
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            _signal(process, getattr(signal, "SIGKILL", None))
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
        self._process = None


def _own_group() -> dict:
    if UNIX:
        return {"start_new_session": True}
    flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0) | getattr(subprocess, "CREATE_NO_WINDOW", 0)
    return {"creationflags": flags}


def _signal(process: subprocess.Popen, number: int | None) -> None:
    """To the whole group, which is the daemon's own; without signals (Windows) the process is ended."""
    if process.poll() is not None:
        return
    with contextlib.suppress(OSError):
        if UNIX and number is not None:
            os.killpg(process.pid, number)
        else:
            process.terminate()


def _read(stream, lines: queue.Queue) -> None:
    """Until the daemon closes its end, so that it never waits for us to read."""
    with stream:
        for line in stream:
            lines.put(line.decode("utf-8", "replace").strip())
    lines.put(None)


def _last_words(journal: str, begun: int, code: int | None) -> str:
    """The daemon's own sentence on why it ended."""
    with contextlib.suppress(OSError), open(journal, "rb") as file:
        file.seek(begun)
        lines = file.read(LOG_BYTES).decode("utf-8", "replace").splitlines()
        if any("unrecognized arguments" in line for line in lines):
            return tr("daemon.old")
        said = [line.partition("celwright: ")[2].strip() for line in lines if line.startswith("celwright: ")]
        if said:
            return said[-1]
    return tr("daemon.ended", code=code)


def _small(path: str) -> bool:
    return os.path.isfile(path) and os.path.getsize(path) <= LOG_BYTES
