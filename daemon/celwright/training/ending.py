"""A training that is asked to end, by SIGTERM or Ctrl-C, does so where nothing is half done.

Knows signals only. What is worth keeping then is the caller's to save.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Ending:
    """While entered, SIGTERM raises SystemExit(143) and SIGINT KeyboardInterrupt: at once, but within ``undivided()``
    only when that is through. Outside of the main thread, where Python delivers no signals, it does nothing."""

    def __init__(self) -> None:
        self._asked: int | None = None
        self._postponed = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "Ending":
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._ask) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    @contextmanager
    def undivided(self) -> Iterator[None]:
        """What stands in it is done whole, then the training ends if it was asked to."""
        self._postponed = True
        try:
            yield
        finally:
            self._postponed = False
        # Also when the exception was lost on its way, as it is when a destructor happened to run.
        self._end()

    def hold(self) -> None:
        """From now on nothing interrupts: the end has begun."""
        self._postponed = True

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked = number
        if not self._postponed:
            self._end()

    def _end(self) -> None:
        if self._asked == signal.SIGINT:
            raise KeyboardInterrupt
        if self._asked is not None:
            raise SystemExit(128 + self._asked)
