"""Animals: beasts on four legs and birds on two.

``own`` generators say what it is, ``now`` how it stands. Knows no colours and no canvas.
"""

import numpy as np

from celwright.training.drawing.drawings import Drawing, chain, limb, oval, xy
from celwright.training.drawing.identity import Identity


def animal(who: Identity, now: np.random.Generator) -> Drawing:
    """A beast on four legs, or a bird on two, seen from the side with the head turned our way."""
    drawing = Drawing()
    own = who.rng("beast")
    long, tall, leg = own.uniform(1.3, 2.4), own.uniform(0.75, 1.25), own.uniform(0.8, 2.0)
    thick, neck, bird = own.uniform(0.18, 0.34), own.uniform(0.0, 1.0), own.random() < 0.2
    tail, bushy, mane, collar = own.uniform(0.4, 2.4), own.uniform(0.08, 0.4), own.random() < 0.25, own.random() < 0.35
    spots, socks = own.uniform((-1, -1), (1, 1), (int(own.integers(0, 7)), 2)), own.random() < 0.4
    facing, lift = float(now.choice([-1, 1])), now.uniform(-0.3, 0.4)
    drawing.turn = np.array([[facing, 0], [0, 1]], np.float32)
    middle = np.array([long * 0.9, 1.2 + neck * 0.8])
    pose = float(now.normal(0, 0.12))
    ground = middle[1] + tall * 0.6
    rump = middle + xy(long * 0.85, -tall * 0.2)
    swing = now.normal(0, 0.5)
    joints = chain(rump, [1.9 + swing, 2.4 + swing, 2.6 - swing], [tail * 0.5] * 3)
    brush = drawing.fill("fur", limb(joints, [thick * 0.6, bushy * 1.2 + 0.06, bushy + 0.06, 0.04]))
    drawing.fill(
        "fur2", oval(float(joints[-1][0]), float(joints[-1][1]), bushy * 1.6 + 0.2, bushy * 1.6 + 0.2), 0.7, brush
    )
    for near in (False, True):
        if near:
            if bird:
                wing = chain(middle + xy(-0.2, -0.2), [1.4 + swing, 1.7 + swing], [long * 0.6] * 2)
            trunk = drawing.fill("fur", oval(float(middle[0]), float(middle[1]), long, tall, pose))
            drawing.fill(
                "fur2", oval(float(middle[0]), float(middle[1] + tall * 0.75), long * 0.8, tall * 0.5, pose), 0.6, trunk
            )
            for x, y in spots:
                spot = oval(middle[0] + x * long, middle[1] + y * tall, 0.25 + 0.1 * x, 0.2 + 0.08 * y)
                drawing.fill("nose" if spots[0, 0] > 0 else "fur2", spot, 0.7, trunk)
        for x in (0.15,) if bird else (-0.68, 0.68):
            stride = now.normal(0, 0.25)
            leg_joints = chain(
                (middle[0] + x * long + (0.22 if near else -0.1), ground - 0.2),
                [stride, stride * -0.6],
                [leg * 0.55] * 2,
            )
            shape = drawing.fill(
                "horn" if bird else "fur", limb(leg_joints, [thick * (0.5 if bird else 1.2), thick * 0.7, thick * 0.75])
            )
            foot = leg_joints[-1]
            drawing.fill(
                "horn" if bird else "fur2" if socks else "fur",
                oval(foot[0] - 0.12, foot[1], thick * 1.1, thick * 0.7),
                0.8,
                -1 if not socks else shape,
            )
    if bird:
        cover = drawing.fill("fur2", limb(wing, [0.3, tall * 0.5, 0.06]))
        drawing.stroke([wing[0], wing[1], wing[2] - (0.2, 0)], 0.6, cover)
    drawing.turn = np.eye(2, dtype=np.float32)
    throat = [middle * (facing, 1) + xy(-facing * long * 0.6, -0.1), (0.0, 0.2)]
    drawing.fill("fur", limb(np.array(throat), [tall * 0.5, tall * 0.5, 0.45]))
    if collar:
        drawing.fill("ribbon", oval(facing * 0.12, 0.75, 0.55, 0.17, -0.2 * facing))
        drawing.fill("metal", oval(facing * 0.05, 0.95, 0.12, 0.13))
    _add_snout(who, now, drawing, facing, lift, mane, bird)
    return drawing


def _add_snout(
    who: Identity, now: np.random.Generator, drawing: Drawing, facing: float, lift: float, mane: bool, bird: bool
) -> None:
    own = who.rng("snout")
    wide, muzzle, ear, drop = (
        own.uniform(0.75, 1.05),
        own.uniform(0.3, 0.55),
        own.uniform(0.3, 1.1),
        own.random() < 0.35,
    )
    eye, horns, blaze = own.uniform(0.11, 0.2), own.random() < 0.25, own.random() < 0.4
    turn = -facing * now.uniform(0.0, 0.35)
    drawing.place(float(now.normal(0, 0.15)), (0, 0.5))
    if mane:
        angle = np.linspace(0, 2 * np.pi, 26, endpoint=False)
        reach = np.where(np.arange(26) % 2, 1.45, 1.15) * wide
        drawing.fill("hair", np.stack([np.cos(angle) * reach, np.sin(angle) * reach], 1), round=False)
    for hand in () if bird else (-1, 1):
        x = hand * wide * 0.66
        tip = (x + hand * 0.75, -0.1 + ear * 0.6) if drop else (x + hand * 0.18, -0.75 - ear)
        outer = drawing.fill(
            "fur", limb([(x, -0.5), ((x + tip[0]) / 2 + hand * 0.1, (tip[1] - 0.6) / 2), tip], [0.28, 0.3, 0.05])
        )
        drawing.fill(
            "nose",
            limb([(x, -0.5), ((x + tip[0]) / 2 + hand * 0.1, (tip[1] - 0.6) / 2), tip], [0.14, 0.15, 0.01]),
            0.6,
            outer,
        )
        if horns:
            drawing.fill("horn", limb([(x * 0.6, -0.6), (x * 0.9, -1.1), (x * 0.7, -1.6)], [0.14, 0.1, 0.01]))
    skull = drawing.fill("fur", oval(0, 0, wide, 0.82 + 0.1 * muzzle))
    if blaze:
        drawing.fill("fur2", oval(turn, -0.45, 0.17, 0.6), 0.6, skull)
    for hand in (-1, 1):
        ball = drawing.fill("white", oval(turn + hand * 0.4, -0.1, eye * 1.2, eye * 1.5), 1.0, skull, False)
        drawing.fill("eye", oval(turn * 1.2 + hand * 0.4, -0.1, eye * 0.8, eye * 1.2), 0.5, ball, False)
        drawing.fill("pupil", oval(turn * 1.3 + hand * 0.4, -0.1, eye * 0.4, eye * 0.8), 0.0, ball, False)
        drawing.glint(oval(turn + hand * 0.4 - 0.06, -0.2, 0.05, 0.06), ball)
    if bird:
        drawing.fill("horn", [(turn - 0.25, 0.15), (turn + 0.25, 0.15), (turn * 3, 0.15 + muzzle * 1.4)])
        drawing.stroke([(turn - 0.2, 0.22), (turn * 2, 0.32)], 0.6)
        return
    drawing.fill("fur2", oval(turn * 1.4, 0.42, muzzle * 1.1, muzzle * 0.75))
    drawing.fill("nose", [(turn * 1.5 - 0.15, 0.2), (turn * 1.5 + 0.15, 0.2), (turn * 1.5, 0.36)], shaded=False)
    for hand in (-1, 1):
        drawing.stroke(
            [(turn * 1.5, 0.36), (turn * 1.5 + hand * 0.1, 0.55), (turn * 1.5 + hand * 0.25, 0.5 + lift * 0.2)], 0.7
        )
