"""What the artist does becomes a call of the session, with what was chosen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from celwright_krita.domain import Model
from celwright_krita.pixels import Pixels
from celwright_krita.state import ColorizeOptions, DaemonState, DecomposeOptions, Fault, JobState, State
from celwright_krita.window.palette_dialog import PaletteDialog
from celwright_krita.window.qt import Qt, QtCore, QtGui, QtWidgets
from conftest import ALL, Docker, history, idle, picture, ready, references


def choose(docker: Docker, name: str, value: str) -> None:
    choice = docker[name]
    assert choice.findData(value) >= 0
    choice.setCurrentIndex(choice.findData(value))


def test_decompose_takes_what_was_chosen(docker: Docker) -> None:
    models = tuple(Model(name, "", ("decompose",), "", 1, "", True, False) for name in ("small", "large"))
    docker.draw(idle(animated=True, daemon=ready(models=models)))
    docker.click("decompose.run")
    for name, value in (("source", "group-id"), ("model", "large"), ("fidelity", "exact")):
        choose(docker, f"decompose.{name}", value)
    docker["decompose.frames"].setChecked(True)
    docker.click("decompose.run")
    assert docker.session.calls == [
        ("decompose", DecomposeOptions("", "small")),
        ("decompose", DecomposeOptions("group-id", "large", "exact", True)),
    ]


def test_how_the_layers_are_wanted_is_asked_for(docker: Docker) -> None:
    docker.open_groups()
    docker.draw(idle())
    docker["decompose.flat_colors"].setValue(12)
    for name, value in (("shadow_tones", "two"), ("shadow_tint", "region"), ("shadow_blend", "normal")):
        choose(docker, f"decompose.{name}", value)
    docker["decompose.merge_highlight"].setChecked(True)
    docker.click("decompose.run")
    wished = DecomposeOptions(
        flat_colors=12, shadow_tones=2, shadow_tint="region", merge_highlight=True, shadow_blend="normal"
    )
    assert docker.session.calls == [("decompose", wished)]


def test_what_cannot_be_exact_together_is_not_started_and_says_why(docker: Docker) -> None:
    docker.open_groups()
    docker.draw(idle())
    assert docker["decompose.flat_colors"].text() == "As found"
    choose(docker, "decompose.fidelity", "exact")
    docker["decompose.flat_colors"].setValue(12)
    assert docker["decompose.run"].isEnabled()
    choose(docker, "decompose.shadow_tones", "one")
    assert not docker["decompose.run"].isEnabled()
    assert docker["decompose.run"].toolTip() == (
        "Exact goes with flat colours, with shadow tones or tint, or with highlights in the flat, but not with two of "
        "these: choose one, or Clean."
    )
    choose(docker, "decompose.fidelity", "clean")
    assert docker["decompose.run"].isEnabled()


def test_a_daemon_that_cannot_finish_layers_is_not_asked_to(docker: Docker) -> None:
    docker.open_groups()
    docker.draw(idle())
    docker["decompose.flat_colors"].setValue(12)
    docker.draw(idle(daemon=DaemonState("ready", "", capabilities=frozenset({"decompose"}))))
    assert not docker["decompose.flat_colors"].isEnabled()
    assert docker["decompose.flat_colors"].toolTip() == (
        "This daemon cannot do that; a newer version or another model may."
    )
    docker.click("decompose.run")
    assert docker.session.calls == [("decompose", DecomposeOptions())]


def test_all_frames_are_not_asked_for_once_the_document_has_none(docker: Docker) -> None:
    docker.draw(idle(animated=True))
    docker["decompose.frames"].setChecked(True)
    docker.draw(idle())
    docker.click("decompose.run")
    assert docker.session.calls == [("decompose", DecomposeOptions())]


def test_colorize_takes_what_was_chosen(docker: Docker) -> None:
    docker.panel.open_tab("colorize")
    docker.open_groups()
    docker.draw(idle(daemon=ready(*ALL)))
    docker.click("colorize.run")
    chosen = {
        "line_art": "line-id",
        "hints": "hint-id",
        "lock": "group-id",
        "palette": "Cold",
        "unhinted": "transparent",
    }
    for name, value in chosen.items():
        choose(docker, f"colorize.{name}", value)
    numbers = {"gap": 20, "seed": 77, "variations": 4, "steps": 30}
    for name, number in numbers.items():
        docker[f"colorize.{name}"].setValue(number)
    docker["colorize.light"].setValue(45)
    docker.click("colorize.run")
    docker["colorize.shading"].setChecked(False)
    docker.click("colorize.run")
    docker.click("colorize.leaks")
    lit, wanted = {**chosen, **numbers, "light": 45}, {**chosen, **numbers, "shading": False}
    assert docker.session.calls == [
        ("colorize", ColorizeOptions()),
        ("colorize", ColorizeOptions(**lit)),
        ("colorize", ColorizeOptions(**wanted)),
        ("show_leaks", ColorizeOptions(**wanted, leaks=True)),
    ]


def test_what_the_daemon_cannot_do_is_not_asked_for(docker: Docker) -> None:
    docker.panel.open_tab("colorize")
    docker.draw(idle(daemon=ready(*ALL)))
    docker["colorize.variations"].setValue(4)
    docker["colorize.shading"].setChecked(False)
    choose(docker, "colorize.palette", "auto")
    docker.draw(idle())
    docker.click("colorize.run")
    assert docker.session.calls == [("colorize", ColorizeOptions())]


def test_light_has_no_direction_where_nothing_is_shaded(docker: Docker) -> None:
    docker.panel.open_tab("colorize")
    docker.open_groups()
    docker.draw(idle(daemon=ready(*ALL)))
    assert docker["colorize.light"].isEnabled()
    docker["colorize.shading"].setChecked(False)
    assert not docker["colorize.light"].isEnabled()
    assert docker["colorize.light"].toolTip() == "Switch on shadow and highlight first."


def test_the_dice_give_another_seed(docker: Docker) -> None:
    docker.panel.open_tab("colorize")
    docker.open_groups()
    docker.draw(idle(daemon=ready(*ALL)))
    seeds = set()
    for _ in range(3):
        docker.click("colorize.seed.random")
        seeds.add(docker["colorize.seed"].value())
    assert len(seeds) == 3


def test_cancel_start_restart_and_dismiss_reach_the_session(docker: Docker) -> None:
    docker.draw(idle(job=JobState("colorize", "fill")))
    docker.click("job.cancel")
    docker.click("daemon.restart")
    docker.draw(State())
    docker.click("daemon.start")
    docker.draw(idle(fault=Fault("It broke.")))
    docker.click("fault.dismiss")
    assert docker.session.calls == [("cancel",), ("restart_daemon",), ("start_daemon",), ("dismiss",)]


def test_each_way_on_from_a_fault_does_what_it_says(docker: Docker) -> None:
    docker.draw(idle(fault=Fault("It broke.", ("retry", "start", "restart", "settings", "diagnose"))))
    for way in ("retry", "start", "restart", "settings", "diagnose"):
        docker.click(f"fault.{way}")
    assert docker.session.calls == [("retry",), ("start_daemon",), ("restart_daemon",), ("diagnose",)]
    assert docker.settings_opened == 1


def test_diagnose_copies_the_report_and_says_so(docker: Docker) -> None:
    docker.draw(idle())
    docker.click("daemon.diagnose")
    assert QtWidgets.QApplication.clipboard().text() == "the report"
    assert docker.messages == ["The report was copied to the clipboard."]


def test_the_menu_says_why_nothing_starts(docker: Docker) -> None:
    docker.draw(State())
    docker.panel.run("colorize")
    assert (docker.session.calls, docker.messages) == ([], ["No document is open."])
    docker.draw(idle())
    docker.panel.run("decompose")
    assert docker.session.calls == [("decompose", DecomposeOptions())]
    assert docker["decompose.source"].isVisible()


def test_history_inserts_and_runs_again_by_button_enter_and_context_menu(docker: Docker) -> None:
    docker.draw(idle(history=history()))
    shown = docker["history.list"]
    docker.click("history.insert")
    docker.click("history.again")
    shown.itemActivated.emit(shown.item(0))
    shown.actions()[1].trigger()
    shown.setCurrentRow(1)
    shown.itemActivated.emit(shown.item(1))  # no longer held
    again, insert = ("run_again", 5), ("insert_again", 5)
    assert docker.session.calls == [insert, again, insert, again, ("run_again", 4)]


def test_enter_on_a_variation_takes_it_once(docker: Docker) -> None:
    docker.draw(idle(variations=(picture(), picture(), picture())))
    shown = docker["variations"]
    shown.itemClicked.emit(shown.item(2))
    shown.itemActivated.emit(shown.item(2))  # a double click says both
    shown.itemClicked.emit(shown.item(0))
    assert docker.session.calls == [("choose", 2), ("choose", 0)]


@pytest.fixture
def with_references(docker: Docker) -> Docker:
    docker.panel.open_tab("colorize")
    docker.draw(idle(daemon=ready(*ALL), references=references(), selected=True, characters=("Mia", "Tom & Jo")))
    return docker


def test_buttons_act_on_the_chosen_reference(with_references: Docker, monkeypatch: pytest.MonkeyPatch) -> None:
    docker = with_references
    monkeypatch.setattr(QtWidgets.QInputDialog, "getText", lambda *_, **__: ("  Mia ", True))
    assert docker["references.list"].currentRow() == 1
    for name in ("mask", "place", "show", "save", "remove"):
        docker.click(f"references.{name}")
    docker["references.list"].setCurrentRow(0)
    assert docker["references.show"].toolTip() == "This reference has no region on the canvas yet."
    docker.click("references.mask")
    assert docker.session.calls == [
        ("mask_reference_by_selection", 8),
        ("place_reference_by_selection", 8),
        ("show_placement", 8),
        ("save_character", 8, "Mia"),
        ("remove_reference", 8),
        ("mask_reference_by_selection", 7),
    ]


def test_delete_takes_a_reference_off(with_references: Docker) -> None:
    press = QtGui.QKeyEvent(QtCore.QEvent.Type.KeyPress, Qt.Key.Key_Delete, Qt.KeyboardModifier.NoModifier)
    QtWidgets.QApplication.sendEvent(with_references["references.list"], press)
    assert with_references.session.calls == [("remove_reference", 8)]


def test_masks_need_a_selection(with_references: Docker) -> None:
    with_references.draw(idle(daemon=ready(*ALL), references=references()))
    assert not with_references["references.mask"].isEnabled()
    assert with_references["references.mask"].toolTip() == "Select something on the canvas first."


def menu_action(docker: Docker, *path: str) -> Any:
    menu = docker["references.add"].menu()
    menu.aboutToShow.emit()
    for name in path:
        found = [action for action in menu.actions() if action.text() == name]
        assert len(found) == 1, [action.text() for action in menu.actions()]
        menu = found[0].menu()
    return found[0]


def test_references_come_from_layers_and_the_library(with_references: Docker) -> None:
    menu_action(with_references, "From layer", "\N{EM SPACE}Hints && more").trigger()
    menu_action(with_references, "From character library", "Tom && Jo").trigger()
    assert with_references.session.calls == [("add_layer_reference", "hint-id"), ("add_character", "Tom & Jo")]


def test_references_come_from_files(with_references: Docker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = QtGui.QImage(20, 10, QtGui.QImage.Format.Format_RGB32)
    image.fill(QtGui.QColor(10, 20, 30))
    image.save(str(tmp_path / "sheet.png"))
    (tmp_path / "notes.png").write_text("no picture")
    paths = [str(tmp_path / "sheet.png"), str(tmp_path / "notes.png")]
    monkeypatch.setattr(QtWidgets.QFileDialog, "getOpenFileNames", lambda *_: (paths, ""))
    menu_action(with_references, "From file…").trigger()
    ((call, name, pixels),) = with_references.session.calls
    assert (call, name) == ("add_picture_reference", "sheet.png")
    assert (pixels.size, bytes(pixels.data[:4])) == ((20, 10), b"\x0a\x14\x1e\xff")
    assert with_references.messages == [
        f"{tmp_path / 'notes.png'} holds no picture that can be read; use PNG, JPEG or WebP."
    ]


def test_references_come_from_the_clipboard_when_it_holds_a_picture(with_references: Docker) -> None:
    clipboard = QtWidgets.QApplication.clipboard()
    clipboard.setText("words")
    assert not menu_action(with_references, "From clipboard").isEnabled()
    image = QtGui.QImage(9, 9, QtGui.QImage.Format.Format_ARGB32)
    image.fill(QtGui.QColor(1, 2, 3, 128))
    clipboard.setImage(image)
    menu_action(with_references, "From clipboard").trigger()
    ((call, name, pixels),) = with_references.session.calls
    assert (call, name, bytes(pixels.data[:4])) == ("add_picture_reference", "Clipboard", b"\x01\x02\x03\x80")
    clipboard.clear()


def saving(monkeypatch: pytest.MonkeyPatch, path: str, kind: str = "Photoshop (*.psd)") -> list[Any]:
    asked: list[Any] = []
    answer = lambda *given, **_: asked.append(given) or (path, kind)  # noqa: E731
    monkeypatch.setattr(QtWidgets.QFileDialog, "getSaveFileName", answer)
    return asked


def test_saving_proposes_the_documents_name_and_adds_the_ending(
    docker: Docker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker.draw(idle(saved=str(tmp_path / "earlier.psd")))
    asked = saving(monkeypatch, str(tmp_path / "new"), "OpenRaster (*.ora)")
    docker.click("save")
    assert asked[0][2] == str(tmp_path / "page.psd")
    assert docker.session.calls == [("save_document", str(tmp_path / "new.ora"), False)]
    saving(monkeypatch, "")
    docker.click("save")
    assert len(docker.session.calls) == 1


@pytest.mark.parametrize("replaced", [True, False])
def test_a_file_is_replaced_only_when_the_artist_says_so(
    docker: Docker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replaced: bool
) -> None:
    docker.draw(idle())
    path = tmp_path / "old.psd"
    path.write_bytes(b"old")
    saving(monkeypatch, str(path))
    questions = []

    def answer(box: Any) -> None:
        questions.append(box.text())
        box.findChild(QtWidgets.QPushButton, "replace.yes" if replaced else "dialog.cancel").click()

    monkeypatch.setattr(QtWidgets.QMessageBox, "exec", answer)
    docker.click("save")
    assert questions == ["old.psd exists. Replace it?"]
    assert docker.session.calls == ([("save_document", str(path), True)] if replaced else [])


def test_a_palette_is_saved_from_the_colours_of_a_picture(docker: Docker, monkeypatch: pytest.MonkeyPatch) -> None:
    docker.panel.open_tab("colorize")
    docker.draw(idle())
    assert docker["colorize.palette.save"].toolTip() == "There is no result and no reference to take colours from."
    two = Pixels(b"\xff\x00\x00\xff" * 70 + b"\x00\x00\xff\xff" * 20 + b"\x00\x00\x00\x00" * 10, 10, 10)
    docker.draw(idle(overview=two, references=references()))

    def fill(dialog: PaletteDialog) -> int:
        listed = dialog.findChild(QtWidgets.QListWidget, "palette_dialog.colors")
        save = dialog.findChild(QtWidgets.QPushButton, "dialog.save")
        assert [listed.item(row).text() for row in range(listed.count())] == ["#ff0000", "#0000ff"]
        assert not save.isEnabled()
        dialog.findChild(QtWidgets.QLineEdit, "palette_dialog.name").setText(" Mia ")
        assert save.isEnabled()
        listed.item(0).setCheckState(Qt.CheckState.Unchecked)
        return 1

    monkeypatch.setattr(PaletteDialog, "exec", fill)
    docker.click("colorize.palette.save")
    assert docker.session.calls == [("save_palette", "Mia", b"\x00\x00\xff")]
