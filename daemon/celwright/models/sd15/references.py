"""SC-MILC's instance features (ISMFF, eq. 22-28) for a Stable Diffusion 1.5, with correspondence between poses.

The paper's references share the target's canvas. Here each place of the target looks for the places of a reference
that the frozen UNet finds alike; what it finds there counts inside the instance's region and nowhere else. The paper's
global feature (eq. 25) reaches everywhere; ours is the mean over the references that count at a place, which is the
paper's where all of them count everywhere. Knows tensors only.
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from celwright.models.attention import NEVER, attend, plane, tokens


@dataclass(frozen=True, eq=False)
class Instances:
    """``fused`` F_inst (B, C, h, w) of eq. 28; ``gates`` g_i (B, R, C, h, w) of eq. 26; ``reach`` (B, R, h, w): the
    share of each cell in which a reference counts."""

    fused: Tensor
    gates: Tensor
    reach: Tensor


@torch.no_grad()
def unet_features(unet: Any, latents: Tensor, prompt: Tensor) -> Tensor:
    """(B, C, h, w) float32: what the UNet's first two levels see in latents (B, 4, h, w) of nearly no noise, each
    place at unit length. Trained UNets are alike there for what means alike (Tang et al. 2023, "DIFT")."""
    dtype = unet.dtype
    time = torch.ones(len(latents), device=latents.device)
    embedding = unet.time_embedding(unet.time_proj(time).to(dtype))
    x, told = unet.conv_in(latents.to(dtype)), prompt.to(dtype).expand(len(latents), -1, -1)
    seen = []
    for block in unet.down_blocks[:2]:
        x, states = block(hidden_states=x, temb=embedding, encoder_hidden_states=told)
        seen.append(states[-2])  # before it is made smaller
    size = latents.shape[-2:]
    return torch.cat([F.normalize(F.interpolate(state.float(), size, mode="bilinear"), dim=1) for state in seen], 1)


class InstanceFeatures(nn.Module):
    """``seen`` channels of ``unet_features``; ``width`` are those of f_i, of queries and of keys."""

    def __init__(self, seen: int, width: int) -> None:
        super().__init__()
        self.encode = nn.Sequential(nn.Conv2d(seen + 4, width, 1), nn.SiLU(), nn.Conv2d(width, width, 1))
        self.query, self.key = nn.Conv2d(seen, width, 1), nn.Conv2d(seen, width, 1)
        self.sharpness = nn.Parameter(torch.tensor(2.3))  # logarithm of the inverse temperature
        self.overall_gate = nn.Conv2d(width, width, 1)  # W_1
        self.local_gate = nn.Linear(width, width, bias=False)  # W_2
        self.absent = nn.Parameter(0.02 * torch.randn(width, 1, 1))

    def forward(self, target: Tensor, latents: Tensor, shown: Tensor, masks: Tensor, regions: Tensor) -> Instances:
        """``target`` (B, C, h, w): features of the line art. ``latents`` (B, R, 4, h', w') and ``shown`` (B, R, C, h',
        w'): latents and features of the references. ``masks`` (B, R, 1, H', W'), all 0 for one that is absent.
        ``regions`` (B, R, 1, H, W): where each counts in the target."""
        batch, count = masks.shape[:2]
        size = target.shape[-2], target.shape[-1]
        shown, latents = shown.flatten(0, 1), latents.flatten(0, 1).float()
        share = F.adaptive_avg_pool2d(masks.flatten(0, 1), (shown.shape[-2], shown.shape[-1]))  # eq. 23
        features = self.encode(torch.cat([shown, latents], 1)).float()  # eq. 22
        present = masks.amax((2, 3, 4))
        reach = F.adaptive_avg_pool2d(regions.flatten(0, 1), size).view(batch, count, *size)
        reach = reach * present.ceil()[:, :, None, None]

        queries = F.normalize(self.query(target).float(), dim=1).repeat_interleave(count, 0)
        keys = F.normalize(self.key(shown).float(), dim=1)
        found = attend(
            tokens(queries), tokens(keys), tokens(features), _log(share), self.sharpness.exp().clamp(max=100)
        )
        local = plane(found, queries).view(batch, count, -1, *size)  # f_i of eq. 24, brought to where it belongs

        pooled = features.mean((2, 3)).view(batch, count, -1)
        masked = ((features * share).sum((2, 3)) / share.sum((2, 3)).clamp(min=1e-4)).view(batch, count, -1)
        all_reach = reach.sum(1, keepdim=True)
        overall = torch.einsum("brhw,brc->bchw", reach, pooled) / all_reach.clamp(min=1e-4)  # f_g, eq. 25
        gates = self.overall_gate(overall)[:, None] + self.local_gate(masked)[..., None, None]
        gates = torch.sigmoid(gates.float())  # eq. 26
        both = gates * local + (1 - gates) * overall[:, None]  # eq. 27
        fused = (both * reach[:, :, None]).sum(1)  # eq. 24's mask, here in the target, and eq. 28
        return Instances(fused + (1 - all_reach.clamp(max=1)) * self.absent, gates, reach)


def _log(share: Tensor) -> Tensor:
    """(B, K) what a mask (B, 1, h, w) adds to attention logits: a key counts by its share."""
    flat = share.flatten(1).float()
    return torch.where(flat > 0, flat.clamp(min=1e-4).log(), NEVER)
