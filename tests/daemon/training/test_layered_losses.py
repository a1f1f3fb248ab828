import pytest
import torch
from celwright.training import layered_losses
from celwright.training.layered_losses import layer_losses, supervision
from hypothesis import given
from hypothesis import strategies as st

NUMBERS = st.floats(-3, 3, width=32)


def constant(*values):
    """(2, len(values), 3, 5) velocities, each layer one number throughout."""
    return torch.tensor(values, dtype=torch.float32).view(1, -1, 1, 1).expand(2, -1, 3, 5)


@given(NUMBERS, NUMBERS)
def test_the_line_is_held_by_the_mean_absolute_error(found, true):
    losses = layer_losses(constant(found, 0, 0, 0), constant(true, 0, 0, 0))
    assert losses.line.item() == pytest.approx(abs(found - true), abs=1e-5)
    assert losses.flat == losses.light == losses.shadow == losses.sparse == 0


@given(NUMBERS, NUMBERS, st.sampled_from(["flat", "light", "shadow"]))
def test_flat_light_and_shadow_are_held_by_the_mean_squared_error(found, true, name):
    place = ("line", "flat", "light", "shadow").index(name)
    one = [[value if i == place else 0.0 for i in range(4)] for value in (found, true)]
    losses = layer_losses(constant(*one[0]), constant(*one[1]))
    assert getattr(losses, name).item() == pytest.approx((found - true) ** 2, abs=1e-4)
    others = {"line", "flat", "light", "shadow"} - {name}
    assert all(getattr(losses, other) == 0 for other in others)


@given(NUMBERS, NUMBERS)
def test_sparsity_is_the_mean_strength_of_light_and_shadow_whatever_is_true(light, shadow):
    for true in (constant(0, 0, 0, 0), constant(1, 2, light, shadow)):
        losses = layer_losses(constant(5, 5, light, shadow), true)
        assert losses.sparse.item() == pytest.approx(abs(light) + abs(shadow), abs=1e-5)


def test_composition_sees_only_the_sum_of_the_layers():
    assert layer_losses(constant(1, 2, 3, 4), constant(4, 3, 2, 1)).composition == 0
    assert layer_losses(constant(1, 2, 3, 4), constant(1, 2, 3, 1)).composition == pytest.approx(9)


def test_means_do_not_depend_on_how_many_elements_a_layer_has():
    torch.manual_seed(0)
    found, true = torch.randn(2, 1, 4, 3, 8)
    twice = layer_losses(found.repeat(1, 1, 2, 1), true.repeat(1, 1, 2, 1))
    torch.testing.assert_close(torch.stack(tuple(twice)), torch.stack(tuple(layer_losses(found, true))))


def test_the_total_weighs_the_terms_as_the_paper_does():
    losses = layered_losses.LayerLosses(*torch.eye(6))
    torch.testing.assert_close(losses.total(), torch.tensor([2.5, 1.0, 1.0, 1.0, 0.08, 1.8]))


@pytest.mark.parametrize("name", ["light", "shadow"])
def test_sparsity_and_truth_meet_a_seventieth_short_of_the_truth(name):
    """0.08 |v| against (1 + 1.8) (v - v*)^2: least at v* - 0.08 / 5.6, whatever the truth. That is the floor which the
    terms of eq. 11 leave when they pull against each other."""
    place = ("line", "flat", "light", "shadow").index(name)
    found, true = (torch.zeros(1, 4, 3, 5) for _ in range(2))
    true[:, place] = 1.3
    found[:, place] = 1.3 - 0.08 / 5.6
    found.requires_grad_()
    layer_losses(found, true).total().backward()
    torch.testing.assert_close(found.grad[:, place], torch.zeros(1, 3, 5), rtol=0, atol=1e-7)


def test_the_sign_of_the_velocity_does_not_matter():
    torch.manual_seed(0)
    found, true = torch.randn(2, 2, 5, 3, 4)
    torch.testing.assert_close(supervision(found, true), supervision(-found, -true))


def test_the_composite_is_held_beside_the_layers():
    true = constant(0, 0, 0, 0, 0)
    assert supervision(constant(3, 0, 0, 0, 0), true) == pytest.approx(9)
    assert supervision(constant(0, 1, 0, 0, 0), true) == pytest.approx(2.5 * 1 + 1.8 * 1)


def test_without_layer_wise_supervision_all_frames_count_alike():
    true = constant(0, 0, 0, 0, 0)
    for place in range(5):
        found = constant(*(2.0 if i == place else 0.0 for i in range(5)))
        assert supervision(found, true, layer_wise=False) == pytest.approx(4 / 5)
