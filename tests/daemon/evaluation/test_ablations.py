"""Claims about comparing trained colorizers, on tiny networks."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from celwright.cli import main
from celwright.domain import FloatImage, Pixels
from celwright.errors import UnusableInputError
from celwright.evaluation.ablations import Sheet, ways
from celwright.evaluation.pairs import evaluate, shown_pairs
from celwright.imaging.files import read_picture
from celwright.models.presets import build_colorizer
from celwright.training.pairs import ColorSample

SIZE = 96
RED = (200, 30, 40)

pytestmark = pytest.mark.usefixtures("one_thread")


def look(picture: Pixels) -> FloatImage:
    """Lines are what is dark, flats what is seen beside them."""
    ink = (picture.data[..., :3].max(axis=2) < 60).astype(np.float32)
    return np.dstack([ink, picture.data[..., :3] / np.float32(255)])


def run_folder(folder: Path, *left_out: str) -> Path:
    """What a training of tiny networks leaves behind."""
    folder.mkdir()
    network = build_colorizer("tiny", **dict.fromkeys(left_out, False))
    options = {"preset": "tiny", "left_out": str(left_out)}
    torch.save({"average": network.state_dict(), "options": options}, folder / "checkpoint.pt")
    return folder


def red_reference(made: ColorSample) -> ColorSample:
    """The sample with references that are all of one colour."""
    red = np.full((SIZE, SIZE, 3), RED, np.uint8)
    return replace(made, references=tuple(replace(one, picture=red) for one in made.references))


def samples(count: int) -> list[ColorSample]:
    return [made for made, _ in shown_pairs(count, SIZE)]


def test_each_run_is_named_after_what_it_leaves_out_and_stands_in_three_ways(tmp_path: Path) -> None:
    names = {"full": (), "w/o SGM": ("sgm",), "w/o ISMFF": ("ismff",), "w/o LGB": ("lgb",)}
    runs = [run_folder(tmp_path / str(i), *parts) for i, parts in enumerate(names.values())]
    compared = ways(runs, look)
    assert [way.name for way in compared] == [
        f"{name}, {way}" for name in names for way in ("pointed", "sampled", "invented")
    ]
    scores = evaluate(compared[2:], count=2, size=SIZE)
    assert [(score.name, score.count) for score in scores] == [(way.name, 2) for way in compared[2:]]
    assert all(0 <= score.accuracy <= 1 for score in scores)


def test_runs_that_leave_out_the_same_have_their_folders_in_their_names(tmp_path: Path) -> None:
    runs = [run_folder(tmp_path / "one"), run_folder(tmp_path / "two"), run_folder(tmp_path / "three", "lgb", "sgm")]
    assert [way.name for way in ways(runs, look)[::3]] == [
        "full (one), pointed", "full (two), pointed", "w/o LGB, SGM, pointed",
    ]  # fmt: skip


def test_what_is_pointed_at_is_a_colour_of_the_reference_and_what_is_sampled_is_none(tmp_path: Path) -> None:
    pointed, sampled, invented = ways([run_folder(tmp_path / "run")], look)
    for made in map(red_reference, samples(3)):
        taken, drawn = pointed.paint(made), sampled.paint(made)
        colored = taken[..., 3] > 0
        assert colored.any()
        assert (taken[colored][:, :3] == RED).all()
        assert (drawn[..., 3] == taken[..., 3]).all()
        assert (drawn[colored][:, :3] != RED).any()
        assert (invented.paint(made)[..., 3] == taken[..., 3]).all()


def test_what_is_invented_depends_on_no_reference(tmp_path: Path) -> None:
    _, sampled, invented = ways([run_folder(tmp_path / "run")], look)
    made = samples(1)[0]
    assert np.array_equal(invented.paint(made), invented.paint(red_reference(made)))
    assert not np.array_equal(sampled.paint(made), sampled.paint(red_reference(made)))


def test_what_is_sampled_for_a_picture_does_not_depend_on_what_came_before(tmp_path: Path) -> None:
    first, second = samples(2)
    _, alone, _ = ways([run_folder(tmp_path / "run")], look)
    seen = alone.paint(first)
    alone.paint(second)
    assert np.array_equal(alone.paint(first), seen)
    assert seen[..., 3].any()


def test_a_sheet_shows_line_art_reference_truth_and_every_way_of_at_most_eight_pairs() -> None:
    made = samples(1)[0]
    truth, right, wrong = (np.full((SIZE, SIZE, 3), value, np.float32) for value in (0.2, 0.2, 0.6))
    sheet = Sheet(["right", "wrong"])
    for _ in range(9):
        sheet(made, truth, [right, wrong])
    drawn = sheet.drawn()
    column, row = SIZE + 8, SIZE + 28 + 8
    assert drawn.size == (5 * column + 8, 8 * row + 8)
    middles = [drawn.data[8 + 7 * row + 28 + SIZE // 2, 8 + i * column + SIZE // 2, 0] for i in range(2, 5)]
    assert middles == [51, 51, 153]
    shown = next(one.picture for one in made.references if one.instance)
    assert np.array_equal(drawn.data[36 : 36 + SIZE, 8 + column : 8 + column + SIZE], shown)


def test_the_command_prints_the_table_and_writes_the_sheet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, sheet = run_folder(tmp_path / "run"), tmp_path / "sheet.png"
    assert main(["evaluate", "ablations", "--runs", str(run), "--count", "1", "--sheet", str(sheet)]) == 0
    assert [line.split(" | ")[0] for line in capsys.readouterr().out.splitlines()[2:]] == [
        "| full, pointed", "| full, sampled", "| full, invented",
    ]  # fmt: skip
    assert read_picture(sheet)[0].size == (6 * 264 + 8, 256 + 28 + 8 + 8)


def test_a_sheet_that_exists_is_not_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = tmp_path / "sheet.png"
    sheet.write_text("mine")
    assert main(["evaluate", "ablations", "--runs", str(tmp_path), "--sheet", str(sheet)]) == 2
    assert capsys.readouterr().err == (
        f"celwright: {sheet} exists already; use --force to overwrite it or choose another name.\n"
    )
    assert sheet.read_text() == "mine"


def test_other_tasks_have_no_sheet(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "pairs", "--sheet", "sheet.png"]) == 2
    assert capsys.readouterr().err == (
        "celwright: --sheet is not for pairs, only for ablations and balance; leave it out.\n"
    )


def test_a_folder_without_a_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableInputError) as raised:
        ways([tmp_path], look)
    assert str(raised.value) == (
        f"{tmp_path} holds no checkpoint.pt (No such file or directory); name the folder that a colorizer's training "
        f"wrote."
    )
