import numpy as np
from celwright.imaging.underpaint import REACH, underpainted

RED, BLUE, WHITE = (0.8, 0.1, 0.1), (0.1, 0.1, 0.8), (1.0, 1.0, 1.0)


def two_colors_under_a_line(thick=5):
    """Red left, blue right, a soft line between; the flat is pale under and beside it, as networks make it."""
    flat = np.empty((20, 40, 3), np.float32)
    flat[:, :20], flat[:, 20:] = RED, BLUE
    start = 20 - thick // 2
    flat[:, start : start + thick] = WHITE
    line = np.zeros((20, 40), np.float32)
    line[:, start : start + thick] = 1
    line[:, [start, start + thick - 1]] = 0.5
    return flat, line


def test_each_side_reaches_to_the_middle_of_the_line():
    flat, line = two_colors_under_a_line()
    result = underpainted(flat, line, np.ones_like(line, bool))
    np.testing.assert_allclose(result[10, 18:20], [RED] * 2, atol=1e-6)
    np.testing.assert_allclose(result[10, 21:23], [BLUE] * 2, atol=1e-6)


def test_flats_without_line_are_left_alone():
    flat, line = two_colors_under_a_line()
    result = underpainted(flat, line, np.ones_like(line, bool))
    clear = line == 0
    np.testing.assert_array_equal(result[clear], flat[clear])
    nothing = np.zeros_like(line)
    np.testing.assert_array_equal(underpainted(flat, nothing, np.ones_like(line, bool)), flat)


def test_paper_behind_transparency_is_no_colour_to_take():
    flat, line = two_colors_under_a_line()
    flat[:, 23:] = WHITE  # the network saw paper there
    opaque = np.ones_like(line, bool)
    opaque[:, 22:] = False
    result = underpainted(flat, line, opaque)
    np.testing.assert_allclose(result[10, 18:24], [RED] * 6, atol=1e-6)


def test_large_dark_shapes_taken_for_line_keep_the_estimate_inside():
    flat, line = two_colors_under_a_line(thick=30)
    result = underpainted(flat, line, np.ones_like(line, bool))
    np.testing.assert_array_equal(result[:, 5 + REACH + 1 : 35 - REACH - 1], 1)


def test_a_pixel_does_not_depend_on_what_is_out_of_reach():
    rng = np.random.default_rng(3)
    flat = rng.random((60, 50, 3)).astype(np.float32)
    line = np.where(rng.random((60, 50)) < 0.15, 1, 0).astype(np.float32)
    opaque = rng.random((60, 50)) < 0.97
    whole = underpainted(flat, line, opaque)
    margin = REACH + 2
    rows = slice(20, 35)
    around = slice(rows.start - margin, rows.stop + margin)
    part = underpainted(flat[around], line[around], opaque[around])
    np.testing.assert_array_equal(part[margin:-margin], whole[rows])


def test_planes_that_go_together_come_from_one_place():
    flat, line = two_colors_under_a_line()
    planes = np.concatenate([flat, 1 - flat, flat * 0.5], axis=2)
    result = underpainted(planes, line, np.ones_like(line, bool))
    np.testing.assert_allclose(result[..., 3:6], 1 - result[..., :3], atol=1e-6)
    np.testing.assert_array_equal(result[..., :3], underpainted(flat, line, np.ones_like(line, bool)))
