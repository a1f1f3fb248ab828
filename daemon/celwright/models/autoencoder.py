"""The embedded autoencoder: RGBA pictures to latents of an eighth of their side and back.

Has the call shapes and the folder layout of diffusers' ``AutoencoderKL`` (``encode(x).latent_dist``,
``decode(z).sample``, ``config.json`` beside ``diffusion_pytorch_model.safetensors``), so that either can stand in for
the other, without importing diffusers, which takes seconds. Convolutions only and no statistics over space: a crop's
latents are those of the whole picture. Knows neither diffusion nor training.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from celwright.errors import ModelUnavailableError
from celwright.models.decomposer import Block

PATCH = 4  # the first layer sees patches of so many pixels a side: most of the work is done at a quarter of the size
WEIGHTS, CONFIG = "diffusion_pytorch_model.safetensors", "config.json"


@dataclass(frozen=True)
class AutoencoderConfig:
    """``encoder`` and ``decoder``: (channels at 1/4, blocks at 1/4, channels at 1/8, blocks at 1/8)."""

    latent_channels: int
    encoder: Sequence[int]
    decoder: Sequence[int]
    scaling_factor: float = 1.0


class LatentDistribution(NamedTuple):
    """A normal distribution for each latent value; ``mean`` and ``logvar`` (B, C, H / 8, W / 8)."""

    mean: Tensor
    logvar: Tensor

    def mode(self) -> Tensor:
        return self.mean

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        noise = torch.randn(self.mean.shape, generator=generator, device=self.mean.device, dtype=self.mean.dtype)
        return self.mean + torch.exp(0.5 * self.logvar) * noise

    def kl(self) -> Tensor:
        """(B,) divergence from the standard normal, summed over a picture's latents."""
        return 0.5 * (self.mean.square() + self.logvar.exp() - 1 - self.logvar).sum((1, 2, 3))


class Encoded(NamedTuple):
    latent_dist: LatentDistribution


class Decoded(NamedTuple):
    sample: Tensor


class Autoencoder(nn.Module):
    """Latents times ``config.scaling_factor`` have unit variance. Once ``standardize`` was called they also have zero
    mean and unit variance in each channel, and the factor is 1."""

    stride = 2 * PATCH  # picture sides must be multiples of it

    def __init__(
        self, latent_channels: int, encoder: Sequence[int], decoder: Sequence[int], scaling_factor: float = 1.0
    ) -> None:
        super().__init__()
        self.config = AutoencoderConfig(latent_channels, tuple(encoder), tuple(decoder), scaling_factor)
        near, near_blocks, far, far_blocks = encoder
        self.encoder = nn.Sequential(
            nn.PixelUnshuffle(PATCH),
            nn.Conv2d(4 * PATCH**2, near, 3, padding=1),
            *(Block(near) for _ in range(near_blocks)),
            nn.Conv2d(near, far, 2, stride=2),
            *(Block(far) for _ in range(far_blocks)),
        )
        self.quant_conv = nn.Conv2d(far, 2 * latent_channels, 1)
        near, near_blocks, far, far_blocks = decoder
        self.post_quant_conv = nn.Conv2d(latent_channels, far, 1)
        self.decoder = nn.Sequential(
            nn.Conv2d(far, far, 3, padding=1),
            *(Block(far) for _ in range(far_blocks)),
            nn.Conv2d(far, 4 * near, 1),
            nn.PixelShuffle(2),
            *(Block(near) for _ in range(near_blocks)),
            nn.Conv2d(near, 4 * PATCH**2, 3, padding=1),
            nn.PixelShuffle(PATCH),
        )

    def encode(self, picture: Tensor) -> Encoded:
        """``picture`` (B, 4, H, W): RGB and straight alpha, 0..1, H and W multiples of 8. The colour under alpha 0
        does not count."""
        color, alpha = picture[:, :3], picture[:, 3:]
        x = self.encoder(torch.cat([(color - 0.5) * alpha, alpha - 0.5], 1))
        mean, logvar = self.quant_conv(x).float().chunk(2, 1)
        return Encoded(LatentDistribution(mean, logvar.clamp(-20, 4)))

    def decode(self, latents: Tensor) -> Decoded:
        """RGB and straight alpha (B, 4, H, W), about 0..1, not clamped; the colour under alpha 0 means nothing."""
        x = self.decoder(self.post_quant_conv(latents))
        return Decoded(x.float() + 0.5)

    def forward(self, picture: Tensor, sample: bool = False) -> tuple[Tensor, LatentDistribution]:
        """The picture after encoding and decoding, by way of the mode or of a ``sample``, and its latents."""
        latents = self.encode(picture).latent_dist
        return self.decode(latents.sample() if sample else latents.mode()).sample, latents

    @torch.no_grad()
    def standardize(self, mean: Tensor, std: Tensor) -> None:
        """Fold the latents' statistics, (C,) each, into the two convolutions around them: pictures come out as
        before, by latents of zero mean and unit variance in every channel."""
        inward, outward = self.quant_conv, self.post_quant_conv
        means, logs = slice(0, len(mean)), slice(len(mean), None)
        assert inward.bias is not None
        assert outward.bias is not None
        inward.weight[means] /= std[:, None, None, None]
        inward.bias[means] = (inward.bias[means] - mean) / std
        inward.bias[logs] -= 2 * std.log()
        outward.bias += outward.weight[:, :, 0, 0] @ mean
        outward.weight *= std[None, :, None, None]

    def save_pretrained(self, folder: Path) -> None:
        """Write weights and constructor arguments into ``folder``, each file in one move."""
        folder.mkdir(parents=True, exist_ok=True)
        weights, config = folder / (WEIGHTS + ".part"), folder / (CONFIG + ".part")
        save_file({key: value.contiguous() for key, value in self.state_dict().items()}, weights)
        config.write_text(json.dumps({"_class_name": type(self).__name__} | asdict(self.config), indent=2) + "\n")
        for part in (weights, config):
            os.replace(part, part.with_suffix(""))

    @classmethod
    def from_pretrained(cls, folder: Path) -> "Autoencoder":
        """What ``save_pretrained`` wrote, fp16 weights too. Raises ModelUnavailableError when it is not there."""
        try:
            stored = json.loads((folder / CONFIG).read_text())
            weights = load_file(folder / WEIGHTS)
        except OSError as fault:
            raise ModelUnavailableError(
                f"{folder} holds no autoencoder ({fault.strerror}); {CONFIG} and {WEIGHTS} are needed: "
                f"name a folder that a training wrote."
            ) from fault
        network = cls(**{key: value for key, value in stored.items() if not key.startswith("_")})
        network.load_state_dict({key: value.float() for key, value in weights.items()})
        return network
