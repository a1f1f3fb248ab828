"""A canvas of four layers that are painted together, so that the truth about every pixel is known.

Parts are laid over each other from back to front; each brings its flat colour, its own shadow and highlight and its
outline, and hides what lies behind in all layers. Works at twice the final size. Does not know what it paints.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright.training.painting import shapes
from celwright.training.painting.colors import Color

Plane = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Pen:
    """How outlines are drawn: ``width`` in canvas pixels, ``color`` None for a darkened tone of the part."""

    width: float
    color: Color | None
    tapered: bool
    opacity: float = 1.0
    outlines: float = 1.0  # share of the parts that have one


@dataclass(frozen=True)
class Light:
    """One light for a whole scene. ``direction`` (3,) towards the light; ``tint`` (3,) the shadow's multiply factor;
    ``shade`` and ``shine`` are the shares of a part in shadow and in highlight; ``soft`` 0 is cel shading."""

    direction: Color
    tint: Color
    shine_color: Color
    shade: float
    shine: float
    soft: float
    bumps: float
    two_tones: bool = False


@dataclass(frozen=True)
class Part:
    """Where a part lies: its window on the canvas and (h, w) coverage 0..1 inside the window."""

    window: tuple[slice, slice]
    cover: Plane
    contour: shapes.Points  # in window coordinates
    color: Color


def noise(rng: np.random.Generator, shape: tuple[int, int], cells: int) -> Plane:
    """(h, w) smooth random surface with about ``cells`` bumps across, standard deviation near 1."""
    grid = rng.standard_normal((cells + 1, cells + 1)).astype(np.float32)
    return np.asarray(cv2.resize(grid, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC), np.float32)


def lit(rng: np.random.Generator, cover: Plane, light: Light) -> tuple[Plane, Plane]:
    """Strength 0..1 of shadow and of highlight, each (h, w), on a bumpy cushion of the part's shape."""
    depth = cv2.distanceTransform((cover > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    radius = float(depth.max()) + 1e-3
    dome = radius * np.sqrt(np.clip(1 - (1 - depth / radius) ** 2, 0, 1))
    dome = cv2.GaussianBlur(dome, (0, 0), max(radius * 0.12, 1.0))
    if light.bumps > 0:
        dome += noise(rng, cover.shape, int(rng.integers(2, 7))) * radius * light.bumps
    slope_x, slope_y = cv2.Sobel(dome, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(dome, cv2.CV_32F, 0, 1, scale=0.125)
    norm = 1 / np.sqrt(1 + slope_x**2 + slope_y**2)
    lx, ly, lz = light.direction.tolist()
    facing = (lz - slope_x * lx - slope_y * ly) * norm
    inside = facing[::4, ::4][cover[::4, ::4] > 0.5]
    if inside.size < 8:
        return np.zeros_like(cover), np.zeros_like(cover)
    ramp = max(float(inside.std()) * light.soft * 2, 0.02)
    shade = float(np.clip(light.shade * rng.uniform(0.5, 1.5), 0, 0.8))
    shine = float(np.clip(light.shine * rng.uniform(0.3, 1.7), 0, 0.3))
    low, high = np.quantile(inside, [shade, 1 - shine])
    shadow = np.clip((low - facing) / ramp + 0.5, 0, 1) if shade > 0.02 else np.zeros_like(facing)
    if light.two_tones and shade > 0.1:
        deeper = np.clip((np.quantile(inside, shade * 0.45) - facing) / ramp + 0.5, 0, 1)
        shadow = 0.55 * shadow + 0.45 * deeper
    highlight = np.clip((facing - high) / ramp + 0.5, 0, 1) if shine > 0.01 else np.zeros_like(facing)
    return np.asarray(shadow, np.float32), np.asarray(highlight, np.float32)


class Canvas:
    """Float32 layers of (side, side): ``line_alpha``, ``line_color`` x3, ``flat`` x3, ``shadow`` x3 (1 = none),
    ``highlight`` x3 (0 = none), and ``instances`` int32 (0 = background)."""

    def __init__(self, background: Plane) -> None:
        side = background.shape[0]
        self.shape = (side, side)
        self.line_alpha = np.zeros(self.shape, np.float32)
        self.line_color = np.zeros((side, side, 3), np.float32)
        self.flat = background.astype(np.float32)
        self.shadow = np.ones((side, side, 3), np.float32)
        self.highlight = np.zeros((side, side, 3), np.float32)
        self.instances = np.zeros(self.shape, np.int32)

    def window(self, contour: shapes.Points, margin: float) -> tuple[slice, slice] | None:
        low = np.floor(contour.min(0) - margin).astype(int)
        high = np.ceil(contour.max(0) + margin).astype(int) + 1
        x0, y0 = np.clip(low, 0, self.shape[0]).tolist()
        x1, y1 = np.clip(high, 0, self.shape[0]).tolist()
        return (slice(y0, y1), slice(x0, x1)) if x1 - x0 > 2 and y1 - y0 > 2 else None

    def silhouette(self, contour: shapes.Points, color: Color, clip: Part | None = None) -> Part | None:
        """A part that is not laid yet; ``clip`` keeps it inside an earlier part. None when off the canvas."""
        window = self.window(contour, 12) if clip is None else clip.window
        if window is None:
            return None
        local = contour - np.array([window[1].start, window[0].start], np.float32)
        shape = (window[0].stop - window[0].start, window[1].stop - window[1].start)
        cover = shapes.filled(local, shape).astype(np.float32) / 255
        return Part(window, cover if clip is None else cover * clip.cover, local, color)

    def lay(self, part: Part, instance: int) -> None:
        """Put the part's flat colour over everything that is there, in all layers."""
        keep = (1 - part.cover)[..., None]
        self.flat[part.window] = self.flat[part.window] * keep + part.color * part.cover[..., None]
        self.shadow[part.window] = self.shadow[part.window] * keep + part.cover[..., None]
        self.highlight[part.window] *= keep
        self.line_alpha[part.window] *= keep[..., 0]
        self.instances[part.window][part.cover > 0.5] = instance

    def add_light(self, rng: np.random.Generator, part: Part, light: Light) -> None:
        shadow, highlight = lit(rng, part.cover, light)
        self.darken(part, shadow, light.tint)
        self.brighten(part, highlight, light.shine_color)

    def darken(self, part: Part, strength: Plane, tint: Color) -> None:
        """Multiply the part's shadow by ``tint`` (3,) where ``strength`` (h, w) is 1."""
        self.shadow[part.window] *= 1 - (strength * part.cover)[..., None] * (1 - tint)

    def brighten(self, part: Part, strength: Plane, color: Color) -> None:
        """Screen the part's highlight with ``color`` (3,) where ``strength`` (h, w) is 1."""
        here = self.highlight[part.window]
        self.highlight[part.window] = 1 - (1 - here) * (1 - (strength * part.cover)[..., None] * color)

    def cast(self, part: Part, shift: tuple[float, float], tint: Color, soft: float) -> None:
        """Let the part's silhouette, moved by ``shift`` (x, y), darken the figures behind it. To be called before the
        part is laid. Paper and sky have no surface: nothing is cast on the background."""
        matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
        moved = cv2.warpAffine(part.cover, matrix, (part.cover.shape[1], part.cover.shape[0]))
        if soft > 0.5:
            moved = cv2.GaussianBlur(moved, (0, 0), soft)
        moved = moved * (self.instances[part.window] > 0)
        self.shadow[part.window] *= 1 - moved[..., None] * (1 - tint)

    def outline(self, rng: np.random.Generator, part: Part, pen: Pen, color: Color) -> None:
        width: float | Plane = pen.width
        if pen.tapered:
            turn = np.linspace(0, 2 * np.pi, len(part.contour), endpoint=False)
            swell = 1 + 0.6 * np.sin(turn * int(rng.integers(1, 4)) + rng.uniform(0, 2 * np.pi))
            width = np.maximum(pen.width * swell, 0.0 if rng.random() < 0.3 else 1.0)
        ink = shapes.stroked(part.contour, width, part.cover.shape, closed=True)
        self.ink(part.window, ink.astype(np.float32) / 255 * pen.opacity, color)

    def stroke(
        self,
        curve: shapes.Points,
        width: float,
        color: Color,
        clip: Part | None = None,
        taper: bool = True,
    ) -> None:
        """A pen line, thin at its ends when ``taper``; inside ``clip`` only, when given."""
        window = self.window(curve, width + 2) if clip is None else clip.window
        if window is None:
            return
        local = curve - np.array([window[1].start, window[0].start], np.float32)
        shape = (window[0].stop - window[0].start, window[1].stop - window[1].start)
        widths = width * np.sin(np.linspace(0.12, np.pi - 0.12, len(curve))) if taper else np.full(len(curve), width)
        ink = shapes.stroked(local, np.maximum(widths, 1.0), shape, closed=False).astype(np.float32) / 255
        self.ink(window, ink if clip is None else ink * clip.cover, color)

    def ink(self, window: tuple[slice, slice], ink: Plane, color: Color) -> None:
        """Lay ``ink`` (h, w) coverage of one colour over the line layer (straight alpha, Porter-Duff over)."""
        below = self.line_alpha[window]
        alpha = ink + below * (1 - ink)
        mix = (ink / np.maximum(alpha, 1e-6))[..., None]
        self.line_color[window] = color * mix + self.line_color[window] * (1 - mix)
        self.line_alpha[window] = alpha
