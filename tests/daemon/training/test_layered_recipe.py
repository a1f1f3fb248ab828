"""The recipe of the paper's decomposer on a tiny checkpoint in the real layout, with a picture of 8x8 pixels."""

import itertools
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from celwright.cli import main
from celwright.errors import WrongUsageError
from celwright.evaluation.metrics import over_white
from celwright.models.layered import load_adapter
from celwright.models.layered_tokens import encoded_prompt
from celwright.pipelines.decompose.layered_planes import ResultLayers, recomposed
from celwright.training import layered, layered_ablation
from celwright.training.layered import LayeredOptions, loaded_base, rate, train
from celwright.training.layered_ablation import Row, local_mean_squared_error, table, taken_apart
from celwright.training.layered_tiny import save_tiny
from celwright.training.scenes import scene
from PIL import Image

SIDE = 8


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny") / "base"
    save_tiny(folder)
    return folder


def five_layers():
    """(5, 8, 8, 4): two flats, an upright and a level line, a shadow on the right, a light in the corner."""
    flat = np.ones((SIDE, SIDE, 4), np.float32)
    flat[:4, :, :3], flat[4:, :, :3] = (0.9, 0.7, 0.6), (0.3, 0.5, 0.8)
    line, shadow, light = (np.zeros((SIDE, SIDE, 4), np.float32) for _ in range(3))
    line[:, 2:4] = line[4:6] = 0.15, 0.1, 0.2, 1
    shadow[:, 6:, :3], shadow[:, 6:, 3] = flat[:, 6:, :3] * (0.7, 0.6, 0.75), 1
    light[:2, :2] = 1, 0.97, 0.9, 1
    layers = ResultLayers(line, flat, light, shadow)
    return np.stack([recomposed(layers), *layers]).astype(np.float32)


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data" / "one"
    folder.mkdir(parents=True)
    for name, layer in zip(("composite", "line", "flat", "highlight", "shadow"), five_layers(), strict=True):
        Image.fromarray(np.round(layer * 255).astype(np.uint8)).save(folder / f"{name}.png")
    return folder.parent


def options(base, data, out, **changes):
    small = LayeredOptions(data, base, out, width=SIDE, height=SIDE, half=False, rank=4, learning_rate=1e-3, batch=2)
    return replace(small, **changes)


def as_tensor(pictures):
    return torch.from_numpy(pictures).permute(0, 3, 1, 2) * 2 - 1


def test_the_tiny_autoencoder_hands_pictures_through(base):
    from celwright.models.layered_tokens import decoded, encoded

    pipeline = loaded_base(base, torch.float32)
    pictures = as_tensor(five_layers())
    latents = encoded(pipeline, pictures)
    torch.testing.assert_close(latents[:, :, 0], pictures, rtol=0, atol=2e-3)
    torch.testing.assert_close(decoded(pipeline, latents), pictures, rtol=0, atol=2e-3)


def test_the_target_is_what_leads_from_noise_to_picture_in_diffusers_convention(base):
    """Euler steps along x1 - x0 by diffusers' own scheduler end at x0, from whatever noise x1."""
    scheduler = loaded_base(base, torch.float32).scheduler
    x0, x1 = torch.randn(2, 1, 6, 4, generator=torch.Generator().manual_seed(0))
    scheduler.set_timesteps(sigmas=np.linspace(1, 0, 6)[:-1], mu=0.5)
    x = x1
    for time in scheduler.timesteps:
        x = scheduler.step(x1 - x0, time, x, return_dict=False)[0]
    torch.testing.assert_close(x, x0)


def test_training_stops_by_the_clock_resumes_where_it_was_and_saves_what_it_has(base, data, tmp_path, monkeypatch):
    ticks = itertools.count()
    monkeypatch.setattr(layered, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
    chosen = options(base, data, tmp_path / "out", minutes=0.2)
    train(chosen)
    first = torch.load(tmp_path / "out/.optimizer.pt", weights_only=True)
    assert 12 <= first["seconds"] < 15
    train(replace(chosen, minutes=0.4, resume=True))
    second = torch.load(tmp_path / "out/.optimizer.pt", weights_only=True)
    assert 24 <= second["seconds"] < 30
    assert second["step"] > first["step"] > 0


def test_a_resumed_run_is_the_run_that_was_never_stopped(base, data, tmp_path):
    whole = train(options(base, data, tmp_path / "whole", steps=4))
    train(options(base, data, tmp_path / "halves", steps=2))
    halves = train(options(base, data, tmp_path / "halves", steps=4, resume=True))
    for name in ("pytorch_lora_weights.safetensors", "lse.safetensors"):
        from safetensors.torch import load_file

        one, other = (load_file(folder / name) for folder in (whole, halves))
        assert one.keys() == other.keys()
        for key, value in one.items():
            torch.testing.assert_close(other[key], value, rtol=1e-4, atol=1e-6)


def test_the_learning_rate_rises_over_the_first_steps_and_falls_to_nothing_over_the_last_share(tmp_path):
    chosen = LayeredOptions(tmp_path, tmp_path, tmp_path, learning_rate=8.0, warm_up=4, decay=0.5)
    assert [rate(chosen, step, 0.0) for step in range(6)] == [2, 4, 6, 8, 8, 8]
    assert [rate(chosen, 100, over) for over in (0.5, 0.625, 0.75, 1.0)] == [8, 6, 4, 0]
    assert rate(replace(chosen, warm_up=0, decay=0.0), 0, 1.0) == 8  # the paper's one rate


def test_an_adapter_that_is_there_is_never_replaced_by_a_new_one(base, data, tmp_path):
    chosen = options(base, data, tmp_path / "out", steps=1)
    there = train(chosen) / "pytorch_lora_weights.safetensors"
    before = there.read_bytes()
    with pytest.raises(WrongUsageError) as fault:
        train(replace(chosen, seed=1))
    assert str(fault.value) == (
        f"{tmp_path / 'out'} holds an adapter already; go on with it by --resume, or name another folder by --out."
    )
    assert there.read_bytes() == before


def test_half_precision_and_checkpointing_leave_the_base_alone_and_move_what_is_learnt(base, data, tmp_path):
    before = {path: path.read_bytes() for path in base.rglob("*.safetensors")}
    out = train(options(base, data, tmp_path / "out", steps=2, half=True, checkpointing=True, batch=1))
    assert before == {path: path.read_bytes() for path in base.rglob("*.safetensors")}
    transformer = loaded_base(base, torch.float32).transformer
    identity = load_adapter(out, transformer)
    assert identity.rows.dtype == torch.float32
    moved = [p.abs().sum() > 0 for name, p in transformer.named_parameters() if "to_out.0.lora_B" in name]
    assert moved
    assert all(moved)


def test_ablations_leave_out_what_they_say(base, data, tmp_path):
    out = train(options(base, data, tmp_path / "out", steps=1, identities=False, layer_wise=False))
    assert not (out / "lse.safetensors").exists()
    assert json.loads((out / "layered.json").read_text())["identities"] is False


def test_a_folder_that_is_no_model_is_refused(tmp_path):
    with pytest.raises(WrongUsageError) as fault:
        loaded_base(tmp_path, torch.float32)
    assert str(fault.value) == (
        f"{tmp_path} holds no diffusers model (it has no model_index.json); name the folder of Qwen-Image-Layered."
    )


def test_the_command_trains_an_adapter(base, data, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["train", "decomposer", "--preset", "qwen-layered", "--out", str(out), "--minutes", "0"]
    code = main([*arguments, "--data", str(data), "--base", str(base), "--size", "8x8"])
    assert (code, capsys.readouterr().out.splitlines()[-1]) == (0, str(out))
    assert (out / "layered.json").is_file()
    assert main(arguments) == 2
    assert capsys.readouterr().err == (
        "celwright: The preset qwen-layered needs pictures and a model; name them with --data and --base.\n"
    )
    assert main([*arguments, "--data", str(data), "--base", str(base), "--size", "big"]) == 2
    assert capsys.readouterr().err == (
        "celwright: The size is 'big'; WxH in pixels, up to 4096x4096, is allowed, such as 768x1152.\n"
    )


def test_windows_that_differ_by_brightness_alone_have_no_local_error():
    picture = np.random.default_rng(0).random((16, 16, 3))
    assert local_mean_squared_error(picture, picture / 2, 8) == pytest.approx(0, abs=1e-12)
    assert local_mean_squared_error(picture, np.zeros_like(picture), 8) == pytest.approx(1)
    ones = np.ones((8, 8, 3))
    half = ones.copy()
    half[:4] = 0  # the best scale is 1: half of the energy is left
    assert local_mean_squared_error(ones, half, 8) == pytest.approx(0.5)


def row(variant, seed, psnr, lmse=0.0017):
    return Row(variant, seed, psnr, 0.9254, lmse, 0.1, 0.02, 0.03, 0.04)


def test_the_table_is_laid_out_as_the_papers_and_says_what_the_seeds_agree_on():
    rows = [row("w/o LSE", 0, 27.38), row("w/o LW-Loss", 0, 24.75, 0.0038), row("all", 0, 27.79)]
    rows += [row("w/o LSE", 1, 28.5), row("w/o LW-Loss", 1, 27, 0.0018), row("all", 1, 28)]
    lines = table(rows).splitlines()
    assert lines[0] == "seed                  PSNR     SSIM     LMSE    line    flat   light  shadow"
    assert lines[1] == "0     w/o LSE        27.38   0.9254   0.0017   0.100   0.020   0.030   0.040"
    assert lines[8:] == [
        "line to shadow: root mean squared error against the true layer. Against all, by seed:",
        "w/o LSE     PSNR  -0.41, +0.50: the seeds disagree",
        "w/o LSE     SSIM  +0.0000, +0.0000: the seeds disagree",
        "w/o LSE     LMSE  +0.0000, +0.0000: the seeds disagree",
        "w/o LW-Loss PSNR  -3.04, -1.00: worse on every seed",
        "w/o LW-Loss SSIM  +0.0000, +0.0000: the seeds disagree",
        "w/o LW-Loss LMSE  +0.0021, +0.0001: worse on every seed",
        "",
        "By chance alone as many seeds agree in 50% of such lines.",
        "Each row is measured on the picture that it has learnt, from noises that it has not seen, upon random "
        "weights:",
        "this shows what helps such a model to learn, and nothing of new pictures.",
    ]
    assert "PSNR  +1.00: better on every seed\n" in table([row("w/o LSE", 0, 29), row("all", 0, 28)])


@pytest.mark.parametrize("number", range(6))
def test_the_ablation_looks_at_pictures_that_have_line_light_and_shadow(number):
    pictures = layered_ablation.crop(layered_ablation.frames(scene(number, layered_ablation.SCENE)), SIDE)
    assert pictures.shape == (5, SIDE, SIDE, 4)
    np.testing.assert_allclose(pictures[0], recomposed(ResultLayers(*pictures[1:])), atol=1e-6)
    covered = pictures[..., 3].mean((1, 2))
    assert covered[2] == 1
    assert all(0.1 < share < 0.9 for share in covered[[1, 3, 4]])


def test_the_ablation_runs_by_one_command(monkeypatch, capsys):
    monkeypatch.setattr(layered_ablation, "PICTURES", 1)
    monkeypatch.setattr(layered_ablation, "NOISES", 1)
    monkeypatch.setattr(layered_ablation, "SAMPLING_STEPS", 2)
    assert main(["evaluate", "layered-ablation", "--count", "1", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [(row["seed"], row["variant"]) for row in rows] == [
        (seed, variant) for seed in (0, 1, 2) for variant in ("w/o LSE", "w/o LW-Loss", "all")
    ]
    assert all(np.isfinite([value for value in row.values() if isinstance(value, float)]).all() for row in rows)


def psnr(picture, layers):
    return -10 * np.log10(np.square(over_white(picture) - over_white(recomposed(layers))).mean())


def test_one_picture_can_be_overfitted_until_its_recomposition_passes_30_db_and_stays_so_when_loaded(tmp_path):
    """Only updates of rank 32 and identities learn; transformer and autoencoder are random, arranged as save_tiny says.
    Every step draws other noise, so the picture comes back from noises that training has not seen, in few sampling
    steps and in many."""
    save_tiny(tmp_path / "base", width=layered_ablation.WIDTH)
    before = {path: path.read_bytes() for path in (tmp_path / "base").rglob("*.safetensors")}
    pictures = layered_ablation.as_tensor(five_layers()[None])
    options = layered_ablation.tiny_options(tmp_path / "base", tmp_path / "out", steps=1200, seed=0)
    assert options.rank == 32

    fresh = loaded_base(tmp_path / "base", torch.float32)
    prompt = encoded_prompt(fresh)
    for steps in (8, 20):
        assert psnr(five_layers()[0], taken_apart(fresh, prompt, pictures[0, 0], steps)) < 15

    pipeline, prompt = layered_ablation.learnt(pictures, options)
    made = {steps: taken_apart(pipeline, prompt, pictures[0, 0], steps) for steps in (8, 20)}
    for layers in made.values():
        assert psnr(five_layers()[0], layers) > 30
    assert before == {path: path.read_bytes() for path in (tmp_path / "base").rglob("*.safetensors")}

    load_adapter(tmp_path / "out", fresh.transformer).attach(fresh.transformer)
    for one, other in zip(taken_apart(fresh, prompt, pictures[0, 0], 8), made[8], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
