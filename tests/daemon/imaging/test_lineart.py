"""Claims about ink, paper and the line layer, for lines and papers of any colour."""

import cv2
import numpy as np
import pytest
from celwright.domain import Pixels
from celwright.errors import UnusableInputError
from celwright.imaging.lineart import drawn, ink, is_transparent, line_layer, paper_color
from hypothesis import given, settings
from hypothesis import strategies as st

WHITE, BLACK, CREAM, NAVY = (255, 255, 255), (0, 0, 0), (246, 238, 214), (16, 22, 60)
SKY, PALE = (90, 170, 255), (190, 215, 245)


def page(paper, line, *, smooth=cv2.LINE_AA) -> np.ndarray:
    """(96, 128, 3) a ring of ``line`` on ``paper``."""
    image = np.full((96, 128, 3), paper, np.uint8)
    cv2.circle(image, (64, 48), 30, line, 3, smooth)
    return image


def ring() -> np.ndarray:
    """(96, 128) bool: where the ring of ``page`` is drawn, without its soft rim."""
    return page(0, 255, smooth=cv2.LINE_8)[..., 0] > 0


def recomposed(layer: Pixels, paper) -> np.ndarray:
    """The layer over the paper, 0..1."""
    data = layer.data / layer.top
    return data[..., :3] * data[..., 3:] + np.asarray(paper) / layer.top * (1 - data[..., 3:])


@pytest.mark.parametrize(
    ("paper", "line"),
    [(WHITE, BLACK), (CREAM, BLACK), (NAVY, WHITE), (BLACK, SKY), (WHITE, SKY), (WHITE, PALE), (CREAM, (200, 60, 40))],
)
@pytest.mark.parametrize("depth", [8, 16])
def test_lines_of_any_colour_on_paper_of_any_colour_are_ink(paper, line, depth):
    image = page(paper, line, smooth=cv2.LINE_8)
    picture = Pixels(image if depth == 8 else image.astype(np.uint16) * 257)
    found = ink(picture)
    assert (found[ring()] == 255).all()
    assert (found[~ring()] == 0).all()
    assert paper_color(picture).tolist() == [value * (1 if depth == 8 else 257) for value in paper]


def test_a_pale_line_counts_as_much_as_a_black_one_on_the_same_page():
    image = page(WHITE, BLACK)
    image[5:8, 5:120] = PALE
    assert (ink(Pixels(image))[6, 10:115] >= 96).all()


def test_lines_on_transparency_are_ink_whatever_their_colour():
    for color in (BLACK, WHITE, SKY):
        image = np.zeros((96, 128, 4), np.uint8)
        image[ring()] = (*color, 255)
        picture = Pixels(image)
        assert is_transparent(picture)
        assert np.array_equal(ink(picture) == 255, ring())


def test_grey_with_alpha_is_line_art_too():
    image = np.zeros((96, 128, 2), np.uint8)
    image[ring(), 1] = 200
    assert np.array_equal(ink(Pixels(image)) == 255, ring())


def test_a_cut_out_drawing_on_its_own_white_is_judged_by_colour():
    image = np.zeros((96, 128, 4), np.uint8)
    cv2.circle(image, (64, 48), 30, (*WHITE, 255), -1)
    image[ring()] = (0, 0, 0, 255)
    found = ink(Pixels(image))
    assert found[48, 64] == 0
    assert (found[ring()] == 255).all()


def test_spotted_blacks_do_not_make_the_paper_black():
    image = page(WHITE, BLACK)
    image[:60] = 0
    assert paper_color(Pixels(image)).tolist() == [255, 255, 255]


def test_paper_that_darkens_to_one_side_is_no_ink():
    shade = np.linspace(250, 200, 256)[None, :, None]
    image = np.broadcast_to(shade, (256, 256, 3)).astype(np.uint8).copy()
    cv2.circle(image, (128, 128), 80, BLACK, 3)
    found = ink(Pixels(image))
    assert np.mean(found >= 96) == pytest.approx(np.mean(image[..., 0] == 0), rel=0.02)


def test_paper_grain_is_no_ink():
    rng = np.random.default_rng(0)
    image = np.clip(page(CREAM, BLACK).astype(int) + rng.integers(-8, 9, (96, 128, 1)), 0, 255).astype(np.uint8)
    found = ink(Pixels(image))
    away = cv2.dilate(ring().astype(np.uint8), np.ones((5, 5), np.uint8)) == 0
    assert (found[away] < 96).all()


def test_a_soft_rim_does_not_make_a_page_transparent():
    image = np.full((96, 128, 4), 255, np.uint8)
    image[0, :, 3] = 128
    assert not is_transparent(Pixels(image))


@pytest.mark.parametrize(
    ("data", "ground"),
    [
        (np.full((16, 16, 3), 255, np.uint8), "its paper"),
        (np.full((16, 16, 1), 7, np.uint16), "its paper"),
        (np.zeros((16, 16, 4), np.uint8), "transparency"),
    ],
)
def test_line_art_without_a_line_is_refused(data, ground):
    with pytest.raises(UnusableInputError) as fault:
        ink(Pixels(data))
    assert str(fault.value) == (
        f"The line art has no line: nothing differs from {ground} by 20/255 or more; "
        "choose the layer that holds the lines."
    )


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_a_line_layer_that_came_with_alpha_goes_out_bit_equal(kind):
    rng = np.random.default_rng(1)
    data = rng.integers(0, np.iinfo(kind).max, (32, 32, 4), endpoint=True).astype(kind)
    picture = Pixels(data, (3, -4), b"profile")
    layer = line_layer(picture)
    assert np.array_equal(layer.data, data)
    assert (layer.offset, layer.icc) == ((3, -4), b"profile")


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(*[st.integers(0, 255)] * 3),
    st.sampled_from([np.uint8, np.uint16]),
    st.sampled_from([1, 3]),
    st.integers(0, 2**32 - 1),
)
def test_the_line_layer_over_its_paper_gives_the_scan_back_within_one_255th(paper, kind, channels, seed):
    rng = np.random.default_rng(seed)
    top = np.iinfo(kind).max
    data = np.empty((24, 24, channels), kind)
    data[...] = (np.array(paper[:channels]) * (top // 255)).astype(kind)
    marks = rng.random((24, 24)) < 0.4
    data[marks] = rng.integers(0, top, (np.count_nonzero(marks), channels), endpoint=True)
    picture = Pixels(data)
    layer = line_layer(picture)
    assert layer.data.dtype == kind
    difference = np.abs(recomposed(layer, paper_color(picture)) - data / top)
    assert difference.max() <= 1 / 255


def test_plain_paper_becomes_fully_transparent_and_black_lines_stay_black():
    layer = line_layer(Pixels(page(WHITE, BLACK)))
    assert (layer.data[0, 0] == (255, 255, 255, 0)).all()
    assert (layer.data[ring()][:, 3] > 0).all()
    assert (layer.data[layer.data[..., 3] > 0][:, :3] == 0).all()


def test_drawn_ink_comes_back_as_ink_where_the_picture_lay() -> None:
    covered = ink(Pixels(page(WHITE, BLACK)))
    layer = drawn(covered, (7, -3))
    assert layer.offset == (7, -3)
    assert not layer.data[..., :3].any()
    assert np.array_equal(ink(layer), covered)
