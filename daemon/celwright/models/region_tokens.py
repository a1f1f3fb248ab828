"""From a drawn figure to one vector for each of its regions: what is drawn in it, where it lies, how large it is.

The drawing is read by a small convolutional pyramid that knows all of it; a region takes the mean of what lies in it.
Knows tensors; neither colours nor who asks.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from celwright.models.attention import SelfAttention
from celwright.models.decomposer import Block

CELL = 4  # pixels a side of a cell, in which regions are told apart
GEOMETRY = 10


class FigureEncoder(nn.Module):
    """``drawn`` (B, 2, S, S), ink and inside, 0..1, to features (B, widths[0], S / 4, S / 4). ``widths`` are the
    channels at 1/4, 1/8, 1/16 and 1/32; S is a multiple of 32."""

    def __init__(self, widths: Sequence[int], heads: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.PixelUnshuffle(CELL), nn.Conv2d(2 * CELL**2, widths[0], 3, padding=1), nn.SiLU())
        self.blocks = nn.ModuleList(Block(width) for width in widths)
        self.second = nn.ModuleList(Block(width) for width in widths[1:])
        self.down = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in pairwise(widths))
        self.attention = nn.ModuleList(SelfAttention(width, heads) for width in widths[2:])
        self.up = nn.ModuleList(nn.Sequential(nn.Conv2d(b, 4 * a, 1), nn.PixelShuffle(2)) for a, b in pairwise(widths))
        self.out = nn.ModuleList(Block(width) for width in widths[:-1])

    def forward(self, drawn: Tensor) -> Tensor:
        x: Tensor = self.blocks[0](self.stem(drawn - 0.5))
        levels = [x]
        for i, down in enumerate(self.down):
            x = self.second[i](self.blocks[i + 1](down(x)))
            if i > 0:
                x = self.attention[i - 1](x)
            levels.append(x)
        for i in reversed(range(len(self.up))):
            x = self.out[i](levels[i] + self.up[i](x))
        return x


def membership(labels: Tensor, count: int) -> Tensor:
    """(B, count, cells) the share of its region's area that lies in each cell of ``labels`` (B, S, S), 0 = none;
    rows sum to 1, or are 0 where a region has no pixel. float32."""
    batch, height, width = labels.shape
    rows = torch.arange(height, device=labels.device) // CELL * (width // CELL)
    cell = rows[:, None] + torch.arange(width, device=labels.device)[None] // CELL
    cells = (height // CELL) * (width // CELL)
    place = labels.long().clamp(max=count) * cells + cell
    held = torch.zeros(batch, (count + 1) * cells, device=labels.device)
    held.scatter_add_(1, place.flatten(1), torch.ones_like(place.flatten(1), dtype=held.dtype))
    held = held.view(batch, count + 1, cells)[:, 1:]
    return held / held.sum(2, keepdim=True).clamp(min=1)


def areas(labels: Tensor, count: int) -> Tensor:
    """(B, count) pixels of regions 1, 2, ..."""
    flat = labels.flatten(1).long().clamp(max=count)
    counted = torch.zeros(len(flat), count + 1, device=labels.device)
    return counted.scatter_add_(1, flat, torch.ones_like(flat, dtype=counted.dtype))[:, 1:]


def geometry(shares: Tensor, area: Tensor, side: int) -> Tensor:
    """(B, N, GEOMETRY) of regions with ``shares`` (B, N, side**2) of cells and ``area`` (B, N): logarithm of the share
    of all, middle, spread, slimness, direction."""
    line = (torch.arange(side, device=shares.device) + 0.5) / side * 2 - 1
    y, x = line.repeat_interleave(side), line.repeat(side)
    basis = torch.stack([y, x, y * y, x * x, x * y], 1)
    my, mx, myy, mxx, mxy = (shares @ basis).unbind(2)
    upright, across, both = myy - my**2, mxx - mx**2, mxy - mx * my
    middle, off = (upright + across) / 2, torch.hypot((upright - across) / 2, both)
    share = area / area.sum(1, keepdim=True).clamp(min=1)
    large, small = (middle + off).clamp(min=1e-4).sqrt(), (middle - off).clamp(min=1e-4).sqrt()
    turn = torch.stack([(upright - across) / 2, both], 2) / off.clamp(min=1e-4)[..., None]
    size = share.clamp(min=1e-5).log() / 4
    return torch.stack([size, my, mx, my.abs(), mx.abs(), 3 * large, 3 * small, small / large, *turn.unbind(2)], 2)


def touching(labels: Tensor, count: int) -> Tensor:
    """(B, count, count) the share of each region's border that it has with each other one; rows sum to 1, or are 0."""
    batch = len(labels)
    size = count + 1
    border = torch.zeros(batch, size * size, device=labels.device)
    whole = labels.long().clamp(max=count)
    for a, b in ((whole[:, 1:], whole[:, :-1]), (whole[:, :, 1:], whole[:, :, :-1])):
        for first, second in ((a, b), (b, a)):
            pair = (first * size + second).flatten(1)
            border.scatter_add_(1, pair, (first != second).flatten(1).to(border.dtype))
    border = border.view(batch, size, size)[:, 1:, 1:]
    return border / border.sum(2, keepdim=True).clamp(min=1)


class RegionTokens(nn.Module):
    """Figures and their regions to tokens (B, N, ``width``) with what touches what (B, N, N)."""

    def __init__(self, widths: Sequence[int], heads: int, width: int) -> None:
        super().__init__()
        self.encoder = FigureEncoder(widths, heads)
        self.mix = nn.Sequential(nn.Linear(widths[0] + GEOMETRY, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, drawn: Tensor, labels: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """``drawn`` (B, 2, S, S), ``labels`` (B, S, S) up to ``count``. The third result (B, N): areas' shares."""
        features = self.encoder(drawn).flatten(2)
        shares, area = membership(labels, count), areas(labels, count)
        pooled = shares.to(features.dtype) @ features.transpose(1, 2)
        shape = geometry(shares, area, drawn.shape[-1] // CELL).to(features.dtype)
        tokens: Tensor = self.mix(torch.cat([pooled, shape], 2))
        return tokens, touching(labels, count), area / area.sum(1, keepdim=True).clamp(min=1)
