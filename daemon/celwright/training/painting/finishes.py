"""How one illustrator shades: which fields, how hard, how much, in which colours. One finish holds for a whole scene.

What the artists' layers say (measured on layered files): shadow covers from none to six tenths of a figure, median
factors of 0.5 to 0.9 with any tint, in one or two tones, mostly hard-edged; painters' shadows turn the hue of each
colour instead (yellow-green into teal, orange into crimson). Highlights cover a twentieth at most. Many pictures have
no shading at all. Knows nothing about layers or parts.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from celwright.training.painting.canvas import Plane
from celwright.training.painting.colors import Color, hsv

Mode: TypeAlias = Literal["none", "cel", "mixed", "soft", "toon"]
MODES: tuple[Mode, ...] = ("none", "cel", "mixed", "soft", "toon")


@dataclass(frozen=True)
class Finish:
    """``direction`` (3,) towards the light; ``share`` of a part in shadow, ``shine`` in highlight; ``softness`` of
    edges in standard deviations of the light; ``deep`` share of parts with a second, darker tone; ``tint`` (3,) the
    common factor of shadows, ``turn`` how far each part's own shadow colour turns its hue instead (0 = not);
    ``occlusion`` 0..1 soft darkness where parts meet; ``rim`` width of rim light in canvas pixels (0 = none);
    ``wedges`` the share of parts with strokes of shadow and light, as folds and strands have."""

    mode: Mode
    direction: Color
    share: float
    shine: float
    softness: float
    deep: float
    tint: Color
    turn: float
    gloss: Color
    tinted_gloss: bool
    occlusion: float
    rim: float
    rim_color: Color
    fields: tuple[str, ...]
    wedges: float

    def shadow_tint(self, color: Color) -> Color:
        """The multiply factor (3,) for shadow on a flat of this colour."""
        if self.turn == 0:
            return self.tint
        brightness = float(self.tint.mean())
        target = turned_hue(color, self.turn) * brightness
        factor = np.clip(target / np.maximum(color, 0.04), 0.08, 1.0)
        told = np.minimum(color * 4, 1)  # a channel that the colour lacks tells nothing: it follows the others
        factor = factor * told + (1 - told) * float((factor * color).sum() / max(float(color.sum()), 0.02))
        return np.asarray(0.25 * self.tint + 0.75 * factor, np.float32)

    def gloss_on(self, color: Color) -> Color:
        """The screen colour (3,) for a highlight on a flat of this colour."""
        if not self.tinted_gloss:
            return self.gloss
        tinted = self.gloss * (0.35 + 0.65 * color / max(float(color.max()), 0.05))
        return np.asarray(np.clip(tinted, 0.05, 1), np.float32)


def turned_hue(color: Color, turn: float) -> Color:
    """The colour with its hue turned ``turn`` of a circle towards violet-blue, more saturated."""
    high, low = float(color.max()), float(color.min())
    spread = high - low
    if spread < 0.03:  # a grey has no hue to turn: it becomes bluish
        return np.asarray(color * np.array([0.92, 0.94, 1.06], np.float32), np.float32)
    red, green, blue = (float(v) for v in color)
    if high == red:
        hue = ((green - blue) / spread) % 6 / 6
    elif high == green:
        hue = ((blue - red) / spread + 2) / 6
    else:
        hue = ((red - green) / spread + 4) / 6
    way = (0.7 - hue + 0.5) % 1 - 0.5  # the shorter way round to violet-blue
    return hsv(hue + float(np.sign(way)) * min(abs(way), turn), spread / high * 1.25, high)


def chosen(rng: np.random.Generator, side: int, mode: Mode | None = None) -> Finish:
    """A random finish for a canvas of ``side`` pixels; light comes from above more often than not."""
    if mode is None:
        mode = MODES[int(rng.choice(5, p=(0.16, 0.30, 0.22, 0.20, 0.12)))]
    angle = rng.normal(-np.pi / 2, 0.9) if rng.random() < 0.8 else rng.uniform(-np.pi, np.pi)
    aim = np.array([np.cos(angle), np.sin(angle), rng.uniform(0.25, 0.9)], np.float32)
    strength = 0.95 - 0.55 * rng.random() ** 1.4 if mode != "toon" else rng.uniform(0.45, 0.85)
    tint = strength + rng.normal(0, 0.03, 3)
    if rng.random() < 0.6:  # violet, blue, or warm
        hue = rng.choice([rng.uniform(0.58, 0.83), rng.uniform(0, 1)], p=[0.7, 0.3])
        tint = tint * (1 - rng.uniform(0.05, 0.4) * (1 - hsv(float(hue), 1, 1)))
    gloss = rng.uniform(0.2, 1.0) * (1 - rng.uniform(0, 0.35) * (1 - hsv(rng.random(), 1, 1)))
    share = {"none": 0.0, "cel": rng.uniform(0.04, 0.32), "mixed": rng.uniform(0.06, 0.4)}.get(mode)
    if share is None:
        share = rng.uniform(0.1, 0.5)
    drawn = {
        "cel": ("cushion", "crescent", "crescent", "folds", "locks"),
        "mixed": ("cushion", "crescent", "folds", "locks", "ramp"),
        "soft": ("cushion", "cushion", "folds", "crescent", "ramp", "ramp"),
        "toon": ("cushion", "cushion", "facets"),
    }.get(mode, ("cushion",))
    lit = rng.random() < 0.7 and mode != "none"
    return Finish(
        mode=mode,
        direction=np.asarray(aim / np.linalg.norm(aim), np.float32),
        share=float(share),
        shine=float(rng.choice([0.02, 0.05, 0.1], p=[0.4, 0.4, 0.2])) if lit else 0.0,
        softness={"cel": 0.03, "toon": 0.03}.get(mode, float(rng.uniform(0.25, 1.6))),
        deep=float(rng.choice([0.0, 0.4, 1.0], p=[0.5, 0.3, 0.2])),
        tint=np.clip(tint, 0.12, 0.97).astype(np.float32),
        turn=float(rng.uniform(0.03, 0.22)) if rng.random() < 0.4 and mode != "toon" else 0.0,
        gloss=np.clip(gloss, 0.08, 1).astype(np.float32),
        tinted_gloss=bool(rng.random() < 0.4 and mode != "toon"),
        occlusion=float(rng.uniform(0.15, 0.7)) if rng.random() < 0.35 and mode not in ("none", "cel") else 0.0,
        rim=float(rng.uniform(0.004, 0.025) * side) if rng.random() < 0.2 and mode != "none" else 0.0,
        rim_color=np.asarray(1 - rng.uniform(0, 0.8) * (1 - hsv(rng.random(), 1, 1)), np.float32),
        fields=drawn,
        wedges=float(rng.choice([0.0, 0.35, 0.8], p=[0.4, 0.4, 0.2])),
    )


def cut(field: Plane, level: float, width: float) -> Plane:
    """(h, w) 0..1: 1 where the field is below ``level``, with a smooth step of ``width`` around it."""
    step = np.clip((level - field) * (1 / max(width, 1e-3)) + 0.5, 0, 1)
    return np.asarray(step * step * (3 - 2 * step) if width > 0.1 else step, np.float32)


def quantiles(field: Plane, cover: Plane, shares: list[float]) -> list[float] | None:
    """Levels of the field below which these shares of the cover lie; None for a cover of a few pixels."""
    step = max(1, min(cover.shape) // 48)
    inside = field[::step, ::step][cover[::step, ::step] > 0.5]
    return [float(v) for v in np.quantile(inside, shares)] if inside.size >= 8 else None
