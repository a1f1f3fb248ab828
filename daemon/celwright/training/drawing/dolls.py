"""Characters of solids, posed and turned in space and then drawn: what a turn hides and shows no flat figure can tell.

x to the right, y down, z towards the viewer; projection is parallel. ``own``
generators say who it is, ``now`` the pose and the turn. Knows no colours and no canvas.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.spatial.transform import Rotation  # type: ignore[import-untyped]

from celwright.training.drawing.drawings import Drawing, box
from celwright.training.drawing.identity import Identity
from celwright.training.painting.shapes import Points, ellipse

_CIRCLE = ellipse((0, 0), (1, 1), count=32)
_DOWN = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True, eq=False)
class _Solid:
    """``depth`` of its middle; ``draw`` adds its marks to a drawing."""

    depth: float
    draw: Callable[[Drawing], object]


@dataclass(eq=False)
class Space:
    """Solids in the coordinates of a frame that ``turn`` (3, 3) and ``shift`` (3,) bring to the viewer's."""

    solids: list[_Solid]
    turn: Points
    shift: Points

    def turned(self, angles: tuple[float, float, float], about: Points) -> "Space":
        """A frame in this one, turned about a point by ``angles`` (radians) about y, x and z."""
        turn = Rotation.from_euler("yxz", angles).as_matrix()
        return Space(self.solids, self.turn @ turn, self.shift + self.turn @ (about - turn @ about))

    def seen(self, points: Points) -> Points:
        return np.asarray(points @ self.turn.T + self.shift)

    def drawing(self) -> Drawing:
        """All solids, from far to near."""
        drawing = Drawing()
        for solid in sorted(self.solids, key=lambda solid: solid.depth):
            solid.draw(drawing)
        return drawing

    def ball(self, part: str, middle: Points, radii: Points, dots: tuple[tuple[str, Points, float], ...] = ()) -> None:
        """An ellipsoid with ``dots`` on it: a part, the direction in which it lies, and its radius."""
        axes = self.turn * radii  # columns are half axes
        values, vectors = np.linalg.eigh(axes[:2] @ axes[:2].T)
        center = self.seen(middle)
        outline = center[:2] + _CIRCLE @ (vectors * np.sqrt(values)).T
        spots = [(name, *_spot(axes, center, towards, size)) for name, towards, size in dots]

        def draw(drawing: Drawing) -> None:
            number = drawing.fill(part, outline)
            for name, points, facing in spots:
                if facing > 0:
                    drawing.fill(name, points, 0.4, number)

        self.solids.append(_Solid(center[2], draw))

    def rod(self, part: str, start: Points, end: Points, width: tuple[float, float]) -> None:
        """A limb with round ends of two radii."""
        ends = self.seen(np.stack([start, end]))
        circles = np.concatenate([ends[i, :2] + _CIRCLE * width[i] for i in range(2)]).astype(np.float32)
        hull = cv2.convexHull(circles)[:, 0]
        self.solids.append(_Solid(ends[:, 2].mean(), lambda drawing: drawing.fill(part, hull, round=False)))

    def box(self, part: str, middle: Points, half: Points) -> None:
        """A box, of which three faces are seen at most."""
        center, axes = self.seen(middle), self.turn * half
        square = box(0, 0, 1, 1)
        faces = []
        for first, second, third in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
            side = np.copysign(1, axes[2, third])
            corners = square[:, :1] * axes[:2, first] + square[:, 1:] * axes[:2, second] + side * axes[:2, third]
            faces.append(np.asarray(center[:2] + corners, np.float32))

        def draw(drawing: Drawing) -> None:
            for face in faces:
                drawing.fill(part, face, 0.8, round=False)

        self.solids.append(_Solid(center[2], draw))


def doll(who: Identity, now: np.random.Generator) -> Drawing:
    """A stocky character in a pose, turned by any angle: mostly towards us, now and then away."""
    yaw = now.uniform(-np.pi, np.pi) if now.random() < 0.25 else now.normal(0, 0.6)
    body = Space([], np.eye(3), np.zeros(3)).turned((yaw, now.normal(0, 0.15), 0), _at(0, 2, 0))
    _add_trunk(who, body)
    _add_limbs(who, now, body)
    _add_head(who, body.turned((now.normal(0, 0.4), now.normal(0, 0.15), now.normal(0, 0.12)), _at(0, 0.9, 0)))
    return body.drawing()


def _at(x: float, y: float, z: float) -> Points:
    return np.array([x, y, z])


def _add_trunk(who: Identity, body: Space) -> None:
    own = who.rng("trunk")
    wide, deep, badge = own.uniform(0.6, 0.95), own.uniform(0.4, 0.6), own.uniform(0.12, 0.3)
    buttons = tuple(("trim", _at(0, y, 1), 0.09) for y in (-0.3, 0.05, 0.4))
    dots = ((), buttons, (("trim", _at(own.uniform(-0.5, 0.5), -0.2, 1), badge),))[int(own.integers(3))]
    body.ball("cloth", _at(0, 1.85, 0), _at(wide, 0.95, deep), dots)
    if own.random() < 0.6:
        body.ball("belt", _at(0, 2.3, 0.01), _at(wide * 0.93, 0.13, deep * 0.95))
    if own.random() < 0.35:
        for y, grow in ((2.55, 1.0), (2.85, 1.25)):  # a skirt of two tiers
            body.ball("cloth2", _at(0, y, 0.02), _at(wide * grow, 0.35, deep * grow * 1.1))
    if own.random() < 0.3:
        body.ball("cape", _at(0, 2.1, -deep * 1.1), _at(wide * 1.15, 1.35, 0.12))
    elif own.random() < 0.4:
        body.box("cloth3", _at(0, 1.7, -deep - 0.3), _at(wide * 0.6, 0.55, 0.3))  # what is carried on the back
    if own.random() < 0.5:
        body.ball("ribbon", _at(0, 1.08, 0.03), _at(0.5, 0.16, deep))


def _add_limbs(who: Identity, now: np.random.Generator, body: Space) -> None:
    own = who.rng("limbs")
    thick, reach, leg = own.uniform(0.16, 0.26), own.uniform(0.65, 0.95), own.uniform(0.55, 0.95)
    sleeve, hand, tool = own.choice(["cloth", "cloth2", "skin"]), own.choice(["skin", "gloves"]), own.random() < 0.4
    trousers, stocking = own.choice(["legs", "cloth2"]), own.choice(["legs", "skin", "shoes"])
    for side in (-1, 1):
        shoulder, hip = _at(side * 0.72, 1.3, 0), _at(side * 0.34, 2.65, 0)
        arm = body.turned((0, now.normal(0, 0.7), -side * now.uniform(0.1, 2.2)), shoulder)
        elbow = shoulder + _DOWN * reach
        arm.rod(sleeve, shoulder, elbow, (thick * 1.15, thick))
        fore = arm.turned((0, now.uniform(-1.6, 0.1), 0), elbow)
        wrist = elbow + _DOWN * reach * 0.8
        fore.rod(sleeve if sleeve == "cloth2" else "skin", elbow, wrist, (thick * 0.95, thick * 0.8))
        fore.ball(hand, wrist + _DOWN * 0.15, np.full(3, thick * 1.2))
        if tool and side > 0:
            fore.box("metal", wrist + _at(0, 0.2, 0.5), _at(0.07, 0.1, 0.9))
        thigh = body.turned((0, now.normal(0, 0.4), -side * abs(now.normal(0, 0.12))), hip)
        knee = hip + _DOWN * leg
        thigh.rod(trousers, hip, knee, (thick * 1.6, thick * 1.3))
        shin = thigh.turned((0, abs(now.normal(0, 0.35)), 0), knee)
        ankle = knee + _DOWN * leg * 0.8
        shin.rod(stocking, knee, ankle, (thick * 1.25, thick))
        shin.ball("shoes", ankle + _at(0, 0.15, 0.18), _at(thick * 1.3, thick * 1.05, thick * 2.1))


def _add_head(who: Identity, head: Space) -> None:
    own = who.rng("skull")
    apart, low, eye = own.uniform(0.3, 0.45), own.uniform(0.0, 0.25), own.uniform(0.12, 0.22)
    skull = _at(own.uniform(0.8, 1.0), own.uniform(0.85, 1.05), 0.9)
    face: list[tuple[str, Points, float]] = []
    for side in (-1, 1):
        towards = _at(side * apart, low, 0.9)
        face += [("white", towards, eye * 1.35), ("eye", towards, eye), ("pupil", towards, eye * 0.5)]
        face.append(("hair2", _at(side * apart, low - 0.45, 0.85), 0.07))
    face += [("mouth", _at(0, low + 0.55, 0.8), own.uniform(0.06, 0.16)), ("nose", _at(0, low + 0.3, 0.95), 0.06)]
    head.ball(str(own.choice(["skin", "fur"], p=[0.75, 0.25])), _at(0, 0, 0), skull, tuple(face))
    kind = own.random()
    if kind < 0.65:
        long = own.uniform(0.0, 0.9)
        head.ball("hair", _at(0, -0.12 + long * 0.5, -0.3), skull * _at(1.12, 1.08 + long * 0.5, 0.95))
        for x in own.uniform(-0.6, 0.6, int(own.integers(1, 4))):
            head.ball("hair", _at(float(x), -0.62, 0.6), _at(own.uniform(0.3, 0.6), own.uniform(0.22, 0.4), 0.3))
        if own.random() < 0.5:  # bunches
            for side in (-1, 1):
                head.ball("hair", _at(side * 1.1, own.uniform(-0.5, 0.6), -0.3), own.uniform(0.25, 0.5, 3))
    elif kind < 0.85:
        for side in (-1, 1):  # ears upright
            head.ball("fur2", _at(side * 0.6, -1.0, -0.1), _at(0.2, own.uniform(0.3, 0.7), 0.15))
    if own.random() < 0.4:
        head.ball("hat", _at(0, -0.75, -0.05), _at(0.85, 0.5, 0.85))
        head.ball("hat2", _at(0, -0.5, own.uniform(0.02, 0.5)), _at(1.05, 0.14, 1.0))
    if own.random() < 0.2:
        for side in (-1, 1):
            head.rod("horn", _at(side * 0.5, -0.8, 0.2), _at(side * 0.9, -1.4, 0.1), (0.16, 0.03))


def _spot(axes: Points, center: Points, towards: Points, size: float) -> tuple[Points, float]:
    """The outline of a disc on an ellipsoid, and how much it faces the viewer."""
    normal = np.linalg.inv(axes).T @ (unit := towards / np.linalg.norm(towards))
    normal /= np.linalg.norm(normal)
    across = np.cross(normal, _DOWN)
    across /= np.linalg.norm(across) + 1e-6
    tangents = np.stack([across, np.cross(normal, across)])
    return np.asarray((center + axes @ unit + _CIRCLE @ tangents * size)[:, :2], np.float32), float(normal[2])
