"""Procedural people in the anime manner at any scale, from crowd to close-up: hair in locks, layered eyes, clothes
with folds, bags and straps, dark and white garments.

What belongs to which layer follows the artists' layered files: dark fills (hair, clothes, pupils, brows drawn as
shapes, straps, shoes) are *flat*, with the same outlines as any other part; only what a pen draws is *line*. Lashes and
thin brows are line; glints and hair shine are highlight; blush and the lid's shade on the eye are shadow.
Knows figures and canvases; nothing of finishes or degradations.
"""

import numpy as np

from celwright.training.painting import colors, shapes
from celwright.training.painting.anime_faces import paint_anime_face, paint_glasses
from celwright.training.painting.canvas import Part
from celwright.training.painting.figures import Figure, add_shine_band, ink_color
from celwright.training.painting.outfits import Wardrobe, paint_accessories, paint_body


def paint_portrait(figure: Figure, clothes: Wardrobe) -> None:
    """Back to front: hair behind, body, head, face, hair in front, things on top."""
    rng = figure.rng
    long = float(rng.uniform(0.1, 2.8)) if rng.random() < 0.7 else 0.0
    if long:
        _back_hair(figure, clothes.hair, long)
    paint_body(figure, clothes)
    jaw, chin = rng.uniform(0.5, 0.78), rng.uniform(0.88, 1.05)
    outline = [(-0.86, -0.5), (-0.5, -0.95), (0.5, -0.95), (0.86, -0.5), (0.86, 0.1), (jaw, 0.62), (0.12, chin)]
    outline += [(-0.12, chin), (-jaw, 0.62), (-0.86, 0.1)]
    for hand in (-1, 1):
        if rng.random() < 0.6:
            ear = shapes.ellipse((hand * 0.88, 0.12), (0.14, 0.24))
            figure.add(figure.at(ear), clothes.skin)
    head = figure.add(figure.at(shapes.smooth(np.array(outline), True, 6)), clothes.skin, cast=rng.uniform(0.05, 0.35))
    if head is None:
        return
    paint_anime_face(figure, head, clothes.iris, clothes.hair)
    _front_hair(figure, clothes.hair)
    if rng.random() < 0.12:
        paint_glasses(figure)
    paint_accessories(figure, clothes)


def _strands(figure: Figure, owner: Part | None, color: colors.Color, curve: shapes.Points, count: int) -> None:
    """Pen lines that run along with ``curve`` (figure coordinates)."""
    if owner is None:
        return
    rng, ink = figure.rng, ink_color(figure.pen, color)
    for _ in range(count):
        start, stop = sorted(rng.uniform(0, 1, 2))
        piece = curve[int(start * len(curve)) : int(stop * len(curve)) + 3] + rng.normal(0, 0.09, 2)
        if len(piece) > 2:
            figure.canvas.stroke(figure.at(piece), figure.pen.width * rng.uniform(0.4, 0.9), ink, owner)


def _lock(figure: Figure, color: colors.Color, path: shapes.Points, thick: float, cast: float) -> Part | None:
    """One tapering lock of hair along ``path``."""
    spine = shapes.smooth(path, False, 6)
    t = np.linspace(0, 1, len(spine))
    part = figure.add(figure.at(shapes.tube(spine, thick * np.sin(np.pi * (0.25 + 0.74 * t)))), color, cast=cast)
    _strands(figure, part, color, spine, int(figure.rng.integers(0, 3)))
    return part


def _back_hair(figure: Figure, hair: colors.Color, long: float) -> None:
    rng, low = figure.rng, 0.3 + long
    points = [(-1.1, -0.3), (-0.7, -1.12), (0, -1.32), (0.7, -1.12), (1.1, -0.3), (1.2, low), (0.6, low - 0.1)]
    points += [(0.3, low + 0.25), (-0.3, low), (-0.7, low + 0.2), (-1.2, low)]
    back = figure.add(figure.at(shapes.smooth(np.array(points) + rng.normal(0, 0.05, (11, 2)), True, 6)), hair)
    for x in rng.uniform(-1, 1, int(rng.integers(1, 6))):
        path = shapes.smooth(np.array([(x * 0.8, 0.2), (x, low * 0.5), (x * 1.1, low)]), False, 6)
        _strands(figure, back, hair, path, 1)
    if rng.random() < 0.35:  # bunches
        for hand in (-1, 1):
            sway = rng.normal(0, 0.2)
            path = np.array([(hand * 1.0, -0.7), (hand * 1.7, -0.2), (hand * (1.6 + sway), 1.4), (hand * 1.3, 2.6)])
            _lock(figure, hair, path, rng.uniform(0.25, 0.5), 0.0)


def _front_hair(figure: Figure, hair: colors.Color) -> None:
    rng = figure.rng
    count = int(rng.integers(3, 8))
    xs = np.linspace(1.0, -1.0, count * 2 + 1)
    even = np.arange(len(xs)) % 2 == 0
    depth = np.where(even, rng.uniform(-0.1, 0.6, len(xs)), rng.uniform(-0.65, -0.3, len(xs)))
    depth[[0, -1]] = rng.uniform(0.0, 1.0)
    lower = np.stack([xs, depth], 1)
    if rng.random() < 0.6:
        lower = shapes.smooth(lower, False, 3)
    upper = shapes.smooth(np.array([(-1.06, -0.4), (-0.75, -1.1), (0, -1.3), (0.75, -1.1), (1.06, -0.4)]), False, 6)
    cap = figure.add(figure.at(np.concatenate([lower, upper])), hair, cast=rng.uniform(0.04, 0.2))
    for x in rng.uniform(-0.9, 0.9, int(rng.integers(1, 7))):
        path = shapes.smooth(np.array([(x * 0.4, -1.2), (x * 0.9, -0.8), (x, -0.3)]), False, 6)
        _strands(figure, cap, hair, path, 1)
    if rng.random() < 0.5:  # single locks over the cap
        for x in rng.permutation(np.linspace(-0.8, 0.8, int(rng.integers(3, 9)))):
            tip = (x * rng.uniform(0.7, 1.2), rng.uniform(-0.4, 0.4))
            path = np.array([(x * 0.5, -1.2), (x * 0.95 + rng.normal(0, 0.06), -0.75), tip])
            _lock(figure, hair, path, rng.uniform(0.08, 0.22), rng.choice([0.0, 0.06]))
    for hand in (-1, 1):
        if rng.random() < 0.6:
            end = rng.uniform(0.4, 2.0)
            path = np.array([(hand * 0.8, -0.9), (hand * 1.0, -0.1), (hand * rng.uniform(0.8, 1.15), end)])
            _lock(figure, hair, path, rng.uniform(0.08, 0.2), 0.05)
    shaded = figure.light.shade > 0
    if cap is not None and shaded and rng.random() < 0.5:
        for _ in range(int(rng.integers(1, 3))):
            add_shine_band(rng, figure.canvas, cap, figure.light, rng.uniform(0.2, 0.5))
