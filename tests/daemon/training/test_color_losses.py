import pytest
import torch
from celwright.training.color_losses import (
    Weights,
    color_loss,
    correspondence_loss,
    fitted_probe,
    gate_loss,
    pooled,
    structure_loss,
)
from celwright.training.colorizer import one_colored, weighted


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)
    torch.manual_seed(0)


def test_the_probe_reads_colours_off_latents_that_hold_them():
    pictures = torch.rand(2, 3, 32, 32)
    cells = torch.nn.functional.pixel_unshuffle(torch.nn.functional.avg_pool2d(pictures, 4), 2)
    mixing = torch.randn(12, 12)
    latents = torch.einsum("oc,bchw->bohw", mixing, cells) + 1
    read = fitted_probe(latents, pictures)(latents)
    torch.testing.assert_close(read, torch.nn.functional.avg_pool2d(pictures, 4), atol=1e-3, rtol=0)


def test_parts_are_pooled_picture_by_picture():
    picture = torch.zeros(2, 3, 2, 2)
    picture[0, 0] = torch.tensor([[0.0, 1.0], [0.5, 0.5]])
    parts = torch.tensor([[[[7, 7], [3, 3]]], [[[7, 7], [7, 7]]]], dtype=torch.uint8)
    means, area = pooled(picture, parts)
    assert means[7, 0] == 0.5
    assert means[3, 0] == 0.5
    assert means[256 + 7, 0] == 0
    assert [area[i].item() for i in (3, 7, 256 + 7)] == [2, 2, 4]
    assert area.sum() == 8


def test_shading_that_keeps_a_part_s_mean_costs_no_colour():
    truth = torch.full((1, 3, 4, 4), 0.5)
    shaded = truth.clone()
    shaded[..., :2] += 0.2
    shaded[..., 2:] -= 0.2
    one = torch.ones(1, 1, 4, 4, dtype=torch.uint8)
    assert color_loss(shaded, truth, one).item() == pytest.approx(0, abs=1e-10)
    two = one.clone()
    two[..., 2:] = 2
    assert color_loss(shaded, truth, two).item() == pytest.approx(0.04, abs=1e-6)


def test_only_edges_cost_structure():
    truth = torch.zeros(1, 3, 8, 8)
    truth[..., 4:] = 1
    assert structure_loss(truth, truth) == 0
    assert structure_loss(truth * 0.5 + 0.5, truth) > structure_loss(1 - truth, truth) + 1e-3


def test_gates_of_absent_references_are_free_and_balanced_ones_too():
    gates = torch.tensor([[[0.5, 0.5], [1.0, 1.0]]])
    assert gate_loss(gates, torch.tensor([[1.0, 0.0]])) == 0
    assert gate_loss(gates, torch.tensor([[1.0, 1.0]])).item() == pytest.approx(0.125)


def test_brought_colours_count_only_where_a_reference_reaches():
    flat, carried = torch.zeros(1, 3, 4, 4), torch.ones(1, 3, 4, 4)
    everywhere = torch.ones(1, 1, 4, 4)
    assert correspondence_loss(carried, flat, everywhere * 0, everywhere) == 0
    assert correspondence_loss(carried, flat, everywhere, everywhere).item() == pytest.approx(1)


def test_cells_of_mixed_colours_count_for_little():
    flat = torch.zeros(1, 3, 8, 16)
    flat[..., :4] = 1
    plain, mixed = torch.ones(1, 1, 8, 16), one_colored(flat, torch.ones(1, 1, 8, 16))
    assert mixed.shape == (1, 1, 1, 2)
    assert mixed[..., 0] < 1e-6 < mixed[..., 1]
    assert one_colored(torch.zeros_like(flat), plain).eq(1).all()


def test_the_total_is_eq_34_and_the_correspondence_term():
    terms = dict(zip(("diffusion", "structure", "color", "gate", "correspondence"), torch.arange(1.0, 6), strict=True))
    assert weighted(terms, Weights(0.1, 2, 3, 4)).item() == pytest.approx(1 + 0.2 + 6 + 12 + 20)
