"""A reference as matching sees it: its figure in a square, and the patches of one colour that it falls into.

Where a picture has no transparency and no mask, its figure is what stands on the ground that its border shows. Knows
neither networks nor line art; what finds lines and flat colours in a finished drawing is handed in.
"""

import hashlib
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright.domain import MIN_SIDE, FloatImage, Labels, Pixels, Progress, Reference
from celwright.imaging.color import nearest_colors
from celwright.pipelines.colorize.reference_palette import palette_of
from celwright.pipelines.decompose.estimates import on_white
from celwright.regions.correspondence import SIDE, Drawn
from celwright.regions.growth import grown

Look = Callable[[Pixels], FloatImage]
"""A finished drawing (h, w) on white to (h, w, 4): its ink and the flat colour under it, 0..1."""

LOOKED_AT = 512  # px; the longer side of what lines and flats are looked for in
_MARGIN = 0.94  # of the square that a figure fills
_GROUND = 0.08  # of a channel's range; colours nearer than this to the border's are ground
_BORDERED = 0.6  # of the border must be ground, for there to be one
_WHOLE = 0.98  # of the picture; a mask that covers more says nothing
_LEAST_FIGURE = 0.01  # of the picture
_LINE = 0.4  # ink that parts patches
_LEAST_PATCH = 8  # px of the square


@dataclass(frozen=True, eq=False)
class ReferenceView:
    """``planes`` (SIDE, SIDE, 5): RGB over white, ink and mask, 0..1; ``patches`` (SIDE, SIDE): numbers from 1, grown
    under the lines, 0 outside the figure; ``colors`` (N, 3) sRGB of patches 1..N."""

    planes: FloatImage
    patches: Labels
    colors: FloatImage

    @property
    def drawn(self) -> Drawn:
        return Drawn(self.planes[..., 3], self.planes[..., 4])


class ReferenceViews:
    """References as matching sees them; those of the last request are kept for the next try. ``load`` builds the look
    on first use."""

    def __init__(self, load: Callable[[], Look]) -> None:
        self._load = load
        self._look: Look | None = None
        self._seen: dict[bytes, ReferenceView] = {}

    def of(self, references: Sequence[Reference]) -> Generator[Progress, None, list[ReferenceView]]:
        """A view of each reference, with progress on the way."""
        keys = [_key(reference) for reference in references]
        self._seen = {key: kept for key, kept in self._seen.items() if key in keys}
        for i, (key, reference) in enumerate(zip(keys, references, strict=True)):
            yield Progress("references", i / len(references))
            if key not in self._seen:
                self._look = self._look or self._load()
                self._seen[key] = reference_view(reference, self._look)
        return [self._seen[key] for key in keys]

    def clear(self) -> None:
        self._look, self._seen = None, {}


def _key(reference: Reference) -> bytes:
    """What tells pictures with their masks apart, whatever object they come in."""
    told = hashlib.blake2b()
    for image in (reference.image, reference.mask):
        if image is not None:
            told.update(f"{image.data.shape} {image.data.dtype}".encode())
            told.update(np.ascontiguousarray(image.data).data)
    return told.digest()


@dataclass(frozen=True)
class Frame:
    """A box of a page, reduced or enlarged to ``height`` x ``width`` in the middle of a square of SIDE pixels."""

    rows: slice
    columns: slice
    height: int
    width: int

    def filled(self, image: NDArray[np.float32], nearest: bool = False) -> FloatImage:
        """(SIDE, SIDE[, C]) what a page's image (H, W[, C]) shows there, 0 around it."""
        part = np.ascontiguousarray(image[self.rows, self.columns])
        kind = cv2.INTER_AREA if part.shape[0] > self.height else cv2.INTER_LINEAR
        small = cv2.resize(part, (self.width, self.height), interpolation=cv2.INTER_NEAREST if nearest else kind)
        square = np.zeros((SIDE, SIDE, *part.shape[2:]), np.float32)
        top, left = (SIDE - self.height) // 2, (SIDE - self.width) // 2
        square[top : top + self.height, left : left + self.width] = small
        return square

    def places(self, y: NDArray[np.intp], x: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Where in the square a page's pixels (N,), all inside the box, are."""
        top, left = (SIDE - self.height) // 2, (SIDE - self.width) // 2
        rows, columns = self.rows, self.columns
        return (
            (y - rows.start) * self.height // (rows.stop - rows.start) + top,
            (x - columns.start) * self.width // (columns.stop - columns.start) + left,
        )


def frame_of(inside: NDArray[np.bool_]) -> Frame:
    """The frame of what is ``inside`` (H, W); of everything where nothing is."""
    rows, columns = (_extent(np.asarray(inside.any(axis=1 - axis)), inside.shape[axis]) for axis in (0, 1))
    size = rows.stop - rows.start, columns.stop - columns.start
    height, width = (max(1, round(length * _MARGIN * SIDE / max(size))) for length in size)
    return Frame(rows, columns, height, width)


def cut_out(reference: Reference) -> tuple[NDArray[Any], FloatImage]:
    """A reference (H, W, 3) on white, and how much of each pixel its figure covers (H, W), 0..1: by its mask, its
    transparency or, where these say nothing, its ground."""
    image = reference.image.rgba()
    mask = (image.data[..., 3] / np.float32(image.top)).astype(np.float32)
    if reference.mask is not None:
        mask = np.asarray(reference.mask.coverage() / np.float32(255) * (mask > 0), np.float32)
    white = on_white(Pixels(image.data))
    if (mask > 0.5).mean() > _WHOLE:
        mask = mask * on_ground(_at_most(white, LOOKED_AT), mask.shape)
    return white, mask


def reference_view(reference: Reference, look: Look) -> ReferenceView:
    """The figure of a reference in its square."""
    white, mask = cut_out(reference)
    frame = frame_of(mask > 0.5)
    box = frame.rows, frame.columns
    drawn = Pixels(_at_most(white[box], LOOKED_AT))
    size = drawn.data.shape[1::-1]
    cover = cv2.resize(np.ascontiguousarray(mask[box]), size, interpolation=cv2.INTER_AREA)
    seen = np.asarray(look(drawn), np.float32)
    rgb = drawn.data[..., :3].astype(np.float32) / np.float32(drawn.top)
    flat = cv2.medianBlur(np.round(seen[..., 1:4] * 255).astype(np.uint8), 5).astype(np.float32) / np.float32(255)
    palette = palette_of([np.dstack([flat, seen[..., 0], cover])])
    whole = Frame(slice(0, size[1]), slice(0, size[0]), frame.height, frame.width)
    planes = whole.filled(np.dstack([rgb, seen[..., 0]]))
    inside = whole.filled(np.asarray(cover, np.float32))
    planes[inside == 0] = (1, 1, 1, 0)
    if len(palette):
        of_color = nearest_colors((np.round(flat.reshape(-1, 3) * 63) / 63).astype(np.float32), palette)
        places = whole.filled(of_color.reshape(flat.shape[:2]).astype(np.float32), nearest=True).astype(np.int32)
        patches, kinds = _patches(places, (inside > 0.5) & (planes[..., 3] < _LINE), len(palette))
        patches = np.where(inside > 0.3, grown(patches), 0)
    else:
        patches, kinds = np.zeros((SIDE, SIDE), np.int32), np.zeros(0, np.intp)
    return ReferenceView(np.dstack([planes, inside]), patches, palette[kinds])


def on_ground(picture: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """``shape`` 1 where something stands on the ground of ``picture`` (h, w, 3), which is the colour of most of its
    border and what hangs together with the border in it; all 1 where there is no such ground, or nothing else."""
    colors = picture.astype(np.float32) / np.float32(np.iinfo(picture.dtype).max)
    border = np.concatenate([colors[0], colors[-1], colors[:, 0], colors[:, -1]])
    common = np.median(border, axis=0)
    everything = np.ones(shape[:2], np.float32)
    if (np.abs(border - common).max(axis=1) < _GROUND).mean() < _BORDERED:
        return everything
    like = (np.abs(colors - common).max(axis=2) < _GROUND).view(np.uint8)
    _, parts = cv2.connectedComponents(like, connectivity=4)
    edge = np.unique(np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]]))
    figure = ~np.isin(parts, edge[edge > 0])
    if figure.mean() < _LEAST_FIGURE:
        return everything
    return np.asarray(cv2.resize(figure.astype(np.float32), shape[1::-1], interpolation=cv2.INTER_NEAREST))


def _patches(places: Labels, free: NDArray[np.bool_], kinds: int) -> tuple[Labels, NDArray[np.intp]]:
    """Numbers (SIDE, SIDE) of what hangs together in one colour, and the colour of each."""
    patches = np.zeros(places.shape, np.int32)
    found: list[int] = []
    for kind in range(kinds):
        count, parts, sizes, _ = cv2.connectedComponentsWithStats(
            (free & (places == kind)).view(np.uint8), connectivity=4
        )
        kept = np.flatnonzero(sizes[:count, cv2.CC_STAT_AREA] >= _LEAST_PATCH)
        kept = kept[kept > 0]
        numbers = np.zeros(count, np.int32)
        numbers[kept] = np.arange(len(found) + 1, len(found) + 1 + len(kept))
        patches = np.where(numbers[parts] > 0, numbers[parts], patches)
        found += [kind] * len(kept)
    return patches, np.array(found, np.intp)


def _at_most(picture: NDArray[Any], side: int) -> NDArray[Any]:
    scale = side / max(picture.shape[:2])
    if scale >= 1:
        return picture
    size = tuple(max(MIN_SIDE, round(length * scale)) for length in picture.shape[1::-1])
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))


def _extent(occupied: NDArray[np.bool_], length: int) -> slice:
    places = np.flatnonzero(occupied)
    return slice(int(places[0]), int(places[-1]) + 1) if len(places) else slice(0, length)
