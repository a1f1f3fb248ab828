"""A picture in which people can look at a result: input, four layers, recomposition and error side by side.

Knows nothing of how the layers came about.
"""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from celwright.domain import Pixels
from celwright.layers import NAMES, as_float

_CELL = 480  # px, the longer side of one picture on the sheet
_SMALL_CELL = 256  # px, of one picture among many
_TITLE = 28  # px
_ERROR_GAIN = 16  # an error of 16/255 shows as white


def contact_sheet(picture: Pixels, images: Mapping[str, Pixels]) -> Pixels:
    """An RGB sheet of a finished picture, its layers on a checkerboard, their recomposition and its error times 16.

    ``images`` by layer name, with ``composite``.
    """
    cells = [("input", _on_checkers(picture)), *_layers(images), ("recomposition", _on_checkers(images["composite"]))]
    return _sheet([*cells, (f"error x {_ERROR_GAIN}", _error(picture, images["composite"]))])


def coloring_sheet(line_art: Pixels, images: Mapping[str, Pixels]) -> Pixels:
    """An RGB sheet of a line drawing, the layers that show something, and all together (``composite``)."""
    shown = [(name, cell) for name, cell in _layers(images) if images[name].alpha().any() and name != "line"]
    return _sheet([("line art", _on_checkers(line_art)), *shown, ("composite", _on_checkers(images["composite"]))])


def ways_sheet(rows: Sequence[Sequence[tuple[str, Pixels]]]) -> Pixels:
    """An RGB sheet of titled pictures of one size, each row below the other: what several ways made of one thing."""
    cells = [(title, _on_checkers(picture, _SMALL_CELL)) for row in rows for title, picture in row]
    return _sheet(cells, len(rows[0]))


def _layers(images: Mapping[str, Pixels]) -> list[tuple[str, NDArray[np.uint8]]]:
    return [(name, _on_checkers(images[name])) for name in NAMES]


def _sheet(cells: list[tuple[str, NDArray[np.uint8]]], columns: int | None = None) -> Pixels:
    height, width = cells[0][1].shape[:2]
    most = (5 if len(cells) == 5 else 4) if width < 1.4 * height else 3
    columns = columns or min(len(cells), most)
    rows = -(-len(cells) // columns)
    sheet = Image.new("RGB", (columns * (width + 8) + 8, rows * (height + _TITLE + 8) + 8), (40, 40, 44))
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(18)
    for index, (title, cell) in enumerate(cells):
        x, y = 8 + index % columns * (width + 8), 8 + index // columns * (height + _TITLE + 8)
        pen.text((x + 2, y + 2), title, fill=(235, 235, 235), font=font)
        sheet.paste(Image.fromarray(cell), (x, y + _TITLE))
    return Pixels(np.asarray(sheet))


def _small(pixels: Pixels, cell: int = _CELL) -> NDArray[np.float32]:
    """Premultiplied float RGBA of at most ``cell`` a side."""
    scale = min(1.0, cell / max(pixels.size))
    image = as_float(pixels.rgba())
    image[..., :3] *= image[..., 3:]
    size = max(1, round(pixels.width * scale)), max(1, round(pixels.height * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.float32)


def _on_checkers(pixels: Pixels, cell: int = _CELL) -> NDArray[np.uint8]:
    image = _small(pixels, cell)
    rows, columns = np.indices(image.shape[:2]) // 12
    checkers = np.where((rows + columns) % 2, 0.80, 0.93).astype(np.float32)[..., None]
    return np.asarray(np.clip(image[..., :3] + checkers * (1 - image[..., 3:]), 0, 1) * 255 + 0.5, np.uint8)


def _error(picture: Pixels, composite: Pixels) -> NDArray[np.uint8]:
    difference = np.abs(_small(picture)[..., :3] - _small(composite)[..., :3])
    return np.asarray(np.clip(difference * _ERROR_GAIN, 0, 1) * 255 + 0.5, np.uint8)
