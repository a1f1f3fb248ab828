"""Drawings by people, kept as layers in folders, become scenes like the procedural ones.

A drawing is a folder with ``line.png`` and ``flat.png`` (RGBA) and perhaps ``shadow.png`` and ``highlight.png``, which
are result colours laid normally over the flat. Drawings without shading are shaded here by a random finish, region by
region; those whose flat already holds shading are left out, since they would teach the opposite. All drawings are
packed into one file first, so that worker processes need not search folders. Every folder is drawn from equally often,
so that a few excellent drawings count as much as many others. Which drawings may be learned from is the caller's
business: licences are not known here.
"""

import hashlib
import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright.errors import WrongUsageError
from celwright.training.painting import backdrops, finishes, inks
from celwright.training.painting.canvas import Part, Plane
from celwright.training.painting.degradations import degraded
from celwright.training.painting.painted import base_light, faded
from celwright.training.painting.painted_canvas import PaintedCanvas
from celwright.training.scenes import Scene, composed

LAYERS = ("line", "flat", "shadow", "highlight")
LONGEST = 768  # pixels; larger drawings are reduced
UNEVEN = 0.12  # share of pixels with a faint slope from which a flat counts as shaded
REGIONS = 40  # shaded at most, the largest first

Rgba = NDArray[np.uint8]


def packed_corpora(folders: Sequence[Path], cache: Path) -> Path:
    """The path of a file in ``cache`` that holds every usable drawing under ``folders``; made when it is not there yet
    or the drawings have changed. Raises WrongUsageError when a folder has none."""
    found = [_drawings(folder) for folder in folders]
    state = ""
    for drawings in found:
        files = [drawing / f"{layer}.png" for drawing in drawings for layer in LAYERS]
        stats = [(file, file.stat()) for file in files if file.is_file()]
        state += "folder:" + "".join(f"{file}:{stat.st_size}:{stat.st_mtime_ns};" for file, stat in stats)
    target = cache / f"corpora-{hashlib.sha256(state.encode()).hexdigest()[:16]}.npz"
    if target.is_file():
        return target
    stored: list[Rgba] = []
    folder_ends: list[int] = []  # drawings up to the end of each folder
    for folder, drawings in zip(folders, found, strict=True):
        before = len(stored)
        for drawing in drawings:
            layers = [_read(drawing / f"{layer}.png") for layer in LAYERS]
            line, flat, shadow, _ = layers
            if line is None or flat is None or line.shape != flat.shape or (shadow is None and uneven(flat) > UNEVEN):
                continue
            stored += [_encoded(layer) for layer in layers]
        if len(stored) == before:
            raise WrongUsageError(
                f"There is no drawing to learn from in {folder}; folders with line.png and flat.png of one size, the "
                f"flat without shading, are needed: name a folder that holds some."
            )
        folder_ends.append(len(stored) // len(LAYERS))
    cache.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    with part.open("wb") as file:
        ends = np.cumsum([len(piece) for piece in stored])
        np.savez(file, bytes=np.concatenate(stored), ends=ends, folder_ends=folder_ends)
    os.replace(part, target)
    return target


def _drawings(folder: Path) -> list[Path]:
    found = sorted(flat.parent for flat in folder.rglob("flat.png"))
    return [drawing for drawing in found if (drawing / "line.png").is_file()]


def _encoded(layer: Rgba | None) -> Rgba:
    return np.zeros(0, np.uint8) if layer is None else np.asarray(cv2.imencode(".png", layer)[1], np.uint8).ravel()


def _read(path: Path) -> Rgba | None:
    """(H, W, 4) at most ``LONGEST`` pixels a side, channels as OpenCV keeps them; None when there is no such layer."""
    layer = cv2.imread(str(path), cv2.IMREAD_UNCHANGED) if path.is_file() else None
    if layer is None or layer.ndim != 3 or layer.shape[2] != 4 or layer.dtype != np.uint8:
        return None
    scale = min(1.0, LONGEST / max(layer.shape))
    return _resized(np.asarray(layer, np.uint8), scale) if scale < 1 else np.asarray(layer, np.uint8)


def _resized(layer: Rgba, scale: float) -> Rgba:
    """Scaled with colour weighed by alpha, so that nothing bleeds in from transparent pixels."""
    alpha = layer[..., 3:].astype(np.float32)
    weighed = np.concatenate([layer[..., :3] * (alpha / 255), alpha], 2)
    shape = (max(1, round(layer.shape[1] * scale)), max(1, round(layer.shape[0] * scale)))
    small = cv2.resize(weighed, shape, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    color = small[..., :3] * (255 / np.maximum(small[..., 3:], 1e-3))
    return np.clip(np.round(np.concatenate([color, small[..., 3:]], 2)), 0, 255).astype(np.uint8)


def uneven(flat: Rgba) -> float:
    """Share of the opaque pixels where colour changes by a little: near 0 in flat colours, near 1 in gradients."""
    small = _resized(flat, min(1.0, 256 / max(flat.shape)))
    change = np.abs(np.diff(small.astype(np.int16), axis=1)).max(2)
    opaque = (small[:, 1:, 3] > 250) & (small[:, :-1, 3] > 250)
    return float(((change > 0) & (change <= 8) & opaque).sum() / max(int(opaque.sum()), 1))


@lru_cache(maxsize=1)
def _stored(path: Path) -> tuple[Rgba, NDArray[np.int64], NDArray[np.int64]]:
    with np.load(path) as stored:
        return stored["bytes"], stored["ends"], stored["folder_ends"]


def drawing_count(path: Path) -> int:
    return len(_stored(path)[1]) // len(LAYERS)


def picked(rng: np.random.Generator, path: Path) -> int:
    """The number of a drawing: any folder, then any drawing of it."""
    ends = _stored(path)[2]
    folder = int(rng.integers(len(ends)))
    return int(rng.integers(ends[folder - 1] if folder else 0, ends[folder]))


def _layers(path: Path, number: int) -> list[Rgba | None]:
    data, ends, _ = _stored(path)
    layers: list[Rgba | None] = []
    for index in range(number * len(LAYERS), (number + 1) * len(LAYERS)):
        piece = data[ends[index - 1] if index else 0 : ends[index]]
        layers.append(np.asarray(cv2.imdecode(piece, cv2.IMREAD_UNCHANGED), np.uint8) if piece.size else None)
    return layers


def drawn_scene(path: Path, seed: int, size: int) -> Scene:
    """A random cut of a drawing in the packed file ``path``, ``size`` pixels square, on a random background."""
    rng = np.random.default_rng((seed, size, 3))
    line, flat, shadow, highlight = _cut(rng, _layers(path, picked(rng, path)), size)
    assert line is not None
    assert flat is not None  # packed_corpora keeps no others
    cover = flat[..., 3:]
    ground = backdrops.background(rng, size * 2)[::2, ::2]
    colors = flat[..., :3] * cover + ground * (1 - cover)
    finish = finishes.chosen(rng, size)
    canvas = PaintedCanvas(colors, finish, inks.Ink(None, None, None, np.zeros(3)), "paint", int(rng.integers(2**31)))
    canvas.instances = (cover[..., 0] > 0.5).astype(np.int32)
    canvas.line_alpha, canvas.line_color = line[..., 3], line[..., :3]
    if shadow is None and highlight is None:
        _shade(rng, canvas, flat)
    else:
        _take_shading(canvas, shadow, highlight)
    scene = faded(
        {
            "line_alpha": canvas.line_alpha, "line_color": canvas.line_color, "flat": canvas.flat,
            "shadow": canvas.shadow, "highlight": canvas.highlight,
        }
    )  # fmt: skip
    picture = np.round(np.clip(composed(**scene), 0, 1) * 255).astype(np.uint8)
    return Scene(**scene, instances=canvas.instances, seen=degraded(rng, picture))


def _cut(rng: np.random.Generator, layers: list[Rgba | None], size: int) -> list[Plane | None]:
    """The same square of every layer, around some opaque place, RGBA 0..1."""
    flat = layers[1]
    assert flat is not None
    scale = min(float(np.exp(rng.uniform(0, np.log(3)))) * size / max(flat.shape), 1.5)
    y, x = np.nonzero(flat[::8, ::8, 3] > 128)
    pick = int(rng.integers(len(y))) if len(y) else 0
    center = np.array([x[pick], y[pick]]) * 8 * scale if len(y) else np.array(flat.shape[1::-1]) * scale / 2
    left, top = (int(v) for v in center - size * rng.uniform(0.25, 0.75, 2))
    mirror = rng.random() < 0.5
    pieces: list[Plane | None] = []
    for layer in layers:
        if layer is None:
            pieces.append(None)
            continue
        scaled = _resized(layer, scale)
        piece = np.zeros((size, size, 4), np.float32)
        y0, x0 = max(0, -top), max(0, -left)
        part = scaled[max(0, top) : max(0, top + size), max(0, left) : max(0, left + size)]
        part = part[: size - y0, : size - x0]
        piece[y0 : y0 + part.shape[0], x0 : x0 + part.shape[1]] = part[..., (2, 1, 0, 3)].astype(np.float32) / 255
        pieces.append(np.ascontiguousarray(piece[:, ::-1]) if mirror else piece)
    return pieces


def _take_shading(canvas: PaintedCanvas, shadow: Plane | None, highlight: Plane | None) -> None:
    """Shadow and highlight laid normally become factors of the formula."""
    lit = canvas.flat
    if shadow is not None:
        seen = shadow[..., :3] * shadow[..., 3:] + lit * (1 - shadow[..., 3:])
        grey = seen.sum(2, keepdims=True) / np.maximum(lit.sum(2, keepdims=True), 0.03)
        told = np.minimum(lit * 8, 1)  # a channel that the flat lacks tells nothing: it follows the others
        factor = np.where(shadow[..., 3:] > 0, seen / np.maximum(lit, 0.02) * told + grey * (1 - told), 1)
        canvas.shadow = np.clip(factor, 0, 1).astype(np.float32)
        lit = lit * canvas.shadow
    if highlight is not None:
        seen = highlight[..., :3] * highlight[..., 3:] + lit * (1 - highlight[..., 3:])
        screen = 1 - (1 - seen) / np.maximum(1 - lit, 0.02)
        canvas.highlight = np.where(lit < 0.98, np.clip(screen, 0, 1), 0).astype(np.float32)


def _shade(rng: np.random.Generator, canvas: PaintedCanvas, flat: Plane) -> None:
    """Light on every region of one colour, as if it were a part."""
    codes = (flat * 31).astype(np.int32) @ np.array([1, 32, 1024, 0], np.int32)
    codes[flat[..., 3] < 0.9] = -1
    kinds, areas = np.unique(codes, return_counts=True)
    regions: list[tuple[int, tuple[slice, slice], NDArray[Any]]] = []
    for kind in kinds[(areas > 40) & (kinds >= 0)][:60]:
        count, names, boxes, _ = cv2.connectedComponentsWithStats((codes == kind).astype(np.uint8), connectivity=4)
        for name in range(1, count):
            x, y, wide, high, area = (int(v) for v in boxes[name])
            if area > 40:
                window = (slice(y, y + high), slice(x, x + wide))
                regions.append((area, window, names[window] == name))
    light = base_light(canvas.finish)
    for _, window, inside in sorted(regions, key=lambda region: -region[0])[:REGIONS]:
        color = flat[window][inside].mean(0)[:3].astype(np.float32)
        rim = cv2.dilate(inside.astype(np.uint8), np.ones((3, 3), np.uint8))  # meets the neighbour under the line
        part = Part(window, rim.astype(np.float32), np.zeros((0, 2), np.float32), color)
        canvas.add_light(rng, part, light)
    canvas.finish_scene()
