"""Claims about hints: what a dot is, and which regions it means."""

import cv2
import numpy as np
import pytest
from celwright.domain import Pixels
from celwright.errors import UnusableInputError
from celwright.regions.hinted import give_hints
from celwright.regions.hints import Hints, find_hints
from celwright.regions.trapped_ball import Regions, segment
from numpy.typing import NDArray

RED, BLUE, GREEN = (255, 0, 0, 255), (0, 0, 255, 255), (0, 160, 0, 255)


def nothing(height: int = 60, width: int = 90) -> NDArray[np.uint8]:
    return np.zeros((height, width, 4), np.uint8)


def dot(picture: NDArray[np.uint8], x: int, y: int, color: tuple[int, ...], radius: int = 3) -> None:
    cv2.circle(picture, (x, y), radius, color, -1)


def two_rooms() -> tuple[NDArray[np.uint8], Regions]:
    """A wall three pixels thick at x = 44 to 46 between two rooms, with a frame all around."""
    ink = np.zeros((60, 90), np.uint8)
    ink[:2] = ink[-2:] = ink[:, :2] = ink[:, -2:] = 255
    ink[:, 44:47] = 255
    return ink, segment(ink, 0)


def given(ink: NDArray[np.uint8], regions: Regions, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 4) what the hints say of each pixel."""
    hinted = give_hints(regions, ink, find_hints(Pixels(picture)))
    return np.rint(hinted.colors * 255).astype(np.uint8)[hinted.labels]


def test_dots_that_do_not_touch_are_hints_of_their_own_and_equal_colours_are_one_group() -> None:
    picture = nothing()
    for x, color in ((10, RED), (30, BLUE), (50, RED)):
        dot(picture, x, 20, color)
    hints = find_hints(Pixels(picture))
    assert hints.count == 3
    assert hints.groups[0] == 0
    assert [tuple(c) for c in np.rint(hints.colors[hints.marks[20, [10, 30, 50]]] * 255)] == [
        RED[:3],
        BLUE[:3],
        RED[:3],
    ]
    of = hints.groups[hints.marks[20, [10, 30, 50]]]
    assert of[0] == of[2] != of[1]
    assert not hints.marks[picture[..., 3] == 0].any()


def test_a_soft_edge_belongs_to_no_hint_and_does_not_change_its_colour() -> None:
    picture = nothing()
    cv2.circle(picture, (20, 20), 8, (230, 120, 40, 60), -1)
    dot(picture, 20, 20, (220, 100, 30, 255), 6)
    hints = find_hints(Pixels(picture))
    assert hints.count == 1
    assert np.rint(hints.colors[1] * 255).tolist() == [220, 100, 30]
    assert not hints.marks[picture[..., 3] == 60].any()


def test_a_wholly_faint_dot_is_a_hint() -> None:
    picture = nothing()
    dot(picture, 20, 20, (10, 200, 30, 9))
    hints = find_hints(Pixels(picture))
    assert hints.count == 1
    assert np.rint(hints.colors[1] * 255).tolist() == [10, 200, 30]


def test_a_dot_of_slightly_varying_colour_is_one_hint_of_its_commonest_colour() -> None:
    picture = nothing()
    dot(picture, 20, 20, (200, 100, 50, 255), 8)
    noise = (
        np.random.default_rng(1).integers(-2, 3, (60, 90, 3)) * (np.indices((60, 90)).sum(axis=0) % 3 == 0)[..., None]
    )
    picture[..., :3] = np.where(picture[..., 3:] > 0, picture[..., :3] + noise, 0)
    hints = find_hints(Pixels(picture))
    assert hints.count == 1
    assert np.rint(hints.colors[1] * 255).tolist() == [200, 100, 50]


def test_touching_strokes_of_two_colours_are_two_hints_and_their_blend_is_none() -> None:
    picture = nothing()
    picture[10:20, 10:30] = RED
    picture[10:20, 30] = (128, 0, 128, 255)
    picture[10:20, 31:50] = BLUE
    hints = find_hints(Pixels(picture))
    assert hints.count == 2
    assert not hints.marks[10:20, 30].any()


def test_a_thin_line_of_its_own_is_a_hint() -> None:
    picture = nothing()
    picture[10, 10:40] = GREEN
    assert find_hints(Pixels(picture)).count == 1


@pytest.mark.parametrize("channels", [2, 4])
def test_grey_and_sixteen_bit_hints_keep_their_exact_colour(channels: int) -> None:
    data = np.zeros((30, 30, channels), np.uint16)
    data[10:15, 10:15] = 65535
    data[10:15, 10:15, : channels - 1] = 12345
    hints = find_hints(Pixels(data))
    assert np.rint(hints.colors[1] * 65535).tolist() == [12345] * 3


def test_hints_without_transparency_or_without_colour_are_refused() -> None:
    with pytest.raises(UnusableInputError) as raised:
        find_hints(Pixels(np.full((20, 20, 3), 255, np.uint8)))
    assert str(raised.value) == (
        "The hints have no transparency, so every pixel would be a hint; paint dots or strokes on an empty layer."
    )
    with pytest.raises(UnusableInputError) as raised:
        find_hints(Pixels(nothing()))
    assert str(raised.value) == ("The hints are fully transparent; paint at least one dot of colour or leave them out.")


def test_a_dot_colours_its_room_and_no_other() -> None:
    ink, regions = two_rooms()
    picture = nothing()
    dot(picture, 20, 30, RED)
    result = given(ink, regions, picture)
    assert (result[2:58, 2:44] == RED).all()
    assert (result[2:58, 47:88] == 0).all()


def test_a_dot_that_slips_over_a_line_colours_only_the_room_of_its_middle() -> None:
    ink, regions = two_rooms()
    picture = nothing()
    dot(picture, 40, 30, RED, 8)  # three of its columns stand beyond the wall
    assert (picture[30, 47:49, 3] == 255).all()
    result = given(ink, regions, picture)
    assert (result[10, 10] == RED).all()
    assert (result[10, 80] == 0).all()


def test_a_stroke_through_both_rooms_colours_both() -> None:
    ink, regions = two_rooms()
    picture = nothing()
    picture[28:32, 30:70] = GREEN
    result = given(ink, regions, picture)
    assert (result[10, 10] == GREEN).all()
    assert (result[10, 80] == GREEN).all()


def test_a_hint_that_lies_on_a_line_alone_means_the_nearest_room() -> None:
    ink, regions = two_rooms()
    for x, inside, outside in ((44, 10, 80), (46, 80, 10)):
        picture = nothing()
        picture[25:35, x] = BLUE
        result = given(ink, regions, picture)
        assert (result[10, inside] == BLUE).all()
        assert (result[10, outside] == 0).all()


def test_two_colours_in_one_room_split_it_at_its_narrowest_passage() -> None:
    ink, _ = two_rooms()
    ink[20:40, 44:47] = 0  # a door of 20 pixels
    regions = segment(ink, 0)
    assert regions.count == 1
    picture = nothing()
    dot(picture, 20, 30, RED)
    dot(picture, 70, 12, BLUE)
    result = given(ink, regions, picture)
    left, right = result[2:58, 2:40].reshape(-1, 4), result[2:58, 51:88].reshape(-1, 4)
    assert (left == RED).all(axis=1).mean() > 0.98
    assert (right == BLUE).all(axis=1).mean() > 0.98


def test_two_dots_of_one_colour_leave_a_room_whole() -> None:
    ink, regions = two_rooms()
    picture = nothing()
    dot(picture, 12, 12, RED)
    dot(picture, 30, 45, RED)
    assert (given(ink, regions, picture)[2:58, 2:44] == RED).all()


def test_every_pixel_under_the_middle_of_a_hint_has_its_colour() -> None:
    ink, regions = two_rooms()
    picture = nothing()
    random = np.random.default_rng(3)
    for _ in range(12):
        color = (*random.choice([0, 90, 180, 255], 3).tolist(), 255)
        dot(picture, int(random.integers(6, 38)), int(random.integers(6, 54)), color, 2)
    hints: Hints = find_hints(Pixels(picture))
    hinted = give_hints(regions, ink, hints)
    marked = hints.marks > 0
    assert hints.count >= 8
    np.testing.assert_allclose(hinted.colors[hinted.labels[marked], :3], hints.colors[hints.marks[marked]])


def test_a_hint_on_a_line_alone_does_not_disturb_a_room_that_has_its_own() -> None:
    ink, regions = two_rooms()
    picture = nothing()
    picture[25:35, 44] = BLUE
    dot(picture, 20, 30, RED)
    assert (given(ink, regions, picture)[2:58, 2:44] == RED).all()


def bay(opening: int) -> tuple[NDArray[np.uint8], Regions]:
    """A box in an open page of 200 x 240, with an opening to the page that is far too wide to be closed."""
    ink = np.zeros((200, 240), np.uint8)
    cv2.rectangle(ink, (60, 50), (160, 150), 255, 3)
    ink[100 - opening // 2 : 100 + opening // 2, 150:170] = 0
    return ink, segment(ink, 4)


def test_a_hint_in_an_open_bay_fills_the_bay_and_not_the_page() -> None:
    ink, regions = bay(12)
    assert regions.grown[100, 100] == regions.grown[0, 0]
    picture = nothing(200, 240)
    dot(picture, 90, 100, RED, 4)
    result = given(ink, regions, picture)
    assert (result[55:145, 65:150] == RED).all(axis=2).mean() > 0.98
    page = np.ones((200, 240), bool)
    page[45:156, 55:185] = False
    assert not result[page].any()


def test_a_hint_in_the_open_fills_the_page_and_its_bays() -> None:
    ink, regions = bay(12)
    for x, y in ((25, 30), (54, 100)):  # far from the box, and close to its outer side
        picture = nothing(200, 240)
        dot(picture, x, y, RED, 4)
        assert (given(ink, regions, picture) == RED).all(axis=2).mean() > 0.99


def test_an_opening_as_wide_as_the_box_makes_no_bay() -> None:
    ink, regions = bay(90)
    picture = nothing(200, 240)
    dot(picture, 90, 100, RED, 4)
    assert (given(ink, regions, picture) == RED).all(axis=2).mean() > 0.99
