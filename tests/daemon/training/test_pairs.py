from contextlib import closing
from itertools import islice, pairwise

import cv2
import numpy as np
import pytest
import torch
from celwright.training import region_pairs
from celwright.training.drawing.identity import KINDS, PARTS, identity
from celwright.training.drawing.lighting import rendered
from celwright.training.drawing.sheets import Nib, Sheet
from celwright.training.drawing.views import framed, view
from celwright.training.painters import Pace
from celwright.training.pairs import pair
from celwright.training.region_batches import beside_a_stranger, held_out_regions, packed, region_batches, varied
from celwright.training.region_pairs import REGIONS, figure

SIZE = 96


def shown(who, pose, parts, size=SIZE):
    """One figure on white paper in the pose of this number."""
    now = np.random.default_rng(pose)
    sheet, seen = Sheet(size, np.ones(3, np.float32), parts), view(who, now)
    turn, shift = framed(now, seen, np.zeros(2), np.full(2, 2.0 * size), "whole")
    sheet.paint(now, seen.drawing, who, 1, turn, shift, Nib(2.0, False))
    return rendered(now, sheet)


def part_colors(picture):
    """The colour of each part where its pixels are not mixed with a neighbour's."""
    found = {}
    for number in np.unique(picture.part):
        inside = cv2.erode((picture.part == number).astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=0) > 0
        if inside.any():
            found[int(number)] = np.median(picture.flat[inside], axis=0)
    return found


@pytest.mark.parametrize("number", range(4))
def test_the_same_number_gives_the_same_sample(number):
    one, two, other = packed(*figure(number)), packed(*figure(number)), packed(*figure(number + 1))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("kind", [*KINDS, "doll"])
@pytest.mark.parametrize("seed", range(3))
def test_two_views_share_colors_part_by_part_but_no_geometry(kind, seed):
    who, parts = identity(seed, kind), {}
    one, two = shown(who, 1, parts), shown(who, 2, parts)
    first, second = part_colors(one), part_colors(two)
    common = first.keys() & second.keys()
    assert len(common) >= 2
    for number in common:
        np.testing.assert_allclose(first[number], second[number], atol=1)
    assert (one.part != two.part).mean() > 0.05


def test_another_identity_has_other_colors():
    one, two = identity(1), identity(2)
    assert np.mean([np.abs(one.palette[name] - two.palette[name]).max() > 0.1 for name in PARTS]) > 0.7


@pytest.mark.parametrize("number", range(30, 42))
def test_recoloring_and_references_agree_with_the_target(number):
    """Whatever colours the figures were given, each reference shows the target's flats for the same parts."""
    made = pair(number, SIZE)
    target = part_colors(made)
    for reference in made.references:
        if reference.instance:
            for part, color in part_colors(reference).items():
                if part and part in target:
                    np.testing.assert_allclose(color, target[part], atol=1)


def test_recoloring_changes_the_colors_and_nothing_else():
    who = identity(3, "person")
    other = who.recolored(np.random.default_rng(0))
    one, two = shown(who, 1, {}), shown(other, 1, {})
    np.testing.assert_array_equal(one.part, two.part)
    np.testing.assert_array_equal(one.ink, two.ink)
    assert np.abs(one.flat.astype(int) - two.flat).max() > 40


def test_line_art_covers_part_borders():
    """Drawn lines, before any wear: nearly every border of two parts has ink within two pixels."""
    covered = []
    for seed in range(8):
        made = shown(identity(seed, "person"), seed, {}, 192)
        border = np.zeros(made.part.shape, bool)
        border[:, 1:] |= made.part[:, 1:] != made.part[:, :-1]
        border[1:] |= made.part[1:] != made.part[:-1]
        near = cv2.dilate(made.ink, np.ones((5, 5), np.uint8)) > 80
        covered.append(near[border].mean())
    assert np.mean(covered) > 0.93


def test_line_art_is_mostly_paper_and_never_empty():
    ink = [pair(number, SIZE).line.mean() / 255 for number in range(12)]
    assert min(ink) > 0.002
    assert np.median(ink) < 0.3


def test_scenes_have_one_to_six_figures_and_ids_that_agree():
    counts = set()
    for number in range(25):
        made = pair(number, 48)
        counts.add(len(set(np.unique(made.instance)) - {0}))
        np.testing.assert_array_equal(made.alpha > 0, made.instance > 0)
        assert all(0 <= one.instance <= 6 for one in made.references)
    assert {1, 2} < counts <= {0, 1, 2, 3, 4, 5, 6}


@pytest.mark.parametrize("seen", [0, 1], ids=["told the truth", "through the decomposer"])
def test_a_figure_and_its_references_come_with_the_truth_of_their_regions(seen, monkeypatch):
    """What is painted by the tables is the drawn figure: parts agree, and equal parts have equal colours; so too where
    the decomposer finds the lines of the figure and the flats of its references."""
    monkeypatch.setattr(region_pairs, "_DECOMPOSED", seen)
    monkeypatch.setattr(region_pairs, "_EXTRACTED", seen)
    agreed = []
    for number in range(8):
        target, shown = figure(number)
        assert target.planes.shape == (2, 256, 256)
        assert target.labels.max() <= REGIONS
        known = {part: color for *color, part, share in target.regions.tolist() if share > 200 and part}
        for one in shown:
            assert one.planes.shape == (5, 256, 256)
            for *color, part, share in one.regions.tolist():
                if share > 240 and part in known:
                    agreed.append(np.abs(np.subtract(color, known[part])).max() <= 24)
    assert np.mean(agreed) > 0.6  # light that was taken for colour, and parts that mix at small sizes
    assert len(agreed) > 40


def test_region_samples_are_mirrored_and_recoloured_together():
    made = packed(*figure(3))
    for seed in range(12):
        out = varied(np.random.default_rng(seed), made)
        assert sorted(out[3:6].mean((1, 2)).round(4)) == sorted(made[3:6].mean((1, 2)).round(4))
        assert np.array_equal(np.bincount(out[2].ravel()), np.bincount(made[2].ravel()))
        before, after = (np.sort(one[-1].ravel()[: 96 * 5].reshape(96, 5)[:, :3], axis=1) for one in (made, out))
        assert np.array_equal(before, after)


def test_now_and_then_a_reference_shows_a_stranger_whose_parts_are_nobody_s():
    made, other = packed(*figure(3)), packed(*figure(5))
    apart = []
    for seed in range(60):
        out = beside_a_stranger(np.random.default_rng(seed), made, other)
        assert beside_a_stranger(np.random.default_rng(seed), made, made) is made  # nobody is a stranger to himself
        if np.array_equal(out, made):
            continue
        (place,) = [i for i in range(2) if np.array_equal(out[3 + 6 * i : 9 + 6 * i], other[3:9])]
        tables = out[-1].ravel()[: 3 * 96 * 5].reshape(3, 96, 5)
        assert not set(tables[1 + place, :, 3]) & set(tables[0, :, 3])
        assert np.array_equal(tables[1 + place][:, :3], other[-1].ravel()[96 * 5 : 2 * 96 * 5].reshape(96, 5)[:, :3])
        kept = [i for i in range(3) if i != 1 + place]
        assert np.array_equal(tables[kept], made[-1].ravel()[: 3 * 96 * 5].reshape(3, 96, 5)[kept])
        apart.append(place)
    assert 3 <= len(apart) <= 20
    assert set(apart) == {0, 1}


def test_held_out_regions_come_as_the_recipe_takes_them():
    made = held_out_regions(2)
    assert {name: tuple(tensor.shape) for name, tensor in made.items()} == {
        "line": (2, 2, 256, 256), "labels": (2, 256, 256), "regions": (2, 96, 5),
        "references": (2, 2, 5, 256, 256), "patches": (2, 2, 256, 256), "shown": (2, 2, 96, 5), "histogram": (2, 256),
    }  # fmt: skip
    again = held_out_regions(2)
    assert all((made[name] == again[name]).all() for name in made)


def test_batches_come_from_worker_processes_and_end_with_the_generator():
    endless = region_batches(0, 2, Pace(1.0, 4))
    try:
        for batch in islice(endless, 2):
            assert batch["references"].shape == (2, 2, 5, 256, 256)
    finally:
        endless.close()


def test_a_batch_holds_samples_of_like_size():
    """Among four batches in a row none has a sample that would fit better into another one."""

    def sizes(batch):
        patches = batch["patches"].flatten(2).amax(2)
        most = torch.cat([batch["labels"].flatten(1).amax(1, keepdim=True), patches], 1).amax(1)
        return sorted(zip((patches > 0).sum(1).tolist(), most.tolist(), strict=True))

    with closing(region_batches(0, 2, Pace(1.0, 8))) as endless:
        found = sorted(sizes(batch) for batch in islice(endless, 4))
    assert all(before[-1] <= after[0] for before, after in pairwise(found))
    assert found[0] != found[-1]


def test_a_reference_whose_figure_fills_its_whole_sheet_is_seen_like_any_other():
    """The product then cuts it out by its ground, although there is a mask."""
    _, shown = figure(700003134)
    assert any(square.labels.any() for square in shown)
