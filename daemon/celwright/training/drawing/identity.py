"""Who a figure is: a seed that decides its build and clothes, and a colour for each of its parts.

Two views of one identity have equal part colours and different geometry. Knows no drawing: the modules that draw ask
``rng(section)`` for the choices of one section (hair, clothes, ...), always in the same order, and a view for the pose.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias
from zlib import crc32

import numpy as np

from celwright.training.painting import colors
from celwright.training.painting.colors import Color

Kind: TypeAlias = Literal["person", "animal", "robot", "thing", "doll"]
KINDS: tuple[Kind, ...] = ("person", "animal", "robot", "thing")  # a doll is one that is asked for
SHARES = (0.62, 0.13, 0.08, 0.17)
PARTS = (
    *("skin", "hair", "hair2", "eye", "pupil", "white", "mouth", "cloth", "cloth2", "cloth3", "trim", "legs", "shoes"),
    *("gloves", "hat", "hat2", "ribbon", "horn", "cape", "metal", "belt", "fur", "fur2", "nose", "panel", "lamp"),
    *("thing0", "thing1", "thing2", "thing3", "thing4"),
)
_CLOTHES = ("cloth", "cloth2", "cloth3", "trim", "legs", "shoes", "gloves", "hat", "hat2", "ribbon", "cape", "belt")


@dataclass(frozen=True, eq=False)
class Identity:
    """``palette`` has an RGB colour (3,) 0..1 for every name of ``PARTS``."""

    seed: int
    kind: Kind
    palette: Mapping[str, Color]

    def rng(self, section: str) -> np.random.Generator:
        """The generator of this section's choices, the same at every call."""
        return np.random.default_rng((self.seed, crc32(section.encode())))

    def recolored(self, rng: np.random.Generator) -> "Identity":
        """The same figure in other colours: colours dealt anew among the parts, channels swapped, or all drawn anew."""
        pick = rng.random()
        if pick < 0.35:
            order = rng.permutation(3)
            return replace(self, palette={name: color[order] for name, color in self.palette.items()})
        if pick < 0.6:
            dealt = rng.permutation(len(PARTS))
            listed = list(self.palette.values())
            return replace(self, palette={name: listed[dealt[i]] for i, name in enumerate(PARTS)})
        return replace(self, palette=_wild_palette(rng))


def identity(seed: int, kind: Kind | None = None) -> Identity:
    """The identity of this number: half of them in colours that the kind of part makes plausible, half in any."""
    rng = np.random.default_rng((seed, 77))
    drawn = KINDS[int(rng.choice(len(KINDS), p=SHARES))]
    palette = plausible_palette(rng) if rng.random() < 0.5 else _wild_palette(rng)
    return Identity(seed, kind or drawn, palette)


def _wild_palette(rng: np.random.Generator) -> dict[str, Color]:
    """Any colour for any part, each unlike those before it."""
    palette: dict[str, Color] = {}
    for name in PARTS:
        tries = [colors.random_color(rng, pale=rng.random() < 0.25) for _ in range(3)]
        taken = np.array([*palette.values(), (0, 0, 0)])[-12:]
        palette[name] = max(tries, key=lambda color: float(np.abs(taken - color).sum(1).min()))
    if rng.random() < 0.6:
        palette["white"] = np.ones(3, np.float32) * np.float32(rng.uniform(0.93, 1))
    if rng.random() < 0.6:
        palette["pupil"] = np.asarray(palette["eye"] * 0.25, np.float32)
    return palette


def plausible_palette(rng: np.random.Generator) -> dict[str, Color]:
    """Skin like skin, hair like hair, clothes around one or two hues with whites and darks."""
    palette = _wild_palette(rng)
    skin, eye = colors.skin(rng), colors.hsv(rng.random(), rng.uniform(0.3, 0.9), rng.uniform(0.4, 0.9))
    palette |= {"skin": skin, "hair": colors.hair(rng), "eye": eye, "pupil": np.asarray(eye * 0.25, np.float32)}
    palette["white"] = np.ones(3, np.float32)
    palette["mouth"] = colors.hsv(rng.uniform(0.95, 1.02), rng.uniform(0.4, 0.75), rng.uniform(0.5, 0.95))
    palette["nose"] = colors.hsv(rng.uniform(0.9, 1.05), rng.uniform(0.1, 0.6), rng.uniform(0.1, 0.9))
    palette["fur"] = colors.hsv(rng.uniform(0.03, 0.13), rng.uniform(0.0, 0.7), rng.uniform(0.25, 1.0))
    palette["fur2"] = colors.hsv(rng.uniform(0.05, 0.13), rng.uniform(0.0, 0.3), rng.uniform(0.8, 1.0))
    palette["horn"] = colors.hsv(rng.uniform(0.05, 0.13), rng.uniform(0.0, 0.4), rng.uniform(0.3, 0.95))
    palette["metal"] = colors.hsv(rng.choice([0.6, 0.12]), rng.uniform(0.02, 0.5), rng.uniform(0.5, 0.95))
    hue, spread = rng.random(), rng.choice([0.04, 0.5, 0.33])
    for name in _CLOTHES:
        pick = rng.random()
        if pick < 0.2:
            palette[name] = colors.hsv(rng.random(), rng.uniform(0, 0.06), rng.uniform(0.9, 1.0))
        elif pick < 0.38:
            palette[name] = colors.hsv(rng.uniform(0.55, 0.75), rng.uniform(0, 0.35), rng.uniform(0.12, 0.35))
        else:
            near = hue + spread * int(rng.integers(0, 2)) + rng.normal(0, 0.03)
            palette[name] = colors.hsv(near, rng.uniform(0.2, 0.85), rng.uniform(0.4, 0.98))
    if rng.random() < 0.5:
        palette["legs"] = skin * np.float32(0.99)
    return palette
