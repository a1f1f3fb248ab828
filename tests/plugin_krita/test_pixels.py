"""Images as bytes: layouts are checked, channels swapped without numpy."""

from __future__ import annotations

import numpy as np
import pytest
from celwright_krita.errors import UnusableInputError, WrongUsageError
from celwright_krita.pixels import Pixels, swapped_red_and_blue


@pytest.mark.parametrize("kind", [np.uint8, np.dtype("<u2")])
def test_swapping_red_and_blue_is_what_numpy_says_and_its_own_inverse(kind: type) -> None:
    bgra = np.random.default_rng(0).integers(0, 256, (9, 5, 4)).astype(kind) * (257 if kind != np.uint8 else 1)
    rgba = swapped_red_and_blue(bgra.tobytes(), 8 * bgra.dtype.itemsize)
    assert bytes(rgba) == bgra[..., [2, 1, 0, 3]].tobytes()
    assert bytes(swapped_red_and_blue(rgba, 8 * bgra.dtype.itemsize)) == bgra.tobytes()


@pytest.mark.parametrize(
    ("layout", "fault", "sentence"),
    [
        (
            (8, 8, 4, 32),
            WrongUsageError,
            "An image of 4 channels with 32 bits came; 1 to 4 channels with 8 or 16 bits are allowed: convert it.",
        ),
        (
            (8, 8, 5, 8),
            WrongUsageError,
            "An image of 5 channels with 8 bits came; 1 to 4 channels with 8 or 16 bits are allowed: convert it.",
        ),
        ((8, 8, 1, 16), WrongUsageError, "An image of 8x8 pixels came with 64 bytes; its layout needs 128."),
        (
            (7, 9, 1, 8),
            UnusableInputError,
            "The image is 7x9 pixels; each side must have at least 8: use a larger picture.",
        ),
        (
            (8193, 8192, 1, 8),
            UnusableInputError,
            "The image is 8193x8192 pixels; at most 30000 a side and 67108864 in all are allowed: use a smaller "
            "picture.",
        ),
    ],
)
def test_a_layout_that_cannot_be_is_refused(layout: tuple[int, ...], fault: type[Exception], sentence: str) -> None:
    with pytest.raises(fault) as told:
        Pixels(bytes(64), *layout)
    assert str(told.value) == sentence


def test_moving_an_image_leaves_its_hash_and_another_layout_does_not() -> None:
    data = bytes(range(256))
    assert Pixels(data, 8, 8).content_hash() == Pixels(bytearray(data), 8, 8, offset=(3, -3), icc=b"p").content_hash()
    assert len({Pixels(data, 8, 8).content_hash(), Pixels(data, 8, 16, 2).content_hash()}) == 2
