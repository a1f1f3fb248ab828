"""What the colorizer is punished for: L = L_diff + l_s L_struct + l_c L_color + l_g L_gate (SC-MILC eq. 30-34), and a
loss of our own for colours that correspondence brings.

The paper decodes latents for L_struct and L_color. Here a linear probe, fitted once, reads colours at a quarter of the
picture's size off the latents: a thousandth of the decoder's cost, and with it the mean colour of a region stays a
linear function of the estimate, so that L_color and L_diff pull the same way. Knows neither network nor data.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

# Section III.E: the structure weighs little, the colour more, the gate moderately.
STRUCTURE, COLOR, GATE, CORRESPONDENCE = 0.05, 1.0, 0.05, 1.0
PROBED = 2  # pixels a side that the probe reads off one latent cell, so a quarter of the picture's size


class Weights(NamedTuple):
    """lambda_s, lambda_c, lambda_g of eq. 34, and the weight of correspondence."""

    structure: float = STRUCTURE
    color: float = COLOR
    gate: float = GATE
    correspondence: float = CORRESPONDENCE


class Probe(NamedTuple):
    """Colours of (B, 3, H / 4, W / 4) as a linear function of latents (B, C, H / 8, W / 8)."""

    weight: Tensor  # (3 * PROBED**2, C, 1, 1)
    bias: Tensor

    def __call__(self, latents: Tensor) -> Tensor:
        return F.pixel_shuffle(F.conv2d(latents, self.weight.to(latents.device), self.bias.to(latents.device)), PROBED)


def fitted_probe(latents: Tensor, pictures: Tensor) -> Probe:
    """Least squares over latents (B, C, h, w) of ``pictures`` (B, 3, 8 h, 8 w), 0..1."""
    wanted = F.pixel_unshuffle(F.avg_pool2d(pictures, pictures.shape[2] // latents.shape[2] // PROBED), PROBED)
    known = latents.transpose(0, 1).flatten(1).T.double()
    known = torch.cat([known, torch.ones_like(known[:, :1])], 1)
    solved = torch.linalg.lstsq(known, wanted.transpose(0, 1).flatten(1).T.double()).solution.float()
    return Probe(solved[:-1].T[:, :, None, None].contiguous(), solved[-1].contiguous())


def diffusion_loss(clean: Tensor, truth: Tensor) -> Tensor:
    """L_diff (eq. 30), of clean latents instead of noise: the same estimate, weighed by what it does to the picture.
    Flat colours lie on few dimensions, noise on all; a small network that has to hand noise on learns little else."""
    return F.mse_loss(clean, truth)


def edges(picture: Tensor) -> Tensor:
    """(B, 3, H - 1, W - 1) F_edge: strength of the differences between neighbours, in each colour."""
    down, right = picture[:, :, 1:, :-1], picture[:, :, :-1, 1:]
    here = picture[:, :, :-1, :-1]
    return ((down - here).square() + (right - here).square() + 1e-6).sqrt()


def structure_loss(picture: Tensor, truth: Tensor) -> Tensor:
    """L_struct (eq. 31). The paper compares with the edges of the line art, since it paints the lines too; we paint
    what lies under them, so the edges of the true lineless picture are the ones to hit."""
    return F.mse_loss(edges(picture), edges(truth))


def pooled(picture: Tensor, parts: Tensor) -> tuple[Tensor, Tensor]:
    """Mean colours (B * 256, 3) of the parts (B, 1, H, W), numbers 0 to 255, and their areas (B * 256,) in pixels."""
    batch = torch.arange(len(parts), device=parts.device).view(-1, 1, 1, 1) * 256
    index = (parts.long() + batch).flatten()
    colors = picture.transpose(0, 1).flatten(1).T
    area = colors.new_zeros(len(parts) * 256).index_add(0, index, torch.ones_like(colors[:, 0]))
    total = colors.new_zeros(len(area), 3).index_add(0, index, colors)
    return total / area.clamp(min=1)[:, None], area


def color_loss(picture: Tensor, truth: Tensor, parts: Tensor) -> Tensor:
    """L_color (eq. 32): squared error of the mean colours of the parts, a part counting by the root of its area, so
    that eyes are not lost beside coats. The paper pools whole instances; poses differ here, the share of hair and coat
    with them, so parts of the target are pooled, whose colours are the reference's by construction."""
    means, area = pooled(picture, parts)
    wanted, _ = pooled(truth, parts)
    weight = area.sqrt()
    return ((means - wanted).square().mean(1) * weight).sum() / weight.sum()


def gate_loss(gates: Tensor, present: Tensor) -> Tensor:
    """L_gate (eq. 33) over the references (B, R, C) that are there."""
    away = (gates - 0.5).square().mean(2)
    return (away * present).sum() / present.sum().clamp(min=1)


def correspondence_loss(carried: Tensor, flat: Tensor, reach: Tensor, clear: Tensor) -> Tensor:
    """Mean absolute error of the colours (B, 3, h, w) that correspondence brings, where a reference reaches
    (``reach``, (B, 1, h, w)) and the share ``clear`` of a cell is of one part."""
    weight = reach * clear
    return ((carried - flat).abs().mean(1, keepdim=True) * weight).sum() / weight.sum().clamp(min=1)
