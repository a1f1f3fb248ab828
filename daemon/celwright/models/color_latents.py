"""Latents that are colours: a lineless picture at a quarter of its size, four pixels to a latent cell.

What a colorizer must say is which colour each region has; the document's own lines and regions give the edges back. So
the latents hold colours and cover, no detail, and a network that copies a colour from a reference has said it already.
Has the call shapes of the autoencoder (models/autoencoder.py), knows no weights, and loses no colour that is wider than
four pixels.
"""

from typing import NamedTuple, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from celwright.models.autoencoder import Autoencoder, Decoded, Encoded, LatentDistribution

SHRINK, CELL = 4, 2  # the picture is reduced by SHRINK; CELL x CELL of its pixels make a latent cell
MIDDLE, SPREAD = 0.5, 0.3  # of colours and cover, so that latents have about zero mean and unit variance


class ColorLatentsConfig(NamedTuple):
    latent_channels: int = 4 * CELL**2
    scaling_factor: float = 1.0


class ColorLatents(nn.Module):
    """Stands where the autoencoder could stand; nothing to train."""

    def __init__(self) -> None:
        super().__init__()
        self.config = ColorLatentsConfig()

    def encode(self, picture: Tensor) -> Encoded:
        """``picture`` (B, 4, H, W): RGB and straight alpha, 0..1, H and W multiples of 8, to (B, 16, H / 8, W / 8).
        Where nothing covers a cell its colour is paper white."""
        alpha = picture[:, 3:]
        cover = F.avg_pool2d(alpha, SHRINK)
        color = F.avg_pool2d(picture[:, :3] * alpha, SHRINK) / cover.clamp(min=1e-4)
        color = torch.where(cover > 0, color, torch.ones_like(color))
        mean = F.pixel_unshuffle((torch.cat([color, cover], 1).float() - MIDDLE) / SPREAD, CELL)
        return Encoded(LatentDistribution(mean, torch.full_like(mean, -20.0)))

    def decode(self, latents: Tensor) -> Decoded:
        """RGB and straight alpha (B, 4, H, W), about 0..1, not clamped, with soft edges."""
        small = F.pixel_shuffle(latents.float(), CELL) * SPREAD + MIDDLE
        return Decoded(F.interpolate(small, scale_factor=SHRINK, mode="bilinear"))


Latents: TypeAlias = Autoencoder | ColorLatents
"""What turns pictures into latents and back."""
