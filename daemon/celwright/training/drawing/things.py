"""Robots, and things made of lumps, so that correspondence is learnt from shapes of any kind.

``own`` generators say what it is, ``now`` how it stands. Knows no colours and no canvas.
"""

import numpy as np

from celwright.training.drawing.drawings import Drawing, add_pattern, box, chain, limb, oval
from celwright.training.drawing.identity import Identity
from celwright.training.painting import shapes
from celwright.training.painting.shapes import Points

_THINGS = ("thing0", "thing1", "thing2", "thing3", "thing4")


def robot(who: Identity, now: np.random.Generator) -> Drawing:
    """A machine of boxes, barrels and hoses."""
    drawing = Drawing()
    own = who.rng("machine")
    head, chest, hip = own.uniform((0.6, 0.5), (1.0, 0.85)), own.uniform((0.8, 0.8), (1.6, 1.5)), own.uniform(0.5, 1.0)
    thick, arm, leg = own.uniform(0.15, 0.38), own.uniform(0.8, 1.4), own.uniform(0.5, 1.3)
    rounded, visor, wheel, claw = own.random() < 0.5, own.random() < 0.5, own.random() < 0.25, own.random() < 0.5
    lamps, aerials, grille = int(own.integers(1, 5)), int(own.integers(0, 3)), own.random() < 0.5
    turn, tilt = float(now.uniform(-0.25, 0.25)), float(now.normal(0, 0.15))
    top = head[1] + 0.25
    low = top + 2 * chest[1]
    for hand in (-1, 1):
        if wheel:
            drawing.fill("shoes", oval(hand * hip, low + 0.5, 0.55, 0.55))
            drawing.fill("metal", oval(hand * hip, low + 0.5, 0.25, 0.25))
        else:
            spread = now.normal(0.05, 0.15)
            joints = chain((hand * hip * 0.7, low), (hand * spread, hand * spread * 0.3), (leg, leg))
            drawing.fill("cloth2", limb(joints, [thick, thick * 1.2]))
            drawing.fill("metal", oval(float(joints[1][0]), float(joints[1][1]), thick * 1.15, thick * 1.15))
            drawing.fill("shoes", box(float(joints[2][0]) + hand * 0.1, float(joints[2][1]), 0.48, 0.22), round=rounded)
    drawing.fill("cloth2", box(0, top, 0.28, 0.4), round=False)
    corners = box(0, top + chest[1], chest[0], chest[1])
    trunk = drawing.fill(
        "cloth",
        corners * (np.array([1, 1]) if rounded else np.array([[1, 1], [1, 1], [0.7, 1], [0.7, 1]])),
        round=rounded,
    )
    plate = drawing.fill(
        "panel", box(turn * 0.6, top + chest[1] * 0.8, chest[0] * 0.55, chest[1] * 0.4), 0.9, trunk, round=False
    )
    for i in range(lamps):
        drawing.fill(
            "lamp", oval(turn * 0.6 + (i - (lamps - 1) / 2) * 0.32, top + chest[1] * 0.8, 0.11, 0.11), 0.8, plate
        )
    drawing.fill("trim", box(0, low - 0.15, chest[0] * 1.2, 0.14), 0.8, trunk, round=False)
    for hand in (-1, 1):
        upper = now.uniform(0.1, 1.8)
        joints = chain(
            (hand * chest[0] * 0.98, top + 0.25), (hand * upper, hand * (upper + now.uniform(-1.0, 0.8))), (arm, arm)
        )
        drawing.fill("cloth2", limb(joints, [thick, thick * 0.9]))
        drawing.fill("metal", oval(float(joints[1][0]), float(joints[1][1]), thick * 1.1, thick * 1.1))
        drawing.fill("cloth", oval(float(joints[0][0]), float(joints[0][1]), thick * 1.7, thick * 1.7))
        x, y = joints[2].tolist()
        drawing.fill("gloves", oval(x, y, 0.26, 0.26))
        if claw:
            for s in (-1, 1):
                drawing.fill(
                    "gloves",
                    limb(
                        [(x + s * 0.15, y + 0.1), (x + s * 0.32, y + 0.35), (x + s * 0.1, y + 0.6)], [0.09, 0.09, 0.03]
                    ),
                )
    drawing.place(tilt, (0, head[1]))
    for i in range(aerials):
        x = (i - (aerials - 1) / 2) * 0.9
        drawing.stroke([(x, -head[1]), (x * 1.2, -head[1] - 0.5)], 1.5)
        drawing.fill("lamp", oval(x * 1.2, -head[1] - 0.55, 0.12, 0.12))
    drawing.fill("metal", box(0, 0, head[0] + 0.18, 0.2), round=False)
    skull = drawing.fill("cloth3", box(0, 0, head[0], head[1]), round=rounded)
    if visor:
        glass = drawing.fill("eye", box(turn, -0.08, head[0] * 0.72, 0.22), 1.0, skull, False)
        drawing.glint([(turn - 0.5, -0.25), (turn - 0.3, -0.25), (turn - 0.45, 0.1), (turn - 0.65, 0.1)], glass, False)
    else:
        for hand in (-1, 1):
            ball = drawing.fill("white", oval(turn + hand * head[0] * 0.42, -0.08, 0.24, 0.24), 1.0, skull, False)
            drawing.fill("eye", oval(turn * 1.3 + hand * head[0] * 0.42, -0.08, 0.13, 0.13), 0.7, ball, False)
    for x in np.linspace(-0.3, 0.3, 4) if grille else ():
        drawing.stroke([(turn + x, head[1] * 0.4), (turn + x, head[1] * 0.75)], 0.7, skull)
    return drawing


def thing(who: Identity, now: np.random.Generator) -> Drawing:
    """Lumps, plates and stalks hung on one another: what it is nobody knows, but it is the same in every view."""
    drawing = Drawing()
    own = who.rng("thing")
    count = int(own.integers(2, 7))
    angles, radii = [0.0], [1.5]
    places: list[Points] = [np.zeros(2, np.float32)]
    bend = float(now.normal(0, 0.22))
    for number in range(count):
        radius = own.uniform(0.3, 1.1) if number else own.uniform(1.1, 1.7)
        contour = shapes.blob(own, np.zeros(2, np.float32), radius) if own.random() < 0.6 else _made(own, radius)
        parent = int(own.integers(0, max(number, 1)))
        where = own.uniform(0, 2 * np.pi)
        angle = angles[parent] + float(now.normal(0, 0.2)) + bend * (number > 0)
        reach = radii[parent] * own.uniform(0.5, 0.95)
        spot = places[parent] + np.array([np.cos(where + angle), np.sin(where + angle)]) * reach * (number > 0)
        part, inner = _THINGS[int(own.integers(5))], int(own.integers(0, 3))
        placed = shapes.turned(contour * now.normal(1, 0.06, 2), angle) + spot
        whole = drawing.fill(part, placed, round=False)
        for _ in range(inner):
            at, size = own.uniform(-0.6, 0.6, 2) * radius, radius * own.uniform(0.2, 0.5)
            inlay = shapes.turned(shapes.blob(own, at.astype(np.float32), size), angle) + spot
            if own.random() < 0.65:
                drawing.fill(_THINGS[int(own.integers(5))], inlay, 0.8, whole, round=False)
            else:
                drawing.stroke(inlay[:: max(1, len(inlay) // 9)][:7], 0.7, whole)
        if own.random() < 0.3:
            turn, shift = drawing.turn, drawing.shift
            drawing.place(angle)
            drawing.shift = spot.astype(np.float32)
            span = np.full(2, radius, np.float32)
            add_pattern(own, drawing, whole, _THINGS[int(own.integers(5))], -span, span)
            drawing.turn, drawing.shift = turn, shift
        angles.append(angle)
        radii.append(radius)
        places.append(spot.astype(np.float32))
    if own.random() < 0.3:  # it lives
        for hand in (-1, 1):
            ball = drawing.fill("white", oval(hand * 0.4, 0, 0.27, 0.32), shaded=False)
            drawing.fill("pupil", oval(hand * 0.4 + float(now.normal(0, 0.05)), 0.03, 0.12, 0.16), 0.5, ball, False)
    return drawing


def _made(own: np.random.Generator, radius: float) -> Points:
    """The outline of something that was made: a bar, a bottle, a cup, a wheel, a gem."""
    kind = int(own.integers(5))
    wide, high = own.uniform(0.25, 1.0) * radius, own.uniform(0.6, 1.3) * radius
    if kind == 0:
        return box(0, 0, wide, high)
    if kind == 1:
        half = [(0.3 * wide, -high), (0.3 * wide, -0.4 * high), (wide, -0.1 * high), (wide, high)]
    elif kind == 2:
        half = [(wide, -high * 0.6), (0.9 * wide, high * 0.2), (0.5 * wide, high * 0.8)]
    elif kind == 3:
        return oval(0, 0, wide, wide)
    else:
        half = [(0.6 * wide, -high * 0.7), (wide, -high * 0.3), (0.02, high)]
    return np.array(half + [(-x, y) for x, y in reversed(half)], np.float32)
