import numpy as np
import pytest
from celwright import fitting
from celwright.pipelines.decompose.layered_planes import ResultLayers, planes, recomposed, result_colors
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

COLORS = arrays(np.float32, (3, 4, 3), elements=st.floats(0.0625, 0.9375, width=32))


def opaque(color):
    return np.concatenate([color, np.ones_like(color[..., :1])], axis=2)


def clear(shape=(3, 4, 4)):
    return np.zeros(shape, np.float32)


@given(COLORS, COLORS, COLORS)
def test_a_shadow_and_a_light_come_back_as_the_factor_and_amount_they_were_made_of(flat, factor, amount):
    light, shadow = result_colors(flat, factor, amount, least=0.0)
    found = planes(ResultLayers(clear(), opaque(flat), light, shadow))
    np.testing.assert_allclose(found[..., 4:7], flat, atol=1e-6)
    np.testing.assert_allclose(found[..., 7:10], factor, atol=1e-3)
    np.testing.assert_allclose(found[..., 10:13], amount, atol=1e-2)


def test_a_normal_shadow_is_divided_by_the_flat_below_it():
    flat = np.full((1, 1, 3), 0.8, np.float32)
    shadow = np.array([[[0.4, 0.4, 0.4, 0.5]]], np.float32)  # half of it is seen: 0.6, three quarters of the flat
    found = planes(ResultLayers(clear((1, 1, 4)), opaque(flat), clear((1, 1, 4)), shadow))
    np.testing.assert_allclose(found[..., 7:10], 0.75, atol=1e-6)


def test_shadows_that_brighten_and_lights_that_darken_are_none():
    flat, bright, dark = (opaque(np.full((2, 2, 3), v, np.float32)) for v in (0.5, 0.9, 0.1))
    found = planes(ResultLayers(clear((2, 2, 4)), flat, dark, bright))
    np.testing.assert_array_equal(found[..., 7:10], 1)
    np.testing.assert_array_equal(found[..., 10:], 0)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_black_and_white_flats_give_finite_planes(value):
    flat = opaque(np.full((2, 2, 3), value, np.float32))
    assert np.isfinite(planes(ResultLayers(clear((2, 2, 4)), flat, clear((2, 2, 4)), clear((2, 2, 4))))).all()


def test_a_transparent_flat_stands_on_white():
    nothing = clear()
    np.testing.assert_array_equal(planes(ResultLayers(nothing, nothing, nothing, nothing))[..., 4:7], 1)


def test_layers_are_laid_over_one_another_in_the_painters_order():
    def layer(value, alpha):
        return np.array([[[value, value, value, alpha]]], np.float32)

    layers = ResultLayers(line=layer(0, 0.5), flat=layer(0.8, 1), light=layer(1, 0.5), shadow=layer(0.4, 0.5))
    # 0.8 -> half 0.4: 0.6 -> half 1: 0.8 -> half 0: 0.4
    np.testing.assert_allclose(recomposed(layers), [[[0.4, 0.4, 0.4, 1]]], atol=1e-6)
    np.testing.assert_array_equal(recomposed(ResultLayers(*[clear()] * 4)), 0)


def test_planes_are_what_the_fitting_takes():
    found = planes(ResultLayers(*[opaque(np.full((2, 2, 3), 0.5, np.float32))] * 4))
    estimate = fitting.Estimate(found[..., 0], *(found[..., i : i + 3] for i in (1, 4, 7, 10)))
    assert found.dtype == np.float32
    assert estimate.highlight.shape == (2, 2, 3)
