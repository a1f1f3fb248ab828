import json
import re

import pytest
import torch
from celwright.errors import ModelUnavailableError
from celwright.models.autoencoder import Autoencoder
from celwright.models.presets import build_autoencoder
from safetensors.torch import load_file, save_file


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)
    torch.manual_seed(0)


@pytest.fixture
def network():
    return build_autoencoder("tiny").eval()


def test_latents_have_an_eighth_of_the_side_and_pictures_come_back_as_large_as_they_were(network):
    picture = torch.rand(2, 4, 48, 64)
    latents = network.encode(picture).latent_dist
    assert latents.mean.shape == latents.logvar.shape == (2, 4, 6, 8)
    assert network.decode(latents.mode()).sample.shape == (2, 4, 48, 64)


def test_the_colour_under_alpha_zero_does_not_count(network):
    picture = torch.rand(1, 4, 32, 32)
    picture[:, 3, :, 16:] = 0
    other = picture.clone()
    other[:, :3, :, 16:] = torch.rand(1, 3, 32, 16)
    torch.testing.assert_close(
        network.encode(picture).latent_dist.mode(), network.encode(other).latent_dist.mode(), atol=0, rtol=0
    )


def test_a_crop_has_the_latents_of_the_whole(network):
    picture = torch.rand(1, 4, 64, 192)
    whole, part = (network.encode(p).latent_dist.mode() for p in (picture, picture[..., 64:]))
    torch.testing.assert_close(whole[..., 12:], part[..., 4:], atol=1e-5, rtol=0)


def test_standardizing_gives_unit_channels_and_the_same_pictures(network):
    picture = torch.rand(4, 4, 32, 32)
    with torch.no_grad():
        before, latents = network(picture)
        values = latents.mean.transpose(0, 1).flatten(1)
        network.standardize(values.mean(1), values.std(1))
        after, latents = network(picture)
    values = latents.mean.transpose(0, 1).flatten(1)
    torch.testing.assert_close(values.mean(1), torch.zeros(4), atol=1e-4, rtol=0)
    torch.testing.assert_close(values.std(1), torch.ones(4), atol=1e-4, rtol=0)
    torch.testing.assert_close(after, before, atol=1e-4, rtol=0)


def test_standardizing_scales_the_spread_of_samples_too(network):
    picture = torch.rand(1, 4, 32, 32)
    scale = torch.tensor([0.5, 2.0, 1.0, 4.0])
    with torch.no_grad():
        before = network.encode(picture).latent_dist
        network.standardize(torch.zeros(4), scale)
        after = network.encode(picture).latent_dist
    wanted = torch.exp(0.5 * before.logvar) / scale.view(1, 4, 1, 1)
    torch.testing.assert_close(torch.exp(0.5 * after.logvar), wanted)


def test_the_divergence_is_zero_for_the_standard_normal_and_grows_with_the_mean(network):
    latents = network.encode(torch.rand(1, 4, 16, 16)).latent_dist
    zeros = torch.zeros_like(latents.mean)
    assert latents._replace(mean=zeros, logvar=zeros).kl().item() == 0
    assert latents._replace(mean=zeros + 3, logvar=zeros).kl().item() == pytest.approx(4.5 * zeros.numel())


def test_samples_repeat_with_their_generator(network):
    latents = network.encode(torch.rand(1, 4, 16, 16)).latent_dist
    one, same, other = (latents.sample(torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    torch.testing.assert_close(one, same, atol=0, rtol=0)
    assert not torch.equal(one, other)


def test_what_was_saved_comes_back_equal(network, tmp_path):
    network.save_pretrained(tmp_path / "autoencoder")
    back = Autoencoder.from_pretrained(tmp_path / "autoencoder")
    assert back.config == network.config
    picture = torch.rand(1, 4, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(back(picture)[0], network(picture)[0], atol=0, rtol=0)
    assert json.loads((tmp_path / "autoencoder/config.json").read_text())["scaling_factor"] == 1.0
    assert sorted(path.name for path in (tmp_path / "autoencoder").iterdir()) == [
        "config.json", "diffusion_pytorch_model.safetensors",
    ]  # fmt: skip


def test_half_precision_weights_load(network, tmp_path):
    network.save_pretrained(tmp_path)
    file = tmp_path / "diffusion_pytorch_model.safetensors"
    save_file({key: value.half() for key, value in load_file(file).items()}, file)
    assert next(Autoencoder.from_pretrained(tmp_path).parameters()).dtype == torch.float32


def test_a_folder_without_autoencoder_is_refused(tmp_path):
    sentence = (
        f"{tmp_path} holds no autoencoder (No such file or directory); config.json and "
        f"diffusion_pytorch_model.safetensors are needed: name a folder that a training wrote."
    )
    with pytest.raises(ModelUnavailableError, match=f"^{re.escape(sentence)}$"):
        Autoencoder.from_pretrained(tmp_path)


def test_gradients_reach_every_parameter(network):
    picture, latents = network(torch.rand(1, 4, 32, 32), sample=True)
    (picture.square().mean() + latents.kl().mean()).backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_the_embedded_network_stays_within_its_budget():
    assert sum(p.numel() for p in build_autoencoder("embedded").parameters()) <= 4e6


def test_an_unknown_preset_is_refused():
    sentence = "There is no autoencoder preset 'vast'; known are embedded, tiny: choose one of them."
    with pytest.raises(ModelUnavailableError, match=f"^{re.escape(sentence)}$"):
        build_autoencoder("vast")
