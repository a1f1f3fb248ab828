from itertools import pairwise

import pytest
import torch
from celwright.diffusion.schedule import NoiseSchedule
from hypothesis import given, settings
from hypothesis import strategies as st

SCHEDULE = NoiseSchedule()
TIMES = st.integers(0, len(SCHEDULE) - 1)
VALUES = st.floats(-4, 4, width=32)


def tensor(value):
    return torch.full((1, 2, 2, 2), value, dtype=torch.float64)


def test_alpha_bar_is_the_product_of_one_minus_linear_betas_rescaled_to_end_at_zero():
    product, plain = 1.0, []
    for t in range(1000):
        product *= 1 - (1e-4 + (0.02 - 1e-4) * t / 999)
        plain.append(product**0.5)
    for t in (0, 1, 500, 998, 999):
        wanted = (plain[t] - plain[999]) * plain[0] / (plain[0] - plain[999])
        assert SCHEDULE.alpha_bar[t].item() == pytest.approx(wanted**2, abs=1e-12)
    assert SCHEDULE.alpha_bar[999] == 0
    assert SCHEDULE.alpha_bar[0].item() == pytest.approx(1 - 1e-4)
    assert (SCHEDULE.alpha_bar.diff() < 0).all()


@settings(deadline=None, max_examples=50)
@given(t=TIMES, clean=VALUES, noise=VALUES)
def test_noisy_and_clean_value_give_back_the_noise(t, clean, noise):
    time = torch.tensor([t])
    x0, eps = tensor(clean), tensor(noise)
    torch.testing.assert_close(SCHEDULE.noise(SCHEDULE.noised(x0, eps, time), x0, time), eps, atol=1e-9, rtol=0)


@settings(deadline=None, max_examples=50)
@given(t=TIMES)
def test_unit_variance_stays_unit_variance(t):
    alpha, sigma = SCHEDULE.amounts(torch.tensor([t]), tensor(0.0))
    assert (alpha**2 + sigma**2).item() == pytest.approx(1, abs=1e-12)


def test_the_last_timestep_is_pure_noise():
    last, x0, eps = torch.tensor([999]), tensor(0.7), tensor(-1.3)
    torch.testing.assert_close(SCHEDULE.noised(x0, eps, last), eps, atol=0, rtol=0)


def test_every_sample_of_a_batch_has_its_own_timestep():
    x0, eps = torch.rand(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    both = SCHEDULE.noised(x0, eps, torch.tensor([10, 900]))
    for row, t in enumerate((10, 900)):
        alone = SCHEDULE.noised(x0[row : row + 1], eps[row : row + 1], torch.tensor([t]))
        torch.testing.assert_close(both[row : row + 1], alone)


@given(steps=st.integers(1, 100))
def test_sampling_starts_at_pure_noise_and_goes_down(steps):
    times = SCHEDULE.trailing(steps)
    assert len(times) == steps
    assert times[0] == 999
    assert all(a > b >= 0 for a, b in pairwise(times))
