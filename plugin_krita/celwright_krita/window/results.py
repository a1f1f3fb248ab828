"""The last result or what the running job shows so far: picture, variations to choose from, numbers and notices.

Nothing here lies on the canvas; a result gets there by the session alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from celwright_krita.state import State
from celwright_krita.texts import tr
from celwright_krita.window.offers import differs
from celwright_krita.window.pictures import PictureView, picture_icon
from celwright_krita.window.qt import Qt, QtCore, QtGui, QtWidgets
from celwright_krita.window.widgets import named, say, sentence
from celwright_krita.window.words import leaks_text, recomposition_text

if TYPE_CHECKING:
    from celwright_krita.session.session import Session

THUMBNAIL = 72  # logical px


class Variations(QtWidgets.QListWidget):
    """Thumbnails in a row that wraps; Enter or a click takes one."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        named(self, "variations")
        self._session = session
        self._shown = -1
        self.setViewMode(QtWidgets.QListView.ViewMode.IconMode)
        self.setMovement(QtWidgets.QListView.Movement.Static)
        self.setResizeMode(QtWidgets.QListView.ResizeMode.Adjust)
        self.setIconSize(QtCore.QSize(THUMBNAIL, THUMBNAIL))
        self._cell = QtCore.QSize(THUMBNAIL + 8, THUMBNAIL + self.fontMetrics().height() + 10)
        self.setGridSize(self._cell)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.itemClicked.connect(self._take)
        self.itemActivated.connect(self._take)
        self.hide()

    def draw(self, state: State, before: State | None) -> None:
        if differs(state, before, "variations"):
            self.clear()
            for number, picture in enumerate(state.variations, 1):
                name = tr("variations.item", number=number)
                shown = picture_icon(picture, THUMBNAIL, self.devicePixelRatioF())
                self.addItem(QtWidgets.QListWidgetItem(shown, name))
            self.setVisible(len(state.variations) > 1)
            self._fit()
        if differs(state, before, "variations", "chosen"):
            self._shown = state.chosen
            self.setCurrentRow(state.chosen if self.count() else -1)

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """As high as its rows need: the docker scrolls, not each part of it."""
        columns = max(1, self.viewport().width() // self._cell.width())
        rows = -(-self.count() // columns)
        self.setFixedHeight(max(1, rows) * self._cell.height() + 2 * self.frameWidth() + 2)

    def _take(self, item: QtWidgets.QListWidgetItem) -> None:
        row = self.row(item)
        if row != self._shown:
            self._shown = row
            self._session.choose(row)


class Results(QtWidgets.QWidget):
    """Everything there is to say about the last job, under its picture."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._picture = named(PictureView(), "result.picture")
        self._variations = Variations(session)
        self._recomposition = sentence("result.recomposition")
        self._leaks = sentence("result.leaks")
        self._notices = sentence("result.notices")
        self._saved = sentence("result.saved")
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for widget in (
            self._picture, self._variations, self._recomposition, self._leaks, self._notices, self._saved,
        ):  # fmt: skip
            layout.addWidget(widget)

    def draw(self, state: State, before: State | None) -> None:
        preview = state.job.preview if state.job is not None else None
        made = state.variations[state.chosen] if 0 < state.chosen < len(state.variations) else state.overview
        self._picture.show_picture(preview if preview is not None else made)
        self._variations.draw(state, before)
        if differs(state, before, "recomposition"):
            say(self._recomposition, recomposition_text(state.recomposition))
        if differs(state, before, "leaks"):
            say(self._leaks, leaks_text(state.leaks))
        if differs(state, before, "notices"):
            say(self._notices, "\n".join(state.notices))
        if differs(state, before, "saved"):
            say(self._saved, tr("result.saved.at", path=state.saved) if state.saved else "")
