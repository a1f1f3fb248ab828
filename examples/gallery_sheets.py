"""Pictures side by side, with a title over each, as the gallery shows them. Knows nothing of what they are."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

LIMIT = 120_000  # bytes of one sheet
GAIN = 16  # an error of 16/255 shows as white
_GAP, _TITLE = 8, 24  # px

Crop = tuple[float, float, float, float]
"""Left, top, right and bottom of what is shown, as parts of the picture's size."""
WHOLE: Crop = (0, 0, 1, 1)


def on_checkers(picture: Image.Image) -> Image.Image:
    """RGB, with checkers where the picture is transparent."""
    rows, columns = np.indices((picture.height, picture.width)) // 12
    checkers = Image.fromarray(np.where((rows + columns) % 2, 204, 237).astype(np.uint8)).convert("RGBA")
    return Image.alpha_composite(checkers, picture.convert("RGBA")).convert("RGB")


def from_floats(image: NDArray[np.float32]) -> Image.Image:
    """RGB or RGBA of 0..1, shape (H, W, 3 or 4)."""
    return Image.fromarray((np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8))


def error_map(picture: Image.Image, composite: Image.Image) -> Image.Image:
    """The difference of two RGBA pictures times ``GAIN``, transparency counted as black."""
    wanted, got = (np.asarray(image.convert("RGBA"), np.float32) / 255 for image in (picture, composite))
    return from_floats(np.abs(wanted[..., :3] * wanted[..., 3:] - got[..., :3] * got[..., 3:]) * GAIN)


class Sheet:
    """Cells in rows of ``columns``, each ``width`` px wide and as high as the crop makes it."""

    def __init__(self, columns: int, width: int) -> None:
        self._columns, self._width = columns, width
        self._cells: list[tuple[str, Image.Image]] = []

    def add(self, title: str, picture: Image.Image, crop: Crop = WHOLE) -> None:
        left, top, right, bottom = (round(part * side) for part, side in zip(crop, picture.size * 2, strict=True))
        box = left, top, right, bottom
        cut = picture.convert("RGBa").crop(box) if picture.mode == "RGBA" else picture.crop(box)
        size = self._width, round(cut.height * self._width / cut.width)
        small = cut.resize(size, Image.Resampling.LANCZOS)
        self._cells.append((title, on_checkers(small.convert("RGBA"))))

    def save(self, target: Path) -> None:
        """As WebP below ``LIMIT``, with less quality where that is needed."""
        rows = [self._cells[at : at + self._columns] for at in range(0, len(self._cells), self._columns)]
        heights = [max(cell.height for _, cell in row) + _TITLE + _GAP for row in rows]
        sheet = Image.new("RGB", (self._columns * (self._width + _GAP) + _GAP, sum(heights) + _GAP), (40, 40, 44))
        pen, y = ImageDraw.Draw(sheet), _GAP
        for row, height in zip(rows, heights, strict=True):
            _row(sheet, pen, row, y, self._width)
            y += height
        for quality in range(88, 40, -6):
            sheet.save(target, quality=quality, method=6)
            if target.stat().st_size <= LIMIT:
                break
        print(f"{target.name}: {sheet.width}x{sheet.height}, {target.stat().st_size // 1000} kB, quality {quality}")


def _row(
    sheet: Image.Image, pen: ImageDraw.ImageDraw, row: Sequence[tuple[str, Image.Image]], y: int, width: int
) -> None:
    for place, (title, cell) in enumerate(row):
        x = _GAP + place * (width + _GAP)
        size = 16
        while pen.textlength(title, ImageFont.load_default(size)) > width and size > 10:
            size -= 1
        pen.text((x + 2, y), title, fill=(235, 235, 235), font=ImageFont.load_default(size))
        sheet.paste(cell, (x, y + _TITLE))
