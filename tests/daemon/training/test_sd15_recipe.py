"""The recipe of SC-MILC on a Stable Diffusion: a tiny random checkpoint in the real layout, pictures of 64 pixels."""

import itertools
import json
from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from celwright.cli import main
from celwright.errors import ModelUnavailableError, WrongUsageError
from celwright.models.sd15.base import loaded_base
from celwright.models.sd15.parts import Parts, parts_in
from celwright.models.sd15.references import Instances
from celwright.training.five_tuples import five_tuples
from celwright.training.sd15 import recipe as sd15
from celwright.training.sd15.losses import color_loss, fitted_probe, gate_loss, structure_loss
from celwright.training.sd15.recipe import ScMilcOptions, Trainer, new_adapter, train
from celwright.training.sd15.samples import REFERENCES, batch_of, sample
from celwright.training.sd15.tiny import save_tiny_base
from PIL import Image
from safetensors.torch import load_file

SIDE = 64
RED, BLUE = (220, 60, 40, 255), (40, 80, 200, 255)


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny") / "base"
    save_tiny_base(folder)
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """One scene of two figures, a red disc and a blue box."""
    folder = tmp_path_factory.mktemp("data") / "one"
    folder.mkdir()
    flat, line = np.zeros((2, SIDE, SIDE, 4), np.uint8)
    cv2.circle(flat, (20, 32), 14, RED, -1)
    cv2.rectangle(flat, (40, 12), (60, 56), BLUE, -1)
    cv2.circle(line, (20, 32), 14, (0, 0, 0, 255), 2)
    cv2.rectangle(line, (40, 12), (60, 56), (0, 0, 0, 255), 2)
    for name, layer in {"composite": np.where(line[..., 3:] > 0, line, flat), "line": line, "flat": flat}.items():
        Image.fromarray(layer).save(folder / f"{name}.png")
    return folder.parent


def options(base, data, out, **changes):
    chosen = ScMilcOptions((data,), base, out, size=SIDE, width=8, half=False, checkpointing=False, learning_rate=1e-3)
    return replace(chosen, **changes)


def trainer(base, data, out, **changes):
    from accelerate import Accelerator

    chosen = options(base, data, out, **changes)
    pipeline = loaded_base(Parts(base), torch.float32)
    return Trainer(pipeline, new_adapter(pipeline.unet, chosen), chosen, Accelerator(cpu=True))


def weights(folder):
    return {path.name: load_file(path) for path in sorted(folder.rglob("*.safetensors"))}


def test_one_scene_can_be_overfitted(base, data, tmp_path):
    """At two noise levels at once, to under a tenth of what it began with and far under what knows no picture."""
    running = trainer(base, data, tmp_path / "out", freeze_base=False, learning_rate=1e-2, batch=2)
    batch, losses = running.batch(0), []
    for _ in range(55):
        loss = running.loss(batch, 0)
        running.accelerator.backward(loss)
        torch.nn.utils.clip_grad_norm_(running.learnt, 1.0)
        running.optimizer.step()
        running.optimizer.zero_grad()
        losses.append(loss.item())
    assert min(losses[-5:]) < 0.1 * losses[0]
    assert min(losses[-5:]) < 0.5  # an estimate of nothing at all is off by 1


def test_with_a_frozen_base_the_adapter_alone_learns_and_is_all_that_is_saved(base, data, tmp_path):
    before = weights(base)
    out = train(options(base, data, tmp_path / "out", steps=2))
    for name, tensors in weights(base).items():
        for key, value in tensors.items():
            assert torch.equal(value, before[name][key]), (name, key)
    assert sorted(path.name for path in out.iterdir()) == [".optimizer.pt", "scmilc.json", "scmilc.safetensors"]
    pipeline = loaded_base(Parts(base), torch.float32)
    fresh = new_adapter(pipeline.unet, options(base, data, out)).state_dict()
    moved = {key: not torch.equal(value, fresh[key]) for key, value in load_file(out / "scmilc.safetensors").items()}
    assert all(moved.values()), moved


def test_a_frozen_base_gets_no_gradient_and_a_thawed_one_gets_them(base, data, tmp_path):
    for freeze in (True, False):
        running = trainer(base, data, tmp_path / "out", freeze_base=freeze)
        running.accelerator.backward(running.loss(running.batch(0), 0))
        grads = [parameter.grad is not None for parameter in running.pipeline.unet.parameters()]
        assert any(grads) is not freeze
        assert not any(parameter.requires_grad for parameter in running.pipeline.vae.parameters())


def test_a_thawed_base_is_saved_beside_the_adapter_and_loaded_from_there(base, data, tmp_path):
    out = train(options(base, data, tmp_path / "out", steps=1, freeze_base=False))
    parts = parts_in("x", [base, out])
    assert parts.scmilc == out
    assert parts.weights()["unet"] == [out / "unet/diffusion_pytorch_model.safetensors"]
    loaded, old = (loaded_base(each, torch.float32).unet.state_dict() for each in (parts, Parts(base)))
    assert any(not torch.equal(loaded[key], old[key]) for key in old)


def test_a_resumed_run_is_the_run_that_was_never_stopped(base, data, tmp_path):
    whole = train(options(base, data, tmp_path / "whole", steps=4, freeze_base=False))
    train(options(base, data, tmp_path / "halves", steps=2, freeze_base=False))
    halves = train(options(base, data, tmp_path / "halves", steps=4, freeze_base=False, resume=True))
    one, other = weights(whole), weights(halves)
    assert one.keys() == other.keys() == {"scmilc.safetensors", "diffusion_pytorch_model.safetensors"}
    for name, tensors in one.items():
        for key, value in tensors.items():
            torch.testing.assert_close(other[name][key], value, rtol=1e-4, atol=1e-6)


def test_training_stops_by_the_clock_and_counts_what_went_before(base, data, tmp_path, monkeypatch):
    ticks = itertools.count()
    monkeypatch.setattr(sd15, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
    train(options(base, data, tmp_path / "out", minutes=0.2))
    first = torch.load(tmp_path / "out/.optimizer.pt", weights_only=True)
    assert 12 <= first["seconds"] < 16
    train(options(base, data, tmp_path / "out", minutes=0.4, resume=True))
    second = torch.load(tmp_path / "out/.optimizer.pt", weights_only=True)
    assert 24 <= second["seconds"] < 31
    assert second["step"] > first["step"] > 0


def test_half_precision_and_checkpointing_run_and_keep_what_is_learnt_in_full_precision(base, data, tmp_path):
    out = train(options(base, data, tmp_path / "out", steps=1, half=True, checkpointing=True))
    assert {value.dtype for value in load_file(out / "scmilc.safetensors").values()} == {torch.float32}
    told = json.loads((out / "scmilc.json").read_text())
    assert told == {"width": 8, "channels": [8, 8, 16, 16]}


def test_an_adapter_that_is_there_is_never_replaced_by_a_new_one(base, data, tmp_path):
    out = train(options(base, data, tmp_path / "out", steps=0))
    before = (out / "scmilc.safetensors").read_bytes()
    with pytest.raises(WrongUsageError) as fault:
        train(options(base, data, tmp_path / "out", steps=1, seed=1))
    assert str(fault.value) == (
        f"{out} holds an adapter already; go on with it by --resume, or name another folder by --out."
    )
    assert (out / "scmilc.safetensors").read_bytes() == before


def test_what_cannot_be_trained_on_is_refused(base, data, tmp_path):
    with pytest.raises(WrongUsageError) as fault:
        train(options(tmp_path, data, tmp_path / "out"))
    assert str(fault.value) == (
        f"{tmp_path} holds no diffusers model (it has no model_index.json); name the folder of a Stable Diffusion 1.5."
    )
    with pytest.raises(WrongUsageError) as fault:
        options(base, data, tmp_path, size=100)
    assert str(fault.value) == "The size of a training came as 100; a multiple of 64 pixels is needed."
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(WrongUsageError, match=r"^There is nothing to learn from in .*empty; "):
        train(options(base, empty, tmp_path / "out"))
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "scmilc.json").write_text("{}")
    with pytest.raises(ModelUnavailableError, match=r"broken holds no usable adapter \('width'\); "):
        train(options(base, data, broken, resume=True))


def test_the_command_trains_an_adapter(base, data, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["train", "colorizer", "--preset", "sd15-scmilc", "--out", str(out), "--minutes", "0"]
    code = main([*arguments, "--data", str(data), str(data), "--base", str(base), "--size", "64x64"])
    assert (code, capsys.readouterr().out.splitlines()[-1]) == (0, str(out))
    assert (out / "scmilc.json").is_file()
    assert not (out / "unet").exists()
    again = [*arguments, "--resume", "--freeze-base", "off", "--data", str(data), "--base", str(base)]
    assert main([*again, "--size", "64x64"]) == 2
    assert capsys.readouterr().err.endswith(
        f"celwright: {out} was trained with a frozen base; go on with --freeze-base on, or name another folder by "
        f"--out.\n"
    )
    again[5] = str(tmp_path / "thawed")
    assert main([*again, "--size", "64x64"]) == 0
    assert (tmp_path / "thawed/unet/config.json").is_file()
    capsys.readouterr()
    assert main(arguments) == 2
    assert capsys.readouterr().err == (
        "celwright: The preset sd15-scmilc needs pictures and a model; name them with --data and --base.\n"
    )
    assert main([*arguments, "--painted", "0.5"]) == 2
    assert capsys.readouterr().err == (
        "celwright: --painted is not for the preset sd15-scmilc, which has --learning-rate; leave it out.\n"
    )
    assert main([*arguments, "--data", str(data), "--base", str(base), "--size", "64x128"]) == 2
    assert capsys.readouterr().err == (
        "celwright: The size is '64x128'; the preset sd15-scmilc learns on squares, such as 512x512.\n"
    )


def test_references_show_one_figure_over_white_and_count_where_it_stands(data):
    (example,) = five_tuples(data)
    for seed in range(6):
        made = sample(example, np.random.default_rng(seed), SIDE)
        assert made["figures"].max() == 2
        for shown, mask, region in zip(made["references"], made["masks"], made["regions"], strict=True):
            assert (shown[:, mask[0] == 0] == 255).all()
            number = made["figures"][0][region[0] > 0]
            assert len(np.unique(number)) == 1
            # One figure's colour, as the target has it there: the brightest channel is the same.
            target = np.median(made["picture"][:, (region[0] > 0) & (made["ink"][0] == 0)], axis=1)
            inside = shown[:, (mask[0] > 0) & (shown.max(axis=0) > 100) & (shown.min(axis=0) < 100)]  # beside the lines
            assert inside.shape[1] > 10
            assert target.argmax() == np.median(inside, axis=1).argmax()


def test_another_picture_of_the_character_beside_the_layers_is_used_as_reference(data, tmp_path):
    import shutil

    shutil.copytree(data / "one", tmp_path / "one")
    view = np.zeros((30, 60, 4), np.uint8)
    view[5:25, 20:40] = (0, 200, 0, 255)
    Image.fromarray(view).save(tmp_path / "one/reference.png")
    (example,) = five_tuples(tmp_path)
    made = [sample(example, np.random.default_rng(seed), SIDE) for seed in range(8)]
    greens = [
        shown[:, mask[0] > 0] for each in made for shown, mask in zip(each["references"], each["masks"], strict=True)
    ]
    used = [sorted(np.median(colors, axis=1).tolist()) == [0, 0, 200] for colors in greens]
    assert any(used)
    assert not all(used)
    Image.fromarray(np.zeros_like(view)).save(tmp_path / "one/reference.png")
    from celwright.training.sd15 import samples as sd15_samples

    sd15_samples._view.cache_clear()
    with pytest.raises(WrongUsageError) as fault:
        sample(example, np.random.default_rng(0), SIDE)
    assert str(fault.value) == (
        f"The reference {tmp_path / 'one/reference.png'} is fully transparent; show the character in it or delete it."
    )


def test_a_page_without_figures_has_absent_references(tmp_path):
    folder = tmp_path / "blank"
    folder.mkdir()
    for name in ("composite", "line", "flat"):
        Image.fromarray(np.zeros((SIDE, SIDE, 4), np.uint8)).save(folder / f"{name}.png")
    made = sample(five_tuples(tmp_path)[0], np.random.default_rng(0), SIDE)
    assert made["masks"].shape == (REFERENCES, 1, SIDE, SIDE)
    assert not made["masks"].any()
    packed = batch_of([made, made])
    assert packed["references"].shape == (2, REFERENCES, 3, SIDE, SIDE)
    assert packed["picture"].min() == packed["picture"].max() == 1


def test_a_batch_depends_on_its_step_alone(base, data, tmp_path):
    running = trainer(base, data, tmp_path / "out", batch=2)
    one, again, other = (running.batch(step) for step in (3, 3, 4))
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)


def test_the_probe_reads_what_is_linear_in_the_latents():
    pictures = torch.rand(3, 3, 32, 32)
    small = torch.nn.functional.avg_pool2d(pictures, 4)
    latents = torch.nn.functional.pixel_unshuffle(small, 2) * 3 - 1
    torch.testing.assert_close(fitted_probe(latents, pictures)(latents), small, atol=1e-4, rtol=0)


def test_losses_are_zero_for_the_truth_and_say_what_is_wrong():
    truth = torch.rand(1, 3, 16, 16)
    figures = torch.zeros(1, 1, 16, 16)
    figures[..., 8:] = 1
    assert structure_loss(truth, truth) == color_loss(truth, truth, figures) == 0
    darker = truth.clone()
    darker[..., 8:] -= 0.2  # of one of two figures, so the mean of 0 and 0.04
    torch.testing.assert_close(color_loss(darker, truth, figures), torch.tensor(0.02))
    assert structure_loss(truth - 0.2, truth) < 1e-10
    gates, reach = torch.full((1, 2, 4, 2, 2), 0.5), torch.ones(1, 2, 2, 2)
    assert gate_loss(Instances(gates, gates, reach)) == 0
    gates[:, 1] = 0.9
    torch.testing.assert_close(gate_loss(Instances(gates, gates, reach)), torch.tensor(0.08))
    reach[:, 1] = 0
    assert gate_loss(Instances(gates, gates, reach)) == 0
