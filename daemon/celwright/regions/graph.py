"""Regions as a graph: who touches whom, how large and how long each one is. Knows labels only."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from celwright.domain import FloatImage, Labels
from celwright.regions.flatting import neighbours


@dataclass(frozen=True, eq=False)
class Graph:
    """What regions 1..N are like: ``share`` (N,) of the area of all, ``slimness`` (N,) the ratio of the shorter to the
    longer axis of each one's spread, 0..1; ``touching`` (N, N) the share of each region's border that it has with each
    other one: rows sum to 1, or are 0 for a region that touches none."""

    share: FloatImage
    slimness: FloatImage
    touching: FloatImage


def graph(labels: Labels, count: int) -> Graph:
    """The graph of ``labels`` (H, W), 0 for what is no region, up to ``count``. Regions without pixels touch nobody."""
    flat = labels.reshape(-1)
    areas = np.bincount(flat, minlength=count + 1)[1:].astype(np.float64)
    height, width = labels.shape
    y, x = np.repeat(np.arange(height), width), np.tile(np.arange(width), height)

    def mean(values: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.asarray(np.bincount(flat, values, count + 1)[1:] / np.maximum(areas, 1))

    upright = mean(y * y) - mean(y) ** 2
    across = mean(x * x) - mean(x) ** 2
    both = mean(x * y) - mean(x) * mean(y)
    middle, off = (upright + across) / 2, np.hypot((upright - across) / 2, both)
    slimness = np.sqrt(np.maximum(middle - off, 1e-3) / np.maximum(middle + off, 1e-3))
    pairs, lengths = neighbours(labels)
    border = np.zeros((count, count), np.float32)
    border[pairs[:, 0] - 1, pairs[:, 1] - 1] = lengths
    border += border.T
    border /= np.maximum(border.sum(1, keepdims=True), 1)
    return Graph((areas / max(areas.sum(), 1)).astype(np.float32), slimness.astype(np.float32), border)
