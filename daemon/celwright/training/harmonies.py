"""The table of palettes for automatic colouring, made from scenes as the colorizer sees them in training.

``python -m celwright.training.harmonies [FILE]`` writes what pipelines/colorize/harmonies.py reads, always the same. A
scene counts when its figure has plausible colours and is not muddy. Knows scenes and palettes, no network.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from celwright.imaging.muddiness import muddiness
from celwright.imaging.saving import write_atomically
from celwright.pipelines.colorize.harmonies import TABLE, Harmony
from celwright.training.drawing.compositions import scene_of
from celwright.training.drawing.identity import Identity, plausible_palette
from celwright.training.drawing.lighting import Rendering, rendered

COUNT = 256  # palettes in the table
MOST = 14  # colours of one
ROW = 16  # as many in a row are unlike each other: the most variations that one request may ask for
_CANDIDATES = 2 * COUNT
_SIZE = 96  # px
_MUDDIEST = 0.3
_GRAIN = 1 / 256  # of the area; a smaller share is left out
_SEED = 20_260


def candidates() -> Iterator[Harmony]:
    """Without end, the colours of scenes with one person in plausible colours that is not muddy."""
    number = 0
    while True:
        number += 1
        rng = np.random.default_rng((_SEED, number))
        made = rendered(rng, scene_of(rng, [Identity(number * 2, "person", plausible_palette(rng))], _SIZE, {}))
        flat = made.flat.astype(np.float32) / 255
        if made.alpha.mean() > 32 and muddiness(flat, made.alpha) <= _MUDDIEST:
            yield _colors_of(made)


def _colors_of(made: Rendering) -> Harmony:
    """The colours of a figure's parts, those of hardly any area left out."""
    where = made.alpha > 127
    parts, which, areas = np.unique(made.part[where], return_inverse=True, return_counts=True)
    colors = np.array([np.median(made.flat[where][which == i], axis=0) for i in range(len(parts))], np.float32) / 255
    order = np.argsort(-areas, kind="stable")[:MOST]
    order = order[areas[order] >= _GRAIN * areas.sum()]
    return Harmony(colors[order], (areas[order] / areas[order].sum()).astype(np.float32))


def well_ordered(histograms: NDArray[np.float32], count: int, row: int = ROW) -> NDArray[np.intp]:
    """``count`` places in (N, bins): each next one is farthest (Hellinger) from the ``row`` before it, in a ring."""
    roots = np.sqrt(histograms)
    distances = np.sqrt(np.maximum(0, 1 - roots @ roots.T))
    order = [0]
    while len(order) < count:
        recent = order[-row + 1 :] + (order[:row] if len(order) > count - row else [])
        apart = distances[:, recent].min(axis=1)
        apart[order] = -1
        order.append(int(apart.argmax()))
    return np.array(order)


def write(path: Path, *, force: bool = True) -> None:
    source = candidates()
    made = [next(source) for _ in range(_CANDIDATES)]
    order = well_ordered(np.stack([one.histogram for one in made]), COUNT)
    colors, shares = np.zeros((COUNT, MOST, 3), np.uint8), np.zeros((COUNT, MOST), np.uint8)
    for row, place in enumerate(order.tolist()):
        own = made[place]
        colors[row, : len(own.colors)] = np.round(own.colors * 255)
        shares[row, : len(own.shares)] = np.maximum(np.round(own.shares * 255), 1)
    with write_atomically(path, force=force) as stream:
        np.savez_compressed(stream, colors=colors, shares=shares)


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else TABLE)
