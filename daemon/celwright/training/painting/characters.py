"""Simple procedural characters: a head with hair on a body with sleeves.

What they teach is the look, not anatomy: hair with shine bands and pointed locks, shadow under the fringe, patterns on
cloth. Faces are in faces.py, the means of drawing a figure in figures.py; sampling of whole scenes is in scenes.py.
"""

import numpy as np

from celwright.training.painting import colors, shapes
from celwright.training.painting.canvas import Canvas, Light, Part, Pen
from celwright.training.painting.faces import paint_face
from celwright.training.painting.figures import Figure, add_airbrush, add_pattern, add_shine_band, ink_color


def paint_character(
    rng: np.random.Generator, canvas: Canvas, light: Light, pen: Pen, instance: int, crowded: bool
) -> None:
    """One figure somewhere on the canvas, smaller when ``crowded``; all its parts carry the same instance ID."""
    side = canvas.shape[0]
    unit = side * (rng.uniform(0.08, 0.16) if crowded else np.exp(rng.uniform(np.log(0.08), np.log(0.34))))
    origin = rng.uniform([0.2, 0.2], [0.8, 0.6]) * side
    tilt = rng.normal(0, 0.15)
    skin, hair, cloth = colors.skin(rng), colors.hair(rng), colors.random_color(rng)
    figure = Figure(rng, canvas, light, pen, instance, float(unit), origin, float(tilt))

    long = rng.uniform(0.2, 2.6)
    low = 0.3 + long
    back = [(-1.15, -0.3), (-0.7, -1.15), (0, -1.35), (0.7, -1.15), (1.15, -0.3), (1.2, low), (0.4, 0.6 + long)]
    back += [(-0.4, 0.5 + long), (-1.2, low)]
    back_hair = figure.add(figure.at(shapes.smooth(np.array(back) + rng.normal(0, 0.06, (9, 2)), True)), hair)
    _add_strands(figure, back_hair, hair, 0.2, 0.5 + long)
    _paint_body(figure, skin, cloth)
    jaw = rng.uniform(0.5, 0.72)
    face = [(-0.88, -0.5), (-0.5, -0.95), (0.5, -0.95), (0.88, -0.5), (0.86, 0.15), (jaw * 0.9, 0.62), (0.0, 1.0)]
    face += [(-jaw * 0.9, 0.62), (-0.86, 0.15)]
    head = figure.add(figure.at(shapes.smooth(np.array(face), True)), skin, cast=0.12)
    if head is not None:
        paint_face(figure, head)
    lock = figure.add(figure.at(_fringe(rng)), hair, cast=rng.uniform(0.05, 0.16))
    _add_strands(figure, lock, hair, -1.2, -0.1)
    if lock is not None and rng.random() < 0.7:
        add_shine_band(rng, canvas, lock, light, rng.uniform(0.2, 0.5))
    if rng.random() < 0.3:
        x = float(rng.choice([-0.9, 0.9]))
        figure.add(
            figure.at(shapes.blob(rng, np.array([x, -1.0]), 0.35)), colors.random_color(rng), cast=0.06
        )  # a ribbon


def _add_strands(figure: Figure, owner: Part | None, hair: colors.Color, low: float, high: float) -> None:
    """Lines along the hair."""
    rng = figure.rng
    for _ in range(int(rng.integers(1, 7)) if owner is not None else 0):
        x = rng.uniform(-0.9, 0.9)
        strand = [(x * 0.5, low), (x * 0.95, (low + high) / 2), (x * 1.1 + rng.normal(0, 0.1), high)]
        curve = figure.at(shapes.smooth(np.array(strand), False))
        figure.canvas.stroke(curve, figure.pen.width * rng.uniform(0.4, 0.9), ink_color(figure.pen, hair), owner)


def _fringe(rng: np.random.Generator) -> shapes.Points:
    """Hair over the forehead: a cap whose lower edge is a row of pointed locks."""
    locks = int(rng.integers(3, 8))
    xs = np.linspace(1.0, -1.0, locks * 2 + 1)
    depth = np.where(np.arange(len(xs)) % 2 == 0, rng.uniform(-0.05, 0.75, len(xs)), rng.uniform(-0.6, -0.25, len(xs)))
    depth[[0, -1]] = rng.uniform(0.2, 1.3)
    lower = np.stack([xs, depth], 1)
    upper = shapes.smooth(np.array([(-1.08, -0.4), (-0.75, -1.1), (0, -1.32), (0.75, -1.1), (1.08, -0.4)]), False)
    return np.asarray(np.concatenate([lower, upper]), np.float32)


def _paint_body(figure: Figure, skin: colors.Color, cloth: colors.Color) -> None:
    """Neck, arms, torso, and perhaps a collar and a skirt."""
    rng, at, add = figure.rng, figure.at, figure.add
    shoulder, waist = rng.uniform(0.9, 1.4), rng.uniform(0.6, 1.0)
    add(at([(-0.25, 0.6), (0.25, 0.6), (0.32, 1.5), (-0.32, 1.5)]), skin)
    for hand in (-1, 1):
        elbow = hand * rng.uniform(1.2, 1.9)
        joints = [(hand * shoulder * 0.85, 1.45), (elbow, 2.4), (hand * rng.uniform(0.4, 1.8), 3.3)]
        spine = shapes.smooth(np.array(joints), False)
        width = np.linspace(0.34, rng.uniform(0.16, 0.5), len(spine))
        add(at(shapes.tube(spine, width)), cloth if rng.random() < 0.7 else skin)
    torso = [(-0.3, 1.15), (0.3, 1.15), (shoulder, 1.4), (waist, 2.8), (waist * 1.5, 4.6), (-waist * 1.5, 4.6)]
    torso += [(-waist, 2.8), (-shoulder, 1.4)]
    body = add(at(shapes.smooth(np.array(torso), True)), cloth)
    if body is not None:
        if rng.random() < 0.25:
            add_pattern(rng, figure.canvas, body)
        if rng.random() < 0.2:
            add_airbrush(rng, figure.canvas, body, figure.light)
    if rng.random() < 0.6:
        second = colors.random_color(rng, pale=rng.random() < 0.5)
        collar = [(-0.45, 1.1), (0, 1.5), (0.45, 1.1), (0.6, 1.5), (0.0, rng.uniform(1.7, 2.4)), (-0.6, 1.5)]
        add(at(collar), second, cast=0.06)
    if rng.random() < 0.4:
        skirt = [(-1.3, 3.2), (1.3, 3.2), (2.0, 6.0), (-2.0, 6.0)]
        add(at(shapes.smooth(np.array(skirt), True)), colors.random_color(rng))
