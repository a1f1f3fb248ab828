"""Areas of one flat and their colours."""

import cv2
import numpy as np
import pytest
from celwright.pipelines.decompose.flat_regions import flat_regions

EVERYTHING = np.ones((60, 90), np.bool_)


def fields(*colors, width=90):
    """(60, width, 3) of equally wide upright fields."""
    place = np.arange(width) * len(colors) // width
    return np.ascontiguousarray(np.broadcast_to(np.array(colors, np.uint8)[place], (60, width, 3)))


def found(picture, flat=None, at_most=0, clear=EVERYTHING, visible=EVERYTHING):
    return flat_regions(picture, picture if flat is None else flat, clear, visible, at_most)


def test_areas_end_where_the_colour_changes_and_have_it():
    picture = fields((200, 60, 60), (60, 60, 200), (240, 240, 220))
    regions = found(picture)
    shown = np.round(regions.colors[regions.groups(slice(0, 60))] * 255)
    assert np.abs(shown - picture).max() <= 1
    assert len(regions.colors) == 3
    assert regions.even[1:].all()


def test_smooth_edges_belong_to_the_areas_beside_them():
    red_blue = fields((200, 60, 60), (60, 60, 200))
    soft = cv2.blur(red_blue, (3, 3))
    assert len(np.unique(soft.reshape(-1, 3), axis=0)) > 2
    regions = found(soft)
    assert len(regions.colors) == 2
    sides = regions.groups(slice(0, 60))
    assert np.unique(sides[:, :43]).size == np.unique(sides[:, 47:]).size == 1


def test_a_shadow_is_no_flat_of_its_own_where_the_flat_knows_better():
    picture = fields((200, 60, 60), (120, 36, 36), (60, 60, 200))
    flat = fields((200, 60, 60), (190, 58, 60), (60, 60, 200))
    regions = found(picture, flat)
    assert len(regions.colors) == 2
    assert sorted(np.round(regions.colors[:, 0] * 255).tolist()) == pytest.approx([60, 200], abs=1)  # as it is lit


def test_the_least_alike_colours_are_kept_and_small_ones_are_not_given_up_for_shades_of_large_ones():
    picture = fields((100, 150, 240), (104, 160, 250), (90, 140, 225))
    picture[20:30, 40:50] = (230, 40, 30)
    regions = found(picture, at_most=2)
    assert len(regions.colors) == 2
    eye = regions.colors[regions.groups(slice(25, 26))[0, 45]]
    assert np.round(eye * 255).tolist() == pytest.approx([230, 40, 30], abs=2)


def test_what_is_not_visible_belongs_to_no_area():
    visible = EVERYTHING.copy()
    visible[:, :30] = False
    regions = found(fields((0, 0, 0), (200, 60, 60), (60, 60, 200)), clear=visible, visible=visible)
    assert not regions.labels[:, :30].any()
    assert (regions.labels[:, 30:] > 0).all()
    assert len(regions.colors) == 2


def test_every_visible_pixel_has_an_area_under_lines_and_in_noise():
    noise = np.random.default_rng(1).integers(0, 256, (60, 90, 3)).astype(np.uint8)
    clear = EVERYTHING.copy()
    clear[20:50] = False
    for picture, at_most in ((noise, 0), (noise, 5), (fields((200, 60, 60), (60, 60, 200)), 1)):
        regions = found(picture, at_most=at_most, clear=clear)
        assert (regions.labels > 0).all()
        assert at_most == 0 or len(regions.colors) <= at_most


def test_the_same_picture_always_has_the_same_areas():
    ramp = np.linspace(0, 255, 90).astype(np.uint8)
    picture = np.stack([np.tile(ramp, (60, 1)), np.tile(ramp[::-1], (60, 1)), np.full((60, 90), 80, np.uint8)], 2)
    first, second = found(picture, at_most=6), found(picture, at_most=6)
    np.testing.assert_array_equal(first.labels, second.labels)
    np.testing.assert_array_equal(first.colors, second.colors)
    assert 2 <= len(first.colors) <= 6  # a passage from one colour to another is cut
