"""Asks for the plugin's preferences; knows where they are stored only through preferences.py."""

from __future__ import annotations

import os
from typing import Mapping

from celwright_krita.errors import CelwrightError
from celwright_krita.settings import daemon_place
from celwright_krita.texts import LANGUAGES, tr
from celwright_krita.window.fields import Choice, Form
from celwright_krita.window.preferences import Preferences, environment_with, write
from celwright_krita.window.qt import QtGui, QtWidgets
from celwright_krita.window.widgets import named, say, sentence, tool_button


class SettingsDialog(QtWidgets.QDialog):
    """``environment`` is Krita's own, without the preferences. ``exec()`` is true once they are stored."""

    def __init__(
        self, parent: QtWidgets.QWidget | None, preferences: Preferences, environment: Mapping[str, str] = os.environ
    ) -> None:
        super().__init__(parent)
        self.setObjectName("settings_dialog")
        self.setWindowTitle(tr("settings_dialog"))
        self._environment = environment
        form = Form()
        browse = tool_button("settings.browse", "settings")
        browse.setText("…")
        browse.setIcon(QtGui.QIcon())
        browse.clicked.connect(self._browse)
        self._command = form.add("settings.command", QtWidgets.QLineEdit(preferences.command), browse)
        self._command.setPlaceholderText(tr("settings.command.usual"))
        self._address = form.add("settings.address", QtWidgets.QLineEdit(preferences.address))
        try:
            self._address.setPlaceholderText(daemon_place(environment).address)
        except CelwrightError as error:
            self._address.setPlaceholderText(str(error))
        self._language = form.add("settings.language", Choice())
        offered = [("", tr("settings.language.krita")), *LANGUAGES.items()]
        self._language.offer((code, name, QtGui.QIcon()) for code, name in offered)
        self._language.choose(preferences.language)
        self._fault = sentence("settings.fault")
        buttons = QtWidgets.QDialogButtonBox()
        kinds = QtWidgets.QDialogButtonBox.StandardButton
        for which, key in ((kinds.Save, "dialog.save"), (kinds.Cancel, "dialog.cancel")):
            named(buttons.addButton(which), key).setText(tr(key))
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QtWidgets.QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(self._fault)
        layout.addWidget(buttons)
        self.resize(460, self.sizeHint().height())

    def preferences(self) -> Preferences:
        return Preferences(self._command.text().strip(), self._address.text().strip(), self._language.value())

    def accept(self) -> None:
        """Close only when they make sense and are stored; else say why not."""
        try:
            environment_with(self.preferences(), self._environment)
            write(self.preferences(), self._environment)
        except (CelwrightError, OSError) as error:
            say(self._fault, str(error))
            return
        super().accept()

    def _browse(self) -> None:
        path, _ = QtWidgets.QFileDialog.getOpenFileName(self, tr("settings.browse"), self._command.text())
        if path:
            self._command.setText(path)
