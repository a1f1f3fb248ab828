"""Claims about dealing a palette out among regions."""

import numpy as np
from celwright.pipelines.colorize.dealing import cleared, dealt
from hypothesis import given
from hypothesis import strategies as st

RED, GREEN, OLIVE = (0.8, 0.1, 0.1), (0.1, 0.7, 0.2), (0.45, 0.4, 0.15)


def deal(
    sampled: list[tuple[float, ...]], areas: list[int], palette: list[tuple[float, ...]], shares: list[float]
) -> list:
    colors = dealt(*(np.array(part, np.float32) for part in (sampled, areas, palette, shares)))
    return [tuple(round(float(part), 3) for part in color) for color in colors]


def test_regions_take_the_colour_they_were_sampled_in_when_the_shares_allow() -> None:
    assert deal([GREEN, RED, GREEN], [50, 100, 50], [RED, GREEN], [0.5, 0.5]) == [GREEN, RED, GREEN]


def test_a_dull_mean_becomes_the_colours_that_it_is_a_mean_of() -> None:
    """Both regions are nearest to olive, of which there is hardly any."""
    reddish, greenish = (0.5, 0.35, 0.15), (0.4, 0.45, 0.17)
    assert deal([reddish, greenish], [100, 100], [RED, GREEN, OLIVE], [0.49, 0.49, 0.02]) == [RED, GREEN]


@given(
    st.lists(st.tuples(*[st.floats(0, 1, width=32)] * 3, st.integers(1, 1000)), max_size=12),
    st.lists(st.tuples(*[st.floats(0, 1, width=32)] * 3, st.floats(0.01, 1)), min_size=1, max_size=8),
)
def test_only_colours_of_the_palette_are_dealt(regions: list, palette: list) -> None:
    colors = np.array([one[:3] for one in palette], np.float32)
    sampled = np.array([one[:3] for one in regions], np.float32).reshape(-1, 3)
    found = dealt(sampled, np.array([one[3] for one in regions]), colors, np.array([one[3] for one in palette]))
    assert found.shape == sampled.shape
    assert all((colors == color).all(axis=1).any() for color in found)


def test_the_dull_colour_that_covers_most_and_the_clear_one_change_places() -> None:
    grey, brown, red, white = (0.5, 0.5, 0.5), (0.42, 0.38, 0.36), (0.9, 0.1, 0.1), (1.0, 1.0, 1.0)
    colors = np.array([grey, grey, brown, red, white], np.float32)
    areas = np.array([300, 300, 100, 200, 50])
    found = cleared(colors, areas)
    assert np.array_equal(found, np.array([red, red, brown, grey, white], np.float32))
    assert np.array_equal(cleared(colors[:3], areas[:3]), colors[:3]), "all dull"
    assert np.array_equal(cleared(colors[3:], areas[3:]), colors[3:]), "none dull"
