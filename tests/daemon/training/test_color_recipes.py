"""Both recipes, run for real on tiny networks by a clock that ticks when it is looked at."""

import itertools
import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from celwright.diffusion.schedule import NoiseSchedule
from celwright.errors import WrongUsageError
from celwright.models.autoencoder import Autoencoder
from celwright.models.presets import build_autoencoder, build_colorizer
from celwright.training import autoencoder as autoencoding
from celwright.training import colorizer as colorizing
from celwright.training import running
from celwright.training.autoencoder import AutoencoderOptions, cut_outs, reconstruction_loss
from celwright.training.color_losses import Weights, fitted_probe
from celwright.training.color_samples import LEFT_OUT, conditions, context_latents, dropped, on_device
from celwright.training.colored_held_out import area_accuracy
from celwright.training.colorizer import ColorizerOptions, latents_of, loss_terms, weighted
from celwright.training.pairs import held_out_pairs
from celwright.training.pictures import Pictures
from PIL import Image

SIZE = 64


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)
    torch.manual_seed(0)


@pytest.fixture(scope="module")
def pairs():
    return held_out_pairs(2, SIZE)


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(0)
    return build_autoencoder("tiny").eval().requires_grad_(False)


def ticking(patch):
    ticks = itertools.count()
    patch.setattr(running, "time", SimpleNamespace(monotonic=lambda: next(ticks) * 0.1))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("autoencoder")
    Image.fromarray(np.full((40, 60, 4), 200, np.uint8)).save(out / "grey.png")
    options = AutoencoderOptions(
        out=out, preset="tiny", minutes=0.1, batch=4, crop=32, size=48, pool=8, threads=1, held_out=2, device="cpu",
        pictures=(out,), held_out_pictures=(out / "grey.png",),
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        ticking(patch)
        return autoencoding.train(options), out


def test_the_autoencoder_recipe_leaves_a_standardized_network_and_its_figures(trained):
    folder, out = trained
    assert Autoencoder.from_pretrained(folder).config.latent_channels == 4
    figures = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert {"drawn_psnr", "lineless_psnr", "pictures_psnr", "step"} <= set(figures[-1])
    assert torch.load(out / "checkpoint.pt", weights_only=True)["step"] == figures[-1]["step"] > 5


def test_the_colorizer_recipe_goes_through_both_sizes_resumes_and_shows_what_it_painted(trained, tmp_path):
    options = {
        "out": tmp_path, "autoencoder": trained[0], "preset": "tiny", "batch": 2,
        "sizes": ((32, 0.5), (SIZE, 1.0)),
        "pool": 4, "threads": 1, "held_out": 2, "device": "cpu",
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        ticking(patch)
        checkpoint = colorizing.train(ColorizerOptions(minutes=0.1, **options))
        first = torch.load(checkpoint, weights_only=True)
        colorizing.train(ColorizerOptions(minutes=0.15, resume=True, **options))
    second = torch.load(checkpoint, weights_only=True)
    assert 6 <= first["seconds"] < 7 < 9 <= second["seconds"]
    assert second["step"] > first["step"] > 4
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert {"all_psnr", "all_accuracy", "reference_accuracy", "brought_accuracy", "diffusion"} <= set(lines[-1])
    with Image.open(tmp_path / "held_out.png") as sheet:
        assert sheet.size == (2 * SIZE, 6 * SIZE)
    network = build_colorizer("tiny")
    network.load_state_dict(second["average"])


def test_one_pair_is_learnt_by_heart(pairs, encoder):
    """Every term of the loss falls on a sample that is seen again and again: all parts pull the same way."""
    sample = on_device({key: value[:1].repeat_interleave(2, 0) for key, value in pairs.items()}, "cpu")
    network, schedule = build_colorizer("tiny"), NoiseSchedule()
    x0 = latents_of(encoder, sample)
    x0 = x0 / x0.std()
    probe, given = fitted_probe(x0, sample["color"]), conditions(encoder, sample)
    optimizer = torch.optim.AdamW(network.parameters(), 5e-3)
    seen = []
    for _ in range(40):
        terms = loss_terms(network, network.prepare(given), sample, x0, schedule, probe)
        optimizer.zero_grad()
        weighted(terms, Weights()).backward()
        optimizer.step()
        seen.append({name: term.item() for name, term in terms.items()})

    def mean(name, some):
        return float(np.mean([terms[name] for terms in some]))

    for name in ("diffusion", "color"):
        assert mean(name, seen[-10:]) < 0.7 * mean(name, seen[:5])
    assert mean("correspondence", seen[-10:]) <= mean("correspondence", seen[:5])


def test_a_fully_selected_sample_has_no_context(pairs, encoder):
    sample = on_device(pairs, "cpu")
    sample["selection"] = torch.ones_like(sample["selection"])
    sample["selection"][1, :, :, : SIZE // 2] = 0
    latents = context_latents(encoder, sample)
    assert latents[0].eq(0).all()
    assert latents[1].ne(0).any()


def test_what_is_selected_does_not_leak_into_the_context(pairs, encoder):
    sample = on_device(pairs, "cpu")
    sample["selection"] = torch.zeros_like(sample["selection"])
    sample["selection"][..., SIZE // 2 :] = 1
    before = context_latents(encoder, sample)
    sample["color"] = torch.where(sample["selection"] > 0, torch.rand_like(sample["color"]), sample["color"])
    torch.testing.assert_close(context_latents(encoder, sample), before, atol=0, rtol=0)


def test_conditions_are_left_out_about_as_often_as_stated(pairs, encoder):
    sample = on_device({key: value[:1].repeat_interleave(400, 0)[..., :32, :32] if value.ndim > 2 else
                        value[:1].repeat_interleave(400, 0) for key, value in pairs.items()}, "cpu")  # fmt: skip
    given = conditions(encoder, sample)
    given = dropped(given, torch.Generator().manual_seed(0))
    assert (given.histogram.sum(1) == 0).float().mean().item() == pytest.approx(LEFT_OUT["histogram"], abs=0.08)


def test_area_accuracy_is_the_share_of_rightly_coloured_parts():
    flat = np.zeros((8, 8, 3), np.float32)
    picture, part = flat.copy(), np.zeros((8, 8), np.int16)
    part[4:] = 1
    picture[4:] = 1
    assert area_accuracy(picture, flat, part) == 0.5
    part[4:] = -1
    assert area_accuracy(picture, flat, part) == 1


def test_errors_under_alpha_zero_cost_nothing():
    truth, estimate = torch.rand(1, 4, 16, 16), torch.rand(1, 4, 16, 16)
    truth[:, 3] = estimate[:, 3] = 0
    assert reconstruction_loss(estimate, truth) == 0
    truth[:, 3] = estimate[:, 3] = 1
    assert reconstruction_loss(estimate, truth) > 0.1


def test_cut_outs_are_half_opaque_and_within_range():
    alpha = cut_outs(200, 16)
    assert alpha.shape == (200, 1, 16, 16)
    assert 0 <= alpha.amin() <= alpha.amax() <= 1
    assert 0.4 < (alpha.amin((1, 2, 3)) == 1).float().mean() < 0.75


def test_crops_have_the_size_asked_for_from_pictures_of_any_size(tmp_path):
    for number, (height, width) in enumerate(((20, 90), (200, 100), (64, 64))):
        Image.fromarray(np.full((height, width, 3), 40 * number, np.uint8)).save(tmp_path / f"{number}.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    (tmp_path / "notes.txt").write_text("no picture")
    pictures = Pictures([tmp_path])
    assert len(pictures.pictures) == 3
    crops = pictures.crops(np.random.default_rng(0), 20, 64)
    assert crops.shape == (20, 4, 64, 64)
    assert 0 <= crops.amin() <= crops.amax() <= 1
    assert [tuple(whole.shape) for whole in pictures.whole(48)] == [(4, 8, 48), (4, 48, 24), (4, 48, 48)]


def test_a_folder_without_pictures_is_refused(tmp_path):
    sentence = (
        f"There is no picture to learn from in {tmp_path}; .png .jpg .jpeg .webp are read: name a folder that holds "
        f"some."
    )
    with pytest.raises(WrongUsageError, match=f"^{re.escape(sentence)}$"):
        Pictures([tmp_path])
