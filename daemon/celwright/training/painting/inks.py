"""Whose hand drew the lines: one ink for a whole scene, with grain, gaps and a colour that may change along a stroke.

Also what pens do besides outlines: hatching, which is line, and screen tone, which is shadow.
Hatching belongs to the line layer, because it is made by the same pen in the same ink and a colourist keeps it with
the drawing. Screen tone belongs to shadow: it is laid over colour as a film and darkens whatever lies below.
Knows nothing about layers.
"""

from dataclasses import dataclass

import numpy as np

from celwright.training.painting.canvas import Pen, Plane, noise
from celwright.training.painting.colors import Color, hsv


@dataclass(frozen=True)
class Ink:
    """``grain`` and ``gaps``, when present, are (side, side) factors 0..1 on the coverage of every line; ``blend``
    (side, side) 0..1 says where lines take the ``second`` colour instead of their own."""

    grain: Plane | None
    gaps: Plane | None
    blend: Plane | None
    second: Color


def chosen_ink(rng: np.random.Generator, side: int) -> Ink:
    """Most inks are plain."""
    grain = gaps = blend = None
    if rng.random() < 0.15:  # pencil, crayon or a dry brush: paper shows through
        depth = rng.uniform(0.3, 1.2)
        paper = rng.standard_normal((side, side)).astype(np.float32)
        if rng.random() < 0.5:
            paper = noise(rng, (side, side), side // int(rng.integers(2, 5)))
        grain = np.clip(1.25 - depth * np.abs(paper), 0, 1)
    if rng.random() < 0.12:  # broken: the pen was lifted here and there
        gaps = np.clip(noise(rng, (side, side), int(rng.integers(8, 40))) * 6 + rng.uniform(4, 9), 0, 1)
    if rng.random() < 0.3:
        blend = np.clip(noise(rng, (side, side), int(rng.integers(2, 9))) * 1.5 + 0.3, 0, 1)
    return Ink(grain, gaps, blend, hsv(rng.random(), rng.uniform(0.2, 0.8), rng.uniform(0.1, 0.6)))


def chosen_pen(rng: np.random.Generator, side: int) -> Pen:
    """From hairlines of half a final pixel to brush outlines; a scale of the canvas of 512."""
    scale = side / 512
    width = float(np.exp(rng.uniform(np.log(1.0), np.log(6.0 if rng.random() < 0.75 else 14.0)))) * scale
    pick = rng.random()
    color: Color | None = np.clip(rng.uniform(0, 0.12) + rng.normal(0, 0.02, 3), 0, 1).astype(np.float32)
    if pick < 0.25:
        color = np.zeros(3, np.float32)
    elif pick < 0.4:  # sepia, dark blue, wine
        color = hsv(rng.random(), rng.uniform(0.3, 0.9), rng.uniform(0.12, 0.5))
    elif pick < 0.65:
        color = None  # a dark tone of each part
    outlines = float(rng.choice([1.0, 0.75, 0.3, 0.0], p=[0.76, 0.1, 0.04, 0.1]))
    opacity = float(rng.uniform(0.5, 1.0)) if rng.random() < 0.2 else 1.0
    return Pen(max(width, 1.0), color, tapered=bool(rng.random() < 0.5), opacity=opacity, outlines=outlines)


def _turned_grid(shape: tuple[int, int], angle: float, period: float) -> tuple[Plane, Plane]:
    """Phases (h, w) along and across a direction, one turn a period."""
    y = np.arange(shape[0], dtype=np.float32)[:, None] * (2 * np.pi / period)
    x = np.arange(shape[1], dtype=np.float32)[None] * (2 * np.pi / period)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return cos * x + sin * y, cos * y - sin * x


def hatching(rng: np.random.Generator, strength: Plane, width: float) -> Plane:
    """(h, w) ink coverage of parallel or crossed pen strokes where ``strength`` is, thinner where it fades."""
    period = max(width * rng.uniform(2.5, 6), 9.0)
    angle = rng.uniform(0, np.pi)
    along, across = _turned_grid((strength.shape[0], strength.shape[1]), angle, period)
    bend = noise(rng, (strength.shape[0], strength.shape[1]), 5) * 0.5
    wave = np.cos(along + bend)
    if rng.random() < 0.25:
        wave = np.maximum(wave, np.cos(across + bend))
    distance = np.arccos(np.clip(wave, -1, 1)) * (period / (2 * np.pi))  # pixels from the middle of a stroke
    thick = width * np.minimum(strength * 1.5, 1)
    ink = np.clip(thick / 2 - distance + 0.5, 0, 1)
    return np.asarray(ink * (strength > 0.08), np.float32)


def screen_tone(rng: np.random.Generator, strength: Plane) -> Plane:
    """(h, w) 0..1 coverage of dots or lines whose share of the area follows ``strength``."""
    period = rng.uniform(6, 16)
    along, across = _turned_grid((strength.shape[0], strength.shape[1]), float(rng.choice([np.pi / 4, 0.3])), period)
    wave = np.cos(along) + np.cos(across) if rng.random() < 0.85 else 2 * np.cos(along)
    share = rng.uniform(0.5, 1.1) if rng.random() < 0.6 else 0.8
    return np.asarray(np.clip((wave / 2 - 1 + 1.6 * share * strength) * period / 3, 0, 1), np.float32)
