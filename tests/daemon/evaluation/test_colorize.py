"""Claims about measuring hint colouring."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from celwright.errors import UnusableInputError
from celwright.evaluation.colorize import (
    by_components,
    by_nearest_color,
    by_nearest_hint,
    close_share,
    evaluate_hints,
    one_dot_per_region,
    table,
    true_regions,
)
from numpy.typing import NDArray
from PIL import Image

SKIN, HAIR = (240, 200, 170, 255), (90, 50, 30, 255)


def page() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Line and flat of two rooms, the left one much the larger, that an opening joins."""
    line, flat = np.zeros((80, 160, 4), np.uint8), np.zeros((80, 160, 4), np.uint8)
    cv2.rectangle(line, (10, 10), (150, 70), (0, 0, 0, 255), 2)
    cv2.line(line, (120, 10), (120, 36), (0, 0, 0, 255), 2)
    cv2.line(line, (120, 44), (120, 70), (0, 0, 0, 255), 2)
    flat[10:71, 10:121], flat[10:71, 121:151] = SKIN, HAIR
    return line, flat


def ink_of(line: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(line[..., 3])


def test_true_regions_are_touching_pixels_of_one_colour_without_anti_aliasing() -> None:
    _, flat = page()
    flat[10:71, 121] = (165, 125, 100, 255)
    regions = true_regions(flat)
    assert regions.max() == 2
    assert regions[40, 20] != regions[40, 140]
    assert not regions[:, 121].any()
    assert regions[0, 0] == 0


def test_each_region_gets_one_dot_of_its_colour_far_from_lines() -> None:
    line, flat = page()
    regions = true_regions(flat)
    count, hints = one_dot_per_region(regions, flat, ink_of(line))
    dotted = hints[..., 3] > 0
    assert count == 2
    assert cv2.connectedComponents(dotted.astype(np.uint8))[0] - 1 == 2
    assert np.array_equal(hints[dotted], flat[dotted])
    assert not (dotted & (line[..., 3] > 0)).any()


def test_dots_on_a_share_of_the_regions_go_to_the_largest() -> None:
    line, flat = page()
    count, hints = one_dot_per_region(true_regions(flat), flat, ink_of(line), largest=0.5)
    assert count == 1
    assert {tuple(color) for color in hints[hints[..., 3] > 0]} == {SKIN}


def test_the_baselines_do_what_they_are_named_after() -> None:
    line, flat = page()
    hints = np.zeros_like(flat)
    hints[40, 30], hints[40, 140] = SKIN, HAIR
    nearest = by_nearest_hint(hints)
    assert tuple(nearest[40, 84]) == SKIN
    assert tuple(nearest[40, 86]) == HAIR
    line[36:45, 119:122] = (0, 0, 0, 255)  # the opening closed
    components = by_components(hints, ink_of(line))
    assert tuple(components[40, 115]) == SKIN
    assert tuple(components[20, 125]) == HAIR


def test_hints_allow_at_most_the_colours_that_they_show() -> None:
    _, flat = page()
    hints = np.zeros_like(flat)
    hints[40, 30] = SKIN
    best = by_nearest_color(hints, flat)
    assert best.shape == flat.shape
    assert {tuple(color) for color in best.reshape(-1, 4)} == {SKIN}
    hints[40, 140] = HAIR
    opaque = flat[..., 3] == 255
    assert np.array_equal(by_nearest_color(hints, flat)[opaque], flat[opaque])


def test_the_share_counts_visible_pixels_within_five() -> None:
    flat = np.full((8, 8, 4), (100, 100, 100, 255), np.uint8)
    filled = flat.copy()
    filled[:4] = (104, 100, 100, 255)  # CIEDE2000 about 3
    filled[4:6] = (140, 100, 100, 255)
    filled[6:] = (100, 100, 100, 0)
    visible = np.ones((8, 8), bool)
    assert close_share(filled, flat, visible) == 0.5
    visible[7] = False
    assert close_share(filled, flat, visible) == pytest.approx(4 / 7)


def test_a_folder_of_pages_is_scored_and_the_pipeline_beats_both_baselines(tmp_path: Path) -> None:
    line, flat = page()
    for name in ("a", "b/c"):
        (tmp_path / name).mkdir(parents=True)
        Image.fromarray(line).save(tmp_path / name / "line.png")
        Image.fromarray(flat).save(tmp_path / name / "flat.png")
    scores = list(evaluate_hints(tmp_path))
    assert [score.page for score in scores] == ["a", "b/c"]
    for score in scores:
        assert score.dots == 2
        assert score.shares["celwright"] > 0.99
        assert score.shares["celwright"] > max(score.shares["nearest hint"], score.shares["components"])
    lines = table(scores).splitlines()
    assert lines[0] == "| page | dots | celwright | nearest hint | components | at most | s |"
    assert lines[-1].startswith("| mean |  | ")
    assert len(lines) == 5


def test_parts_of_a_colour_that_lines_cut_off_get_dots_of_their_own_unless_asked_otherwise(tmp_path: Path) -> None:
    line, flat = page()
    line[36:45, 119:122] = (0, 0, 0, 255)
    flat[10:71, 121:151] = SKIN
    Image.fromarray(line).save(tmp_path / "line.png")
    Image.fromarray(flat).save(tmp_path / "flat.png")
    assert [score.dots for score in evaluate_hints(tmp_path)] == [2]
    assert [score.dots for score in evaluate_hints(tmp_path, across_lines=True)] == [1]


def test_a_folder_without_pages_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableInputError) as raised:
        list(evaluate_hints(tmp_path))
    assert str(raised.value) == (
        f"No folder below {tmp_path} holds line.png and flat.png; both are needed to measure colouring by hints."
    )
