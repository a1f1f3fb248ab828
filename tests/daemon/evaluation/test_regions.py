"""Claims about how segmentations are scored."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from celwright.domain import Pixels
from celwright.errors import UnusableInputError
from celwright.evaluation.regions import evaluate, score, table, true_regions
from celwright.imaging.lineart import ink
from celwright.regions.show import id_map
from PIL import Image

RED, BLUE = (200, 40, 40, 255), (30, 60, 190, 255)


def halves() -> np.ndarray:
    """(20, 40) truth: region 1 left, 2 right."""
    truth = np.ones((20, 40), np.int32)
    truth[:, 20:] = 2
    return truth


def write_page(folder: Path, gap: int = 0) -> None:
    """Two squares, red and blue, side by side; their common wall is open over ``gap`` pixels."""
    folder.mkdir(parents=True)
    line, flat = np.zeros((100, 160, 4), np.uint8), np.zeros((100, 160, 4), np.uint8)
    cv2.rectangle(line, (20, 20), (80, 80), (0, 0, 0, 255), 3)
    cv2.rectangle(line, (80, 20), (140, 80), (0, 0, 0, 255), 3)
    line[40 : 40 + gap, 75:86] = 0
    flat[20:81, 20:80], flat[20:81, 80:141] = RED, BLUE
    Image.fromarray(line).save(folder / "line.png")
    Image.fromarray(flat).save(folder / "flat.png")


def test_the_truth_itself_scores_one():
    truth = halves()
    result = score(truth, truth, truth)
    assert (result.iou, result.area_iou, result.purity, result.regions) == (1, 1, 1, 2)


def test_one_region_over_both_scores_half_of_each():
    truth = halves()
    result = score(truth, truth, np.ones_like(truth))
    assert (result.iou, result.area_iou, result.purity, result.regions) == (0.5, 0.5, 0.5, 1)


def test_a_region_cut_in_two_keeps_its_purity_but_not_its_match():
    truth, found = halves(), halves()
    found[:5, 20:] = 3
    result = score(truth, truth, found)
    assert result.iou == pytest.approx((1 + 0.75) / 2)
    assert result.purity == 1


def test_pixels_of_line_do_not_count():
    truth, paint, found = halves(), halves(), halves()
    paint[:, 18:22] = -1
    found[:, 18:22] = 1
    assert score(truth, paint, found).iou == 1


def test_large_regions_weigh_more_in_the_area_mean():
    truth = np.ones((20, 40), np.int32)
    truth[:, 30:] = 2
    found = truth.copy()
    found[:10, 30:] = 3
    result = score(truth, truth, found)
    assert result.iou == pytest.approx(0.75)
    assert result.area_iou == pytest.approx(0.75 * 1 + 0.25 * 0.5)


def test_a_page_of_two_flats_has_two_true_regions(tmp_path):
    write_page(tmp_path / "page")
    line = Pixels(np.array(Image.open(tmp_path / "page" / "line.png")))
    truth, paint = true_regions(tmp_path / "page", ink(line))
    assert truth.max() == 2
    assert paint[5, 5] == 0
    assert truth[50, 50] != truth[50, 110]


def test_exact_paint_ids_are_preferred_to_colours(tmp_path):
    write_page(tmp_path / "page")
    line = Pixels(np.array(Image.open(tmp_path / "page" / "line.png")))
    paint = np.zeros((100, 160), np.uint16)
    paint[22:79, 22:79] = 4
    np.savez(tmp_path / "page" / "ink_paint_tone.npz", paint=paint)
    assert true_regions(tmp_path / "page", ink(line))[0].max() == 1


def test_gap_closing_beats_plain_components_on_an_open_page(tmp_path):
    write_page(tmp_path / "open", gap=5)
    write_page(tmp_path / "closed")
    rows = evaluate(tmp_path)
    assert [row.page for row in rows] == ["closed", "open", "mean"]
    opened = rows[1].scores
    assert opened["celwright"].iou > 0.99
    assert opened["components"].iou < 0.6
    assert rows[2].scores["celwright"].iou > 0.99


def test_a_peers_labels_get_a_column_of_their_own(tmp_path):
    write_page(tmp_path / "pages" / "one")
    peer = tmp_path / "peer"
    peer.mkdir()
    Image.fromarray(id_map(np.ones((100, 160), np.int32)).data).save(peer / "one.png")
    rows = evaluate(tmp_path / "pages", peer_labels=peer)
    assert rows[0].scores["peer"].regions == 1
    assert rows[0].scores["peer"].iou < 0.5
    text = table(rows).splitlines()
    assert len(text) == 4
    assert "peer" in text[0]


def test_a_folder_without_pages_is_refused(tmp_path):
    with pytest.raises(UnusableInputError) as fault:
        evaluate(tmp_path)
    assert str(fault.value) == (
        f"There is no page in {tmp_path}: folders with line.png and flat.png (or ink_paint_tone.npz) are needed; "
        "name a folder that holds such folders."
    )


def test_completed_lines_stand_beside_lines_as_drawn(tmp_path):
    """What completes the page is asked once a page, and its regions are the ones called ours."""
    write_page(tmp_path / "page", gap=30)
    write_page(tmp_path / "whole")
    whole = ink(Pixels(np.array(Image.open(tmp_path / "whole" / "line.png"))))
    page, other, mean = evaluate(tmp_path, complete=lambda seen: whole)
    assert page.page == "page"
    assert list(page.scores) == ["celwright", "as drawn", "components"]
    assert page.scores["celwright"].purity > 0.99 > page.scores["as drawn"].purity
    assert other.scores["celwright"].iou == other.scores["as drawn"].iou
    assert page.truth == other.truth == mean.truth == 2


def test_worn_lines_are_broken_in_the_same_way_every_time_and_judged_by_the_whole_ones(tmp_path):
    for number in range(4):
        write_page(tmp_path / f"page{number}")
    whole = ink(Pixels(np.array(Image.open(tmp_path / "page0" / "line.png"))))
    runs = []
    for _ in range(2):
        runs.append([])
        rows = evaluate(tmp_path, complete=lambda lines: runs[-1].append(lines) or lines, worn=True)
    assert np.array_equal(*runs)
    assert any((lines < whole).any() for lines in runs[0])
    assert [row.truth for row in rows] == [2] * 5
