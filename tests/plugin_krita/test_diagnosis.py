"""The report for the clipboard tells what helps and names nobody; the log is small and harms nothing."""

from __future__ import annotations

import logging

import pytest
from celwright_krita.errors import UnreadableAnswerError
from celwright_krita.session import journal
from celwright_krita.session.diagnosis import anonymised
from celwright_krita.state import DecomposeOptions
from fake_canvas import FakeCanvas, painted

ENVIRONMENT = {"HOME": "/home/Hana", "USER": "Hana"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("No token in '/home/Hana/.local/share/celwright/token'.", "No token in '~/.local/share/celwright/token'."),
        ("Hana's page, written by Hana", "~'s page, written by ~"),
        ("/home/Hana/pages/Secret Page.kra could not be written", "… could not be written"),
        (r"D:\Users\someone\pictures\a.PSD exists already", "… exists already"),
        ("see daemon.log, celwright 0.1.0", "see daemon.log, celwright 0.1.0"),
        ("the layer Villain’s coat is locked", "the layer … is locked"),
        ("hanami is another word, and so is lineart", "hanami is another word, and so is lineart"),
    ],
)
def test_people_folders_and_pictures_are_replaced(text, told):
    assert anonymised(text, ["Villain’s coat", "line", ""], ENVIRONMENT) == told


def test_the_report_has_versions_daemon_last_error_and_log_but_no_names(bench):
    canvas = FakeCanvas(layers=(painted("Villain"), painted("ink")))
    canvas.name = "Secret Page.kra"
    bench = bench(canvas)
    bench.session.decompose(DecomposeOptions())
    bench.settle()
    bench.script.fault = UnreadableAnswerError(f"Villain in Secret Page.kra at {bench.folder}/token is odd.")
    bench.session.decompose(DecomposeOptions(source=canvas.named("ink").id))
    bench.settle()
    report = bench.session.diagnose({"Krita": "5.2.9", "Qt": "5.15"})
    lines = report.splitlines()
    assert lines[0] == "Celwright plugin: 0.1.0"
    assert "Krita: 5.2.9" in lines
    assert "Qt: 5.15" in lines
    assert "Daemon: ready 1.2.3 cpu" in lines
    assert "Last error: … in … at ~/celwright/token is odd." in lines
    assert lines.index("Log:") >= len(lines) - 21
    assert any("The job decompose ended: UnreadableAnswerError" in line for line in lines)
    assert not [word for word in ("Villain", "Secret", "page.kra", str(bench.folder)) if word in report]


def test_the_log_is_rotated_and_a_folder_that_cannot_be_written_is_no_fault(tmp_path, monkeypatch):
    monkeypatch.setattr(journal, "BYTES", 300)
    handler = journal.opened(str(tmp_path / "new"))
    log = logging.getLogger("celwright_krita.test")
    for number in range(20):
        log.info("Line %d", number)
    handler.close()
    names = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert names == ["plugin.log", "plugin.log.1"]
    assert journal.last_lines(str(tmp_path / "new"), 1)[0].endswith("celwright_krita.test: Line 19")
    (tmp_path / "file").write_text("", encoding="utf-8")
    journal.opened(str(tmp_path / "file")).close()
    log.info("Lost.")
    assert journal.last_lines(str(tmp_path / "file"), 5) == []
