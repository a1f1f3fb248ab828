"""Worker processes that paint samples while a network trains, and a pool from which samples are seen several times.

Knows numbers and arrays; neither what is painted nor tensors.
"""

import multiprocessing
import os
import queue
import signal
from collections.abc import Callable, Generator
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Sample: TypeAlias = NDArray[np.uint8]
QUEUE = 64  # samples that wait to be seen


@dataclass(frozen=True)
class Pace:
    """``workers`` processes paint into a pool of ``pool`` samples, from which each is seen about ``replays`` times:
    more often where painting cannot keep up, or, if ``steady``, waiting for it, so that which samples come when does
    not depend on the machine."""

    replays: float
    pool: int
    workers: int = 1
    steady: bool = False


def chosen(
    paint: Callable[[int], Sample], first: int, batch: int, pace: Pace
) -> Generator[tuple[np.random.Generator, list[Sample]], None, None]:
    """``batch`` samples at a time without end, and the generator that chose them, for further choices.

    Processes call ``paint(number)`` (a function that can be pickled) for the numbers from ``first`` on. Closing the
    generator ends them. Raises RuntimeError when one of them has failed.
    """
    painters = _Painters(paint, first, pace.workers)
    try:
        pool = [painters.waited_for() for _ in range(min(QUEUE, pace.pool))]
        oldest, owed = 0, 0.0
        rng = np.random.default_rng(first)
        while True:
            owed += batch / pace.replays
            if not pace.steady:
                owed = min(owed, float(QUEUE)) if len(pool) == pace.pool else float(QUEUE)
            while owed >= 1:
                fresh = painters.waited_for() if pace.steady else painters.ready()
                if fresh is None:
                    break
                owed -= 1
                if len(pool) < pace.pool:
                    pool.append(fresh)
                else:
                    pool[oldest] = fresh
                    oldest = (oldest + 1) % pace.pool
            yield rng, [pool[i] for i in rng.integers(0, len(pool), batch)]
    finally:
        painters.end()


class _Painters:
    """Processes that paint, and what they painted, in the order of its numbers."""

    def __init__(self, paint: Callable[[int], Sample], first: int, workers: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._made: list[multiprocessing.Queue[Sample]] = [context.Queue(QUEUE // workers + 1) for _ in range(workers)]
        self._processes: list[BaseProcess] = [
            context.Process(target=_paint, args=(made, paint, first + i, workers), daemon=True)
            for i, made in enumerate(self._made)
        ]
        self._taken = 0
        for process in self._processes:
            process.start()

    def ready(self) -> Sample | None:
        """The next sample, if it is painted."""
        return self._next(0)

    def waited_for(self) -> Sample:
        """The next sample."""
        while (sample := self._next(1)) is None:
            pass
        return sample

    def _next(self, seconds: float) -> Sample | None:
        try:
            sample = self._made[self._taken % len(self._made)].get(seconds > 0, seconds)
        except queue.Empty:
            self._check()
            return None
        self._taken += 1
        return sample

    def _check(self) -> None:
        """Nothing fresh would come any more, and the network would learn the pool by heart."""
        failed = [process.exitcode for process in self._processes if process.exitcode is not None]
        if failed:
            raise RuntimeError(
                f"{len(failed)} of {len(self._processes)} processes that paint samples ended (exit status "
                f"{failed[0]}); what they printed says why."
            )

    def end(self) -> None:
        for process in self._processes:
            process.terminate()
            process.join()


def _paint(out: "multiprocessing.Queue[Sample]", paint: Callable[[int], Sample], first: int, step: int) -> None:
    import cv2

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the trainer ends this one
    cv2.setNumThreads(1)
    os.nice(5)  # the network goes first
    trainer: Any = multiprocessing.parent_process()
    number = first
    while True:
        sample = paint(number)
        number += step
        while True:
            try:
                out.put(sample, timeout=5)
                break
            except queue.Full:
                if trainer is None or not trainer.is_alive():
                    out.cancel_join_thread()
                    return
