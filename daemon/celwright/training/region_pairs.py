"""Drawn figures with references of the same figures in other views, as regions: what a region colorizer learns from.

Endless and procedural: the number of a sample decides everything in it; numbers and figures from ``HELD_OUT`` on are
never trained on. Regions are found as they are found for an artist, and most references are seen by the decomposer, so
leaks, crumbs and its mistakes are learnt too. Knows no network but that one.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright.domain import FloatImage, Pixels
from celwright.domain import Reference as Given
from celwright.pipelines.colorize.figures import figure_of, owners
from celwright.pipelines.colorize.reference_look import reference_look
from celwright.pipelines.colorize.reference_view import Frame, Look, cut_out, frame_of, reference_view
from celwright.pipelines.network import predictor
from celwright.regions.trapped_ball import segment
from celwright.training.drawing.compositions import scene_of
from celwright.training.drawing.identity import Kind
from celwright.training.drawing.inking import whole_ink, worn
from celwright.training.drawing.lighting import Rendering, rendered
from celwright.training.drawing.references import MOST_REFERENCES, Reference, other_view, warped_copy
from celwright.training.drawing.sheets import Numbers
from celwright.training.pairs import HELD_OUT, cast

REGIONS = 96  # at most, of a figure or of a reference; the smallest are left out
_SIZES = (320, 480)  # px a side of what is drawn, before a figure fills its square
_COUNTS = (0.5, 0.2, 0.12, 0.08, 0.05, 0.05)  # how often a scene has 1, 2, ... figures
_PAIR = 2  # figures; larger groups are drawn large
_SOLID = 0.15  # how often all of them are characters of solids, turned in space
_DECOMPOSED = 0.6  # how often the decomposer finds a reference's lines and flats
_EXTRACTED = 0.12  # how often line art is the decomposer's line layer of the coloured picture
_LEAST = 0.03  # of the sheet; smaller figures are not taken
_COMPLETED = 0.7  # how often worn lines were made whole before regions were found, as pipelines/line_completion.py does
_CROWD = 0.12  # how often all that stands on a sheet is taken for one figure
COLUMNS = 5  # of a region: RGB, part, how much of it is that part


@dataclass(frozen=True, eq=False)
class Square:
    """A figure in a square of SIDE pixels: ``planes`` (2 or 5, SIDE, SIDE) uint8, [RGB,] ink and inside; ``labels``
    (SIDE, SIDE) uint8 of its regions; ``regions`` (REGIONS, 5) uint8: true flat colour, part, and the part's share."""

    planes: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    regions: NDArray[np.uint8]


def figure(number: int) -> tuple[Square, list[Square]]:
    """The target of this number and up to MOST_REFERENCES references."""
    rng = np.random.default_rng((number, 11))
    kind: Kind | None = "doll" if np.random.default_rng((number, 12)).random() < _SOLID else None
    for _ in range(20):
        count = int(rng.choice(len(_COUNTS), p=_COUNTS)) + 1
        size = int(rng.choice(_SIZES)) if count <= _PAIR else max(_SIZES)
        people = cast(rng, count, kind, held_out=number >= HELD_OUT)
        parts: Numbers = {}
        target = rendered(rng, scene_of(rng, people, size, parts))
        which = int(rng.integers(1, count + 1))
        if (target.instance == which).mean() >= _LEAST:
            break
    shown: list[Reference] = []
    for _ in range(int(rng.choice(MOST_REFERENCES, p=(0.6, 0.4))) + 1):
        if rng.random() < 0.85:
            shown.append(other_view(rng, people[which - 1], which, int(rng.choice(_SIZES)), parts))
        else:
            shown.append(warped_copy(rng, target, which, size))
    squares = [_reference(rng, one) for one in shown if (one.mask > 127).mean() >= _LEAST / 2]
    crowd = target.instance > 0 if rng.random() < _CROWD else target.instance == which
    return _target(rng, target, crowd), squares


def _target(rng: np.random.Generator, made: Rendering, inside: NDArray[np.bool_]) -> Square:
    """The line art of a figure, with the regions that lie in it for the most part."""
    whole = _ink_of(made.pictured) if rng.random() < _EXTRACTED else whole_ink(rng, made)
    line = worn(rng, whole)
    if rng.random() < _COMPLETED:
        line = np.maximum(line, whole)
    labels = segment(line, int(rng.choice([3, 5, 8]))).grown
    own = np.flatnonzero(owners(labels, inside.astype(np.uint8), 1))
    areas = np.bincount(labels.reshape(-1))[own]
    seen = figure_of(labels, line, inside, own[np.argsort(-areas, kind="stable")][:REGIONS])
    planes = np.stack([_bytes(plane) for plane in (seen.drawn.ink, seen.drawn.inside)])
    truth = _truth(seen.slots.astype(np.uint8), made.flat, made.part, line < 128)
    return Square(planes, seen.labels.astype(np.uint8), truth)


def _reference(rng: np.random.Generator, shown: Reference) -> Square:
    """A reference as the product sees it, or as it would with better or worse flats."""
    mask = (shown.mask > 127).astype(np.uint8) * 255
    given = Given(Pixels(shown.picture), Pixels(mask[..., None]))
    frame = frame_of(cut_out(given)[1] > 0.5)
    view = reference_view(given, _decomposer() if rng.random() < _DECOMPOSED else _told(rng, shown, frame))
    part, true = (_square(frame, image) for image in (shown.part, shown.flat))
    patches = np.where(view.patches <= REGIONS, view.patches, 0).astype(np.uint8)
    regions = _truth(patches, true, part, view.planes[..., 3] < 0.5)
    count = min(REGIONS, len(view.colors))
    regions[:count, :3] = np.round(view.colors[:count] * 255)
    return Square(_bytes(view.planes.transpose(2, 0, 1)), patches, regions)


@cache
def _decomposer() -> Look:
    """Every worker has its own. Raises ModelUnavailableError."""
    return reference_look(predictor("embedded", "cpu"))


def _ink_of(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return _bytes(_decomposer()(Pixels(picture))[..., 0])


def _told(rng: np.random.Generator, shown: Reference, frame: Frame) -> Look:
    """The true lines and flats, or light that was taken for colour."""
    flat = shown.flat
    if rng.random() < 0.3:
        lit = np.where(shown.line[..., None] > 100, shown.flat, shown.picture)
        flat = np.asarray(cv2.medianBlur(lit, 5), np.uint8)
    seen = np.dstack([shown.line, flat])[frame.rows, frame.columns] / np.float32(255)
    return lambda picture: np.asarray(cv2.resize(seen, picture.data.shape[1::-1], interpolation=cv2.INTER_AREA))


def _square(frame: Frame, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(frame.filled(image.astype(np.float32), nearest=True), np.uint8)


def _truth(
    labels: NDArray[np.uint8], flat: NDArray[np.uint8], part: NDArray[np.uint8], free: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """(REGIONS, 5) of regions 1, 2, ...: the colour of the part that fills most of each, its number and its share."""
    regions = np.zeros((REGIONS, COLUMNS), np.uint8)
    where = (labels > 0) & free
    kind = labels[where].astype(np.int64) * 256 + part[where]
    areas = np.bincount(kind, minlength=(REGIONS + 1) * 256).reshape(-1, 256)
    most = areas.argmax(axis=1)
    chosen_areas = areas[np.arange(REGIONS + 1), most]
    for channel in range(3):
        sums = np.bincount(kind, flat[where][:, channel], (REGIONS + 1) * 256).reshape(-1, 256)
        regions[:, channel] = np.round(sums[np.arange(REGIONS + 1), most] / np.maximum(chosen_areas, 1))[1:]
    regions[:, 3] = most[1:]
    regions[:, 4] = np.round(255 * chosen_areas / np.maximum(areas.sum(axis=1), 1))[1:]
    return regions


def _bytes(planes: FloatImage) -> NDArray[np.uint8]:
    return np.round(np.clip(planes, 0, 1) * 255).astype(np.uint8)
