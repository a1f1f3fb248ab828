"""Earlier results with their thumbnails: insert one again, or make it again from its stored parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from celwright_krita.state import HistoryEntry, State
from celwright_krita.texts import tr
from celwright_krita.window.icons import icon
from celwright_krita.window.offers import differs
from celwright_krita.window.pictures import picture_icon
from celwright_krita.window.qt import QAction, Qt, QtCore, QtGui, QtWidgets
from celwright_krita.window.widgets import add_rows, allow, named, push_button

if TYPE_CHECKING:
    from celwright_krita.session.session import Session

THUMBNAIL = 40  # logical px
ROWS = 4  # shown without scrolling


class HistoryList(QtWidgets.QWidget):
    """The newest first; Enter or a double click inserts, or runs again what is no longer held."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._entries: tuple[HistoryEntry, ...] = ()
        self._icons: dict[int, QtGui.QIcon] = {}
        self._busy = False
        self.list = named(QtWidgets.QListWidget(), "history.list")
        self.list.setIconSize(QtCore.QSize(THUMBNAIL, THUMBNAIL))
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemActivated.connect(lambda _: self._enter())
        self.list.currentRowChanged.connect(lambda _: self._allow())
        self._insert = push_button("history.insert", "insert")
        self._again = push_button("history.again", "again")
        self._insert.clicked.connect(lambda: self._act(session.insert_again))
        self._again.clicked.connect(lambda: self._act(session.run_again))
        for button in (self._insert, self._again):
            action = QAction(button.text(), self.list)
            action.setToolTip(button.toolTip())
            action.triggered.connect(button.click)
            self.list.addAction(action)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        buttons = QtWidgets.QHBoxLayout()
        buttons.addWidget(self._insert)
        buttons.addWidget(self._again)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.list)
        layout.addLayout(buttons)

    def forget_icons(self) -> None:
        """They are drawn anew, in another theme's greys."""
        self._icons = {}

    def draw(self, state: State, before: State | None) -> None:
        self._busy = state.job is not None
        if differs(state, before, "history"):
            self._fill(state.history)
        if differs(state, before, "history", "job", "document"):
            self._allow()

    def _fill(self, entries: tuple[HistoryEntry, ...]) -> None:
        kept = self._current()
        if entries and entries[0].id not in [entry.id for entry in self._entries]:
            kept = entries[0]  # what was made just now
        self._entries = entries
        self._icons = {entry.id: self._icons.get(entry.id) or self._icon(entry) for entry in entries}
        rows = [(self._icons[entry.id], f"{entry.title}\n{entry.document}") for entry in entries]
        for item, entry in zip(add_rows(self.list, rows, ROWS), entries):
            item.setToolTip(tr("history.item.tip" if entry.insertable else "history.stored.tip", title=entry.title))
        ids = [entry.id for entry in entries]
        self.list.setCurrentRow(ids.index(kept.id) if kept is not None and kept.id in ids else min(0, len(ids) - 1))

    def _icon(self, entry: HistoryEntry) -> QtGui.QIcon:
        if entry.thumbnail is None:
            return icon("again")
        return picture_icon(entry.thumbnail, THUMBNAIL, self.devicePixelRatioF())

    def _current(self) -> HistoryEntry | None:
        row = self.list.currentRow()
        return self._entries[row] if 0 <= row < len(self._entries) else None

    def _allow(self) -> None:
        entry = self._current()
        reason = tr("offer.no_entry") if entry is None else tr("offer.busy") if self._busy else ""
        gone = tr("offer.not_held") if entry is not None and not entry.insertable else ""
        allow(self._insert, reason or gone)
        allow(self._again, reason)
        for action, button in zip(self.list.actions(), (self._insert, self._again)):
            action.setEnabled(button.isEnabled())

    def _enter(self) -> None:
        (self._insert if self._insert.isEnabled() else self._again).click()

    def _act(self, method) -> None:
        entry = self._current()
        if entry is not None:
            method(entry.id)
