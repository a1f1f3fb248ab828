import itertools

import pytest
import torch
from celwright.diffusion.sampler import sample, seeded_noise
from celwright.diffusion.schedule import NoiseSchedule

SCHEDULE = NoiseSchedule()


def exact(mean, std):
    """What a perfect network estimates when the data is normal with this mean and deviation."""

    def clean(x, t):
        alpha, sigma = SCHEDULE.amounts(t, x)
        return mean + alpha * std**2 / (alpha**2 * std**2 + sigma**2) * (x - alpha * mean)

    return clean


@pytest.mark.parametrize("steps", [1, 2, 3, 8, 20])
def test_a_constant_is_reached_exactly_in_any_number_of_steps(steps):
    noise = seeded_noise((3, 4, 4), [1, 2]).double()
    *_, last = sample(exact(0.37, 0.0), noise, steps, SCHEDULE)
    torch.testing.assert_close(last.latents, torch.full_like(noise, 0.37), atol=1e-9, rtol=0)


def test_a_normal_distribution_is_sampled_with_its_mean_and_deviation():
    noise = seeded_noise((4096,), [5]).double()
    *_, last = sample(exact(0.5, 0.2), noise, 400, SCHEDULE)
    assert last.latents.mean().item() == pytest.approx(0.5, abs=0.01)
    assert last.latents.std().item() == pytest.approx(0.2, abs=0.01)


def test_second_order_comes_closer_than_first_order_in_the_same_steps():
    """The flow of a normal distribution is known in closed form; DDIM is the first-order solver."""
    noise = seeded_noise((512,), [3]).double()
    denoise = exact(0.5, 0.3)
    end = torch.tensor([SCHEDULE.trailing(12)[-1]])
    alpha, sigma = SCHEDULE.amounts(end, noise)
    flowed = alpha * 0.5 + (alpha**2 * 0.3**2 + sigma**2).sqrt() * noise
    wanted = denoise(flowed, end)
    *_, ours = sample(denoise, noise, 12, SCHEDULE)
    x, times = noise, SCHEDULE.trailing(12)
    for now, after in itertools.pairwise([*times, None]):
        t = torch.full((1,), now)
        x0 = denoise(x, t)
        eps = SCHEDULE.noise(x, x0, t)
        x = x0 if after is None else SCHEDULE.noised(x0, eps, torch.full((1,), after))
    assert (ours.latents - wanted).abs().mean() < 0.5 * (x - wanted).abs().mean()


def test_every_step_gives_an_estimate_and_its_number():
    noise = seeded_noise((2, 2, 2), [0])
    found = list(sample(exact(0.1, 0.0), noise, 5, SCHEDULE))
    assert [(estimate.step, estimate.steps) for estimate in found] == [(n, 5) for n in range(1, 6)]
    assert all(estimate.latents.shape == noise.shape for estimate in found)


def test_cancel_stops_before_the_next_step():
    calls = []

    def denoise(x, t):
        calls.append(int(t[0]))
        return torch.zeros_like(x)

    steps = sample(denoise, seeded_noise((1, 2, 2), [0]), 8, SCHEDULE)
    next(steps)
    next(steps)
    steps.close()
    assert calls == SCHEDULE.trailing(8)[:2]


def test_a_seed_gives_the_same_noise_whatever_stands_beside_it():
    alone, beside = seeded_noise((4, 8, 8), [7]), seeded_noise((4, 8, 8), [3, 7])
    torch.testing.assert_close(alone[0], beside[1], atol=0, rtol=0)
    assert not torch.equal(beside[0], beside[1])
