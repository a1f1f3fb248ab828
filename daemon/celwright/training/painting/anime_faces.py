"""Anime faces: layered eyes, brows, mouth, nose, blush and glasses.

Lashes and thin brows are line, brows drawn as shapes and pupils are flat, glints and the gleam of glass are highlight;
blush and the lid's shade on the eye are shadow. Knows a figure and its head; neither hair nor clothes.
"""

import numpy as np

from celwright.training.painting import colors, shapes
from celwright.training.painting.canvas import Part
from celwright.training.painting.figures import Figure, grid, ink_color

WHITE = np.ones(3, np.float32)


def paint_anime_face(figure: Figure, head: Part, iris: colors.Color, hair: colors.Color) -> None:
    rng, at, pen, canvas = figure.rng, figure.at, figure.pen, figure.canvas
    ink = ink_color(pen, head.color) if rng.random() < 0.5 else np.full(3, 0.05, np.float32)
    level, apart = rng.uniform(0.05, 0.22), rng.uniform(0.36, 0.48)
    wide, high = rng.uniform(0.16, 0.27), rng.uniform(0.13, 0.34)
    mouth = level + rng.uniform(0.42, 0.58)
    if rng.random() < 0.5:
        _blush(figure, head, level + 0.32)
    closed, gaze, bold = rng.random() < 0.1, rng.normal(0, 0.03), rng.random() < 0.25
    lash = max(pen.width * rng.uniform(1.0, 2.2), figure.unit * rng.uniform(0.008, 0.04), 1.5)
    for hand in (-1, 1):
        x = hand * apart
        arc = np.array([(x - wide * 1.1, level), (x - 0.5 * wide, level - high * 0.85), (x, level - high)])
        arc = shapes.smooth(
            np.concatenate([arc, [(x + 0.6 * wide, level - high * 0.8), (x + wide * 1.1, level)]]), False, 4
        )
        if closed:
            arc[:, 1] = 2 * level - arc[:, 1]
        else:
            _eye(figure, (x, level), float(gaze), (float(wide), float(high)), iris)
        canvas.stroke(at(arc), lash, ink)
        brow = (arc - (0, high * rng.uniform(0.9, 1.3))) * (1, 0.55) - (0, 0.08)
        if bold:  # a brow drawn as a shape is flat
            figure.add(at(shapes.tube(brow, np.sin(np.linspace(0.3, 3, len(brow))) * rng.uniform(0.02, 0.07))),
                       np.asarray(hair * 0.5, np.float32), False, 0, rng.random() < 0.3)  # fmt: skip
        else:
            canvas.stroke(at(brow), pen.width * rng.uniform(0.6, 1.5), ink)
    if rng.random() < 0.4:
        lips = shapes.ellipse((0, mouth), (rng.uniform(0.06, 0.2), rng.uniform(0.04, 0.16)), count=24)
        cavity = figure.add(at(lips), colors.hsv(0.98, rng.uniform(0.4, 0.8), rng.uniform(0.4, 0.9)), shaded=False)
        if cavity is not None and rng.random() < 0.5:
            tongue = shapes.ellipse((0, mouth + 0.08), (0.1, 0.06), count=24)
            figure.add(at(tongue), np.array([1, 0.6, 0.6], np.float32), False, 0, False, cavity)
    else:
        half = rng.uniform(0.08, 0.25)
        curve = np.array([(-half, mouth), (0, mouth + rng.normal(0.03, 0.04)), (half, mouth)])
        canvas.stroke(at(shapes.smooth(curve, False, 5)), pen.width * 0.8, ink)
    if rng.random() < 0.5:
        canvas.stroke(at([(0.0, mouth - 0.25), (-0.04, mouth - 0.2), (0.0, mouth - 0.17)]), pen.width * 0.7, ink)
    elif figure.light.shade > 0:  # a small shadow instead of a line
        nose = canvas.silhouette(at([(0.0, mouth - 0.32), (0.07, mouth - 0.18), (-0.02, mouth - 0.17)]), WHITE, head)
        if nose is not None:
            canvas.darken(nose, np.ones_like(nose.cover), np.asarray(0.9 - 0.25 * (1 - head.color), np.float32))


def _blush(figure: Figure, head: Part, level: float) -> None:
    """Airbrushed cheeks, with or without short pen strokes on them."""
    rng = figure.rng
    y, x = grid(head)
    warm = np.array([1.0, rng.uniform(0.55, 0.9), rng.uniform(0.55, 0.9)], np.float32)
    strokes = rng.random() < 0.3
    for hand in (-1, 1):
        center = figure.at([(hand * 0.55, level)])[0]
        cx, cy = center - (head.window[1].start, head.window[0].start)
        spot = np.exp(-np.square((x - cx) / (0.24 * figure.unit)) - np.square((y - cy) / (0.13 * figure.unit)))
        if figure.light.shade > 0:
            figure.canvas.darken(head, spot.astype(np.float32), warm)
        for dx in (-0.08, 0.0, 0.08) if strokes else ():
            mark = figure.at([(hand * 0.55 + dx, level - 0.05), (hand * 0.55 + dx - 0.05, level + 0.05)])
            figure.canvas.stroke(mark, figure.pen.width * 0.6, np.array([0.8, 0.25, 0.25], np.float32), head)


def _eye(
    figure: Figure, center: tuple[float, float], gaze: float, radii: tuple[float, float], iris: colors.Color
) -> None:
    """White, shaded by the lid; iris in two tones or a gradient; pupil; one big glint, some small ones."""
    rng, at, add, canvas = figure.rng, figure.at, figure.add, figure.canvas
    (x, level), (wide, high) = center, radii
    shaded = figure.light.shade > 0
    white = add(at(shapes.ellipse(center, radii, count=32)), WHITE * rng.uniform(0.94, 1), False, 0, rng.random() < 0.2)
    if white is None:
        return
    fall = np.linspace(0, 1, white.cover.shape[0], dtype=np.float32)[:, None]
    if shaded and rng.random() < 0.7:
        sharp = 8.0 if rng.random() < 0.5 else 2.5
        lid = np.clip((rng.uniform(0.2, 0.45) - fall) * sharp, 0, 1)
        canvas.darken(white, lid + 0 * white.cover, np.array([0.75, 0.75, 0.88], np.float32))
    if rng.random() < 0.15:  # a dot of an eye
        dot = shapes.ellipse((x + gaze, level), (wide * 0.5, high * 0.7), count=24)
        add(at(dot), np.asarray(iris * 0.15, np.float32), False, 0, False)
        ball: Part | None = white
    else:
        ball = add(at(shapes.ellipse((x + gaze, level), (wide * 0.68, high * 0.92), count=32)), iris, False, 0,
                   rng.random() < 0.5, white)  # fmt: skip
        pupil = shapes.ellipse(
            (x + gaze, level), (wide * rng.uniform(0.2, 0.36), high * rng.uniform(0.25, 0.5)), count=24
        )
        dark = np.asarray(iris * rng.uniform(0.05, 0.35), np.float32)
        add(at(pupil), dark, False, 0, False, white)
        if ball is not None and shaded:
            fade = np.clip(1.1 - 2 * fall, 0, 1) if rng.random() < 0.6 else (fall < 0.45).astype(np.float32)
            canvas.darken(ball, fade + 0 * ball.cover, np.asarray(np.sqrt(iris) * 0.7, np.float32))
            if rng.random() < 0.4:  # the light that has gone through the eye
                glow = canvas.silhouette(at(shapes.ellipse((x + gaze, level + high * 0.55), (wide * 0.4, high * 0.3),
                                                           count=24)), WHITE, ball)  # fmt: skip
                if glow is not None:
                    soft = np.ones_like(glow.cover) * rng.uniform(0.3, 0.8)
                    canvas.brighten(glow, soft, np.asarray(0.3 + 0.6 * iris, np.float32))
    hand = float(rng.choice([-1, 1]))
    for number in range(int(rng.integers(1, 5)) if ball is not None else 0):
        big = number == 0
        spot = (
            x + gaze + hand * wide * rng.uniform(0.1, 0.35) * (1 if big else -1),
            level + high * rng.uniform(-0.6, 0.5),
        )
        size = rng.uniform(0.18, 0.34) if big else rng.uniform(0.06, 0.16)
        glint = canvas.silhouette(at(shapes.ellipse(spot, (wide * size, high * size), count=16)), WHITE, white)
        if glint is not None:
            canvas.brighten(glint, np.ones_like(glint.cover), WHITE * np.float32(1 if big else rng.uniform(0.5, 1)))
            canvas.line_alpha[glint.window] *= 1 - glint.cover


def paint_glasses(figure: Figure) -> None:
    """Rims are line, the tint of the glass changes the flat, its gleam is highlight."""
    rng, canvas = figure.rng, figure.canvas
    tint, strength = colors.random_color(rng, pale=True), np.float32(rng.uniform(0.05, 0.5))
    ink = np.full(3, 0.1, np.float32)
    for hand in (-1, 1):
        rim = figure.at(shapes.ellipse((hand * 0.42, 0.15), (0.32, rng.uniform(0.2, 0.3)), count=32))
        lens = canvas.silhouette(rim, tint)
        if lens is None:
            continue
        cover = (lens.cover * strength)[..., None]
        canvas.flat[lens.window] = canvas.flat[lens.window] * (1 - cover) + tint * cover
        y, x = grid(lens)
        if figure.light.shade > 0:
            gleam = np.clip(3 - np.abs((x + y) / lens.cover.shape[1] - rng.uniform(0.5, 1.2)) * 20, 0, 1)
            canvas.brighten(lens, np.asarray(gleam, np.float32), WHITE * np.float32(rng.uniform(0.3, 0.9)))
        canvas.outline(rng, lens, figure.pen, ink)
    canvas.stroke(figure.at([(-0.1, 0.12), (0.0, 0.08), (0.1, 0.12)]), figure.pen.width, ink)
