"""The contact sheet shows what there is."""

import numpy as np
from celwright.domain import Pixels
from celwright.evaluation.contact_sheet import coloring_sheet, contact_sheet


def _solid(*color: int, width: int = 40, height: int = 60) -> Pixels:
    return Pixels(np.full((height, width, 4), color, np.uint8))


def test_input_layers_recomposition_and_error_stand_on_the_sheet() -> None:
    picture, clear = _solid(200, 10, 10, 255), _solid(0, 0, 0, 0)
    images = {"line": clear, "flat": _solid(10, 200, 10, 255), "shadow": clear, "highlight": clear}
    sheet = contact_sheet(picture, {**images, "composite": _solid(200, 10, 10, 255)}).data
    assert sheet.shape == (2 * (60 + 28 + 8) + 8, 4 * 48 + 8, 3)
    assert (sheet[60, 20] == (200, 10, 10)).all()  # input
    assert (sheet[60, 20 + 2 * 48] == (10, 200, 10)).all()  # flat, third in the first row
    assert (sheet[60 + 96, 20 + 2 * 48] == (0, 0, 0)).all()  # no error


def _images(flat: tuple[int, ...], **size: int) -> dict[str, Pixels]:
    clear = _solid(0, 0, 0, 0, **size)
    full = _solid(*flat, **size)
    return {"line": clear, "flat": full, "shadow": clear, "highlight": clear, "composite": full}


def test_an_error_shows_sixteenfold() -> None:
    sheet = contact_sheet(_solid(100, 100, 100, 255), _images((110, 100, 100, 255))).data
    assert (sheet[60 + 96, 20 + 2 * 48] == (160, 0, 0)).all()


def test_large_pictures_are_shown_small() -> None:
    large = {"width": 2000, "height": 1000}
    assert contact_sheet(_solid(1, 2, 3, 255, **large), _images((1, 2, 3, 255), **large)).width < 3 * 500


def test_a_coloring_shows_only_layers_with_something_on_them() -> None:
    sheet = coloring_sheet(_solid(0, 0, 0, 0), _images((110, 100, 100, 255)))
    assert sheet.size == (3 * 48 + 8, 60 + 28 + 8 + 8)


def test_a_coloring_with_light_and_shade_stands_in_one_row() -> None:
    full = _solid(110, 100, 100, 255)
    images = {**_images((110, 100, 100, 255)), "shadow": full, "highlight": full}
    assert coloring_sheet(_solid(0, 0, 0, 0), images).size == (5 * 48 + 8, 60 + 28 + 8 + 8)
