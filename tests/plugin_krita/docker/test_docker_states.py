"""What the session's State says is what the docker shows."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
from celwright_krita.domain import Leak, Model, RecompositionError
from celwright_krita.state import DaemonState, Fault, JobState, State
from celwright_krita.window import words
from celwright_krita.window.qt import QtWidgets
from conftest import ALL, Docker, history, idle, picture, ready, references


def entries(choice: Any) -> list[str]:
    return [choice.itemText(row) for row in range(choice.count())]


def allowed(choice: Any, value: str) -> bool:
    return bool(choice.model().item(choice.findData(value)).isEnabled())


def test_layers_are_offered_indented_as_they_lie_in_groups(docker: Docker) -> None:
    docker.draw(idle())
    tree = ["Lines", "Figure", "\N{EM SPACE}Hints & more"]
    assert entries(docker["decompose.source"]) == ["Active layer", "Visible picture", *tree]
    assert entries(docker["colorize.line_art"]) == ["Active layer", *tree]
    assert entries(docker["colorize.hints"]) == entries(docker["colorize.lock"]) == ["None", *tree]


def test_a_choice_survives_other_layers_and_falls_back_when_its_layer_is_gone(docker: Docker) -> None:
    docker.draw(idle())
    hints = docker["colorize.hints"]
    hints.setCurrentIndex(hints.findData("hint-id"))
    docker.draw(idle(layers=idle().layers[1:]))
    assert hints.currentData() == "hint-id"
    docker.draw(idle(layers=idle().layers[:1]))
    assert hints.currentText() == "None"


def test_without_a_document_nothing_can_be_started(docker: Docker) -> None:
    docker.draw(State())
    for name in ("decompose.run", "colorize.run", "colorize.leaks", "save"):
        assert not docker[name].isEnabled()
        assert docker[name].toolTip() == "No document is open."


def test_why_a_document_cannot_be_used_is_said_in_sight(docker: Docker) -> None:
    docker.draw(idle(refusal="It is CMYK; convert it."))
    assert docker["refusal"].isVisible()
    assert docker["refusal"].text() == "It is CMYK; convert it."
    assert not docker["decompose.run"].isEnabled()
    docker.draw(idle())
    assert not docker["refusal"].isVisible()


def test_the_running_job_takes_the_place_of_the_button_that_started_it(docker: Docker) -> None:
    docker.draw(idle())
    assert docker["decompose.run"].isVisible()
    assert not docker["job.cancel"].isVisible()
    docker.draw(idle(job=JobState("decompose", "decompose", 0.42, 12.3)))
    assert not docker["decompose.run"].isVisible()
    assert docker["job.cancel"].isVisible()
    assert docker["job.stage"].text() == "Taking the picture apart… 13 s left"
    assert docker["job.progress"].value() / docker["job.progress"].maximum() == pytest.approx(0.42)
    docker.draw(idle())
    assert not docker["job.stage"].isVisible()


def test_waiting_shows_how_many_go_first_and_no_made_up_progress(docker: Docker) -> None:
    docker.draw(idle(job=JobState("decompose", "queue", ahead=2)))
    assert docker["job.stage"].text() == "Waiting, 2 ahead"
    assert docker["job.progress"].maximum() == 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (math.inf, ""), (0.2, "1 s left"), (89.1, "90 s left"), (90, "2 min left"), (600, "10 min left")],
)
def test_the_time_left_is_told_in_seconds_or_minutes(seconds: float, text: str) -> None:
    assert words.time_left(seconds) == text


def test_a_stage_that_only_a_newer_daemon_has_is_shown_by_its_name() -> None:
    assert words.stage_text(JobState("colorize", "polish")) == "Working (polish)…"


def test_the_preview_is_shown_while_it_runs_then_the_result(docker: Docker) -> None:
    preview, overview = picture(b"\xff\x00\x00\xff"), picture(b"\x00\xff\x00\xff")
    shown = docker["result.picture"]
    docker.draw(idle())
    assert not shown.isVisible()
    docker.draw(idle(job=JobState("colorize", "fill", preview=preview)))
    assert shown.isVisible()
    grabbed = shown.grab().toImage()
    assert grabbed.pixelColor(grabbed.width() // 2, grabbed.height() // 2).getRgb() == (255, 0, 0, 255)
    docker.draw(idle(overview=overview))
    grabbed = shown.grab().toImage()
    assert grabbed.pixelColor(grabbed.width() // 2, grabbed.height() // 2).getRgb() == (0, 255, 0, 255)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (RecompositionError(2, 0.3, 61.34), "Recomposition: at most 2/255 off, 61.3 dB"),
        (RecompositionError(2.46, 0.3, 48), "Recomposition: at most 2.46/255 off, 48.0 dB"),
        (RecompositionError(0, 0, math.inf), "Recomposition: equal to the picture"),
    ],
)
def test_the_recomposition_error_is_said_in_words(docker: Docker, error: RecompositionError, text: str) -> None:
    docker.draw(idle(recomposition=error))
    assert docker["result.recomposition"].text() == text
    docker.draw(idle())
    assert not docker["result.recomposition"].isVisible()


def test_leaks_notices_and_the_saved_file_are_told(docker: Docker) -> None:
    leaks = (Leak(1, 1, 4.2, (1, 2)), Leak(9, 9, 6.1, (1, 3)))
    docker.draw(idle(leaks=leaks, notices=("One.", "Two."), saved="/pictures/page.psd"))
    assert docker["result.leaks"].text() == "2 openings were closed, the widest 6 px."
    assert docker["result.notices"].text() == "One.\nTwo."
    assert docker["result.saved"].text() == "Saved: /pictures/page.psd"
    docker.draw(idle(leaks=leaks[:1]))
    assert docker["result.leaks"].text() == "One opening was closed, 4 px wide."


def test_models_are_a_choice_only_where_there_is_one(docker: Docker) -> None:
    small = Model("embedded", "", ("decompose",), "", 1, "", True, True)
    large = Model("large", "", ("decompose",), "", 1, "", True, False)
    absent = Model("absent", "", ("decompose",), "", 1, "", False, False)
    docker.draw(idle(daemon=ready(models=(small, absent))))
    assert not docker["decompose.model"].isVisible()
    assert not docker["decompose.model.label"].isVisible()
    docker.draw(idle(daemon=ready(models=(small, large, absent))))
    assert docker["decompose.model"].isVisible()
    assert entries(docker["decompose.model"]) == ["embedded", "large"]


def test_all_frames_are_offered_for_animations_only(docker: Docker) -> None:
    docker.draw(idle())
    assert not docker["decompose.frames"].isVisible()
    docker.draw(idle(animated=True))
    assert docker["decompose.frames"].isVisible()


def test_what_the_daemon_does_not_list_is_disabled_and_says_why(docker: Docker) -> None:
    docker.panel.open_tab("colorize")
    docker.draw(idle())
    reason = "This daemon cannot do that; a newer version or another model may."
    offered = ["references.add", *(f"colorize.{what}" for what in ("shading", "light", "variations", "seed", "steps"))]
    for name in offered:
        assert not docker[name].isEnabled()
        assert docker[name].toolTip() == reason
    assert not allowed(docker["colorize.palette"], "auto")
    assert allowed(docker["colorize.palette"], "flatting")
    assert allowed(docker["colorize.palette"], "Warm")
    docker.draw(idle(daemon=ready("colorize.references")))  # it matches, it does not sample
    assert docker["references.add"].isEnabled()
    assert not docker["colorize.seed"].isEnabled()
    docker.draw(idle(daemon=ready(*ALL)))
    for name in offered:
        assert docker[name].isEnabled()
    assert allowed(docker["colorize.palette"], "auto")


def test_a_daemon_without_exact_is_not_asked_for_it(docker: Docker) -> None:
    docker.draw(idle())
    fidelity = docker["decompose.fidelity"]
    fidelity.setCurrentIndex(fidelity.findData("exact"))
    poor = DaemonState("ready", "", capabilities=frozenset({"decompose"}))
    docker.draw(idle(daemon=poor))
    assert fidelity.currentData() == "clean"
    assert not allowed(fidelity, "exact")


def test_before_a_daemon_has_answered_the_usual_can_be_prepared(docker: Docker) -> None:
    docker.draw(idle(daemon=DaemonState("absent", "Not running.")))
    assert docker["decompose.run"].isEnabled()
    assert not docker["references.add"].isEnabled()
    assert docker["references.add"].toolTip() == "Start the daemon first; it tells whether it can do that."


@pytest.mark.parametrize(
    ("condition", "start", "restart"),
    [
        ("unknown", True, False),
        ("absent", True, False),
        ("starting", True, False),
        ("ready", False, True),
        ("broken", False, True),
    ],
)
def test_the_daemons_state_decides_what_can_be_done_with_it(
    docker: Docker, condition: str, start: bool, restart: bool
) -> None:
    docker.draw(idle(daemon=DaemonState(condition, "A sentence.")))
    assert docker["daemon.sentence"].text() == docker["daemon.sentence"].toolTip() == "A sentence."
    assert (docker["daemon.start"].isVisible(), docker["daemon.restart"].isVisible()) == (start, restart)
    assert docker["daemon.start"].isEnabled() == (condition != "starting")
    assert docker["daemon.diagnose"].isVisible()


def test_a_fault_shows_its_sentence_and_its_ways_on_only(docker: Docker) -> None:
    docker.draw(idle(fault=Fault("The daemon ended.", ("retry", "restart"))))
    assert docker["fault.sentence"].text() == "The daemon ended."
    shown = {way for way in ("retry", "start", "restart", "settings", "diagnose") if docker[f"fault.{way}"].isVisible()}
    assert shown == {"retry", "restart"}
    docker.draw(idle())
    assert not docker["fault.sentence"].isVisible()


def test_variations_appear_when_there_is_something_to_choose(docker: Docker) -> None:
    docker.draw(idle(variations=(picture(),)))
    assert not docker["variations"].isVisible()
    docker.draw(idle(variations=(picture(), picture(), picture()), chosen=2))
    assert docker["variations"].isVisible()
    assert docker["variations"].currentRow() == 2


def test_the_chosen_variation_is_the_one_that_is_shown_large(docker: Docker) -> None:
    one, other, overview = picture(), picture(b"\xff\x00\x00\xff"), picture(b"\x00\xff\x00\xff")
    shown = docker["result.picture"]
    for chosen, color in ((1, "#ff0000"), (0, "#00ff00")):
        docker.draw(idle(variations=(one, other), overview=overview, chosen=chosen))
        image = shown.grab().toImage()
        assert image.pixelColor(image.width() // 2, image.height() // 2).name() == color


def test_history_tells_what_is_held_and_what_only_can_be_made_again(docker: Docker) -> None:
    docker.draw(idle())
    assert not docker["history.list"].isVisible()
    docker.draw(idle(history=history()))
    shown = docker["history.list"]
    assert shown.item(0).text() == "Colorize – 12:00:01\npage.kra"
    assert docker["history.insert"].isEnabled()
    shown.setCurrentRow(1)
    assert not docker["history.insert"].isEnabled()
    assert docker["history.insert"].toolTip() == "The pixels of this result are gone; run it again."
    assert docker["history.again"].isEnabled()


def test_history_keeps_the_chosen_entry_until_there_is_a_newer_result(docker: Docker) -> None:
    new, old = history()
    oldest = dataclasses.replace(old, id=3)
    docker.draw(idle(history=(old, oldest)))
    docker["history.list"].setCurrentRow(1)
    docker.draw(idle(history=(old, oldest), document="other.kra"))
    assert docker["history.list"].currentRow() == 1
    docker.draw(idle(history=(old, oldest, dataclasses.replace(old, id=2))))
    assert docker["history.list"].currentRow() == 1
    docker.draw(idle(history=(new, old, oldest)))
    assert docker["history.list"].currentRow() == 0


def test_references_tell_their_masks(docker: Docker) -> None:
    docker.panel.open_tab("colorize")
    docker.draw(idle(references=references()))
    shown = docker["references.list"]
    texts = [shown.item(row).text() for row in range(2)]
    assert texts == ["sheet.png\nmasked", "Layer\nmasked, placed on the canvas"]


def test_the_button_says_when_only_the_selection_is_coloured(docker: Docker) -> None:
    docker.draw(idle())
    assert docker["colorize.run"].text() == "&Colorize"
    docker.draw(idle(selected=True))
    assert docker["colorize.run"].text() == "&Colorize selection"


def test_only_what_changed_is_drawn_anew(docker: Docker) -> None:
    state = idle(history=history(), references=references())
    docker.draw(state)
    item = docker["history.list"].item(0)
    docker["decompose.source"].setItemText(0, "untouched")
    docker.draw(idle(history=state.history, references=state.references, job=JobState("colorize", "fill", 0.5)))
    assert docker["history.list"].item(0) is item
    assert docker["decompose.source"].itemText(0) == "untouched"


def test_a_thumbnail_is_made_once(docker: Docker, monkeypatch: pytest.MonkeyPatch) -> None:
    from celwright_krita.window import history_list

    made = []
    real = history_list.picture_icon
    monkeypatch.setattr(history_list, "picture_icon", lambda *given: made.append(given) or real(*given))
    old = history()
    docker.draw(idle(history=old[1:]))
    docker.draw(idle(history=old))
    docker.draw(idle(history=old[:1]))
    assert len(made) == 1


def test_the_wide_docker_is_used(docker: Docker) -> None:
    docker.draw(idle(overview=picture(width=64, height=16)))
    docker.panel.resize(500, 700)
    QtWidgets.QApplication.processEvents()
    assert docker["result.picture"].width() > 440
