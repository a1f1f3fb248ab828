"""Claims about telling muddy colourings from clear ones."""

import numpy as np
import pytest
from celwright.imaging.muddiness import muddiness

MUD, SKIN, NAVY, PAPER = (110, 104, 98), (250, 214, 196), (24, 26, 48), (250, 250, 250)


@pytest.mark.parametrize(("color", "share"), [(MUD, 1.0), (SKIN, 0.0), (NAVY, 0.0), (PAPER, 0.0)])
def test_dull_middle_tones_are_mud_and_dark_light_or_clear_ones_are_not(
    color: tuple[int, int, int], share: float
) -> None:
    assert muddiness(np.array([color]) / 255) == share


def test_colours_count_by_their_weight() -> None:
    colors = np.array([MUD, SKIN]) / 255
    assert muddiness(colors, [1, 3]) == 0.25
    assert muddiness(colors, [0, 0]) == 0
