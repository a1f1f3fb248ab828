"""Coloured scenes with references of the same figures in other views: what a line-art colorizer is measured on.

Endless and procedural: the number of a scene decides everything in it; numbers and figures from ``HELD_OUT`` on are
never trained on. Knows no network.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from celwright.training.drawing.compositions import scene_of
from celwright.training.drawing.identity import Identity, Kind, identity
from celwright.training.drawing.inking import line_art
from celwright.training.drawing.lighting import rendered
from celwright.training.drawing.references import Reference, references

Sample = NDArray[np.uint8]
HELD_OUT = 1_000_000_000
_COUNTS = (0.45, 0.25, 0.12, 0.08, 0.05, 0.05)  # how often a scene has 1, 2, ... figures


@dataclass(frozen=True, eq=False)
class ColorSample:
    """A target, all uint8: ``line`` (S, S) ink, ``color`` (S, S, 3) without lines, ``flat`` (S, S, 3), ``part`` and
    ``instance`` (S, S) with 0 for the ground, ``alpha`` (S, S) of the figures."""

    line: Sample
    color: Sample
    flat: Sample
    part: Sample
    instance: Sample
    alpha: Sample
    references: tuple[Reference, ...]


def cast(rng: np.random.Generator, count: int, kind: Kind | None, *, held_out: bool) -> list[Identity]:
    """Who stands in a scene, all of one ``kind`` where one is named, now and then in other colours than are theirs;
    nobody of those ``held_out`` is ever among the others."""
    people = [identity(int(rng.integers(1 << 40)) * 2 + held_out, kind) for _ in range(count)]
    return [who.recolored(rng) for who in people] if rng.random() < 0.25 else people


def pair(number: int, size: int, kind: Kind | None = None) -> ColorSample:
    """The sample of this number, ``size`` pixels square, with up to two references."""
    rng = np.random.default_rng((number, size, 5))
    count = int(rng.choice(6, p=_COUNTS)) + 1
    people = cast(rng, count, kind, held_out=number >= HELD_OUT)
    parts: dict[tuple[int, str], int] = {}
    target = rendered(rng, scene_of(rng, people, size, parts))
    shown = references(rng, people, target, size, parts)
    line = line_art(rng, target)
    return ColorSample(line, target.color, target.flat, target.part, target.instance, target.alpha, shown)
