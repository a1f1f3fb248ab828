"""Claims about the library on the command line, and about characters and palettes as options of colorize."""

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from celwright import installed, wiring
from celwright.cli import main
from celwright.domain import ColorizeRequest, Event, Finished, Pixels, Report
from celwright.library import Library


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setattr("celwright.settings.user_folder", lambda: folder)
    return folder


@pytest.fixture
def mia(tmp_path: Path) -> Path:
    data = np.full((20, 30, 4), 255, np.uint8)
    data[5:15, 5:25, :3] = (60, 90, 200)
    cv2.imwrite(str(tmp_path / "mia.png"), data)
    cv2.imwrite(str(tmp_path / "mask.png"), data[..., 2])
    (tmp_path / "mia.hex").write_text("#c85a3c\n#ffffff\n")
    return tmp_path / "mia.png"


@pytest.fixture
def line_art(tmp_path: Path) -> Path:
    data = np.zeros((64, 96, 4), np.uint8)
    cv2.circle(data, (48, 32), 20, (0, 0, 0, 255), 2)
    cv2.imwrite(str(tmp_path / "line.png"), data)
    return tmp_path / "line.png"


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[ColorizeRequest]:
    """What the command line asks for; the answer has as many variations, each of one shade."""
    asked: list[ColorizeRequest] = []

    def run(request: ColorizeRequest, connect: str | None) -> Iterator[Event]:
        asked.append(request)
        images = {}
        for number in range(request.variations):
            prefix = f"{number}/" if number else ""
            image = Pixels(np.full((64, 96, 4), 10 + number, np.uint8))
            names = ("line", "flat", "shadow", "highlight", "composite", "stages/sampled")
            images |= {prefix + name: image for name in names}
        yield Finished(images, Report())

    monkeypatch.setattr(wiring, "run", run)
    return asked


def test_a_character_is_added_listed_and_removed(
    home: Path, mia: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["library", "list"]) == 0
    assert capsys.readouterr().out == ""
    options = ["--mask", str(tmp_path / "mask.png"), "--palette", str(tmp_path / "mia.hex")]
    assert main(["library", "add", "Mia", str(mia), *options]) == 0
    assert capsys.readouterr().out == f"{home / 'library' / 'Mia'}\n"
    assert main(["library", "add", "Bo", str(mia)]) == 0
    capsys.readouterr()
    assert main(["library", "list"]) == 0
    assert capsys.readouterr().out == (
        "Bo                             30x20\nMia                            30x20  mask, palette\n"
    )
    assert main(["library", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[1] == {
        "name": "Mia", "width": 30, "height": 20, "mask": True, "palette": True,
    }  # fmt: skip
    notes = home / "library" / "Bo" / "notes.txt"
    notes.write_text("his")
    assert main(["library", "remove", "Bo"]) == 0
    assert capsys.readouterr().err == f"celwright: {notes} stays; Celwright did not put it there.\n"
    assert main(["library", "remove", "Bo"]) == 2
    assert capsys.readouterr().err == (
        "celwright: There is no character 'Bo' in the library (Mia); add it with 'celwright library add'.\n"
    )


def test_a_second_character_of_that_name_needs_force(home: Path, mia: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["library", "add", "Mia", str(mia)]) == 0
    assert main(["library", "add", "Mia", str(mia)]) == 2
    assert capsys.readouterr().err == (
        "celwright: The library holds a character 'Mia' already; use --force to replace it or choose another name.\n"
    )
    assert main(["library", "add", "Mia", str(mia), "--force"]) == 0


def test_a_character_serves_as_reference_with_its_mask(
    home: Path, mia: Path, line_art: Path, tmp_path: Path, requests: list[ColorizeRequest]
) -> None:
    main(["library", "add", "Mia", str(mia), "--mask", str(tmp_path / "mask.png")])
    cv2.imwrite(str(tmp_path / "region.png"), np.full((64, 96), 255, np.uint8))
    several = ["--reference", "@Mia", "--reference", f"@Mia@{tmp_path / 'region.png'}", "--reference", str(mia)]
    assert main(["colorize", str(line_art), *several]) == 0
    plain, placed, picture = requests[0].references
    assert plain.image.size == (30, 20)
    assert plain.mask is not None
    assert plain.region is None
    assert placed.mask is not None
    assert placed.region is not None
    assert picture.mask is None


def test_a_name_with_an_at_sign_is_found_before_a_region_is_looked_for(
    home: Path, mia: Path, line_art: Path, requests: list[ColorizeRequest]
) -> None:
    main(["library", "add", "Mia@home", str(mia)])
    assert main(["colorize", str(line_art), "--reference", "@Mia@home"]) == 0
    assert requests[0].references[0].region is None


def test_palettes_are_files_names_or_drawn(
    home: Path, mia: Path, line_art: Path, tmp_path: Path, requests: list[ColorizeRequest]
) -> None:
    main(["library", "add", "Mia", str(mia), "--palette", str(tmp_path / "mia.hex")])
    for text in ("@Mia", "Mia", str(tmp_path / "mia.hex"), "auto", "flatting"):
        assert main(["colorize", str(line_art), "--palette", text, "--force"]) == 0
    named, plain, file, *words = (request.palette for request in requests)
    assert named.colors.tolist() == plain.colors.tolist() == file.colors.tolist() == [[200, 90, 60], [255] * 3]
    assert words == ["auto", "flatting"]


@pytest.mark.parametrize(
    ("option", "text", "sentence"),
    [
        ("--reference", "@Bo", "There is no character 'Bo' in the library (none); add it with 'celwright library "
                               "add'."),
        ("--palette", "Bo", "There is no palette 'Bo', neither as a file nor in the library (none); name a palette "
                            "file, 'flatting' or 'auto', or add the palette to the library."),
        ("--palette", "Bo.gpl", "The palette Bo.gpl does not exist; check its path."),
    ],
)  # fmt: skip
def test_what_is_not_there_is_said_in_one_sentence(
    option: str, text: str, sentence: str, home: Path, line_art: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["colorize", str(line_art), option, text]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"celwright: {sentence}"


def test_every_variation_is_written_under_a_number_of_its_own(
    home: Path, line_art: Path, tmp_path: Path, requests: list[ColorizeRequest], capsys: pytest.CaptureFixture[str]
) -> None:
    folders = ["--layers-dir", str(tmp_path / "layers"), "--stages-dir", str(tmp_path / "stages")]
    command = ["colorize", str(line_art), "--palette", "auto", "--variations", "3", *folders, "--json"]
    assert main(command) == 0
    facts = json.loads(capsys.readouterr().out)
    outputs = [tmp_path / f"line-layers{ending}.psd" for ending in ("", "-2", "-3")]
    assert [facts["output"], facts["output_2"], facts["output_3"]] == [str(path) for path in outputs]
    assert all(path.is_file() for path in outputs)
    for number, ending in enumerate(("", "-2", "-3")):
        assert cv2.imread(str(tmp_path / "layers" / f"flat{ending}.png"))[0, 0, 0] == 10 + number
        assert cv2.imread(str(tmp_path / "stages" / f"sampled{ending}.png"))[0, 0, 0] == 10 + number
    for path in (outputs[0], *(tmp_path / "layers").iterdir(), *(tmp_path / "stages").iterdir()):
        if path.name != "sampled-3.png":
            path.unlink()
    outputs[1].unlink()
    outputs[2].unlink()
    assert main(command) == 2  # what stands in the way is found before the work
    assert len(requests) == 1
    assert capsys.readouterr().err == (
        f"celwright: {tmp_path / 'stages' / 'sampled-3.png'} exists already; use --force to overwrite it or choose "
        f"another name.\n"
    )


def test_the_library_is_in_the_user_s_folder(home: Path) -> None:
    installed.library().add("Mia", Pixels(np.zeros((8, 8, 3), np.uint8)))
    assert Library(home).names() == ["Mia"]
