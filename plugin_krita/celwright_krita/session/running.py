"""The one job that runs: a generator on the main thread, taken one short step at a time. Knows not what the job does.

A script reads the document, gives work to the worker, waits for it and inserts the result; it yields between its steps
and whenever it waits. It may be ended between any two of them.
"""

from __future__ import annotations

import contextlib
import logging
from typing import Callable, Generator, Iterator

from celwright_krita.errors import CancelledError, CelwrightError
from celwright_krita.session.board import Board
from celwright_krita.session.faults import fault_of
from celwright_krita.session.worker import Ended, Stop, Task, Worker
from celwright_krita.state import JobState
from celwright_krita.texts import tr

log = logging.getLogger(__name__)
Script = Callable[[], Generator[None, None, None]]


class Running:
    """Runs scripts one at a time, and repeats the last one where it ended in a fault."""

    def __init__(self, board: Board, worker: Worker) -> None:
        self._board = board
        self._worker = worker
        self._name = ""
        self._script: Script | None = None  # what a retry repeats
        self._steps: Generator[None, None, None] | None = None
        self._task: Task | None = None

    @property
    def busy(self) -> bool:
        return self._steps is not None

    def begin(self, name: str, script: Script) -> None:
        """Run ``script``; what a retry would have repeated is forgotten."""
        log.info("The job %s begins", name)
        self._name, self._script = name, script
        self._steps = script()
        self._board.show(job=JobState(name, "read"), fault=None, notices=())

    def retry(self) -> None:
        if self._script is not None and not self.busy:
            self.begin(self._name, self._script)

    def forget(self) -> None:
        """Nothing is to be repeated any more."""
        if not self.busy:
            self._script = None

    def step(self) -> bool:
        """One short step; False when nothing runs any more."""
        if self._steps is None:
            return False
        try:
            next(self._steps)
            return True
        except StopIteration:
            self._end()
            self._script = None
        except CancelledError:
            self.cancel()
        except Exception as error:  # whatever it is, the docker goes on
            self._end()
            expected = isinstance(error, CelwrightError)
            log.warning("The job %s ended: %s", self._name, type(error).__name__, exc_info=not expected)
            self._board.show(fault=fault_of(error, retry=True))
        return False

    def cancel(self) -> None:
        """End the job now; the worker and the daemon hear of it."""
        if self.busy:
            self._end()
            self._script = None
            self._board.notice(tr("job.cancelled"))

    def interrupt(self, sentence: str) -> None:
        """End the job now, but let it be repeated."""
        if self.busy:
            self._end()
            self._board.fault(sentence, "retry")

    def worked(
        self, work: Callable[[Stop], Iterator[object]], hear: Callable[[object], None]
    ) -> Generator[None, None, object]:
        """Wait while the worker does ``work``; ``hear`` is told what it yields. The value is the last that it yielded.
        Raises what the work raised."""
        self._task = task = self._worker.give(work)
        last = None
        while True:
            while task.inbox:
                item = task.inbox.popleft()
                if isinstance(item, Ended):
                    self._task = None
                    if item.fault is not None:
                        raise item.fault
                    return last
                hear(item)
                last = item
            yield

    def _end(self) -> None:
        steps, self._steps = self._steps, None
        if self._task is not None:
            self._task.stop.request()
            self._task = None
        if steps is not None:
            with contextlib.suppress(Exception):  # the document may be gone, and with it what a script tidies up
                steps.close()
        self._board.show(job=None)
