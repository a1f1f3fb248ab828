"""Line art that is whole, and the same as a hurried pen, pale pencil or bad scan would leave it.

Whole lines come from drawn figures, from the decomposer's scenes and, where there are any, from drawings by people
(training/corpora.py). Knows no network; torch is imported where arrays become tensors.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright.training.corpora import drawn_scene
from celwright.training.drawing.compositions import scene_of
from celwright.training.drawing.identity import identity
from celwright.training.drawing.inking import worn, xdog
from celwright.training.drawing.lighting import rendered
from celwright.training.painters import Pace, chosen
from celwright.training.pairs import HELD_OUT
from celwright.training.scenes import Kind, scene

if TYPE_CHECKING:
    from torch import Tensor

SIZE, CROP = 384, 256  # pixels of a whole drawing, and of what is learnt from at once
_LEAST_INK = 0.004  # of a drawing's pixels; with less there is nothing to learn
_FOREIGN = 0.45  # share of the decomposer's scenes and of drawings by people, half each where there are any
_LOOKS: tuple[Kind, Kind] = ("rich", "painted")
_WORN = 0.75  # how often lines fade, pale or get grain; all get gaps
_MOST_GAPS, _WIDEST_GAP = 36, 14.0  # in a crop; radius in pixels


def whole_lines(number: int, size: int = SIZE, corpora: Path | None = None) -> NDArray[np.uint8]:
    """(size, size) ink, 255 = line, of the drawing of this number."""
    rng = np.random.default_rng((number, 23))
    held_out = number >= HELD_OUT
    for attempt in range(8):
        pick, seed = rng.random(), int(rng.integers(HELD_OUT)) + held_out * HELD_OUT
        if pick >= _FOREIGN:
            people = [identity(int(rng.integers(1 << 40)) * 2 + held_out) for _ in range(int(rng.integers(1, 4)))]
            shown = rendered(rng, scene_of(rng, people, size, {}))
            ink = shown.ink if rng.random() < 0.75 else xdog(rng, shown.pictured)
        else:
            by_people = corpora if pick < _FOREIGN / 2 else None
            made = drawn_scene(by_people, seed, size) if by_people else scene(seed, size, _LOOKS[attempt % 2])
            ink = np.round(made.line_alpha * 255).astype(np.uint8)
        if (ink > 127).mean() > _LEAST_INK:
            break
    return ink


def broken(rng: np.random.Generator, ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The lines with gaps where there is ink, and mostly worn as well."""
    out = worn(rng, ink) if rng.random() < _WORN else ink
    y, x = np.nonzero(ink > 127)
    count = int(_MOST_GAPS * rng.random() ** 2)
    if not len(y) or not count:
        return out
    keep = np.full(ink.shape, 255, np.uint8)
    for place in rng.integers(0, len(y), count).tolist():
        radius = float(np.exp(rng.uniform(0, np.log(_WIDEST_GAP) * rng.uniform(0.5, 1))))
        cv2.circle(keep, (int(x[place]), int(y[place])), round(radius), 0, -1, cv2.LINE_AA)
    return np.asarray(cv2.multiply(out, keep, scale=1 / 255), np.uint8)


def varied(rng: np.random.Generator, ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(2, CROP, CROP) a crop of whole lines, turned or mirrored: broken, and whole."""
    y, x = (int(v) for v in rng.integers(0, ink.shape[0] - CROP + 1, 2))
    piece = np.rot90(ink[y : y + CROP, x : x + CROP], int(rng.integers(4)))
    piece = np.ascontiguousarray(piece[:, ::-1] if rng.random() < 0.5 else piece)
    return np.stack([broken(rng, piece), piece])


def line_batches(first: int, batch: int, pace: Pace, corpora: Path | None) -> Generator[Tensor, None, None]:
    """(batch, 2, CROP, CROP) uint8 without end, broken and whole, of the drawings from number ``first`` on; broken anew
    each time that one is seen."""
    import torch

    paint = partial(whole_lines, corpora=corpora)
    with closing(chosen(paint, first, batch, pace)) as endless:
        for rng, drawings in endless:
            yield torch.from_numpy(np.stack([varied(rng, one) for one in drawings]))


def held_out_lines(count: int) -> Tensor:
    """(count, 2, CROP, CROP) uint8 of drawings that no training sees."""
    import torch

    rng = np.random.default_rng(3)
    return torch.from_numpy(np.stack([varied(rng, whole_lines(HELD_OUT + n)) for n in range(count)]))
