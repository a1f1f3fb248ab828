"""Drop-downs, numbers and rows of them, which stay as narrow as the docker. Knows no session."""

from __future__ import annotations

from typing import Iterable

from celwright_krita.texts import tr
from celwright_krita.window.qt import Qt, QtCore, QtGui, QtWidgets, Signal
from celwright_krita.window.widgets import Policy, Widget, named


class Choice(QtWidgets.QComboBox):
    """A drop-down of named values that stays as narrow as the docker and keeps what was chosen when it is refilled."""

    chosen = Signal()  # by the artist

    def __init__(self) -> None:
        super().__init__()
        self._offered: list = []
        self.setSizeAdjustPolicy(QtWidgets.QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.activated.connect(lambda _: self.chosen.emit())

    def offer(self, entries: Iterable[tuple[str, str, QtGui.QIcon]]) -> None:
        """``entries`` of (value, text, icon); an empty value with an empty text is a line between entries."""
        entries = list(entries)
        if [entry[:2] for entry in entries] == self._offered:
            return
        self._offered = [entry[:2] for entry in entries]
        value = self.value()
        blocked = self.blockSignals(True)
        self.clear()
        for which, text, picture in entries:
            if which or text:
                self.addItem(picture, text, which)
            else:
                self.insertSeparator(self.count())
        self.choose(value)
        self.blockSignals(blocked)

    def forget(self) -> None:
        """The next ``offer`` fills it anew, even with the same entries."""
        self._offered = []

    def value(self) -> str:
        return self.currentData() or ""

    def choose(self, value: str) -> None:
        """Take ``value``, or the first entry when it is not offered."""
        self.setCurrentIndex(max(0, self.findData(value)))

    def forbid(self, value: str, reason: str) -> None:
        """Grey out one entry with ``reason`` as its tooltip; allowed again when the reason is empty."""
        item = self.model().item(max(0, self.findData(value)))
        item.setEnabled(not reason)
        item.setToolTip(reason)
        if reason and self.value() == value:
            self.setCurrentIndex(0)

    def wheelEvent(self, event: QtGui.QWheelEvent) -> None:
        """Scrolling through the docker must not change what the pointer happens to pass."""
        super().wheelEvent(event) if self.hasFocus() else event.ignore()


class Number(QtWidgets.QSpinBox):
    """A number in a range."""

    def __init__(self, lowest: int, highest: int, value: int) -> None:
        super().__init__()
        self.setRange(lowest, highest)
        self.setValue(value)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccelerated(True)
        self.setSizePolicy(Policy.Expanding, Policy.Fixed)

    def minimumSizeHint(self) -> QtCore.QSize:
        """Room for five digits; seeds of ten would make the docker wide."""
        room = self.fontMetrics().horizontalAdvance("0" * 5) + 28
        return QtCore.QSize(min(room, super().minimumSizeHint().width()), super().minimumSizeHint().height())

    def wheelEvent(self, event: QtGui.QWheelEvent) -> None:
        super().wheelEvent(event) if self.hasFocus() else event.ignore()


class Form(QtWidgets.QGridLayout):
    """Rows of a label and its field; every row can be hidden as a whole."""

    def __init__(self) -> None:
        super().__init__()
        self.setContentsMargins(0, 0, 0, 0)
        self.setHorizontalSpacing(6)
        self.setVerticalSpacing(4)
        self.setColumnStretch(1, 1)

    def add(self, key: str, field: Widget, *beside: QtWidgets.QWidget) -> Widget:
        """A row for ``field``, which gets its names from ``key``; ``beside`` stand to its right."""
        label = QtWidgets.QLabel(tr(key))
        label.setBuddy(field)
        label.setToolTip(tr(f"{key}.tip"))
        label.setObjectName(f"{key}.label")
        label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row = self.rowCount()
        self.addWidget(label, row, 0)
        line = QtWidgets.QHBoxLayout()
        line.setSpacing(2)
        line.addWidget(named(field, key), 1)
        for widget in beside:
            line.addWidget(widget)
        self.addLayout(line, row, 1)
        return field

    def add_wide(self, widget: QtWidgets.QWidget) -> None:
        self.addWidget(widget, self.rowCount(), 0, 1, 2)

    @staticmethod
    def show_row(field: QtWidgets.QWidget, shown: bool) -> None:
        field.setVisible(shown)
        label = field.parentWidget().findChild(QtWidgets.QLabel, f"{field.objectName()}.label")
        label.setVisible(shown)
