import numpy as np
import pytest
from celwright.training.hinting import HANDS, MOST_COLORS, hints, region_colors, selected

SIZE = 64


@pytest.fixture
def page():
    """Flats, the same with noise, and the numbers of sixteen square regions."""
    rng = np.random.default_rng(1)
    part = np.kron(np.arange(16, dtype=np.uint8).reshape(4, 4), np.ones((16, 16), np.uint8))
    flat = rng.integers(20, 235, (16, 3)).astype(np.uint8)[part]
    color = (flat.astype(int) + rng.integers(-9, 10, flat.shape)).astype(np.uint8)
    return flat, color, part


WHOLE = np.full((SIZE, SIZE), 255, np.uint8)


@pytest.mark.parametrize("hand", HANDS)
@pytest.mark.parametrize("seed", range(4))
def test_hints_lie_inside_the_selection_only(page, hand, seed):
    flat, color, part = page
    selection = np.where(part < 8, np.uint8(255), np.uint8(0))
    given = hints(np.random.default_rng(seed), color, flat, part, selection, hand)
    assert given.shape == (SIZE, SIZE, 4)
    assert set(np.unique(given[..., 3])) <= {0, 255}
    assert not given[selection == 0].any()
    assert not given[given[..., 3] == 0].any()
    if hand != "patches":
        assert given.any() == (hand != "none")


@pytest.mark.parametrize("seed", range(6))
def test_dots_carry_the_true_flat_of_their_region(page, seed):
    flat, color, part = page
    given = hints(np.random.default_rng(seed), color, flat, part, WHOLE, "dots")
    there = given[..., 3] > 0
    np.testing.assert_array_equal(given[there, :3], flat[there])


def test_dots_can_reach_every_region(page):
    flat, color, part = page
    dots = [hints(np.random.default_rng(seed), color, flat, part, WHOLE, "dots") for seed in range(20)]
    assert max(len(np.unique(part[given[..., 3] > 0])) for given in dots) == 16


@pytest.mark.parametrize("seed", range(6))
def test_discs_carry_median_colors_of_regions(page, seed):
    flat, color, part = page
    given = hints(np.random.default_rng(seed), color, flat, part, WHOLE, "discs")
    found = np.unique(given[given[..., 3] > 0][:, :3].astype(int), axis=0)
    medians = region_colors(np.random.default_rng(0), color, part).reshape(-1, 3)
    for one in found:
        assert (medians == one).all(1).any()
    assert np.abs(medians.reshape(flat.shape).astype(int) - flat).max() <= 3


def test_regions_of_many_colors_are_reduced_to_twenty_five():
    part = np.arange(100, dtype=np.uint8).repeat(64).reshape(80, 80)
    color = np.random.default_rng(0).integers(0, 256, (100, 3)).astype(np.uint8)[part]
    reduced = region_colors(np.random.default_rng(0), color, part)
    assert len(np.unique(reduced.reshape(-1, 3), axis=0)) <= MOST_COLORS


def test_patches_have_the_average_color_and_geometric_count():
    color = np.zeros((SIZE, SIZE, 3), np.uint8)
    color[:, 1::2] = 200
    part = np.zeros((SIZE, SIZE), np.uint8)
    one = hints(np.random.default_rng(3), color, color, part, WHOLE, "patches")
    values = np.unique(one[one[..., 3] > 0][:, 0])
    assert values.min() >= 0
    assert values.max() <= 200
    assert 100 in values, "a patch of even width averages both"
    areas = [
        (hints(np.random.default_rng(n), color, color, part, WHOLE, "patches")[..., 3] > 0).sum() for n in range(300)
    ]
    assert 140 < np.mean(areas) < 240, "8 patches of 25.5 pixels on average, less what overlaps"


def test_early_in_the_curriculum_most_is_context_and_late_most_is_painted(page):
    part = page[2]
    early = [selected(np.random.default_rng(n), part, 0.9).mean() / 255 for n in range(200)]
    late = [selected(np.random.default_rng(n), part, 0.0).mean() / 255 for n in range(200)]
    assert np.mean(early) < 0.25
    assert np.mean(late) > 0.7
    assert min(early + late) > 0, "something is always painted"
    assert 0.5 < np.mean(np.array(late) == 1) < 0.75
