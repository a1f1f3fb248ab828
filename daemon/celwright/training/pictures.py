"""Crops of finished pictures that the caller names. Knows files and tensors; nothing about networks or licences."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from celwright.errors import WrongUsageError

ENDINGS = (".png", ".jpg", ".jpeg", ".webp")
LONGEST = 1024  # pixels; larger pictures are reduced when they are read


def _read(path: Path) -> NDArray[np.uint8] | None:
    """(H, W, 4) RGBA, at most ``LONGEST`` pixels a side, or None for what is no picture."""
    try:
        with Image.open(path) as file:
            picture = np.array(file.convert("RGBA"))
    except (UnidentifiedImageError, OSError):
        return None
    return _resized(picture, min(1.0, LONGEST / max(picture.shape)))


def _resized(picture: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    if scale == 1:
        return picture
    height, width = (max(1, round(side * scale)) for side in picture.shape[:2])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (width, height), interpolation=how), np.uint8)


class Pictures:
    """All pictures among ``paths``: files, or folders that are searched through. Raises WrongUsageError when there is
    none."""

    def __init__(self, paths: Sequence[Path]) -> None:
        files = [file for path in paths for file in (sorted(path.rglob("*")) if path.is_dir() else [path])]
        read = (_read(file) for file in files if file.suffix.lower() in ENDINGS)
        self.pictures = [picture for picture in read if picture is not None]
        if not self.pictures:
            names = ", ".join(str(path) for path in paths)
            raise WrongUsageError(
                f"There is no picture to learn from in {names}; {' '.join(ENDINGS)} are read: name a folder "
                f"that holds some."
            )

    def crops(self, rng: np.random.Generator, count: int, size: int) -> Tensor:
        """(count, 4, size, size) RGBA, 0..1, at random scales, mirrored at random, half of them on paper; beyond
        the picture's rim is transparent or paper."""
        return torch.stack([self._crop(rng, size) for _ in range(count)])

    def _crop(self, rng: np.random.Generator, size: int) -> Tensor:
        picture = self.pictures[int(rng.integers(len(self.pictures)))]
        smallest = min(1.0, size / min(picture.shape[:2]))
        scale = float(np.exp(rng.uniform(np.log(smallest), np.log(1.0)))) if smallest < 1 else 1.0
        side = max(1, round(size / scale))  # what of the picture the crop will show
        y, x = (int(rng.integers(0, max(1, length - side + 1))) for length in picture.shape[:2])
        piece = picture[y : y + side, x : x + side]
        piece = np.asarray(cv2.resize(piece, (size, size), interpolation=cv2.INTER_AREA)) if scale < 1 else piece
        if rng.random() < 0.5:
            piece = piece[:, ::-1]
        whole = np.zeros((size, size, 4), np.uint8)
        whole[: piece.shape[0], : piece.shape[1]] = piece
        if rng.random() < 0.5:  # as a finished picture on paper of any colour
            alpha = whole[..., 3:].astype(np.float32) / 255
            paper = rng.integers(0, 256, 3) if rng.random() < 0.5 else np.full(3, 255)
            whole[..., :3] = np.round(whole[..., :3] * alpha + paper * (1 - alpha))
            whole[..., 3] = 255
        return _tensor(whole)

    def whole(self, size: int) -> list[Tensor]:
        """Each picture (4, H, W), 0..1, its longer side ``size``, both cut to multiples of 8."""
        reduced = [_resized(picture, size / max(picture.shape[:2])) for picture in self.pictures]
        return [_tensor(picture[: picture.shape[0] // 8 * 8, : picture.shape[1] // 8 * 8]) for picture in reduced]


def _tensor(picture: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1))).float() / 255
