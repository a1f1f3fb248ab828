"""Training samples without end: scenes drawn by worker processes, packed into bytes, varied each time they are seen.

Knows scenes and tensors; nothing about networks or losses.
"""

import multiprocessing
import os
import queue
from collections.abc import Callable, Generator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from celwright.models.decomposer import Layers
from celwright.training.scenes import Kind, Scene, scene

HELD_OUT = 1_000_000_000  # scene numbers from here on are never trained on
PLANES = (3, 1, 3, 3, 3, 3)  # channels of a packed sample: seen, line alpha, line colour, flat, shadow, highlight
QUEUE = 64  # scenes that wait to be seen


def packed(made: Scene) -> NDArray[np.uint8]:
    """(16, S, S) uint8 of a scene, as ``PLANES`` says."""
    planes = (made.line_alpha[..., None], made.line_color, made.flat, made.shadow, made.highlight)
    truth = np.round(np.concatenate(planes, axis=2) * 255).astype(np.uint8)
    return np.ascontiguousarray(np.concatenate([made.seen, truth], axis=2).transpose(2, 0, 1))


def unpacked(samples: Tensor) -> tuple[Tensor, Layers]:
    """Seen picture and true layers, 0..1, of (B, 16, H, W) uint8."""
    seen, *layers = (samples.float() / 255).split(PLANES, dim=1)  # type: ignore[no-untyped-call]
    return seen, Layers(*layers)


def varied(rng: np.random.Generator, sample: NDArray[np.uint8], crop: int) -> NDArray[np.uint8]:
    """A random crop, turned, mirrored and with its colour channels swapped: all keep the layers' formula true."""
    y, x = (int(v) for v in rng.integers(0, sample.shape[1] - crop + 1, 2))
    piece = np.rot90(sample[:, y : y + crop, x : x + crop], int(rng.integers(4)), (1, 2))
    if rng.random() < 0.5:
        piece = piece[:, :, ::-1]
    order = rng.permutation(3)
    triples = [piece[0:3][order], piece[3:4], *(piece[start : start + 3][order] for start in (4, 7, 10, 13))]
    return np.concatenate(triples)


def _generate(out: "multiprocessing.Queue[NDArray[np.uint8]]", first: int, step: int, size: int, rich: float) -> None:
    import cv2

    cv2.setNumThreads(1)
    os.nice(5)  # the network goes first
    trainer = multiprocessing.parent_process()
    number = first
    while True:
        kind: Kind = "rich" if np.random.default_rng(number).random() < rich else "standard"
        sample = packed(scene(number, size, kind))
        number += step
        while True:
            try:
                out.put(sample, timeout=5)
                break
            except queue.Full:
                if trainer is None or not trainer.is_alive():
                    out.cancel_join_thread()
                    return


def held_out(kind: Kind, count: int, size: int) -> Tensor:
    """(count, 16, size, size) uint8: scenes that no training run sees."""
    return torch.from_numpy(np.stack([packed(scene(HELD_OUT + n, size, kind)) for n in range(count)]))


def batches(
    first: int,
    batch: int,
    crop: Callable[[], int],
    size: int,
    rich: float,
    replays: float,
    pool_size: int,
    workers: int,
) -> Generator[Tensor, None, None]:
    """(batch, 16, crop, crop) uint8 without end, of scenes from number ``first`` on.

    ``workers`` processes draw scenes of ``size`` pixels, a share ``rich`` of them rich. A pool of ``pool_size`` is
    refreshed so that each is seen about ``replays`` times, more often where drawing cannot keep up. ``crop()`` is asked
    anew for every batch. Closing the generator ends the processes.
    """
    context = multiprocessing.get_context("spawn")
    made: multiprocessing.Queue[NDArray[np.uint8]] = context.Queue(maxsize=QUEUE)
    painters = [
        context.Process(target=_generate, args=(made, first + i, workers, size, rich), daemon=True)
        for i in range(workers)
    ]
    for painter in painters:
        painter.start()
    try:
        pool = [made.get() for _ in range(min(QUEUE, pool_size))]
        oldest, owed = 0, 0.0
        rng = np.random.default_rng(first)
        while True:
            owed = min(owed + batch / replays, float(QUEUE)) if len(pool) == pool_size else float(QUEUE)
            while owed >= 1:
                try:
                    fresh = made.get_nowait()
                except queue.Empty:
                    break
                owed -= 1
                if len(pool) < pool_size:
                    pool.append(fresh)
                else:
                    pool[oldest] = fresh
                    oldest = (oldest + 1) % pool_size
            chosen, side = rng.integers(0, len(pool), batch), crop()
            yield torch.from_numpy(np.stack([varied(rng, pool[i], side) for i in chosen]))
    finally:
        for painter in painters:
            painter.terminate()
            painter.join()
