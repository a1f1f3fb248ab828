"""The command line from arguments to files, with real pipelines."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from celwright import wiring, workshop
from celwright.cli import main
from celwright.domain import ColorizeRequest, Event, Guidance
from celwright.imaging.files import read_picture
from psd_tools import PSDImage

INK = (40, 20, 60)


@pytest.fixture
def line_art(tmp_path: Path) -> Path:
    """Two closed squares on transparency."""
    image = np.zeros((64, 96, 4), np.uint8)
    for x in (8, 52):
        cv2.rectangle(image, (x, 12), (x + 36, 52), (*INK[::-1], 255), 2)
    cv2.imwrite(str(tmp_path / "squares.png"), image)
    return tmp_path / "squares.png"


@pytest.fixture
def hints(tmp_path: Path) -> Path:
    """A red dot in the left square, a blue one in the right."""
    image = np.zeros((64, 96, 4), np.uint8)
    cv2.circle(image, (26, 32), 4, (0, 0, 255, 255), -1)
    cv2.circle(image, (70, 32), 4, (255, 0, 0, 255), -1)
    cv2.imwrite(str(tmp_path / "hints.png"), image)
    return tmp_path / "hints.png"


def _rgba(path: Path) -> np.ndarray:
    return read_picture(path)[0].rgba().data


def test_colorize_fills_what_the_hints_touch_and_keeps_the_line(line_art: Path, hints: Path, tmp_path: Path) -> None:
    layers = tmp_path / "layers"
    assert main(["colorize", str(line_art), "--hints", str(hints), "--layers-dir", str(layers), "--quiet"]) == 0
    flat = _rgba(layers / "flat.png")
    assert flat[20, 20].tolist() == [255, 0, 0, 255]
    assert flat[48, 84].tolist() == [0, 0, 255, 255]
    np.testing.assert_array_equal(_rgba(layers / "line.png"), _rgba(line_art))
    composite = _rgba(tmp_path / "squares-layers.psd")
    np.testing.assert_array_equal(composite, _rgba(layers / "composite.png"))


def test_colorize_snaps_to_a_palette(line_art: Path, hints: Path, tmp_path: Path) -> None:
    (tmp_path / "two.hex").write_text("c03030\n303090\n", encoding="utf-8")
    arguments = ["colorize", str(line_art), "--hints", str(hints), "--palette", str(tmp_path / "two.hex")]
    assert main([*arguments, "--layers-dir", str(tmp_path / "layers"), "--quiet"]) == 0
    assert _rgba(tmp_path / "layers" / "flat.png")[20, 20].tolist() == [0xC0, 0x30, 0x30, 255]


def test_guidance_and_light_of_the_command_line_reach_the_request(
    line_art: Path, hints: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[ColorizeRequest] = []
    run = wiring.run

    def watched(request: ColorizeRequest, *more: Any) -> Iterator[Event]:
        asked.append(request)
        return run(request, *more)

    monkeypatch.setattr(wiring, "run", watched)
    job = ["colorize", str(line_art), "--hints", str(hints), "--quiet", "--force"]
    assert main([*job, "--guidance", "references=2", "histogram=1", "--guidance", "hints=0.5", "--light", "90"]) == 0
    assert main(job) == 0
    assert [(request.guidance, request.light) for request in asked] == [(Guidance(2, 0.5, 1), 90), (Guidance(), 130)]


def test_segment_prints_one_object_with_seconds_by_stage(
    line_art: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--preview", str(tmp_path / "p.png"), "--leaks", str(tmp_path / "l.png"), "--json"]
    assert main(["segment", str(line_art), *arguments]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["output"] == str(tmp_path / "squares-regions.png")
    assert facts["regions"] == 3
    assert {"load", "segment"} <= facts["seconds"].keys()
    ids = _rgba(tmp_path / "squares-regions.png").view(np.uint32)[..., 0]
    assert len(set(ids[[32, 32, 2], [26, 70, 2]].tolist())) == 3
    assert (tmp_path / "p.png").is_file()
    assert (tmp_path / "l.png").is_file()


def test_decompose_writes_layers_a_contact_sheet_and_its_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = np.full((48, 64, 3), (80, 120, 200), np.uint8)
    cv2.rectangle(picture, (10, 10), (50, 40), (20, 20, 20), 2)
    cv2.imwrite(str(tmp_path / "page.png"), picture)
    arguments = ["decompose", str(tmp_path / "page.png"), "--fidelity", "exact", "--json"]
    arguments += ["-o", str(tmp_path / "page.ora"), "--contact-sheet", str(tmp_path / "sheet.png")]
    assert main([*arguments, "--layers-dir", str(tmp_path / "layers")]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["recomposition"]["max"] <= 2
    assert facts["model"] == "embedded"
    assert {"read", "load", "infer", "fit", "write"} <= facts["seconds"].keys()
    assert sorted(path.name for path in (tmp_path / "layers").iterdir()) == [
        "composite.png", "flat.png", "highlight.png", "line.png", "shadow.png",
    ]  # fmt: skip
    again = _rgba(tmp_path / "page.ora")[..., :3].astype(int)
    assert np.abs(again - picture[..., ::-1]).max() <= 2


def test_decompose_makes_the_layers_as_they_are_wanted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = np.full((60, 90, 3), (80, 120, 200), np.uint8)
    picture[:, 45:] = (200, 90, 40)
    picture[30:, ::3] //= 2
    cv2.imwrite(str(tmp_path / "page.png"), picture)
    arguments = ["decompose", str(tmp_path / "page.png"), "--json", "--layers-dir", str(tmp_path / "layers")]
    arguments += ["--flat-colors", "2", "--shadow-tones", "1", "--shadow-tint", "region", "--merge-highlight"]
    assert main([*arguments, "--shadow-blend", "normal"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["shadow_blend"] == "normal"
    assert facts["recomposition"]["psnr"] > 0
    assert "finish" in facts["seconds"]
    flat = _rgba(tmp_path / "layers/flat.png")
    assert len(np.unique(flat[flat[..., 3] > 0][:, :3], axis=0)) <= 2
    assert not _rgba(tmp_path / "layers/highlight.png").any()
    blends = {layer.name: layer.blend_mode.name for layer in PSDImage.open(tmp_path / "page-layers.psd")}
    assert blends == {"flat": "NORMAL", "shadow": "NORMAL", "highlight": "SCREEN", "line": "NORMAL"}


def test_a_second_run_is_refused_without_force_and_leaves_the_first_result(
    line_art: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["segment", str(line_art), "--quiet"]) == 0
    target = line_art.with_name("squares-regions.png")
    before = target.read_bytes()
    capsys.readouterr()
    assert main(["segment", str(line_art), "--gap", "3", "--quiet"]) == 2
    assert capsys.readouterr().err == (
        f"celwright: {target} exists already; use --force to overwrite it or choose another name.\n"
    )
    assert target.read_bytes() == before
    assert main(["segment", str(line_art), "--quiet", "--force"]) == 0


def test_progress_is_plain_lines_where_there_is_no_terminal(line_art: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["segment", str(line_art)]) == 0
    shown = capsys.readouterr()
    assert "segment 0%\n" in shown.err
    assert "regions: 3, openings closed: 0" in shown.out


WRONG: list[tuple[list[str], int, str]] = [
    (["decompose", "{tmp}/none.png"], 2, "{tmp}/none.png does not exist; check the name."),
    (["decompose", "{tmp}"], 2, "{tmp} is a folder; name a picture file in it."),
    (["decompose", "{line}", "-o", "{tmp}/x.jpg"], 2,
     "{tmp}/x.jpg names no layered format; .psd, .psb, .ora are allowed: change the ending."),
    (["decompose", "{line}", "-o", "{tmp}/no/x.psd"], 2,
     "The folder {tmp}/no does not exist; create it or choose another for x.psd."),
    (["decompose", "{line}", "--layers-dir", "{tmp}/no/layers"], 2,
     "The folder {tmp}/no does not exist; create it or choose another for layers."),
    (["decompose", "{line}", "--model", "huge"], 1,
     "The model 'huge' is not installed; 'embedded' can decompose: choose one of them."),
    (["decompose", "{line}", "--flat-colors", "999"], 2, "The number of flat colours is 999; 0 to 256 is allowed."),
    (["decompose", "{line}", "--flat-colors", "4", "--merge-highlight", "--fidelity", "exact"], 2,
     "The fidelity 'exact' came with limited flat colours and merged highlights, which leave no layer for the rest of "
     "the picture; it goes with one of them: leave the others out, or take the fidelity 'clean'."),
    (["colorize", "{line}", "--hints", "{small}"], 2,
     "The hints image is 16x16 pixels at (0, 0), the line art 96x64 at (0, 0); both must match: "
     "export it with the whole canvas."),
    (["colorize", "{line}", "--selection", "{black}"], 1,
     "The selection is empty; select at least one pixel or select nothing at all."),
    (["colorize", "{line}", "--guidance", "colour=2"], 2,
     "The guidance 'colour=2' is not understood; references, hints or histogram, an equals sign and a number from 0 to "
     "10 are allowed: write hints=1.5, say."),
    (["colorize", "{line}", "--guidance", "hints"], 2,
     "The guidance 'hints' is not understood; references, hints or histogram, an equals sign and a number from 0 to 10 "
     "are allowed: write hints=1.5, say."),
    (["colorize", "{line}", "--guidance", "hints=2", "hints=3"], 2,
     "The guidance of hints came twice; one for each condition is allowed: keep one."),
    (["colorize", "{line}", "--guidance", "hints=-1"], 2,
     "The guidance of hints is -1.0; 0 to 10 is allowed: choose 1 to take it as it was learnt, more to exaggerate it."),
    (["segment", "{line}", "--gap", "999"], 2, "The gap is 999; 0 to 256 is allowed."),
    (["segment", "{small}", "--connect", "unix:{tmp}/nobody"], 1,
     "No daemon answers at unix:{tmp}/nobody, or it ended at work; start it with 'celwright serve' and try again."),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "code", "sentence"), WRONG, ids=[" ".join(case[0][:4]) for case in WRONG])
def test_a_fault_is_one_sentence_and_leaves_nothing_behind(
    arguments: list[str], code: int, sentence: str, line_art: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cv2.imwrite(str(tmp_path / "small.png"), np.full((16, 16, 4), 255, np.uint8))
    cv2.imwrite(str(tmp_path / "black.png"), np.zeros((64, 96), np.uint8))
    places = {"tmp": tmp_path, "line": line_art, "small": tmp_path / "small.png", "black": tmp_path / "black.png"}
    before = sorted(tmp_path.rglob("*"))
    assert main([argument.format(**places) for argument in arguments]) == code
    assert capsys.readouterr().err.splitlines()[-1] == "celwright: " + sentence.format(**places)
    assert sorted(tmp_path.rglob("*")) == before


def test_an_unknown_option_is_wrong_usage() -> None:
    with pytest.raises(SystemExit) as ending:
        main(["decompose", "x.png", "--speed", "9"])
    assert ending.value.code == 2


@pytest.mark.parametrize(
    "command", ["decompose", "colorize", "segment", "serve", "models", "library", "train", "evaluate", "bench"]
)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ending:
        main([command, "--help"])
    assert ending.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: celwright {command}")


def test_no_scenes_are_no_measurement(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "scenes", "--count", "0"]) == 2
    assert capsys.readouterr().err == "celwright: The count is 0; 1 or more can be measured.\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["colorize", ".", "--largest", "0"],
            "The share of regions with a dot is 0.0; more than 0 up to 1 is allowed.",
        ),
        (["ablations"], "No training runs came to compare; name their folders with --runs."),
        (["designs"], "No training runs came to compare; name their folders with --runs."),
        (["references"], "No folder came to evaluate references on; name one that holds layered pictures."),
    ],
)
def test_a_measurement_without_what_it_needs_is_refused(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", *arguments]) == 2
    assert capsys.readouterr().err == f"celwright: {sentence}\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["colorizer", "--painted", "0.5"],
            "--painted is not for training the colorizer, which has --learning-rate, --steps, --left-out, --structure, "
            "--pointing, --curriculum; leave it out.",
        ),
        (
            ["colorizer", "--preset", "two-stage"],
            "--preset is not for training the colorizer, which has --learning-rate, --steps, --left-out, --structure, "
            "--pointing, --curriculum; leave it out.",
        ),
        (
            ["decomposer", "--left-out", "sgm"],
            "--left-out is not for training the decomposer, which has --learning-rate, --steps, --preset, --rich, "
            "--painted, --drawn, --corpora; leave it out.",
        ),
        (
            ["decomposer", "--rich", "0.7", "--painted", "0.5"],
            "The shares of rich, painted and drawn scenes are 0.7, 0.5 and 0.0; none below 0 and at most 1 together "
            "are allowed: lower one of them.",
        ),
        (
            ["decomposer", "--learning-rate", "0"],
            "The learning rate of a training came as 0.0; more than 0 is needed.",
        ),
    ],
)
def test_a_recipe_is_not_given_what_it_cannot_use(
    arguments: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", *arguments, "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err == f"celwright: {sentence}\n"
    assert not (tmp_path / "out").exists()


def test_every_flag_of_a_recipe_reaches_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    recipe = capsys.readouterr().out.partition("\nrecipe:\n")[2].partition("\n\n")[0]
    flags = re.findall(r"^  --([a-z-]+)", recipe, re.MULTILINE)
    assert sorted(flag.replace("-", "_") for flag in flags) == sorted(workshop.RECIPE)


def test_every_design_can_be_trained_and_every_choice_reaches_its_recipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recipe itself is tested with the training; here it is only looked at what it is asked for."""
    from celwright.models.presets import DECOMPOSERS
    from celwright.training import decomposer, export

    asked: list[decomposer.TrainingOptions] = []
    monkeypatch.setattr(decomposer, "train", asked.append)
    monkeypatch.setattr(export, "export", lambda checkpoint, folder, date: None)
    for preset in set(DECOMPOSERS) - {"tiny"}:
        assert main(
            [
                "train", "decomposer", "--preset", preset, "--out", str(tmp_path), "--minutes", "12", "--seed", "3",
                "--rich", "0.1", "--painted", "0.6", "--drawn", "0.2", "--corpora", "a", "b", "--learning-rate", "1e-3",
            ]
        ) == 0  # fmt: skip
        assert asked.pop() == decomposer.TrainingOptions(
            out=tmp_path, minutes=12, seed=3, preset=preset, rich=0.1, painted=0.6, drawn=0.2,
            corpora=(Path("a"), Path("b")), learning_rate=1e-3,
        )  # fmt: skip
