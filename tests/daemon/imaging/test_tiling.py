import itertools

import numpy as np
import pytest
from celwright.imaging import tiling
from hypothesis import given, settings
from hypothesis import strategies as st

sides = st.integers(1, 150)


def put_together(picture, model, largest, overlap):
    bands = [band for band in tiling.bands(picture, model, largest, overlap) if band is not None]
    assert [band.start for band in bands[1:]] == [band.stop for band in bands[:-1]], "bands follow one another"
    assert (bands[0].start, bands[-1].stop) == (0, len(picture))
    return np.concatenate([band.image for band in bands])


@settings(deadline=None, max_examples=40)
@given(height=sides, width=sides, largest=st.integers(25, 64), overlap=st.integers(0, 12))
def test_the_identity_model_gives_the_picture_back_at_any_size(height, width, largest, overlap):
    picture = np.random.default_rng(0).random((height, width, 3), np.float32)
    result = put_together(picture, lambda tile: tile, largest, overlap)
    np.testing.assert_allclose(result, picture, atol=1e-6)


@settings(deadline=None, max_examples=40)
@given(height=sides, width=sides, largest=st.integers(25, 64), overlap=st.integers(0, 12))
def test_a_constant_field_stays_constant(height, width, largest, overlap):
    field = np.zeros((height, width, 1), np.float32)
    result = put_together(field, lambda tile: np.full((*tile.shape[:2], 2), 0.7, np.float32), largest, overlap)
    assert result.shape == (height, width, 2)
    np.testing.assert_allclose(result, 0.7, atol=1e-6)


@given(length=st.integers(1, 3000), largest=st.integers(25, 400), overlap=st.integers(0, 12))
def test_weights_of_all_tiles_sum_to_one_at_every_pixel(length, largest, overlap):
    total = np.zeros(length)
    for span in tiling.spans(length, largest, overlap):
        total[span.start : span.stop] += span.weights
        assert span.stop - span.start <= largest
    np.testing.assert_allclose(total, 1, atol=1e-6)


@given(length=st.integers(1, 3000), largest=st.integers(25, 400), overlap=st.integers(0, 12))
def test_neighbouring_tiles_share_the_overlap(length, largest, overlap):
    spans = tiling.spans(length, largest, overlap)
    assert all(a.stop - b.start >= overlap for a, b in itertools.pairwise(spans))


def test_tiles_that_disagree_by_a_constant_are_blended_without_a_step():
    calls = iter(range(100))
    result = put_together(
        np.zeros((40, 200, 1), np.float32), lambda tile: np.full(tile.shape, next(calls), np.float32), 80, 30
    )
    assert result.max() == 3
    assert np.abs(np.diff(result[20, :, 0])).max() < 1 / 25


def test_every_tile_is_announced():
    events = list(tiling.bands(np.zeros((100, 90, 1), np.float32), lambda tile: tile, 50, 10))
    assert events.count(None) == tiling.tile_count(100, 90, 50, 10) == 6
    assert len(events) - events.count(None) == 3


def test_tiles_smaller_than_two_overlaps_are_refused():
    with pytest.raises(ValueError, match=r"^Tiles of 20 pixels cannot overlap by 10; more than 20 are needed\.$"):
        tiling.spans(100, 20, 10)
