"""What the colour network is told about a page: line art, references, hints, surroundings and palette at its size.

Knows pictures and tensors; nothing about sampling.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from celwright.domain import ColorizeRequest, FloatImage, Palette, Pixels, Reference
from celwright.imaging.histogram import color_histogram
from celwright.models.autoencoder import Autoencoder
from celwright.models.colorizer import Colorizer, Conditions
from celwright.pipelines.field import Field, field_of

REFERENCE_SIDE = 256  # px

ReferenceInk = Callable[[Pixels], NDArray[np.float32]]
"""A finished drawing to its ink (H, W), 0..1."""


@dataclass(frozen=True, eq=False)
class ColorNetworks:
    """What samples: the networks on ``device``, and what finds the lines of a reference."""

    autoencoder: Autoencoder
    colorizer: Colorizer
    reference_ink: ReferenceInk
    device: str
    half: bool  # compute in bfloat16


def conditions_of(
    networks: ColorNetworks,
    request: ColorizeRequest,
    field: Field,
    ink: NDArray[np.uint8],
    change: NDArray[np.uint8] | None,
) -> Conditions:
    def tensor(image: FloatImage) -> Tensor:
        """(1, C, H, W) of (H, W) or (H, W, C)."""
        planes = image[None] if image.ndim == 2 else image.transpose(2, 0, 1)
        return torch.from_numpy(np.ascontiguousarray(planes))[None].to(networks.device)

    references = regions = context = selection = None
    if request.references:
        seen = [_reference(reference, networks.reference_ink) for reference in request.references]
        references = torch.cat([tensor(image) for image in seen])[None]
        everywhere = np.ones((field.height, field.width), np.float32)
        regions = torch.cat([
            tensor(everywhere if reference.region is None else field.reduced(_share(reference.region)))
            for reference in request.references
        ])[None]  # fmt: skip
    if request.context is not None and change is not None:
        before = field.reduced(request.context.rgba().data.astype(np.float32) / request.context.top)
        inside = (field.reduced(change.astype(np.float32)) > 127).astype(np.float32)
        before[..., 3] *= 1 - inside  # as in training: what is painted anew is not seen
        context = networks.autoencoder.encode(tensor(before)).latent_dist.mode()
        context = context * networks.autoencoder.config.scaling_factor
        selection = tensor(inside)
    wanted = request.histogram
    if wanted is None and isinstance(request.palette, Palette):
        wanted = color_histogram(request.palette.colors[None].astype(np.float32) / 255)
    return Conditions(
        line=tensor(field.reduced(ink.astype(np.float32) / 255)),
        references=references,
        regions=regions,
        hints=None if request.hints is None else tensor(field.marks(request.hints)),
        context=context,
        selection=selection,
        histogram=None if wanted is None else torch.from_numpy(wanted)[None].to(networks.device),
    )


def _share(mask: Pixels) -> FloatImage:
    return mask.coverage().astype(np.float32) / 255


def _reference(reference: Reference, find_ink: ReferenceInk) -> FloatImage:
    """(s, s, 5) RGB over white, ink and mask of a reference's instance, centred in a square of REFERENCE_SIDE."""
    image = reference.image.rgba()
    rgba = image.data.astype(np.float32) / image.top
    mask = rgba[..., 3] if reference.mask is None else _share(reference.mask) * (rgba[..., 3] > 0)
    color = rgba[..., :3] * rgba[..., 3:] + 1 - rgba[..., 3:]
    planes = np.dstack([color, find_ink(image), mask])
    occupied = mask > 0.5
    if occupied.any():
        box = field_of(*mask.shape, occupied, REFERENCE_SIDE).box if not occupied.all() else (slice(None), slice(None))
        planes = planes[box]
    scale = REFERENCE_SIDE / max(planes.shape[:2])
    size = tuple(max(1, min(REFERENCE_SIDE, round(side * scale))) for side in planes.shape[1::-1])
    kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(np.ascontiguousarray(planes, np.float32), size, interpolation=kind)
    square = np.zeros((REFERENCE_SIDE, REFERENCE_SIDE, 5), np.float32)
    square[..., :3] = 1
    top, left = ((REFERENCE_SIDE - side) // 2 for side in small.shape[:2])
    square[top : top + small.shape[0], left : left + small.shape[1]] = small
    return square
