import cv2
import numpy as np
from celwright.imaging.resampling import guided_rows, rows_needed
from hypothesis import given, settings
from hypothesis import strategies as st


def two_fields(height, width):
    """A red and a blue half with a slanted, sharp border."""
    y, x = np.mgrid[0:height, 0:width]
    left = x + 0.3 * y < 0.6 * width
    picture = np.where(left[..., None], [0.9, 0.1, 0.1], [0.1, 0.1, 0.9]).astype(np.float32)
    return picture, left


def whole(full, small, planes):
    return guided_rows(full, 0, full.shape[1::-1], small, planes, 0, small.shape[1::-1])


def test_a_plane_gets_the_sharp_edge_of_the_full_picture():
    full, left = two_fields(96, 120)
    small = cv2.resize(full, (40, 32), interpolation=cv2.INTER_AREA)
    plane = (small[..., :1] - 0.1) / 0.8  # blurred over the border
    result = whole(full, small, plane)[..., 0]
    interpolated = cv2.resize(plane, (120, 96), interpolation=cv2.INTER_LINEAR)
    assert np.abs(result - left).mean() < 0.25 * np.abs(interpolated - left).mean()


def test_a_constant_plane_stays_constant():
    full = np.random.default_rng(1).random((50, 37, 3), np.float32)
    small = cv2.resize(full, (12, 17), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(whole(full, small, np.full((17, 12, 4), 0.3, np.float32)), 0.3, atol=1e-6)


@settings(deadline=None, max_examples=30)
@given(height=st.integers(8, 90), small_height=st.integers(1, 60), data=st.data())
def test_rows_made_in_bands_equal_rows_made_at_once(height, small_height, data):
    small_height = min(small_height, height)
    rng = np.random.default_rng(0)
    full = rng.random((height, 20, 3), np.float32)
    small, planes = rng.random((small_height, 9, 3), np.float32), rng.random((small_height, 9, 2), np.float32)
    start = data.draw(st.integers(0, height - 1))
    stop = data.draw(st.integers(start + 1, height))
    first, last = rows_needed(start, stop, height, small_height)
    part = guided_rows(
        full[start:stop], start, (20, height), small[first:last], planes[first:last], first, (9, small_height)
    )
    np.testing.assert_allclose(part, whole(full, small, planes)[start:stop], atol=1e-5)
