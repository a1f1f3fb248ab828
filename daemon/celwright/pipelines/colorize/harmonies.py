"""The palettes of automatic colouring, out of the distribution that the colorizer was trained on.

They lie in harmonies.npz, which training/harmonies.py wrote: those of figures in plausible colours, none muddy, in an
order in which each is unlike the ones before it. Knows numbers; the network and the regions are others' matters.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from celwright.domain import FloatImage
from celwright.imaging.histogram import color_histogram

TABLE = Path(__file__).with_name("harmonies.npz")


@dataclass(frozen=True, eq=False)
class Harmony:
    """``colors`` (K, 3) sRGB 0..1, the commonest first, with their ``shares`` (K,) of a figure's area."""

    colors: FloatImage
    shares: FloatImage

    @property
    def histogram(self) -> FloatImage:
        """(bins,) as the colorizer takes a wish for colours."""
        return color_histogram(self.colors, self.shares)


def harmony(number: int) -> Harmony:
    """The palette of this number, counted round and round. Up to 16 numbers in a row, which are the variations of one
    request, are far apart."""
    colors, shares = _table()
    place = number % len(colors)
    there = shares[place] > 0
    return Harmony(colors[place][there], shares[place][there])


@cache
def _table() -> tuple[FloatImage, FloatImage]:
    with np.load(TABLE) as stored:
        colors, shares = (stored[name].astype(np.float32) / 255 for name in ("colors", "shares"))
    return colors, shares
