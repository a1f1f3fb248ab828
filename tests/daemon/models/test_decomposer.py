import re

import numpy as np
import pytest
import torch
from celwright.errors import ModelUnavailableError
from celwright.models.decomposer import CHANNELS, Layers, compose
from celwright.models.presets import build_decomposer


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)
    torch.manual_seed(0)


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
    multiplications = 0

    def count(module, inputs, output):
        nonlocal multiplications
        multiplications += module.weight.numel() * output.shape[2] * output.shape[3]

    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(count)
    with torch.inference_mode():
        network(torch.zeros(1, 3, 64, 64))
    assert multiplications / 64**2 < 350_000
    assert sum(p.numel() for p in network.parameters()) < 7e6


def test_an_unknown_preset_is_refused():
    sentence = "There is no decomposer preset 'vast'; known are embedded, tiny: choose one of them."
    with pytest.raises(ModelUnavailableError, match=f"^{re.escape(sentence)}$"):
        build_decomposer("vast")


def test_the_predictor_takes_any_size_and_depth():
    from celwright.pipelines.network import Predictor

    predict = Predictor(build_decomposer("tiny"), device="cpu")
    pixels = np.random.default_rng(0).integers(0, 256, (13, 41, 3), dtype=np.uint8)
    planes = predict(pixels)
    assert (planes.shape, planes.dtype) == ((13, 41, 13), np.float32)
    assert 0 <= planes.min() <= planes.max() <= 1
    np.testing.assert_allclose(predict(pixels.astype(np.uint16) * 257), planes, atol=1e-5)
