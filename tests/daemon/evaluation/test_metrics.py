import numpy as np
import pytest
from celwright.evaluation import metrics


def layer(color, alpha, size=(20, 30)):
    image = np.empty((*size, 4), np.float32)
    image[..., :3], image[..., 3] = color, alpha
    return image


def stroke(column, color=(0, 0, 0), alpha=1.0):
    image = layer(color, 0.0)
    image[:, column, 3] = alpha
    return image


def test_equal_pictures_have_the_best_figures():
    picture = np.random.default_rng(0).random((20, 30, 4)).astype(np.float32)
    assert metrics.recomposition(picture, picture) == (100, pytest.approx(1))


def test_psnr_is_that_of_the_pictures_on_white():
    psnr, _ = metrics.recomposition(layer((0.5, 0.5, 0.5), 1), layer((0, 0, 0), 0.6))
    assert psnr == pytest.approx(20, abs=1e-4)  # 0.4 against 0.5


@pytest.mark.parametrize(("column", "f1"), [(10, 1), (11, 1), (12, 0)])
def test_lines_match_within_one_pixel(column, f1):
    assert metrics.line_f1(stroke(column), stroke(10)) == f1


def test_line_f1_is_the_harmonic_mean_of_precision_and_recall():
    found = stroke(10)
    found[:, 20, 3] = 1  # half of what is found is wrong, all of the true is found
    assert metrics.line_f1(found, stroke(10)) == pytest.approx(2 * 0.5 / 1.5)


def test_light_or_faint_lines_are_no_ink():
    assert not metrics.ink(stroke(3, color=(0.7, 0.7, 0.7))).any()
    assert not metrics.ink(stroke(3, alpha=0.3)).any()
    assert metrics.ink(stroke(3, color=(0.6, 0.6, 0.6))).sum() == 20
    assert metrics.line_f1(stroke(3, alpha=0.0), stroke(3, alpha=0.0)) is None


def test_flat_difference_is_counted_only_off_the_lines_and_where_the_artist_is_opaque():
    true = layer((0.5, 0.5, 0.5), 1.0)
    found = true.copy()
    found[:, 8:13, :3] = 0  # wrong within two pixels of the line
    found[:, 20, :3] = 0
    true[:, 20, 3] = 0  # wrong where the artist painted nothing
    assert metrics.flat_difference(found, true, stroke(10)) == pytest.approx(0, abs=1e-3)
    found[:, 13, :3] = 0
    assert metrics.flat_difference(found, true, stroke(10)) > 1
    assert metrics.flat_difference(found, layer((0, 0, 0), 0.0), stroke(10)) is None


def test_shading_overlap_counts_effective_strength_inside_the_flat():
    flat = layer((1, 1, 1), 1.0)
    flat[:10, :, 3] = 0
    true = layer((0, 0, 0), 0.0)
    true[:, :10, 3] = 0.5
    shadow = layer((1, 1, 1), 1.0)  # opaque white darkens nothing
    shadow[:, :5, :3] = 0.8
    highlight = layer((0, 0, 0), 1.0)  # opaque black brightens nothing
    highlight[:, 5:15, :3] = 0.2
    assert metrics.shadow_iou(shadow, true, flat) == pytest.approx(5 / 10)
    assert metrics.highlight_iou(highlight, true, flat) == pytest.approx(5 / 15)
    assert metrics.shadow_iou(shadow, layer((0, 0, 0), 0.1), flat) is None


def test_cover_is_our_area_over_the_artists():
    flat = layer((1, 1, 1), 1.0)
    flat[:10, :, 3] = 0
    true = layer((0, 0, 0), 0.0)
    true[:, :10, 3] = 0.5
    shadow, highlight = layer((1, 1, 1), 1.0), layer((0, 0, 0), 1.0)
    shadow[:, :15, :3], highlight[:, :5, :3] = 0.8, 0.2
    assert metrics.shadow_cover(shadow, true, flat) == pytest.approx(1.5)
    assert metrics.highlight_cover(highlight, true, flat) == pytest.approx(0.5)
    assert metrics.highlight_cover(highlight, layer((0, 0, 0), 0.1), flat) is None


def test_a_line_leaks_where_our_flat_is_as_dark_as_the_line():
    true, line = layer((0.8, 0.7, 0.6), 1.0), stroke(10)
    found = true.copy()
    found[:, 10, :3] = 0.5  # a shade of its own, no line
    assert metrics.line_leak(found, true, line) == 0
    found[:5, 10, :3] = 0.1
    assert metrics.line_leak(found, true, line) == pytest.approx(5 / 20)


def test_no_leak_can_be_told_where_line_and_flat_are_alike():
    dark = layer((0.05, 0.05, 0.05), 1.0)
    assert metrics.line_leak(dark, dark, stroke(10)) is None
    assert metrics.line_leak(dark, layer((1, 1, 1), 0.0), stroke(10)) is None


def test_a_line_between_light_and_dark_may_have_the_dark_beneath_it():
    true = layer((0.9, 0.9, 0.9), 1.0)
    true[:, 11:, :3] = 0.3
    found = true.copy()
    found[:, 10, :3] = 0.3
    assert metrics.line_leak(found, true, stroke(10)) == 0


def test_local_error_is_a_share_of_the_pictures_energy_after_scaling():
    picture = np.random.default_rng(0).random((40, 40, 3))
    assert metrics.local_mean_squared_error(picture, picture / 2) == pytest.approx(0, abs=1e-12)
    assert metrics.local_mean_squared_error(picture, np.zeros_like(picture)) == pytest.approx(1)
