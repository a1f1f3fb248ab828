"""The docker's content: two tabs, results and history to scroll through; job and daemon are always in sight.

It draws the session's State and calls the session's methods; it knows nothing of Krita, so it runs in any Qt program.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Callable

from celwright_krita.state import State
from celwright_krita.texts import tr
from celwright_krita.window.colorize_tab import ColorizeTab
from celwright_krita.window.decompose_tab import DecomposeTab
from celwright_krita.window.fields import Choice
from celwright_krita.window.history_list import HistoryList
from celwright_krita.window.keys import OwnKeys
from celwright_krita.window.offers import blocked, differs
from celwright_krita.window.qt import Qt, QtCore, QtGui, QtWidgets
from celwright_krita.window.results import Results
from celwright_krita.window.status_area import DaemonRow, FaultBox, JobRow
from celwright_krita.window.widgets import Group, allow, named, renew_pictures, say, sentence, tool_button

if TYPE_CHECKING:
    from celwright_krita.session.session import Session

TABS = ("decompose", "colorize")
LAYERED = {".psd": "save.psd", ".ora": "save.ora"}


class Panel(QtWidgets.QWidget):
    """``settings`` opens the settings; ``show_message`` shows a short line that goes away by itself."""

    def __init__(self, session: Session, settings: Callable[[], None], show_message: Callable[[str], None]) -> None:
        super().__init__()
        self.setObjectName("panel")
        self._renewal = QtCore.QTimer(self)
        self._renewal.setSingleShot(True)
        self._renewal.timeout.connect(self._renew)
        self._session = session
        self._show_message = show_message
        self._shown: State | None = None
        self._fault = FaultBox(session, settings, self.diagnose)
        self._job = JobRow(session)
        self._daemon = DaemonRow(session, settings, self.diagnose)
        self._results = Results(session)
        self._history = HistoryList(session)
        column = QtWidgets.QVBoxLayout()
        column.addWidget(self._history)
        self._history_group = Group("group.history", column)
        self._tabs = [DecomposeTab(session), ColorizeTab(session, show_message)]
        self._bar = named(QtWidgets.QTabBar(), "tabs")
        self._bar.setExpanding(True)
        self._bar.setDrawBase(False)
        for name in TABS:
            self._bar.setTabToolTip(self._bar.addTab(tr(f"tab.{name}")), tr(f"tab.{name}.tip"))
        self._save = tool_button("save", "keep")
        self._save.clicked.connect(self.save)
        self._actions = self._buttons()
        self._refusal = sentence("refusal")
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.setSpacing(4)
        self._scroll = self._scroll_area()
        layout.addWidget(self._bar)
        layout.addWidget(self._scroll, 1)
        layout.addWidget(self._job)
        layout.addWidget(self._actions)
        layout.addWidget(self._daemon)
        self._bar.currentChanged.connect(self._open)
        self._open(0)
        self._keys = OwnKeys(self)

    def _scroll_area(self) -> QtWidgets.QScrollArea:
        inner = QtWidgets.QWidget()
        inner.setBackgroundRole(QtGui.QPalette.ColorRole.Window)
        column = QtWidgets.QVBoxLayout(inner)
        column.setContentsMargins(0, 2, 4, 2)
        column.setSpacing(6)
        # What comes and goes lies in here: outside it would make the docker higher, and with it Krita's window.
        for widget in (self._fault, self._refusal, *self._tabs, self._results, self._history_group):
            column.addWidget(widget)
        column.addStretch(1)
        area = QtWidgets.QScrollArea()
        area.setObjectName("scroll")
        area.setWidgetResizable(True)
        area.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(inner)
        return area

    def _buttons(self) -> QtWidgets.QWidget:
        """What starts a job; the running job takes its place."""
        widget = QtWidgets.QWidget()
        row = QtWidgets.QHBoxLayout(widget)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        for tab in self._tabs:
            row.addWidget(tab.button, 1)
        row.addWidget(self._save)
        return widget

    def changeEvent(self, event: QtCore.QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QtCore.QEvent.Type.PaletteChange:
            self._renewal.start(0)  # the painting program takes its own icons from the theme after this event

    def _renew(self) -> None:
        """Another theme: all icons anew."""
        renew_pictures(self)
        self._history.forget_icons()
        self._tabs[1].references.forget_icons()
        for choice in self.findChildren(Choice):
            choice.forget()
        state, self._shown = self._shown, None
        if state is not None:
            self.draw(state)

    def open_tab(self, name: str) -> None:
        """Show "decompose" or "colorize"."""
        self._bar.setCurrentIndex(TABS.index(name))

    def bring_to_sight(self) -> None:
        """Show the docker that this is in, before others that share its place."""
        docker = self.parentWidget()
        if docker is not None:
            docker.show()
            docker.raise_()

    def _open(self, index: int) -> None:
        for number, tab in enumerate(self._tabs):
            tab.setVisible(number == index)
            tab.button.setVisible(number == index)

    def draw(self, state: State) -> None:
        """Show ``state``; only what differs from the one before is drawn anew."""
        before, self._shown = self._shown, state
        if state is before:
            return
        for part in (self._fault, self._job, self._daemon, self._results, self._history, *self._tabs):
            part.draw(state, before)
        if differs(state, before, "history"):
            self._history_group.setVisible(bool(state.history))
        if differs(state, before, "job"):
            self._actions.setVisible(state.job is None)
        if differs(state, before, "refusal"):
            say(self._refusal, state.refusal)
        if differs(state, before, "refusal", "fault") and (state.refusal or state.fault):
            self._scroll.verticalScrollBar().setValue(0)
        if differs(state, before, "document", "refusal", "job", "daemon"):
            allow(self._save, blocked(state, "write.psd"))

    def run(self, name: str) -> None:
        """Start "decompose" or "colorize" with what is chosen here; say why when that cannot be."""
        self.open_tab(name)
        reason = blocked(self._shown or State(), "decompose" if name == "decompose" else "colorize.hints")
        if reason:
            self._show_message(reason)
        else:
            self._tabs[TABS.index(name)].run()

    def diagnose(self) -> None:
        """A report about daemon and plugin to the clipboard."""
        QtWidgets.QApplication.clipboard().setText(self._session.diagnose())
        self._show_message(tr("diagnosis.copied"))

    def save(self) -> None:
        """Ask where to, and before something is replaced, then save as layered file."""
        state = self._shown or State()
        reason = blocked(state, "write.psd")
        if reason:
            self._show_message(reason)
            return
        folder = os.path.dirname(state.saved) or os.path.expanduser("~")
        path = os.path.join(folder, os.path.splitext(os.path.basename(state.document))[0] + ".psd")
        kinds = {f"{tr(key)} (*{ending})": ending for ending, key in LAYERED.items()}
        ask = QtWidgets.QFileDialog.Option.DontConfirmOverwrite
        window = self.window()
        path, kind = QtWidgets.QFileDialog.getSaveFileName(window, tr("save"), path, ";;".join(kinds), options=ask)
        if not path:
            return
        if os.path.splitext(path)[1].lower() not in LAYERED:
            path += kinds.get(kind, ".psd")
        replace = os.path.exists(path)
        if not replace or self._may_replace(path):
            self._session.save_document(path, replace)

    def _may_replace(self, path: str) -> bool:
        box = QtWidgets.QMessageBox(self.window())
        box.setObjectName("replace")
        box.setIcon(QtWidgets.QMessageBox.Icon.Question)
        box.setWindowTitle(tr("replace"))
        box.setText(tr("replace.question", name=os.path.basename(path)))
        roles = QtWidgets.QMessageBox.ButtonRole
        yes = named(box.addButton(tr("replace.yes"), roles.AcceptRole), "replace.yes")
        box.setDefaultButton(named(box.addButton(tr("dialog.cancel"), roles.RejectRole), "dialog.cancel"))
        box.exec()
        return box.clickedButton() is yes
