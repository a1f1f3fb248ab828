"""Claims about the heat map of what the terms of a loss count."""

from pathlib import Path

import pytest
import torch
from celwright.cli import main
from celwright.errors import WrongUsageError
from celwright.evaluation.balance import Balance, balances, check, heat_map, table
from celwright.evaluation.pairs import PairScore
from celwright.imaging.files import read_picture
from celwright.models.presets import build_colorizer

pytestmark = pytest.mark.usefixtures("one_thread")


def score(accuracy: float, frechet: float | None = None) -> PairScore:
    return PairScore("a way", 2, 26.0, 20.0, 0.9, accuracy, None, frechet)


def cell(structure: float, pointing: float, accuracy: float, frechet: float | None = None) -> Balance:
    return Balance(structure, pointing, score(accuracy), score(0.0), score(0.0, frechet))


def run_folder(folder: Path, structure: float, pointing: float) -> Path:
    """What a training of tiny networks leaves behind."""
    folder.mkdir()
    options = {"preset": "tiny", "left_out": "()", "structure": str(structure), "pointing": str(pointing)}
    torch.save({"average": build_colorizer("tiny").state_dict(), "options": options}, folder / "checkpoint.pt")
    return folder


def test_each_run_has_three_scores_in_turn() -> None:
    scores = [score(i / 10) for i in range(6)]
    first, second = balances([(0.0, 1.0), (0.3, 1.0)], scores)
    assert (first.structure, first.pointed, first.sampled, first.invented) == (0.0, *scores[:3])
    assert (second.structure, second.pointed, second.sampled, second.invented) == (0.3, *scores[3:])


def test_the_table_has_a_row_for_structure_and_a_column_for_pointing_each_in_order() -> None:
    found = [cell(1, 3, 0.25, 60.04), cell(0.1, 0.3, 0.5), cell(0.1, 3, 0.75, 80)]
    assert table(found).splitlines() == [
        "| structure \\ pointing | 0.3 | 3 |",
        "|---|---|---|",
        "| 0.1 | 0.500 | 0.750 / 80.0 |",
        "| 1 |  | 0.250 / 60.0 |",
    ]


def test_the_best_cell_is_the_lightest_and_what_was_not_run_stays_white() -> None:
    found = [cell(0, 1, 0.2), cell(0, 3, 0.4), cell(1, 3, 0.6)]
    picture = heat_map(found).data
    corners = {(i, j): picture[84 + 84 * i + 4, 132 + 132 * j + 4].tolist() for i in range(2) for j in range(2)}
    assert corners == {(0, 0): [38, 52, 96], (0, 1): [144, 133, 94], (1, 1): [250, 214, 92], (1, 0): [255, 255, 255]}


def test_two_runs_of_the_same_weights_are_refused() -> None:
    with pytest.raises(WrongUsageError) as raised:
        check([(0.0, 1.0), (0.3, 1.0), (0.0, 1.0)])
    assert str(raised.value) == "2 runs have structure 0 and pointing 1; name one of them."


def test_the_command_prints_the_table_and_writes_the_map(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [str(run_folder(tmp_path / name, weight, 1.0)) for name, weight in (("a", 0.0), ("b", 0.3))]
    sheet = tmp_path / "map.png"
    assert main(["evaluate", "balance", "--runs", *runs, "--count", "1", "--sheet", str(sheet)]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert [row.split(" | ")[0] for row in rows] == ["| structure \\ pointing", "|---|---|", "| 0", "| 0.3"]
    assert read_picture(sheet)[0].size == (132 + 132 + 8, 84 + 2 * 84 + 8)
