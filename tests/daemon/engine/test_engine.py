"""The engine: one lane, a bounded queue, cancelling that touches nobody else, pipelines built late and unloaded."""

import contextlib
import gc
import logging
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from celwright.domain import (
    ColorizeRequest,
    DecomposeRequest,
    Event,
    Finished,
    Pipeline,
    Pixels,
    Preview,
    Progress,
    Queued,
    Report,
    SegmentRequest,
)
from celwright.engine import Engine
from celwright.errors import (
    CancelledError,
    CelwrightError,
    DaemonUnreachableError,
    QueueFullError,
    UnusableInputError,
    WrongUsageError,
)

PATIENCE = 20.0  # seconds until a stuck test gives up; nothing waits that long


def picture(value: int = 9) -> Pixels:
    return Pixels(np.full((8, 8, 4), value, np.uint8))


def segment() -> SegmentRequest:
    return SegmentRequest(picture())


class Stepwise:
    """Makes one step for each ``allow``; tells how many were begun."""

    def __init__(self, steps: int = 3) -> None:
        self.steps = steps
        self.begun = 0
        self.left = False
        self.unloaded = 0
        self.at_work = threading.Semaphore(0)
        self._allowed = threading.Semaphore(0)

    def allow(self, steps: int = 100) -> None:
        self._allowed.release(steps)

    def run(self, request: SegmentRequest) -> Iterator[Event]:
        try:
            for step in range(self.steps):
                self.begun += 1
                self.at_work.release()
                assert self._allowed.acquire(timeout=PATIENCE)
                yield Progress("step", step / self.steps)
            yield Finished({"regions": request.line_art}, Report())
        finally:
            self.left = True

    def unload(self) -> None:
        self.unloaded += 1


class Calls:
    """A pipeline made of one function."""

    def __init__(self, function: Callable[[Any], Iterator[Event]]) -> None:
        self.run = function
        self.unloaded = 0

    def unload(self) -> None:
        self.unloaded += 1


def finished(_: Any) -> Iterator[Event]:
    yield Finished({}, Report(model="m"))


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def started() -> Iterator[Callable[..., Engine]]:
    """Builds engines for one pipeline, which serves SegmentRequest, and ends them."""
    engines: list[Engine] = []

    def start(pipeline: Pipeline[Any], **settings: Any) -> Engine:
        engines.append(Engine({SegmentRequest: lambda: pipeline}, **settings))
        return engines[-1]

    yield start
    for engine in engines:
        engine.close()


def test_events_come_in_order_and_end_with_finished(started: Callable[..., Engine]) -> None:
    def work(request: SegmentRequest) -> Iterator[Event]:
        yield Progress("a", 0.5)
        yield Progress("b", 1.0)
        yield Finished({"regions": request.line_art}, Report())

    request = segment()
    events = list(started(Calls(work)).submit(request, "1"))
    assert events[:2] == [Progress("a", 0.5), Progress("b", 1.0)]
    assert events[2].images["regions"] is request.line_art
    assert len(events) == 3


def test_a_waiting_job_is_told_how_many_go_first(started: Callable[..., Engine]) -> None:
    pipeline = Stepwise(1)
    engine = started(pipeline)
    first = engine.submit(segment(), "1")
    assert pipeline.at_work.acquire(timeout=PATIENCE)
    second, third = engine.submit(segment(), "2"), engine.submit(segment(), "3")
    assert next(second) == Queued(1)
    assert next(third) == Queued(2)
    assert engine.cancel("2")
    assert next(third) == Queued(1)
    pipeline.allow()
    assert isinstance(list(first)[-1], Finished)
    assert isinstance(list(third)[-1], Finished)


def test_jobs_run_one_after_another_in_the_order_they_came(started: Callable[..., Engine]) -> None:
    order: list[int] = []
    inside = threading.Lock()

    def work(request: SegmentRequest) -> Iterator[Event]:
        assert inside.acquire(blocking=False)
        order.append(request.gap)
        yield Progress("work", 0.5)
        inside.release()
        yield Finished({}, Report())

    engine = started(Calls(work))
    jobs = [engine.submit(SegmentRequest(picture(), gap=gap), str(gap)) for gap in range(6)]
    for job in jobs:
        list(job)
    assert order == list(range(6))


def test_cancel_stops_before_the_next_step(started: Callable[..., Engine]) -> None:
    pipeline = Stepwise()
    engine = started(pipeline)
    job = engine.submit(segment(), "1")
    assert pipeline.at_work.acquire(timeout=PATIENCE)
    assert engine.cancel("1")
    with pytest.raises(CancelledError, match=r"^The job was cancelled\.$"):
        list(job)
    after = engine.submit(segment(), "2")
    pipeline.allow()
    assert isinstance(list(after)[-1], Finished)
    assert pipeline.begun == 1 + 3
    assert pipeline.left


def test_a_cancelled_waiting_job_never_starts(started: Callable[..., Engine]) -> None:
    pipeline = Stepwise(1)
    engine = started(pipeline)
    first = engine.submit(segment(), "1")
    assert pipeline.at_work.acquire(timeout=PATIENCE)
    second = engine.submit(segment(), "2")
    assert engine.cancel("2")
    assert not engine.cancel("2")
    pipeline.allow()
    list(first)
    with pytest.raises(CancelledError):
        list(second)
    engine.close()
    assert pipeline.begun == 1


def test_cancelling_what_is_not_there_says_so(started: Callable[..., Engine]) -> None:
    engine = started(Calls(finished))
    job = engine.submit(segment(), "1")
    list(job)
    assert not engine.cancel("1")
    assert not engine.cancel("never")


def test_closing_the_events_cancels_only_that_job(started: Callable[..., Engine]) -> None:
    pipeline = Stepwise(2)
    engine = started(pipeline)
    first = engine.submit(segment(), "1")
    second = engine.submit(segment(), "2")
    assert pipeline.at_work.acquire(timeout=PATIENCE)
    first.close()
    pipeline.allow()
    assert isinstance(list(second)[-1], Finished)
    assert list(first) == []
    assert pipeline.begun == 1 + 2


def test_a_full_queue_is_refused(started: Callable[..., Engine]) -> None:
    pipeline = Stepwise(1)
    engine = started(pipeline, queue_limit=2)
    jobs = [engine.submit(segment(), "0")]
    assert pipeline.at_work.acquire(timeout=PATIENCE)
    jobs += [engine.submit(segment(), "1"), engine.submit(segment(), "2")]
    with pytest.raises(QueueFullError) as refused:
        engine.submit(segment(), "3")
    assert str(refused.value) == "2 jobs are waiting, as many as the daemon accepts; try again when one is done."
    pipeline.allow()
    for job in jobs:
        list(job)
    assert isinstance(list(engine.submit(segment(), "3"))[-1], Finished)


def test_without_places_to_wait_the_next_job_runs_as_soon_as_one_is_done(started: Callable[..., Engine]) -> None:
    engine = started(Calls(finished), queue_limit=0)
    for name in range(50):
        assert isinstance(list(engine.submit(segment(), str(name)))[-1], Finished)


def test_an_id_in_use_is_refused(started: Callable[..., Engine]) -> None:
    pipeline = Stepwise(1)
    engine = started(pipeline)
    job = engine.submit(segment(), "1")
    with pytest.raises(WrongUsageError) as refused:
        engine.submit(segment(), "1")
    assert str(refused.value) == "A job with the id '1' is there already; choose another id."
    pipeline.allow()
    list(job)
    assert list(engine.submit(segment(), "1"))


def test_a_kind_of_request_that_nothing_serves_is_refused(started: Callable[..., Engine]) -> None:
    with pytest.raises(WrongUsageError) as refused:
        started(Calls(finished)).submit(ColorizeRequest(picture()), "1")
    assert str(refused.value) == "This daemon cannot serve a ColorizeRequest; ask for its status."


def test_pipelines_are_built_once_and_on_first_use() -> None:
    built: list[str] = []

    def builder(name: str) -> Callable[[], Pipeline[Any]]:
        return lambda: (built.append(name), Calls(finished))[1]

    engine = Engine({SegmentRequest: builder("segment"), DecomposeRequest: builder("decompose")})
    assert built == []
    list(engine.submit(segment(), "1"))
    list(engine.submit(segment(), "2"))
    assert built == ["segment"]
    assert engine.status().loaded == (SegmentRequest,)
    list(engine.submit(DecomposeRequest(picture()), "3"))
    assert built == ["segment", "decompose"]
    engine.close()


def test_a_builder_that_fails_is_asked_again_next_time() -> None:
    answers: list[Any] = [UnusableInputError("The weights are not there."), Calls(finished)]

    def build() -> Pipeline[Any]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    engine = Engine({SegmentRequest: build})
    with pytest.raises(UnusableInputError, match=r"^The weights are not there\.$"):
        list(engine.submit(segment(), "1"))
    assert engine.status().loaded == ()
    assert isinstance(list(engine.submit(segment(), "2"))[-1], Finished)
    engine.close()


def test_pipelines_are_unloaded_when_nobody_asks_for_a_while(started: Callable[..., Engine]) -> None:
    clock, pipeline = Clock(), Calls(finished)
    engine = started(pipeline, idle_seconds=100.0, clock=clock)
    list(engine.submit(segment(), "1"))
    engine.close()
    while engine.status().running:  # the lane notes the time right after the last event
        pass
    assert engine.status().loaded == (SegmentRequest,)
    clock.now = 99.0
    engine.unload_idle()
    assert pipeline.unloaded == 0
    clock.now = 100.0
    engine.unload_idle()
    assert pipeline.unloaded == 1
    assert engine.status().loaded == ()
    engine.unload_idle()
    assert pipeline.unloaded == 1


def test_what_others_keep_is_freed_along_with_the_models(
    started: Callable[..., Engine], caplog: pytest.LogCaptureFixture
) -> None:
    freed: list[str] = []

    class Stubborn(Calls):
        def unload(self) -> None:
            raise ZeroDivisionError

    clock = Clock()
    engine = started(Stubborn(finished), idle_seconds=100.0, clock=clock)
    engine.also_unload(lambda: freed.append("cache"))
    list(engine.submit(segment(), "1"))
    engine.close()
    while engine.status().running:
        pass
    clock.now = 100.0
    with caplog.at_level(logging.ERROR):
        engine.unload_idle()
    assert freed == ["cache"]
    assert "ZeroDivisionError" in caplog.text


def test_the_lane_unloads_by_itself(started: Callable[..., Engine]) -> None:
    done = threading.Event()

    class Heavy(Calls):
        def unload(self) -> None:
            done.set()

    engine = started(Heavy(finished), idle_seconds=0.001)
    list(engine.submit(segment(), "1"))
    assert done.wait(PATIENCE)
    assert isinstance(list(engine.submit(segment(), "2"))[-1], Finished)


def test_nothing_is_unloaded_under_a_running_job(started: Callable[..., Engine]) -> None:
    clock, pipeline = Clock(), Stepwise(1)
    engine = started(pipeline, idle_seconds=1.0, clock=clock)
    job = engine.submit(segment(), "1")
    assert pipeline.at_work.acquire(timeout=PATIENCE)
    clock.now = 1000.0
    engine.unload_idle()
    assert pipeline.unloaded == 0
    pipeline.allow()
    list(job)


def test_a_known_fault_reaches_the_one_who_asked(started: Callable[..., Engine]) -> None:
    def work(request: SegmentRequest) -> Iterator[Event]:
        yield Progress("look", 0.1)
        raise UnusableInputError("There is no line in it.")

    job = started(Calls(work)).submit(segment(), "1")
    with pytest.raises(UnusableInputError, match=r"^There is no line in it\.$"):
        list(job)


@pytest.mark.parametrize("fault", [ZeroDivisionError("division by zero"), SystemExit("division by zero")])
def test_the_engine_survives_what_a_pipeline_raises(
    started: Callable[..., Engine], caplog: pytest.LogCaptureFixture, fault: BaseException
) -> None:
    faults = [fault]

    def work(request: SegmentRequest) -> Iterator[Event]:
        if faults:
            raise faults.pop()
        yield Finished({}, Report())

    engine = started(Calls(work))
    with caplog.at_level(logging.ERROR), pytest.raises(CelwrightError) as refused:
        list(engine.submit(segment(), "1"))
    assert str(refused.value) == (
        f"The daemon failed at this job ({type(fault).__name__}: division by zero); its log says where: "
        f"report it, please."
    )
    assert "Traceback" in caplog.text
    assert isinstance(list(engine.submit(segment(), "2"))[-1], Finished)


def test_lack_of_memory_frees_the_models_and_is_said(started: Callable[..., Engine]) -> None:
    def work(request: SegmentRequest) -> Iterator[Event]:
        yield Progress("work", 0.1)
        raise MemoryError

    pipeline = Calls(work)
    engine = started(pipeline)
    with pytest.raises(CelwrightError) as refused:
        list(engine.submit(segment(), "1"))
    assert str(refused.value) == ("The daemon ran out of memory; try a smaller picture or close other programs.")
    assert pipeline.unloaded == 1
    assert engine.status().loaded == ()


def test_a_pipeline_without_a_result_is_a_fault(started: Callable[..., Engine]) -> None:
    job = started(Calls(lambda request: iter([Progress("work", 1.0)]))).submit(segment(), "7")
    with pytest.raises(CelwrightError) as refused:
        list(job)
    assert str(refused.value) == "The job ended without a result, a fault in the daemon: report it, please."


def test_a_slow_reader_gets_the_newest_preview_only(started: Callable[..., Engine]) -> None:
    def work(request: SegmentRequest) -> Iterator[Event]:
        for value in range(5):
            yield Progress("work", value / 5)
            yield Preview(picture(value))
        yield Finished({}, Report())

    engine = started(Calls(work))
    job = engine.submit(segment(), "1")
    list(engine.submit(segment(), "2"))  # by then the first has ended, unread
    progress, preview, _ = list(job)
    assert progress == Progress("work", 0.8)
    assert preview.image.data[0, 0, 0] == 4


def test_images_are_free_when_the_job_has_ended(started: Callable[..., Engine]) -> None:
    def work(request: SegmentRequest) -> Iterator[Event]:
        yield Progress("work", 0.5)
        if request.gap:
            raise UnusableInputError("No.")
        yield Finished({}, Report())

    engine = started(Calls(work))
    for gap in (0, 1):
        request = SegmentRequest(picture(), gap=gap)
        gone = weakref.ref(request.line_art.data)
        job = engine.submit(request, "1")
        del request
        with contextlib.suppress(UnusableInputError):
            list(job)
        list(engine.submit(SegmentRequest(picture(), gap=0), "2"))
        gc.collect()
        assert gone() is None


def test_ending_lets_the_running_job_finish_and_cancels_the_waiting(started: Callable[..., Engine]) -> None:
    pipeline = Stepwise(1)
    engine = started(pipeline)
    running = engine.submit(segment(), "1")
    assert pipeline.at_work.acquire(timeout=PATIENCE)
    waiting = engine.submit(segment(), "2")
    ending = threading.Thread(target=engine.close, args=(PATIENCE,))
    ending.start()
    with pytest.raises(CancelledError) as told:
        list(waiting)
    assert str(told.value) == "The daemon is ending; the job was cancelled."
    with pytest.raises(DaemonUnreachableError) as refused:
        engine.submit(segment(), "3")
    assert str(refused.value) == "The daemon is ending and takes no more jobs; start it again."
    pipeline.allow()
    assert isinstance(list(running)[-1], Finished)
    ending.join(PATIENCE)
    assert not ending.is_alive()


def test_ending_without_grace_cancels_the_running_job(started: Callable[..., Engine]) -> None:
    pipeline = Stepwise()
    engine = started(pipeline)
    running = engine.submit(segment(), "1")
    assert pipeline.at_work.acquire(timeout=PATIENCE)
    ending = threading.Thread(target=engine.close, args=(PATIENCE,))
    ending.start()
    engine.close()
    with pytest.raises(CancelledError, match=r"^The daemon is ending; the job was cancelled\.$"):
        list(running)
    ending.join(PATIENCE)
    assert not ending.is_alive()
    pipeline.allow()
