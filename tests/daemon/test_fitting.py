"""Fitting: estimates become layers that give the picture back."""

import numpy as np
from celwright.domain import Pixels
from celwright.fitting import Estimate, fit
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


def test_the_line_takes_its_soft_edge_so_that_no_shadow_runs_along_it() -> None:
    flat = np.full((SIDE, SIDE, 3), 0.8, np.float32)
    coverage = np.clip(3 - np.abs(np.arange(SIDE) - 5.5), 0, 1).astype(np.float32)[None, :] * np.ones(
        (SIDE, 1), np.float32
    )
    picture = Pixels(np.round(np.dstack([flat * (1 - coverage[..., None]), 0 * coverage + 1]) * 255).astype(np.uint8))
    # The estimate finds the line too thin and too faint.
    guess = Estimate(coverage * 0.6, flat * 0, flat, flat * 0 + 1, flat * 0)
    layers = fit(picture, guess, "clean")
    assert not layers.shadow.data.any()
    assert np.abs(layers.line.data[..., 3] - coverage * 255).max() <= 2


def test_the_soft_rim_of_an_outlined_figure_belongs_to_the_line() -> None:
    picture = _solid((20, 10, 30, 60))
    flat = np.full((SIDE, SIDE, 3), 0.9, np.float32)
    layers = fit(picture, Estimate(flat[..., 0] * 0, flat * 0, flat, flat * 0 + 1, flat * 0), "clean")
    np.testing.assert_array_equal(layers.line.data, picture.data)
    assert not layers.flat.data.any()


def _cloth(color: tuple[float, float, float]) -> tuple[Pixels, Estimate]:
    """A picture all of one flat colour (0..255) that the estimate knows."""
    flat = np.full((SIDE, SIDE, 3), np.array(color) / 255, np.float32)
    picture = Pixels(np.dstack([np.round(flat * 255), np.full((SIDE, SIDE), 255)]).astype(np.uint8))
    return picture, Estimate(flat[..., 0] * 0, flat * 0, flat, flat * 0 + 1, flat * 0)


def test_clean_takes_a_speck_that_the_estimate_does_not_know_for_the_flats() -> None:
    picture, guess = _cloth((200, 120, 80))
    picture.data[4:7, 4:7, :3] = (120, 70, 50)
    layers = fit(picture, guess, "clean")
    assert not layers.shadow.data.any()
    np.testing.assert_array_equal(layers.flat.data, picture.data)


def test_clean_keeps_small_lights_that_the_estimate_knows() -> None:
    picture, guess = _cloth((60, 40, 90))
    picture.data[4:7, 4:7, :3] = 255
    guess.highlight[4:7, 4:7] = 0.9
    layers = fit(picture, guess, "clean")
    assert (layers.highlight.data[4:7, 4:7, 3] == 255).all()
    assert (layers.flat.data[..., :3] == (60, 40, 90)).all()


def test_clean_shades_a_pixel_in_one_direction_only() -> None:
    picture, guess = _cloth((120, 100, 90))
    picture.data[:, :6, :3] = (60, 50, 110)  # a cool shadow, bluer than its flat
    guess.shadow[:, :6] = 0.5
    layers = fit(picture, guess, "clean")
    assert (layers.shadow.data[:, :6, 3] > 0).all()
    assert not layers.highlight.data.any()
    composite = layers.images()["composite"].data.astype(int)
    assert np.abs(composite - picture.data).max() <= 2


def test_clean_lights_cloth_of_a_full_red_with_no_red_light() -> None:
    picture, guess = _cloth((250, 120, 80))
    picture.data[:, :6, :3] = (255, 160, 125)
    guess.highlight[:, :6] = 0.3
    clean, exact = (fit(picture, guess, wish).highlight.data[0, 0, :3].astype(int) for wish in ("clean", "exact"))
    assert clean[0] < clean[1]
    assert exact[0] > 2 * exact[1]  # so it would be


def test_the_soft_edge_of_a_line_is_line_one_pixel_beyond_the_estimate() -> None:
    picture, guess = _cloth((200, 180, 160))
    picture.data[:, 5, :3], picture.data[:, 6, :3] = 0, (120, 108, 96)
    guess.line_alpha[:, 5] = 1
    layers = fit(picture, guess, "clean")
    assert layers.line.data[0, 4:8, 3].tolist() == [0, 255, 102, 0]
    assert not layers.shadow.data.any()


def test_a_line_has_no_bright_rim_in_the_highlight() -> None:
    picture, guess = _cloth((20, 16, 22))
    picture.data[:, 5, :3] = (70, 60, 75)  # beside a dark line on dark cloth
    guess.line_alpha[:, 5] = 0.2
    layers = fit(picture, guess, "clean")
    assert not layers.highlight.data.any()
    composite = layers.images()["composite"].data.astype(int)
    assert np.abs(composite - picture.data).max() <= 2
