"""Colours of a picture, some of them struck out, under a name: what is asked for when a palette is saved."""

from __future__ import annotations

from celwright_krita.pixels import Pixels
from celwright_krita.texts import tr
from celwright_krita.window.fields import Choice, Form
from celwright_krita.window.pictures import frequent_colors
from celwright_krita.window.qt import Qt, QtCore, QtGui, QtWidgets
from celwright_krita.window.widgets import named

SWATCH = 20  # logical px
Role = Qt.ItemDataRole


class PaletteDialog(QtWidgets.QDialog):
    """``sources`` are (name, picture) to take colours from, at least one."""

    def __init__(self, parent: QtWidgets.QWidget, sources: list[tuple[str, Pixels]]) -> None:
        super().__init__(parent)
        self.setObjectName("palette_dialog")
        self.setWindowTitle(tr("palette_dialog"))
        self._sources = sources
        form = Form()
        self._name = form.add("palette_dialog.name", QtWidgets.QLineEdit())
        self._source = form.add("palette_dialog.source", Choice())
        self._source.offer((str(number), name, QtGui.QIcon()) for number, (name, _) in enumerate(sources))
        self._source.chosen.connect(self._fill)
        self._colors = named(QtWidgets.QListWidget(), "palette_dialog.colors")
        self._colors.setIconSize(QtCore.QSize(SWATCH, SWATCH))
        self._colors.itemChanged.connect(lambda _: self._allow())
        self._buttons = QtWidgets.QDialogButtonBox()
        ok, cancel = QtWidgets.QDialogButtonBox.StandardButton.Save, QtWidgets.QDialogButtonBox.StandardButton.Cancel
        for which, key in ((ok, "dialog.save"), (cancel, "dialog.cancel")):
            button = named(self._buttons.addButton(which), key)
            button.setText(tr(key))
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        self._name.textChanged.connect(lambda _: self._allow())
        layout = QtWidgets.QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(self._colors)
        layout.addWidget(self._buttons)
        self._fill()

    def name(self) -> str:
        return self._name.text().strip()

    def colors(self) -> bytes:
        """3 bytes for each colour that is ticked."""
        items = [self._colors.item(row) for row in range(self._colors.count())]
        return b"".join(item.data(Role.UserRole) for item in items if item.checkState() == Qt.CheckState.Checked)

    def _fill(self) -> None:
        self._colors.clear()
        for color in frequent_colors(self._sources[int(self._source.value())][1]):
            swatch = QtGui.QPixmap(SWATCH, SWATCH)
            swatch.fill(QtGui.QColor(*color))
            item = QtWidgets.QListWidgetItem(QtGui.QIcon(swatch), f"#{color.hex()}")
            item.setData(Role.UserRole, color)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked)
            self._colors.addItem(item)
        self._allow()

    def _allow(self) -> None:
        save = self._buttons.button(QtWidgets.QDialogButtonBox.StandardButton.Save)
        save.setEnabled(bool(self.name() and self.colors()))
