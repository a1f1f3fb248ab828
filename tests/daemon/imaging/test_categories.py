"""Claims about SALAC's colour categories."""

import numpy as np
import pytest
from celwright.imaging.categories import CATEGORIES, color_categories, shown
from celwright.imaging.color import ciede2000, srgb_to_lab


@pytest.mark.parametrize(
    ("color", "category"),
    [
        ((10, 10, 14), "black"), ((250, 250, 252), "white"), ((110, 66, 36), "brown"), ((240, 200, 60), "red"),
        ((200, 20, 30), "red"), ((30, 120, 60), "blue"), ((120, 50, 180), "blue"), ((250, 214, 196), "pink"),
    ],
)  # fmt: skip
def test_a_colour_belongs_to_the_spectrum_that_people_name(color: tuple[int, int, int], category: str) -> None:
    found = color_categories(np.array(color, np.float32) / 255)
    assert list(CATEGORIES)[int(found)] == category


def test_the_category_is_that_of_the_nearest_shade_by_ciede2000() -> None:
    colors = np.round(np.random.default_rng(0).random((40, 3), np.float32) * 63) / np.float32(63)
    for color, found in zip(colors, color_categories(colors), strict=True):
        apart = {
            name: min(
                float(ciede2000(*srgb_to_lab(np.stack([color, np.array(list(bytes.fromhex(shade[1:]))) / 255]))))
                for shade in shades
            )
            for name, shades in CATEGORIES.items()
        }
        assert min(apart, key=apart.__getitem__) == list(CATEGORIES)[found]


def test_a_picture_of_categories_has_their_first_shades() -> None:
    picture = np.array([[[0, 0, 0], [1, 1, 1]]], np.float32)
    assert shown(color_categories(picture)).tolist() == [[[0x14] * 3, [255] * 3]]
