"""What the colour network is told about a page: line art, references, hints, surroundings and palette at its size.

Knows pictures and tensors; nothing about sampling.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from celwright.domain import MIN_SIDE, ColorizeRequest, FloatImage, Palette, Pixels, Reference
from celwright.imaging.histogram import color_histogram
from celwright.layers import as_float
from celwright.models.color_latents import Latents
from celwright.models.colorizer import Colorizer, Conditions
from celwright.pipelines.colorize.field import Field, field_of
from celwright.pipelines.colorize.reference_view import Look
from celwright.pipelines.decompose.pipeline import on_white

REFERENCE_SIDE = 256  # px

ReferenceInk = Callable[[Pixels], NDArray[np.float32]]
"""A finished drawing to its ink (H, W), 0..1."""


@dataclass(frozen=True, eq=False)
class ColorNetworks:
    """What samples: the networks on ``device``, and what finds the lines of a reference and, with ``look``, its flat
    colours; without one they are taken as they are seen."""

    autoencoder: Latents
    colorizer: Colorizer
    reference_ink: ReferenceInk
    device: str
    half: bool  # compute in bfloat16
    look: Look | None = None


def shown_references(networks: ColorNetworks, references: Sequence[Reference]) -> Tensor:
    """(R, 5, S, S) on the networks' device: RGB over white, ink and mask of each reference's instance."""
    return torch.cat([_tensor(_reference(reference, networks.reference_ink), networks) for reference in references])


def conditions_of(
    networks: ColorNetworks,
    request: ColorizeRequest,
    field: Field,
    ink: NDArray[np.uint8],
    change: NDArray[np.uint8] | None,
    references: Tensor | None = None,
    regions: Sequence[FloatImage] = (),
) -> Conditions:
    """``references`` as ``shown_references`` gives them, ``regions`` (h, w) where each one counts in the field. A
    histogram is the request's own or that of its palette."""
    context = selection = None
    if request.context is not None and change is not None:
        before = field.reduced(as_float(request.context.rgba()))
        inside = (field.reduced(change.astype(np.float32)) > 127).astype(np.float32)
        before[..., 3] *= 1 - inside  # as in training: what is painted anew is not seen
        context = networks.autoencoder.encode(_tensor(before, networks)).latent_dist.mode()
        context = context * networks.autoencoder.config.scaling_factor
        selection = _tensor(inside, networks)
    wanted = request.histogram
    if wanted is None and isinstance(request.palette, Palette):
        wanted = color_histogram(request.palette.colors[None].astype(np.float32) / 255)
    return Conditions(
        line=_tensor(field.reduced(ink.astype(np.float32) / np.float32(255)), networks),
        references=None if references is None else references[None],
        regions=None if references is None else torch.cat([_tensor(region, networks) for region in regions])[None],
        hints=None if request.hints is None else _tensor(field.marks(request.hints), networks),
        context=context,
        selection=selection,
        histogram=None if wanted is None else torch.from_numpy(wanted)[None].to(networks.device),
    )


def region_given(reference: Reference, field: Field) -> FloatImage | None:
    """(h, w) where the artist says that a reference counts; None where nothing is said."""
    return None if reference.region is None else field.reduced(_share(reference.region))


def likeness(networks: ColorNetworks, figures: FloatImage, references: Tensor) -> FloatImage:
    """(F, R) how alike figures (F, h, w, 2), ink and mask on one page, and ``shown_references`` are drawn: see
    ``ReferenceReader.likeness``."""
    framed = [_tensor(instance_square(figure, figure[..., 1]), networks) for figure in figures]
    alike = networks.colorizer.references.likeness(networks.colorizer.structure, torch.cat(framed), references)
    return np.asarray(alike.float().cpu().numpy(), np.float32)


def _tensor(image: FloatImage, networks: ColorNetworks) -> Tensor:
    """(1, C, H, W) of (H, W) or (H, W, C)."""
    planes = image[None] if image.ndim == 2 else image.transpose(2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(planes))[None].to(networks.device)


def _share(mask: Pixels) -> FloatImage:
    return np.asarray(mask.coverage() / np.float32(255))


def _reference(reference: Reference, find_ink: ReferenceInk) -> FloatImage:
    """(s, s, 5) RGB over white, ink and mask of a reference's instance, centred in a square of REFERENCE_SIDE."""
    image = reference.image.rgba()
    mask = (image.data[..., 3] / np.float32(image.top)).astype(np.float32)
    if reference.mask is not None:
        mask = _share(reference.mask) * (mask > 0)
    box = _around(mask)
    # Lines are found at twice the size that the network sees: in a larger picture it would take long for nothing.
    drawn = Pixels(_at_most(2 * REFERENCE_SIDE, on_white(Pixels(image.data[box]))))
    mask = _at_most(2 * REFERENCE_SIDE, mask[box])
    square = instance_square(np.dstack([drawn.data / np.float32(drawn.top), find_ink(drawn), mask]), mask)
    square[..., :3][square[..., 4] == 0] = 1
    return square


def instance_square(planes: FloatImage, mask: FloatImage) -> FloatImage:
    """(s, s, C) what ``planes`` (H, W, C) show of the instance of ``mask`` (H, W), centred in zeros."""
    planes = planes[_around(mask)]
    scale = REFERENCE_SIDE / max(planes.shape[:2])
    size = tuple(max(1, min(REFERENCE_SIDE, round(side * scale))) for side in planes.shape[1::-1])
    kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    # OpenCV averages up to four channels at a time.
    parts = [np.ascontiguousarray(planes[..., i : i + 4], np.float32) for i in range(0, planes.shape[2], 4)]
    small = np.dstack([cv2.resize(part, size, interpolation=kind) for part in parts])
    square = np.zeros((REFERENCE_SIDE, REFERENCE_SIDE, planes.shape[2]), np.float32)
    top, left = ((REFERENCE_SIDE - side) // 2 for side in small.shape[:2])
    square[top : top + small.shape[0], left : left + small.shape[1]] = small
    return square


def _around(mask: FloatImage) -> tuple[slice, slice]:
    occupied = mask > 0.5
    if not occupied.any() or occupied.all():
        return slice(None), slice(None)
    height, width = mask.shape
    return field_of(height, width, occupied, REFERENCE_SIDE).box


def _at_most(side: int, image: NDArray[Any]) -> NDArray[Any]:
    scale = side / max(image.shape[:2])
    if scale >= 1:
        return image
    size = tuple(max(MIN_SIDE, round(length * scale)) for length in image.shape[1::-1])
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA))
