"""The formula: what composing and measuring promise."""

import numpy as np
import pytest
from celwright.domain import Pixels
from celwright.errors import WrongUsageError
from celwright.layers import (
    LayerStack,
    compose,
    join_errors,
    quantized,
    recomposition_error,
    squared_error,
)

SIDE = 12


def _random_picture(rng: np.random.Generator, depth: int, *, opaque: bool) -> Pixels:
    top, kind = (255, np.uint8) if depth == 8 else (65535, np.uint16)
    data = rng.integers(0, top + 1, (SIDE, SIDE, 4)).astype(kind)
    ends = rng.random(data.shape) < 0.3
    data[ends] = rng.integers(0, 2, int(ends.sum())) * top
    if opaque:
        data[..., 3] = top
    return Pixels(data, offset=(-3, 7), icc=b"profile")


def _solid(color: tuple[int, int, int, int]) -> Pixels:
    return Pixels(np.full((SIDE, SIDE, 4), color, np.uint8))


NONE = (0, 0, 0, 0)


def test_multiply_screen_and_line_follow_the_closed_form() -> None:
    stack = LayerStack(
        line=_solid((255, 0, 0, 51)), flat=_solid((128, 64, 255, 255)),
        shadow=_solid((0, 0, 255, 51)), highlight=_solid((255, 255, 255, 102)),
    )  # fmt: skip
    shaded = np.array([128, 64, 255]) / 255 * np.array([0.8, 0.8, 1.0])
    lit = 1 - (1 - shaded) * 0.6
    expected = np.array([1.0, 0.0, 0.0]) * 0.2 + lit * 0.8
    assert compose(stack)[3, 3] == pytest.approx([*expected, 1.0], abs=1e-6)


def test_a_normal_shadow_lies_over_the_flat_before_the_highlight_is_screened() -> None:
    stack = LayerStack(
        line=_solid((255, 0, 0, 51)), flat=_solid((128, 64, 255, 255)),
        shadow=_solid((30, 20, 90, 153)), highlight=_solid((255, 255, 255, 102)), shadow_blend="normal",
    )  # fmt: skip
    shaded = np.array([128, 64, 255]) / 255 * 0.4 + np.array([30, 20, 90]) / 255 * 0.6
    lit = 1 - (1 - shaded) * 0.6
    expected = np.array([1.0, 0.0, 0.0]) * 0.2 + lit * 0.8
    assert compose(stack)[3, 3] == pytest.approx([*expected, 1.0], abs=1e-6)


def test_transparent_shadow_and_highlight_change_nothing() -> None:
    flat = _solid((10, 200, 30, 255))
    stack = LayerStack(_solid(NONE), flat, _solid(NONE), _solid(NONE))
    np.testing.assert_array_equal(stack.images()["composite"].data, flat.data)


def test_error_is_zero_and_psnr_infinite_for_equal_pictures() -> None:
    error = recomposition_error(_solid((1, 2, 3, 255)), _solid((1, 2, 3, 255)))
    assert (error.max, error.mean, error.psnr) == (0, 0, float("inf"))


def test_one_level_everywhere_is_48_decibels() -> None:
    error = recomposition_error(_solid((10, 10, 10, 255)), _solid((11, 11, 11, 255)))
    assert (error.max, error.mean) == (pytest.approx(1, abs=1e-3), pytest.approx(1, abs=1e-3))
    assert error.psnr == pytest.approx(48.13, abs=0.01)


def test_colour_hidden_in_transparency_is_no_error() -> None:
    assert recomposition_error(_solid((9, 9, 9, 0)), _solid((200, 0, 0, 0))).max == 0


def test_errors_of_bands_join_to_the_error_of_the_whole() -> None:
    rng = np.random.default_rng(5)
    a, b = _random_picture(rng, 8, opaque=False), _random_picture(rng, 8, opaque=False)
    whole = recomposition_error(a, b)
    bands = [squared_error(Pixels(a.data[rows]), Pixels(b.data[rows])) for rows in (slice(0, 8), slice(4, 12))]
    twice = join_errors([*bands, *bands])
    assert twice == join_errors(bands)
    halves = [(m, s, q, n) for m, s, q, n in (squared_error(a, b),) * 2]
    assert join_errors(halves).psnr == pytest.approx(whole.psnr)


def test_quantizing_rounds_to_the_nearest_level_and_clips() -> None:
    image = np.array([[[-1.0, 0.5, 2.0]]], np.float32)
    assert quantized(image, 8).tolist() == [[[0, 128, 255]]]
    assert quantized(image, 16).tolist() == [[[0, 32768, 65535]]]


def test_layers_of_different_sizes_are_refused() -> None:
    small = Pixels(np.zeros((8, 8, 4), np.uint8))
    with pytest.raises(WrongUsageError) as refusal:
        LayerStack(_solid(NONE), small, _solid(NONE), _solid(NONE))
    assert str(refusal.value) == (
        "The flat layer is (8, 8, 4) at 8 bit, the line layer (12, 12, 4) at 8 bit; "
        "four RGBA layers of one size are needed."
    )
