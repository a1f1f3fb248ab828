"""Faces of procedural characters: eyes with iris, pupil, glints and lashes, brows, mouth, nose and blush.

Glints are highlight (white on anything), lashes and brows are line, blush is a soft warm shadow, the rest is flat.
"""

import numpy as np

from celwright.training.painting import colors, shapes
from celwright.training.painting.canvas import Part
from celwright.training.painting.figures import Figure, grid, ink_color

BLACKISH = np.array([0.09, 0.07, 0.09], np.float32)
WHITE = np.ones(3, np.float32)


def paint_face(figure: Figure, head: Part) -> None:
    rng, at, pen = figure.rng, figure.at, figure.pen
    wide, high = rng.uniform(0.17, 0.27), rng.uniform(0.14, 0.34)
    level, apart = rng.uniform(0.05, 0.2), rng.uniform(0.38, 0.48)
    iris = colors.hsv(rng.random(), rng.uniform(0.2, 0.9), rng.uniform(0.25, 0.9))
    ink = ink_color(pen, head.color) if rng.random() < 0.5 else BLACKISH
    if rng.random() < 0.5:
        _add_blush(figure, head, level + 0.33)
    closed = rng.random() < 0.12
    gaze = rng.normal(0, 0.04)
    lash = max(pen.width * rng.uniform(1.0, 2.2), 1.5)
    for hand in (-1, 1):
        x = hand * apart
        arc = shapes.smooth(np.array([(x - wide * 1.1, level), (x, level - high), (x + wide * 1.1, level)]), False)
        if closed:
            arc[:, 1] = 2 * level - arc[:, 1]
        else:
            _add_eye(figure, (x, level), gaze, (wide, high), iris)
        figure.canvas.stroke(at(arc), lash, ink)
        brow = (arc - (0, high * rng.uniform(0.9, 1.3))) * (1, 0.6) - (0, 0.06)
        figure.canvas.stroke(at(brow), pen.width * rng.uniform(0.6, 1.5), ink)
    mouth = level + rng.uniform(0.45, 0.6)
    if rng.random() < 0.4:
        lips = shapes.ellipse((0, mouth), (rng.uniform(0.06, 0.22), rng.uniform(0.04, 0.16)))
        figure.add(at(lips), colors.hsv(0.98, rng.uniform(0.4, 0.8), rng.uniform(0.5, 0.95)), shaded=False)
    else:
        half = rng.uniform(0.08, 0.25)
        curve = [(-half, mouth), (0, mouth + rng.normal(0.03, 0.04)), (half, mouth)]
        figure.canvas.stroke(at(shapes.smooth(np.array(curve), False)), pen.width * 0.8, ink)
    if rng.random() < 0.6:
        nose = at([(0.0, mouth - 0.25), (-0.04, mouth - 0.2), (0.0, mouth - 0.17)])
        figure.canvas.stroke(nose, pen.width * 0.6, ink)


def _add_blush(figure: Figure, head: Part, level: float) -> None:
    for hand in (-1, 1):
        cx, cy = figure.at([(hand * 0.55, level)])[0] - (head.window[1].start, head.window[0].start)
        y, x = grid(head)
        spot = np.exp(-(((x - cx) / (0.24 * figure.unit)) ** 2) - ((y - cy) / (0.13 * figure.unit)) ** 2)
        warm = np.array([1.0, figure.rng.uniform(0.6, 0.9), figure.rng.uniform(0.6, 0.9)], np.float32)
        figure.canvas.darken(head, spot.astype(np.float32), warm)


def _add_eye(
    figure: Figure, center: tuple[float, float], gaze: float, radii: tuple[float, float], iris: colors.Color
) -> None:
    rng, at, add, canvas = figure.rng, figure.at, figure.add, figure.canvas
    (x, level), (wide, high) = center, radii
    white = add(at(shapes.ellipse(center, radii)), WHITE * rng.uniform(0.93, 1), False, 0, rng.random() < 0.2)
    if white is None:
        return
    lid = np.clip((0.4 - np.linspace(0, 1, white.cover.shape[0])[:, None]) * 4, 0, 1).astype(np.float32)
    canvas.darken(white, lid * np.ones_like(white.cover), figure.light.tint)
    ring = at(shapes.ellipse((x + gaze, level), (wide * 0.68, high * 0.92)))
    ball = add(ring, iris, False, 0, rng.random() < 0.6, white)
    pupil = at(shapes.ellipse((x + gaze, level), (wide * 0.3, high * 0.42)))
    add(pupil, np.asarray(iris * 0.25, np.float32), False, 0, False, white)
    if ball is None:
        return
    fade = np.clip(1.1 - np.linspace(0, 2, ball.cover.shape[0], dtype=np.float32)[:, None], 0, 1)
    canvas.darken(ball, fade * np.ones_like(ball.cover), np.asarray(np.sqrt(iris) * 0.7, np.float32))
    for _ in range(int(rng.integers(1, 4))):
        spot = (x + gaze + rng.normal(0, 0.4) * wide, level + rng.normal(-0.3, 0.35) * high)
        size = (wide * rng.uniform(0.1, 0.3), high * rng.uniform(0.1, 0.25))
        glint = canvas.silhouette(at(shapes.ellipse(spot, size)), WHITE, ball)
        if glint is not None:
            canvas.brighten(glint, np.ones_like(glint.cover), np.asarray(WHITE * rng.uniform(0.7, 1), np.float32))
            canvas.line_alpha[glint.window] *= 1 - glint.cover
