"""Outlines and strokes as point lists, the vocabulary that procedural scenes are drawn with.

Knows geometry only; colour, light and layers are the canvas's business.
All contours are (N, 2) (x, y) in canvas pixels, in drawing order; closed ones do not repeat the first point.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.floating[Any]]


def smooth(points: Points, closed: bool, samples: int = 10) -> Points:
    """A uniform Catmull-Rom curve through the points: ``samples`` points a segment."""
    knots = np.asarray(points, np.float32)
    before, after = (np.roll(knots, 1, 0), np.roll(knots, -1, 0))
    if not closed:
        before[0], after[-1] = knots[0], knots[-1]
    tangent = (after - before) / 2
    start, end = knots, np.roll(knots, -1, 0)
    t_start, t_end = tangent, np.roll(tangent, -1, 0)
    if not closed:
        start, end, t_start, t_end = start[:-1], end[:-1], t_start[:-1], t_end[:-1]
    t = (np.arange(samples, dtype=np.float32) / samples)[None, :, None]
    h00, h10 = 2 * t**3 - 3 * t**2 + 1, t**3 - 2 * t**2 + t
    h01, h11 = 3 * t**2 - 2 * t**3, t**3 - t**2
    curve = h00 * start[:, None] + h10 * t_start[:, None] + h01 * end[:, None] + h11 * t_end[:, None]
    curve = curve.reshape(-1, 2)
    return np.asarray(curve if closed else np.concatenate([curve, knots[-1:]]), np.float32)


def turned(points: Points, angle: float, center: Points | float = 0.0) -> Points:
    """The points rotated by ``angle`` (radians) around ``center``."""
    cos, sin = np.cos(angle), np.sin(angle)
    rotation = np.array([[cos, sin], [-sin, cos]], np.float32)
    return np.asarray((points - center) @ rotation + center, np.float32)


def blob(rng: np.random.Generator, center: Points, radius: float) -> Points:
    """A closed lumpy outline: low harmonics on an ellipse, some with corners instead of curves."""
    kind = rng.random()
    local: Points
    if kind < 0.18:  # polygon with corners
        count = int(rng.integers(3, 8))
        angle = np.sort(rng.random(count)) * 2 * np.pi + np.arange(count) * 0.01
        reach = radius * rng.uniform(0.6, 1.3, count)
        local = np.stack([np.cos(angle) * reach, np.sin(angle) * reach], 1)
    elif kind < 0.35:  # leaf: two tips joined by bellied sides
        t = np.linspace(0, 1, 24)
        belly = np.sin(np.pi * t) * radius * rng.uniform(0.3, 0.7)
        bend = np.sin(np.pi * t) * radius * rng.uniform(-0.6, 0.6)
        x = (t - 0.5) * 2.6 * radius
        local = np.concatenate([np.stack([x, belly + bend], 1), np.stack([x, bend - belly], 1)[::-1]])
        local = turned(local, rng.uniform(0, 2 * np.pi))
    else:
        angle = np.linspace(0, 2 * np.pi, 72, endpoint=False)
        reach = np.ones_like(angle)
        for harmonic in range(2, 7):
            reach += rng.normal(0, 0.32 / harmonic) * np.cos(harmonic * angle + rng.uniform(0, 2 * np.pi))
        reach = radius * np.maximum(reach, 0.25)
        squeeze = rng.uniform(0.45, 1.0)
        local = np.stack([np.cos(angle) * reach, np.sin(angle) * reach * squeeze], 1)
        local = turned(local, rng.uniform(0, 2 * np.pi))
    return np.asarray(local + center, np.float32)


def ellipse(center: tuple[float, float], radii: tuple[float, float], angle: float = 0.0, count: int = 48) -> Points:
    turn = np.linspace(0, 2 * np.pi, count, endpoint=False)
    local = np.stack([np.cos(turn) * radii[0], np.sin(turn) * radii[1]], 1)
    return np.asarray(turned(local, angle) + np.asarray(center), np.float32)


def tube(spine: Points, width: Points) -> Points:
    """The closed outline of a bent limb or lock: ``spine`` (N, 2), half ``width`` (N,) along it."""
    along = np.gradient(spine, axis=0)
    normal = np.stack([-along[:, 1], along[:, 0]], 1) / (np.linalg.norm(along, axis=1, keepdims=True) + 1e-6)
    side = normal * width[:, None]
    return np.asarray(np.concatenate([spine + side, (spine - side)[::-1]]), np.float32)


def wander(rng: np.random.Generator, start: Points, length: float, bend: float = 0.5) -> Points:
    """An open curve of about ``length`` pixels that leaves ``start`` in a random direction and bends on the way."""
    steps = 5
    angle = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, bend, steps))
    hop = np.stack([np.cos(angle), np.sin(angle)], 1) * (length / steps)
    return smooth(np.concatenate([start[None], start + np.cumsum(hop, 0)]), closed=False, samples=5)


def filled(contour: Points, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W) coverage 0..255 of a closed contour, anti-aliased."""
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(contour * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    return mask


def stroked(curve: Points, width: float | Points, shape: tuple[int, int], closed: bool) -> NDArray[np.uint8]:
    """(H, W) coverage 0..255 of a pen line of one ``width`` or of one width a point, in pixels."""
    mask = np.zeros(shape, np.uint8)
    fixed = np.round(curve * 16).astype(np.int32)
    if isinstance(width, float):
        cv2.polylines(mask, [fixed], closed, 255, max(1, round(width)), cv2.LINE_AA, shift=4)
        return mask
    ends = np.roll(fixed, -1, 0) if closed else fixed[1:]
    for (x0, y0), (x1, y1), wide in zip(
        fixed.tolist(), ends.tolist(), np.round(width).astype(int).tolist(), strict=False
    ):
        if wide > 0:
            cv2.line(mask, (x0, y0), (x1, y1), 255, wide, cv2.LINE_AA, shift=4)
    return mask
