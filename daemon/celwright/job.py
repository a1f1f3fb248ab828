"""A job as its asker sees it: the iterator of its events, fed by the engine's lane. Knows no engine and no wire."""

import threading
from collections import deque
from collections.abc import Callable, Iterator

from celwright.domain import Event, Finished, Preview, Progress, Queued, Request
from celwright.errors import CelwrightError


class Job(Iterator[Event]):
    """One submitted request, as the iterator of its events. ``close`` cancels it; so does leaving a ``with
    closing(job)`` early. Raises what went wrong, CancelledError when it was cancelled by somebody else.

    A reader that is slower than the lane never holds it up: of previews, and of progress within a stage, it gets
    the newest only.
    """

    def __init__(self, request: Request, job_id: str, cancel: Callable[["Job", str], bool]) -> None:
        self.id = job_id
        self.request: Request | None = request  # dropped when the job ends: it holds the images
        self.ended = False  # nothing more will be put; set by the lane or by a cancel, whichever comes first
        self._cancel = cancel
        self._unread: deque[Event | CelwrightError] = deque()
        self._news = threading.Condition()

    def __next__(self) -> Event:
        with self._news:
            while not self._unread:
                if self.ended:
                    raise StopIteration
                self._news.wait()
            event = self._unread.popleft()
        if isinstance(event, CelwrightError):
            raise event
        return event

    def close(self) -> None:
        """Cancel the job if it has not ended, and forget what was not read."""
        self._cancel(self, "The job was closed by the one who asked for it.")
        with self._news:
            self._unread.clear()

    def put(self, event: Event | CelwrightError) -> bool:
        """Hand over an event, or the fault that ends the job; False when the job has ended already."""
        with self._news:
            if self.ended:
                return False
            self._unread = deque(old for old in self._unread if not _outdates(event, old))
            self._unread.append(event)
            if isinstance(event, Finished | CelwrightError):
                self.ended = True
                self.request = None
            self._news.notify_all()
            return True


def _outdates(new: Event | CelwrightError, old: Event | CelwrightError) -> bool:
    if isinstance(new, Progress) and isinstance(old, Progress):
        return new.stage == old.stage
    return isinstance(new, Queued | Preview | CelwrightError) and type(new) is type(old)
