"""The worker's thread: one thing after another, nothing blocks the main thread, everything can be stopped."""

from __future__ import annotations

import threading

from celwright_krita.errors import CancelledError, QueueFullError
from celwright_krita.session.worker import Ended, Stop, Worker

PATIENCE = 20.0


def ended(worker: Worker, task) -> list:
    """What arrived of ``task``, once it has ended."""
    while not task.inbox or not isinstance(task.inbox[-1], Ended):
        assert worker.deliver(PATIENCE)
    return list(task.inbox)


def test_what_is_yielded_arrives_in_order_and_none_says_nothing():
    worker = Worker()
    task = worker.give(lambda stop: iter((1, None, 2)))
    assert ended(worker, task) == [1, 2, Ended(None)]
    assert worker.close(PATIENCE)


def test_tasks_are_done_one_after_another():
    worker, begun, gate = Worker(), [], threading.Event()

    def first(stop):
        begun.append("first")
        gate.wait(PATIENCE)
        yield len(begun)

    def second(stop):
        begun.append("second")
        yield len(begun)

    tasks = worker.give(first), worker.give(second)
    assert worker.deliver() is False  # at once, whatever the thread does
    gate.set()
    assert [ended(worker, task)[0] for task in tasks] == [1, 2]
    worker.close(PATIENCE)


def test_a_fault_arrives_and_the_thread_lives_on():
    worker = Worker()

    def broken(stop):
        yield 1
        raise QueueFullError("Full.")

    one, two, fault = *ended(worker, worker.give(broken)), None
    fault = two.fault
    assert (one, str(fault), fault.__traceback__) == (1, "Full.", None)
    assert ended(worker, worker.give(lambda stop: 1 / 0))[0].fault.args == ("division by zero",)
    assert ended(worker, worker.give(lambda stop: iter((3,))))[0] == 3
    worker.close(PATIENCE)


def test_stopping_ends_it_before_the_next_step_and_closes_it():
    worker, closed = Worker(), threading.Event()

    def endless(stop):
        try:
            while True:
                yield 1
        finally:
            closed.set()

    task = worker.give(endless)
    worker.deliver(PATIENCE)
    task.stop.request()
    assert isinstance(ended(worker, task)[-1].fault, CancelledError)
    assert closed.is_set()
    worker.close(PATIENCE)


def test_stopped_before_it_began_it_never_begins():
    worker, gate, begun = Worker(), threading.Event(), []
    worker.give(lambda stop: iter([gate.wait(PATIENCE)]))
    late = worker.give(lambda stop: begun.append(1) or iter(()))
    late.stop.request()
    gate.set()
    assert isinstance(ended(worker, late)[-1].fault, CancelledError)
    worker.close(PATIENCE)


def test_stop_calls_what_it_was_left_word_to_once():
    stop, calls = Stop(), []
    stop.also(lambda: calls.append("before"))
    stop.request()
    stop.request()
    stop.also(lambda: calls.append("after"))
    assert calls == ["before", "after"]


def test_closing_stops_what_runs_and_ends_the_thread():
    worker = Worker()

    def waiting(stop):
        bell = threading.Event()
        stop.also(bell.set)
        yield bell.wait(PATIENCE)

    worker.give(waiting)
    worker.give(waiting)
    assert worker.close(PATIENCE)


def test_closing_does_not_wait_for_what_cannot_be_stopped():
    worker, gate = Worker(), threading.Event()
    worker.give(lambda stop: iter([gate.wait(PATIENCE)]))
    assert worker.close(0.01) is False
    assert worker._thread.daemon  # so it does not keep the program from quitting
    gate.set()
    worker._thread.join(PATIENCE)
