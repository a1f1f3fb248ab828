"""Whole line art is broken at random, and the network learns to make it whole again."""

import itertools
import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from celwright.models.presets import build_line_completion
from celwright.training import line_completion, running
from celwright.training.broken_lines import CROP, SIZE, broken, held_out_lines, varied, whole_lines
from celwright.training.line_completion import LineOptions, figures, loss
from celwright.training.line_export import export_lines
from celwright.training.pairs import HELD_OUT


@pytest.fixture(scope="module")
def drawings():
    return [whole_lines(number) for number in range(6)]


def test_a_number_gives_the_same_lines_again_and_always_some(drawings):
    for number, ink in enumerate(drawings):
        assert ink.shape == (SIZE, SIZE)
        assert ink.dtype == np.uint8
        assert (ink > 127).any()
        assert np.array_equal(ink, whole_lines(number))
    assert not np.array_equal(whole_lines(HELD_OUT), drawings[0])


def test_broken_lines_have_lost_ink_and_won_next_to_none(drawings):
    """Where no line was, wear puts at most the breadth that a blunt pen adds."""
    lost = 0
    for seed, ink in enumerate(drawings * 4):
        out = broken(np.random.default_rng(seed), ink)
        assert out.shape == ink.shape
        assert out.dtype == np.uint8
        far = np.lib.stride_tricks.sliding_window_view(np.pad(ink, 3), (7, 7)).max((2, 3)) == 0
        assert not out[far].any()
        lost += int(((ink > 127) & (out < 50)).sum())
    assert lost > 0


def test_a_crop_and_what_became_of_it_lie_upon_each_other(drawings):
    for seed, ink in enumerate(drawings):
        worn, whole = varied(np.random.default_rng(seed), ink)
        assert worn.shape == whole.shape == (CROP, CROP)
        assert np.corrcoef(worn.ravel() > 60, whole.ravel() > 127)[0, 1] > 0.3 or not (whole > 127).any()


def test_an_untrained_network_says_what_is_drawn():
    """It starts from the ink itself, so that whole lines stay whole from the first step on."""
    network, ink = build_line_completion("tiny"), (torch.rand(2, 1, 32, 48) > 0.7).float()
    with torch.no_grad():
        logits = network(ink)
    assert logits.shape == ink.shape
    assert torch.equal(logits > 0, ink > 0.5)


def test_lost_ink_weighs_five_times_as_much(drawings):
    whole = torch.ones(1, 1, 32, 32) * 255
    network = build_line_completion("tiny")
    for head in network.heads:
        torch.nn.init.zeros_(head.weight)
    with torch.no_grad():
        blank, drawn = (loss(network, torch.cat([seen, whole], 1)).item() for seen in (whole * 0, whole))
    assert blank == pytest.approx(5 * math.log1p(math.exp(4)), rel=1e-4)
    assert drawn == pytest.approx(math.log1p(math.exp(-4)), rel=1e-4)


def test_figures_tell_found_lines_from_invented_ones():
    """A network that says the ink it sees finds and invents nothing; one that says line everywhere finds all."""
    tests = held_out_lines(2)
    network = build_line_completion("tiny")
    for head in network.heads:
        torch.nn.init.zeros_(head.weight)
    assert figures(network, tests) == {"found": 0.0, "true": 0.0}
    network.heads[0].bias.data.fill_(100.0)
    measured = figures(network, tests)
    assert measured["found"] == 1
    assert 0 < measured["true"] < 0.5


def test_the_recipe_resumes_and_exports_weights_with_their_card(tmp_path):
    options = {
        "out": tmp_path, "preset": "tiny", "batch": 2, "pool": 4, "threads": 1, "held_out": 2, "device": "cpu",
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        ticks = itertools.count()
        patch.setattr(running, "time", SimpleNamespace(monotonic=lambda: next(ticks) * 0.1))
        line_completion.train(LineOptions(steps=4, **options))
        line_completion.train(LineOptions(steps=7, resume=True, **options))
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert state["step"] == 7
    last = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[-1])
    assert {"found", "true", "loss", "step"} <= set(last)
    weights = export_lines(tmp_path, tmp_path / "out", "2026-11-21")
    assert weights.name == "lines.safetensors"
    card = (tmp_path / "out" / "lines.md").read_text()
    assert "No picture by anybody was used, so nobody else's licence applies." in card
    assert "\ncelwright train lines --out DIR --minutes 0 --seed 0\n" in card
