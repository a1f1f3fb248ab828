"""Toys of true solids: spheres, boxes and capsules with real normals under one toon or Lambert light.

What they teach: shadow over half of a figure, whole parts in the dark, the same tint everywhere, spots that are flat.
Knows geometry and the painted canvas; nothing of finishes.
"""

from dataclasses import replace

import numpy as np

from celwright.training.painting import colors, shapes
from celwright.training.painting.canvas import Light, Part, Pen, Plane
from celwright.training.painting.figures import grid, ink_color
from celwright.training.painting.outfits import garment
from celwright.training.painting.painted_canvas import PaintedCanvas

Vector = tuple[float, float]


class Toys:
    """Lays solids of one figure on the canvas."""

    def __init__(self, rng: np.random.Generator, canvas: PaintedCanvas, light: Light, pen: Pen, instance: int) -> None:
        self.rng, self.canvas, self.light, self.instance = rng, canvas, light, instance
        self.pen = replace(pen, width=min(pen.width, 5.0))
        self.smooth = canvas.finish.mode != "toon" and rng.random() < 0.5

    def _laid(self, contour: shapes.Points, color: colors.Color, lined: bool = True) -> Part | None:
        part = self.canvas.silhouette(contour, color)
        if part is None:
            return None
        self.canvas.lay(part, self.instance)
        if self.rng.random() < 0.25:  # painted with a ramp: the colour itself changes
            other = np.clip(color * self.rng.uniform(0.75, 1.2) + self.rng.normal(0, 0.04, 3), 0, 1).astype(np.float32)
            share = np.linspace(0, 1, part.cover.shape[0], dtype=np.float32)[:, None] * part.cover
            here = self.canvas.flat[part.window]
            here += share[..., None] * (other - color)
        if lined and self.rng.random() < self.pen.outlines:
            self.canvas.outline(self.rng, part, self.pen, ink_color(self.pen, color))
        return part

    def _lit(self, part: Part | None, normal: tuple[Plane | float, Plane | float, Plane | float]) -> None:
        if part is None or self.canvas.finish.mode == "none":
            return
        direction = self.canvas.finish.direction
        facing = sum(float(d) * n for d, n in zip(direction, normal, strict=True)) + 0 * part.cover
        if self.smooth:
            lambert = np.clip(1 - np.clip(facing, 0, 1), 0, 1).astype(np.float32)
            self.canvas.darken(part, lambert, self.canvas.finish.shadow_tint(part.color))
        else:
            self.canvas.add_facing(part, np.asarray(facing, np.float32))

    def ball(self, center: Vector, radii: Vector, color: colors.Color) -> Part | None:
        part = self._laid(shapes.ellipse(center, radii), color)
        if part is None:
            return None
        y, x = grid(part)
        nx = (x - center[0] + part.window[1].start) / radii[0]
        ny = (y - center[1] + part.window[0].start) / radii[1]
        self._lit(part, (nx, ny, np.sqrt(np.clip(1 - nx * nx - ny * ny, 0, 1))))
        return part

    def capsule(self, start: Vector, end: Vector, radius: float, color: colors.Color) -> None:
        spine = np.array([start, end], np.float32)
        axis = (spine[1] - spine[0]) / (np.linalg.norm(spine[1] - spine[0]) + 1e-6)
        t = np.linspace(0, 1, 14)
        path = spine[0] - axis * radius + (t[:, None]) * (spine[1] - spine[0] + 2 * axis * radius)
        width = radius * np.sqrt(np.clip(1 - np.square(np.abs(2 * t - 1) ** 4), 0, 1))
        part = self._laid(shapes.tube(path, width), color)
        if part is None:
            return
        y, x = grid(part)
        across = (
            (x + part.window[1].start - start[0]) * -axis[1] + (y + part.window[0].start - start[1]) * axis[0]
        ) / radius
        across = np.clip(across, -1, 1)
        self._lit(part, (-axis[1] * across, axis[0] * across, np.sqrt(1 - across * across)))

    def box(self, center: Vector, sizes: tuple[float, float, float], color: colors.Color) -> None:
        a, b = self.rng.uniform(0.25, 1.3), self.rng.uniform(-0.6, 0.6)
        turn = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
        tip = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
        axes = (tip @ turn) * np.array(sizes)
        corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
        for first, second, third in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
            normal = axes[:, third] / np.linalg.norm(axes[:, third])
            side = 1.0 if normal[2] > 0 else -1.0
            face = corners[:, :1] * axes[:, first] + corners[:, 1:] * axes[:, second] + side * axes[:, third]
            part = self._laid((face[:, :2] + center).astype(np.float32), color)
            self._lit(part, tuple(float(v) * side for v in normal))  # type: ignore[arg-type]

    def spot(self, center: Vector, radii: Vector, color: colors.Color) -> None:
        """A mark without light of its own: an eye, a button."""
        part = self.canvas.silhouette(shapes.ellipse(center, radii, count=24), color)
        if part is not None:
            cover = part.cover[..., None]
            here = self.canvas.flat[part.window]
            here[:] = here * (1 - cover) + part.color * cover


def paint_toy(
    rng: np.random.Generator, canvas: PaintedCanvas, light: Light, pen: Pen, instance: int, unit: float, at: Vector
) -> None:
    """A stocky figure with a big round or square head; ``unit`` is half the head's width in canvas pixels."""
    toys = Toys(rng, canvas, light, pen, instance)
    x, y = at
    skin, coat, extra, boots = (garment(rng) if rng.random() < 0.6 else colors.random_color(rng) for _ in range(4))
    for hand in (-1, 1):
        toys.capsule(
            (x + hand * 0.4 * unit, y + 2.2 * unit), (x + hand * 0.45 * unit, y + 2.9 * unit), unit * 0.3, boots
        )
    toys.ball((x, y + 1.8 * unit), (unit * rng.uniform(0.6, 0.9), unit * 0.95), coat)
    belt = (x, y + 2.2 * unit)
    if rng.random() < 0.6:
        toys.box(belt, (unit * 0.55, unit * 0.12, unit * 0.3), extra)
    for hand in (-1, 1):
        reach = (x + hand * rng.uniform(1.0, 1.8) * unit, y + rng.uniform(0.9, 2.6) * unit)
        toys.capsule((x + hand * 0.7 * unit, y + 1.3 * unit), reach, unit * 0.24, coat)
        toys.ball(reach, (unit * 0.3, unit * 0.3), skin)
        if rng.random() < 0.5:
            toys.box(reach, (unit * rng.uniform(0.1, 0.6), unit * rng.uniform(0.1, 1.0), unit * 0.1), garment(rng))
    if rng.random() < 0.75:
        toys.ball((x, y), (unit, unit * rng.uniform(0.85, 1.1)), skin)
    else:
        toys.box((x, y), (unit * 0.7, unit * 0.75, unit * 0.6), skin)
    dark = np.full(3, rng.uniform(0, 0.15), np.float32)
    shift = rng.uniform(-0.3, 0.3) * unit
    for hand in (-1, 1):
        eye = (x + shift + hand * 0.32 * unit, y + 0.15 * unit)
        toys.spot(eye, (unit * 0.12, unit * 0.2), dark)
        toys.spot((eye[0], eye[1] - 0.4 * unit), (unit * 0.2, unit * 0.07), extra)
        glint = canvas.silhouette(
            shapes.ellipse((eye[0], eye[1] - 0.08 * unit), (unit * 0.04, unit * 0.06), count=12), skin
        )
        if glint is not None and rng.random() < 0.5:
            canvas.brighten(glint, np.ones_like(glint.cover), np.full(3, 0.9, np.float32))
    if rng.random() < 0.5:
        cap = shapes.ellipse((x, y - 0.45 * unit), (unit * 1.02, unit * 0.65))
        part = toys._laid(np.asarray(cap[cap[:, 1] < y - 0.2 * unit], np.float32), coat)
        if part is not None:
            canvas.add_light(rng, part, light)


def paint_heap(rng: np.random.Generator, canvas: PaintedCanvas, light: Light, pen: Pen, first: int) -> None:
    """Loose solids over the picture."""
    side = canvas.shape[0]
    for number in range(int(rng.integers(4, 12))):
        toys = Toys(rng, canvas, light, pen, first + number)
        x, y = (float(v) for v in rng.uniform(0, side, 2))
        size = side * float(np.exp(rng.uniform(np.log(0.04), np.log(0.22))))
        color, kind = garment(rng), int(rng.integers(3))
        if kind == 0:
            toys.ball((x, y), (size, size * rng.uniform(0.6, 1)), color)
        elif kind == 1:
            toys.box((x, y), (size, size * rng.uniform(0.3, 1), size * rng.uniform(0.3, 1)), color)
        else:
            end = (x + float(rng.normal(0, 2)) * size, y + float(rng.normal(0, 2)) * size)
            toys.capsule((x, y), end, size * rng.uniform(0.2, 0.6), color)
