"""What a Stable Diffusion is shown of a page and of references: pictures at its size.

Knows pictures; neither networks nor tensors.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright.domain import ColorizeRequest, FloatImage, Reference
from celwright.layers import as_float
from celwright.pipelines.colorize.field import Field, field_of
from celwright.pipelines.colorize.instances import Instances
from celwright.regions.hinted import HintedRegions


@dataclass(frozen=True, eq=False)
class SeenPage:
    """``ink`` (h, w), 1 = line. ``references`` (s, s, 4) each, as ``framed`` gives them, ``places`` (h, w) each: 1
    where it counts. ``known`` (h, w, 5): colours so far, 1 where they are finished, 1 where they are that or hinted."""

    ink: FloatImage
    references: Sequence[FloatImage]
    places: Sequence[FloatImage]
    known: FloatImage


def framed(reference: Reference, side: int) -> FloatImage:
    """(side, side, 4) RGB of a reference's instance over white, and its mask; centred, as large as it goes."""
    picture = as_float(reference.image.rgba())
    alpha = picture[..., 3]
    if reference.mask is not None:
        alpha = np.asarray(alpha * (reference.mask.coverage() / np.float32(255)), np.float32)
    shown = picture[..., :3] * alpha[..., None] + 1 - alpha[..., None]
    return centred(np.dstack([shown, alpha]), side)


def figure_framed(ink: FloatImage, mask: FloatImage, side: int) -> FloatImage:
    """The same of one figure of a page, (h, w) ink and mask: black lines on white."""
    drawn = 1 - ink * mask
    return centred(np.dstack([drawn, drawn, drawn, mask]), side)


def centred(planes: FloatImage, side: int) -> FloatImage:
    """(side, side, 4) what ``planes`` (H, W, 4), RGB and mask, show around the mask, amid white."""
    inside = planes[..., 3] > 0.5
    if inside.any() and not inside.all():
        rows, columns = field_of(inside.shape[0], inside.shape[1], inside, side).box
        planes = planes[rows, columns]
    scale = side / max(planes.shape[:2])
    width, height = (max(1, min(side, round(length * scale))) for length in planes.shape[1::-1])
    small = cv2.resize(planes, (width, height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    square = np.ones((side, side, 4), np.float32)
    square[..., 3] = 0
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = small
    return square


def places_of(references: Sequence[Reference], instances: Instances, field: Field) -> list[FloatImage]:
    """(h, w) for each reference where it counts: where the artist says, or where its figures are."""

    def place(number: int, region: FloatImage | None) -> FloatImage:
        return instances.region(number, field) if region is None else (field.reduced(region) > 127).astype(np.float32)

    given = (None if each.region is None else each.region.coverage().astype(np.float32) for each in references)
    return [place(number, region) for number, region in enumerate(given)]


def known_colors(
    request: ColorizeRequest, regions: HintedRegions, field: Field, ink: FloatImage, change: NDArray[np.uint8] | None
) -> FloatImage:
    """(h, w, 5): the context where nothing may change, finished; hinted regions, flat; lines between them alike."""
    said = regions.colors[field.sampled(regions.labels)]
    colors, hinted, kept = said[..., :3], said[..., 3] > 0, np.zeros(ink.shape, bool)
    if request.context is not None and change is not None:
        before = field.reduced(as_float(request.context.rgba()))
        kept = field.sampled(change) == 0
        colors = np.where(kept[..., None], before[..., :3] * before[..., 3:] + 1 - before[..., 3:], colors)
    finished, said_too = (_with_lines(where, ink) for where in (kept, kept | hinted))
    painted = np.where((kept | hinted)[..., None], colors, 1) * (1 - ink[..., None])
    return np.dstack([painted, finished, said_too]).astype(np.float32)


def _with_lines(known: NDArray[np.bool_], ink: FloatImage) -> NDArray[np.bool_]:
    near = cv2.dilate(known.view(np.uint8), np.ones((5, 5), np.uint8)) > 0
    return known | (near & (ink > 0.5))
