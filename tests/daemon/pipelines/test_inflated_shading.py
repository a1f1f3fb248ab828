"""Claims about light on inflated flats."""

import numpy as np
from celwright.domain import FloatImage, Labels
from celwright.pipelines.colorize.field import field_of
from celwright.pipelines.colorize.shading import inflated_shading
from celwright.regions.inflation import inflated
from hypothesis import given
from hypothesis import strategies as st

SIDE = 200
FIELD = field_of(SIDE, SIDE, None, SIDE, 1)
RED, BLUE = (0.8, 0.2, 0.1, 1), (0.1, 0.2, 0.8, 1)


def discs(*circles: tuple[int, int, int]) -> Labels:
    """(SIDE, SIDE) labels of discs (x, y, radius) on a ground that is region 1."""
    y, x = np.mgrid[:SIDE, :SIDE]
    labels = np.ones((SIDE, SIDE), np.int32)
    for number, (left, top, radius) in enumerate(circles, start=2):
        labels[np.hypot(x - left, y - top) < radius] = number
    return labels


def lit(labels: Labels, *colors: tuple[float, ...]) -> FloatImage:
    """Shading of regions 2, 3, ... in these colours, the ground being transparent."""
    table = np.zeros((len(colors) + 2, 4), np.float32)
    table[2:] = colors
    return inflated_shading(labels, table, FIELD, 130)


@given(st.integers(5, 60), st.floats(2, 80))
def test_a_disc_becomes_a_dome_as_high_as_it_is_wide_or_as_allowed(radius: int, most: float) -> None:
    height = inflated(discs((100, 100, radius)), most)
    inside = height[discs((100, 100, radius)) == 2]
    assert inside.max() <= most + 1e-3
    assert abs(inside.max() - min(radius, most)) < 0.12 * min(radius, most) + 1.5
    assert inside.min() >= 0


@given(st.integers(0, 359))
def test_the_shadow_lies_away_from_the_light_and_the_highlight_towards_it(light: int) -> None:
    table = np.array([(0, 0, 0, 0), (0, 0, 0, 0), RED], np.float32)
    shading = inflated_shading(discs((100, 100, 70)), table, FIELD, light)
    shadow, shine = 1 - shading[..., 0], shading[..., 3]
    y, x = np.mgrid[:SIDE, :SIDE]
    towards = np.exp(1j * np.deg2rad(light))  # to the right and up
    for amount, sign in ((shadow, -1), (shine, 1)):
        assert amount.max() > 0.1
        middle = ((amount * (x - 100)).sum() - 1j * (amount * (y - 100)).sum()) / amount.sum()
        assert abs(middle) > 20
        assert abs(np.angle(sign * middle / towards)) < 0.15


def test_nothing_is_shaded_where_nothing_is_painted() -> None:
    labels = discs((60, 60, 30), (140, 140, 40))
    shading = lit(labels, RED, (0, 0, 0, 0))
    assert (shading[100:, 100:, :3] == 1).all()
    assert (shading[100:, 100:, 3:] == 0).all()
    assert (shading[:90, :90, :3] < 1).any()


def test_painted_paper_is_not_lit() -> None:
    table = np.array([(0, 0, 0, 0), BLUE, RED], np.float32)
    labels = discs((100, 100, 60))
    shading = inflated_shading(labels, table, FIELD, 130)
    assert (shading[labels == 1][:, :3] == 1).all()
    assert (shading[labels == 2][:, :3] < 1).any()


def test_small_areas_stay_flat() -> None:
    shading = lit(discs((90, 90, 80), (90, 90, 3)), RED, BLUE)
    assert (shading[89:92, 89:92, :3] == 1).all()


def test_a_region_has_its_own_form_whatever_colour_its_neighbour_has() -> None:
    labels = discs((70, 100, 40), (130, 100, 40))
    alike, unlike = lit(labels, RED, RED), lit(labels, RED, BLUE)
    for shading in (alike, unlike):  # each disc has a shadow of its own on its right
        shadow = 1 - shading[..., 0]
        assert shadow[100:130, 90:100].max() > 0.1
        assert shadow[100:130, 150:168].max() > 0.1
