import re

import numpy as np
import pytest
import torch
from celwright.errors import ModelUnavailableError
from celwright.models.decomposer import CHANNELS, Decomposer, Layers, compose
from celwright.models.decomposer_designs import IdentityDecomposer, TwoStageDecomposer
from celwright.models.presets import build_decomposer
from celwright.training.samples import held_out, unpacked

LITTLE = {"widths": (12, 16, 24), "depths": (1, 1, 1), "depths_up": (1, 1)}
SMALL = {
    "embedded": lambda: Decomposer(**LITTLE),
    "identities": lambda: IdentityDecomposer(4, **LITTLE),
    "two-stage": lambda: TwoStageDecomposer(LITTLE, LITTLE),
}


pytestmark = pytest.mark.usefixtures("one_thread")


def constant(alpha, ink, flat, shadow, highlight):
    values = (alpha, ink, flat, shadow, highlight)
    return Layers(*(torch.full((1, channels, 2, 2), value) for channels, value in zip(CHANNELS, values, strict=True)))


def test_composition_follows_the_formula():
    picture = compose(constant(0.25, 0.1, 0.8, 0.5, 0.2))
    painted = 1 - (1 - 0.8 * 0.5) * (1 - 0.2)
    torch.testing.assert_close(picture, torch.full((1, 3, 2, 2), 0.1 * 0.25 + painted * 0.75))


def test_an_untrained_network_takes_the_picture_for_the_flat():
    picture = torch.rand(2, 3, 32, 48)
    with torch.inference_mode():
        layers = build_decomposer("tiny")(picture)
    assert [tuple(layer.shape) for layer in layers] == [(2, channels, 32, 48) for channels in CHANNELS]
    nothing = Layers(*(torch.zeros_like(layer) for layer in layers))
    wanted = nothing._replace(flat=picture, shadow=torch.ones_like(picture))
    for layer, start in zip(layers, wanted, strict=True):
        assert (layer - start).abs().mean() < 0.1


def test_a_pixel_does_not_depend_on_what_is_out_of_reach():
    """No statistics over space: what a tile's far corner holds cannot change the near one."""
    network = build_decomposer("tiny").eval()
    one = torch.rand(1, 3, 32, 160)
    other = one.clone()
    other[..., 128:] = torch.rand(1, 3, 32, 32)
    with torch.inference_mode():
        for a, b in zip(network(one), network(other), strict=True):
            torch.testing.assert_close(a[..., :48], b[..., :48], atol=0, rtol=0)


def test_shifting_the_picture_by_the_stride_shifts_the_layers():
    network = build_decomposer("tiny").eval()
    picture = torch.rand(1, 3, 32, 256)
    step = network.stride
    with torch.inference_mode():
        whole, part = network(picture)[2], network(picture[..., step:])[2]
    torch.testing.assert_close(whole[..., 128 : 256 - 64], part[..., 128 - step : 256 - 64 - step], atol=1e-5, rtol=0)


def test_the_embedded_network_stays_within_its_budget():
    network = build_decomposer("embedded")
    assert cost(network) < 350_000
    assert sum(p.numel() for p in network.parameters()) < 7e6


DESIGNS = ("embedded", "identities", "two-stage")


def cost(network):
    """Multiplications for a pixel."""
    multiplications = 0

    def count(module, inputs, output):
        nonlocal multiplications
        multiplications += module.weight.numel() * output.shape[0] * output.shape[2] * output.shape[3]

    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(count)
    with torch.inference_mode():
        network(torch.zeros(1, 3, 64, 64))
    return multiplications / 64**2


def test_the_designs_that_are_compared_cost_about_the_same():
    networks = [build_decomposer(name) for name in DESIGNS]
    for network in networks[1:]:
        assert cost(network) == pytest.approx(cost(networks[0]), rel=0.12)
        parameters = [sum(p.numel() for p in each.parameters()) for each in (network, networks[0])]
        assert parameters[0] == pytest.approx(parameters[1], rel=0.05)


@pytest.mark.parametrize("name", DESIGNS)
def test_every_design_gives_layers_of_any_height_and_width_in_strides(name):
    network = build_decomposer(name)
    picture = torch.rand(2, 3, network.stride, 2 * network.stride)
    with torch.inference_mode():
        layers = network(picture)
    assert [tuple(layer.shape) for layer in layers] == [(2, channels, *picture.shape[2:]) for channels in CHANNELS]
    nothing = Layers(*(torch.zeros_like(layer) for layer in layers))
    for layer, start in zip(layers, nothing._replace(flat=picture, shadow=torch.ones_like(picture)), strict=True):
        assert (layer - start).abs().mean() < 0.1


@pytest.mark.parametrize("name", DESIGNS)
def test_a_gradient_reaches_every_parameter_of_a_design(name):
    network = build_decomposer(name)
    layers = network(torch.rand(1, 3, network.stride, network.stride))
    sum((layer * torch.randn_like(layer)).sum() for layer in layers).backward()
    still = [name for name, parameter in network.named_parameters() if not parameter.grad.abs().max() > 0]
    assert still == []


@pytest.mark.parametrize("name", DESIGNS)
def test_pictures_of_a_batch_do_not_mix_in_a_design(name):
    network = build_decomposer(name).eval()
    pictures = torch.rand(2, 3, network.stride, network.stride)
    with torch.inference_mode():
        for both, alone in zip(network(pictures), network(pictures[1:]), strict=True):
            torch.testing.assert_close(both[1:], alone, atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", DESIGNS)
def test_a_design_learns_a_scene_by_heart(name):
    """A little one of each kind; every layer gets better than the start, which takes the picture for the flat."""
    network = SMALL[name]()
    seen, truth = unpacked(held_out("standard", 1, 32))
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)

    def errors():
        return [(layer - true).abs().mean() for layer, true in zip(network(seen), truth, strict=True)]

    before = [error.item() for error in errors()]
    for _ in range(120):
        optimizer.zero_grad()
        sum(errors()).backward()
        optimizer.step()
    after = [error.item() for error in errors()]
    assert sum(after) < 0.5 * sum(before)
    assert all(error < start for error, start in zip(after, before, strict=True))


def test_the_identities_tell_the_layers_apart():
    """Without them one decoder makes the same change to every layer."""
    network = SMALL["identities"]()
    torch.nn.init.normal_(network.head.weight)
    picture = torch.rand(1, 3, 32, 32)

    def changes():
        with torch.inference_mode():
            layers = network(picture)
        return layers.line_color, layers.flat - picture, layers.shadow - 1, layers.highlight

    first, *others = changes()
    assert all((first - other).abs().mean() > 0.1 for other in others)
    for identity in network.identity:
        torch.nn.init.constant_(identity, 0.5)
    first, *others = changes()
    for other in others:
        torch.testing.assert_close(other, first, atol=1e-4, rtol=0)


def test_the_second_stage_sees_the_line_of_the_first():
    network = SMALL["two-stage"]().eval()
    picture = torch.rand(1, 3, 32, 32)
    with torch.inference_mode():
        before = network(picture)
        network.line.heads[0].bias += 1.0
        after = network(picture)
    torch.testing.assert_close(after.line_alpha, before.line_alpha + 1)
    assert (after.flat - before.flat).abs().max() > 1e-4


def test_an_unknown_preset_is_refused():
    sentence = (
        "There is no decomposer preset 'vast'; known are embedded, identities, tiny, two-stage: choose one of them."
    )
    with pytest.raises(ModelUnavailableError, match=f"^{re.escape(sentence)}$"):
        build_decomposer("vast")


@pytest.mark.parametrize("name", DESIGNS)
def test_the_predictor_takes_any_size_and_depth(name):
    from celwright.pipelines.network import Predictor

    predict = Predictor(SMALL[name](), device="cpu")
    pixels = np.random.default_rng(0).integers(0, 256, (13, 41, 3), dtype=np.uint8)
    planes = predict(pixels)
    assert (planes.shape, planes.dtype) == ((13, 41, 13), np.float32)
    assert 0 <= planes.min() <= planes.max() <= 1
    np.testing.assert_allclose(predict(pixels.astype(np.uint16) * 257), planes, atol=1e-5)
