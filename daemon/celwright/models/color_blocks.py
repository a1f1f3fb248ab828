"""Attention over the places of a picture, with a bias for each of them.

Knows tensors (B, C, H, W); nothing about what the conditions mean.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from celwright.models.decomposer import PixelNorm

NEVER = -1e4  # added to an attention logit: a weight of exactly 0 where any other key may be seen


def near_zero(layer: nn.Conv2d) -> nn.Conv2d:
    """So that a residual branch starts by changing almost nothing."""
    nn.init.normal_(layer.weight, std=0.01)
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer


def attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor, scale: float | Tensor) -> Tensor:
    """softmax(scale q k + bias) v for q (B, N, Q, D), k (B, N, K, D), v (B, N, K, E), with a ``bias`` (B, K) per key.

    The bias rides in one more channel of q and k, so that the fused kernels take it, with gradient.
    """
    ones, keyed = torch.ones_like(q[..., :1]), bias[:, None, :, None].expand(*k.shape[:3], 1)
    q, k = torch.cat([q * scale, ones], -1), torch.cat([k, keyed.to(k.dtype)], -1)
    width = max(q.shape[-1], v.shape[-1])
    q, k, padded = (F.pad(x, (0, width - x.shape[-1])).contiguous() for x in (q, k, v))
    return F.scaled_dot_product_attention(q, k, padded, scale=1.0)[..., : v.shape[-1]]


def tokens(x: Tensor, heads: int = 1) -> Tensor:
    """(B, heads, H * W, C / heads) of (B, C, H, W)."""
    return x.reshape(len(x), heads, x.shape[1] // heads, -1).transpose(2, 3)


def plane(x: Tensor, like: Tensor) -> Tensor:
    """The way back from ``tokens``: (B, C, H, W) with the height and width of ``like``."""
    return x.transpose(2, 3).reshape(len(x), -1, *like.shape[2:])


class StructureAttention(nn.Module):
    """Self-attention over all positions; with ``structure``, A_s = gamma Norm(E') is added to each key's logit, gamma
    learnt (SC-MILC eq. 18-20). Norm is to zero mean and unit variance over the picture."""

    def __init__(self, width: int, heads: int, structure: bool = True) -> None:
        super().__init__()
        self.heads = heads
        self.norm = PixelNorm(width)
        self.query_key_value = nn.Conv2d(width, 3 * width, 1)
        self.out = near_zero(nn.Conv2d(width, width, 1))
        self.gamma = nn.Parameter(torch.zeros(())) if structure else None

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        q, k, v = (tokens(part, self.heads) for part in self.query_key_value(self.norm(x)).chunk(3, 1))
        e = edges.flatten(1).float()
        bias = torch.zeros_like(e)
        if self.gamma is not None:
            centred = e - e.mean(1, keepdim=True)
            bias = self.gamma * centred * torch.rsqrt(centred.square().mean(1, keepdim=True) + 1e-6)
        change: Tensor = self.out(plane(attend(q, k, v, bias, q.shape[-1] ** -0.5), x))
        return x + change
