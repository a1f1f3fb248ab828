"""Colouring samples as networks take them: from packed bytes to conditions, with what is left out at random.

A sample's keys and shapes are those of training/pairs.py. Knows no network and no loss.
"""

from collections.abc import Mapping
from typing import TypeAlias

import torch
from torch import Tensor

from celwright.models.autoencoder import Autoencoder
from celwright.models.color_latents import ColorLatents
from celwright.models.colorizer import CONDITIONS, Conditions

Sample: TypeAlias = Mapping[str, Tensor]
Latents: TypeAlias = Autoencoder | ColorLatents
# How often each condition is left out, so that the network can do without and guidance has something to compare with.
LEFT_OUT = {"references": 0.2, "hints": 0.6, "context": 0.5, "histogram": 0.6}


def on_device(sample: Sample, device: str) -> dict[str, Tensor]:
    """All bytes as 0..1, region numbers as they are."""
    moved = {key: value.to(device) for key, value in sample.items()}
    numbers = ("part", "instance")
    return {key: v / 255 if v.dtype == torch.uint8 and key not in numbers else v for key, v in moved.items()}


def rgba(sample: Sample) -> Tensor:
    """(B, 4, S, S): the lineless shaded picture to be painted, with its alpha."""
    return torch.cat([sample["color"], sample["alpha"]], 1)


@torch.no_grad()
def context_latents(autoencoder: Latents, sample: Sample) -> Tensor:
    """(B, C, S / 8, S / 8) latents of what lies outside the selection, zeros for samples that are selected whole."""
    outside = 1 - sample["selection"]
    partly = outside.amax((1, 2, 3)) > 0
    batch, _, height, width = outside.shape
    latents = outside.new_zeros(batch, autoencoder.config.latent_channels, height // 8, width // 8)
    if partly.any():
        seen = torch.cat([sample["color"], sample["alpha"] * outside], 1)[partly]
        latents[partly] = autoencoder.encode(seen).latent_dist.mode().float()
    return latents


def conditions(autoencoder: Latents, sample: Sample) -> Conditions:
    """Everything that a sample tells."""
    return Conditions(
        line=sample["line"],
        references=sample["references"],
        regions=sample["reference_region"],
        hints=sample["hints"],
        context=context_latents(autoencoder, sample),
        selection=sample["selection"],
        histogram=sample["histogram"],
    )


def dropped(given: Conditions, generator: torch.Generator | None = None) -> Conditions:
    """The same with conditions left out at random, sample by sample."""
    count = len(given.line)
    for name in CONDITIONS:
        chances = torch.rand(count, generator=generator)
        given = given.without(name, (chances < LEFT_OUT[name]).to(given.line.device))
    return given
