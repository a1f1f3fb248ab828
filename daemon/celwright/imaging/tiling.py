"""Large pictures in overlapping tiles, put together again without seams, one band of rows at a time.

Where tiles overlap, their results are blended with weights that fall to nothing at the tile's edge and sum to one
everywhere. Finished rows are handed out as soon as no later tile touches them, so that only about two rows of
tiles are ever in memory. Knows neither networks nor layers: the model is any function from pixels to pixels.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from celwright.domain import FloatImage

Model = Callable[[NDArray[Any]], FloatImage]


@dataclass(frozen=True)
class Span:
    """One tile along one axis: pixels ``start`` to ``stop``; ``weights`` (stop - start,) sum to 1 over all spans."""

    start: int
    stop: int
    weights: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Band:
    """Finished rows ``start`` to ``stop`` of the result, (stop - start, W, C)."""

    start: int
    stop: int
    image: FloatImage


def spans(length: int, largest: int, overlap: int) -> list[Span]:
    """The fewest tiles of at most ``largest`` pixels that cover ``length`` with at least ``overlap`` in common,
    all of nearly one size. ``largest`` must exceed twice the overlap."""
    if largest <= 2 * overlap:
        raise ValueError(f"Tiles of {largest} pixels cannot overlap by {overlap}; more than {2 * overlap} are needed.")
    count = max(1, -(-(length - overlap) // (largest - overlap)))
    size = -(-(length + (count - 1) * overlap) // count)
    starts = [round(i * (length - size) / max(count - 1, 1)) for i in range(count)]
    ramp = np.minimum((np.arange(size) + 0.5) / max(overlap, 0.5), 1)
    total = np.zeros(length)
    trapezia = []
    for i, start in enumerate(starts):
        weights = np.ones(size)
        if i > 0:
            weights *= ramp
        if i < count - 1:
            weights *= ramp[::-1]
        trapezia.append(weights)
        total[start : start + size] += weights
    return [
        Span(start, start + size, (weights / total[start : start + size]).astype(np.float32))
        for start, weights in zip(starts, trapezia, strict=True)
    ]


def tile_count(height: int, width: int, largest: int, overlap: int) -> int:
    return len(spans(height, largest, overlap)) * len(spans(width, largest, overlap))


def bands(picture: NDArray[Any], model: Model, largest: int, overlap: int) -> Iterator[Band | None]:
    """Run ``model`` over tiles of ``picture`` (H, W, C) and yield None after each tile, and a Band of the blended
    result whenever rows are finished. The bands follow one another and cover the picture exactly."""
    height, width = picture.shape[:2]
    rows, columns = spans(height, largest, overlap), spans(width, largest, overlap)
    carried: FloatImage | None = None  # weighed sums of the rows that the next row of tiles also touches
    for row, after in pairwise([*rows, None]):
        assert row is not None
        total: FloatImage | None = None
        for column in columns:
            result = model(np.ascontiguousarray(picture[row.start : row.stop, column.start : column.stop]))
            if total is None:
                total = np.zeros((row.stop - row.start, width, result.shape[2]), np.float32)
                if carried is not None:
                    total[: len(carried)] = carried
            weights = row.weights[:, None] * column.weights[None]
            total[:, column.start : column.stop] += result * weights[..., None]
            yield None
        assert total is not None
        finished = (after.start if after else row.stop) - row.start
        carried = total[finished:]
        yield Band(row.start, row.start + finished, total[:finished])
