from itertools import islice

import cv2
import numpy as np
import pytest
from celwright.training.drawing.identity import KINDS, PARTS, identity
from celwright.training.drawing.lighting import rendered
from celwright.training.drawing.sheets import Nib, Sheet
from celwright.training.drawing.views import framed, view
from celwright.training.pairs import colour_batches, held_out_pairs, packed, pair, varied

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
    one, two, other = packed(pair(number, SIZE)), packed(pair(number, SIZE)), packed(pair(number + 1, SIZE))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("kind", KINDS)
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


def test_a_reference_counts_in_the_region_of_its_figure():
    for number in range(12):
        made = pair(number, 48)
        planes = packed(made)
        for i, one in enumerate(made.references):
            region = planes[10 + 6 * i + 5] > 0
            assert (region == (made.instance == one.instance)).all() if one.assigned else region.all()


def test_channels_are_swapped_in_target_and_references_alike():
    made = packed(pair(3, 48))
    for seed in range(12):
        out = varied(np.random.default_rng(seed), made)
        assert out.shape == made.shape
        before = sorted(made[start : start + 3].mean().round(4) for start in (1, 4, 10, 16))
        after = sorted(out[start : start + 3].mean().round(4) for start in (1, 4, 10, 16))
        np.testing.assert_allclose(before, after)
        np.testing.assert_array_equal(np.sort(made[:, :, :].sum((1, 2))), np.sort(out.sum((1, 2))))


def test_held_out_samples_come_as_the_network_takes_them():
    made = held_out_pairs(3, 32)
    shapes = {name: tuple(tensor.shape) for name, tensor in made.items()}
    one = (3, 1, 32, 32)
    assert shapes == {
        "line": one,
        "color": (3, 3, 32, 32),
        "flat": (3, 3, 32, 32),
        "instance": one,
        "part": one,
        "alpha": one,
        "hints": (3, 4, 32, 32),
        "selection": one,
        "references": (3, 2, 5, 32, 32),
        "reference_region": (3, 2, 1, 32, 32),
        "histogram": (3, 256),
    }
    assert {str(tensor.dtype) for name, tensor in made.items() if name != "histogram"} == {"torch.uint8"}
    assert str(made["histogram"].dtype) == "torch.float32"
    again = held_out_pairs(3, 32)
    assert all((made[name] == again[name]).all() for name in made)


def test_batches_come_from_worker_processes_and_end_with_the_generator():
    endless = colour_batches(0, 2, 32, workers=1, replays=1.0, pool=4)
    try:
        for batch in islice(endless, 2):
            assert batch["references"].shape == (2, 2, 5, 32, 32)
    finally:
        endless.close()
