"""Claims about the Fréchet distance between sets of features."""

import numpy as np
import pytest
from celwright.evaluation.frechet import Features, frechet
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

FEATURES = 6
NUMBERS = st.floats(-8, 8, width=32)
SETS = st.integers(1, 9).flatmap(lambda rows: arrays(np.float64, (rows, FEATURES), elements=NUMBERS))
PLACES = arrays(np.float64, FEATURES, elements=NUMBERS)
LENGTHS = arrays(np.float64, FEATURES, elements=st.floats(0, 8, width=32))


def crosses(middle: np.ndarray, arms: np.ndarray) -> Features:
    """Two points along each axis: the mean is the middle, the covariance diagonal."""
    return middle + np.concatenate([np.diag(arms), -np.diag(arms)])


@given(SETS)
def test_a_set_is_at_no_distance_from_itself(features: Features) -> None:
    assert frechet(features, features) == pytest.approx(0, abs=1e-9)


@given(SETS, SETS)
def test_the_distance_is_the_same_both_ways_and_never_negative(features: Features, others: Features) -> None:
    there = frechet(features, others)
    assert there == pytest.approx(frechet(others, features), abs=1e-9)
    assert there >= 0


@given(SETS, PLACES)
def test_a_set_that_was_shifted_is_apart_by_the_squared_length_of_the_shift(
    features: Features, shift: Features
) -> None:
    assert frechet(features, features + shift) == pytest.approx(np.square(shift).sum(), abs=1e-8)


@given(PLACES, LENGTHS, PLACES, LENGTHS)
def test_with_diagonal_covariances_deviations_are_apart_like_means(
    middle: Features, arms: Features, other: Features, other_arms: Features
) -> None:
    deviations, others = (lengths * np.sqrt(2 / (2 * FEATURES - 1)) for lengths in (arms, other_arms))
    closed = np.square(middle - other).sum() + np.square(deviations - others).sum()
    assert frechet(crosses(middle, arms), crosses(other, other_arms)) == pytest.approx(closed, abs=1e-8)


@given(st.integers(0, 1 << 32), st.integers(2, 40), st.integers(2, 40))
def test_it_is_the_papers_formula_with_its_root_taken_by_eigenvalues(seed: int, count: int, other_count: int) -> None:
    rng = np.random.default_rng(seed)
    features, others = rng.normal(0, 1, (count, FEATURES)), rng.normal(0.5, 2, (other_count, FEATURES))
    c, d = np.cov(features, rowvar=False), np.cov(others, rowvar=False)
    root = np.sqrt(np.clip(np.linalg.eigvals(c @ d).real, 0, None)).sum()
    apart = np.square(features.mean(0) - others.mean(0)).sum()
    assert frechet(features, others) == pytest.approx(apart + np.trace(c) + np.trace(d) - 2 * root, rel=1e-5)


def test_fewer_pictures_than_features_have_a_distance() -> None:
    rng = np.random.default_rng(0)
    few, others = rng.random((48, 1280)), rng.random((48, 1280))
    assert frechet(few, few + 1) == pytest.approx(1280)
    assert 0 < frechet(few, others) < 2 * 1280 / 12 + 10


def test_one_picture_each_is_apart_by_its_features() -> None:
    assert frechet(np.array([[1.0, 2.0]]), np.array([[4.0, 6.0]])) == 25
