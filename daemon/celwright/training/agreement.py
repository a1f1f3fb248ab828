"""Contrastive learning of the correspondence: a place must look at places of the reference that have its colour.

Pixels do not tell a network which hair is which hair; flat colours of generated figures do, since hardly two parts of
one figure share a colour. Compared with the error of brought colours (``color_losses.correspondence_loss``), the
likelihood of looking at the right places does not fade where the attention is quite wrong. Needs no U-Net, so its
steps cost a small part of a whole one.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from celwright.models.colorizer import Colorizer
from celwright.models.reference_colors import CELL, log_mask, mean_color

SPREAD = 0.02  # squared distance in RGB, 0..1, at which colours are 1 / e alike
FLOOR = 1e-3  # likelihood of a place that the network is given anyhow: shadows and mistakes of the drawing


def agreement_loss(
    network: Colorizer, line: Tensor, references: Tensor, regions: Tensor, flat: Tensor, clear: Tensor
) -> Tensor:
    """Mean negative logarithm of the attention that falls on cells of the same colour; a scalar.

    ``line`` (B, 1, H, W), ``references`` (B, R, 5, H', W') and ``regions`` (B, R, 1, H, W) as in ``Conditions``;
    ``flat`` (B, 3, H / 8, W / 8): the target's true colours, ``clear`` (B, 1, H / 8, W / 8): how much each cell
    counts. Cells whose colour the reference does not show count nothing.
    """
    reader, count = network.references, references.shape[1]
    rgb, ink, mask = references.flatten(0, 1).split((3, 1, 1), 1)  # type: ignore[no-untyped-call]
    ink = ink * mask
    share = F.avg_pool2d(mask, CELL)
    features = reader.appearance(torch.cat([(rgb - 0.5) * mask, ink, mask], 1))
    keys = reader.key(torch.cat([network.structure(ink)[0], features], 1))
    queries = reader.query(network.structure(line)[0])
    keys, queries = (F.normalize(x.float(), dim=1) for x in (keys, queries))
    # Every fourth cell asks: neighbours would ask the same.
    queries, wanted, clear = (x[..., 1::2, 1::2].flatten(2).repeat_interleave(count, 0) for x in (queries, flat, clear))
    reach = F.avg_pool2d(regions.flatten(0, 1), CELL)[..., 1::2, 1::2].flatten(2)
    logits = reader.sharpness.exp().clamp(max=100) * queries.transpose(1, 2) @ keys.flatten(2)
    chances = torch.softmax(logits + log_mask(share)[:, None], 2)
    colors = mean_color(rgb, mask * (1 - ink)).flatten(2)
    alike = torch.exp(-torch.cdist(wanted.transpose(1, 2), colors.transpose(1, 2)).square() / SPREAD)
    alike = alike * (share.flatten(1) > 0)[:, None]
    weight = (clear * reach)[:, 0] * alike.amax(2)
    lost = -torch.log((chances * alike).sum(2) + FLOOR)
    return (lost * weight).sum() / weight.sum().clamp(min=1)
