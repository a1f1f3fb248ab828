"""SC-MILC's losses beside that of the diffusion (eq. 31 to 33), on what a linear probe reads off latents.

The paper decodes latents for structure and colour. Here a linear reading, fitted once, gives colours at a quarter of
the picture's size: a thousandth of the decoder's cost, and the mean colour of a figure stays linear in the estimate.
Knows tensors only.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from celwright.models.sd15.references import Instances

PROBED = 2  # pixels a side that the probe reads off one latent cell


class Probe(NamedTuple):
    """Colours (B, 3, H / 4, W / 4) as a linear function of latents (B, C, H / 8, W / 8)."""

    weight: Tensor  # (3 * PROBED**2, C, 1, 1)
    bias: Tensor

    def __call__(self, latents: Tensor) -> Tensor:
        weight, bias = self.weight.to(latents.device), self.bias.to(latents.device)
        return F.pixel_shuffle(F.conv2d(latents, weight, bias), PROBED)


def fitted_probe(latents: Tensor, pictures: Tensor) -> Probe:
    """By least squares over latents (B, C, h, w) of ``pictures`` (B, 3, 8 h, 8 w), 0..1."""
    wanted = F.pixel_unshuffle(F.avg_pool2d(pictures, pictures.shape[2] // latents.shape[2] // PROBED), PROBED)
    known = latents.transpose(0, 1).flatten(1).T.double()
    known = torch.cat([known, torch.ones_like(known[:, :1])], 1)
    target = wanted.transpose(0, 1).flatten(1).T.double()
    solved = torch.linalg.lstsq(
        known, target, driver="gelsd"
    ).solution.float()  # gelsd: latents may depend on each other
    return Probe(solved[:-1].T[:, :, None, None].contiguous(), solved[-1].contiguous())


def structure_loss(picture: Tensor, truth: Tensor) -> Tensor:
    """L_struct (eq. 31) of pictures (B, 3, H, W): squared error of the strength of their edges. The truth shows the
    line art's lines, so its edges are E and those of its colours."""
    return F.mse_loss(_edges(picture), _edges(truth))


def _edges(picture: Tensor) -> Tensor:
    """(B, 3, H - 1, W - 1) strength of the differences between neighbours, in each colour."""
    down, right, here = picture[:, :, 1:, :-1], picture[:, :, :-1, 1:], picture[:, :, :-1, :-1]
    return ((down - here).square() + (right - here).square() + 1e-6).sqrt()


def color_loss(picture: Tensor, truth: Tensor, figures: Tensor) -> Tensor:
    """L_color (eq. 32) of one picture (1, 3, H, W): squared error of the mean colour of each figure and of the ground;
    ``figures`` (1, 1, H, W) are their numbers. References show other poses, so it is the target's own mean colour."""
    errors = []
    for number in torch.unique(figures):
        inside = (figures == number).to(picture.dtype)
        errors.append((((picture - truth) * inside).sum((2, 3)) / inside.sum()).square().mean())
    return torch.stack(errors).mean()


def gate_loss(instances: Instances) -> Tensor:
    """L_gate (eq. 33): how far the gates are from a half, where their references count."""
    reach = instances.reach[:, :, None]
    away = (instances.gates - 0.5).square().mean(2, keepdim=True)
    return (away * reach).sum() / reach.sum().clamp(min=1)
