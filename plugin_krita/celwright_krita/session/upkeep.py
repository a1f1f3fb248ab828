"""Looking after the daemon from the main thread: ask, start, restart, without waiting. Knows no job."""

from __future__ import annotations

import logging
import time
from typing import Callable, Iterator, Mapping

from celwright_krita.errors import CancelledError
from celwright_krita.session.board import Board
from celwright_krita.session.daemon_life import Daemon
from celwright_krita.session.faults import fault_of
from celwright_krita.session.worker import Ended, Stop, Task, Worker
from celwright_krita.state import DaemonState

log = logging.getLogger(__name__)

LOOK_SECONDS = 10.0  # between two looks at an idle daemon


class Upkeep:
    """Has the worker look after ``daemon`` and shows what it tells."""

    def __init__(
        self, board: Board, worker: Worker, daemon: Daemon, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._board = board
        self._worker = worker
        self._daemon = daemon
        self._clock = clock
        self._task: Task | None = None
        self._looked = -LOOK_SECONDS

    def look_now_and_then(self) -> None:
        if self._task is None and self._clock() - self._looked >= LOOK_SECONDS:
            self.look()

    def look(self) -> None:
        """Ask the daemon how it is; never starts one."""
        self._give(lambda stop: self._daemon.look())

    def start(self) -> None:
        self._give(self._daemon.ensured)

    def restart(self) -> None:
        self._give(self._daemon.restarted)

    def move(self, environment: Mapping[str, str]) -> None:
        self._give(lambda stop: self._daemon.moved(environment))

    def step(self) -> None:
        """Show what has been told since the last step."""
        while self._task is not None and self._task.inbox:
            item = self._task.inbox.popleft()
            if isinstance(item, DaemonState):
                self._board.show(daemon=item)
            elif isinstance(item, Ended):
                self._task = None
                if item.fault is not None and not isinstance(item.fault, CancelledError):
                    log.warning("Looking after the daemon ended: %s", type(item.fault).__name__)
                    shown = self._board.state.fault
                    self._board.show(fault=fault_of(item.fault, shown is not None and "retry" in shown.ways))

    def _give(self, steps: Callable[[Stop], Iterator[object]]) -> None:
        if self._task is not None:
            self._task.stop.request()
        self._looked = self._clock()
        self._task = self._worker.give(steps)
