"""The joints of a person's body in one view, and its limbs with sleeves, trousers and shoes.

``own`` generators say how it is built and dressed, ``now`` how it stands. Knows no colours and no canvas.
"""

from dataclasses import dataclass

import numpy as np

from celwright.training.drawing.drawings import Drawing, chain, limb, oval, xy
from celwright.training.drawing.identity import Identity
from celwright.training.painting.shapes import Points


@dataclass(frozen=True, eq=False)
class Body:
    """Joints of one view. Half widths and heights in head units."""

    size: float
    shoulder: float
    waist: float
    hip: float
    neck: float
    top: float  # y of the shoulders
    bottom: float  # y of the hips
    arms: tuple[Points, Points]
    legs: tuple[Points, Points]


def body_of(who: Identity, now: np.random.Generator) -> Body:
    own = who.rng("build")
    size = float(np.exp(own.uniform(np.log(0.55), np.log(1.35))))
    build, curve, legs = own.uniform(0.75, 1.1), own.uniform(0.6, 1.0), own.uniform(0.85, 1.2)
    shoulder, hip = 0.98 * build * size**0.6, 0.8 * own.uniform(0.85, 1.15) * size**0.6
    turned = np.cos(now.normal(0, 0.45))
    shoulder, hip = shoulder * max(turned, 0.6), hip * max(turned, 0.7)
    top, bottom = 1.0 + 0.42 * size, 1.0 + 2.35 * size
    arm, leg = 1.35 * size, 1.75 * size * legs
    style = now.random()
    arms, feet = [], []
    for hand in (-1, 1):
        if style < 0.55 or now.random() < 0.4:  # hanging, or hand on hip
            upper = abs(now.normal(0.3, 0.22))
            lower = upper + now.choice([now.normal(-0.05, 0.2), now.normal(-1.6, 0.3)], p=[0.75, 0.25])
        else:  # raised, waving
            upper = now.uniform(0.7, 2.3)
            lower = upper + now.uniform(-0.5, 1.4)
        joints = chain((hand * shoulder * 0.88, top + 0.12 * size), (hand * upper, hand * lower), (arm, arm * 0.95))
        arms.append(joints)
        stride = abs(now.normal(0.09, 0.14))
        bend = stride + now.normal(-0.08, 0.2) * (now.random() < 0.6)
        feet.append(chain((hand * hip * 0.52, bottom), (hand * stride, hand * bend), (leg, leg)))
    return Body(size, shoulder, hip * curve, hip, 0.26 * size**0.5, top, bottom, (arms[0], arms[1]), (feet[0], feet[1]))


def add_legs(who: Identity, drawing: Drawing, body: Body, outfit: str) -> None:
    own = who.rng("legs")
    boots, socks = own.uniform(0.0, 0.9) * (own.random() < 0.6), own.uniform(0.3, 0.9) * (own.random() < 0.3)
    thick, wide = own.uniform(0.26, 0.4) * body.size**0.7, own.uniform(1.0, 1.6)
    toe = own.uniform(0.26, 0.4) * body.size**0.7
    trousers, short = outfit in ("trousers", "suit"), outfit == "shorts"
    for hand, joints in zip((-1, 1), body.legs, strict=True):
        _, knee, foot = joints
        sole = foot + xy(hand * toe * 0.45, toe * 0.25)
        shoe = oval(float(sole[0]), float(sole[1]), toe, toe * 0.55, -0.15 * hand)
        if trousers:
            drawing.fill("shoes", shoe)
            drawing.fill("cloth2", limb(joints, [thick * 1.25, thick * 1.1, thick * wide]))
            drawing.stroke([knee + xy(-0.1, -0.05), knee + xy(0.06, 0.0)], 0.5)
            continue
        leg = drawing.fill("legs", limb(joints, [thick * 1.25, thick, thick * 0.62]))
        drawing.fill("shoes", shoe)
        if socks:
            up = foot + (knee - foot) * socks * 1.4
            drawing.fill("cloth3", limb([up, (up + foot) / 2, foot + xy(0, 0.1)], [thick * 1.4] * 2), 0.8, leg)
        if boots:
            up = foot + (knee - foot) * boots
            drawing.fill("shoes", limb([up, (up + foot) / 2, foot + xy(0, 0.05)], [thick * 1.15, thick * 0.8]))
        if short:
            low = joints[0] + (knee - joints[0]) * 0.6
            drawing.fill("cloth2", limb([joints[0], low], [thick * 1.35, thick * 1.45]))


def add_arm(who: Identity, drawing: Drawing, body: Body, side: int) -> None:
    own = who.rng("arms")
    sleeve = str(own.choice(["long", "short", "none", "puff", "wide"], p=[0.4, 0.25, 0.13, 0.1, 0.12]))
    gloves, cuff = own.random() < 0.2, own.random() < 0.35
    thick = own.uniform(0.2, 0.3) * body.size**0.7
    shoulder, elbow, wrist = body.arms[side]
    along = (wrist - elbow) / (np.linalg.norm(wrist - elbow) + 1e-6)
    palm = wrist + along * 0.2 * body.size**0.7
    skin = "gloves" if gloves else "skin"
    across = np.array([-along[1], along[0]]) * (1 if side else -1)
    fist = 0.25 * body.size**0.6
    drawing.fill(
        skin, limb([palm - across * fist * 0.4, palm - across * fist * 1.2 + along * 0.1], [fist * 0.35, fist * 0.3])
    )
    hand = drawing.fill(
        skin, oval(float(palm[0]), float(palm[1]), fist, fist * 0.8, float(np.arctan2(along[1], along[0])))
    )
    for shift in (-0.3, 0.15):
        drawing.stroke(
            [palm + along * fist * 0.35 + across * fist * shift, palm + along * fist + across * fist * shift], 0.5, hand
        )
    if sleeve in ("none", "short", "puff"):
        drawing.fill("skin", limb([shoulder, elbow, wrist], [thick, thick * 0.9, thick * 0.7]))
        if gloves:
            drawing.fill("gloves", limb([(elbow + wrist) / 2, wrist + along * 0.1], [thick * 0.95, thick * 0.8]))
    if sleeve == "short":
        drawing.fill("cloth", limb([shoulder, (shoulder + elbow) / 2], [thick * 1.35, thick * 1.45]))
    elif sleeve == "puff":
        middle = shoulder + (elbow - shoulder) * 0.3
        drawing.fill("cloth", oval(float(middle[0]), float(middle[1]), thick * 2, thick * 1.7))
    elif sleeve in ("long", "wide"):
        end = 2.3 if sleeve == "wide" else 1.05
        drawing.fill("cloth", limb([shoulder, elbow, wrist], [thick * 1.3, thick * 1.2, thick * end]))
        drawing.stroke([elbow - along * 0.15 - across * thick * 0.9, elbow + along * 0.05 - across * thick * 0.2], 0.5)
        if cuff:
            drawing.fill("trim", limb([wrist - along * 0.16, wrist + along * 0.08], [thick * end * 1.15] * 2))
