"""Training samples without end: scenes drawn by worker processes, packed into bytes, varied each time they are seen.

Knows scenes and tensors; nothing about networks or losses.
"""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from celwright.errors import WrongUsageError
from celwright.models.decomposer import Layers
from celwright.training.corpora import drawn_scene
from celwright.training.painters import Pace, chosen
from celwright.training.scenes import Kind, Scene, scene

HELD_OUT = 1_000_000_000  # scene numbers from here on are never trained on
PLANES = (3, 1, 3, 3, 3, 3)  # channels of a packed sample: seen, line alpha, line colour, flat, shadow, highlight


def packed(made: Scene) -> NDArray[np.uint8]:
    """(16, S, S) uint8 of a scene, as ``PLANES`` says."""
    planes = (made.line_alpha[..., None], made.line_color, made.flat, made.shadow, made.highlight)
    truth = np.round(np.concatenate(planes, axis=2) * 255).astype(np.uint8)
    return np.ascontiguousarray(np.concatenate([made.seen, truth], axis=2).transpose(2, 0, 1))


def unpacked(samples: Tensor) -> tuple[Tensor, Layers]:
    """Seen picture and true layers, 0..1, of (B, 16, H, W) uint8."""
    seen, *layers = (samples.float() / 255).split(PLANES, dim=1)  # type: ignore[no-untyped-call]
    return seen, Layers(*layers)


def varied(rng: np.random.Generator, sample: NDArray[np.uint8], crop: int) -> NDArray[np.uint8]:
    """A random crop, turned, mirrored and with its colour channels swapped: all keep the layers' formula true."""
    y, x = (int(v) for v in rng.integers(0, sample.shape[1] - crop + 1, 2))
    piece = np.rot90(sample[:, y : y + crop, x : x + crop], int(rng.integers(4)), (1, 2))
    if rng.random() < 0.5:
        piece = piece[:, :, ::-1]
    order = rng.permutation(3)
    triples = [piece[0:3][order], piece[3:4], *(piece[start : start + 3][order] for start in (4, 7, 10, 13))]
    return np.concatenate(triples)


@dataclass(frozen=True)
class Shares:
    """Which share of the scenes is rich, which painted, which cut from the drawings in the packed ``corpora``
    (training/corpora.py); the rest is standard."""

    rich: float
    painted: float = 0.0
    drawn: float = 0.0
    corpora: Path | None = None

    def __post_init__(self) -> None:
        total = self.rich + self.painted + self.drawn
        if min(self.rich, self.painted, self.drawn) < 0 or total > 1 + 1e-9:
            raise WrongUsageError(
                f"The shares of rich, painted and drawn scenes are {self.rich}, {self.painted} and {self.drawn}; none "
                f"below 0 and at most 1 together are allowed: lower one of them."
            )


def sample(number: int, size: int, shares: Shares) -> NDArray[np.uint8]:
    """(16, size, size) uint8: the scene of this number, of a kind chosen by the shares."""
    pick = np.random.default_rng(number).random() - shares.rich
    if pick < 0:
        return packed(scene(number, size, "rich"))
    if pick < shares.painted:
        return packed(scene(number, size, "painted"))
    if shares.corpora is not None and pick < shares.painted + shares.drawn:
        return packed(drawn_scene(shares.corpora, number, size))
    return packed(scene(number, size, "standard"))


def held_out(kind: Kind, count: int, size: int) -> Tensor:
    """(count, 16, size, size) uint8: scenes that no training run sees."""
    return torch.from_numpy(np.stack([packed(scene(HELD_OUT + n, size, kind)) for n in range(count)]))


def batches(
    first: int,
    batch: int,
    crop: Callable[[], int],
    size: int,
    shares: Shares | float,
    pace: Pace,
) -> Generator[Tensor, None, None]:
    """(batch, 16, crop, crop) uint8 without end, of scenes from number ``first`` on.

    Scenes are drawn ``size`` pixels large, their kinds by ``shares`` (a number is the share of rich ones). ``crop()``
    is asked anew for every batch. Closing the generator ends the processes.
    """
    shares = shares if isinstance(shares, Shares) else Shares(rich=shares)
    paint = partial(sample, size=size, shares=shares)
    with closing(chosen(paint, first, batch, pace)) as batches_of_scenes:
        for rng, samples in batches_of_scenes:
            side = crop()
            yield torch.from_numpy(np.stack([varied(rng, one, side) for one in samples]))
