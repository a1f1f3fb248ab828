"""References as an artist gives them: the same figure in another view, a warped copy, a whole page, or a stranger.

Knows how to draw and to warp; does not know how a network uses a reference.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from celwright.training.drawing.compositions import FRAMES, random_nib, stand
from celwright.training.drawing.identity import Identity, identity
from celwright.training.drawing.lighting import Rendering, rendered
from celwright.training.drawing.sheets import SUPERSAMPLING, Numbers, Sheet
from celwright.training.drawing.views import view
from celwright.training.drawing.warping import resampled, warp_map
from celwright.training.painting import colors

MOST_REFERENCES = 2
Plane = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Reference:
    """A picture that shows colours. ``picture`` ``flat`` (S, S, 3), ``line`` ``mask`` ``part`` (S, S), all uint8.

    ``part`` numbers parts as in the target. ``instance`` is the figure of the target that it shows, 0 for a distractor
    or a copy of the whole picture. ``assigned``: it is given for that figure's region, not for the whole picture.
    """

    picture: Plane
    flat: Plane
    line: Plane
    mask: Plane
    part: Plane
    instance: int
    assigned: bool


def references(
    rng: np.random.Generator, people: list[Identity], target: Rendering, size: int, parts: Numbers
) -> tuple[Reference, ...]:
    """None, one or two; mostly other views of figures that can be seen, some copies, some strangers."""
    visible = [i for i in range(1, len(people) + 1) if (target.instance == i).mean() > 0.01]
    wanted = int(rng.choice(MOST_REFERENCES + 1, p=(0.08, 0.37, 0.55)))
    order = rng.permutation(visible).tolist()
    out: list[Reference] = []
    for _ in range(wanted):
        kind = rng.choice(["view", "copy", "page", "stranger"], p=[0.62, 0.16, 0.12, 0.1])
        if kind == "stranger" or (kind in ("view", "copy") and not visible):
            stranger = identity(int(rng.integers(1 << 40)) * 2)
            out.append(other_view(rng, stranger, 0, size, {}))
        elif kind == "page":
            out.append(warped_copy(rng, target, 0, size))
        else:
            instance = order.pop() if order else int(rng.choice(visible))
            if kind == "view":
                out.append(other_view(rng, people[instance - 1], instance, size, parts))
            else:
                out.append(warped_copy(rng, target, instance, size))
    return tuple(out)


def other_view(rng: np.random.Generator, who: Identity, instance: int, size: int, parts: Numbers) -> Reference:
    """The same identity drawn again: another pose, crop, light, line and ground."""
    white = rng.random() < 0.8
    sheet = Sheet(size, np.ones(3, np.float32) if white else colors.random_color(rng, pale=True), parts)
    side = float(size * SUPERSAMPLING)
    extent = np.full(2, side * rng.uniform(0.6, 1.0))
    corner = rng.uniform(0, 1, 2) * (side - extent)
    frame = str(rng.choice(FRAMES, p=(0.6, 0.35, 0.05)))
    stand(rng, sheet, view(who, rng), who, max(instance, 1), corner, extent, random_nib(rng, size), frame)
    made = rendered(rng, sheet)
    assigned = instance > 0 and bool(rng.random() < 0.7)
    return Reference(made.pictured, made.flat, made.ink, made.alpha, made.part, instance, assigned)


def warped_copy(rng: np.random.Generator, target: Rendering, instance: int, size: int) -> Reference:
    """The target itself, or one figure cut out of it, warped, mirrored, cropped, lighter or darker."""
    where = warp_map(rng, size)
    mask = (
        np.where(target.instance == instance, np.uint8(255), np.uint8(0))
        if instance
        else np.full_like(target.part, 255)
    )
    mask = resampled(mask, where, False, 0)
    picture = resampled(target.pictured, where, True, 255).astype(np.float32)
    picture = picture * rng.uniform(0.88, 1.06) + rng.uniform(-8, 8)
    line = resampled(target.ink, where, True, 0)
    part, flat = resampled(target.part, where, False, 0), resampled(target.flat, where, False, 255)
    if instance:
        line = np.where(mask > 0, line, np.uint8(0))
        picture = np.where(mask[..., None] > 0, picture, 255)
    shown = np.round(np.clip(picture, 0, 255)).astype(np.uint8)
    return Reference(shown, flat, line, mask, part, instance, instance > 0 and bool(rng.random() < 0.7))
