"""Worker processes that paint samples while a network trains, and a pool from which samples are seen several times.

Knows numbers and arrays; neither what is painted nor tensors.
"""

import multiprocessing
import os
import queue
import signal
from collections.abc import Callable, Generator, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Sample: TypeAlias = NDArray[np.uint8]
QUEUE = 64  # samples that wait to be seen


def chosen(
    paint: Callable[[int], Sample], first: int, batch: int, replays: float, pool_size: int, workers: int
) -> Generator[tuple[np.random.Generator, list[Sample]], None, None]:
    """``batch`` samples at a time without end, and the generator that chose them, for further choices.

    ``workers`` processes call ``paint(number)`` (a function that can be pickled) for the numbers from ``first`` on. A
    pool of ``pool_size`` is refreshed so that each sample is seen about ``replays`` times, more often where painting
    cannot keep up. Closing the generator ends the processes. Raises RuntimeError when one of them has failed.
    """
    context = multiprocessing.get_context("spawn")
    made: multiprocessing.Queue[Sample] = context.Queue(maxsize=QUEUE)
    painters = [
        context.Process(target=_paint, args=(made, paint, first + i, workers), daemon=True) for i in range(workers)
    ]
    for painter in painters:
        painter.start()
    try:
        pool = [_waited_for(made, painters) for _ in range(min(QUEUE, pool_size))]
        oldest, owed = 0, 0.0
        rng = np.random.default_rng(first)
        while True:
            owed = min(owed + batch / replays, float(QUEUE)) if len(pool) == pool_size else float(QUEUE)
            while owed >= 1:
                try:
                    fresh = made.get_nowait()
                except queue.Empty:
                    _check(painters)
                    break
                owed -= 1
                if len(pool) < pool_size:
                    pool.append(fresh)
                else:
                    pool[oldest] = fresh
                    oldest = (oldest + 1) % pool_size
            yield rng, [pool[i] for i in rng.integers(0, len(pool), batch)]
    finally:
        for painter in painters:
            painter.terminate()
            painter.join()


def _waited_for(made: "multiprocessing.Queue[Sample]", painters: Sequence[Any]) -> Sample:
    while True:
        try:
            return made.get(timeout=1)
        except queue.Empty:
            _check(painters)


def _check(painters: Sequence[Any]) -> None:
    """Nothing fresh would come any more, and the network would learn the pool by heart."""
    failed = [painter.exitcode for painter in painters if painter.exitcode is not None]
    if failed:
        raise RuntimeError(
            f"{len(failed)} of {len(painters)} processes that paint samples ended (exit status {failed[0]}); what they "
            f"printed says why."
        )


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
