"""SC-MILC's structure guidance (SGM, eq. 16-21) on the UNet of a Stable Diffusion 1.5.

The UNet stays as diffusers has it: its self-attentions get another processor, some residual blocks a forward hook.
Both do nothing until they are told about a picture. Knows tensors and diffusers' module names.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from celwright.models.attention import attend


@dataclass(frozen=True, eq=False)
class Level:
    """At one size of the UNet: ``edges`` E' (B, 1, h, w), 0..1, and the ``condition`` (B, C, h, w) of eq. 29."""

    edges: Tensor
    condition: Tensor


def edge_map(ink: Tensor) -> Tensor:
    """E (B, 1, H, W), 0..1: the strength of Sobel's gradient of the ink (eq. 16), 1 = the edge of a full black line."""
    slope = ink.new_tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]) / 4
    slopes = F.conv2d(F.pad(ink, (1, 1, 1, 1), mode="replicate"), torch.stack([slope, slope.T])[:, None])
    return slopes.square().sum(1, keepdim=True).sqrt().clamp(max=1)


def per_cell(edges: Tensor, height: int, width: int) -> Tensor:
    """E' (eq. 17): the strongest edge of each latent cell, so that thin lines are not thinned out of sight. At the
    UNet's smaller sizes the mean of these: nearly every cell has an edge there, and the strongest would tell nothing.
    """
    return F.adaptive_max_pool2d(edges, (height, width))


def normalized(edges: Tensor) -> Tensor:
    """Norm(E') (eq. 19), (B, h * w): zero mean and unit variance over the picture."""
    flat = edges.flatten(1)
    centred = flat - flat.mean(1, keepdim=True)
    return centred * torch.rsqrt(centred.square().mean(1, keepdim=True) + 1e-6)


def self_attentions(unet: Any) -> list[Any]:
    """In the order in which the UNet names them."""
    return [module for name, module in unet.named_modules() if name.endswith(".attn1")]


def downward(unet: Any) -> list[Any]:
    """The first residual block of each level on the way down, from which everything below it is told."""
    return [block.resnets[0] for block in unet.down_blocks]


def upward(unet: Any) -> list[Any]:
    """The last residual block of the middle, and of each level on the way up."""
    return [block.resnets[-1] for block in (unet.mid_block, *unet.up_blocks)]


class StructureGuidance(nn.Module):
    """gamma of every self-attention (eq. 19) and alpha of every level (eq. 21), all 0 at first: no change."""

    def __init__(self, unet: Any) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(len(self_attentions(unet))))
        self.alpha = nn.Parameter(torch.zeros(len(downward(unet)) + len(upward(unet))))
        self._levels: dict[tuple[int, int], Level] = {}

    def tell(self, levels: dict[tuple[int, int], Level]) -> None:
        """What the next calls of the UNet are about, by height and width; {} to leave it alone."""
        self._levels = levels

    @property
    def told(self) -> bool:
        return bool(self._levels)

    def level(self, features: Tensor) -> Level:
        """That of features (B, C, h, w) of the UNet."""
        return self._levels[(features.shape[-2], features.shape[-1])]

    def bias(self, number: int, count: int) -> Tensor:
        """A_s (B, count) of the self-attention of that number over ``count`` positions."""
        edges = next(level.edges for level in self._levels.values() if level.edges[0].numel() == count)
        return self.gamma[number] * normalized(edges)

    def modulated(self, number: int, features: Tensor) -> Tensor:
        """F (1 + alpha E')."""
        changed: Tensor = features * (1 + self.alpha[number] * self.level(features).edges).to(features.dtype)
        return changed

    def attach(self, unet: Any) -> Iterator[tuple[Any, int]]:
        """Have the UNet's self-attentions biased; gives the blocks to hook, downward ones first, with their number."""
        for number, attention in enumerate(self_attentions(unet)):
            attention.set_processor(BiasedAttention(self, number))
        yield from ((block, number) for number, block in enumerate([*downward(unet), *upward(unet)]))


class BiasedAttention:
    """A processor for diffusers' Attention: softmax(Q K^T / sqrt(d) + A_s) V (eq. 20). No module, so that the UNet's
    own parameters stay what they were."""

    def __init__(self, guidance: StructureGuidance, number: int) -> None:
        from diffusers.models.attention_processor import AttnProcessor2_0

        self._guidance, self._number = guidance, number
        self._plain: Any = AttnProcessor2_0()  # type: ignore[no-untyped-call]

    def __call__(
        self, attn: Any, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None, temb: Tensor | None = None, **_: Any,
    ) -> Tensor:  # fmt: skip
        """``hidden_states`` (B, h * w, C) of a transformer block, which adds the answer to them itself."""
        if not self._guidance.told:
            unchanged: Tensor = self._plain(attn, hidden_states, encoder_hidden_states, attention_mask, temb)
            return unchanged
        batch, count, _width = hidden_states.shape
        parts = (part(hidden_states) for part in (attn.to_q, attn.to_k, attn.to_v))
        q, k, v = (part.view(batch, count, attn.heads, -1).transpose(1, 2) for part in parts)
        got = attend(q, k, v, self._guidance.bias(self._number, count), attn.scale)
        result: Tensor = got.transpose(1, 2).reshape(batch, count, -1)
        for last in attn.to_out:  # a projection, then dropout
            result = last(result)
        return result
