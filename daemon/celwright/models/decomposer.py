"""The embedded decomposer: one picture in, estimates of its four layers out.

A U-Net on pixel-unshuffled input with residual blocks and no statistics over space, so that a tile's result does not
depend on where the tile was cut. Each layer has its own head (its identity, in the paper's word). Knows tensors only;
tiles, files and training live elsewhere.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Layer = TypeVar("Layer", bound=nn.Module)


class Layers(NamedTuple):
    """Estimates, each (B, C, H, W), 0..1 after clamping.

    ``shadow`` is a factor (1 = none), ``highlight`` is screened (0 = none).
    """

    line_alpha: Tensor  # C = 1
    line_color: Tensor  # C = 3
    flat: Tensor  # C = 3
    shadow: Tensor  # C = 3
    highlight: Tensor  # C = 3


CHANNELS = (1, 3, 3, 3, 3)


def compose(layers: Layers) -> Tensor:
    """(B, 3, H, W): line over screen(multiply(flat, shadow), highlight)."""
    painted = 1 - (1 - layers.flat * layers.shadow) * (1 - layers.highlight)
    return layers.line_color * layers.line_alpha + painted * (1 - layers.line_alpha)


class PixelNorm(nn.Module):
    """Root-mean-square normalisation over the channels of each pixel (Zhang & Sennrich 2019), learned gain."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        scale = torch.rsqrt(x.float().square().mean(1, keepdim=True) + 1e-5)
        normed: Tensor = x * (scale.to(x.dtype) * self.gain.to(x.dtype))
        return normed


class Block(nn.Module):
    """x + conv(silu(conv(norm(x)))), the last convolution starting near zero."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = PixelNorm(width)
        self.spread = nn.Conv2d(width, width, 3, padding=1)
        self.gather = nn.Conv2d(width, width, 3, padding=1)
        start_near_zero(self.gather)

    def forward(self, x: Tensor) -> Tensor:
        change: Tensor = self.gather(F.silu(self.spread(self.norm(x))))
        return x + change


class UNet(nn.Module):
    """From ``seen`` channels to planes of ``made`` channels each, at the same size. ``widths`` are the channels at 1/2,
    1/4, 1/8 … of the picture's size, ``depths`` the blocks on the way down, ``depths_up`` on the way up (one fewer:
    the lowest level has no way up)."""

    def __init__(
        self, seen: int, made: Sequence[int], widths: Sequence[int], depths: Sequence[int], depths_up: Sequence[int]
    ) -> None:
        super().__init__()
        self.stride = 2 ** len(widths)  # picture sides must be multiples of it
        self.stem = nn.Conv2d(seen * 4, widths[0], 3, padding=1)
        self.encoder = nn.ModuleList(blocks(width, count) for width, count in zip(widths, depths, strict=True))
        self.down = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in pairwise(widths))
        self.up = nn.ModuleList(nn.Conv2d(b, a * 4, 1) for a, b in pairwise(widths))
        self.decoder = nn.ModuleList(blocks(width, count) for width, count in zip(widths, depths_up, strict=False))
        self.heads = nn.ModuleList(nn.Conv2d(widths[0], channels * 4, 3, padding=1) for channels in made)
        for head in self.heads:
            start_near_zero(head)

    def planes(self, x: Tensor) -> list[Tensor]:
        """(B, C, H, W) for each C of ``made``, near 0 before training; ``x`` (B, seen, H, W) around 0."""
        x = self.stem(F.pixel_unshuffle(x, 2))
        skips = []
        for level, encode in enumerate(self.encoder):
            x = encode(x)
            if level < len(self.down):
                skips.append(x)
                x = self.down[level](x)
        for level in reversed(range(len(skips))):
            x = skips[level] + F.pixel_shuffle(self.up[level](x), 2)
            x = self.decoder[level](x)
        return [F.pixel_shuffle(head(x), 2).float() for head in self.heads]


def blocks(width: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(Block(width) for _ in range(count)))


def start_near_zero(layer: Layer) -> Layer:
    """The same layer, so that a residual branch that it ends starts by changing almost nothing."""
    nn.init.normal_(layer.weight, std=0.01)  # type: ignore[arg-type]
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer


def changed(picture: Tensor, alpha: Tensor, ink: Tensor, flat: Tensor, shadow: Tensor, highlight: Tensor) -> Layers:
    """Start from "no line, no light, the flat is the picture" and learn what to change. No squashing: where most pixels
    are exactly 0 or 1, a sigmoid under an L1 loss saturates before it has seen its first line."""
    return Layers(alpha, ink, picture + flat, 1 + shadow, highlight)


class Decomposer(UNet):
    """All layers at once, each by its own head."""

    def __init__(self, widths: Sequence[int], depths: Sequence[int], depths_up: Sequence[int]) -> None:
        super().__init__(3, CHANNELS, widths, depths, depths_up)

    def forward(self, picture: Tensor) -> Layers:
        """``picture`` (B, 3, H, W), 0..1, H and W multiples of ``stride``."""
        return changed(picture, *self.planes(picture - 0.5))
