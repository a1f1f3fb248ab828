"""Attention over the places of a picture, with a bias for each of them.

Knows tensors (B, C, H, W); nothing about what the conditions mean.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from celwright.models.decomposer import PixelNorm, start_near_zero

NEVER = -1e4  # added to an attention logit: a weight of exactly 0 where any other key may be seen


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


class SelfAttention(nn.Module):
    """Every position looks at all others; the branch starts by changing almost nothing."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = PixelNorm(width)
        self.query_key_value = nn.Conv2d(width, 3 * width, 1)
        self.out = start_near_zero(nn.Conv2d(width, width, 1))

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (tokens(part, self.heads).contiguous() for part in self.query_key_value(self.norm(x)).chunk(3, 1))
        change: Tensor = self.out(plane(F.scaled_dot_product_attention(q, k, v), x))
        return x + change
