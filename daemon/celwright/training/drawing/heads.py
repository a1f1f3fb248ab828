"""Heads of people: skull, face and expression under a turn of the head. Hair is in hairdos.py, hats too.

``own`` generators say who it is, ``now`` how it is seen. Knows no colours and no canvas.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from celwright.training.drawing.drawings import Drawing, oval
from celwright.training.drawing.identity import Identity
from celwright.training.painting import shapes
from celwright.training.painting.shapes import Points

NECK = (0.0, 0.95)


@dataclass(frozen=True, eq=False)
class Head:
    """``turn`` and ``tilt`` in radians; ``behind``: seen from the back; ``sway`` how far the wind carries hair."""

    turn: float
    tilt: float
    behind: bool
    sway: float
    nod: float

    @staticmethod
    def seen(who: Identity, now: np.random.Generator) -> "Head":
        turn = float(np.clip(now.normal(0, 0.38), -0.85, 0.85))
        return Head(
            turn,
            float(now.normal(0, 0.16)),
            bool(now.random() < 0.06),
            float(now.normal(0, 0.25)),
            float(now.normal(0, 0.08)),
        )

    def on(self, points: ArrayLike, depth: float = 1.0) -> Points:
        """Where points drawn on the front of an upright head come to lie; ``depth`` 0 is at the ears, 1 the face."""
        flat = np.asarray(points, np.float32)
        x, y = flat[:, 0], flat[:, 1]
        bulge = np.sqrt(np.clip(1.02 - (x / 1.1) ** 2, 0.05, 1)) * 0.75 * depth
        return np.stack([x * np.cos(self.turn) + bulge * np.sin(self.turn), y + self.nod * bulge], 1).astype(np.float32)


def add_head(who: Identity, now: np.random.Generator, drawing: Drawing, head: Head) -> None:
    own = who.rng("head")
    drawing.place(head.tilt, NECK)
    jaw, chin, cheek = own.uniform(0.45, 0.75), own.uniform(0.88, 1.06), own.uniform(0.02, 0.25)
    elf, ear = own.random() < 0.12, own.uniform(0.16, 0.24)
    ears = own.random() < 0.75
    if ears:
        for hand in (-1, 1):
            x = hand * 0.88 * np.cos(head.turn * 0.6) - 0.25 * np.sin(head.turn)
            shape = oval(x + hand * 0.06, 0.12, ear * 0.75, ear * 1.25, -0.2 * hand)
            if elf:
                shape = np.array([(x, 0.28), (x + hand * 0.75, -0.32), (x + hand * 0.1, -0.18)], np.float32)
            drawing.fill("skin", shape)
    lean = 0.28 * np.sin(head.turn)
    right = [(0.88, -0.45), (0.87, 0.12), (jaw, 0.55 + cheek), (0.16, chin - 0.06)]
    left = [(-x, y) for x, y in reversed(right)]
    outline = np.array([(-0.55, -0.95), (0.55, -0.95), *right, (0, chin), *left], np.float32)
    outline[:, 0] += lean * np.clip((outline[:, 1] + 0.1) / 1.0, 0, 1) ** 1.2
    outline[:, 1] += head.nod * np.clip(outline[:, 1], 0, 1)
    skull = drawing.fill("hair" if head.behind else "skin", outline)
    if not head.behind:
        _add_face(who, now, drawing, head, skull)


def _add_face(who: Identity, now: np.random.Generator, drawing: Drawing, head: Head, skull: int) -> None:
    own = who.rng("face")
    wide, high = own.uniform(0.19, 0.29), own.uniform(0.15, 0.34)
    level, apart, slant = own.uniform(0.05, 0.2), own.uniform(0.4, 0.48), own.normal(0, 0.05)
    lash, brow, lips = own.uniform(1.2, 2.6), own.uniform(0.8, 1.8), own.random() < 0.25
    marks, beard, glasses, patch = own.random() < 0.12, own.random() < 0.1, own.random() < 0.12, own.random() < 0.03
    bindi, spots = own.random() < 0.06, own.random() < 0.08
    glints = int(own.integers(1, 3))
    mouth = level + own.uniform(0.42, 0.52)
    mood = now.choice(["open", "shut", "wide"], p=[0.75, 0.12, 0.13])
    gaze = now.normal(0, 0.04) + 0.03 * np.sign(head.turn)
    if marks:
        for hand in (-1, 1):
            drawing.fill(
                "ribbon",
                head.on([(hand * 0.5, level + 0.3), (hand * 0.72, level + 0.36), (hand * 0.5, level + 0.5)]),
                0.6,
                skull,
            )
    if beard:
        jaw = [(-0.9, 0.25), (-0.5, mouth - 0.12), (0.5, mouth - 0.12), (0.9, 0.25), (0.7, 1.3), (-0.7, 1.3)]
        drawing.fill("hair", head.on(jaw), 0.8, skull)
    for hand in (-1, 1):
        x = hand * apart
        if patch and hand == 1:
            drawing.fill("trim", head.on(oval(x, level, wide * 1.2, high * 1.1)), 1.0, skull)
            continue
        tall = high * (1.15 if mood == "wide" else 1.0)
        lid = shapes.smooth(
            np.array(
                [(x - wide * 1.1, level + hand * slant), (x, level - tall), (x + wide * 1.1, level - hand * slant)]
            ),
            False,
        )
        if mood == "shut":
            lid[:, 1] = 2 * level - lid[:, 1] - tall * 0.3
        else:
            _add_eye(drawing, head, (x, level), gaze, (wide, tall), glints, skull)
        drawing.stroke(head.on(lid), lash, skull)
        arch = (lid if mood != "shut" else 2 * np.array([0, level]) - lid * (-1, 1)) * (1, 0.55) - (
            0,
            high * 0.75 + 0.12,
        )
        arch[:, 1] += hand * now.normal(0, 0.03)
        drawing.stroke(head.on(arch), brow, skull)
    if glasses:
        for hand in (-1, 1):
            ring = head.on(oval(hand * apart, level, wide * 1.35, max(high, 0.2) * 1.3))
            drawing.stroke(np.concatenate([ring, ring[:1]]), 1.2, skull)
        drawing.stroke(head.on([(-apart + wide * 1.3, level), (apart - wide * 1.3, level)]), 1.2, skull)
    if spots:
        for x, y in own.uniform((-0.6, 0.2), (0.6, 0.45), (6, 2)):
            drawing.stroke(head.on([(x, y), (x + 0.02, y + 0.02)]), 0.8, skull)
    if bindi:
        drawing.fill("ribbon", head.on(oval(0, -0.35, 0.09, 0.12)), 0.7, skull)
    drawing.stroke(head.on([(0.0, mouth - 0.24), (0.05 * np.sign(head.turn + 0.01), mouth - 0.17)], 1.1), 0.6, skull)
    _add_mouth(now, drawing, head, mouth, lips, skull)


def _add_eye(
    drawing: Drawing,
    head: Head,
    center: tuple[float, float],
    gaze: float,
    radii: tuple[float, float],
    glints: int,
    skull: int,
) -> None:
    (x, y), (wide, high) = center, radii
    white = drawing.fill("white", head.on(oval(x, y, wide, high)), 0.4, skull, shaded=False)
    iris = drawing.fill("eye", head.on(oval(x + gaze, y, wide * 0.68, high * 0.9)), 0.6, white, shaded=False)
    drawing.fill("pupil", head.on(oval(x + gaze, y, wide * 0.3, high * 0.42)), 0.0, iris, shaded=False)
    drawing.shade(head.on(oval(x, y - high * 1.0, wide * 1.2, high * 0.75)), white)
    for i in range(glints):
        spot = (x + gaze - wide * (0.25 - 0.5 * i), y - high * (0.38 - 0.7 * i))
        drawing.glint(head.on(oval(*spot, wide * (0.22 - 0.08 * i), high * (0.2 - 0.07 * i))), iris)


def _add_mouth(now: np.random.Generator, drawing: Drawing, head: Head, y: float, lips: bool, skull: int) -> None:
    wide = now.uniform(0.1, 0.26)
    bow = now.normal(0.04, 0.05)
    if now.random() < 0.35:
        tall = now.uniform(0.05, 0.17)
        drawing.fill(
            "mouth",
            head.on([(-wide, y), (0, y - 0.02), (wide, y), (wide * 0.6, y + tall), (-wide * 0.6, y + tall)]),
            0.8,
            skull,
            False,
        )
    elif lips:
        drawing.fill("mouth", head.on([(-wide, y), (0, y - 0.06), (wide, y), (0, y + 0.1 + bow)]), 0.5, skull, False)
        drawing.stroke(head.on([(-wide, y), (0, y + 0.01), (wide, y)]), 0.7, skull)
    else:
        drawing.stroke(head.on([(-wide, y), (0, y + bow), (wide, y)]), 0.8, skull)
