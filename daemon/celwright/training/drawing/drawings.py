"""A figure as a list of marks in its own coordinates: filled parts, strokes of ink, glints and painted shade.

Figure coordinates have the head's centre near (0, 0), the chin near (0, 1), y down. Knows neither canvas nor colours:
a part is a name that an identity has a colour for.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from celwright.training.painting import shapes
from celwright.training.painting.shapes import Points

Kind: TypeAlias = Literal["fill", "stroke", "glint", "shade"]


@dataclass(frozen=True, eq=False)
class Mark:
    """``points`` (N, 2); ``line`` is the outline's or stroke's width in pen widths (0 = none); ``inside`` is the number
    of the mark that clips this one, or -1."""

    kind: Kind
    points: Points
    part: str
    line: float
    inside: int
    shaded: bool


@dataclass(eq=False)
class Drawing:
    """Marks from back to front. ``turn`` (2, 2) and ``shift`` (2,) place what is added next."""

    marks: list[Mark] = field(default_factory=list)
    turn: Points = field(default_factory=lambda: np.eye(2, dtype=np.float32))
    shift: Points = field(default_factory=lambda: np.zeros(2, np.float32))

    def fill(
        self, part: str, points: ArrayLike, line: float = 1.0, inside: int = -1, shaded: bool = True, round: bool = True
    ) -> int:
        """Add a filled part and return its number; ``round`` draws a smooth curve through the points."""
        return self._add("fill", points, part, line, inside, shaded, round, closed=True)

    def stroke(self, points: ArrayLike, line: float = 0.7, inside: int = -1) -> None:
        """Add a line of ink along a smooth open curve."""
        self._add("stroke", points, "", line, inside, False, True, closed=False)

    def glint(self, points: ArrayLike, inside: int = -1, round: bool = True) -> None:
        """Add a white highlight that no ink crosses."""
        self._add("glint", points, "", 0, inside, False, round, closed=True)

    def shade(self, points: ArrayLike, inside: int) -> None:
        """Add a hard shadow on what is there already."""
        self._add("shade", points, "", 0, inside, False, True, closed=True)

    def place(self, angle: float = 0.0, center: ArrayLike = (0.0, 0.0), squeeze: float = 1.0) -> None:
        """What is added next is squeezed in x and turned by ``angle`` (radians) about ``center``."""
        cos, sin = np.cos(angle), np.sin(angle)
        self.turn = np.array([[cos * squeeze, sin * squeeze], [-sin, cos]], np.float32)
        middle = np.asarray(center, np.float32)
        self.shift = middle - middle @ self.turn

    def _add(
        self,
        kind: Kind,
        points: ArrayLike,
        part: str,
        line: float,
        inside: int,
        shaded: bool,
        round: bool,
        closed: bool,
    ) -> int:
        curve: Points = np.asarray(points, np.float32)
        if round and len(curve) < 16:
            curve = _smoothing(len(curve), closed, 5) @ curve
        self.marks.append(Mark(kind, curve @ self.turn + self.shift, part, line, inside, shaded))
        return len(self.marks) - 1


@lru_cache(maxsize=64)
def _smoothing(count: int, closed: bool, samples: int) -> Points:
    """The matrix that turns ``count`` knots into the points of ``shapes.smooth``, which is linear in them."""
    units = np.eye(count, dtype=np.float32)
    return np.stack([shapes.smooth(np.stack([one, one], 1), closed, samples)[:, 0] for one in units], 1)


def limb(joints: ArrayLike, widths: ArrayLike) -> Points:
    """The outline of a bent limb through ``joints`` (N, 2), round at its start; half widths (M,) spread along it."""
    knots = np.asarray(joints, np.float32)
    spine = _smoothing(len(knots), False, 4) @ knots
    given = np.asarray(widths, np.float32)
    width = np.interp(np.linspace(0, 1, len(spine)), np.linspace(0, 1, len(given)), given)
    along = np.gradient(spine, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-6
    side = np.stack([-along[:, 1], along[:, 0]], 1) * width[:, None]
    back, start = along[0] * width[0], side[0]
    cap = spine[0] + np.stack([-0.75 * start - 0.5 * back, -0.8 * back, 0.75 * start - 0.5 * back])
    return np.asarray(np.concatenate([spine + side, (spine - side)[::-1], cap]), np.float32)


def chain(start: ArrayLike, angles: ArrayLike, lengths: ArrayLike) -> Points:
    """Joints (N + 1, 2) of a limb whose bones point ``angles`` radians away from straight down, to +x."""
    turn, reach = np.asarray(angles, np.float32), np.asarray(lengths, np.float32)
    hops = np.stack([np.sin(turn), np.cos(turn)], 1) * reach[:, None]
    first = np.asarray(start, np.float32)
    return np.concatenate([first[None], first + np.cumsum(hops, 0)])


def xy(x: float, y: float) -> Points:
    return np.array([x, y], np.float32)


def oval(x: float, y: float, wide: float, high: float, angle: float = 0.0) -> Points:
    return shapes.ellipse((x, y), (wide, high), angle, 24)


def box(x: float, y: float, wide: float, high: float) -> Points:
    return np.array(
        [(x - wide, y - high), (x + wide, y - high), (x + wide, y + high), (x - wide, y + high)], np.float32
    )


def add_pattern(own: np.random.Generator, drawing: Drawing, inside: int, part: str, low: Points, high: Points) -> None:
    """Stripes, bars, checks, dots or an emblem of another part's colour; the generator decides once for an identity.

    ``low`` and ``high`` (2,) are the corners of the patterned box in the coordinates of the next mark.
    """
    kind = own.choice(["rows", "bars", "dots", "emblem", "hem", "slant"], p=[0.25, 0.15, 0.15, 0.15, 0.2, 0.1])
    line = float(own.choice([0.6, 0.0], p=[0.8, 0.2]))
    count = int(own.integers(2, 6))
    (x0, y0), (x1, y1) = np.asarray(low, np.float32), np.asarray(high, np.float32)
    wide, high_ = (x1 - x0), (y1 - y0)
    if kind == "rows":
        for y in np.linspace(y0, y1, count + 1)[:-1] + high_ / count * 0.5:
            bar = [(x0 - 1, y), (x1 + 1, y), (x1 + 1, y + high_ / count * 0.45), (x0 - 1, y + high_ / count * 0.45)]
            drawing.fill(part, bar, line, inside, round=False)
    elif kind in ("bars", "slant"):
        lean = 0.0 if kind == "bars" else wide * 0.7
        for x in np.linspace(x0, x1, count + 1)[:-1] + wide / count * 0.25:
            bar = [(x, y0 - 1), (x + wide / count * 0.5, y0 - 1), (x + wide / count * 0.5 - lean, y1 + 1)]
            drawing.fill(part, [*bar, (x - lean, y1 + 1)], line, inside, round=False)
    elif kind == "dots":
        radius = wide / (count + 1) * own.uniform(0.18, 0.32)
        for row, y in enumerate(np.linspace(y0, y1, count + 1)):
            for x in np.linspace(x0, x1, count + 1) + (row % 2) * wide / count * 0.5:
                drawing.fill(part, shapes.ellipse((x, y), (radius, radius), count=12), line, inside)
    elif kind == "emblem":
        points = int(own.integers(3, 7))
        turn = np.linspace(0, 2 * np.pi, points * 2, endpoint=False) - np.pi / 2
        reach = min(wide, high_) * 0.32 * np.where(np.arange(points * 2) % 2, own.uniform(0.4, 1.0), 1.0)
        star = np.stack([np.cos(turn) * reach + (x0 + x1) / 2, np.sin(turn) * reach + y0 + high_ * 0.45], 1)
        drawing.fill(part, star, line, inside, round=own.random() < 0.4)
    else:
        edge = y1 - high_ * own.uniform(0.12, 0.35)
        drawing.fill(
            part, [(x0 - 1, edge), (x1 + 1, edge), (x1 + 1, y1 + 2), (x0 - 1, y1 + 2)], line, inside, round=False
        )
