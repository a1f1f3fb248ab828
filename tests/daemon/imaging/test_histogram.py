import numpy as np
import pytest
from celwright.imaging.histogram import BINS, color_histogram, hellinger
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

COLORS = arrays(np.float32, st.tuples(st.integers(1, 20), st.just(3)), elements=st.floats(0, 1, width=32))


@given(COLORS)
def test_shares_are_not_negative_and_sum_to_one(colors):
    shares = color_histogram(colors)
    assert shares.shape == (BINS,)
    assert shares.min() >= 0
    assert shares.sum() == pytest.approx(1, abs=1e-5)


@given(COLORS)
def test_order_and_repetition_of_pixels_do_not_matter(colors):
    doubled = np.concatenate([colors[::-1], colors])
    np.testing.assert_allclose(color_histogram(colors), color_histogram(doubled), atol=1e-6)


def test_weights_count_pixels_and_nothing_counted_is_all_zero():
    colors = np.array([(1, 0, 0), (0, 0, 1)], np.float32)
    np.testing.assert_array_equal(color_histogram(colors, [0, 2]), color_histogram(colors[1:]))
    assert not color_histogram(colors, [0, 0]).any()


def test_white_and_black_and_hues_are_far_apart_and_near_colors_near():
    def distance(one, two):
        return hellinger(color_histogram([one]), color_histogram([two]))

    assert distance((1, 1, 1), (0, 0, 0)) == pytest.approx(1)
    assert distance((1, 0, 0), (0, 1, 0)) == pytest.approx(1)
    assert distance((0.9, 0.2, 0.2), (0.2, 0.3, 0.9)) > 0.7
    assert distance((0.80, 0.5, 0.4), (0.81, 0.5, 0.4)) < 0.15
    assert distance((1, 0.9, 0.9), (0.9, 0.9, 1)) > 0.25, "pale colours are told apart"


def test_hellinger_in_closed_form():
    assert hellinger([0.5, 0.5], [0.5, 0.5]) == 0
    assert hellinger([1, 0], [0, 1]) == pytest.approx(1)
    assert hellinger([1, 0], [0.5, 0.5]) == pytest.approx(np.sqrt(1 - np.sqrt(0.5)))


@given(st.floats(0, 1), st.floats(0, 1))
def test_hellinger_of_two_coins_is_one_less_the_overlap(p, q):
    overlap = np.sqrt(p * q) + np.sqrt((1 - p) * (1 - q))
    assert hellinger([p, 1 - p], [q, 1 - q]) == pytest.approx(np.sqrt(max(0, 1 - overlap)), abs=1e-6)
