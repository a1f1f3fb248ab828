"""Claims about the palettes of automatic colouring."""

from itertools import combinations

import numpy as np
from celwright.imaging.histogram import BINS, hellinger
from celwright.pipelines.colorize.harmonies import harmony


def test_every_harmony_is_a_histogram_and_the_numbers_go_round() -> None:
    for number in range(0, 300, 7):
        shares = harmony(number)
        assert shares.shape == (BINS,)
        assert shares.dtype == np.float32
        assert abs(float(shares.sum()) - 1) < 1e-5
        assert shares.min() >= 0
    assert np.array_equal(harmony(2**32 - 1), harmony(255))


def test_the_palettes_of_sixteen_variations_are_far_apart() -> None:
    for first in (0, 100, 250):
        row = [harmony(first + i) for i in range(16)]
        assert min(hellinger(*two) for two in combinations(row, 2)) > 0.5
