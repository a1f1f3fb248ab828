"""The means of drawing one figure: its own coordinates, parts that carry its ID, and surface effects.

Figure coordinates have the head's centre at (0, 0) and the chin near (0, 1). Knows no anatomy.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from celwright.training.painting import colors, shapes
from celwright.training.painting.canvas import Canvas, Light, Part, Pen, Plane, noise


def ink_color(pen: Pen, color: colors.Color) -> colors.Color:
    """The pen's colour, or a dark and more saturated tone of the part it outlines."""
    return pen.color if pen.color is not None else np.asarray(color**1.3 * 0.42, np.float32)


@dataclass(frozen=True, eq=False)
class Figure:
    """Where a figure stands: ``unit`` canvas pixels from head centre to chin, ``origin`` (2,), ``tilt`` radians."""

    rng: np.random.Generator
    canvas: Canvas
    light: Light
    pen: Pen
    instance: int
    unit: float
    origin: shapes.Points
    tilt: float

    def at(self, points: shapes.Points | Sequence[tuple[float, float]]) -> shapes.Points:
        """Canvas pixels of figure coordinates."""
        turned = shapes.turned(np.asarray(points, np.float32), self.tilt)
        return np.asarray(turned * self.unit + self.origin, np.float32)

    def add(
        self,
        contour: shapes.Points,
        color: colors.Color,
        shaded: bool = True,
        cast: float = 0.0,
        lined: bool = True,
        clip: Part | None = None,
    ) -> Part | None:
        """Paint a part; ``cast`` is how far its shadow falls, in units. None when it is off the canvas."""
        part = self.canvas.silhouette(contour, color, clip)
        if part is None:
            return None
        if cast and self.light.shade > 0:
            shift = float(-self.light.direction[0] * self.unit * cast * 0.5), self.unit * cast
            self.canvas.cast(part, shift, self.light.tint, self.light.soft * 10)
        self.canvas.lay(part, self.instance)
        if shaded:
            self.canvas.add_light(self.rng, part, self.light)
        if lined and self.rng.random() < self.pen.outlines:
            self.canvas.outline(self.rng, part, self.pen, ink_color(self.pen, color))
        return part


def grid(part: Part) -> tuple[Plane, Plane]:
    """y and x of every pixel of the part's window, (h, w) each."""
    y, x = np.mgrid[0 : part.cover.shape[0], 0 : part.cover.shape[1]]
    return y.astype(np.float32), x.astype(np.float32)


def add_airbrush(rng: np.random.Generator, canvas: Canvas, part: Part, light: Light) -> None:
    """A soft shadow that fades across the part."""
    height, width = part.cover.shape
    angle = rng.uniform(0, 2 * np.pi)
    y, x = grid(part)
    ramp = (np.cos(angle) * (x / width - 0.5) + np.sin(angle) * (y / height - 0.5)) / rng.uniform(0.4, 1.2) + 0.3
    canvas.darken(part, np.clip(ramp, 0, 1) * rng.uniform(0.3, 1), light.tint)


def add_pattern(rng: np.random.Generator, canvas: Canvas, part: Part) -> None:
    """Stripes, checks or dots of a second flat colour."""
    y, x = grid(part)
    angle, period = rng.uniform(0, np.pi), rng.uniform(14, 60)
    u = (np.cos(angle) * x + np.sin(angle) * y) * 2 * np.pi / period
    v = (np.cos(angle) * y - np.sin(angle) * x) * 2 * np.pi / period
    wave = (np.cos(u), np.cos(u) + np.cos(v) - 0.9, np.cos(u) * np.cos(v))[int(rng.integers(3))]
    cover = (np.clip(wave * period / 6 + 0.5, 0, 1) * part.cover)[..., None]
    second = colors.random_color(rng, pale=rng.random() < 0.4)
    canvas.flat[part.window] = canvas.flat[part.window] * (1 - cover) + second * cover


def add_shine_band(rng: np.random.Generator, canvas: Canvas, part: Part, light: Light, center: float) -> None:
    """The bright ring on hair: a bent band with a ragged edge, ``center`` its height as a share of the part's."""
    height, width = part.cover.shape
    y, x = grid(part)
    across = x / width - 0.5
    ragged = noise(rng, (1, width), int(rng.integers(10, 40))) * rng.uniform(0.05, 0.5)
    middle = (center - rng.uniform(0.05, 0.3) * across**2) * height
    thick = rng.uniform(0.03, 0.09) * height * np.clip(1 - (across / rng.uniform(0.3, 0.6)) ** 2, 0, 1) + 1e-3
    soft = 0.15 if light.soft < 0.1 else 0.8
    band = np.clip((1 + ragged - np.abs(y - middle) / thick) / soft, 0, 1)
    canvas.brighten(part, band * (thick > 0.5), np.clip(light.shine_color + 0.1, 0, 1))
