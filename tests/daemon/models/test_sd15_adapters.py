"""SC-MILC's additions to a Stable Diffusion 1.5, on a tiny random checkpoint in the real layout on disk."""

import json
import math
from dataclasses import replace

import pytest
import torch
from celwright.errors import ModelUnavailableError, WrongUsageError
from celwright.models.sd15 import parts as sd15_parts
from celwright.models.sd15.adapters import Denoiser, ScMilc, Told, load_adapter, save_adapter
from celwright.models.sd15.base import NEGATIVE, PROMPT, decoded, encoded, encoded_prompts, loaded_base
from celwright.models.sd15.parts import parts_in
from celwright.models.sd15.references import InstanceFeatures
from celwright.models.sd15.structure import edge_map, normalized, per_cell, self_attentions
from celwright.training.sd15.tiny import save_tiny_base, save_tiny_controlnet, save_tiny_ip_adapter, save_tiny_update

SIDE, CELLS, WIDTH = 64, 8, 12


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    torch.set_num_threads(1)
    place = tmp_path_factory.mktemp("tiny")
    save_tiny_base(place / "base")
    return place


@pytest.fixture(scope="module")
def pipeline(folder):
    return loaded_base(parts_in("tiny", [folder / "base"]), torch.float32)


@pytest.fixture
def unet(folder):
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel.from_pretrained(folder / "base/unet").eval().requires_grad_(False)


@pytest.fixture(scope="module")
def prompt(pipeline):
    return encoded_prompts(pipeline, "cpu")[0]


def disturbed(adapter):
    """As after some training: everything does something."""
    for parameter in adapter.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return adapter


def told(prompt, seed=1, references=2):
    """A drawn angle; the first reference counts in the left half, the second in the right, none at the top."""
    random = torch.Generator().manual_seed(seed)
    line = torch.zeros(1, 1, SIDE, SIDE)
    line[..., 8:56, 20] = line[..., 50, 20:40] = 1
    regions = torch.zeros(1, references, 1, SIDE, SIDE)
    regions[:, 0, :, :, : SIDE // 2] = 1
    regions[:, 1:, :, :, SIDE // 2 :] = 1
    regions[..., :8, :] = 0
    latents = torch.randn(1, references, 4, CELLS, CELLS, generator=random)
    masks = torch.zeros(1, references, 1, SIDE, SIDE)
    masks[..., 8:56, 8:40] = 1
    return Told(line, torch.randn(1, 4, CELLS, CELLS, generator=random), latents, masks, regions, prompt)


def noisy():
    return torch.randn(1, 4, CELLS, CELLS, generator=torch.Generator().manual_seed(7))


def answer(unet, prompt):
    return unet(noisy(), torch.tensor(500), prompt, return_dict=False)[0]


def test_edges_stand_where_ink_begins_and_nowhere_else():
    ink = torch.zeros(1, 1, 8, 8)
    assert not edge_map(ink).any()
    ink[..., 4:] = 1
    edges = edge_map(ink)
    assert (edges[..., 3:5] == 1).all()
    assert not edges[..., :3].any()
    assert not edges[..., 5:].any()


def test_a_thin_line_keeps_its_strength_in_its_latent_cell():
    ink = torch.zeros(1, 1, 64, 64)
    ink[..., 9] = 1
    cells = per_cell(edge_map(ink), 8, 8)
    assert (cells[..., 1] == 1).all()
    assert not cells[..., 2:].any()


def test_normalized_edges_have_no_mean_and_unit_variance_and_an_empty_page_has_no_bias():
    edges = torch.rand(2, 1, 8, 8)
    torch.testing.assert_close(normalized(edges).mean(1), torch.zeros(2), atol=1e-6, rtol=0)
    torch.testing.assert_close(normalized(edges).var(1, correction=0), torch.ones(2), atol=1e-3, rtol=0)
    assert not normalized(torch.zeros(1, 1, 4, 4)).any()


@torch.no_grad()
def test_an_adapter_that_was_told_nothing_leaves_the_base_as_it_is(unet, prompt):
    before = answer(unet, prompt)
    disturbed(ScMilc(unet, WIDTH)).attach(unet)
    torch.testing.assert_close(answer(unet, prompt), before, rtol=0, atol=0)


@torch.no_grad()
def test_with_all_its_strengths_at_zero_the_adapters_own_attention_is_diffusers(unet, prompt):
    before = answer(unet, prompt)
    adapter = ScMilc(unet, WIDTH)
    torch.nn.init.zeros_(adapter.guidance.gamma)
    for layer in adapter.inward:
        torch.nn.init.zeros_(layer.weight)
    adapter.attach(unet)
    adapter.tell(adapter.prepare(unet, told(prompt))[0])
    torch.testing.assert_close(answer(unet, prompt), before, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_self_attention_is_biased_by_gamma_times_normalized_edges(unet, prompt):
    """Equation 20, written out."""
    adapter = ScMilc(unet, WIDTH)
    adapter.guidance.gamma.copy_(torch.linspace(0.5, 2, len(adapter.guidance.gamma)))
    adapter.attach(unet)
    levels = adapter.prepare(unet, told(prompt))[0]
    adapter.tell(levels)
    attention = self_attentions(unet)[1]
    x = torch.randn(1, 16, attention.to_q.in_features)
    q, k, v = (part(x).view(16, attention.heads, -1).transpose(0, 1) for part in
               (attention.to_q, attention.to_k, attention.to_v))  # fmt: skip
    bias = adapter.guidance.gamma[1] * normalized(levels[4, 4].edges)
    weights = torch.softmax(q @ k.transpose(1, 2) / math.sqrt(q.shape[-1]) + bias[:, None], -1)
    wanted = attention.to_out[0]((weights @ v).transpose(0, 1).reshape(1, 16, -1))
    torch.testing.assert_close(attention(x), wanted, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_features_are_multiplied_by_one_and_alpha_times_the_edges(unet, prompt):
    adapter = ScMilc(unet, WIDTH)
    torch.nn.init.constant_(adapter.guidance.alpha, 0.5)
    levels = adapter.prepare(unet, told(prompt))[0]
    adapter.tell(levels)
    features = torch.randn(1, 3, CELLS, CELLS)
    torch.testing.assert_close(adapter.guidance.modulated(0, features), features * (1 + 0.5 * levels[8, 8].edges))


def test_gradients_reach_everything_new_and_nothing_of_the_base(unet, prompt):
    adapter = ScMilc(unet, WIDTH)
    network = Denoiser(unet, adapter)
    found, _ = network(noisy(), torch.tensor([500]), told(prompt))
    found.square().mean().backward()
    for name, parameter in adapter.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name
    assert (adapter.guidance.gamma.grad != 0).sum() >= len(
        adapter.guidance.gamma
    ) - 1  # the middle's one position has no choice
    assert (adapter.guidance.alpha.grad != 0).all()
    assert all(parameter.grad is None for parameter in unet.parameters())


@torch.no_grad()
def test_what_a_reference_shows_changes_nothing_outside_its_region(unet, prompt):
    adapter = disturbed(ScMilc(unet, WIDTH))
    one, other = told(prompt), told(prompt)
    other.references[:, 1] += 1
    before, after = adapter.prepare(unet, one)[0], adapter.prepare(unet, other)[0]
    for size in before:
        change = (before[size].condition - after[size].condition).abs().amax((0, 1))
        middle = size[1] // 2
        assert change[:, middle:].max() > 1e-3
        if middle:  # the smallest size is a single cell
            assert change[:, :middle].max() < 1e-6


@torch.no_grad()
def test_where_every_reference_counts_everywhere_the_global_feature_is_the_papers_mean(unet):
    """Equations 25 to 28 with gates shut: what is left is N times the mean of the pooled features."""
    features = disturbed(InstanceFeatures(16, WIDTH))
    torch.nn.init.constant_(features.overall_gate.bias, -1e4)
    target, shown = torch.randn(1, 16, CELLS, CELLS), torch.randn(1, 3, 16, CELLS, CELLS)
    latents, everywhere = torch.randn(1, 3, 4, CELLS, CELLS), torch.ones(1, 3, 1, SIDE, SIDE)
    pooled = features.encode(torch.cat([shown[0], latents[0]], 1)).mean((2, 3)).mean(0)
    fused = features(target, latents, shown, everywhere, everywhere).fused
    torch.testing.assert_close(fused, (3 * pooled)[None, :, None, None].expand_as(fused), rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_without_references_their_content_does_not_matter_and_absence_is_told(unet, prompt):
    adapter = disturbed(ScMilc(unet, WIDTH))
    gone = [adapter.prepare(unet, told(prompt).without_references())[1].fused]
    changed = replace(told(prompt), references=torch.randn(1, 2, 4, CELLS, CELLS)).without_references()
    gone.append(adapter.prepare(unet, changed)[1].fused)
    torch.testing.assert_close(gone[0], gone[1], rtol=0, atol=0)
    torch.testing.assert_close(gone[0], adapter.instances.absent[None].expand_as(gone[0]))


@torch.no_grad()
def test_a_saved_adapter_answers_alike_when_loaded(unet, folder, prompt, tmp_path):
    adapter, bare = disturbed(ScMilc(unet, WIDTH)), answer(unet, prompt)
    save_adapter(tmp_path, adapter)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scmilc.json", "scmilc.safetensors"]
    network = Denoiser(unet, adapter)
    before = network(noisy(), torch.tensor([500]), told(prompt))[0]
    from diffusers import UNet2DConditionModel

    fresh = UNet2DConditionModel.from_pretrained(folder / "base/unet").eval()
    after = Denoiser(fresh, load_adapter(tmp_path, fresh))(noisy(), torch.tensor([500]), told(prompt))[0]
    torch.testing.assert_close(after, before, rtol=0, atol=0)
    assert not torch.allclose(before, bare, atol=0.01)


def test_an_adapter_of_another_base_is_refused(unet, tmp_path):
    save_adapter(tmp_path, ScMilc(unet, WIDTH))
    facts = json.loads((tmp_path / "scmilc.json").read_text())
    (tmp_path / "scmilc.json").write_text(json.dumps(facts | {"channels": [320, 640], "width": 8}))
    with pytest.raises(ModelUnavailableError) as fault:
        load_adapter(tmp_path, unet)
    assert str(fault.value) == (
        f"The adapter {tmp_path} was trained on another base (of [320, 640] channels) than this one (of [8, 8, 16, "
        f"16]); choose the base it was trained on."
    )


def test_a_folder_without_an_adapter_is_refused(unet, tmp_path):
    with pytest.raises(ModelUnavailableError) as fault:
        load_adapter(tmp_path, unet)
    assert str(fault.value) == (
        f"{tmp_path} holds no usable adapter ([Errno 2] No such file or directory: '{tmp_path / 'scmilc.json'}'); "
        f"scmilc.safetensors and scmilc.json are needed: get or train it again."
    )


def test_parts_are_known_by_what_they_are_and_not_by_their_names(folder, tmp_path):
    save_tiny_controlnet(tmp_path / "one", folder / "base")
    save_tiny_ip_adapter(tmp_path / "two", folder / "base")
    save_tiny_update(tmp_path / "three", folder / "base")
    parts = parts_in("all", [folder / "base", tmp_path / "one", tmp_path / "two", tmp_path / "three"])
    assert (parts.base, parts.controlnet, parts.image_encoder) == (folder / "base", tmp_path / "one", tmp_path / "two")
    assert parts.ip_adapter == tmp_path / "two/ip-adapter_sd15.safetensors"
    assert parts.update == tmp_path / "three/pytorch_lora_weights.safetensors"
    assert set(parts.weights()) == {
        "text_encoder", "unet", "vae", "controlnet", "image_encoder", "ip_adapter", "update",
    }  # fmt: skip
    assert parts.weights()["image_encoder"] == [tmp_path / "two/model.safetensors"]
    with pytest.raises(WrongUsageError) as fault:
        parts_in("twice", [folder / "base", tmp_path / "one", tmp_path])
    assert str(fault.value) == (
        f"The model 'twice' has two ControlNets, {tmp_path / 'one'} and {tmp_path / 'one'}; leave one out."
    )
    with pytest.raises(WrongUsageError) as fault:
        parts_in("lines", [tmp_path / "one"])
    assert str(fault.value) == (
        "The model 'lines' has no base (a diffusers folder with model_index.json), only: ControlNet; put the name of a "
        "Stable Diffusion 1.5 in front: BASE+lines."
    )


def test_of_two_precisions_the_whole_one_is_loaded_and_half_where_it_is_alone(folder, tmp_path):
    import shutil

    place = tmp_path / "unet"
    shutil.copytree(folder / "base/unet", place)
    half = place / "diffusion_pytorch_model.fp16.safetensors"
    shutil.copy(place / "diffusion_pytorch_model.safetensors", half)
    assert sd15_parts.weight_files(place) == [place / "diffusion_pytorch_model.safetensors"]
    assert sd15_parts.variant(place) is None
    (place / "diffusion_pytorch_model.safetensors").unlink()
    assert sd15_parts.weight_files(place) == [half]
    assert sd15_parts.variant(place) == "fp16"


def test_a_model_of_another_kind_is_refused(folder, tmp_path):
    import shutil

    shutil.copytree(folder / "base", tmp_path / "base")
    path = tmp_path / "base/scheduler/scheduler_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"prediction_type": "v_prediction"}))
    with pytest.raises(ModelUnavailableError) as fault:
        loaded_base(parts_in("base", [tmp_path / "base"]), torch.float32)
    assert str(fault.value) == (
        f"{tmp_path / 'base'} is no Stable Diffusion 1.5 (its UNet takes 4 channels and predicts v_prediction; 4 and "
        f"epsilon are needed): choose another base."
    )


def test_pictures_become_latents_of_an_eighth_and_prompts_are_the_fixed_ones(pipeline):
    latents = encoded(pipeline, torch.rand(2, 3, 64, 128))
    assert latents.shape == (2, 4, 8, 16)
    pictures = decoded(pipeline, latents)
    assert pictures.shape == (2, 3, 64, 128)
    assert 0 <= pictures.min() <= pictures.max() <= 1
    prompt, negative = encoded_prompts(pipeline, "cpu")
    wanted = pipeline.encode_prompt(PROMPT, "cpu", 1, True, NEGATIVE)
    torch.testing.assert_close((prompt, negative), tuple(wanted), rtol=0, atol=0)
