"""Layer-wise supervision of the layer-decomposition paper: equations 6 to 11, on velocities.

Every norm is the mean over its elements: eq. 8 and 10 say so (1/N); eq. 7 and 9 do not, but a sum over a hundred
thousand tokens would drown the others. All terms are even, so the paper's velocity (x0 - x1) and diffusers' (x1 - x0)
give the same. Knows tensors only.
"""

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor

LINE, FLAT, LIGHT, SHADOW, SPARSE, COMPOSITION = 2.5, 1.0, 1.0, 1.0, 0.08, 1.8  # section 5.2
COMPOSITE = 1.0  # ours: the paper names no weight for the frame that the base makes before the layers


class LayerLosses(NamedTuple):
    """Scalars."""

    line: Tensor
    flat: Tensor
    light: Tensor
    shadow: Tensor
    sparse: Tensor
    composition: Tensor

    def total(self) -> Tensor:
        """Eq. 11."""
        return (
            LINE * self.line
            + FLAT * self.flat
            + LIGHT * self.light
            + SHADOW * self.shadow
            + SPARSE * self.sparse
            + COMPOSITION * self.composition
        )


def layer_losses(found: Tensor, true: Tensor) -> LayerLosses:
    """``found`` and ``true`` (B, 4, ...) velocities of line, flat, light and shadow (eq. 6)."""
    line, flat, light, shadow = found.unbind(1)
    true_line, true_flat, true_light, true_shadow = true.unbind(1)
    return LayerLosses(
        line=F.l1_loss(line, true_line),  # eq. 7
        flat=F.mse_loss(flat, true_flat),  # eq. 8, as the next two
        light=F.mse_loss(light, true_light),
        shadow=F.mse_loss(shadow, true_shadow),
        sparse=light.abs().mean() + shadow.abs().mean(),  # eq. 9
        composition=F.mse_loss(found.sum(1), true.sum(1)),  # eq. 10
    )


def supervision(found: Tensor, true: Tensor, *, layer_wise: bool = True) -> Tensor:
    """The scalar to minimise of ``found`` and ``true`` (B, 5, ...): the composite's velocity, then the layers'.

    The composite is held to its truth by the base's own loss (eq. 3): layers attend to it, and without a loss it
    would drift. Without ``layer_wise``, eq. 3 is all there is (the paper's ablation).
    """
    if not layer_wise:
        return F.mse_loss(found, true)
    return layer_losses(found[:, 1:], true[:, 1:]).total() + COMPOSITE * F.mse_loss(found[:, 0], true[:, 0])
