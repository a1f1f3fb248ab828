"""What a network sees pixel by pixel, made whole by the picture's own areas: one flat colour, one shade an area.

In cel painting an area of one colour is lit, in shadow or highlight as a whole, and a shadow belongs to the lighter
area that it touches without a line between. So the network's pixels vote for each area, the flat of a shaded area
becomes that of its lit neighbour, and edges are where the picture has them. Soft shading and texture stay as the
network saw them. Knows neither networks nor files.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from celwright.domain import FloatImage
from celwright.imaging.tiling import Band
from celwright.regions.even_areas import LINE, EvenAreas, beside, contacts, dark_fills, even_areas, means

SECTION = 4 * 1024 * 1024  # pixels whose areas are looked at together; bounds the memory of pictures of any length
CONTEXT = 192  # rows beyond a section that its areas are still followed into
_SHADED = 0.08  # mean strength from which a pixel votes for shadow or highlight
_HINTED = 0.1  # share of votes that makes a shadow of an area beside one that could be its lit part
_ALONE = 0.65  # share of votes that makes a shadow of an area beside none such
_LIT = 0.5  # share of votes that makes a highlight
_BORDER = 0.15  # share of an area's open border from which a neighbour counts
_ASTRAY = 0.3  # distance (largest channel) up to which a neighbour's flat agrees with the network's
_MIXED = 0.08  # distance (largest channel) up to which a colour is a mixture of two


@dataclass(frozen=True, eq=False)
class _Votes:
    """(N,) share of pixels that vote for shade, and (N, 3) the flat that those see."""

    share: NDArray[np.float64]
    flat: NDArray[np.float64]


def by_area(working: NDArray[Any], bands: Iterable[Band | None]) -> Iterator[Band | None]:
    """``bands`` of a network's planes (h, W, 13) over ``working`` (H, W, 3) with their areas made whole; None is handed
    on. Rows come in sections, so that areas are seen whole in all but very long pictures."""
    height, width = working.shape[:2]
    rows = max(SECTION // width, 4 * CONTEXT)
    held, top, done = np.empty((0, width, 13), np.float32), 0, 0
    for band in bands:
        if band is None:
            yield None
            continue
        held = np.concatenate([held, band.image]) if len(held) else band.image
        while (end := top + len(held)) == height > done or end - done >= rows + CONTEXT:
            stop = height if height - done <= rows + CONTEXT else done + rows
            if stop == height > end:
                break  # the rest is so short that it is waited for
            last = min(stop + CONTEXT, height)
            found = flattened(working[top:last], held[: last - top])
            yield Band(done, stop, found[done - top : stop - top])
            done = stop
            held, top = held[max(done - CONTEXT, 0) - top :].copy(), max(done - CONTEXT, 0)


def flattened(picture: NDArray[Any], planes: FloatImage) -> FloatImage:
    """``planes`` (H, W, 13: line alpha, line colour, flat, shadow, highlight) of ``picture`` (H, W, 3; 8 or 16 bit)
    with each area of one colour lit or shaded as a whole."""
    eight = picture if picture.dtype == np.uint8 else (picture >> 8).astype(np.uint8)
    color = picture.astype(np.float32) / np.float32(np.iinfo(picture.dtype).max)
    planes = planes.copy()
    planes[dark_fills(eight, planes[..., 0]), 0] = 0
    areas = even_areas(eight, planes[..., 0])
    if len(areas.size) > 1:
        flat, known = _flat_of_pixels(color, areas, _flat_of_areas(areas, planes), planes[..., 0])
        seen, flat = color[known], flat[known]
        planes[known, 4:7] = flat
        planes[known, 7:10] = np.minimum((seen + 1e-3) / (flat + 1e-3), 1)
        planes[known, 10:13] = np.maximum(1 - (1 - seen) / np.maximum(1 - flat, 1e-3), 0)
    return planes


def _votes(areas: EvenAreas, flat: FloatImage, strength: FloatImage) -> _Votes:
    for_shade = (strength.mean(axis=2) > _SHADED).astype(np.float32)
    share = means(areas.labels, for_shade[..., None], areas.size)[:, 0]
    return _Votes(share, means(areas.labels, flat, share * areas.size, for_shade))


def _flat_of_areas(areas: EvenAreas, planes: FloatImage) -> FloatImage:
    """(N, 3) the flat colour under each area."""
    touching = contacts(areas)
    own, size = areas.color.astype(np.float64), areas.size
    flat = own.copy()
    lightness = own.sum(axis=1)
    shadow = _votes(areas, planes[..., 4:7], 1 - planes[..., 7:10])
    highlight = _votes(areas, planes[..., 4:7], planes[..., 10:13])
    shaded = np.zeros(len(flat), np.bool_)
    for area in np.argsort(-lightness)[:-1].tolist():  # from light to dark, so that neighbours are known; not label 0
        share, seen = shadow.share[area], shadow.flat[area]
        if share <= _HINTED:
            continue
        neighbours = _neighbours(touching, area)
        lit = [b for b in neighbours if share > shadow.share[b] + 0.15 or (shaded[b] and share > _LIT)]
        lit = [b for b in lit if _could_be_shadow(own[area], flat[b]) and np.abs(flat[b] - seen).max() < _ASTRAY]
        if lit:
            flat[area] = flat[max(lit, key=lambda b: neighbours[b] - 2 * np.abs(flat[b] - seen).max())]
        elif share > (_ALONE if neighbours else _LIT) and _could_be_shadow(own[area], np.maximum(seen, own[area])):
            flat[area] = np.maximum(seen, own[area])
        shaded[area] = bool((flat[area] != own[area]).any())
    for area in np.argsort(lightness)[1:].tolist():  # from dark to light
        share, seen = highlight.share[area], highlight.flat[area]
        if share <= _LIT or shaded[area]:
            continue
        neighbours = _neighbours(touching, area)
        base = [b for b in neighbours if size[b] > size[area] and _could_be_highlight(own[area], flat[b])]
        base = [b for b in base if np.abs(flat[b] - seen).max() < _ASTRAY]
        if base:
            flat[area] = flat[max(base, key=lambda b: neighbours[b] - 2 * np.abs(flat[b] - seen).max())]
        elif not neighbours and _could_be_highlight(own[area], np.minimum(seen, own[area])):
            flat[area] = np.minimum(seen, own[area])
    return np.asarray(flat, np.float32)


def _neighbours(touching: dict[int, dict[int, int]], area: int) -> dict[int, float]:
    """What lies along a good part of an area's open border, with that part."""
    lengths = touching.get(area, {})
    whole = sum(lengths.values())
    return {other: length / whole for other, length in lengths.items() if length > _BORDER * whole}


def _could_be_shadow(dark: NDArray[Any], light: NDArray[Any]) -> bool:
    """Whether a shadow on ``light`` may look ``dark``: some shade of nearly any hue, but neither ink nor glow."""
    factor = (dark + 0.02) / (light + 0.02)
    largest, smallest = float(factor.max()), float(factor.min())
    return largest <= 1.03 and 0.3 <= factor.mean() <= 0.95 and largest - smallest <= 0.45 * largest


def _could_be_highlight(light: NDArray[Any], dark: NDArray[Any]) -> bool:
    """Whether light on ``dark`` may look ``light``: all channels go towards white, none alone."""
    amount = (light - dark) / np.maximum(1 - dark, 0.02)
    return float(amount.min()) > 0.35 * float(amount.max()) and float(amount.max()) > 0.05


def _flat_of_pixels(
    color: FloatImage, areas: EvenAreas, flat: FloatImage, line_alpha: FloatImage
) -> tuple[FloatImage, NDArray[np.bool_]]:
    """(H, W, 3) the flat of each pixel, and (H, W) where it is known: inside of areas, and on the soft edge between
    two, where it mixes their flats as the picture mixes their colours."""
    result, known = flat[areas.labels], areas.labels > 0
    first, second = beside(areas)
    edge = ~known & (second > 0) & (line_alpha < LINE)
    a, b, seen = first[edge], second[edge], color[edge]
    start, way = areas.color[a], areas.color[b] - areas.color[a]
    along = ((seen - start) * way).sum(axis=1, keepdims=True) / np.maximum((way * way).sum(axis=1, keepdims=True), 1e-6)
    along = np.clip(along, 0, 1)
    mixed = np.abs(start + along * way - seen).max(axis=1) < _MIXED
    same = (np.abs(flat[a] - flat[b]).max(axis=1) < 0.02) & (a != b) & (areas.near[edge] > 0)
    result[edge] = flat[a] + (flat[b] - flat[a]) * along
    known[edge] = mixed | same
    return result, known
