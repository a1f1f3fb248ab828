"""Claims about regions found in line art with known answers."""

import cv2
import numpy as np
import pytest
from celwright.regions.growth import grown
from celwright.regions.trapped_ball import LINE_FROM, segment
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

Ink = NDArray[np.uint8]


def square(size: int = 80, at: int = 20, side: int = 40, thick: int = 2) -> Ink:
    """The outline of a square; ``side`` free pixels inside."""
    ink = np.zeros((size, size), np.uint8)
    ink[at - thick : at + side + thick, at - thick : at + side + thick] = 255
    ink[at : at + side, at : at + side] = 0
    return ink


def circle(gap: int, size: int = 200, radius: int = 60) -> Ink:
    """A ring whose top is open over ``gap`` free pixels."""
    ink = np.zeros((size, size), np.uint8)
    cv2.circle(ink, (size // 2, size // 2), radius, 255, 3)
    if gap:
        left = size // 2 - gap // 2
        ink[: size // 2, left : left + gap] = 0
    return ink


small_pages = arrays.arrays(
    np.uint8, st.tuples(st.integers(8, 28), st.integers(8, 28)), elements=st.sampled_from([0, 0, 0, 255])
)


def test_a_square_in_a_square_makes_three_regions():
    ink = np.maximum(square(120, 20, 80), square(120, 45, 30))
    found = segment(ink, 0)
    assert found.count == 3
    assert found.areas.tolist() == [ink.size - found.areas[1:].sum(), 120**2 - 84**2, 80**2 - 34**2, 30**2]


def test_regions_are_numbered_in_reading_order():
    found = segment(np.maximum(square(120, 20, 80), square(120, 45, 30)), 8)
    assert [found.labels[0, 0], found.labels[22, 22], found.labels[60, 60]] == [1, 2, 3]


@pytest.mark.parametrize("gap", [1, 2, 3, 4, 7, 8, 9, 15, 16])
def test_a_circle_is_closed_up_to_the_gap_stated_and_not_beyond(gap):
    assert segment(circle(gap), gap).count == 2
    assert segment(circle(gap + 1), gap).count == 1


def test_without_a_gap_to_close_nothing_is_closed():
    assert segment(circle(1), 0).count == 1
    assert segment(circle(0), 0).count == 2


def test_a_leak_is_reported_where_it_is_and_as_wide_as_it_is():
    found = segment(circle(6), 8)
    (leak,) = found.leaks
    assert abs(leak.x - 100) <= 3
    assert abs(leak.y - 40) <= 3
    assert abs(leak.width - 6) <= 1
    assert leak.regions == (1, 2)


def test_every_opening_of_a_dashed_outline_is_a_leak():
    ink = square(140, 30, 80, 3)
    for place in (45, 65, 85):
        ink[:60, place : place + 5] = 0
    found = segment(ink, 8)
    assert found.count == 2
    assert sorted(leak.x for leak in found.leaks) == pytest.approx([47, 67, 87], abs=2)


def test_a_closed_drawing_leaks_nowhere():
    assert segment(square(), 8).leaks == ()


def test_a_narrow_waist_with_smooth_sides_is_not_a_gap():
    x = np.arange(20, 220)
    half = 20 - 10 * np.exp(-(((x - 120) / 30) ** 2))
    ink = np.zeros((120, 240), np.uint8)
    for side in (-1, 1):
        outline = np.stack([x, 60 + side * half], axis=1).round().astype(np.int32)
        cv2.polylines(ink, [outline], False, 255, 3)
    ink[40:80, 20:22] = ink[40:80, 218:220] = 255
    assert segment(ink, 24).count == 2


def test_a_thin_strip_between_lines_is_a_region_of_its_own():
    ink = np.zeros((60, 60), np.uint8)
    ink[20:23] = ink[26:29] = 255
    found = segment(ink, 8)
    assert found.count == 3
    assert (found.labels[23:26] == 2).all()


def test_a_glint_enclosed_by_line_stays_and_a_pinhole_does_not():
    ink = np.zeros((60, 60), np.uint8)
    ink[20:40, 20:40] = 255
    ink[25:28, 25:28] = 0
    ink[35, 35] = 0
    found = segment(ink, 8)
    assert found.count == 2
    assert found.labels[26, 26] == 2
    assert found.labels[35, 35] == 0


def test_a_diagonal_line_one_pixel_thin_holds():
    ink = np.zeros((80, 80), np.uint8)
    np.fill_diagonal(ink, 255)
    for gap in (0, 8):
        assert segment(ink, gap).count == 2


def test_colour_grows_under_the_antialiased_line_to_its_middle():
    ink = np.zeros((200, 200), np.uint8)
    cv2.circle(ink, (100, 100), 60, 255, 7, cv2.LINE_AA)
    found = segment(ink, 8)
    y, x = np.mgrid[:200, :200]
    off = np.hypot(x - 100, y - 100) - 60
    assert (found.grown > 0).all()
    assert (found.grown[off < -1] == 2).all()
    assert (found.grown[off > 1.5] == 1).all()


def test_growing_reaches_the_corners_of_the_page():
    labels = np.zeros((40, 30), np.int32)
    labels[20, 0] = 7
    labels[20, 29] = 9
    result = grown(labels)
    assert set(result[:, :14].ravel()) == {7}
    assert set(result[:, 16:].ravel()) == {9}


def test_a_page_of_nothing_but_line_has_no_region():
    found = segment(np.full((20, 20), 255, np.uint8), 8)
    assert (found.count, found.leaks, found.areas.tolist()) == (0, (), [400])
    assert not found.grown.any()


def test_an_empty_page_is_one_region():
    found = segment(np.zeros((20, 30), np.uint8), 8)
    assert (found.count, found.areas.tolist()) == (1, [0, 600])


@settings(max_examples=60, deadline=None)
@given(small_pages, st.sampled_from([0, 2, 5, 20]))
def test_labels_partition_the_page(ink, gap):
    found = segment(ink, gap)
    assert found.labels.shape == ink.shape
    assert (found.labels[ink >= LINE_FROM] == 0).all()
    assert np.array_equal(np.bincount(found.labels.ravel(), minlength=found.count + 1), found.areas)
    assert set(np.unique(found.labels)) - {0} == set(range(1, found.count + 1))
    kept = found.labels > 0
    assert np.array_equal(found.grown[kept], found.labels[kept])
    assert found.count == 0 or (found.grown > 0).all()
    for leak in found.leaks:
        assert found.labels[leak.y, leak.x] in leak.regions
        assert leak.regions[0] != leak.regions[1]


@settings(max_examples=40, deadline=None)
@given(small_pages)
def test_closing_nothing_equals_plain_four_connected_components(ink):
    count, plain = cv2.connectedComponents((ink < LINE_FROM).view(np.uint8), connectivity=4)
    areas = np.bincount(plain.ravel(), minlength=count)[1:]
    found = segment(ink, 0)
    assert sorted(found.areas[1:]) == sorted(areas[areas >= 4])


@settings(max_examples=40, deadline=None)
@given(small_pages, st.sampled_from([2, 6]))
def test_a_region_is_one_piece(ink, gap):
    found = segment(ink, gap)
    for region in range(1, found.count + 1):
        assert cv2.connectedComponents((found.labels == region).view(np.uint8), connectivity=4)[0] == 2


def test_the_same_page_gives_the_same_regions():
    rng = np.random.default_rng(3)
    ink = np.where(cv2.GaussianBlur(rng.random((200, 200)), (0, 0), 3) > 0.52, 255, 0).astype(np.uint8)
    first, second = segment(ink, 8), segment(ink.copy(), 8)
    assert np.array_equal(first.labels, second.labels)
    assert np.array_equal(first.grown, second.grown)
    assert first.leaks == second.leaks


@pytest.mark.parametrize("turn", [np.flipud, np.fliplr, np.transpose])
def test_a_mirrored_drawing_has_mirrored_regions(turn):
    """Only the seam across an opening may move: by about a pixel."""
    ink = np.maximum(circle(7), np.roll(square(200, 20, 20), (-15, -15), (0, 1)))
    found, mirrored = segment(ink, 8), segment(np.ascontiguousarray(turn(ink)), 8)
    assert found.count == mirrored.count == 3
    assert sorted(found.areas) == pytest.approx(sorted(mirrored.areas), abs=25)
    assert np.array_equal(turn(found.labels) == 0, mirrored.labels == 0)
