"""Waits for another process to end: a daemon that a program started must not outlive it. Knows no daemon."""

import os
import select
import sys
import threading
import time
from collections.abc import Callable

from celwright.errors import WrongUsageError

POLL_SECONDS = 1.0  # where the system cannot tell us
_SYNCHRONIZE, _INFINITE = 0x00100000, 0xFFFFFFFF  # Windows


def when_gone(pid: int, tell: Callable[[], None]) -> None:
    """Call ``tell`` on a thread of its own once the process ``pid`` has ended; at once if there is none. Raises
    WrongUsageError for what cannot be a process."""
    if pid < 1:
        raise WrongUsageError(
            f"--owner-pid is {pid}; a process's number, 1 or more, is needed: correct or leave it out."
        )

    def wait() -> None:
        _wait(pid)
        tell()

    threading.Thread(target=wait, name="celwright-owner", daemon=True).start()


def _wait(pid: int) -> None:
    """A handle is asked for where there is one: the number of an ended process may become another's."""
    if sys.platform == "win32":
        _wait_on_windows(pid)
    elif hasattr(os, "pidfd_open"):
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        except OSError:  # an older kernel
            _poll(pid)
            return
        try:
            select.select([handle], [], [])
        finally:
            os.close(handle)
    else:
        _poll(pid)


def _poll(pid: int) -> None:
    while True:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        except PermissionError:
            pass  # it lives, as another user
        time.sleep(POLL_SECONDS)


def _wait_on_windows(pid: int) -> None:
    import ctypes

    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined]
    handle = kernel.OpenProcess(_SYNCHRONIZE, False, pid)
    if handle:
        kernel.WaitForSingleObject(handle, _INFINITE)
        kernel.CloseHandle(handle)
