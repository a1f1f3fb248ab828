"""People from back to front: what is behind, hair, legs, clothes, arms, head, hair and hat.

Two kinds of generators: the identity's own say who it is, ``now`` the pose. Knows no colours and no canvas.
"""

import numpy as np

from celwright.training.drawing.bodies import add_arm, add_legs, body_of
from celwright.training.drawing.clothes import add_behind, add_clothes
from celwright.training.drawing.drawings import Drawing
from celwright.training.drawing.hairdos import add_back_hair, add_front_hair
from celwright.training.drawing.heads import Head, add_head
from celwright.training.drawing.headwear import add_headwear
from celwright.training.drawing.identity import Identity

_OUTFITS = ("dress", "skirt", "trousers", "suit", "robe", "armour", "shorts")
_SHARES = (0.2, 0.2, 0.2, 0.1, 0.1, 0.08, 0.12)


def person(who: Identity, now: np.random.Generator) -> Drawing:
    """One view of a person; ``now`` decides the pose, the head's turn and the expression."""
    drawing = Drawing()
    body = body_of(who, now)
    head = Head.seen(who, now)
    lean = float(now.normal(0, 0.06))
    hips = (0.0, body.bottom)
    drawing.place(lean, hips)
    dress = who.rng("clothes")
    outfit = str(dress.choice(_OUTFITS, p=_SHARES))
    add_behind(who, now, drawing, body)
    add_back_hair(who, now, drawing, head)
    drawing.place(lean, hips)
    behind, raised = now.random() < 0.25, now.random() < 0.5
    if behind:
        add_arm(who, drawing, body, 0)
    add_legs(who, drawing, body, outfit)
    add_clothes(who, now, drawing, body, outfit, head.behind)
    if not behind:
        add_arm(who, drawing, body, 0)
    if not raised:
        add_arm(who, drawing, body, 1)
    add_head(who, now, drawing, head)
    add_front_hair(who, now, drawing, head)
    add_headwear(who, now, drawing, head)
    drawing.place(lean, hips)
    if raised:
        add_arm(who, drawing, body, 1)
    return drawing
