"""Celwright as an extension of Krita: one Session and its clock for all windows, and the entries in Tools > Scripts.

Nothing raised here or below may reach Krita; see careful.py.
"""

from __future__ import annotations

import logging
import os
import time
from typing import Any, Callable

from krita import Extension, Krita

from celwright_krita import texts
from celwright_krita.errors import CelwrightError
from celwright_krita.rim.careful import Careful, safely
from celwright_krita.rim.program import KritaProgram
from celwright_krita.session.session import Session
from celwright_krita.texts import tr
from celwright_krita.window import icons, preferences
from celwright_krita.window.panel import Panel
from celwright_krita.window.picture_files import read_picture, write_picture
from celwright_krita.window.qt import QtCore, QtWidgets
from celwright_krita.window.settings_dialog import SettingsDialog
from celwright_krita.window.words import stage_text

log = logging.getLogger(__name__)

BUSY_MS, IDLE_MS = 25, 1000  # between two turns of the session
LIVELY_SECONDS = 2.0  # after something happened
STAGE_SECONDS = 3.0  # between two lines in the status bar about the same stage
ACTIONS = (  # Krita's name of the action, the text's key
    ("celwright_colorize_selection", "menu.colorize"),
    ("celwright_decompose_layers", "menu.decompose"),
    ("celwright_save_layered_psd", "menu.save"),
)


class Celwright(Extension):
    """Owns what all windows share."""

    def __init__(self, parent: Any) -> None:
        super().__init__(parent)
        self._preferences = preferences.read()
        system = QtCore.QLocale().name()
        texts.use_language(self._preferences.language or texts.language(os.environ, system))
        icons.take_icons_from(Krita.instance().icon)
        self.program = KritaProgram()
        self._panels: list[Panel] = []
        self._lively_until = self._refreshed = 0.0
        self._turning = False
        self._stage, self._stage_told = "", 0.0
        self._told: set[str] = set()  # faults of the clock's own work, which would come again every second
        self._session = Session(self.program, self._changed, self._environment(), read_picture, write_picture)
        self.session = Careful(self._session, self.say, self._wake)
        self._clock = QtCore.QTimer()
        self._clock.timeout.connect(self._turn)
        self._pen = QtCore.QTimer()  # several changes of a turn are drawn once
        self._pen.setSingleShot(True)
        self._pen.timeout.connect(self._draw)

    def setup(self) -> None:
        """Krita has loaded all plugins."""
        self._notifier = Krita.instance().notifier()
        self._notifier.setActive(True)
        for signal in (self._notifier.imageClosed, self._notifier.viewClosed, self._notifier.imageCreated):
            signal.connect(lambda *_: QtCore.QTimer.singleShot(0, self._refresh))
        self._notifier.applicationClosing.connect(self._close)
        self._clock.start(IDLE_MS)

    def createActions(self, window: Any) -> None:
        """Krita opens a window."""
        acts = (lambda: self._run("colorize"), lambda: self._run("decompose"), self._save)
        for (name, key), act in zip(ACTIONS, acts):
            action = window.createAction(name, tr(key), "tools/scripts")
            action.setText(tr(key))
            action.triggered.connect(lambda *_, act=act: self._safely(act))

    def make_panel(self) -> Panel:
        """A docker's content for one more window."""
        panel = Panel(self.session, lambda: self._safely(self._settings), self.say)
        self._panels.append(panel)
        panel.destroyed.connect(lambda *_, panel=panel: self._panels.remove(panel))
        panel.draw(self._session.state)
        return panel

    def say(self, text: str) -> None:
        """A short line in the status bar."""
        self._safely(lambda: self.program.show_message(text))

    def _say_once(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self.say(text)

    def _panel(self) -> Panel | None:
        """The one in the window in front, brought to sight."""
        window = Krita.instance().activeWindow()
        main = None if window is None else window.qwindow()
        here = [panel for panel in self._panels if panel.window() is main or panel.window().parentWidget() is main]
        panel = (here or self._panels or [None])[0]
        if panel is not None:
            panel.bring_to_sight()
        return panel

    def _run(self, name: str) -> None:
        self.session.refresh()
        panel = self._panel()
        if panel is not None:
            panel.draw(self._session.state)
            panel.run(name)

    def _save(self) -> None:
        self.session.refresh()
        panel = self._panel()
        if panel is not None:
            panel.draw(self._session.state)
            panel.save()

    def _settings(self) -> None:
        dialog = SettingsDialog(QtWidgets.QApplication.activeWindow(), self._preferences)
        if dialog.exec():
            self._preferences = dialog.preferences()
            self.session.use_environment(self._environment())

    def _environment(self) -> dict[str, str]:
        try:
            return preferences.environment_with(self._preferences)
        except CelwrightError as error:
            log.warning("The stored settings are not used: %s", error)
            return dict(os.environ)

    def _changed(self) -> None:
        self._wake()
        self._pen.start(0)

    def _wake(self) -> None:
        self._lively_until = time.monotonic() + LIVELY_SECONDS
        self._clock.setInterval(BUSY_MS)

    def _turn(self) -> None:
        if self._turning:  # Krita runs its events, and so this clock, while it computes a picture for us
            return
        self._turning = True
        try:
            self._take_turn()
        finally:
            self._turning = False

    def _take_turn(self) -> None:
        now = time.monotonic()
        safely(self._session.turn, self._say_once)
        if now - self._refreshed >= IDLE_MS / 1000 and any(panel.isVisible() for panel in self._panels):
            self._refreshed = now
            self._refresh()
        if self._session.state.job is None and now > self._lively_until:
            self._clock.setInterval(IDLE_MS)

    def _refresh(self) -> None:
        safely(self._session.refresh, self._say_once)

    def _draw(self) -> None:
        for panel in self._panels:
            self._safely(lambda panel=panel: panel.draw(self._session.state))
        self._safely(self._tell_stage)

    def _tell_stage(self) -> None:
        """The running job in the status bar too: the docker may be hidden."""
        job, now = self._session.state.job, time.monotonic()
        stage = job.stage if job is not None else ""
        if job is not None and (stage != self._stage or now - self._stage_told > STAGE_SECONDS):
            self._stage_told = now
            self.program.show_message(stage_text(job))
        if self._stage and not stage and self._session.state.fault is not None:
            self.program.show_message(self._session.state.fault.sentence)
        self._stage = stage

    def _close(self) -> None:
        self._clock.stop()
        self._pen.stop()
        self._safely(self._session.close)

    def _safely(self, act: Callable[[], Any]) -> Any:
        return safely(act, self.program.show_message)
