"""How alike a network finds the cells of a drawn figure and of a reference: what colours are carried by.

Knows the colorizer's structure encoder and its keys; no regions and no colours.
"""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from celwright.domain import FloatImage
from celwright.models.colorizer import Colorizer
from celwright.pipelines.colorize.matching import Likeness
from celwright.pipelines.colorize.reference_view import ReferenceView
from celwright.regions.correspondence import Drawn


def cell_likeness(colorizer: Colorizer, device: str, half: bool) -> Likeness | None:
    """Logits by cosine attention from lines to references; None for a network without correspondence."""
    reader = colorizer.references
    if not reader.correspondence:
        return None
    keys: dict[int, Tensor] = {}

    def encoded(ink: NDArray[np.float32]) -> Tensor:
        structure: Tensor = colorizer.structure(torch.from_numpy(np.ascontiguousarray(ink))[None, None].to(device))[0]
        return structure

    def key_of(view: ReferenceView) -> Tensor:
        planes = torch.from_numpy(np.ascontiguousarray(view.planes.transpose(2, 0, 1)))[None].to(device)
        rgb, ink, mask = planes.split((3, 1, 1), 1)  # type: ignore[no-untyped-call]
        seen = reader.appearance(torch.cat([(rgb - 0.5) * mask, ink * mask, mask], 1))
        return unit(reader.key(torch.cat([colorizer.structure(ink * mask)[0], seen], 1)))

    def unit(features: Tensor) -> Tensor:
        return F.normalize(features.float(), dim=1)[0].flatten(1)

    def likeness(drawn: Drawn, view: ReferenceView) -> FloatImage:
        with torch.inference_mode(), torch.autocast(device, torch.bfloat16, enabled=half):
            if id(view) not in keys:
                keys[id(view)] = key_of(view)
            queries = unit(reader.query(encoded(drawn.ink * (drawn.inside > 0.5))))
            sharpness = reader.sharpness.exp().clamp(max=100)
        return np.asarray((sharpness * queries.T @ keys[id(view)]).float().cpu().numpy(), np.float32)

    return likeness
