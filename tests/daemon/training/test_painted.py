import numpy as np
import pytest
from celwright.errors import WrongUsageError
from celwright.training.painting import finishes, inks
from celwright.training.painting.canvas import Light
from celwright.training.painting.degradations import degraded
from celwright.training.painting.finishes import MODES, chosen
from celwright.training.painting.light_fields import FIELDS, wedges
from celwright.training.painting.painted import faded, painted_canvas
from celwright.training.painting.painted_canvas import PaintedCanvas
from celwright.training.samples import Shares, packed, sample
from celwright.training.scenes import scene

NAMES = ("line_alpha", "line_color", "flat", "shadow", "highlight")
LIGHT = Light(np.zeros(3), np.zeros(3), np.zeros(3), 0.3, 0.1, 0.1, 0.1)


@pytest.fixture(scope="module")
def many():
    return [scene(n, 64, "painted") for n in range(120)]


def test_the_same_number_gives_the_same_scene():
    one, two, other = scene(5, 64, "painted"), scene(5, 64, "painted"), scene(6, 64, "painted")
    for name in (*NAMES, "seen", "instances"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    assert not np.array_equal(one.seen, other.seen)


def test_layers_are_in_range_and_obey_the_formula(many):
    for made in many:
        for name in NAMES:
            plane = getattr(made, name)
            assert plane.dtype == np.float32
            assert -1e-4 <= plane.min() <= plane.max() <= 1 + 1e-4, name
        painted = 1 - (1 - made.flat * made.shadow) * (1 - made.highlight)
        alpha = made.line_alpha[..., None]
        np.testing.assert_allclose(made.picture(), made.line_color * alpha + painted * (1 - alpha), atol=1e-5)
        assert made.seen.shape == (64, 64, 3)
        assert made.seen.dtype == np.uint8


def strength(made):
    return (1 - made.shadow).max(2)


def shaded(made):
    return strength(made) > 0.05


def corner_range(made):
    """How much the background changes between places where nothing stands."""
    open_ground = (made.instances == 0) & (made.line_alpha < 0.02)
    return np.ptp(made.flat[open_ground], axis=0).max() if open_ground.any() else 0.0


INGREDIENTS = {
    "no shading at all": lambda m: not shaded(m).any() and m.highlight.max() < 0.05 and m.line_alpha.max() > 0.5,
    "no lines": lambda m: (m.line_alpha > 0.5).mean() < 0.001 and shaded(m).any(),
    "line art only": lambda m: np.ptp(m.flat.reshape(-1, 3), 0).max() < 1e-3 and m.line_alpha.max() > 0.5,
    "tinted paper": lambda m: np.ptp(m.flat.reshape(-1, 3), 0).max() < 1e-3 and m.flat[..., 2].max() < 0.99,
    "hard shadows": lambda m: shaded(m).mean() > 0.05 and (np.abs(np.diff(strength(m), axis=0)) > 0.25).mean() > 0.02,
    "soft shadows": lambda m: ((np.abs(np.diff(strength(m), axis=0)) > 0.002)
                               & (np.abs(np.diff(strength(m), axis=0)) < 0.03)).mean() > 0.2,
    "shadow over most of a figure": lambda m: (shaded(m) & (m.instances > 0)).sum() > 0.6 * (m.instances > 0).sum() > 0,
    "coloured shadows": lambda m: (np.ptp(m.shadow, axis=2) > 0.25).mean() > 0.03,
    "neutral shadows": lambda m: shaded(m).mean() > 0.05 and np.ptp(m.shadow[shaded(m)], axis=1).mean() < 0.05,
    "bright highlights": lambda m: (m.highlight.max(2) > 0.7).mean() > 0.002,
    "coloured highlights": lambda m: (np.ptp(m.highlight, axis=2) > 0.3).mean() > 0.003,
    "black flats": lambda m: (m.flat.max(2) < 0.12).mean() > 0.05,
    "white flats under shadow": lambda m: ((m.flat.min(2) > 0.95) & shaded(m)).mean() > 0.02,
    "coloured lines": lambda m: ((m.line_alpha > 0.5) & (np.ptp(m.line_color, axis=2) > 0.25)).mean() > 0.01,
    "hairlines": lambda m: 0 < (m.line_alpha > 0.1).mean() < 0.12 and (m.line_alpha > 0.9).mean() < 0.004,
    "broad outlines": lambda m: (m.line_alpha > 0.9).mean() > 0.15,
    "grey pages": lambda m: np.ptp(m.flat, axis=2).max() < 0.02 and np.ptp(m.flat[..., 0]) > 0.3 and shaded(m).any(),
    "painted or graded backgrounds": lambda m: corner_range(m) > 0.15,
    "a crowd": lambda m: len(np.unique(m.instances[m.instances >= 100])) >= 3,
    "figures that fill the picture": lambda m: (m.instances >= 100).mean() > 0.6,
    "an undamaged picture": lambda m: np.abs(m.picture() * 255 - m.seen).max() < 0.51,
    "a damaged picture": lambda m: np.abs(m.picture() * 255 - m.seen).mean() > 2,
}  # fmt: skip


@pytest.mark.parametrize("ingredient", INGREDIENTS)
def test_each_ingredient_occurs_among_a_hundred_and_twenty_scenes(many, ingredient):
    assert any(INGREDIENTS[ingredient](made) for made in many)


def test_damage_is_never_so_strong_that_it_is_another_picture(many):
    assert max(np.abs(made.picture() * 255 - made.seen).mean() for made in many) < 20


def plain_canvas(mode, rendering="paint"):
    rng, side = np.random.default_rng(3), 512
    finish = chosen(rng, side, mode)
    canvas = PaintedCanvas(np.ones((side, side, 3)), finish, inks.Ink(None, None, None, np.zeros(3)), rendering, 1)
    canvas.bare = 0.0
    square = np.array([(80, 80), (430, 80), (430, 430), (80, 430)], np.float32)
    part = canvas.silhouette(square, np.array([0.8, 0.5, 0.4], np.float32))
    canvas.lay(part, 1)
    return canvas, part


def test_hatching_is_line_and_leaves_shadow_alone():
    canvas, part = plain_canvas("cel", "hatching")
    canvas.express(np.random.default_rng(0), part, part.cover)
    assert canvas.line_alpha.max() > 0.9
    assert (canvas.shadow == 1).all()


def test_screen_tone_is_shadow_and_leaves_lines_alone():
    canvas, part = plain_canvas("cel", "tone")
    canvas.express(np.random.default_rng(0), part, part.cover * 0.5)
    assert (canvas.line_alpha == 0).all()
    dark = 1 - canvas.shadow[100:400, 100:400].min(2)
    assert 0.1 < (dark > 0.3).mean() < 0.9, "dots, not a film"


@pytest.mark.parametrize("mode", MODES)
def test_only_a_finish_without_shading_leaves_parts_unshaded(mode):
    canvas, part = plain_canvas(mode)
    for seed in range(6):
        canvas.add_light(np.random.default_rng(seed), part, LIGHT)
    assert (canvas.shadow < 0.99).any() == (mode != "none")


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("filled", [True, False])
def test_fields_are_finite_whatever_the_cover(name, filled):
    direction = np.array([0.5, -0.5, 0.7], np.float32)
    for shape in ((40, 31), (1, 9), (5, 2)):
        field = FIELDS[name](np.random.default_rng(1), np.full(shape, filled, np.float32), direction)
        assert field.shape == shape
        assert np.isfinite(field).all()


def test_light_fields_are_higher_on_the_side_of_the_light():
    y, x = np.mgrid[-1:1:64j, -1:1:64j]
    disc = (x * x + y * y < 0.9).astype(np.float32)
    for name in ("cushion", "crescent", "facets", "ramp"):
        gains = []
        for seed in range(8):
            field = FIELDS[name](np.random.default_rng(seed), disc, np.array([0.9, 0.0, 0.44], np.float32))
            gains.append(field[disc > 0][x[disc > 0] > 0].mean() - field[disc > 0][x[disc > 0] < 0].mean())
        assert np.median(gains) > 0, name


def test_wedges_cover_some_but_not_all():
    for seed in range(10):
        strokes = wedges(np.random.default_rng(seed), (80, 60), True, 0.13)
        assert strokes.max() <= 1
        assert strokes.mean() < 0.7


def test_shadow_colours_never_brighten():
    rng = np.random.default_rng(0)
    for _ in range(300):
        finish = chosen(rng, 512)
        tint = finish.shadow_tint(rng.random(3).astype(np.float32))
        assert (tint > 0).all()
        assert (tint <= 1 + 1e-6).all()
        assert 0 <= finish.share <= 0.65


def test_turning_the_hue_goes_the_shorter_way_to_violet():
    yellow_green = np.array([0.6, 0.9, 0.4], np.float32)
    turned = finishes.turned_hue(yellow_green, 0.15)
    assert turned[2] > turned[0], "towards teal"
    orange = np.array([0.9, 0.5, 0.3], np.float32)
    turned = finishes.turned_hue(orange, 0.15)
    assert turned[2] > turned[1], "towards crimson"


def test_what_cannot_be_seen_is_faded_out():
    ones = np.ones((2, 2, 3), np.float32)
    layers = {"line_alpha": ones[..., 0] * 0, "line_color": ones * 0, "flat": ones.copy(), "shadow": ones * 0.5,
              "highlight": ones * 0.5}  # fmt: skip
    layers["flat"][0] = 0  # black above: shadow shows nothing
    layers["shadow"][1] = 1  # lit white below: highlight shows nothing
    clean = faded(layers)
    np.testing.assert_array_equal(clean["shadow"][0], 1)
    np.testing.assert_array_equal(clean["highlight"][0], 0.5)
    np.testing.assert_array_equal(clean["highlight"][1], 0)


def test_degraded_pictures_keep_their_size_and_their_means():
    picture = scene(3, 64).seen
    for seed in range(40):
        damaged = degraded(np.random.default_rng(seed), picture)
        assert damaged.shape == picture.shape
        assert damaged.dtype == np.uint8
        np.testing.assert_allclose(damaged.mean((0, 1)), picture.mean((0, 1)), atol=8)


def test_a_canvas_can_be_of_any_size():
    for side in (32, 100, 192):
        assert painted_canvas(np.random.default_rng(1), side).flat.shape == (side, side, 3)


def test_shares_choose_the_kinds_and_the_number_the_scene():
    everything = Shares(rich=0.0, painted=1.0)
    np.testing.assert_array_equal(sample(7, 48, everything), packed(scene(7, 48, "painted")))
    np.testing.assert_array_equal(sample(7, 48, Shares(rich=1.0)), packed(scene(7, 48, "rich")))
    np.testing.assert_array_equal(sample(7, 48, Shares(rich=0.0)), packed(scene(7, 48, "standard")))


def test_shares_above_one_are_refused():
    with pytest.raises(WrongUsageError) as refused:
        Shares(rich=0.6, painted=0.5)
    assert str(refused.value) == (
        "The shares of rich, painted and drawn scenes are 0.6, 0.5 and 0.0; none below 0 and at most 1 together are "
        "allowed: lower one of them."
    )
