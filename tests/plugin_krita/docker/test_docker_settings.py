"""The settings dialog stores only what makes sense."""

from __future__ import annotations

import json
from pathlib import Path

from celwright_krita.window.preferences import Preferences, read
from celwright_krita.window.qt import QtWidgets
from celwright_krita.window.settings_dialog import SettingsDialog


def test_what_is_stored_is_read_again(application: QtWidgets.QApplication, tmp_path: Path) -> None:
    environment = {"XDG_DATA_HOME": str(tmp_path)}
    dialog = SettingsDialog(None, Preferences(), environment)
    dialog.findChild(QtWidgets.QLineEdit, "settings.command").setText(" /opt/celwright ")
    dialog.findChild(QtWidgets.QLineEdit, "settings.address").setText("127.0.0.1:4000")
    language = dialog.findChild(QtWidgets.QComboBox, "settings.language")
    language.setCurrentIndex(language.findText("日本語"))
    dialog.findChild(QtWidgets.QPushButton, "dialog.save").click()
    assert dialog.result() == QtWidgets.QDialog.DialogCode.Accepted
    assert read(environment) == Preferences("/opt/celwright", "127.0.0.1:4000", "ja")


def test_an_address_that_cannot_be_keeps_the_dialog_open_and_is_told(
    application: QtWidgets.QApplication, tmp_path: Path
) -> None:
    environment = {"XDG_DATA_HOME": str(tmp_path)}
    dialog = SettingsDialog(None, Preferences(), environment)
    dialog.show()
    fault = dialog.findChild(QtWidgets.QLabel, "settings.fault")
    for address, sentence in (
        ("here", "'here' is no address; unix:/path or host:port is allowed."),
        (
            "192.0.2.7:80",
            "CELWRIGHT_HOST is '192.0.2.7', another machine; the plugin talks to a daemon on this machine only: remove "
            "the variable or set it to 127.0.0.1.",
        ),
    ):
        dialog.findChild(QtWidgets.QLineEdit, "settings.address").setText(address)
        dialog.findChild(QtWidgets.QPushButton, "dialog.save").click()
        assert fault.isVisible()
        assert fault.text() == sentence
    assert dialog.isVisible()
    assert not list(tmp_path.iterdir())
    dialog.close()


def test_the_usual_place_is_shown_where_nothing_is_set(application: QtWidgets.QApplication, tmp_path: Path) -> None:
    dialog = SettingsDialog(None, Preferences(), {"CELWRIGHT_HOST": "localhost", "CELWRIGHT_PORT": "4000"})
    assert dialog.findChild(QtWidgets.QLineEdit, "settings.address").placeholderText() == "localhost:4000"
    stored = tmp_path / "celwright" / "plugin.json"
    stored.parent.mkdir()
    stored.write_text(json.dumps({"command": "c", "unknown": 1, "language": 5}), encoding="utf-8")
    assert read({"XDG_DATA_HOME": str(tmp_path)}) == Preferences(command="c")
