import numpy as np
from celwright.regions.even_areas import beside, contacts, dark_fills, even_areas

SKIN, SHADE, PAPER = (240, 200, 170), (190, 150, 130), (255, 255, 255)


def two_tones_and_a_line():
    """Skin and its shadow side by side on the left, a black line, paper on the right."""
    picture = np.full((40, 60, 3), PAPER, np.uint8)
    picture[:, :15], picture[:, 15:30], picture[:, 30:33] = SKIN, SHADE, 0
    line = np.zeros((40, 60), np.float32)
    line[:, 30:33] = 1
    return picture, line


def test_each_tone_is_an_area_and_lines_are_none():
    areas = even_areas(*two_tones_and_a_line())
    np.testing.assert_allclose(areas.color[1:] * 255, [SKIN, SHADE, PAPER], atol=0.01)
    assert areas.labels[20, [5, 22, 50]].tolist() == [1, 2, 3]
    assert not areas.labels[:, 30:33].any()
    assert areas.size.tolist() == [0, *(int((areas.labels == label).sum()) for label in (1, 2, 3))]


def test_areas_touch_where_no_line_is_between():
    found = contacts(even_areas(*two_tones_and_a_line()))
    assert found == {1: {2: 40}, 2: {1: 40}}


def test_soft_shading_and_small_spots_are_no_areas():
    ramp = np.linspace(60, 200, 60).astype(np.uint8)
    picture = np.repeat(np.repeat(ramp[None, :, None], 40, axis=0), 3, axis=2)
    assert len(even_areas(picture, np.zeros((40, 60), np.float32)).size) == 1
    picture[:] = SKIN
    picture[20:24, 20:24] = SHADE
    assert len(even_areas(picture, np.zeros((40, 60), np.float32)).size) == 2


def test_grain_does_not_break_an_area():
    picture, line = two_tones_and_a_line()
    grain = np.random.default_rng(0).integers(-3, 4, picture.shape)
    areas = even_areas(np.clip(picture.astype(int) + grain, 0, 255).astype(np.uint8), line)
    np.testing.assert_allclose(areas.color[1:] * 255, [SKIN, SHADE, PAPER], atol=2)


def test_a_pixel_on_a_soft_edge_knows_the_areas_beside_it():
    areas = even_areas(*two_tones_and_a_line())
    first, second = beside(areas)
    assert (first[20, 15], second[20, 15]) == (1, 2)
    assert (first[20, 5], second[20, 5]) == (1, 1)
    assert (first[20, 31], second[20, 31]) == (2, 3)


def black_shoe_and_strokes():
    picture = np.full((80, 120, 3), PAPER, np.uint8)
    picture[20:60, 20:80] = (12, 10, 14)
    picture[5:8, 10:110] = 0
    picture[70:73, 10:110] = 0
    line = (picture.max(axis=2) < 50).astype(np.float32)
    return picture, line


def test_the_inside_of_a_thick_dark_area_is_a_fill_and_strokes_are_not():
    picture, line = black_shoe_and_strokes()
    line[26:54, 26:74] = 0.3  # the network sees the outline only
    fill = dark_fills(picture, line)
    assert fill[30:50, 30:70].all()
    assert not fill[:20].any()
    assert not fill[61:].any()
    assert not fill[20:22, 20:80].any()  # an outline's width stays line


def test_what_is_line_throughout_stays_line_however_thick():
    assert not dark_fills(*black_shoe_and_strokes()).any()


def test_a_line_on_dark_cloth_is_no_fill():
    picture = np.full((80, 120, 3), (52, 50, 55), np.uint8)
    picture[:, 60:63] = 0
    line = np.zeros((80, 120), np.float32)
    line[:, 60:63] = 1
    assert not dark_fills(picture, line)[:, 59:64].any()
