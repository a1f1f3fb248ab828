"""Pictures as Qwen-Image-Layered sees them: latents packed into tokens, and the way from noise to layers.

Everything is done by the diffusers pipeline's own functions; what stands here is what its ``__call__`` does between
them, without its bounds on resolution, so that training may look at samples of any size. Knows tensors, no files.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from celwright.models.layered import LAYERS, PROMPT, SEGMENTS

FRAMES = SEGMENTS - 1  # what is denoised: the composite, then the layers


class Prompt(NamedTuple):
    """``embeds`` (1, n, D) and ``mask`` (1, n), None when all of it counts."""

    embeds: Tensor
    mask: Tensor | None

    def to(self, device: Any, dtype: torch.dtype) -> "Prompt":
        return Prompt(self.embeds.to(device, dtype), None if self.mask is None else self.mask.to(device))


@torch.no_grad()
def encoded_prompt(pipeline: Any) -> Prompt:
    """The fixed prompt of section 5.2 through the pipeline's text encoder."""
    device = next(pipeline.text_encoder.parameters()).device
    embeds, mask = pipeline.encode_prompt(PROMPT, device=device)
    return Prompt(embeds, mask)


@torch.no_grad()
def encoded(pipeline: Any, pictures: Tensor) -> Tensor:
    """(B, C, 1, h, w) normalised latents of ``pictures`` (B, 4, H, W) in -1..1, one by one as the pipeline does it."""
    pictures = pictures[:, :, None].to(pipeline.vae.device, pipeline.vae.dtype)
    return torch.cat([pipeline._encode_vae_image(one[None], None) for one in pictures])


@torch.no_grad()
def decoded(pipeline: Any, latents: Tensor) -> Tensor:
    """(B, 4, H, W) in -1..1 of normalised ``latents`` (B, C, 1, h, w)."""
    config = pipeline.vae.config
    mean, spread = (
        torch.tensor(values, device=latents.device, dtype=pipeline.vae.dtype).view(1, -1, 1, 1, 1)
        for values in (config.latents_mean, config.latents_std)
    )
    latents = latents.to(pipeline.vae.dtype) * spread + mean
    pictures = [pipeline.vae.decode(one[None], return_dict=False)[0][:, :, 0] for one in latents]
    return torch.cat(pictures)


def packed(pipeline: Any, latents: Tensor) -> Tensor:
    """(B, F h w / 4, 4 C) tokens of the ``latents`` (B, F, C, h, w) of F frames."""
    batch, frames, channels, height, width = latents.shape
    tokens: Tensor = pipeline._pack_latents(latents, batch, channels, height, width, frames)
    return tokens


def unpacked(pipeline: Any, tokens: Tensor, height: int, width: int) -> Tensor:
    """(B, F, C, h, w) latents of the tokens of F frames that are ``height`` x ``width`` latents."""
    scale = pipeline.vae_scale_factor
    frames = tokens.shape[1] * 4 // (height * width)
    latents: Tensor = pipeline._unpack_latents(tokens, height * scale, width * scale, frames - 1, scale)
    return latents.permute(0, 2, 1, 3, 4)


def velocity(transformer: Any, noisy: Tensor, condition: Tensor, sigma: Tensor, prompt: Prompt, size: Any) -> Tensor:
    """diffusers' velocity of the frames' tokens ``noisy`` (B, 5 n, c), x1 - x0 in the paper's letters, seen beside
    the tokens of the ``condition`` picture (B, n, c) at noise level ``sigma`` (B,); ``size`` = (h, w) in latents."""
    batch = len(noisy)
    shapes = [[(1, size[0] // 2, size[1] // 2)] * SEGMENTS] * batch
    mask = prompt.mask
    found: Tensor = transformer(
        hidden_states=torch.cat([noisy, condition], dim=1),
        timestep=sigma.to(noisy.dtype),
        encoder_hidden_states=prompt.embeds.expand(batch, -1, -1),
        encoder_hidden_states_mask=None if mask is None else mask.expand(batch, -1),
        img_shapes=shapes,
        additional_t_cond=torch.zeros(batch, dtype=torch.long, device=noisy.device),
        return_dict=False,
    )[0]
    return found[:, : noisy.shape[1]]


@torch.no_grad()
def sampled(pipeline: Any, prompt: Prompt, picture: Tensor, steps: int, seed: int) -> Tensor:
    """(4, 4, H, W) layers, in the order of ``LAYERS`` and in -1..1, of one ``picture`` (4, H, W) in -1..1; H and W are
    multiples of twice the autoencoder's reduction."""
    latents = encoded(pipeline, picture[None])[:, :, 0]
    height, width = latents.shape[-2:]
    transformer = pipeline.transformer
    condition = packed(pipeline, latents[:, None]).to(transformer.dtype)
    random = torch.Generator().manual_seed(seed)
    noise = torch.randn((1, FRAMES, *latents.shape[1:]), generator=random, dtype=condition.dtype)
    tokens = packed(pipeline, noise.to(condition.device))
    scheduler = pipeline.scheduler
    mu = (condition.shape[1] / 256) ** 0.5  # as the pipeline has it: relative to 256 tokens
    scheduler.set_timesteps(sigmas=np.linspace(1.0, 0, steps + 1)[:-1], device=tokens.device, mu=mu)
    scheduler.set_begin_index(0)
    for time in scheduler.timesteps:
        sigma = (time / 1000).expand(1)
        found = velocity(transformer, tokens, condition, sigma, prompt, (height, width))
        tokens = scheduler.step(found, time, tokens, return_dict=False)[0]
    layers = unpacked(pipeline, tokens, height, width)[0, 1:]
    assert len(layers) == len(LAYERS)
    return decoded(pipeline, layers[:, :, None])
