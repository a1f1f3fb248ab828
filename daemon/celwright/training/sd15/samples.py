"""Finished pictures become samples for SC-MILC on a Stable Diffusion: line art, its colours, references of its figures.

A reference is another picture of the same character where one lies beside the layers (``reference*.png``), else the
picture itself, warped, mirrored, cropped, lighter or darker (section IV of the paper, and more of it, since references
come from other poses). Knows files and pixels; no network.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright.domain import FloatImage
from celwright.errors import WrongUsageError
from celwright.imaging.files import read_picture
from celwright.layers import as_float, quantized
from celwright.training.drawing.warping import resampled, warp_map
from celwright.training.five_tuples import FRAMES, FiveTuple, five_tuples

if TYPE_CHECKING:
    from torch import Tensor

REFERENCES = 2  # of each sample, absent ones included
_FIGURES = 4  # told apart in one picture; smaller ones go with the ground
_LEAST = 0.01  # of the picture; smaller things are no figures
_CACHED = 64  # pictures kept as they were read

Plane = NDArray[np.uint8]
SCALES = {"picture": 255.0, "ink": 255.0, "references": 255.0, "masks": 255.0, "regions": 255.0, "figures": 1.0}


def examples(folders: Sequence[Path]) -> list[FiveTuple]:
    """All in the folders. Raises WrongUsageError for a folder without any."""
    return [example for folder in folders for example in five_tuples(folder)]


def sample(example: FiveTuple, rng: np.random.Generator, size: int) -> dict[str, Plane]:
    """``picture`` (3, S, S) over white, ``ink`` (1, S, S), ``figures`` (1, S, S) numbers with 0 for the ground,
    ``references`` (R, 3, S, S) over white, their ``masks`` (R, 1, S, S) and where they count, ``regions`` (R, 1, S, S):
    all uint8. An absent reference has an empty mask."""
    picture, ink, figures = _read(example, size)
    order = rng.permutation(3) if rng.random() < 0.5 else np.arange(3)  # of colours: they must come from references
    views = _views(example, size)
    shown: list[tuple[Plane, Plane, Plane]] = []
    numbers = rng.permutation(int(figures.max()))[:REFERENCES] + 1 if figures.any() else np.array([], np.int64)
    for number in numbers.tolist():
        region = np.where(figures == number, np.uint8(255), np.uint8(0))
        if views and rng.random() < 0.5:
            other, mask = views[int(rng.integers(len(views)))]
            region = np.where(figures > 0, np.uint8(255), np.uint8(0))  # who of them it shows is not said
        else:
            other, mask = _warped(rng, picture, region, size)
        shown.append((other[..., order], mask, region))
    while len(shown) < REFERENCES:
        empty = np.zeros((size, size), np.uint8)
        shown.append((np.full((size, size, 3), 255, np.uint8), empty, empty))
    references, masks, regions = (np.stack(planes) for planes in zip(*shown, strict=True))
    return {
        "picture": picture[..., order].transpose(2, 0, 1), "ink": ink[None], "figures": figures[None],
        "references": references.transpose(0, 3, 1, 2), "masks": masks[:, None], "regions": regions[:, None],
    }  # fmt: skip


def batch_of(samples: Sequence[dict[str, Plane]]) -> dict[str, "Tensor"]:
    """(B, ...) float32 of each, 0..1, figures as they are."""
    import torch

    stacked = {name: np.stack([each[name] for each in samples]) for name in SCALES}
    return {name: torch.from_numpy(planes).float() / SCALES[name] for name, planes in stacked.items()}


@lru_cache(maxsize=_CACHED)
def _layers(path: Path, found: tuple[tuple[str, str], ...], blends: tuple[tuple[str, str], ...], size: int) -> Plane:
    return FiveTuple(path, dict(found), dict(blends)).pictures(size, size)


def _read(example: FiveTuple, size: int) -> tuple[Plane, Plane, Plane]:
    """Picture (S, S, 3) over white, ink and figures (S, S)."""
    told = tuple(example.found.items()), tuple(example.blends.items())
    composite, line, flat = (
        _layers(example.path, *told, size)[FRAMES.index(name)] for name in ("composite", "line", "flat")
    )
    return _over_white(composite), line[..., 3], _figures(flat[..., 3])


def _over_white(rgba: Plane) -> Plane:
    alpha = rgba[..., 3:].astype(np.float32) / 255
    return np.asarray(np.round(rgba[..., :3] * alpha + 255 * (1 - alpha)), np.uint8)


def _figures(cover: Plane) -> Plane:
    """What hangs together, numbered from 1, the largest first."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((cover > 127).astype(np.uint8))
    areas = stats[1:count, cv2.CC_STAT_AREA]
    figures = np.zeros(cover.shape, np.uint8)
    for number, which in enumerate(np.argsort(-areas, kind="stable")[:_FIGURES], start=1):
        if areas[which] >= _LEAST * cover.size:
            figures[labels == which + 1] = number
    return figures


def _warped(rng: np.random.Generator, picture: Plane, region: Plane, size: int) -> tuple[Plane, Plane]:
    """One figure of the picture alone, as another view: (S, S, 3) over white, and its mask."""
    where = warp_map(rng, size)
    mask = resampled(region, where, False, 0)
    if not mask.any():  # the crop has missed it
        return np.where(region[..., None] > 0, picture, np.uint8(255)), region
    other = resampled(picture, where, True, 255).astype(np.float32) * rng.uniform(0.88, 1.06) + rng.uniform(-8, 8)
    return np.where(mask[..., None] > 0, np.clip(other, 0, 255), 255).astype(np.uint8), mask


def _views(example: FiveTuple, size: int) -> list[tuple[Plane, Plane]]:
    """Other pictures of the character that lie beside the layers: (S, S, 3) over white, and their masks."""
    paths = sorted(example.path.glob("reference*.png")) if example.path.is_dir() else []
    return [_view(path, size) for path in paths]


@lru_cache(maxsize=_CACHED)
def _view(path: Path, size: int) -> tuple[Plane, Plane]:
    picture: FloatImage = as_float(read_picture(path)[0].rgba())
    scale = size / max(picture.shape[:2])
    width, height = (max(1, min(size, round(length * scale))) for length in picture.shape[1::-1])
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    square = np.zeros((size, size, 4), np.float32)
    square[(size - height) // 2 :, (size - width) // 2 :][:height, :width] = small
    rgba = quantized(square, 8)
    if not rgba[..., 3].any():
        raise WrongUsageError(f"The reference {path} is fully transparent; show the character in it or delete it.")
    return _over_white(rgba), np.where(rgba[..., 3] > 127, np.uint8(255), np.uint8(0))
