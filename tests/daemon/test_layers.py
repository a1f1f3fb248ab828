"""The formula: what composing, fitting and measuring promise."""

import numpy as np
import pytest
from celwright.domain import Pixels
from celwright.errors import WrongUsageError
from celwright.layers import (
    Estimate,
    LayerStack,
    compose,
    fit,
    join_errors,
    quantized,
    recomposition_error,
    squared_error,
)
from hypothesis import given, settings
from hypothesis import strategies as st

SIDE = 12


def _random_estimate(rng: np.random.Generator) -> Estimate:
    def plane(channels: int) -> np.ndarray:
        # Half of the values at the ends, where divisions by nothing would show.
        values = rng.random((SIDE, SIDE, channels), dtype=np.float32)
        return np.where(rng.random(values.shape) < 0.5, np.round(values), values).astype(np.float32)

    return Estimate(plane(1)[..., 0], plane(3), plane(3), plane(3), plane(3))


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


@settings(deadline=None, max_examples=150)
@given(seed=st.integers(0, 2**32 - 1), depth=st.sampled_from([8, 16]))
def test_exact_gives_opaque_pixels_back_within_two_levels_whatever_the_estimate(seed: int, depth: int) -> None:
    rng = np.random.default_rng(seed)
    picture = _random_picture(rng, depth, opaque=True)
    composite = fit(picture, _random_estimate(rng), "exact").images()["composite"]
    difference = np.abs(composite.data.astype(int) - picture.data.astype(int))
    assert difference.max() <= 2 * picture.top // 255


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), fidelity=st.sampled_from(["clean", "exact"]))
def test_the_picture_keeps_its_transparency(seed: int, fidelity: str) -> None:
    rng = np.random.default_rng(seed)
    picture = _random_picture(rng, 8, opaque=False)
    composite = fit(picture, _random_estimate(rng), fidelity).images()["composite"]
    assert np.abs(composite.data[..., 3].astype(int) - picture.data[..., 3].astype(int)).max() <= 1
    assert not composite.data[picture.data[..., 3] == 0].any()


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32 - 1))
def test_layers_keep_offset_profile_and_depth_and_hide_no_colour_in_transparency(seed: int) -> None:
    rng = np.random.default_rng(seed)
    picture = _random_picture(rng, 16, opaque=False)
    for image in fit(picture, _random_estimate(rng), "clean").images().values():
        assert (image.offset, image.icc, image.depth) == ((-3, 7), b"profile", 16)
    layers = fit(picture, _random_estimate(rng), "clean")
    for layer in (layers.line, layers.flat, layers.shadow, layers.highlight):
        assert not layer.data[layer.data[..., 3] == 0].any()


def test_multiply_screen_and_line_follow_the_closed_form() -> None:
    stack = LayerStack(
        line=_solid((255, 0, 0, 51)), flat=_solid((128, 64, 255, 255)),
        shadow=_solid((0, 0, 255, 51)), highlight=_solid((255, 255, 255, 102)),
    )  # fmt: skip
    shaded = np.array([128, 64, 255]) / 255 * np.array([0.8, 0.8, 1.0])
    lit = 1 - (1 - shaded) * 0.6
    expected = np.array([1.0, 0.0, 0.0]) * 0.2 + lit * 0.8
    assert compose(stack)[3, 3] == pytest.approx([*expected, 1.0], abs=1e-6)


def test_transparent_shadow_and_highlight_change_nothing() -> None:
    flat = _solid((10, 200, 30, 255))
    stack = LayerStack(_solid(NONE), flat, _solid(NONE), _solid(NONE))
    np.testing.assert_array_equal(stack.images()["composite"].data, flat.data)


def test_clean_leaves_an_even_surface_without_shading() -> None:
    picture = _solid((120, 90, 60, 255))
    # The estimate errs by less than a painter would shade.
    guess = np.full((SIDE, SIDE, 3), (124 / 255, 88 / 255, 60 / 255), np.float32)
    zero, one = np.zeros_like(guess), np.ones_like(guess)
    layers = fit(picture, Estimate(zero[..., 0], zero, guess, one, zero), "clean")
    assert not layers.shadow.data.any()
    assert not layers.highlight.data.any()
    np.testing.assert_array_equal(layers.flat.data, picture.data)


def test_clean_finds_a_cel_shadow_the_estimate_knows_the_flat_of() -> None:
    picture = _solid((120, 90, 60, 255))
    picture.data[:, SIDE // 2 :, :3] //= 2
    flat = np.full((SIDE, SIDE, 3), (120 / 255, 90 / 255, 60 / 255), np.float32)
    shadow = np.where(np.arange(SIDE)[None, :, None] < SIDE // 2, 1, 0.5).astype(np.float32) * np.ones_like(flat)
    layers = fit(picture, Estimate(flat[..., 0] * 0, flat * 0, flat, shadow, flat * 0), "clean")
    np.testing.assert_array_equal(layers.flat.data[..., :3], np.broadcast_to([120, 90, 60], (SIDE, SIDE, 3)))
    assert not layers.shadow.data[:, : SIDE // 2].any()
    assert (layers.shadow.data[:, SIDE // 2 :, 3] >= 127).all()


def test_colour_lies_under_an_opaque_line() -> None:
    picture = _solid((0, 0, 0, 255))
    flat = np.full((SIDE, SIDE, 3), 0.8, np.float32)
    layers = fit(picture, Estimate(flat[..., 0] * 0 + 1, flat * 0, flat, flat * 0 + 1, flat * 0), "clean")
    np.testing.assert_array_equal(layers.flat.data, np.broadcast_to([204, 204, 204, 255], (SIDE, SIDE, 4)))


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
