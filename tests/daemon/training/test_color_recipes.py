"""The colorizer's recipe, run for real on a tiny network by a clock that ticks when it is looked at."""

import itertools
import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from celwright.diffusion.schedule import NoiseSchedule
from celwright.errors import WrongUsageError
from celwright.models.colorizer import latents
from celwright.models.presets import build_colorizer
from celwright.models.region_tokens import areas
from celwright.training import colorizer as colorizing
from celwright.training import running
from celwright.training.colorizer import (
    LARGEST_FIRST,
    LEFT_OUT,
    ColorizerOptions,
    drawn_task,
    figures,
    loss_terms,
    task,
)
from celwright.training.region_batches import held_out_regions

SMALL = {"preset": "tiny", "batch": 2, "pool": 4, "threads": 1, "held_out": 2, "device": "cpu"}

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def samples():
    return held_out_regions(4)


def ticking(patch):
    ticks = itertools.count()
    patch.setattr(running, "time", SimpleNamespace(monotonic=lambda: next(ticks) * 0.1))


def everything(samples, hinted=0.0):
    batch, regions = samples["regions"].shape[:2]
    kept = {name: torch.ones(batch, dtype=torch.bool) for name in LEFT_OUT}
    return task(samples, kept, torch.rand(batch, regions) < hinted)


def test_the_recipe_resumes_and_leaves_an_averaged_network_and_its_figures(tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        ticking(patch)
        checkpoint = colorizing.train(ColorizerOptions(out=tmp_path, minutes=0.1, **SMALL))
        first = torch.load(checkpoint, weights_only=True)
        colorizing.train(ColorizerOptions(out=tmp_path, minutes=0.15, resume=True, **SMALL))
    second = torch.load(checkpoint, weights_only=True)
    assert second["step"] > first["step"] > 4
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert {"reference_accuracy", "hint_accuracy", "pointer", "diffusion"} <= set(lines[-1])
    network = build_colorizer("tiny")
    network.load_state_dict(second["average"])


def test_one_figure_is_learnt_by_heart(samples):
    """Both terms of the loss fall on what is seen again and again, and the network then finds its colours."""
    network, schedule = build_colorizer("tiny"), NoiseSchedule()
    before = figures(network, samples)
    optimizer = torch.optim.AdamW(network.parameters(), 5e-3)
    given, seen = everything(samples), []
    for _ in range(60):
        terms = loss_terms(network, given, schedule)
        optimizer.zero_grad()
        (terms["pointer"] + terms["diffusion"]).backward()
        optimizer.step()
        seen.append({name: term.item() for name, term in terms.items()})
    for name in ("pointer", "diffusion"):
        assert np.mean([terms[name] for terms in seen[-10:]]) < 0.7 * np.mean([terms[name] for terms in seen[:5]])
    assert figures(network, samples)["reference_accuracy"] > before["reference_accuracy"]


def test_places_for_references_that_no_figure_has_are_left_out(samples):
    one = {**samples, "patches": samples["patches"].clone()}
    one["patches"][:, 1] = 0
    for given, count in ((everything(samples), 2), (everything(one), 1)):
        assert given.asked.patches.shape[1] == given.asked.references.shape[1] == given.asked.colors.shape[1] == count
        assert given.sources.shape[1] == given.colors.shape[1] + count * given.asked.colors.shape[2]


def test_colors_that_are_all_wrong_by_the_same_have_no_wrong_edges(samples):
    """Structure is about differences across borders: a shift of all colours leaves them, another colour does not."""

    class Answers(torch.nn.Module):
        def __init__(self, wrong):
            super().__init__()
            self.network, self.wrong = build_colorizer("tiny"), wrong
            self.prepare = self.network.prepare

        def forward(self, noisy, t, read):
            return latents(given.colors) + self.wrong

        def pointing(self, read):
            return self.network.pointing(read)[0], latents(given.colors) + self.wrong

    given = everything(samples)
    shift, noise = torch.tensor([0.5, -0.2, 0.1]), torch.randn(given.colors.shape)
    for wrong, uneven in ((shift, 0.0), (noise, 2.0)):
        terms = loss_terms(Answers(wrong), given, NoiseSchedule())
        assert terms["structure"].item() == pytest.approx(uneven, abs=1e-9, rel=0.3)
        assert terms["diffusion"] > 0.05


def test_a_term_that_counts_nothing_teaches_nothing(tmp_path):
    """Without pointing the pointer stays as it was built, but for the decay of weights."""
    with pytest.MonkeyPatch.context() as patch:
        ticking(patch)
        checkpoint = colorizing.train(ColorizerOptions(out=tmp_path, steps=3, pointing=0.0, structure=1.0, **SMALL))
    torch.manual_seed(0)
    built, learnt = build_colorizer("tiny").state_dict(), torch.load(checkpoint, weights_only=True)["network"]
    moved = {name: (learnt[name] - built[name]).abs().max().item() for name in ("query.weight", "head.weight")}
    assert moved["query.weight"] < 0.1 * moved["head.weight"]


def test_runs_of_as_many_steps_learn_from_the_same_samples(tmp_path):
    """However many processes paint: an ablation compares networks and not the machine's pace."""
    learnt = []
    for workers in (1, 2):
        options = ColorizerOptions(out=tmp_path / str(workers), steps=3, workers=workers, **SMALL)
        learnt.append(torch.load(colorizing.train(options), weights_only=True)["network"])
    assert learnt[0].keys() == learnt[1].keys()
    assert all(torch.equal(weight, learnt[1][name]) for name, weight in learnt[0].items())


@pytest.mark.parametrize("name", ["structure", "pointing"])
@pytest.mark.parametrize("weight", [-1.0, float("nan")])
def test_a_term_that_would_count_less_than_nothing_is_refused(tmp_path, name, weight):
    with pytest.raises(WrongUsageError) as raised:
        ColorizerOptions(out=tmp_path, **{name: weight})
    assert str(raised.value) == f"What {name} counts in the loss came as {weight}; 0 or more is needed."


def test_a_curriculum_has_more_colours_known_the_earlier(samples):
    def known(share):
        torch.manual_seed(1)
        given = drawn_task(samples, share)
        return given.asked.hints[..., 3][given.weight > 0].mean().item()

    assert known(0.0) < 0.3 < known(0.5) < 0.7 < known(0.9)


@pytest.mark.parametrize("share", [-0.1, 1.5, float("nan")])
def test_a_curriculum_that_knows_less_than_nothing_or_more_than_all_is_refused(tmp_path, share):
    with pytest.raises(WrongUsageError) as raised:
        ColorizerOptions(out=tmp_path, curriculum=share)
    assert str(raised.value) == (
        f"The share of known regions that the curriculum begins with came as {share}; 0 to 1 is allowed."
    )


def test_hints_lie_in_the_largest_regions_about_as_often_as_stated(samples):
    many = {key: value[:1].repeat_interleave(400, 0) for key, value in samples.items()}
    given = drawn_task({**many, "line": many["line"][..., :64, :64], "references": many["references"][..., :64, :64]})
    clear = given.weight[0] > 0
    size = areas(given.asked.labels[:1], len(clear))[0][clear]
    hinted = given.asked.hints[:, clear, 3] > 0
    some = (hinted.sum(1) > 1) & (hinted.sum(1) < len(size) / 2)
    assert some.sum() > 60
    first = [size[one].min() > size[~one].max() for one in hinted[some]]
    assert np.mean(first) == pytest.approx(LARGEST_FIRST, abs=0.15)


def test_hinted_regions_are_conditions_and_not_questions(samples):
    given = everything(samples, hinted=0.5)
    hinted = given.asked.hints[..., 3] > 0
    assert 0.2 < hinted[given.weight > 0].float().mean() < 0.7
    assert torch.equal(given.asked.hints[..., :3][hinted], given.colors[hinted])
    assert (given.sources[:, : hinted.shape[1]][~hinted] == -1).all()


def test_a_region_without_its_part_anywhere_should_point_at_none(samples):
    given = everything(samples)
    network, nobody = build_colorizer("tiny"), torch.full_like(given.sources, -1)
    lonely = type(given)(given.asked, given.colors, given.part, given.weight, nobody)
    with torch.no_grad():
        network.none.bias += 50.0
        assert loss_terms(network, lonely, NoiseSchedule())["pointer"] < 1e-3
        assert loss_terms(network, given, NoiseSchedule())["pointer"] > 1


def test_conditions_are_left_out_about_as_often_as_stated(samples):
    many = {key: value[:1].repeat_interleave(400, 0) for key, value in samples.items()}
    given = drawn_task({**many, "line": many["line"][..., :64, :64], "references": many["references"][..., :64, :64]})
    assert (given.asked.histogram.sum(1) == 0).float().mean().item() == pytest.approx(LEFT_OUT["histogram"], abs=0.08)
    absent = (given.asked.patches.flatten(1).amax(1) == 0).float().mean().item()
    assert absent == pytest.approx(LEFT_OUT["references"], abs=0.08)
    unhinted = (given.asked.hints[..., 3].sum(1) == 0).float().mean().item()
    assert LEFT_OUT["hints"] - 0.08 < unhinted < LEFT_OUT["hints"] + 0.35  # few regions may get none by chance
