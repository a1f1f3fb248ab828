"""What people wear on their heads: hats, caps, crowns, ribbons, and what grows there: ears and horns.

Knows no colours and no canvas.
"""

import numpy as np

from celwright.training.drawing.drawings import Drawing, limb, oval, xy
from celwright.training.drawing.hairdos import cap_arc
from celwright.training.drawing.heads import Head
from celwright.training.drawing.identity import Identity


def add_headwear(who: Identity, now: np.random.Generator, drawing: Drawing, head: Head) -> None:
    own = who.rng("headwear")
    pick, size, place = own.random(), own.uniform(0.8, 1.3), own.uniform(-0.9, 0.9)
    both, patterned = own.random() < 0.4, own.random() < 0.5
    shift, hands = -0.15 * np.sin(head.turn), (-1, 1)
    if pick < 0.16:  # ears or horns
        for hand in hands:
            x = hand * 0.62 * np.cos(head.turn) + shift
            if size < 0.95:
                drawing.fill(
                    "horn", limb([(x, -1.0), (x + hand * 0.4, -1.35), (x + hand * 0.3, -1.9 * size)], [0.2, 0.17, 0.02])
                )
            elif size < 1.15:
                ear = drawing.fill("hair", [(x - 0.36, -0.95), (x + hand * 0.2, -1.95), (x + 0.36, -0.95)], round=False)
                drawing.fill(
                    "ribbon", [(x - 0.17, -0.9), (x + hand * 0.13, -1.62), (x + 0.17, -0.9)], 0.7, ear, round=False
                )
            else:
                ear = drawing.fill(
                    "fur",
                    limb([(x, -1.0), (x + hand * 0.15, -1.8), (x + hand * 0.3 + head.sway, -2.5)], [0.2, 0.32, 0.1]),
                )
                drawing.fill(
                    "fur2",
                    limb([(x, -1.0), (x + hand * 0.15, -1.8), (x + hand * 0.3 + head.sway, -2.3)], [0.1, 0.17, 0.02]),
                    0.7,
                    ear,
                )
    elif pick < 0.28:  # ribbons or flowers
        for x in (-abs(place), abs(place)) if both else (place,):
            y = -1.28 + 0.45 * x**2
            for hand in hands:
                drawing.fill(
                    "ribbon",
                    np.array([(x, y), (x + hand * 0.5 * size, y - 0.3), (x + hand * 0.55 * size, y + 0.22)])
                    + xy(shift, 0),
                )
            drawing.fill("trim", oval(x + shift, y, 0.12, 0.13))
    elif pick < 0.35:  # hairband
        band = [(-1.05, -0.35), (-0.85, -0.9), (0, -1.22), (0.85, -0.9), (1.05, -0.35)]
        drawing.fill("ribbon", limb(np.array(band) + xy(shift, 0), [0.09, 0.11, 0.09]))
    elif pick < 0.42:  # witch's hat
        crown = [(-0.75, -0.95), (-0.4, -1.7), (0.35 * place - head.sway, -2.7 * size), (0.45, -1.6), (0.75, -0.95)]
        cone = drawing.fill("hat", np.array(crown) + xy(shift, 0), round=False)
        drawing.fill(
            "hat2", np.array([(-1, -1.2), (1, -1.2), (1, -0.8), (-1, -0.8)]) + xy(shift, 0), 0.8, cone, round=False
        )
        drawing.fill("hat", oval(shift, -0.82, 1.7 * size, 0.24, 0.05))
    elif pick < 0.5:  # cap
        dome = [(-1.06, -0.6), (-0.85, -1.2), (0, -1.5), (0.85, -1.2), (1.06, -0.6)]
        top = drawing.fill("hat", np.concatenate([cap_arc(np.array(dome)), [(0, -0.5)]]) + xy(shift, 0), round=False)
        if patterned:
            drawing.fill(
                "hat2",
                np.array([(-0.4, -1.7), (0.4, -1.7), (0.45, 0), (-0.45, 0)]) + xy(shift * 3, 0),
                0.8,
                top,
                round=False,
            )
        x = 0.75 * np.sin(head.turn)
        drawing.fill("hat2", np.array([(x - 0.8, -0.62), (x, -0.72), (x + 0.8, -0.62), (x * 1.4, -0.28)]))
    elif pick < 0.55:  # crown
        xs = np.linspace(-0.55, 0.55, 7)
        spikes = np.stack([xs, np.where(np.arange(7) % 2, -1.75 * size, -1.35)], 1)
        ring = drawing.fill("metal", np.concatenate([spikes, [(0.5, -1.0), (-0.5, -1.0)]]) + xy(shift, 0), round=False)
        drawing.fill("ribbon", oval(shift, -1.2, 0.12, 0.12), 0.7, ring)
    elif pick < 0.6:  # beret
        drawing.fill("hat", oval(0.25 * np.sign(place) + shift, -1.12, 1.05 * size, 0.42, 0.25 * float(np.sign(place))))
        drawing.stroke([(0.25 * np.sign(place), -1.5), (0.3 * np.sign(place), -1.65)], 1.4)
    elif pick < 0.64:  # headphones
        drawing.stroke(
            np.array([(-1.05, -0.1), (-0.9, -1.0), (0, -1.45), (0.9, -1.0), (1.05, -0.1)]) + xy(shift, 0), 2.2
        )
        for hand in hands:
            drawing.fill("metal", oval(hand * 1.03 + shift, 0.1, 0.22, 0.34))
    elif pick < 0.68:  # halo
        outer, inner = oval(shift, -1.75, 0.8, 0.2), oval(shift, -1.75, 0.6, 0.1)[::-1]
        drawing.fill(
            "lamp",
            np.concatenate([outer, outer[:1], inner, inner[:1]]),
            round=False,
        )
