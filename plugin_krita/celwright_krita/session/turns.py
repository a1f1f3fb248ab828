"""A layer is read some rows at a time, so that the window stays alive in between. Knows only the seam to the program.

What the artist paints between two turns is in the rows that are read after it.
"""

from __future__ import annotations

from typing import Any, Generator

from celwright_krita.canvas import Canvas, Raw, Rect

TURN_BYTES = 8 << 20  # 3 to 50 ms
PIXEL_BYTES = 8  # the most that a layer of whole numbers has


def read_in_turns(canvas: Canvas, id: str, rect: Rect) -> Generator[None, None, Raw]:
    """What ``canvas.read(id, rect)`` gives, as the generator's value. Raises what that raises."""
    rows = max(1, TURN_BYTES // (PIXEL_BYTES * max(1, rect.width)))
    if rect.height <= rows:
        return canvas.read(id, rect)
    data = bytearray()
    for top in range(0, rect.height, rows):
        band = canvas.read(id, Rect(rect.x, rect.y + top, rect.width, min(rows, rect.height - top)))
        data += band.data
        yield
    return Raw(data, rect, band.model, band.depth)


def finished(turns: Generator[None, None, Any]) -> Any:
    """The value of a generator after all its turns, taken at once."""
    value = None

    def take() -> Generator[None, None, None]:
        nonlocal value
        value = yield from turns

    for _ in take():
        pass
    return value
