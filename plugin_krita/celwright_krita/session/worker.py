"""One thread that does pieces of work one after another and hands over what they yield. Knows not what the work is.

The main thread gives work and takes what arrived, and never waits. The thread is a daemon thread: whatever it is doing,
it does not keep the painting program from quitting.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections import deque
from dataclasses import dataclass
from typing import Callable, Iterator

from celwright_krita.errors import CancelledError, CelwrightError

log = logging.getLogger(__name__)


class Stop:
    """Asks a piece of work to stop, from any thread. Once requested it stays so."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[Callable[[], None]] = []
        self.requested = False

    def request(self) -> None:
        with self._lock:
            self.requested = True
            calls, self._calls = self._calls, []
        for call in calls:
            call()

    def also(self, call: Callable[[], None]) -> None:
        """Have ``call`` called when stopping is requested; at once if it was."""
        with self._lock:
            if not self.requested:
                self._calls.append(call)
                return
        call()


@dataclass(frozen=True)
class Ended:
    """The last thing that arrives of a piece of work; ``fault`` is why it did not end well."""

    fault: Exception | None = None


class Task:
    """A piece of work. What it yielded waits in ``inbox`` on the main thread, Ended last."""

    def __init__(self, steps: Callable[[Stop], Iterator[object]]) -> None:
        self.stop = Stop()
        self.inbox: deque = deque()
        self.steps = steps

    def run(self) -> Iterator[object]:
        """On the worker's thread: what the steps yield, but None, which only says that stopping is possible here."""
        steps = iter(self.steps(self.stop))
        try:
            while True:
                if self.stop.requested:
                    raise CancelledError("The job was cancelled.")
                try:
                    item = next(steps)
                except StopIteration:
                    return
                if item is not None:
                    yield item
        finally:
            close = getattr(steps, "close", None)
            if close is not None:
                close()


class Worker:
    """Does tasks in the order in which they were given. All methods are for the main thread."""

    def __init__(self) -> None:
        self._given: queue.Queue = queue.Queue()
        self._arrived: queue.Queue = queue.Queue()
        self._open: set[Task] = set()
        self._thread = threading.Thread(target=self._work, name="celwright-worker", daemon=True)
        self._thread.start()

    def give(self, steps: Callable[[Stop], Iterator[object]]) -> Task:
        """Have ``steps`` done on the worker's thread when all that was given before has ended."""
        task = Task(steps)
        self._open.add(task)
        self._given.put(task)
        return task

    def deliver(self, patience: float = 0.0) -> bool:
        """Put what had arrived at this moment into the tasks' inboxes; False when nothing had. With ``patience``
        (seconds) it waits for the first while a task is open: for tests, which have no event loop."""
        wait = patience > 0 and bool(self._open)
        try:
            arrived = [self._arrived.get(wait, patience or None)]
        except queue.Empty:
            return False
        # Not until the queue is empty: a task that yields without end would keep the main thread here.
        arrived += [self._arrived.get() for _ in range(self._arrived.qsize())]
        for task, item in arrived:
            task.inbox.append(item)
            if isinstance(item, Ended):
                self._open.discard(task)
        return True

    def close(self, seconds: float) -> bool:
        """Stop everything and wait at most ``seconds`` for the thread; whether it has ended."""
        for task in list(self._open):
            task.stop.request()
        self._given.put(None)
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while True:
            task = self._given.get()
            if task is None:
                return
            fault = None
            try:
                for item in task.run():
                    self._arrived.put((task, item))
                    item = None  # else the last result would live until the next task
            except CelwrightError as error:
                fault = error.with_traceback(None)  # whose frames hold the pixels
            except Exception as error:  # whatever it is, the main thread must hear of it
                log.exception("A piece of work broke")
                fault = error.with_traceback(None)
            task.steps = _nothing  # so do its closures
            self._arrived.put((task, Ended(fault)))
            task = None


def _nothing(stop: Stop) -> Iterator[object]:
    return iter(())
