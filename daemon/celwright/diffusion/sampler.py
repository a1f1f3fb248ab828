"""Noise to latents in few steps: DPM-Solver++(2M) (Lu et al. 2022, algorithm 2) as a generator of estimates.

After each step the estimate of the clean latents comes out: to preview is to decode it, to cancel is to stop iterating.
Second order in between, first order where the log signal-to-noise ratio has no end (the pure noise at the start, the
clean picture at the end). Knows no network, only a function from noisy latents to clean ones.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from celwright.diffusion.schedule import NoiseSchedule

Denoiser = Callable[[Tensor, Tensor], Tensor]  # latents (B, ...) and timesteps (B,) -> the clean latents, estimated


class Estimate(NamedTuple):
    """The clean latents as they look after ``step`` of ``steps``; after the last one they are the result."""

    step: int
    steps: int
    latents: Tensor


def seeded_noise(shape: Sequence[int], seeds: Sequence[int], device: str = "cpu") -> Tensor:
    """(len(seeds), *shape) of normal noise, a sample for each seed, whatever others are drawn beside it. Drawn on the
    CPU, so that a seed means the same on every device."""
    generators = (torch.Generator().manual_seed(seed) for seed in seeds)
    return torch.stack([torch.randn(*shape, generator=generator) for generator in generators]).to(device)


def sample(denoise: Denoiser, noise: Tensor, steps: int, schedule: NoiseSchedule) -> Iterator[Estimate]:
    """``steps`` estimates, each after one call of ``denoise``, from ``noise`` (B, ...)."""
    times = schedule.trailing(steps)
    shares = [float(schedule.alpha_bar[t]) for t in times] + [1.0]
    x, before, width_before = noise, noise, math.inf
    for step, t in enumerate(times):
        now = torch.full((len(x),), t, device=x.device)
        x0 = denoise(x, now)
        yield Estimate(step + 1, steps, x0)
        width = _log_ratio(shares[step + 1]) - _log_ratio(shares[step])
        direction = x0
        if step > 0 and step < steps - 1:  # second order; the first step's width is infinite, it drops out by itself
            direction = x0 + (x0 - before) * (width / (2 * width_before))
        alpha, sigma = math.sqrt(shares[step + 1]), math.sqrt(1 - shares[step + 1])
        # sigma' / sigma x - alpha' (exp(-h) - 1) D, written so that no infinity is multiplied by zero
        x = sigma / math.sqrt(1 - shares[step]) * x + alpha * -math.expm1(-width) * direction
        before, width_before = x0, width


def _log_ratio(share: float) -> float:
    """lambda = log(alpha / sigma)."""
    if share in (0.0, 1.0):
        return math.inf if share else -math.inf
    return 0.5 * math.log(share / (1 - share))
