"""The palettes of automatic colouring: colour histograms out of the distribution that the colorizer was trained on.

They lie in harmonies.npz, which training/harmonies.py wrote: those of figures in plausible colours, none muddy, in an
order in which each is unlike the ones before it. Knows numbers; the network and the regions are others' matters.
"""

from functools import cache
from pathlib import Path

import numpy as np

from celwright.domain import FloatImage

TABLE = Path(__file__).with_name("harmonies.npz")


def harmony(number: int) -> FloatImage:
    """(bins,) float32 that sums to 1: the histogram of this number, counted round and round. Up to 16 numbers in a
    row, which are the variations of one request, are far apart."""
    table = _table()
    return np.asarray(table[number % len(table)])


@cache
def _table() -> FloatImage:
    with np.load(TABLE) as stored:
        shares = stored["shares"].astype(np.float32)
    table: FloatImage = shares / shares.sum(axis=1, keepdims=True)
    return table
