"""One device, one lane: jobs wait in a bounded queue and run one after another, each as a stream of events.

A second job on the same device would only halve the speed of both and double the memory. Pipelines are built on
first use and unloaded when nobody has asked for a while. Knows neither the wire nor torch.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any

from celwright.domain import Pipeline, Queued, Request
from celwright.errors import CancelledError, CelwrightError, DaemonUnreachableError, QueueFullError, WrongUsageError
from celwright.job import Job

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EngineStatus:
    """``loaded``: request types whose pipeline holds memory."""

    running: int
    waiting: int
    loaded: tuple[type, ...]


class Engine:
    """Runs requests by their type. ``pipelines`` builds what serves each type; a builder may take long and may raise.

    ``queue_limit`` jobs may wait behind the running one. After ``idle_seconds`` of ``clock`` without a job,
    pipelines are unloaded.
    """

    def __init__(
        self,
        pipelines: Mapping[type, Callable[[], Pipeline[Any]]],
        *,
        queue_limit: int = 8,
        idle_seconds: float = 300.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._builders = dict(pipelines)
        self._queue_limit = queue_limit
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._pipelines: dict[type, Pipeline[Any]] = {}
        self._loaded: set[type] = set()
        self._also_unload: list[Callable[[], None]] = []
        self._waiting: deque[Job] = deque()
        self._running: Job | None = None
        self._last_use = clock()
        self._closing = False
        self._changed = threading.Condition()
        self._lane = threading.Thread(target=self._work, name="celwright-lane", daemon=True)
        self._lane.start()

    def submit(self, request: Request, job_id: str) -> Job:
        """Queue ``request``; the job's events begin with Queued for as long as others go first.

        Raises QueueFullError, WrongUsageError for a kind of request that nothing serves or an id in use,
        DaemonUnreachableError after ``close``.
        """
        with self._changed:
            self.check_room()
            if type(request) not in self._builders:
                raise WrongUsageError(f"This daemon cannot serve a {type(request).__name__}; ask for its status.")
            if any(job.id == job_id for job in self._jobs()):
                raise WrongUsageError(f"A job with the id {job_id!r} is there already; choose another id.")
            job = Job(request, job_id, self._end)
            self._waiting.append(job)
            self._tell_places()
            self._changed.notify_all()
            return job

    def check_room(self) -> None:
        """Raise what ``submit`` would raise now for any request: to refuse before an upload, not after it."""
        with self._changed:
            if self._closing:
                raise DaemonUnreachableError("The daemon is ending and takes no more jobs; start it again.")
            busy = self._running is not None and not self._running.ended
            if busy and len(self._waiting) >= self._queue_limit:
                raise QueueFullError(
                    f"{len(self._waiting)} jobs are waiting, as many as the daemon accepts; try again when one is done."
                )

    def cancel(self, job_id: str) -> bool:
        """End the job with CancelledError, whether it waits or runs; False when there is no such job."""
        with self._changed:
            job = next((job for job in self._jobs() if job.id == job_id), None)
        return job is not None and self._end(job, "The job was cancelled.")

    def status(self) -> EngineStatus:
        with self._changed:
            loaded = tuple(sorted(self._loaded, key=lambda kind: kind.__name__))
            return EngineStatus(int(self._running is not None), len(self._waiting), loaded)

    def also_unload(self, free: Callable[[], None]) -> None:
        """Call ``free`` whenever pipelines are unloaded: memory that others keep for the next job."""
        self._also_unload.append(free)

    def unload_idle(self) -> None:
        """Unload the pipelines if the idle time is over; the lane calls this by itself."""
        with self._changed:
            if self._running is None and self._loaded and self._clock() - self._last_use >= self._idle_seconds:
                self._unload()

    def close(self, grace_seconds: float = 0.0) -> None:
        """Take no more jobs, cancel those that wait, give the running one ``grace_seconds``, then cancel it.

        May be called again, from another thread too, with less grace.
        """
        reason = "The daemon is ending; the job was cancelled."
        with self._changed:
            self._closing = True
            for job in list(self._waiting):
                self._end(job, reason)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._running is None or self._running.ended, timeout=grace_seconds)
            if self._running is not None:
                self._end(self._running, reason)

    def _jobs(self) -> list[Job]:
        return [*self._waiting, *([self._running] if self._running is not None else [])]

    def _end(self, job: Job, reason: str) -> bool:
        """Cancel; the reader learns it at once, the lane when its pipeline yields the next event."""
        with self._changed:
            cancelled = job.put(CancelledError(reason))
            if job in self._waiting:
                self._waiting.remove(job)
                self._tell_places()
            self._changed.notify_all()
            return cancelled

    def _tell_places(self) -> None:
        busy = int(self._running is not None)
        for place, job in enumerate(self._waiting):
            if place + busy:
                job.put(Queued(place + busy))

    def _work(self) -> None:
        while (job := self._next_job()) is not None:
            self._run(job)
            with self._changed:
                self._running = None
                self._last_use = self._clock()
                self._tell_places()
                self._changed.notify_all()

    def _next_job(self) -> Job | None:
        with self._changed:
            while not self._waiting:
                if self._closing:
                    return None
                self.unload_idle()
                left = self._idle_seconds - (self._clock() - self._last_use) if self._loaded else None
                self._changed.wait(timeout=left)
            self._running = self._waiting.popleft()
            self._tell_places()
            return self._running

    def _run(self, job: Job) -> None:
        request = job.request
        if request is None:  # cancelled in between
            return
        kind = type(request)
        try:
            if kind not in self._pipelines:
                self._pipelines[kind] = self._builders[kind]()
            with self._changed:
                self._loaded.add(kind)
            events = self._pipelines[kind].run(request)
            del request
            try:
                for event in events:
                    if not job.put(event) or job.ended:
                        break
            finally:
                if isinstance(events, Generator):
                    events.close()
            if job.put(CelwrightError("The job ended without a result, a fault in the daemon: report it, please.")):
                log.error("Job %s: the pipeline for %s gave no Finished", job.id, kind.__name__)
        except CelwrightError as error:
            error.__cause__ = error.__context__ = None  # their frames, and its own, hold the images
            job.put(error.with_traceback(None))
        except MemoryError:
            log.exception("Job %s", job.id)
            with self._changed:
                self._unload()
            job.put(CelwrightError("The daemon ran out of memory; try a smaller picture or close other programs."))
        except BaseException as error:  # whatever a pipeline raises, the lane lives on
            log.exception("Job %s", job.id)
            what = f"{type(error).__name__}: {error}".splitlines()[0]
            job.put(CelwrightError(f"The daemon failed at this job ({what}); its log says where: report it, please."))

    def _unload(self) -> None:
        for free in [*(self._pipelines[kind].unload for kind in self._loaded), *self._also_unload]:
            try:
                free()
            except Exception:
                log.exception("Unloading")
        self._loaded.clear()
