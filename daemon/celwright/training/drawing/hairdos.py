"""Hair of people: what falls behind the head and what hangs before it.

Every style is drawn from a few numbers of the identity; the view brings turn, tilt and wind. Knows no colours.
"""

import numpy as np

from celwright.training.drawing.drawings import Drawing, limb, oval, xy
from celwright.training.drawing.heads import NECK, Head
from celwright.training.drawing.identity import Identity
from celwright.training.painting import shapes
from celwright.training.painting.shapes import Points

STYLES = ("short", "bob", "long", "twin", "pony", "bun", "spiky", "curly", "braid", "bald")
_SHARES = (0.14, 0.14, 0.18, 0.14, 0.1, 0.07, 0.11, 0.06, 0.04, 0.02)


def style_of(who: Identity) -> str:
    return str(who.rng("hair style").choice(STYLES, p=_SHARES))


def add_back_hair(who: Identity, now: np.random.Generator, drawing: Drawing, head: Head) -> None:
    own = who.rng("back hair")
    style = style_of(who)
    full, locks = own.uniform(1.12, 1.36), int(own.integers(4, 9))
    lengths = {"short": (0.2, 0.6), "bob": (0.7, 1.1), "long": (1.8, 4.6), "curly": (0.6, 2.4), "spiky": (0.2, 0.9)}
    length = own.uniform(*lengths.get(style, (0.25, 0.5)))
    flare, tips, tail = own.uniform(0.8, 1.35), own.random() < 0.15, own.uniform(1.4, 3.8)
    thick, high, ragged = own.uniform(0.25, 0.5), own.uniform(-0.9, -0.2), own.uniform(0.1, 0.5, 16)
    blow = head.sway
    drawing.place(head.tilt * 0.7, NECK)
    shift = -0.2 * np.sin(head.turn)
    if style == "bald":
        return
    if style in ("twin", "pony"):
        _add_tails(drawing, head, style, (tail, thick, high, flare), tips)
    if style == "bun":
        for x in (-0.75, 0.75) if thick < 0.38 else (0.0,):
            knot = drawing.fill("hair", oval(x + shift, -1.25, 0.3 + thick * 0.5, 0.3 + thick * 0.5))
            drawing.stroke([(x + shift - 0.2, -1.3), (x + shift, -1.45), (x + shift + 0.2, -1.2)], 0.6, knot)
    if style == "braid":
        for side in (-1, 1) if thick < 0.38 else (1,):
            for step in range(int(tail * 2)):
                y = 0.5 + step * 0.42
                drawing.fill(
                    "hair", oval(side * (0.95 + 0.05 * step) + blow * 0.1 * step, y, thick * 0.8, 0.28, side * 0.3)
                )
            drawing.fill("ribbon", oval(side * 1.1 + blow * 0.2 * tail, 0.5 + tail * 0.85, 0.2, 0.14))
    reach = full * 0.98
    if style in ("spiky", "curly"):
        count = locks + 9
        angle = np.linspace(0.82 * np.pi, 2.18 * np.pi, count * 2 + 1)
        outer = 1.18 + ragged[np.arange(count * 2 + 1) % 16] * 0.9
        edge = np.where(
            np.arange(count * 2 + 1) % 2,
            outer if style == "spiky" else 1.42 * full,
            1.0 if style == "spiky" else 1.22 * full,
        )
        ring = np.stack([np.cos(angle) * edge + shift, np.sin(angle) * edge - 0.1], 1)
        low = [(0.9, length), (0.5, length + 0.1), (0, length), (-0.5, length + 0.15), (-0.9, length)]
        drawing.fill(
            "hair", np.concatenate([ring, np.array(low) * (full, 1)]), round=style == "curly" or ragged[0] < 0.2
        )
        return
    xs = np.linspace(1, -1, locks * 2 + 1)
    wide = np.interp(length, (0.4, 3.0), (1.0, flare))
    drop = np.where(np.arange(len(xs)) % 2, 0.0, -1.0) * ragged[np.arange(len(xs)) % 16] * min(length, 1.2)
    hem = np.stack([xs * full * wide + blow * max(length - 0.6, 0) * 0.5 + shift, length + drop], 1)
    top = [(-reach, -0.3), (-0.72 * full, -1.05), (0, -1.38 + 0.1 * full), (0.72 * full, -1.05), (reach, -0.3)]
    flank = reach * 1.03, length * 0.45
    outline = np.concatenate(
        [cap_arc(np.array(top) + xy(shift, 0)), [(flank[0] + shift, flank[1])], hem, [(shift - flank[0], flank[1])]]
    )
    back = drawing.fill("hair", outline, round=False)
    if tips:
        low_end = length * 0.72
        drawing.fill(
            "hair2", [(-3, low_end), (0, low_end + 0.2), (3, low_end), (3, length + 1), (-3, length + 1)], 0.0, back
        )
    for x in np.linspace(-0.75, 0.75, locks - 1):
        drawing.stroke(
            [
                (x * 0.9 + shift, 0.1),
                (x * 1.05 * wide + shift, length * 0.6),
                (x * full * wide + shift + blow * max(length - 0.6, 0) * 0.5, length - 0.15),
            ],
            0.6,
            back,
        )


def cap_arc(points: Points) -> Points:
    return shapes.smooth(np.asarray(points, np.float32), closed=False, samples=4)


def _add_tails(drawing: Drawing, head: Head, style: str, build: tuple[float, float, float, float], tips: bool) -> None:
    """Tails of hair tied with ribbons: two at the sides, or one behind."""
    length, thick, high, flare = build
    for hand in (-1, 1) if style == "twin" else (1,):
        x = hand * 1.0 if style == "twin" else 0.35 - 0.9 * np.sin(head.turn)
        y = high if style == "twin" else -0.95
        out = hand * 0.55 * flare if style == "twin" else 0.9
        drift = head.sway * length * 0.5
        spine = [
            (x, y),
            (x + out, y + 0.1),
            (x + out * 1.3 + drift * 0.4, y + length * 0.55),
            (x + out * 0.9 + drift, y + length),
        ]
        lock = drawing.fill("hair", limb(spine, [0.16, thick, thick * 1.15, thick * 0.8, 0.02]))
        for s in (-0.4, 0.3):
            line = [(px + s * thick, py) for px, py in spine[1:3]] + [(spine[3][0] + s * 0.2, spine[3][1] - 0.4)]
            drawing.stroke(line, 0.6, lock)
        if tips:
            end = y + length * 0.7
            drawing.fill("hair2", [(-9, end), (9, end), (9, end + 9), (-9, end + 9)], 0.0, lock, round=False)
        drawing.fill("ribbon", oval(x + out * 0.15, y, 0.16, 0.22))


def add_front_hair(who: Identity, now: np.random.Generator, drawing: Drawing, head: Head) -> None:
    own = who.rng("front hair")
    locks, depth = int(own.integers(3, 8)), own.uniform(-0.15, 0.5)
    ragged, sides, fall = own.uniform(-0.3, 0.3, 16), own.random() < 0.5, own.uniform(0.6, 2.0)
    parting, streak, crest = own.uniform(-0.5, 0.5), own.random() < 0.15, own.random() < 0.25
    shape = own.choice(["locks", "blunt", "parted", "swept"], p=[0.45, 0.15, 0.25, 0.15])
    shine, band, wave = own.random() < 0.6, own.uniform(-0.85, -0.55), own.uniform(0.03, 0.12, 16)
    edge = own.uniform(0.1, 0.9)
    if style_of(who) == "bald":
        return
    shift = -0.12 * np.sin(head.turn)
    cap = cap_arc(
        np.array([(-1.06, -0.25), (-0.98, -0.8), (-0.5, -1.24), (0, -1.33), (0.5, -1.24), (0.98, -0.8), (1.06, -0.25)])
    ) + xy(shift, 0)
    if head.behind:
        back = drawing.fill(
            "hair", np.concatenate([cap, [(1.0, 0.7), (0.5, 0.95), (0, 0.8), (-0.5, 0.95), (-1.0, 0.7)]]), round=False
        )
        for x in np.linspace(-0.7, 0.7, locks):
            drawing.stroke([(x * 0.5, -0.9), (x * 1.05, -0.1), (x, 0.6)], 0.6, back)
        return
    if sides:
        for hand in (-1, 1):
            x = hand * 0.93 + shift
            spine = [(x * 0.97, -0.5), (x * 1.02, fall * 0.3), (x * 0.95 + head.sway * 0.4, fall)]
            drawing.fill("hair", limb(spine, [0.14, 0.2, 0.16, 0.01]))
    count = locks * 2 + 1
    xs = np.linspace(0.98, -0.98, count)
    tip = np.arange(count) % 2 == 0
    low = np.where(tip, depth + ragged[:count] if count <= 16 else depth, -0.55)
    if shape == "blunt":
        low = np.where(tip, depth * 0.3 - 0.1, depth * 0.3 - 0.17)
    elif shape == "parted":
        low = np.clip(np.abs(xs - parting) * 1.1 - 0.75, -0.75, 0.6) + np.where(tip, 0.12, -0.05)
    elif shape == "swept":
        low = np.where(tip, depth, -0.35) + (xs - parting) * 0.35
    low[[0, -1]] = edge
    fringe = head.on(np.stack([xs + np.where(tip, 0.06 * np.sign(parting), 0), low], 1), 0.75)
    lock = drawing.fill("hair", np.concatenate([cap, fringe]), round=False)
    if streak:
        x = parting
        drawing.fill(
            "hair2",
            head.on([(x - 0.1, -1.4), (x + 0.12, -1.4), (x + 0.3, -0.4), (x + 0.22, 0.5), (x + 0.05, -0.4)], 0.8),
            0.7,
            lock,
        )
    for x, y in fringe[1:-1:2]:
        drawing.stroke([(x, y), (x * 0.8 + shift, (y - 0.9) / 2), (x * 0.55 + shift, -0.95)], 0.6, lock)
    if shine and now.random() < 0.8:
        x = np.linspace(-0.8, 0.8, 17)
        middle = band + 0.25 * x**2
        ring = np.concatenate(
            [np.stack([x, middle - 0.05], 1), np.stack([x, middle + np.tile(wave, 2)[:17] + 0.02], 1)[::-1]]
        )
        drawing.glint(head.on(ring, 0.6), lock, round=False)
    if crest:
        drawing.stroke([(shift, -1.28), (0.25 + shift, -1.62), (0.6 + shift + head.sway, -1.5)], 1.6)
