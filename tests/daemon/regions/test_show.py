"""Claims about pictures of regions and leaks."""

import numpy as np
from celwright.domain import Leak, Pixels
from celwright.regions.show import id_map, labels_of, leak_overlay, preview, region_colors
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays


@given(arrays.arrays(np.int32, (9, 11), elements=st.integers(0, 2**31 - 1)))
def test_region_ids_survive_the_picture_bit_by_bit(labels):
    assert np.array_equal(labels_of(id_map(labels)), labels)


def test_an_id_stands_in_the_bytes_lowest_first():
    labels = np.full((8, 8), 0x04030201, np.int32)
    assert id_map(labels).data[0, 0].tolist() == [1, 2, 3, 4]


def test_neighbouring_regions_get_clearly_different_colours():
    labels = np.arange(1, 65, dtype=np.int32).reshape(8, 8).repeat(4, axis=0).repeat(4, axis=1)
    colors = region_colors(labels).astype(int)
    assert colors.shape == (65, 3)
    assert len(np.unique(colors[1:], axis=0)) == 64
    grid = colors[1:].reshape(8, 8, 3)
    assert np.abs(np.diff(grid, axis=0)).sum(axis=2).min() > 60
    assert np.abs(np.diff(grid, axis=1)).sum(axis=2).min() > 60


def test_the_preview_shows_each_region_in_its_colour_and_nothing_where_there_is_none():
    labels = np.zeros((8, 8), np.int32)
    labels[:, 4:] = 1
    shown = preview(labels).data
    assert (shown[:, :4] == 0).all()
    assert (shown[:, 4:, :3] == region_colors(labels)[1]).all()
    assert (shown[:, 4:, 3] == 255).all()


def test_the_leak_overlay_rings_the_opening_and_leaves_the_rest():
    art = np.zeros((80, 80, 4), np.uint8)
    art[40] = (0, 0, 200, 255)
    art16 = art.astype(np.uint16) * 257
    for picture in (Pixels(art, (5, 6)), Pixels(art16, (5, 6))):
        shown = leak_overlay(picture, [Leak(30, 20, 6.0, (1, 2))])
        assert shown.offset == (5, 6)
        assert shown.data[40, 70].tolist() == [0, 0, 200, 255]
        assert shown.data[70, 70].tolist() == [255, 255, 255, 255]
        pink = (shown.data == (255, 0, 102, 255)).all(axis=2)
        y, x = np.nonzero(pink)
        assert pink.any()
        assert np.abs(np.hypot(x - 30, y - 20) - 7).max() < 2
        assert not (leak_overlay(picture, []).data == (255, 0, 102, 255)).all(axis=2).any()
