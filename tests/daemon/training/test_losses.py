import math

import pytest
import torch
from celwright.models.decomposer import CHANNELS, Layers
from celwright.training import losses


def layers(alpha=0.0, ink=0.0, flat=0.5, shadow=1.0, highlight=0.0):
    values = (alpha, ink, flat, shadow, highlight)
    return Layers(*(torch.full((1, channels, 4, 4), value) for channels, value in zip(CHANNELS, values, strict=True)))


def test_the_truth_costs_nothing_but_its_own_sparsity():
    truth = layers(alpha=0.3, ink=0.1, flat=0.6, shadow=0.7, highlight=0.2)
    wanted = losses.SPARSE * (0.3 + 0.2)
    assert losses.decomposition_loss(truth, truth).item() == pytest.approx(wanted)


def test_line_loss_is_coverage_plus_colour_where_there_is_line():
    loss = losses.line_loss(layers(alpha=0.5, ink=0.4), layers(alpha=0.25, ink=0.0))
    assert loss.item() == pytest.approx(0.25 + 0.4 * 0.25)


def test_flat_loss_is_the_mean_difference():
    assert losses.flat_loss(layers(flat=0.9), layers(flat=0.4)).item() == pytest.approx(0.5)


def test_shaded_pixels_count_more_and_hidden_ones_not_at_all():
    truth = torch.ones(1, 3, 1, 3)
    truth[..., 0] = 0.5
    estimate = truth - 0.1
    hidden = torch.tensor([[[[0.0, 0.0, 1.0]]]])
    loss = losses.shading_loss(estimate, truth, 1 - truth, hidden, rare=3.0)
    assert loss.item() == pytest.approx((0.1 * 4 + 0.1 * 1 + 0) / 3)


def test_sparsity_is_the_mean_strength_of_both_lights():
    assert losses.sparsity(layers(shadow=0.9, highlight=0.3)).item() == pytest.approx(0.1 + 0.3)


def test_composition_loss_sees_only_the_sum():
    """Half the flat under no shadow looks like the flat under half shadow."""
    assert losses.composition_loss(layers(flat=0.4), layers(flat=0.8, shadow=0.5)).item() == pytest.approx(0, abs=1e-6)
    assert losses.composition_loss(layers(flat=0.4), layers(flat=0.8)).item() == pytest.approx(0.4)


def test_every_layer_gets_a_gradient():
    estimate = Layers(*(layer.requires_grad_() for layer in layers(0.5, 0.5, 0.5, 0.5, 0.5)))
    losses.decomposition_loss(estimate, layers(0.4, 0.1, 0.7, 0.9, 0.1)).backward()
    for layer in estimate:
        assert layer.grad is not None
        assert math.isfinite(layer.grad.sum().item())
        assert layer.grad.abs().sum() > 0
