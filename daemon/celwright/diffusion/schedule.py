"""How much noise there is at each timestep, and what the noisy value, the noise and the clean value say about each
other.

z_t = sqrt(abar_t) z_0 + sqrt(1 - abar_t) eps (SC-MILC eq. 10, 11), T = 1000 and betas linear in t as in its
experiments. Networks estimate the clean value, not the noise; the last timestep is rescaled to pure noise (Lin et al.
2023, algorithm 1), so that sampling starts where training ended and means of brightness are learnt too. Knows no
network.
"""

import torch
from torch import Tensor

TIMESTEPS = 1000


class NoiseSchedule:
    """``alpha_bar`` (T,) float64: the share of the signal's variance, falling from almost 1 at t = 0 to exactly 0 at
    t = T - 1. All methods take latents (B, ...) and timesteps (B,), integers from 0 to T - 1."""

    def __init__(self, timesteps: int = TIMESTEPS, first_beta: float = 1e-4, last_beta: float = 0.02) -> None:
        betas = torch.linspace(first_beta, last_beta, timesteps, dtype=torch.float64)
        signal = (1 - betas).cumprod(0).sqrt()
        signal = (signal - signal[-1]) * signal[0] / (signal[0] - signal[-1])  # zero terminal signal, first step kept
        self.alpha_bar = signal.square()

    def __len__(self) -> int:
        return len(self.alpha_bar)

    def amounts(self, t: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        """(alpha, sigma) = (sqrt(abar_t), sqrt(1 - abar_t)), shaped to multiply ``like``."""
        share = self.alpha_bar.to(t.device)[t].reshape(-1, *[1] * (like.ndim - 1))
        return share.sqrt().to(like.dtype), (1 - share).sqrt().to(like.dtype)

    def noised(self, x0: Tensor, eps: Tensor, t: Tensor) -> Tensor:
        """z_t of eq. 11."""
        alpha, sigma = self.amounts(t, x0)
        return alpha * x0 + sigma * eps

    def noise(self, noisy: Tensor, x0: Tensor, t: Tensor) -> Tensor:
        """The eps that makes ``noisy`` of ``x0``; there is none at t where nothing is noise."""
        alpha, sigma = self.amounts(t, noisy)
        return (noisy - alpha * x0) / sigma

    def trailing(self, steps: int) -> list[int]:
        """``steps`` timesteps from T - 1 downwards, evenly spaced (Lin et al. 2023, "trailing")."""
        return [round(len(self) * (1 - i / steps)) - 1 for i in range(steps)]
