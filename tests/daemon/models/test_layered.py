"""Layer identities and low-rank updates, on a tiny random transformer of Qwen-Image-Layered's kind."""

import json

import pytest
import torch
from celwright.errors import ModelUnavailableError, UnusableInputError
from celwright.models import layered
from celwright.models.layered import LAYERS, SEGMENTS, LayerSemanticEmbedding, add_updates, load_adapter, save_adapter

torch.set_num_threads(1)


def tiny(seed=0, width=32, blocks=2):
    from diffusers import QwenImageTransformer2DModel

    torch.manual_seed(seed)
    return QwenImageTransformer2DModel(
        in_channels=16, out_channels=4, num_layers=blocks, attention_head_dim=32, num_attention_heads=width // 32,
        joint_attention_dim=8, axes_dims_rope=(8, 12, 12), use_additional_t_cond=True, use_layer3d_rope=True,
    )  # fmt: skip


def answer(transformer, seed=1):
    random = torch.Generator().manual_seed(seed)
    return transformer(
        hidden_states=torch.randn(1, SEGMENTS * 4, 16, generator=random),
        timestep=torch.tensor([0.5]),
        encoder_hidden_states=torch.randn(1, 3, 8, generator=random),
        img_shapes=[[(1, 2, 2)] * SEGMENTS],
        additional_t_cond=torch.zeros(1, dtype=torch.long),
        return_dict=False,
    )[0]


def disturbed(transformer):
    """As after some training: updates that do something."""
    for name, parameter in transformer.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    return transformer


def test_each_layers_tokens_get_its_own_row_and_composite_and_condition_none():
    identity = LayerSemanticEmbedding(5)
    tokens = torch.randn(2, SEGMENTS * 3, 5)
    added = (identity(tokens) - tokens).view(2, SEGMENTS, 3, 5)
    assert not added[:, 0].any()
    assert not added[:, -1].any()
    for place in range(len(LAYERS)):
        torch.testing.assert_close(added[:, 1 + place], identity.rows[place].expand(2, 3, 5))


def test_rows_start_as_normal_noise_of_deviation_a_fiftieth():
    torch.manual_seed(0)
    rows = LayerSemanticEmbedding(5000).rows
    assert rows.shape == (4, 5000)
    assert rows.mean().item() == pytest.approx(0, abs=1e-3)
    assert rows.std().item() == pytest.approx(0.02, rel=0.02)


def test_rows_follow_the_tokens_number_format():
    tokens = torch.zeros(1, SEGMENTS, 8, dtype=torch.bfloat16)
    assert LayerSemanticEmbedding(8)(tokens).dtype == torch.bfloat16


def test_tokens_that_are_no_whole_segments_are_refused():
    with pytest.raises(ValueError, match=r"^7 tokens are not 6 segments of one length\.$"):
        LayerSemanticEmbedding(2)(torch.zeros(1, 7, 2))


def test_an_attached_identity_changes_the_answer_until_it_is_taken_off():
    transformer = tiny().eval()
    before = answer(transformer)
    with LayerSemanticEmbedding(32).attach(transformer):
        assert not torch.equal(answer(transformer), before)
    torch.testing.assert_close(answer(transformer), before, rtol=0, atol=0)


def test_updates_change_nothing_before_they_are_trained():
    transformer = tiny().eval()
    before = answer(transformer)
    add_updates(transformer, 4)
    torch.testing.assert_close(answer(transformer), before, rtol=0, atol=0)


def test_gradients_reach_every_update_and_row_and_nothing_else():
    transformer = tiny()
    add_updates(disturbed(transformer), 4)
    disturbed(transformer)
    identity = LayerSemanticEmbedding(32)
    identity.attach(transformer)
    answer(transformer).square().mean().backward()
    for name, parameter in transformer.named_parameters():
        if "lora_" in name:
            assert parameter.grad is not None, name
            assert parameter.grad.abs().sum() > 0, name
        else:
            assert parameter.grad is None, name
    assert (identity.rows.grad.abs().sum(1) > 0).all()


def test_rank_and_places_are_the_papers():
    transformer = tiny()
    add_updates(transformer)
    shapes = {name: parameter.shape for name, parameter in transformer.named_parameters() if "lora_A" in name}
    assert {shape[0] for shape in shapes.values()} == {32}
    assert len(shapes) == 2 * 8 - 2  # the last block's text goes nowhere
    assert sum(1 for _ in layered.updates(transformer)) == 2 * len(shapes)


def test_a_saved_adapter_loads_on_the_base_and_answers_alike(tmp_path):
    transformer = tiny().eval()
    add_updates(transformer, 4)
    identity = LayerSemanticEmbedding(32)
    identity.attach(disturbed(transformer))
    save_adapter(tmp_path, transformer, identity)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "layered.json", "lse.safetensors", "pytorch_lora_weights.safetensors",
    ]  # fmt: skip
    facts = json.loads((tmp_path / "layered.json").read_text())
    assert (facts["rank"], facts["layers"]) == (4, ["line", "flat", "light", "shadow"])

    fresh = tiny().eval()
    loaded = load_adapter(tmp_path, fresh)
    loaded.attach(fresh)
    torch.testing.assert_close(answer(fresh), answer(transformer), rtol=0, atol=1e-6)


def test_the_saved_updates_are_what_diffusers_loads_by_itself(tmp_path):
    transformer = tiny().eval()
    add_updates(transformer, 4)
    save_adapter(tmp_path, disturbed(transformer), None)
    fresh = tiny().eval()
    fresh.load_lora_adapter(
        tmp_path, prefix="transformer", use_safetensors=True, weight_name="pytorch_lora_weights.safetensors"
    )
    torch.testing.assert_close(answer(fresh), answer(transformer), rtol=0, atol=1e-6)
    assert load_adapter(tmp_path, tiny()) is None  # saved without identities


def test_a_loaded_adapter_can_be_trained_on(tmp_path):
    transformer = tiny()
    add_updates(transformer, 4)
    save_adapter(tmp_path, transformer, LayerSemanticEmbedding(32))
    fresh = tiny()
    load_adapter(tmp_path, fresh, trainable=True)
    named = fresh.named_parameters()
    assert all(parameter.requires_grad == ("lora_" in name) for name, parameter in named)


def test_an_adapter_of_another_base_is_refused(tmp_path):
    transformer = tiny(width=64)
    add_updates(transformer, 4)
    save_adapter(tmp_path, transformer, LayerSemanticEmbedding(64))
    with pytest.raises(ModelUnavailableError) as fault:
        load_adapter(tmp_path, tiny())
    assert str(fault.value) == (
        f"The adapter {tmp_path} was trained on another base than this one, which has 32 channels; choose the base it "
        f"was trained on."
    )


def test_a_folder_without_an_adapter_is_refused(tmp_path):
    with pytest.raises(ModelUnavailableError) as fault:
        load_adapter(tmp_path, tiny())
    assert str(fault.value) == (
        f"{tmp_path} holds no usable adapter ([Errno 2] No such file or directory: '{tmp_path / 'layered.json'}'); "
        f"pytorch_lora_weights.safetensors, lse.safetensors and layered.json are needed: get or train it again."
    )


def test_an_adapter_for_other_layers_is_refused(tmp_path):
    transformer = tiny()
    add_updates(transformer, 4)
    save_adapter(tmp_path, transformer, None)
    facts = json.loads((tmp_path / "layered.json").read_text())
    (tmp_path / "layered.json").write_text(json.dumps(facts | {"layers": ["sky", "sea"]}))
    with pytest.raises(UnusableInputError) as fault:
        load_adapter(tmp_path, tiny())
    assert str(fault.value) == (
        f"The adapter {tmp_path} makes the layers sky, sea; line, flat, light, shadow are needed: choose another."
    )


def test_what_is_missing_for_full_size_models_is_named(monkeypatch):
    monkeypatch.setattr(layered, "find_spec", lambda name: None if name == "peft" else object())
    with pytest.raises(ModelUnavailableError, match=r"^Full-size models need peft, which is not installed; install "):
        layered.require_full()
    monkeypatch.setattr(layered, "find_spec", lambda name: None)
    with pytest.raises(ModelUnavailableError) as fault:
        layered.require_full()
    assert str(fault.value) == (
        "Full-size models need transformers and peft and accelerate, which are not installed; install celwright[full]."
    )
