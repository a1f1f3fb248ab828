"""Batches of region samples: packed into bytes by workers, varied, put beside strangers, and tensors in the end.

Knows arrays of figures and references; neither how they are drawn nor a network.
"""

from collections.abc import Generator, Sequence
from contextlib import closing

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from celwright.domain import FloatImage
from celwright.imaging.histogram import color_histogram
from celwright.regions.correspondence import SIDE
from celwright.training.drawing.references import MOST_REFERENCES
from celwright.training.painters import Pace, chosen
from celwright.training.pairs import HELD_OUT
from celwright.training.region_pairs import COLUMNS, REGIONS, Square, figure

_TARGET, _REFERENCE = 3, 6  # planes: ink, inside, labels; RGB, ink, inside, patches
_SORTED = 4  # batches that are sorted by size among themselves
_STRANGERS = 0.15  # how often a reference shows somebody else
_NOBODY = 255  # the part of what a stranger has; no sheet has so many


def packed(target: Square, shown: Sequence[Square]) -> NDArray[np.uint8]:
    """(16, SIDE, SIDE) of a sample: planes and labels of the target and of each reference, absent ones all zero, and
    in the last plane the regions' tables."""
    planes = [target.planes, target.labels[None]]
    for one in shown[:MOST_REFERENCES]:
        planes += [one.planes, one.labels[None]]
    absent = MOST_REFERENCES - len(shown)
    made = np.concatenate([*planes, np.zeros((absent * _REFERENCE + 1, SIDE, SIDE), np.uint8)])
    for table, square in zip(_tables(made), (target, *shown), strict=False):
        table[:] = square.regions
    return made


def region_batches(first: int, batch: int, pace: Pace) -> Generator[dict[str, Tensor], None, None]:
    """Batches without end of the samples from number ``first`` on, mirrored and with channels swapped at random.
    Samples of a batch are of like size, since the smaller ones are padded to the largest. Tensors as ``_tensors`` gives
    them."""
    with closing(chosen(_painted_beside, first, batch * _SORTED, pace)) as endless:
        for rng, samples in endless:
            samples = [beside_a_stranger(rng, one, samples[i - 1]) for i, one in enumerate(samples)]
            samples.sort(key=_size)
            for i in rng.permutation(_SORTED).tolist():
                yield _tensors([varied(rng, sample) for sample in samples[i * batch : (i + 1) * batch]])


def _size(sample: NDArray[np.uint8]) -> tuple[int, int]:
    """References and the most regions of any picture of a packed sample."""
    counts = [int(sample[i].max()) for i in range(_TARGET - 1, len(sample) - 1, _REFERENCE)]
    return sum(count > 0 for count in counts[1:]), max(counts)


def held_out_regions(count: int) -> dict[str, Tensor]:
    """``count`` samples that no training run sees; always the same."""
    return _tensors([_painted(HELD_OUT + number) for number in range(count)])


def _painted(number: int) -> NDArray[np.uint8]:
    return packed(*figure(number))


def _painted_beside(number: int) -> NDArray[np.uint8]:
    """The same in a process that leaves the other cores to training."""
    torch.set_num_threads(1)
    return _painted(number)


def beside_a_stranger(
    rng: np.random.Generator, sample: NDArray[np.uint8], other: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """A packed sample now and then with the first reference of an ``other`` one, in which nothing of it is found, in
    place of one of its own or beside it."""
    itself = other is sample  # a pool may give one twice in a row
    if rng.random() >= _STRANGERS or itself or not other[_TARGET : _TARGET + _REFERENCE].any():
        return sample
    out, place = sample.copy(), int(rng.integers(MOST_REFERENCES))
    start = _TARGET + place * _REFERENCE
    out[start : start + _REFERENCE] = other[_TARGET : _TARGET + _REFERENCE]
    _tables(out)[1 + place] = _tables(other)[1]
    _tables(out)[1 + place, :, 3] = _NOBODY
    return out


def _tables(sample: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(1 + MOST_REFERENCES, REGIONS, 5) the regions of a packed sample and of its references; a view."""
    size = (1 + MOST_REFERENCES) * REGIONS * COLUMNS
    return np.asarray(sample[-1].reshape(-1)[:size].reshape(1 + MOST_REFERENCES, REGIONS, COLUMNS), np.uint8)


def varied(rng: np.random.Generator, sample: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A packed sample with target and references perhaps mirrored, each for itself, and their colour channels perhaps
    swapped, alike in all."""
    out = sample.copy()
    starts = [_TARGET + i * _REFERENCE for i in range(MOST_REFERENCES)]
    for planes in (slice(0, _TARGET), *(slice(start, start + _REFERENCE) for start in starts)):
        if rng.random() < 0.5:
            out[planes] = sample[planes, :, ::-1]
    if rng.random() < 0.4:
        order = rng.permutation(3)
        for start in starts:
            out[start : start + 3] = out[start : start + 3][order]
        tables = _tables(out)
        tables[..., :3] = tables[..., order]
    return out


def _tensors(samples: Sequence[NDArray[np.uint8]]) -> dict[str, Tensor]:
    """uint8 but for the last: ``line`` (B, 2, S, S) ink and inside; ``labels`` (B, S, S); ``regions`` (B, N, 5);
    ``references`` (B, R, 5, S, S) RGB, ink, inside; ``patches`` (B, R, S, S); ``shown`` (B, R, N, 5) of the patches;
    ``histogram`` (B, 256) float32 of the target's flats."""
    whole = np.stack(samples)
    shape = len(whole), MOST_REFERENCES, _REFERENCE, SIDE, SIDE
    references = whole[:, _TARGET:-1].reshape(shape)
    tables = np.stack([_tables(sample) for sample in whole])
    arrays = {
        "line": whole[:, :2], "labels": whole[:, 2], "regions": tables[:, 0], "references": references[:, :, :5],
        "patches": references[:, :, 5], "shown": tables[:, 1:],
        "histogram": np.stack([_histogram(*one) for one in zip(whole[:, 2], tables[:, 0], strict=True)]),
    }  # fmt: skip
    return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}


def _histogram(labels: NDArray[np.uint8], regions: NDArray[np.uint8]) -> FloatImage:
    areas = np.bincount(labels.reshape(-1), minlength=REGIONS + 1)[1:].astype(np.float32)
    return color_histogram(regions[None, :, :3].astype(np.float32) / 255, areas[None] if areas.any() else None)
