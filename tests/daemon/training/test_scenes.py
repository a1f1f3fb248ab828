import numpy as np
import pytest
from celwright.training.scenes import composed, scene

KINDS = ("standard", "rich")


def planes(made):
    return {name: getattr(made, name) for name in ("line_alpha", "line_color", "flat", "shadow", "highlight")}


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_number_gives_the_same_scene(kind):
    one, two, other = scene(5, 64, kind), scene(5, 64, kind), scene(6, 64, kind)
    for name, plane in (planes(one) | {"seen": one.seen, "instances": one.instances}).items():
        np.testing.assert_array_equal(plane, getattr(two, name))
    assert not np.array_equal(one.seen, other.seen)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(6))
def test_layers_are_in_range_and_obey_the_formula(kind, seed):
    made = scene(seed, 96, kind)
    for name, plane in planes(made).items():
        assert plane.dtype == np.float32
        assert -1e-5 <= plane.min() <= plane.max() <= 1 + 1e-5, name
    painted = 1 - (1 - made.flat * made.shadow) * (1 - made.highlight)
    alpha = made.line_alpha[..., None]
    np.testing.assert_allclose(made.picture(), made.line_color * alpha + painted * (1 - alpha), atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_the_seen_picture_is_the_composition_but_for_compression(kind):
    errors = [np.abs(made.picture() * 255 - made.seen).mean() for made in (scene(n, 96, kind) for n in range(12))]
    assert np.median(errors) < 8
    assert min(errors) <= 0.5, "some scenes come undamaged"


def test_every_figure_has_its_own_instance():
    for seed in range(30):
        found = set(np.unique(scene(seed, 96, "rich").instances).tolist())
        figures = {number for number in found if 100 <= number < 200}
        if len(figures) > 1:
            return
    pytest.fail("no scene with two figures among thirty")


def test_standard_scenes_have_lines_shadows_and_highlights():
    scenes = [scene(n, 96) for n in range(12)]
    assert 0.02 < np.mean([made.line_alpha.mean() for made in scenes]) < 0.2
    assert 0.02 < np.mean([(made.shadow.min(2) < 0.95).mean() for made in scenes]) < 0.4
    assert 0.003 < np.mean([(made.highlight.max(2) > 0.05).mean() for made in scenes]) < 0.1


def test_flat_is_flat_where_no_line_or_edge_is():
    """On standard scenes nearly every flat pixel away from edges equals its neighbour."""
    made = scene(3, 128)
    step = np.abs(np.diff(made.flat, axis=1)).max(2)
    assert (step < 1e-3).mean() > 0.85


def test_composition_of_one_pixel_by_hand():
    def one(*values):
        return np.array([[values]], np.float32)

    result = composed(np.array([[0.5]], np.float32), one(0, 0, 1), one(0.8, 0.5, 0.2), one(0.5, 1, 1), one(0, 0.5, 0))
    np.testing.assert_allclose(result, one(0.2, 0.375, 0.6), atol=1e-6)
