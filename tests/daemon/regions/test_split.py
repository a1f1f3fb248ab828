"""Claims about splitting a region by hints."""

import cv2
import numpy as np
from celwright.regions.split import split
from celwright.regions.trapped_ball import segment
from hypothesis import given, settings
from hypothesis import strategies as st


def two_rooms(door: int = 20, scale: int = 1) -> np.ndarray:
    """(100, 200) two rooms, x 10..97 and 101..189, with a door at mid height in the wall between."""
    ink = np.full((100, 200), 255, np.uint8)
    ink[10:90, 10:98] = ink[10:90, 101:190] = 0
    ink[50 - door // 2 : 50 + door // 2, 98:101] = 0
    return np.kron(ink, np.ones((scale, scale), np.uint8))


def marked(shape, *dots) -> np.ndarray:
    """Markers with a dot of 5 pixels at each (x, y, number)."""
    markers = np.zeros(shape, np.int32)
    for x, y, number in dots:
        markers[y - 2 : y + 3, x - 2 : x + 3] = number
    return markers


def test_two_hints_cut_at_the_door_between_them():
    ink = two_rooms()
    found = segment(ink, 8)
    assert found.count == 1
    labels, owner = split(found.grown, ink, marked(ink.shape, (20, 20, 5), (150, 70, 9)))
    assert owner.tolist() == [0, 5, 9]
    assert (labels[12:88, 12:94] == 1).all()
    assert (labels[12:88, 104:188] == 2).all()


def test_the_cut_is_at_the_door_although_one_hint_is_close_to_it():
    ink = two_rooms()
    labels, _ = split(segment(ink, 8).grown, ink, marked(ink.shape, (20, 20, 1), (106, 50, 2)))
    assert np.mean(labels[12:88, 12:94] == 1) > 0.99
    assert np.mean(labels[12:88, 104:188] == 2) > 0.99


def test_a_large_page_is_cut_at_the_door_as_well():
    ink = two_rooms(scale=10)
    labels, owner = split(np.ones(ink.shape, np.int32), ink, marked(ink.shape, (200, 200, 1), (1500, 700, 2)))
    assert owner.tolist() == [0, 1, 2]
    assert np.mean(labels[120:880, 120:940] == 1) > 0.995
    assert np.mean(labels[120:880, 1040:1880] == 2) > 0.995


def test_a_room_without_a_hint_goes_through_its_widest_door():
    ink = np.full((100, 300), 255, np.uint8)
    ink[10:90, 10:98] = ink[10:90, 101:199] = ink[10:90, 202:290] = 0
    ink[44:56, 98:101] = 0
    ink[35:65, 199:202] = 0
    labels, owner = split(segment(ink, 8).grown, ink, marked(ink.shape, (30, 50, 1), (250, 50, 2)))
    assert owner[labels[50, 150]] == 2


def test_without_a_passage_the_nearer_hint_wins():
    ink = np.zeros((60, 120), np.uint8)
    labels, owner = split(np.ones(ink.shape, np.int32), ink, marked(ink.shape, (20, 30, 1), (100, 30, 2)))
    by_owner = owner[labels]
    assert (by_owner[:, :55] == 1).all()
    assert (by_owner[:, 65:] == 2).all()


def test_hints_of_one_colour_do_not_split():
    ink = two_rooms()
    before = segment(ink, 8).grown
    labels, owner = split(before, ink, marked(ink.shape, (20, 20, 3), (150, 70, 3)))
    assert np.array_equal(labels, before)
    assert owner.tolist() == [0, 3]


def test_without_hints_nothing_changes():
    ink = two_rooms(0)
    before = segment(ink, 8).grown
    labels, owner = split(before, ink, np.zeros_like(before))
    assert np.array_equal(labels, before)
    assert owner.tolist() == [0, 0, 0]


def test_only_regions_with_two_hints_are_split():
    ink = np.concatenate([two_rooms(0), two_rooms()])
    before = segment(ink, 8).grown
    labels, owner = split(before, ink, marked(ink.shape, (20, 20, 4), (20, 150, 7), (150, 150, 8)))
    assert np.array_equal(labels[:95], before[:95])
    assert sorted(owner[np.unique(labels)]) == [0, 4, 7, 8]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 12))
def test_every_hint_lies_in_a_part_of_its_own_number(seed, dots):
    rng = np.random.default_rng(seed)
    ink = np.zeros((64, 64), np.uint8)
    for _ in range(4):
        cv2.line(ink, rng.integers(0, 64, 2).tolist(), rng.integers(0, 64, 2).tolist(), 255, 2)
    found = segment(ink, 4)
    markers = np.zeros(ink.shape, np.int32)
    y, x = rng.integers(0, 64, (2, dots))
    markers[y, x] = rng.integers(1, 5, dots)
    labels, owner = split(found.grown, ink, markers)
    assert (owner[labels[markers > 0]] == markers[markers > 0]).all()
    assert len(owner) == labels.max() + 1
    # Parts refine the regions: no part reaches over two of them.
    pairs = np.unique(np.stack([labels.ravel(), found.grown.ravel()]), axis=1)
    assert len(np.unique(pairs[0])) == pairs.shape[1]
