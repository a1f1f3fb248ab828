"""Claims about worn lines: regions are found by what they were meant to be, the line layer stays as drawn."""

import cv2
import numpy as np
import pytest
import torch
from celwright import wiring
from celwright.domain import ColorizeRequest, Finished, Pixels
from celwright.imaging.lineart import drawn
from celwright.models.presets import build_line_completion
from celwright.pipelines.colorize.pipeline import ColorizePipeline
from celwright.pipelines.line_completion import Completer
from celwright.regions.trapped_ball import line_width, segment
from numpy.typing import NDArray

RED = (220, 30, 20, 255)
SIDE, GAP = 320, 14  # px; the openings are wider than those that regions close by themselves (8)


def ring(width: int = 3, opened: bool = True) -> NDArray[np.uint8]:
    """Ink of a circle, and the same with three openings in it."""
    ink = np.zeros((SIDE, SIDE), np.uint8)
    cv2.circle(ink, (160, 160), 100, 255, width, cv2.LINE_AA)
    if opened:
        for x, y in ((160, 60), (74, 210), (246, 210)):
            cv2.circle(ink, (x, y), GAP // 2, 0, -1)
    return ink


def dot() -> Pixels:
    data = np.zeros((SIDE, SIDE, 4), np.uint8)
    cv2.circle(data, (160, 160), 4, RED, -1)
    return Pixels(data)


def colored(pipeline: ColorizePipeline, ink: NDArray[np.uint8], **more: object) -> Finished:
    request = ColorizeRequest(drawn(ink), shading=False, **{"palette": "flatting"} | more)  # type: ignore[arg-type]
    *_, last = pipeline.run(request)
    assert isinstance(last, Finished)
    return last


def painted_area(done: Finished) -> float:
    """Share of the page that has the colour of its middle."""
    flat = done.images["flat"].data
    return float((flat == flat[160, 160]).all(axis=2).mean())


@pytest.fixture(scope="module")
def complete() -> Completer:
    found = wiring.line_completion()
    assert found is not None
    return found()


def test_regions_are_those_of_completed_lines_and_the_line_layer_is_as_drawn() -> None:
    broken, whole, asked = ring(), ring(opened=False), []

    def complete(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
        asked.append(ink)
        return whole

    done = colored(ColorizePipeline(complete=lambda: complete), broken, stages=True)
    assert len(asked) == 1
    assert painted_area(done) == pytest.approx(np.pi * 100**2 / SIDE**2, rel=0.05)
    assert np.array_equal(done.images["line"].data[..., 3], broken)
    assert np.array_equal(done.images["stages/lines"].data[..., 3], whole)


def test_lines_stay_as_they_are_where_no_gap_is_to_be_closed_and_where_hints_say_it_all() -> None:
    def never(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
        raise AssertionError("asked to complete lines")

    for wish in ({"gap": 0}, {"palette": None, "hints": dot()}):
        done = colored(ColorizePipeline(complete=lambda: never), ring(opened=False), stages=True, **wish)
        assert painted_area(done) == pytest.approx(np.pi * 100**2 / SIDE**2, rel=0.05)
        assert "stages/lines" not in done.images


def test_openings_wider_than_regions_close_by_themselves_are_closed(complete: Completer) -> None:
    broken = ring()
    assert segment(broken, 8).count == 1
    completed = complete(broken)
    assert segment(completed, 8).count == 2
    assert (completed >= broken).all()
    beside = cv2.dilate(ring(5, opened=False), np.ones((9, 9), np.uint8)) == 0
    assert not completed[beside].any(), "nothing is drawn where no line was meant"


def test_bold_lines_on_a_large_page_are_completed_as_well(complete: Completer) -> None:
    large = cv2.resize(ring(), None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    assert line_width(large) > 8
    assert segment(complete(large), 8).count == 2


def test_whole_lines_stay_bit_for_bit(complete: Completer) -> None:
    whole = ring(opened=False)
    assert np.array_equal(complete(whole), whole)


@pytest.mark.parametrize("shape", [(1, 1), (7, 400), (333, 21)])
def test_pictures_of_any_shape_come_back_in_it(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    complete = Completer(build_line_completion("tiny"), "cpu")
    ink = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    assert complete(ink).shape == shape
    assert (complete(ink) >= ink).all()


def test_blank_paper_stays_blank(complete: Completer) -> None:
    assert not complete(np.zeros((64, 96), np.uint8)).any()
