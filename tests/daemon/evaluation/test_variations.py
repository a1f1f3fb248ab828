"""Claims about judging the variety of automatic colourings."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from celwright.domain import ColorizeRequest, Event, Finished, Pixels, Report
from celwright.errors import UnusableInputError
from celwright.evaluation.variations import evaluate, table, variety
from numpy.typing import NDArray
from PIL import Image

RED, BLUE, MUD = (220, 30, 20), (20, 40, 210), (110, 104, 98)


def flat(color: tuple[int, int, int]) -> NDArray[np.uint8]:
    return np.full((32, 32, 4), (*color, 255), np.uint8)


class Painter:
    def __init__(self, *colors: tuple[int, int, int]) -> None:
        self.colors, self.asked = colors, list[ColorizeRequest]()

    def run(self, request: ColorizeRequest) -> Iterator[Event]:
        self.asked.append(request)
        shown = self.colors[: request.variations]
        yield Finished({f"{i}/flat" if i else "flat": Pixels(flat(c)) for i, c in enumerate(shown)}, Report())

    def unload(self) -> None:
        pass


def test_equal_colourings_are_at_no_distance_and_unlike_ones_far() -> None:
    assert variety("p", [flat(RED), flat(RED)]).distance == 0
    assert variety("p", [flat(RED), flat(BLUE)]).distance > 0.9
    assert variety("p", [flat(RED), flat(RED), flat(BLUE)]).distance == pytest.approx(
        2 / 3 * variety("p", [flat(RED), flat(BLUE)]).distance
    )
    assert variety("p", [flat(RED)]).distance == 0


def test_muddy_colourings_are_counted_and_transparency_does_not_matter() -> None:
    half = flat(MUD)
    half[:, 12:] = (*RED, 255)
    unpainted = flat(RED)
    unpainted[:, 8:] = (*MUD, 0)
    found = variety("p", [flat(MUD), half, unpainted])
    assert found.muddy == 1
    assert not found.passed


def test_every_drawing_below_a_folder_is_coloured_by_drawn_palettes(tmp_path: Path) -> None:
    for name in ("a", "b/c"):
        (tmp_path / name).mkdir(parents=True)
        Image.fromarray(flat(RED)).save(tmp_path / name / "line.png")
    painter = Painter(RED, BLUE)
    rows = evaluate(tmp_path, painter, count=2)
    assert [(row.page, row.count, row.muddy) for row in rows] == [("a", 2, 0), ("b/c", 2, 0)]
    assert all(request.palette == "auto" and request.variations == 2 for request in painter.asked)
    assert table(rows).splitlines()[-1] == "2 of 2 pages reach a distance of 0.25 with none muddy."


def test_a_folder_without_drawings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableInputError) as raised:
        evaluate(tmp_path, Painter())
    assert str(raised.value) == (
        f"There is no line.png in {tmp_path} or below; name a folder that holds folders with line art."
    )
