"""Claims about the palettes of automatic colouring."""

from itertools import combinations

import numpy as np
from celwright.imaging.histogram import BINS, hellinger
from celwright.imaging.muddiness import muddiness
from celwright.pipelines.colorize.harmonies import harmony


def test_every_harmony_has_colours_by_their_shares_and_the_numbers_go_round() -> None:
    for number in range(0, 300, 7):
        drawn = harmony(number)
        assert 2 <= len(drawn.colors) <= 14
        assert drawn.colors.shape == (len(drawn.shares), 3)
        assert (np.diff(drawn.shares) <= 0).all()
        assert drawn.histogram.shape == (BINS,)
        assert abs(float(drawn.histogram.sum()) - 1) < 1e-5
    assert np.array_equal(harmony(2**32 - 1).colors, harmony(255).colors)


def test_no_harmony_is_muddy() -> None:
    assert max(muddiness(harmony(i).colors, harmony(i).shares) for i in range(256)) <= 0.32


def test_the_palettes_of_sixteen_variations_are_far_apart() -> None:
    for first in (0, 100, 250):
        row = [harmony(first + i).histogram for i in range(16)]
        assert min(hellinger(*two) for two in combinations(row, 2)) > 0.5
