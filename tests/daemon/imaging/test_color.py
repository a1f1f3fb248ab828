"""Claims about colour conversion and nearest colours."""

import numpy as np
import pytest
from celwright.imaging.color import ciede2000, lab_to_srgb, nearest_colors, srgb_to_lab
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

colors = arrays(np.uint8, st.tuples(st.integers(1, 30), st.just(3))).map(lambda a: a.astype(np.float32) / 255)


def test_white_black_and_primary_red_have_their_known_lab_values() -> None:
    lab = srgb_to_lab([[1, 1, 1], [0, 0, 0], [1, 0, 0]])
    np.testing.assert_allclose(lab, [[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.20]], atol=0.02)
    assert lab.dtype == np.float32


@settings(max_examples=30, deadline=None)
@given(colors)
def test_srgb_survives_the_way_through_lab(srgb: np.ndarray) -> None:
    np.testing.assert_allclose(lab_to_srgb(srgb_to_lab(srgb)), srgb, atol=1e-4)


def test_lab_colours_outside_the_gamut_are_clipped_without_a_warning() -> None:
    srgb = lab_to_srgb([[50, -120, 100], [30, 0, 120], [120, 0, 0]])
    assert srgb.min() == 0
    assert srgb.max() == 1


@pytest.mark.parametrize(
    ("one", "other", "difference"),
    [  # rows of Table 1 of Sharma, Wu and Dalal 2005
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0000),
        ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((22.7233, 20.0904, -46.694), (23.0331, 14.973, -42.5619), 2.0373),
    ],
)
def test_ciede2000_gives_the_published_differences(one: tuple, other: tuple, difference: float) -> None:
    assert float(ciede2000(one, other)) == pytest.approx(difference, abs=1e-3)


@settings(max_examples=30, deadline=None)
@given(colors, colors)
def test_nearest_colors_agree_with_trying_every_pair(wanted: np.ndarray, palette: np.ndarray) -> None:
    chosen = nearest_colors(wanted, palette)
    for color, index in zip(wanted, chosen, strict=True):
        every = [float(ciede2000(srgb_to_lab(color), srgb_to_lab(candidate))) for candidate in palette]
        assert every[index] == pytest.approx(min(every), abs=1e-4)


def test_nearest_colors_of_none_are_none() -> None:
    assert nearest_colors(np.empty((0, 3), np.float32), np.zeros((2, 3), np.float32)).shape == (0,)
