"""Noise to latents on a Stable Diffusion's own noise schedule, as a generator of estimates.

What is known already takes the place of the estimate at every step: inpainting that needs no model made for it. Knows
no network, only a function that estimates noise.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from celwright.diffusion.sampler import Denoiser, Estimate, sample, seeded_noise
from celwright.diffusion.schedule import NoiseSchedule
from celwright.errors import WrongUsageError

Predict = Callable[[Tensor, Tensor], Tensor]
"""Latents (1, 4, h, w) float32 and timesteps (1,) -> the noise in them, float32."""

MOST_FEW_STEPS = 50  # of the schedule that few-step updates were distilled on


class CheckpointSchedule(NoiseSchedule):
    """The schedule that a checkpoint was trained on; ``alpha_bar`` (T,) as its scheduler tells it."""

    def __init__(self, alpha_bar: Tensor) -> None:
        self.alpha_bar = alpha_bar.double().cpu()


@dataclass(frozen=True, eq=False)
class Known:
    """``latents`` (1, 4, h, w) that are to stay where ``finished`` (1, 1, h, w) is true, and where ``begun`` is true
    in the noisier half of the timesteps: their colours are said, not yet their shading."""

    latents: Tensor
    finished: Tensor
    begun: Tensor

    def put_back(self, clean: Tensor, early: bool) -> Tensor:
        return torch.where(self.finished | self.begun if early else self.finished, self.latents, clean)


def sampled(
    pipeline: Any, predict: Predict, size: tuple[int, int], seed: int, steps: int, *, few_steps: bool, device: Any,
    known: Known | None = None,
) -> Iterator[Estimate]:  # fmt: skip
    """``steps`` estimates of clean latents (1, 4, *size), the last the result: by DPM-Solver++(2M), or with
    ``few_steps`` as latent consistency models are sampled. Raises WrongUsageError."""
    schedule = CheckpointSchedule(pipeline.scheduler.alphas_cumprod)
    noise = seeded_noise((4, *size), [seed], device)

    def denoise(x: Tensor, t: Tensor) -> Tensor:
        alpha, sigma = schedule.amounts(t, x)
        clean = (x - sigma * predict(x, t)) / alpha
        return clean if known is None else known.put_back(clean, early=bool(2 * t[0] >= len(schedule)))

    if few_steps:
        yield from _consistent(denoise, noise, seed, steps, schedule)
    else:
        yield from sample(denoise, noise, steps, schedule)


def _consistent(
    denoise: Denoiser, noise: Tensor, seed: int, steps: int, schedule: NoiseSchedule
) -> Iterator[Estimate]:  # fmt: skip
    """Every estimate is made noisy again, by new noise, to the next of the timesteps that the update was distilled on
    (Luo et al. 2023, "Latent consistency models", algorithm 3; their boundary factors are 1 to five digits here)."""
    if steps > MOST_FEW_STEPS:
        raise WrongUsageError(
            f"The number of steps is {steps}; a model with a few-step update takes 1 to {MOST_FEW_STEPS}."
        )
    generator = torch.Generator().manual_seed(seed)
    torch.randn(noise.shape, generator=generator)  # what ``noise`` itself was drawn from
    distilled = [len(schedule) * (place + 1) // MOST_FEW_STEPS - 1 for place in reversed(range(MOST_FEW_STEPS))]
    x = noise
    for step in range(steps):
        now = distilled[step * MOST_FEW_STEPS // steps]
        clean = denoise(x, torch.full((len(x),), now, device=x.device))
        yield Estimate(step + 1, steps, clean)
        if step + 1 < steps:
            share = float(schedule.alpha_bar[distilled[(step + 1) * MOST_FEW_STEPS // steps]])
            fresh = torch.randn(x.shape, generator=generator).to(x.device)
            x = math.sqrt(share) * clean + math.sqrt(1 - share) * fresh
