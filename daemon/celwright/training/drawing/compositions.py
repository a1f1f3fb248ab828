"""Figures composed to a scene: who stands where, how much of them is seen, and what is behind them.

Knows views and sheets; nothing of references, light or line art.
"""

import numpy as np

from celwright.training.drawing.drawings import Drawing
from celwright.training.drawing.identity import Identity, identity
from celwright.training.drawing.sheets import SUPERSAMPLING, Nib, Numbers, Sheet
from celwright.training.drawing.views import View, framed, view
from celwright.training.painting import colors
from celwright.training.painting.shapes import Points

FRAMES = ("whole", "bust", "part")
_FRAMED = (0.45, 0.4, 0.15)


def random_nib(rng: np.random.Generator, size: int) -> Nib:
    width = np.exp(rng.uniform(np.log(1.0), np.log(4.5))) * (size / 256) ** 0.5
    return Nib(float(width), bool(rng.random() < 0.5), float(rng.choice([1.0, 0.9], p=[0.85, 0.15])))


def scene_of(rng: np.random.Generator, people: list[Identity], size: int, parts: Numbers) -> Sheet:
    """The figures over blank paper, one colour, or a painted ground."""
    ground = rng.choice(["paper", "flat", "painted"], p=[0.45, 0.25, 0.3])
    paper = np.ones(3, np.float32)
    sheet = Sheet(size, paper if ground == "paper" else colors.random_color(rng, pale=rng.random() < 0.5), parts)
    nib = random_nib(rng, size)
    if ground == "painted":
        _paint_ground(rng, sheet, nib)
    side = size * SUPERSAMPLING
    views = [view(who, rng) for who in people]
    columns = len(views) if len(views) < 4 or rng.random() < 0.4 else (len(views) + 1) // 2
    rows = -(-len(views) // columns)
    cell = np.array([side / columns, side / rows])
    for place in rng.permutation(len(views)).tolist():
        corner = cell * (place % columns, place // columns) - cell * rng.uniform(0.0, 0.15, 2)
        extent = cell * rng.uniform(1.0, 1.3 if len(views) > 1 else 1.05)
        stand(rng, sheet, views[place], people[place], place + 1, corner, extent, nib, rng.choice(FRAMES, p=_FRAMED))
    return sheet


def stand(
    rng: np.random.Generator,
    sheet: Sheet,
    seen: View,
    who: Identity,
    instance: int,
    corner: Points,
    extent: Points,
    nib: Nib,
    frame: str,
) -> None:
    turn, shift = framed(rng, seen, corner, extent, frame)
    # Fine figures get fine lines, else a small crowd is all ink.
    fine = Nib(min(nib.width, max(1.0, float(np.hypot(*turn[0])) * 0.09)), nib.tapered, nib.outlines)
    sheet.paint(rng, seen.drawing, who, instance, turn, shift, fine)


def _paint_ground(rng: np.random.Generator, sheet: Sheet, nib: Nib) -> None:
    """A floor or hills and a few things behind the figures; all of it is instance 0."""
    who, drawing = identity(int(rng.integers(1 << 40)), "thing"), Drawing()
    level = rng.uniform(0.35, 0.85)
    for step in range(int(rng.integers(1, 4))):
        xs = np.linspace(-0.1, 1.1, 6)
        ridge = level + step * 0.15 + rng.normal(0, 0.05 * (rng.random() < 0.6), 6)
        drawing.fill(f"thing{step}", [*zip(xs, ridge, strict=True), (1.1, 1.6), (-0.1, 1.6)], round=False)
    side = float(sheet.number.shape[0])
    sheet.paint(rng, drawing, who, 0, np.eye(2, dtype=np.float32) * side, np.zeros(2, np.float32), nib)
    for _ in range(int(rng.integers(0, 4))):
        extent = np.full(2, side * rng.uniform(0.2, 0.6))
        stand(rng, sheet, view(who, rng), who, 0, rng.uniform(-0.1, 0.8, 2) * side, extent, nib, "whole")
