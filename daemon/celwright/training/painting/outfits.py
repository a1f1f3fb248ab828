"""Bodies in clothes: dark, white and coloured garments with folds, buttons, belts, bags and straps.

Dark garments are flat like any other, with the same outlines: so do the artists' layered files. Knows a figure and
its colours; neither face nor hair.
"""

from dataclasses import dataclass

import numpy as np

from celwright.training.painting import colors, shapes
from celwright.training.painting.canvas import Part
from celwright.training.painting.figures import Figure, add_pattern, ink_color


@dataclass(frozen=True)
class Wardrobe:
    """One person's colours; ``cloth`` in order of use."""

    skin: colors.Color
    hair: colors.Color
    iris: colors.Color
    cloth: tuple[colors.Color, ...]


def garment(rng: np.random.Generator) -> colors.Color:
    """A clothing colour: a third are near-black or near-white, the two that hide shadow or highlight."""
    pick = rng.random()
    if pick < 0.14:
        return colors.hsv(rng.random(), rng.uniform(0, 0.35), rng.uniform(0.02, 0.22))
    if pick < 0.34:
        return colors.hsv(rng.random(), rng.uniform(0, 0.05), rng.uniform(0.9, 1.0))
    return colors.random_color(rng, pale=pick > 0.85)


def wardrobe(rng: np.random.Generator) -> Wardrobe:
    hair = garment(rng) if rng.random() < 0.3 else colors.hair(rng)
    iris = colors.hsv(rng.random(), rng.uniform(0.3, 0.95), rng.uniform(0.3, 0.95))
    cloth = [garment(rng) for _ in range(4)]
    if rng.random() < 0.55:  # hues that go together
        base = rng.random()
        for number in (0, 2, 3):
            hue = base + rng.choice([0.0, 0.04, 0.33, 0.5]) + rng.normal(0, 0.02)
            cloth[number] = colors.hsv(hue, rng.uniform(0.1, 0.75), rng.uniform(0.3, 1.0))
    return Wardrobe(colors.skin(rng), hair, iris, tuple(cloth))


def paint_body(figure: Figure, clothes: Wardrobe) -> None:
    rng, at, add = figure.rng, figure.at, figure.add
    shoulder, waist = rng.uniform(0.85, 1.5), rng.uniform(0.5, 1.0)
    coat, under, lower, extra = clothes.cloth
    legs = figure.origin[1] + 5 * figure.unit < figure.canvas.shape[0] * 1.2
    if legs:
        for hand in (-1, 1):
            spine = shapes.smooth(
                np.array([(hand * 0.45, 4.2), (hand * rng.uniform(0.3, 0.7), 5.8), (hand * 0.5, 7.4)]), False, 5
            )
            add(
                at(shapes.tube(spine, np.linspace(0.42, 0.22, len(spine)))),
                lower if rng.random() < 0.6 else clothes.skin,
            )
            add(at(shapes.ellipse((hand * 0.55, 7.5), (0.4, 0.2))), extra)
    add(at([(-0.26, 0.6), (0.26, 0.6), (0.34, 1.5), (-0.34, 1.5)]), clothes.skin)
    torso = [(-0.3, 1.15), (0.3, 1.15), (shoulder, 1.4), (waist, 2.8), (waist * 1.3, 4.6), (-waist * 1.3, 4.6)]
    torso += [(-waist, 2.8), (-shoulder, 1.4)]
    body = add(at(shapes.smooth(np.array(torso), True, 6)), coat)
    if body is not None:
        if rng.random() < 0.2:
            add_pattern(rng, figure.canvas, body)
        for _ in range(int(rng.integers(0, 5))):
            start = np.array([rng.uniform(-waist, waist), rng.uniform(1.5, 3.8)])
            fold = at(shapes.wander(rng, start, rng.uniform(0.3, 1.2)))
            figure.canvas.stroke(fold, figure.pen.width * rng.uniform(0.4, 0.9), ink_color(figure.pen, coat), body)
        _trimmings(figure, body, extra, waist)
    if rng.random() < 0.5:
        opening = [(-0.32, 1.15), (0.32, 1.15), (0.2, 3.0), (0.1, 4.4), (-0.1, 4.4), (-0.2, 3.0)]
        add(at(np.array(opening)), under)
    if legs and rng.random() < 0.5:
        hem = rng.uniform(4.6, 6.4)
        skirt = [(-waist, 3.0), (waist, 3.0), (waist * 1.9, hem), (0, hem + 0.2), (-waist * 1.9, hem)]
        add(at(shapes.smooth(np.array(skirt), True, 6)), lower, cast=0.15)
    for hand in (-1, 1):
        elbow, wrist = hand * rng.uniform(1.1, 1.8), hand * rng.uniform(0.3, 1.8)
        end = rng.uniform(1.6, 3.8)
        spine = shapes.smooth(np.array([(hand * shoulder * 0.85, 1.5), (elbow, 2.5), (wrist, end)]), False, 6)
        palm = shapes.ellipse((float(spine[-1, 0]), float(spine[-1, 1])), (0.24, 0.3), rng.uniform(0, 3), 24)
        add(at(palm), clothes.skin)
        add(at(shapes.tube(spine, np.linspace(0.34, rng.uniform(0.18, 0.5), len(spine)))), coat, cast=0.1)
    if rng.random() < 0.5:
        collar = [(-0.5, 1.1), (0, 1.5), (0.5, 1.1), (0.65, 1.5), (0.0, rng.uniform(1.7, 2.4)), (-0.65, 1.5)]
        add(at(collar), extra, cast=0.06)


def _trimmings(figure: Figure, body: Part, color: colors.Color, waist: float) -> None:
    """A row of buttons, a belt, bands of another colour: small flats with or without lines."""
    rng = figure.rng
    lined = rng.random() < 0.7
    if rng.random() < 0.35:
        for y in np.linspace(1.7, 4.0, int(rng.integers(2, 6))):
            button = shapes.ellipse((0.0, float(y)), (0.07, 0.07), count=16)
            figure.add(figure.at(button), color, shaded=False, lined=lined, clip=body)
    for _ in range(int(rng.integers(0, 3))):
        y, thick = rng.uniform(1.6, 4.4), rng.uniform(0.04, 0.2)
        band = np.array([(-waist * 1.6, y), (0, y + 0.12), (waist * 1.6, y)])
        spine = shapes.smooth(band, False, 5)
        figure.add(figure.at(shapes.tube(spine, np.full(len(spine), thick))), color, lined=lined, clip=body)


def paint_accessories(figure: Figure, clothes: Wardrobe) -> None:
    """A strap with its bag, a ribbon, a hat: often dark."""
    rng, at, add = figure.rng, figure.at, figure.add
    if rng.random() < 0.25:
        strap = shapes.smooth(np.array([(-0.9, 1.3), (0.0, 2.3), (1.0, 3.4)]), False, 6)
        dark = garment(rng) * np.float32(0.2 if rng.random() < 0.5 else 1.0)
        add(
            at(shapes.tube(strap, np.full(len(strap), rng.uniform(0.05, 0.16)))),
            dark,
            cast=0.06,
            lined=rng.random() < 0.6,
        )
        add(at(shapes.blob(rng, np.array([1.1, 3.6]), 0.5)), dark, cast=0.1)
    if rng.random() < 0.25:
        side = float(rng.choice([-0.9, 0.9]))
        add(at(shapes.blob(rng, np.array([side, -1.0]), 0.35)), garment(rng), cast=0.06)
    if rng.random() < 0.15:
        brim = [(-1.4, -0.6), (-0.9, -0.85), (-0.8, -1.6), (0.8, -1.6), (0.9, -0.85), (1.4, -0.6)]
        add(at(np.array(brim)), clothes.cloth[3], cast=0.2)
