"""Coloured scenes with references of the same figures in other views: the samples a line-art colorizer learns from.

Endless and procedural: the number of a sample decides everything in it; numbers and figures from ``HELD_OUT`` on are
never trained on. Every time a sample is seen it gets new hints, a new selection, perhaps a mirror and other colours.
torch is imported where arrays become tensors, so that the workers that paint never load it. Knows no network.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from celwright.imaging.histogram import color_histogram
from celwright.training.drawing.compositions import scene_of
from celwright.training.drawing.identity import identity
from celwright.training.drawing.inking import line_art
from celwright.training.drawing.lighting import rendered
from celwright.training.drawing.references import MOST_REFERENCES, Reference, references
from celwright.training.hinting import hints, selected
from celwright.training.painters import chosen

if TYPE_CHECKING:
    from torch import Tensor

Sample = NDArray[np.uint8]
HELD_OUT = 1_000_000_000
CURRICULUM = 20_000  # samples over which StencilTorch's epsilon falls from 0.9 to 0
_COUNTS = (0.45, 0.25, 0.12, 0.08, 0.05, 0.05)  # how often a scene has 1, 2, ... figures
_TARGET = 10  # planes: line, colour x3, flat x3, part, instance, alpha
_PER_REFERENCE = 6  # planes: picture x3, ink, mask, region
_PLANES = _TARGET + MOST_REFERENCES * _PER_REFERENCE


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


def pair(number: int, size: int) -> ColorSample:
    """The sample of this number, ``size`` pixels square, with up to two references."""
    rng = np.random.default_rng((number, size, 5))
    count = int(rng.choice(6, p=_COUNTS)) + 1
    people = [identity(int(rng.integers(1 << 40)) * 2 + (number >= HELD_OUT)) for _ in range(count)]
    if rng.random() < 0.25:
        people = [who.recolored(rng) for who in people]
    parts: dict[tuple[int, str], int] = {}
    target = rendered(rng, scene_of(rng, people, size, parts))
    shown = references(rng, people, target, size, parts)
    line = line_art(rng, target)
    return ColorSample(line, target.color, target.flat, target.part, target.instance, target.alpha, shown)


def packed(made: ColorSample) -> Sample:
    """(22, S, S) uint8 of a sample; absent references are all zero."""
    planes = [made.line[None], made.color.transpose(2, 0, 1), made.flat.transpose(2, 0, 1)]
    planes += [made.part[None], made.instance[None], made.alpha[None]]
    planes += [_packed(shown, made) for shown in made.references]
    planes.append(np.zeros(((MOST_REFERENCES - len(made.references)) * _PER_REFERENCE, *made.line.shape), np.uint8))
    return np.concatenate(planes)


def _packed(shown: Reference, made: ColorSample) -> Sample:
    region = made.instance == shown.instance if shown.assigned else np.ones(made.instance.shape, bool)
    whole = np.where(region, np.uint8(255), np.uint8(0))
    return np.concatenate([shown.picture.transpose(2, 0, 1), shown.line[None], shown.mask[None], whole[None]])


def varied(rng: np.random.Generator, sample: Sample) -> Sample:
    """The sample perhaps mirrored (target and references each for itself) and with its colour channels swapped
    (alike in target and references), references in random order."""
    target, *shown = np.split(sample, range(_TARGET, _PLANES, _PER_REFERENCE))
    shown = [shown[i] for i in rng.permutation(MOST_REFERENCES)]
    mirrored = rng.random() < 0.5
    if mirrored:
        target = target[..., ::-1]
    for i, one in enumerate(shown):
        picture = one[:5, :, ::-1] if rng.random() < 0.5 else one[:5]
        shown[i] = np.concatenate([picture, one[5:, :, ::-1] if mirrored else one[5:]])
    out = np.concatenate([target, *shown])
    if rng.random() < 0.25:
        order = rng.permutation(3)
        for start in (1, 4, *range(_TARGET, _PLANES, _PER_REFERENCE)):
            out[start : start + 3] = out[start : start + 3][order]
    return out


def colour_batches(
    first: int, batch: int, size: int, *, workers: int, replays: float, pool: int
) -> Generator[dict[str, Tensor], None, None]:
    """Batches without end of the samples from number ``first`` on, which also is the place in the curriculum.

    ``workers`` processes paint; of a ``pool`` of samples each is seen about ``replays`` times. uint8 tensors: ``line``
    (B, 1, S, S) ink, ``color`` ``flat`` (B, 3, S, S), ``instance`` ``part`` (IDs) ``alpha`` ``selection`` (B, 1, S, S),
    ``hints`` (B, 4, S, S) RGB and mask, ``references`` (B, 2, 5, S, S) RGB with lines, ink, mask (absent: all zero),
    ``reference_region`` (B, 2, 1, S, S) where it counts in the target; ``histogram`` (B, 256) float32 of the flats.
    """
    seen = first
    with closing(chosen(partial(_painted, size=size), first, batch, replays, pool, workers)) as endless:
        for rng, samples in endless:
            epsilon = 0.9 * max(0.0, 1 - seen / CURRICULUM)
            yield _tensors([_conditioned(rng, varied(rng, sample), epsilon) for sample in samples])
            seen += batch


def held_out_pairs(count: int, size: int) -> dict[str, Tensor]:
    """``count`` samples that no training run sees, as ``colour_batches`` gives them; always the same."""
    return batch_of([pair(HELD_OUT + number, size) for number in range(count)])


def batch_of(samples: Sequence[ColorSample]) -> dict[str, Tensor]:
    """Samples of one size as ``colour_batches`` gives them, with hints and selections that depend on their place."""
    made = [packed(sample) for sample in samples]
    return _tensors([_conditioned(np.random.default_rng((HELD_OUT, i)), one, 0.0) for i, one in enumerate(made)])


def _painted(number: int, size: int) -> Sample:
    return packed(pair(number, size))


def _conditioned(rng: np.random.Generator, sample: Sample, epsilon: float) -> dict[str, NDArray[np.generic]]:
    color, flat = sample[1:4].transpose(1, 2, 0), sample[4:7].transpose(1, 2, 0)
    part, instance, alpha = sample[7], sample[8], sample[9]
    selection = selected(rng, part, epsilon)
    shown = sample[_TARGET:].reshape(MOST_REFERENCES, _PER_REFERENCE, *part.shape)
    # Paper is not a part of the palette, unless the picture is nothing else.
    weights = alpha[::4, ::4] if alpha.any() else None
    return {
        "line": sample[:1],
        "color": sample[1:4],
        "flat": sample[4:7],
        "instance": instance[None],
        "part": part[None],
        "alpha": alpha[None],
        "hints": hints(rng, color, flat, part, selection).transpose(2, 0, 1),
        "selection": selection[None],
        "references": shown[:, :5],
        "reference_region": shown[:, 5:],
        "histogram": color_histogram(flat[::4, ::4].astype(np.float32) / 255, weights),
    }


def _tensors(samples: list[dict[str, NDArray[np.generic]]]) -> dict[str, Tensor]:
    import torch

    return {name: torch.from_numpy(np.stack([sample[name] for sample in samples])) for name in samples[0]}
