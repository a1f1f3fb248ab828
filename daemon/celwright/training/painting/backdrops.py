"""What stands behind and over figures: paper, skies, painted rooms; speech bubbles, lettering, panel frames.

A background is flat: colour without light of its own, smooth where it is painted. Bubbles are flat white in a line;
lettering in ink is line, large coloured letters are flat with an outline. Knows nothing of figures or finishes.
"""

import cv2
import numpy as np

from celwright.training.painting import shapes
from celwright.training.painting.canvas import Canvas, Pen, Plane, noise
from celwright.training.painting.colors import random_color

FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_SCRIPT_SIMPLEX)
LETTERS = np.array(list("ABCDEFGHIKLMNOPRSTUVWYZabcdefghiklmnoprstuvwyz!?.0123456789"))


def background(rng: np.random.Generator, side: int) -> Plane:
    """(side, side, 3): white half the time (transparency shown over paper), else one colour, a gradient, or paint."""
    pick = rng.random()
    if pick < 0.48:
        return np.ones((side, side, 3), np.float32)
    color = random_color(rng, pale=rng.random() < 0.5)
    if pick < 0.66:
        return np.asarray(np.ones((side, side, 3), np.float32) * color, np.float32)
    other = random_color(rng, pale=rng.random() < 0.6)
    if pick < 0.8:
        angle = rng.uniform(0, 2 * np.pi)
        axis = np.linspace(-0.5, 0.5, side, dtype=np.float32)
        share = np.clip(np.cos(angle) * axis[:, None] + np.sin(angle) * axis[None] + 0.5, 0, 1)
        return np.asarray(
            cv2.merge([float(a) * (1 - share) + float(b) * share for a, b in zip(color, other, strict=True)])
        )
    return _painted(rng, side)


def _painted(rng: np.random.Generator, side: int) -> Plane:
    """Clouds of related colours, daubs of a brush, and some straight-edged things, at half resolution."""
    half = side // 2
    base, other = random_color(rng), random_color(rng, pale=rng.random() < 0.5)
    share = np.clip(noise(rng, (half, half), int(rng.integers(2, 7))) * 0.5 + 0.5, 0, 1)
    plane = cv2.merge([float(a) * (1 - share) + float(b) * share for a, b in zip(base, other, strict=True)])
    for _ in range(int(rng.integers(0, 25))):
        tone = np.clip((base if rng.random() < 0.5 else other) * rng.uniform(0.5, 1.4), 0, 1).tolist()
        x, y = (int(v) for v in rng.integers(0, half, 2))
        if rng.random() < 0.5:
            wide, high = (int(v) for v in rng.integers(4, half // 3, 2))
            cv2.rectangle(plane, (x, y), (x + wide, y + high), tone, -1)
        else:
            length = rng.uniform(0.05, 0.4) * half
            path = shapes.wander(rng, np.array([x, y], np.float32), length)
            broad = int(rng.integers(2, half // 12 + 3))
            cv2.polylines(plane, [np.round(path * 16).astype(np.int32)], False, tone, broad, cv2.LINE_AA, shift=4)
    if rng.random() < 0.7:
        plane = cv2.GaussianBlur(plane, (0, 0), rng.uniform(0.6, 4))
    if rng.random() < 0.3:
        plane = plane + noise(rng, (half, half), half // 4)[..., None] * rng.uniform(0.005, 0.03)
    return np.asarray(cv2.resize(np.clip(plane, 0, 1), (side, side), interpolation=cv2.INTER_LINEAR), np.float32)


def lettering(rng: np.random.Generator, canvas: Canvas, left: float, top: float, width: float, height: float) -> None:
    """Lines of made-up words in ink inside a box (canvas pixels)."""
    shape = (int(height), int(width))
    if min(shape) < 12:
        return
    mask = np.zeros(shape, np.uint8)
    step = int(rng.uniform(12, max(14.0, min(60.0, height / 2))) * canvas.shape[0] / 512)
    font = FONTS[int(rng.integers(len(FONTS)))]
    for row in range(step, shape[0], max(step, 8)):
        words = " ".join("".join(rng.choice(LETTERS, int(rng.integers(1, 8)))) for _ in range(4))
        cv2.putText(mask, words, (0, row), font, step / 42, 255, max(1, step // 14), cv2.LINE_AA)
    y, x = max(0, int(top)), max(0, int(left))
    part = mask[: max(0, canvas.shape[0] - y), : max(0, canvas.shape[1] - x)]
    if part.size:
        ink = part.astype(np.float32) / 255
        dark = np.full(3, 0.0 if rng.random() < 0.7 else rng.uniform(0, 0.4), np.float32)
        canvas.ink((slice(y, y + part.shape[0]), slice(x, x + part.shape[1])), ink, dark)


def paint_bubble(rng: np.random.Generator, canvas: Canvas, pen: Pen) -> None:
    """A speech bubble with lettering."""
    side = canvas.shape[0]
    x, y = (float(v) for v in rng.uniform(0.15, 0.85, 2) * side)
    wide, high = rng.uniform(0.12, 0.3) * side, rng.uniform(0.08, 0.2) * side
    outline = shapes.ellipse((x, y), (wide, high))
    if rng.random() < 0.2:  # shouted
        outline = (outline - (x, y)) * (1 + 0.25 * (np.arange(len(outline)) % 2))[:, None] + (x, y)
    white = np.ones(3, np.float32) if rng.random() < 0.85 else random_color(rng, pale=True)
    part = canvas.silhouette(np.asarray(outline, np.float32), white)
    if part is None:
        return
    canvas.lay(part, 0)
    black = np.zeros(3, np.float32)
    if rng.random() < 0.85:
        canvas.outline(rng, part, Pen(max(pen.width, 2.0), None, False), black)
    lettering(rng, canvas, x - wide * 0.62, y - high * 0.55, wide * 1.24, high * 1.1)


def paint_title(rng: np.random.Generator, canvas: Canvas) -> None:
    """Large coloured letters: flat, in an outline."""
    side = canvas.shape[0]
    word = "".join(rng.choice(LETTERS, int(rng.integers(2, 6))))
    scale, thick = rng.uniform(2, 5) * side / 512, int(rng.integers(6, 18))
    spot = (int(rng.uniform(0, 0.6) * side), int(rng.uniform(0.15, 0.95) * side))
    wide, narrow = np.zeros(canvas.shape, np.uint8), np.zeros(canvas.shape, np.uint8)
    cv2.putText(wide, word, spot, cv2.FONT_HERSHEY_DUPLEX, scale, 255, thick + 6, cv2.LINE_AA)
    cv2.putText(narrow, word, spot, cv2.FONT_HERSHEY_DUPLEX, scale, 255, thick, cv2.LINE_AA)
    outer, inner = (plane.astype(np.float32)[..., None] / 255 for plane in (wide, narrow))
    color = random_color(rng)
    canvas.flat[:] = canvas.flat * (1 - outer) + color * outer
    canvas.shadow[:] = canvas.shadow * (1 - outer) + outer
    canvas.highlight *= 1 - outer
    canvas.line_alpha *= 1 - outer[..., 0]
    if rng.random() < 0.7:
        canvas.ink((slice(0, side), slice(0, side)), (outer - inner)[..., 0], np.full(3, 0.02, np.float32))


def draw_frames(rng: np.random.Generator, canvas: Canvas) -> None:
    """White gutters and panel borders, as on a comic page."""
    side = canvas.shape[0]
    gutter = rng.uniform(0.015, 0.04) * side
    black = np.zeros(3, np.float32)
    for upright in (False, True):
        if rng.random() < 0.4:
            continue
        middle, tilt = rng.uniform(0.2, 0.8) * side, rng.normal(0, 0.05) * side
        ends = [(-9.0, middle - tilt), (side + 9.0, middle + tilt)]
        low, high = ([(x, y + d) for x, y in ends] for d in (-gutter, gutter))
        band = np.array(low + high[::-1], np.float32)
        part = canvas.silhouette(band[:, ::-1] if upright else band, np.ones(3, np.float32))
        if part is None:
            continue
        canvas.lay(part, 0)
        width = rng.uniform(2, 5)
        for edge in (low, high):
            points = np.array(edge, np.float32)
            canvas.stroke(points[:, ::-1] if upright else points, width, black, taper=False)
