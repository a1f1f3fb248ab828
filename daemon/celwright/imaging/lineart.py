"""Line art as ink on paper: how much line covers each pixel, and the line alone as a transparent layer.

Knows lines of any colour on paper of any colour, or on transparency. Does not know regions.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright.domain import Pixels
from celwright.errors import UnusableInputError

_FAINTEST = 20  # 1/255 of contrast with the paper; below it a mark cannot be told from paper grain
_NEIGHBORHOOD = 7  # px; the core of a line is looked for within this window
_BLOCK = 32  # px; paper that darkens towards the spine is followed at this grain
_ROWS = 64  # rows looked at together
_PAPER_DRIFT = 32  # 1/255; a block further than this from the paper's colour is painted, not shaded


def is_transparent(line_art: Pixels) -> bool:
    """Whether the lines stand on transparency; else they stand on opaque paper.

    A few soft pixels do not make a page transparent: at least 1 % must be less than half covered.
    """
    if line_art.channels not in (2, 4):
        return False
    see_through = np.count_nonzero(line_art.data[..., -1] <= line_art.top // 2)
    return bool(see_through * 100 >= line_art.width * line_art.height)


def paper_color(line_art: Pixels) -> NDArray[Any]:
    """(3,) RGB of the paper in the image's own depth: the most frequent colour among the opaque pixels.

    Where a dark colour wins although a lighter one fills a quarter of the page, the light one is paper and the
    dark one spotted blacks.
    """
    return _paper(_rgb8(line_art), _opaque(line_art), line_art)


def ink(line_art: Pixels) -> NDArray[np.uint8]:
    """(H, W) how much line covers each pixel: 0 paper, 255 the core of a line, of whatever colour.

    Coverage is contrast with the paper (or alpha), relative to the strongest contrast nearby, so that a pale blue
    pencil line counts as much as a black one. Raises UnusableInputError when nothing stands out from the paper.
    """
    contrast = _contrast(line_art)
    marks = contrast[contrast >= _FAINTEST]
    if marks.size == 0:
        ground = "transparency" if is_transparent(line_art) else "its paper"
        raise UnusableInputError(
            f"The line art has no line: nothing differs from {ground} by {_FAINTEST}/255 or more; "
            "choose the layer that holds the lines."
        )
    # Grain of scanned paper must not be blown up to lines where no line is near.
    strength = float(np.percentile(marks[:: max(1, marks.size // 100_000)], 90))
    least = int(np.clip(0.35 * strength, _FAINTEST, 90))
    core = cv2.dilate(contrast, np.ones((_NEIGHBORHOOD, _NEIGHBORHOOD), np.uint8))
    np.maximum(core, least, out=core)
    return np.asarray(cv2.divide(contrast, core, scale=255), dtype=np.uint8)


def line_layer(line_art: Pixels) -> Pixels:
    """The lines as RGBA. Lines on transparency come back bit-equal (only grey is spread to RGB).

    Opaque paper becomes transparency, colour to alpha: per pixel the least alpha ``a`` for which a colour ``l`` in
    0..1 solves ``scan = a*l + (1 - a)*paper``; the layer over ``paper_color`` gives the scan back within 1/255.
    """
    if is_transparent(line_art):
        return line_art.rgba()
    top = line_art.top
    paper = paper_color(line_art)
    out = np.empty((line_art.height, line_art.width, 4), line_art.data.dtype)
    out[...] = np.append(paper, 0).astype(out.dtype)
    base = (paper / top).astype(np.float32)
    scan = line_art.data[..., :3] if line_art.channels >= 3 else line_art.data[..., :1]
    for start in range(0, line_art.height, _ROWS):
        rows = slice(start, start + _ROWS)
        marked = (scan[rows] != paper).any(axis=2)
        if line_art.channels in (2, 4):
            # On opaque paper a scan's own alpha can only be a soft rim: it is laid over the paper first.
            away = (scan[rows][marked] / np.float32(top) - base) * (
                line_art.data[rows][marked][:, -1:] / np.float32(top)
            )
        else:
            away = scan[rows][marked] / np.float32(top) - base
        room = np.where(away < 0, base, 1 - base)
        share = np.divide(np.abs(away), room, out=np.zeros_like(away), where=room > 0)
        alpha = np.ceil(share.max(axis=1, keepdims=True) * top - 1e-3) / top
        line = base + np.divide(away, alpha, out=np.zeros_like(away), where=alpha > 0)
        out[rows][marked] = np.clip(np.rint(np.concatenate([line, alpha], axis=1) * top), 0, top)
    return Pixels(out, line_art.offset, line_art.icc)


def _rgb8(line_art: Pixels) -> NDArray[np.uint8]:
    """(H, W, 3) the colours at 8 bits, a view where they are so already."""
    data = line_art.data if line_art.depth == 8 else (line_art.data // 257).astype(np.uint8)
    return data[..., :3] if data.shape[2] >= 3 else np.repeat(data[..., :1], 3, axis=2)


def _opaque(line_art: Pixels) -> NDArray[np.bool_]:
    return np.asarray(line_art.alpha() > line_art.top // 2)


def _sample_step(height: int, width: int) -> int:
    """Every how many pixels to look, each way: half a million looks decide a paper's colour."""
    return max(1, int(np.sqrt(height * width / 500_000)))


def _paper(rgb: NDArray[np.uint8], opaque: NDArray[np.bool_], line_art: Pixels) -> NDArray[Any]:
    step = _sample_step(*opaque.shape)
    seen = opaque[::step, ::step]
    exact = line_art.data[::step, ::step, :3] if line_art.channels >= 3 else line_art.data[::step, ::step, :1]
    exact = np.broadcast_to(exact, (*seen.shape, 3))[seen]
    if not len(exact):
        return np.full(3, line_art.top, line_art.data.dtype)
    bins = (rgb[::step, ::step][seen] >> 4).astype(np.int32)
    counts = np.bincount((bins[:, 0] << 8) | (bins[:, 1] << 4) | bins[:, 2], minlength=4096)
    # A colour on the border of two bins is found by counting each bin with its upper neighbours.
    cube = counts.reshape(16, 16, 16)
    mass = np.pad(cube, ((0, 1),) * 3)
    mass = mass[:-1] + mass[1:]
    mass = mass[:, :-1] + mass[:, 1:]
    mass = mass[:, :, :-1] + mass[:, :, 1:]
    light = np.add.outer(np.add.outer(np.arange(16), np.arange(16)), np.arange(16))
    best = int(mass.argmax())
    lighter = np.where(light >= light.flat[best] + 12, mass, 0)
    if lighter.max() * 4 >= len(exact):
        best = int(lighter.argmax())
    corner = np.array(np.unravel_index(best, cube.shape))
    inside = np.all((bins == corner) | (bins == corner + 1), axis=1)
    return np.asarray(np.median(exact[inside], axis=0).round().astype(line_art.data.dtype))


def _contrast(line_art: Pixels) -> NDArray[np.uint8]:
    """(H, W) 1/255 of difference from the paper in the channel that differs most, or the alpha of bare lines."""
    rgb = _rgb8(line_art)
    alpha = line_art.alpha()
    alpha8 = alpha if line_art.depth == 8 else (alpha // 257).astype(np.uint8)
    opaque = alpha8 > 127
    if is_transparent(line_art) and not _is_cutout(rgb, opaque, line_art):
        return np.ascontiguousarray(alpha8)
    paper = (_paper(rgb, opaque, line_art) // (1 if line_art.depth == 8 else 257)).astype(np.uint8)
    difference = cv2.absdiff(np.ascontiguousarray(rgb), _shaded_paper(rgb, paper))
    contrast = cv2.max(cv2.max(difference[..., 0], difference[..., 1]), difference[..., 2])
    if line_art.channels in (2, 4):
        contrast = cv2.multiply(contrast, alpha8, scale=1 / 255)
    return np.asarray(contrast, dtype=np.uint8)


def _is_cutout(rgb: NDArray[np.uint8], opaque: NDArray[np.bool_], line_art: Pixels) -> bool:
    """Whether the drawing carries its own light paper inside transparent surroundings.

    Then the opaque part is wide, mostly of one light colour, and something darker stands on it.
    """
    if np.count_nonzero(opaque) * 20 < opaque.size:
        return False
    paper = _paper(rgb, opaque, line_art) // (1 if line_art.depth == 8 else 257)
    if paper.mean() < 150:
        return False
    step = _sample_step(*opaque.shape)
    away = np.abs(rgb[::step, ::step].astype(np.int16) - paper).max(axis=2)[opaque[::step, ::step]]
    return bool(np.mean(away < 48) > 0.5 and np.mean(away > 64) > 0.01)


def _shaded_paper(rgb: NDArray[np.uint8], paper: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 3) the paper's colour followed across the page: block medians near the paper's colour, smoothed."""
    height, width = rgb.shape[:2]
    rows, columns = height // _BLOCK, width // _BLOCK
    if rows < 2 or columns < 2:
        return np.broadcast_to(paper, rgb.shape).copy()
    looks = rgb[: rows * _BLOCK : 4, : columns * _BLOCK : 4]
    per = _BLOCK // 4
    blocks = looks.reshape(rows, per, columns, per, 3).transpose(0, 2, 1, 3, 4).reshape(rows, columns, per * per, 3)
    medians = np.sort(blocks, axis=2)[:, :, per * per // 2]
    painted = np.abs(medians.astype(np.int16) - paper).max(axis=2) > _PAPER_DRIFT
    medians[painted] = paper
    return np.asarray(cv2.resize(cv2.blur(medians, (3, 3)), (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def drawn(covered: NDArray[np.uint8], offset: tuple[int, int] = (0, 0)) -> Pixels:
    """(H, W, 4) 8 bit: black lines of ink ``covered`` (H, W), 255 = line, at ``offset`` in the document."""
    black = np.zeros((*covered.shape, 4), np.uint8)
    black[..., 3] = covered
    return Pixels(black, offset)
