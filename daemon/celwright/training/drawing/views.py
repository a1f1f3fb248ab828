"""How a figure is seen: pose, mirror, proportions of this drawing hand, and where it stands on a sheet.

Everything a view decides comes from its own generator, so that it never touches who the figure is.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from celwright.training.drawing.animals import animal
from celwright.training.drawing.dolls import doll
from celwright.training.drawing.drawings import Drawing
from celwright.training.drawing.identity import Identity, Kind
from celwright.training.drawing.people import person
from celwright.training.drawing.things import robot, thing
from celwright.training.painting.shapes import Points

_DRAWN: dict[Kind, Callable[[Identity, np.random.Generator], Drawing]] = {
    "person": person,
    "animal": animal,
    "robot": robot,
    "thing": thing,
    "doll": doll,
}


@dataclass(frozen=True, eq=False)
class View:
    """A drawing with its extent ``low`` ``high`` (2,) in figure coordinates."""

    drawing: Drawing
    low: Points
    high: Points


def view(who: Identity, now: np.random.Generator) -> View:
    """The identity in a pose that ``now`` decides, perhaps mirrored, with the small distortions of a drawing hand."""
    drawing = _DRAWN[who.kind](who, now)
    stretch = now.normal(1, 0.05, 2) * (-1 if now.random() < 0.35 else 1, 1)
    wave, phase = now.normal(0, 0.045, (2, 2)), now.uniform(0, 2 * np.pi, 2)
    frequency = now.uniform(0.5, 1.5, 2)
    bent = []
    for mark in drawing.marks:
        swing = np.sin(mark.points[:, ::-1] * frequency + phase)
        points = np.asarray((mark.points + swing @ wave) * stretch, np.float32)
        bent.append(type(mark)(mark.kind, points, mark.part, mark.line, mark.inside, mark.shaded))
    corners = [(mark.points.min(0), mark.points.max(0)) for mark in bent if mark.kind == "fill" and mark.inside < 0]
    low, high = np.min([low for low, _ in corners], 0), np.max([high for _, high in corners], 0)
    return View(Drawing(bent), low, high)


def framed(now: np.random.Generator, seen: View, corner: Points, extent: Points, kind: str) -> tuple[Points, Points]:
    """The matrix (2, 2) and shift (2,) that bring a view into the box at ``corner`` of ``extent`` (2,) sheet pixels.

    ``whole`` shows all of it, ``bust`` the head and what hangs below, ``part`` any half of it, larger.
    """
    low, high = seen.low, seen.high
    if kind == "bust" and high[1] - low[1] > 4:
        low = np.maximum(low, (-2.0, -2.2))
        high = np.minimum(high, (2.0, now.uniform(1.3, 3.2)))
    elif kind == "part":
        middle = low + (high - low) * now.uniform(0.25, 0.7, 2)
        half = (high - low) * now.uniform(0.25, 0.4)
        low, high = middle - half, middle + half
    spread = np.maximum(high - low, 0.5)
    scale = float((extent / spread).min() * now.uniform(0.86, 1.0))
    angle = float(now.normal(0, 0.07))
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, sin], [-sin, cos]], np.float32) * scale
    loose = np.maximum(extent - spread * scale, 0) * now.uniform(-0.5, 0.5, 2)
    middle = corner + extent / 2 + loose
    return turn, np.asarray(middle - (low + high) / 2 @ turn, np.float32)
