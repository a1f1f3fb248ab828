"""Steps, hues and storage of shadows, by their formulas."""

import numpy as np
import pytest
from celwright.pipelines.decompose import shadow_tones as tones
from hypothesis import given
from hypothesis import strategies as st


def statistics(*strengths, hue=(1.0, 1.0, 1.0)):
    """Of one group whose pixels have these strengths."""
    gathered = tones.ShadowStatistics(1)
    amount = np.array(strengths, np.float32)[:, None] * np.array(hue, np.float32)
    gathered.add(amount, np.zeros(len(amount), np.int32))
    return gathered


def test_two_tones_find_the_two_strengths_that_there_are():
    found = statistics(*[0.0] * 500, *[0.2] * 60, *[0.22] * 60, *[0.6] * 30)
    assert found.levels(2)[0] == pytest.approx([0.21, 0.6], abs=0.01)
    assert found.levels(1)[0] > 0.3  # one for both


def test_a_group_with_hardly_any_shadow_has_no_step():
    assert statistics(*[0.0] * 500, *[0.02] * 400).levels(2).tolist() == [[0, 0]]
    assert statistics(*[0.0] * 500, *[0.5] * 3).levels(1).tolist() == [[0]]


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=60), st.sampled_from([1, 2]))
def test_levels_rise_and_stay_between_none_and_the_darkest(strengths, number):
    levels = statistics(*strengths * 12).levels(number)[0]
    assert (np.diff(levels) >= 0).all()
    assert levels.min() >= 0
    assert levels.max() <= max(strengths) + 1 / 255


def test_the_hue_is_the_mean_of_all_shadows_and_grey_without_any():
    assert statistics(0.5, 0.1, hue=(0.4, 1, 0.2)).hues()[0] == pytest.approx([0.4, 1, 0.2], abs=1e-6)
    assert statistics(0.0).hues()[0].tolist() == [1, 1, 1]


def test_a_step_covers_what_is_darker_and_meets_the_light_within_a_pixel_or_two():
    ramp = np.tile((np.linspace(0, 1, 41) * 65535).astype(np.uint16), (3, 1))
    covered = tones.coverage(ramp, np.full((1, 41, 1), 0.8, np.float32))[0, :, 0]
    assert (covered[:15] == 0).all()
    assert (covered[18:] == 1).all()  # half of 0.8 lies at 16
    assert covered[16] == pytest.approx(0.5, abs=0.05)


@given(st.floats(0, 1, width=32))
def test_the_pixel_that_a_sharp_edge_cuts_keeps_its_share(share):
    edge = np.array([0, 0, share, 1, 1], np.float32) * 0.6
    covered = tones.coverage(
        np.tile((edge * 65535 + 0.5).astype(np.uint16), (3, 1)), np.full((1, 5, 1), 0.6, np.float32)
    )
    assert covered[0, :, 0] == pytest.approx([0, 0, share, 1, 1], abs=2e-4)


def test_steps_lie_over_one_another():
    covered = np.array([[[0, 0], [1, 0], [1, 1], [0.5, 0]]], np.float32)
    amounts = np.array([[[0.2, 0.1, 0.1], [0.6, 0.3, 0.5]]], np.float32)
    found = tones.in_steps(covered, amounts, np.zeros((1, 4), np.int32))[0]
    assert found == pytest.approx(np.array([[0, 0, 0], [0.2, 0.1, 0.1], [0.6, 0.3, 0.5], [0.1, 0.05, 0.05]]))


def test_the_nearest_multiple_of_a_hue_is_left_over_at_right_angles():
    amount, hue = np.array([[[0.3, 0.5, 0.1]]], np.float32), np.array([[[0.4, 1, 0.3]]], np.float32)
    found = tones.of_one_hue(amount, hue)
    assert ((amount - found) * hue).sum() == pytest.approx(0, abs=1e-6)
    assert found / found.max() == pytest.approx(hue, abs=1e-6)


@given(st.integers(0, 2**32 - 1), st.sampled_from([8, 16]))
def test_laid_normally_a_shadow_gives_what_multiplying_gives(seed, depth):
    rng = np.random.default_rng(seed)
    flat, amount = rng.random((2, 4, 4, 3), np.float32)
    full = rng.random((4, 4, 1), np.float32)
    stored = tones.stored_over(flat, amount, full, depth)
    laid = flat * (1 - stored[..., 3:]) + stored[..., :3] * stored[..., 3:]
    assert np.abs(laid - flat * (1 - amount)).max() <= 1 / (2**depth - 1) + 1e-5
    assert stored.min() >= 0
    assert stored.max() <= 1
