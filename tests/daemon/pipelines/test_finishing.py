"""Layers as the artist wants them: what each wish promises, and what it costs."""

import tracemalloc

import numpy as np
import pytest
from celwright import layers
from celwright.domain import DecomposeRequest, Pixels, Progress, RecompositionError
from celwright.fitting import Estimate, fit
from celwright.pipelines.decompose import finishing
from celwright.pipelines.decompose.pipeline import DecomposePipeline
from hypothesis import given, settings
from hypothesis import strategies as st

RED, BLUE, CREAM = (0.8, 0.3, 0.25), (0.3, 0.45, 0.8), (0.95, 0.9, 0.8)
SHADE = np.array([0.7, 0.6, 0.75], np.float32)  # what a shadow leaves of each channel
WISHES = (
    {"flat_colors": 3}, {"shadow_tones": 1}, {"shadow_tones": 2}, {"shadow_tint": "region"}, {"merge_highlight": True},
    {"shadow_blend": "normal"}, {"shadow_tones": 1, "shadow_tint": "region", "shadow_blend": "normal"},
    {"flat_colors": 2, "shadow_blend": "normal"},
)  # fmt: skip


def drawing(soft=False, grain=0.0, depth=8, alpha=False):
    """Three coloured fields between black lines, each with a shadow on its right and a small highlight; and what an
    estimate says of them. The shadow falls off over a third of the field when ``soft``."""
    height, width = 90, 150
    y, x = np.mgrid[0:height, 0:width]
    field = np.minimum(x // 50, 2)
    flat = np.array([RED, BLUE, CREAM], np.float32)[field]
    flat += np.random.default_rng(3).normal(0, grain, flat.shape).astype(np.float32) if grain else np.float32(0)
    inside = x % 50
    share = np.clip((inside - 18) / 16, 0, 1) if soft else np.clip(inside - 29.5, 0, 1)
    shadow = 1 - share[..., None].astype(np.float32) * (1 - SHADE)
    light = ((inside - 10) ** 2 + (y - 20) ** 2 < 12)[..., None] * np.float32(0.5) * np.ones(3, np.float32)
    line = (np.abs(inside - 49) < 1.5).astype(np.float32) + (inside == 0)
    line = np.clip(line, 0, 1).astype(np.float32)
    base = 1 - (1 - np.clip(flat, 0, 1) * shadow) * (1 - light)
    seen = base * (1 - line[..., None])
    opacity = np.where(alpha & (y < 12), y / 12, 1)[..., None]
    data = np.round(np.concatenate([seen, opacity], axis=2) * (2**depth - 1))
    picture = Pixels(data.astype(np.uint8 if depth == 8 else np.uint16), (-3, 7), b"profile")
    return picture, Estimate(line, np.zeros_like(flat), np.clip(flat, 0, 1), shadow, light)


def fitted(picture, estimate, fidelity="clean"):
    return {name: image.data.copy() for name, image in fit(picture, estimate, fidelity).images().items()}


def finished(picture, images, **wishes):
    *steps, error = finishing.finish(DecomposeRequest(picture, **wishes), images)
    assert all(isinstance(step, Progress) and step.stage == "finish" for step in steps)
    fractions = [step.fraction for step in steps]
    assert (fractions == sorted(fractions), fractions[-1]) == (True, pytest.approx(1))
    assert isinstance(error, RecompositionError)
    return error


def flat_colors(images):
    flat = images["flat"]
    return np.unique(flat[flat[..., 3] > 0][:, :3], axis=0)


def shadow_colors(images, rows=slice(30, 60), columns=slice(0, 46)):
    """Different RGBA of the shadow inside the first field, away from lines and highlight."""
    return np.unique(images["shadow"][rows, columns].reshape(-1, 4), axis=0)


@pytest.mark.parametrize("grain", [0.0, 0.02])
@pytest.mark.parametrize("most", [1, 2, 3, 7])
def test_the_flat_has_at_most_so_many_colours(most, grain):
    picture, estimate = drawing(soft=True, grain=grain)
    images = fitted(picture, estimate)
    finished(picture, images, flat_colors=most)
    assert 1 <= len(flat_colors(images)) <= most
    if most >= 3:
        middle = images["flat"][70, [8, 58, 108], :3] / 255
        assert np.abs(middle - [RED, BLUE, CREAM]).max() < 0.03


def test_a_cel_shaded_region_is_one_colour_and_the_picture_stays():
    picture, estimate = drawing()
    muddy = Estimate(
        estimate.line_alpha, estimate.line_color, estimate.flat * (0.5 + 0.5 * estimate.shadow), estimate.shadow,
        estimate.highlight,
    )  # fmt: skip
    images = fitted(picture, muddy)
    assert len(flat_colors(images)) > 3
    error = finished(picture, images, flat_colors=3)
    assert len(flat_colors(images)) == 3
    assert np.ptp(images["flat"][30:60, 4:46, :3], axis=(0, 1)).max() == 0  # lit and shaded half
    assert error.psnr > 40


@pytest.mark.parametrize("tones", [1, 2])
@pytest.mark.parametrize("soft", [False, True])
def test_shadows_have_so_many_hard_steps(tones, soft):
    picture, estimate = drawing(soft)
    images = fitted(picture, estimate)
    finished(picture, images, shadow_tones=tones)
    row = images["shadow"][45, 3:46, 3].astype(int)
    steps, counts = np.unique(row, return_counts=True)
    assert len(steps[counts > 2]) == 1 + (tones if soft else 1)  # a hard shadow has one level, however many are allowed
    assert (np.diff(row) >= 0).all()  # from light into shadow, without a way back
    assert np.count_nonzero((row > 0) & (row < row.max())) <= (2 if tones == 1 else 15)


def test_the_edge_of_a_hard_shadow_stays_as_sharp_and_as_smooth_as_in_the_picture():
    picture, estimate = drawing()
    images = fitted(picture, estimate)
    before = images["shadow"][45, 25:36].astype(int)
    finished(picture, images, shadow_tones=1)
    assert np.abs(images["shadow"][45, 25:36, 3].astype(int) - before[:, 3]).max() <= 2
    assert 0 < images["shadow"][45, 30, 3] < images["shadow"][45, 32, 3]  # the pixel that the edge cuts


def test_a_tinted_shadow_has_one_hue_in_each_colour_however_strong_it_is():
    picture, estimate = drawing(soft=True)
    images = fitted(picture, estimate)
    images["shadow"][20:40, 20:46, 0] = 90  # half of the red field's shadow is of another hue
    assert len(np.unique(shadow_colors(images)[:, :3], axis=0)) > 2
    finished(picture, images, shadow_tint="region")
    own = shadow_colors(images)
    own = own[own[:, 3] > 0]
    assert len(np.unique(own[:, :3], axis=0)) == 1
    assert len(own) > 10  # but its strength is as it was
    assert np.ptp(own[0, :3]) > 20  # and its hue no grey


def test_highlights_merged_into_the_flat_leave_the_picture_as_it_was():
    picture, estimate = drawing()
    images = fitted(picture, estimate)
    assert images["highlight"].any()
    before = images["composite"].copy()
    finished(picture, images, merge_highlight=True)
    assert not images["highlight"].any()
    assert np.abs(images["composite"].astype(int) - before).max() <= 1
    assert (images["flat"][20, 10, :3] > images["flat"][60, 10, :3] + 20).all()


@pytest.mark.parametrize("depth", [8, 16])
def test_a_normal_shadow_has_the_colours_of_the_result(depth):
    picture, estimate = drawing(soft=True, depth=depth)
    images = fitted(picture, estimate)
    before = images["composite"].astype(int)
    finished(picture, images, shadow_blend="normal")
    assert np.abs(images["composite"].astype(int) - before).max() <= 1
    top = picture.top
    dark = images["shadow"][70, 40].astype(float) / top
    assert dark[3] == 1  # opaque where it is full, so that it hides what lies under it
    assert np.abs(dark[:3] - np.array(RED) * SHADE).max() < 0.02
    soft = images["shadow"][70, 25].astype(float) / top
    assert 0.2 < soft[3] < 0.8
    assert np.abs(soft[:3] - dark[:3]).max() < 0.03  # the same colour, laid on more thinly


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1), depth=st.sampled_from([8, 16]), wish=st.sampled_from(WISHES), opaque=st.booleans()
)
def test_exact_layers_give_opaque_pixels_back_whatever_one_wish_binds(seed, depth, wish, opaque):
    rng = np.random.default_rng(seed)
    top, kind = (255, np.uint8) if depth == 8 else (65535, np.uint16)
    data = rng.integers(0, top + 1, (14, 12, 4)).astype(kind)
    data[:7, :6, :3] = data[0, 0, :3]  # an area among the noise
    ends = rng.random(data.shape) < 0.3
    data[ends] = rng.integers(0, 2, int(ends.sum())) * top
    data[0, 0, 3] = top
    if opaque:
        data[..., 3] = top
    planes = [np.where(rng.random((14, 12, 3)) < 0.5, rng.integers(0, 2, (14, 12, 3)), rng.random((14, 12, 3)))]
    planes = [rng.permuted(planes[0], axis=0).astype(np.float32) for _ in range(5)]
    picture = Pixels(data)
    images = fitted(picture, Estimate(planes[0][..., 0], *planes[1:]), "exact")
    alpha = images["composite"][..., 3].copy()
    error = finished(picture, images, fidelity="exact", **wish)
    solid = data[..., 3] == top
    difference = np.abs(images["composite"].astype(int) - data)[solid]
    assert difference.max(initial=0) <= 2 * top // 255
    assert np.array_equal(images["composite"][..., 3], alpha)
    assert not opaque or error.max <= 2.01
    if "flat_colors" in wish:
        assert len(flat_colors(images)) <= wish["flat_colors"]
    if wish.get("merge_highlight"):
        assert not images["highlight"].any()


@pytest.mark.parametrize("wish", WISHES)
def test_the_error_told_is_that_of_the_layers_put_together_by_the_formula(wish):
    picture, estimate = drawing(soft=True, alpha=True)
    images = fitted(picture, estimate)
    told = finished(picture, images, **wish)
    parts = [Pixels(images[name]) for name in layers.NAMES]
    stack = layers.LayerStack(*parts, shadow_blend=wish.get("shadow_blend", "multiply"))
    composite = stack.images()["composite"]
    np.testing.assert_array_equal(composite.data, images["composite"])
    measured = layers.recomposition_error(picture, composite)
    assert (told.max, told.mean, told.psnr) == pytest.approx((measured.max, measured.mean, measured.psnr))


@pytest.mark.parametrize("wish", WISHES)
def test_nothing_shows_where_the_picture_is_transparent(wish):
    picture, estimate = drawing(soft=True, alpha=True)
    images = fitted(picture, estimate)
    finished(picture, images, **wish)
    assert not images["composite"][0].any()
    for name in layers.NAMES:
        assert not images[name][images[name][..., 3] == 0].any()
    assert np.abs(images["composite"][..., 3].astype(int) - picture.data[..., 3]).max() <= 1


def test_bands_make_no_difference(monkeypatch):
    picture, estimate = drawing(soft=True, grain=0.01)
    wishes = {"flat_colors": 4, "shadow_tones": 2, "shadow_tint": "region", "shadow_blend": "normal"}
    whole, banded = fitted(picture, estimate), fitted(picture, estimate)
    finished(picture, whole, **wishes)
    monkeypatch.setattr(finishing, "BAND_PIXELS", 1)  # bands of the least height
    monkeypatch.setattr(finishing, "LEAST_ROWS", 16)
    finished(picture, banded, **wishes)
    for name, image in whole.items():
        np.testing.assert_array_equal(image, banded[name], err_msg=name)


def test_what_is_held_for_the_whole_picture_are_whole_numbers():
    """Floats of a band only: 40 bytes a pixel besides the layers are 640 MiB for 4096x4096."""
    side = 1600
    picture = Pixels(np.full((side, side, 3), 200, np.uint8))
    picture.data[:, side // 2 :] = 120
    one = np.ones((side, side, 4), np.uint8) * np.array([200, 200, 200, 255], np.uint8)
    images = {name: one * (name in ("flat", "composite")) for name in (*layers.NAMES, "composite")}
    images["shadow"][:, side // 2 :] = (0, 0, 0, 102)
    tracemalloc.start()
    finished(picture, images, flat_colors=4, shadow_tones=1, shadow_blend="normal")
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert held < 75 * side * side + 200 * 2**20  # OpenCV's own memory is not counted


def by_plain_rule(tile):
    color = tile.astype(np.float32) / np.iinfo(tile.dtype).max
    planes = np.zeros((*tile.shape[:2], 13), np.float32)
    planes[..., 0] = color.mean(2) < 0.15
    planes[..., 4:7] = color
    planes[..., 7:10] = 1
    return planes


def test_the_pipeline_finishes_and_tells_blend_mode_seconds_and_the_new_error():
    picture, _ = drawing(soft=True)
    request = DecomposeRequest(picture, flat_colors=2, shadow_blend="normal")
    *_, end = DecomposePipeline(lambda name: by_plain_rule).run(request)
    assert end.report.shadow_blend == "normal"
    assert set(end.report.seconds) == {"load", "infer", "fit", "finish"}
    flat = end.images["flat"]
    assert len(np.unique(flat.data[flat.data[..., 3] > 0][:, :3], axis=0)) <= 2
    assert end.images["shadow"].offset == picture.offset
    measured = layers.recomposition_error(picture, end.images["composite"])
    assert end.report.recomposition.psnr == pytest.approx(measured.psnr)


def test_without_a_wish_the_layers_are_those_of_the_fitting_to_the_bit(monkeypatch):
    picture, _ = drawing(soft=True)
    monkeypatch.setattr(finishing, "finish", lambda *_: pytest.fail("nothing was asked for"))
    *_, end = DecomposePipeline(lambda name: by_plain_rule).run(DecomposeRequest(picture))
    assert end.report.shadow_blend == "multiply"
    assert set(end.report.seconds) == {"load", "infer", "fit"}


@pytest.mark.parametrize("side", [8, 9, 40])
@pytest.mark.parametrize("wish", WISHES)
def test_pictures_of_any_size_and_of_one_colour_are_finished(side, wish):
    picture = Pixels(np.full((side, side + 1, 3), 77, np.uint8))
    *_, end = DecomposePipeline(lambda name: by_plain_rule).run(DecomposeRequest(picture, **wish))
    assert np.abs(end.images["composite"].data[..., :3].astype(int) - 77).max() <= 1
