"""The network that completes worn line art: where a pen was lifted, a stroke faded or pencil left grain.

Learns from lines that were whole, as gap inpainting of line drawings does (Sasaki et al., "Joint Gap Detection and
Inpainting of Line Drawings", 2017). Knows tensors only.
"""

from torch import Tensor

from celwright.models.decomposer import UNet


class LineCompletion(UNet):
    """Ink as it is to ink as it was meant."""

    def __init__(self, widths: tuple[int, ...], depths: tuple[int, ...], depths_up: tuple[int, ...]) -> None:
        super().__init__(1, (1,), widths, depths, depths_up)

    def forward(self, ink: Tensor) -> Tensor:
        """Logits (B, 1, H, W) of line for ``ink`` (B, 1, H, W), 0..1, sides multiples of ``stride``."""
        return 8 * (ink - 0.5) + self.planes(ink - 0.5)[0]
