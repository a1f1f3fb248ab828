"""What a person wears on the trunk and behind it: dress, jacket, collar, belt, cape, wings, tail.

``own`` generators say what it is, ``now`` how it swings. Knows no colours and no canvas.
"""

from itertools import pairwise

import numpy as np

from celwright.training.drawing.bodies import Body
from celwright.training.drawing.drawings import Drawing, add_pattern, box, chain, limb, oval, xy
from celwright.training.drawing.identity import Identity
from celwright.training.painting.shapes import Points


def add_behind(who: Identity, now: np.random.Generator, drawing: Drawing, body: Body) -> None:
    """Wings, a cape, a tail."""
    own = who.rng("behind")
    wings, cape, tail = own.random() < 0.1, own.random() < 0.15, own.random() < 0.12
    span, length, feathers = own.uniform(1.4, 2.8), own.uniform(0.6, 1.0), int(own.integers(3, 6))
    thick, flare = own.uniform(0.1, 0.3), own.uniform(1.1, 1.7)
    if wings:
        lift = now.uniform(-0.8, 0.5)
        for hand in (-1, 1):
            tip = np.array([hand * (body.shoulder + span), body.top - 0.6 + lift])
            root = np.array([hand * 0.2, body.top + 0.5])
            low = [tip + (root + xy(0, 1.4) - tip) * (i / feathers) for i in range(feathers + 1)]
            edge: list[Points] = []
            for one, two in pairwise(low):
                edge += [one, (one + two) / 2 + np.array([hand * 0.2, 0.55]), two]
            drawing.fill("cape", [root, (root + tip) / 2 - (0, 0.7), *edge], round=True)
    if cape:
        bottom = body.top + (body.size * 4.6) * length
        sway = now.normal(0, 0.5)
        hem = body.shoulder * flare + now.uniform(0, 0.6)
        outline = [(-body.shoulder, body.top), (body.shoulder, body.top), (hem + sway, bottom)]
        outline += [(sway + hem * 0.3, bottom - 0.25), (sway - hem * 0.3, bottom + 0.1), (sway - hem, bottom)]
        drawing.fill("cape", outline)
    if tail:
        side = float(now.choice([-1, 1]))
        curl = now.uniform(0.3, 1.2)
        joints = chain(
            (0, body.bottom), side * np.array([1.0, 1.6 + curl, 2.0 + curl, 1.2 + curl]), [0.8 * body.size] * 4
        )
        tube = drawing.fill("hair", limb(joints, [thick, thick * 1.4, thick * 1.6, 0.05]))
        end = joints[-1]
        drawing.fill("hair2", oval(end[0], end[1], 0.7, 0.55), 0.7, tube)


def add_clothes(
    who: Identity, now: np.random.Generator, drawing: Drawing, body: Body, outfit: str, behind: bool
) -> None:
    own = who.rng("cloth")
    s, b = body.shoulder, body
    middle = (b.top + b.bottom) / 2 + 0.1 * b.size
    neck = [(-b.neck, 0.6), (b.neck, 0.6), (b.neck * 1.15, b.top + 0.1), (-b.neck * 1.15, b.top + 0.1)]
    drawing.fill("skin", neck, round=False)
    torso = [
        (-b.neck * 1.3, b.top - 0.12),
        (b.neck * 1.3, b.top - 0.12),
        (s * 0.93, b.top + 0.02),
        (s * 0.95, b.top + 0.5 * b.size),
    ]
    torso += [(b.waist, middle), (b.hip, b.bottom), (b.hip * 0.9, b.bottom + 0.25 * b.size)]
    torso = torso + [(-x, y) for x, y in torso[:1:-1]]
    trunk = drawing.fill("metal" if outfit == "armour" else "cloth", torso)
    low, high = np.array([-s, b.top]), np.array([s, b.bottom])
    if own.random() < 0.4:
        add_pattern(own, drawing, trunk, "cloth3", low, high)
    flare, length = own.uniform(1.15, 2.0), own.uniform(0.5, 1.9)
    pleats, ruffle = own.random() < 0.5, own.random() < 0.35
    if outfit in ("dress", "skirt", "robe"):
        length = 3.3 if outfit == "robe" else length
        flare = min(flare, 1.4) if outfit == "robe" else flare
        hem, y = b.hip * flare + 0.3 * length * b.size, b.bottom + length * b.size
        sway = float(now.normal(0, 0.15)) * length
        start = middle + 0.15 * b.size if outfit == "dress" else b.bottom - 0.35 * b.size
        waves = [(hem * x + sway, y + 0.09 * (-1) ** i) for i, x in enumerate(np.linspace(1, -1, 7))]
        cloth = drawing.fill("cloth2" if outfit == "skirt" else "cloth", [(-b.waist, start), (b.waist, start), *waves])
        if own.random() < 0.4 or ruffle:
            add_pattern(own, drawing, cloth, "trim", np.array([-hem, start]), np.array([hem, y]))
        for x in (-0.5, 0.0, 0.5) if pleats else ():
            drawing.stroke(
                [(x * b.waist, start + 0.25), (x * hem * 0.7 + sway * 0.6, (start + y) / 2), (x * hem + sway, y)],
                0.6,
                cloth,
            )
    if not behind:
        _add_details(own, drawing, body, trunk, middle, outfit)


def _add_details(
    own: np.random.Generator, drawing: Drawing, body: Body, trunk: int, middle: float, outfit: str
) -> None:
    """Collar, lapels, tie, buttons, belt, apron, scarf."""
    b, s = body, body.shoulder
    has = own.random(8)
    deep, wide = own.uniform(0.2, 0.8) * b.size, own.uniform(0.4, 0.95)
    if outfit == "suit" or has[0] < 0.12:
        drawing.fill(
            "cloth3",
            [(-0.3, b.top - 0.2), (0.3, b.top - 0.2), (0.12, middle), (-0.12, middle)],
            0.8,
            trunk,
            round=False,
        )
        drawing.fill(
            "ribbon",
            [(-0.12, b.top), (0.12, b.top), (0.16, middle - 0.3), (0, middle), (-0.16, middle - 0.3)],
            0.8,
            trunk,
            round=False,
        )
        for hand in (-1, 1):
            lapel = [(hand * 0.3, b.top - 0.2), (hand * 0.62 * s, b.top + 0.4 * b.size), (hand * 0.1, middle)]
            drawing.fill("trim", lapel, 0.8, trunk, round=False)
    elif has[1] < 0.3:  # sailor or shirt collar
        for hand in (-1, 1):
            flap = [
                (hand * b.neck * 0.8, b.top - 0.22),
                (hand * s * wide, b.top - 0.03),
                (hand * s * wide * 0.8, b.top + deep * 0.7),
                (0, b.top + deep),
            ]
            drawing.fill("trim", flap, round=False)
        if has[2] < 0.5:
            y = b.top + deep
            for hand in (-1, 1):
                drawing.fill("ribbon", [(0, y), (hand * 0.5, y - 0.22), (hand * 0.45, y + 0.3)])
            drawing.fill("ribbon", oval(0, y, 0.1, 0.12))
    elif has[1] < 0.5:  # deep neckline
        drawing.fill("skin", [(-0.4 * s, b.top - 0.2), (0.4 * s, b.top - 0.2), (0, b.top + deep)], 0.9, trunk)
    elif has[1] < 0.62:  # scarf
        drawing.fill("ribbon", limb([(0.25, b.top), (0.4, middle - 0.2), (0.35, middle + 0.3)], [0.2, 0.24, 0.26]))
        drawing.fill("ribbon", oval(0, b.top - 0.08, 0.62 * s + 0.15, 0.24))
    if has[3] < 0.2:
        for y in np.linspace(b.top + 0.4 * b.size, b.bottom - 0.1, 4):
            drawing.fill("metal", oval(0, y, 0.07, 0.07), 0.6, trunk)
    if has[4] < 0.3:
        y = middle + 0.2 * b.size
        band = [(-s * 1.2, y - 0.1), (s * 1.2, y - 0.1), (s * 1.2, y + 0.14), (-s * 1.2, y + 0.14)]
        drawing.fill("belt", band, 0.9, trunk, round=False)
        drawing.fill("metal", box(0, y + 0.02, 0.15, 0.14), 0.7, trunk, round=False)
    if has[5] < 0.1:
        drawing.fill(
            "cloth3",
            [
                (-0.4 * s, middle - 0.5),
                (0.4 * s, middle - 0.5),
                (b.hip * 0.95, b.bottom + 1.0),
                (-b.hip * 0.95, b.bottom + 1.0),
            ],
        )
    if outfit == "armour":
        for hand in (-1, 1):
            drawing.fill("metal", oval(hand * s * 0.98, b.top + 0.1, 0.42, 0.32, 0.4 * hand))
        drawing.stroke([(0, b.top + 0.1), (0.03, middle), (0, b.bottom)], 0.8, trunk)
