"""Claims about measuring colouring by references."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from celwright.domain import ColorizeRequest, Event, Finished, Pixels, Progress, Report
from celwright.errors import UnusableInputError
from celwright.evaluation.references import by_area, by_position, evaluate, table
from numpy.typing import NDArray
from PIL import Image

SKIN, HAIR, CLEAR = (240, 200, 170, 255), (90, 50, 30, 255), (0, 0, 0, 0)
Rgba = NDArray[np.uint8]


def rooms(seam: int) -> tuple[Rgba, Rgba]:
    """Line and flat of two rooms that a line at x = ``seam`` parts: hair on the left, skin on the right."""
    line, flat = np.zeros((80, 160, 4), np.uint8), np.zeros((80, 160, 4), np.uint8)
    cv2.rectangle(line, (10, 10), (150, 70), (0, 0, 0, 255), 2)
    cv2.line(line, (seam, 10), (seam, 70), (0, 0, 0, 255), 2)
    flat[10:71, 10:seam], flat[10:71, seam:151] = HAIR, SKIN
    return line, flat


def save(folder: Path, seam: int) -> None:
    folder.mkdir(parents=True)
    for name, image in zip(("line", "flat"), rooms(seam), strict=True):
        Image.fromarray(image).save(folder / f"{name}.png")


def labels(seam: int) -> NDArray[np.int32]:
    found = np.ones((80, 160), np.int32)
    found[10:71, 10:seam], found[10:71, seam:151] = 2, 3
    return found


class Painter:
    """A pipeline that paints the reference itself, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[ColorizeRequest] = []

    def run(self, request: ColorizeRequest) -> Iterator[Event]:
        self.asked.append(request)
        yield Progress("paint", 0.0)
        yield Finished({"flat": request.references[0].image}, Report())

    def unload(self) -> None:
        pass


def test_by_position_takes_the_colour_that_lies_there() -> None:
    _, flat = rooms(40)
    filled = by_position(labels(120), np.zeros((80, 160), np.uint8), flat)
    assert tuple(filled[40, 20]) == SKIN  # most of the left room lies where the reference has skin
    assert tuple(filled[40, 140]) == SKIN
    assert tuple(filled[0, 0]) == (255, 255, 255, 255)


def test_by_position_stretches_the_reference_over_the_page() -> None:
    _, flat = rooms(80)
    small = cv2.resize(flat, (60, 30), interpolation=cv2.INTER_NEAREST)
    filled = by_position(labels(80), np.zeros((80, 160), np.uint8), small)
    assert (tuple(filled[40, 20]), tuple(filled[40, 140])) == (HAIR, SKIN)


def test_by_area_gives_the_largest_region_the_largest_colour() -> None:
    _, flat = rooms(50)  # most is skin, then paper, then hair
    filled = by_area(labels(110), flat)
    assert tuple(filled[40, 60]) == SKIN  # the left room is the largest now
    assert tuple(filled[0, 0]) == CLEAR
    assert tuple(filled[40, 140]) == HAIR


def test_each_page_takes_its_colours_from_the_next_of_its_group(tmp_path: Path) -> None:
    for name, seam in (("a/man_1", 40), ("a/man_2", 80), ("a/man_3", 120), ("a/boy_1", 40), ("b/man_4", 40)):
        save(tmp_path / name, seam)
    painter = Painter()
    scores = evaluate(tmp_path, painter)
    assert [(score.page, score.reference) for score in scores] == [
        ("a/man_1", "man_2"), ("a/man_2", "man_3"), ("a/man_3", "man_1"),
    ]  # fmt: skip
    assert np.array_equal(painter.asked[0].references[0].image.data, rooms(80)[1])
    assert np.array_equal(painter.asked[0].line_art.data, rooms(40)[0])
    assert all(set(score.shares) == {"celwright", "by position", "by area"} for score in scores)
    # The reference laid over the page is right but between the two seams, and beside their lines.
    assert scores[0].shares["celwright"] == pytest.approx(1 - 40 / 140, abs=0.02)
    lines = table(scores).splitlines()
    assert lines[0] == "| page | reference | celwright | by position | by area | s |"
    assert lines[-1].startswith("| mean |  | ")
    assert len(lines) == 6


def test_numbers_before_the_last_word_do_not_part_a_group_and_other_words_do(tmp_path: Path) -> None:
    for name in ("mia_head-0", "mia_head-45-left", "mia_00-whole-front", "mia_00-whole-side", "1010", "1015"):
        save(tmp_path / name, 40)
    assert [(score.page, score.reference) for score in evaluate(tmp_path, Painter())] == [
        ("mia_00-whole-front", "mia_00-whole-side"), ("mia_00-whole-side", "mia_00-whole-front"),
        ("mia_head-0", "mia_head-45-left"), ("mia_head-45-left", "mia_head-0"),
    ]  # fmt: skip


def test_finished_pictures_on_transparency_are_taken_apart_first(tmp_path: Path) -> None:
    for name, seam in (("mia smile.png", 40), ("mia cries.png", 80), ("bg park.png", 80), ("bg wood.png", 80)):
        line, flat = rooms(seam)
        if name.startswith("bg"):
            flat[..., 3] = 255
        Image.fromarray(np.where(line[..., 3:] > 0, line, flat)).save(tmp_path / name)

    def decompose(picture: Pixels) -> dict[str, Pixels]:
        dark = (picture.data[..., :3].max(axis=2) < 20) & (picture.data[..., 3] > 0)
        line = np.zeros_like(picture.data)
        line[dark] = (0, 0, 0, 255)
        return {"line": Pixels(line), "flat": picture}

    scores = evaluate(tmp_path, Painter(), decompose)
    assert [(score.page, score.reference) for score in scores] == [
        ("mia cries.png", "mia smile.png"), ("mia smile.png", "mia cries.png"),
    ]  # fmt: skip


def test_a_folder_without_pairs_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "man_1", 40)
    with pytest.raises(UnusableInputError) as raised:
        evaluate(tmp_path, Painter())
    assert str(raised.value) == (
        f"There is no pair of pages in {tmp_path}: folders with line.png and flat.png, or finished pictures on "
        f"transparency, whose names differ in the last word only are needed; name a folder that holds such."
    )
