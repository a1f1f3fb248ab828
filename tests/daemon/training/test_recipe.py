import hashlib
import itertools
import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from celwright.errors import OutputError
from celwright.models.presets import build_decomposer
from celwright.training import decomposer, running
from celwright.training import export as exporting
from celwright.training.decomposer import TrainingOptions
from celwright.training.held_out import Row, held_out_figures, table
from celwright.training.running import rate
from celwright.training.samples import held_out, packed, unpacked, varied
from celwright.training.scenes import composed, scene
from celwright.training.thread_choice import ThreadChoice
from safetensors.torch import load_file

pytestmark = pytest.mark.usefixtures("one_thread")


def test_packing_keeps_all_layers_within_half_a_level():
    made = scene(1, 64, "rich")
    seen, layers = unpacked(torch.from_numpy(packed(made))[None])
    np.testing.assert_allclose(seen[0].permute(1, 2, 0), made.seen / 255, atol=1e-6)
    for name in ("line_color", "flat", "shadow", "highlight"):
        plane = getattr(layers, name)[0].permute(1, 2, 0).numpy()
        np.testing.assert_allclose(plane, getattr(made, name), atol=0.5 / 255 + 1e-6)


def test_variations_keep_the_formula():
    rng = np.random.default_rng(0)
    sample = packed(scene(2, 64))
    for _ in range(8):
        seen, layers = unpacked(torch.from_numpy(varied(rng, sample, 40))[None])
        assert seen.shape == (1, 3, 40, 40)
        alpha, *rest = (layer[0].permute(1, 2, 0).numpy() for layer in layers)
        error = np.abs(composed(alpha[..., 0], *rest) - seen[0].permute(1, 2, 0).numpy())
        assert error.mean() < 0.03  # what is left is compression


def test_held_out_scenes_are_always_the_same():
    torch.testing.assert_close(held_out("rich", 2, 48), held_out("rich", 2, 48))


def test_the_baseline_is_the_picture_as_its_own_flat():
    samples = held_out("standard", 3, 64)
    seen, truth = unpacked(samples)
    figures = held_out_figures(None, samples)
    assert figures["flat_psnr"] == pytest.approx(-10 * np.log10((seen - truth.flat).square().mean().item()), abs=1e-3)
    assert figures["shadow_iou"] == 0


def test_standard_scenes_keep_their_difficulty():
    """The baselines that results are stated against; at 256 px they are 16.0 and 13.2 dB."""
    figures = held_out_figures(None, held_out("standard", 16, 128))
    assert figures["flat_psnr"] < 16.5
    assert figures["line_psnr"] < 13.5


def test_the_rate_warms_up_stays_and_anneals_with_the_clock():
    assert rate(0.0, 0) == pytest.approx(0.01)
    assert rate(0.2, 1000) == rate(0.4, 1000) == 1
    assert rate(0.7, 1000) == pytest.approx(0.5)
    assert rate(1.0, 1000) == pytest.approx(0.002)


def test_thread_choice_keeps_one_thread_when_only_one_is_allowed():
    choice = ThreadChoice(1)
    for step in range(200):
        choice.before_step(step)
    assert torch.get_num_threads() == 1


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The real recipe on a tiny network, then some more after a resume, by a clock that ticks when it is looked at."""
    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("run")
    small = {
        "out": out, "preset": "tiny", "crop": 48, "early_crop": 32, "size": 48, "batch": 2, "pool": 16, "threads": 1,
        "held_out": 2, "device": "cpu",
    }  # fmt: skip
    ticks = itertools.count()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "time", SimpleNamespace(monotonic=lambda: next(ticks) * 0.1))
        checkpoint = decomposer.train(TrainingOptions(minutes=0.1, **small))
        first = torch.load(checkpoint, weights_only=True)
        decomposer.train(TrainingOptions(minutes=0.2, resume=True, **small))
    return checkpoint, first


def test_training_stops_by_the_clock_and_resumes_where_it_was(trained):
    checkpoint, first = trained
    second = torch.load(checkpoint, weights_only=True)
    assert 6 <= first["seconds"] < 7
    assert 12 <= second["seconds"] < 13
    assert second["step"] == pytest.approx(2 * first["step"], abs=2)
    lines = [json.loads(line) for line in (checkpoint.parent / "log.jsonl").read_text().splitlines()]
    assert [line["kind"] for line in lines] == ["standard", "rich", "painted"] * 2
    assert {"flat_psnr", "line_psnr", "shadow_iou", "highlight_iou"} <= set(lines[0])


def test_exported_weights_give_the_averaged_network_and_a_card(trained, tmp_path):
    checkpoint, _ = trained
    digest = exporting.export(checkpoint, tmp_path, date="2026-11-21", held_out=2, note="Resumed once.")
    weights = tmp_path / "decomposer.safetensors"
    assert hashlib.sha256(weights.read_bytes()).hexdigest() == digest
    network = build_decomposer("tiny")
    network.load_state_dict({key: value.float() for key, value in load_file(weights).items()})
    average = torch.load(checkpoint, weights_only=True)["average"]
    for key, value in network.state_dict().items():
        torch.testing.assert_close(value, average[key], atol=1e-3, rtol=1e-3)
    card = (tmp_path / "decomposer.md").read_text(encoding="utf-8")
    assert digest in card
    assert "2026-11-21" in card
    assert "Resumed once." in card
    assert "2 crops of 32, later 48 px" in card
    assert "`celwright.models.decomposer.Decomposer`, preset `tiny`" in card
    assert "60% rich" in card
    assert "40% standard" in card.replace("\n", " ")
    assert "No picture by anybody was used" in card
    assert "--preset tiny --seed 0 --learning-rate 0.0006 --rich 0.6 --painted 0.0 --drawn 0.0 --out DIR" in card
    assert re.search(r"\| standard \| flat, PSNR \| \d+\.\d dB \| -?\d+\.\d dB \|", card)


def test_the_card_names_the_folders_of_drawings_but_not_where_they_lay():
    options = {"rich": "0.2", "painted": "0.5", "drawn": "0.2", "corpora": str((Path("/a/b"), Path("/c/d"), Path("b")))}
    told = exporting.learnt_from(options).replace("\n", " ")
    assert "20% cut from drawings that came as layers; 10% standard" in told
    assert "from `b` (2 times), `d`, each folder equally often; their authors' licences apply to them." in told
    assert "/" not in told.split("appl")[0].split("came from")[1]
    assert exporting.recipe_flags(options) == "--rich 0.2 --painted 0.5 --drawn 0.2 --corpora b d b"


def test_a_card_can_be_made_of_runs_that_knew_no_painted_scenes():
    assert exporting.learnt_from({"rich": "1.0"}).splitlines()[-1].startswith("No picture by anybody was used")


def test_weights_too_large_for_the_package_are_refused(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "LARGEST", 1000)
    size = len(exporting.half_precision(torch.load(trained[0], weights_only=True)))
    sentence = f"The weights have {size} bytes; at most 1000 are allowed in the package: choose a smaller preset."
    with pytest.raises(OutputError, match=f"^{re.escape(sentence)}$"):
        exporting.export(trained[0], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_table_shows_the_baseline_beside_the_network() -> None:
    plain = {"flat_psnr": 16.04, "line_psnr": 13.2, "shadow_iou": 0.0, "highlight_iou": 0.0}
    ours = {"flat_psnr": 28.06, "line_psnr": 27.0, "shadow_iou": 0.756, "highlight_iou": 0.5}
    assert table([Row("standard", plain, ours)]).splitlines() == [
        "| scenes | figure | baseline | network |",
        "|---|---|---:|---:|",
        "| standard | flat, PSNR | 16.0 dB | 28.1 dB |",
        "| standard | line on white, PSNR | 13.2 dB | 27.0 dB |",
        "| standard | shadow, IoU | 0.00 | 0.76 |",
        "| standard | highlight, IoU | 0.00 | 0.50 |",
    ]
