"""An image as it stands in a document, and what sizes are allowed. Knows numpy only.

Arrays are (height, width, channels); a position is (x, y).
"""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from celwright.errors import UnusableInputError, WrongUsageError

MIN_SIDE = 8  # px; below this there is nothing to tell a line from a surface
MAX_SIDE = 30_000  # px; the longest side a PSD can hold
MAX_PIXELS = 8192 * 8192

FloatImage: TypeAlias = NDArray[np.float32]  # (H, W, C), 0..1, the document's own gamma-encoded space
Labels: TypeAlias = NDArray[np.int32]  # (H, W), region IDs from 1; 0 is line


@dataclass(frozen=True, eq=False)
class Pixels:
    """An image as it stands in a document: straight alpha, 8 or 16 bit.

    ``data`` is (H, W, C), uint8 or uint16; C = 1 grey or mask, 2 grey + alpha, 3 RGB, 4 RGBA.
    ``offset`` is (x, y) of the upper left corner in the document, in pixels, and may be negative.
    Raises UnusableInputError for sizes out of range, WrongUsageError for another layout or type.
    """

    data: NDArray[Any]
    offset: tuple[int, int] = (0, 0)
    icc: bytes = b""

    def __post_init__(self) -> None:
        if self.data.ndim != 3 or not 1 <= self.data.shape[2] <= 4:
            raise WrongUsageError(
                f"An image of shape {self.data.shape} came; height x width x 1 to 4 channels is allowed: reshape it."
            )
        if self.data.dtype not in (np.uint8, np.uint16):
            raise WrongUsageError(
                f"An image of type {self.data.dtype} came; 8 or 16 bits a channel are allowed: convert it."
            )
        check_size(self.width, self.height)

    @property
    def width(self) -> int:
        return int(self.data.shape[1])

    @property
    def height(self) -> int:
        return int(self.data.shape[0])

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.width, self.height

    @property
    def channels(self) -> int:
        return int(self.data.shape[2])

    @property
    def depth(self) -> Literal[8, 16]:
        """Bits a channel."""
        return 8 if self.data.dtype == np.uint8 else 16

    @property
    def top(self) -> int:
        """The value that stands for 1.0: 255 or 65535."""
        return 255 if self.depth == 8 else 65535

    def rgba(self) -> "Pixels":
        """The same image with four channels; itself when it has them already."""
        if self.channels == 4:
            return self
        alpha = self.data[..., -1:] if self.channels == 2 else np.full_like(self.data[..., :1], self.top)
        color = self.data[..., :3] if self.channels == 3 else np.repeat(self.data[..., :1], 3, axis=2)
        return Pixels(np.concatenate([color, alpha], axis=2), self.offset, self.icc)

    def alpha(self) -> NDArray[Any]:
        """(H, W) coverage in the image's own depth; full where the image has no alpha."""
        if self.channels in (2, 4):
            return self.data[..., -1]
        return np.full(self.data.shape[:2], self.top, self.data.dtype)

    def coverage(self) -> NDArray[np.uint8]:
        """(H, W) uint8 as a mask: the grey value of a one-channel image, else brightness weighed by alpha."""
        data = self.data if self.depth == 8 else (self.data // 257).astype(np.uint8)
        if self.channels == 1:
            return np.ascontiguousarray(data[..., 0])
        if self.channels == 2:
            color, alpha = data[..., 0].astype(np.uint16), data[..., 1]
        else:
            color = data[..., :3].max(axis=2).astype(np.uint16)
            alpha = data[..., 3] if self.channels == 4 else np.full_like(data[..., 0], 255)
        return np.asarray((color * alpha + 127) // 255, dtype=np.uint8)


def check_size(width: int, height: int) -> None:
    """Refuse sizes out of range with one sentence (UnusableInputError)."""
    if min(width, height) < MIN_SIDE:
        raise UnusableInputError(
            f"The image is {width}x{height} pixels; each side must have at least {MIN_SIDE}: use a larger picture."
        )
    if max(width, height) > MAX_SIDE:
        raise UnusableInputError(
            f"The image is {width}x{height} pixels; no side may exceed {MAX_SIDE}, the most a PSD can hold: cut it."
        )
    if width * height > MAX_PIXELS:
        raise UnusableInputError(
            f"The image is {width}x{height} pixels ({width * height / 1e6:.0f} million); at most "
            f"{MAX_PIXELS / 1e6:.0f} million (8192x8192) are allowed: scale it down or cut it."
        )


def check_same_size(name: str, image: Pixels, of: str, picture: Pixels) -> None:
    """Refuse a companion image that does not lie on the picture (WrongUsageError)."""
    if image.size != picture.size or image.offset != picture.offset:
        raise WrongUsageError(
            f"The {name} image is {image.width}x{image.height} pixels at {image.offset}, the {of} "
            f"{picture.width}x{picture.height} at {picture.offset}; both must match: "
            "export it with the whole canvas."
        )
