"""Other designs of a decomposer, measured against the embedded one at equal size, cost and time of training.

Both take and give what models/decomposer.py does, without statistics over space. Know tensors only.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from celwright.models.decomposer import Layers, UNet, blocks, changed, start_near_zero

LAYERS = 4  # line, flat, shadow, highlight


class Exchange(nn.Module):
    """x_i + W mean_j x_j over the layers j of a pixel: what a layer may know of the others. Stands for the paper's
    attention among all layers' tokens, which would make a pixel depend on the whole picture."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mix = nn.Conv2d(width, width, 1)
        start_near_zero(self.mix)

    def forward(self, x: Tensor) -> Tensor:
        """``x`` (B * LAYERS, C, h, w), the layers of a picture next to each other."""
        shared: Tensor = self.mix(x.view(-1, LAYERS, *x.shape[1:]).mean(1))
        return x + shared.repeat_interleave(LAYERS, 0)


class IdentityDecomposer(nn.Module):
    """One decoder on patches makes all four layers, told by embeddings which of them it makes.

    x_i + e_i is eq. 4 of the layer-decomposition paper, here at every level of the decoder. The paper starts e_i at
    N(0, 0.02^2) so as not to disturb a trained network; here nothing is trained, and N(0, 0.25^2) tells the layers
    apart from the first step. ``widths`` are the channels at 1/patch, 1/(2 patch) … of the picture's size; ``depths``
    and ``depths_up`` as in ``UNet``.
    """

    def __init__(self, patch: int, widths: Sequence[int], depths: Sequence[int], depths_up: Sequence[int]) -> None:
        super().__init__()
        self.patch = patch
        self.stride = patch * 2 ** (len(widths) - 1)
        self.stem = nn.Conv2d(3 * patch**2, widths[0], 3, padding=1)
        self.encoder = nn.ModuleList(blocks(width, count) for width, count in zip(widths, depths, strict=True))
        self.down = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in pairwise(widths))
        self.identity = nn.ParameterList(nn.Parameter(0.25 * torch.randn(LAYERS, width, 1, 1)) for width in widths)
        self.up = nn.ModuleList(nn.Conv2d(b, a * 4, 1) for a, b in pairwise(widths))
        self.decoder = nn.ModuleList(
            nn.Sequential(Exchange(width), blocks(width, count))
            for width, count in zip(widths, depths_up, strict=False)
        )
        self.head = nn.Conv2d(widths[0], 4 * patch**2, 3, padding=1)  # colour and alpha
        start_near_zero(self.head)

    def forward(self, picture: Tensor) -> Layers:
        """``picture`` (B, 3, H, W), 0..1, H and W multiples of ``stride``."""
        x = self.stem(F.pixel_unshuffle(picture - 0.5, self.patch))
        skips = []
        for level, encode in enumerate(self.encoder):
            x = encode(x)
            skips.append(x)
            if level < len(self.down):
                x = self.down[level](x)
        x = self.told(x, len(self.down))
        for level in reversed(range(len(self.down))):
            x = self.told(skips[level], level) + F.pixel_shuffle(self.up[level](x), 2)
            x = self.decoder[level](x)
        planes = F.pixel_shuffle(self.head(x), self.patch).float()
        line, flat, shadow, highlight = (planes[layer::LAYERS] for layer in range(LAYERS))
        return changed(picture, line[:, 3:], line[:, :3], flat[:, :3], shadow[:, :3], highlight[:, :3])

    def told(self, x: Tensor, level: int) -> Tensor:
        """(B * LAYERS, C, h, w): the features of each picture once for each layer, with its embedding added."""
        identity: Tensor = self.identity[level].to(x.dtype)
        return x.repeat_interleave(LAYERS, 0) + identity.repeat(len(x), 1, 1, 1)


class TwoStageDecomposer(nn.Module):
    """First the line, then, seeing picture and line, what lies under it. ``line`` and ``rest`` are the numbers of the
    two ``UNet``s: widths, depths, depths_up."""

    def __init__(self, line: Mapping[str, Any], rest: Mapping[str, Any]) -> None:
        super().__init__()
        self.line = UNet(3, (1, 3), **line)
        self.rest = UNet(3 + 1 + 3, (3, 3, 3), **rest)
        self.stride = max(self.line.stride, self.rest.stride)

    def forward(self, picture: Tensor) -> Layers:
        """``picture`` (B, 3, H, W), 0..1, H and W multiples of ``stride``."""
        alpha, ink = self.line.planes(picture - 0.5)
        flat, shadow, highlight = self.rest.planes(torch.cat([picture - 0.5, alpha, ink], 1))
        return changed(picture, alpha, ink, flat, shadow, highlight)
