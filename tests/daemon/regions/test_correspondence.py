"""Claims about laying one drawing upon another."""

import cv2
import numpy as np
import pytest
from celwright.regions.correspondence import CELLS, SIDE, Drawn, correspondence, line_descriptors, line_likeness
from numpy.typing import NDArray


def figure(shift: int = 0, scale: float = 1.0) -> Drawn:
    """A lopsided figure: head, body, one raised arm, two unlike legs."""
    ink, inside = np.zeros((SIDE, SIDE), np.float32), np.zeros((SIDE, SIDE), np.float32)

    def at(x: float, y: float) -> tuple[int, int]:
        return round(128 + shift + (x - 128) * scale), round(128 + (y - 128) * scale)

    def polygon(*corners: tuple[float, float]) -> None:
        points = np.array([at(*corner) for corner in corners], np.int32)
        cv2.fillPoly(inside, [points], 1.0)
        cv2.polylines(ink, [points], True, 1.0, 2)

    cv2.circle(inside, at(120, 60), round(34 * scale), 1.0, cv2.FILLED)
    cv2.circle(ink, at(120, 60), round(34 * scale), 1.0, 2)
    polygon((90, 94), (160, 94), (170, 170), (84, 170))
    polygon((160, 100), (220, 50), (232, 66), (166, 124))
    polygon((84, 170), (120, 170), (100, 236), (64, 236))
    polygon((130, 170), (170, 170), (160, 220), (140, 220))
    return Drawn(ink, inside)


def finds(target: Drawn, reference: Drawn) -> tuple[NDArray[np.intp], NDArray[np.intp], bool]:
    """Cells inside the target, where they were found, and whether mirrored."""
    found = correspondence(target.shares(), reference.shares(), *line_likeness(target, reference))
    here = np.flatnonzero(target.shares() > 0.5)
    return here, found.mass[here].argmax(axis=1), found.mirrored


def test_a_drawing_is_found_in_itself_cell_by_cell() -> None:
    here, found, mirrored = finds(figure(), figure())
    assert np.array_equal(found, here)
    assert not mirrored


def test_a_mirrored_drawing_is_found_mirrored() -> None:
    here, found, mirrored = finds(figure(), figure().mirrored())
    assert mirrored
    across = here // CELLS * CELLS + CELLS - 1 - here % CELLS
    assert (found == across).mean() > 0.95


def test_a_smaller_drawing_beside_it_is_found_where_it_is() -> None:
    here, found, _ = finds(figure(), figure(shift=24, scale=0.75))
    y, x = np.divmod(here, CELLS)
    wanted_x = (128 + 24 + (x * 8 + 4 - 128) * 0.75) / 8 - 0.5
    wanted_y = (128 + (y * 8 + 4 - 128) * 0.75) / 8 - 0.5
    off = np.hypot(found // CELLS - wanted_y, found % CELLS - wanted_x)
    assert np.median(off) < 1.0


def test_shares_of_mass_sum_to_one_inside_and_to_nothing_outside() -> None:
    target = figure()
    found = correspondence(target.shares(), figure(10).shares(), *line_likeness(target, figure(10)))
    sums = found.mass.sum(axis=1)
    inside = target.shares() > 0
    assert sums[inside] == pytest.approx(np.ones(inside.sum()), abs=1e-3)
    assert not sums[~inside].any()


def test_nothing_corresponds_to_an_empty_drawing() -> None:
    nothing = Drawn(*np.zeros((2, SIDE, SIDE), np.float32))
    found = correspondence(nothing.shares(), figure().shares(), *line_likeness(nothing, figure()))
    assert not found.mass.any()


def test_descriptors_are_unit_vectors_and_do_not_see_outside_the_figure() -> None:
    drawn = figure()
    scribbled = drawn.ink.copy()
    scribbled[:20, :20] = 1
    vectors = line_descriptors(drawn)
    assert np.linalg.norm(vectors, axis=0).max() <= 1
    assert np.array_equal(vectors, line_descriptors(Drawn(scribbled, drawn.inside)))
