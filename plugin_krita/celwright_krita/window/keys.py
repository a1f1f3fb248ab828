"""Keys belong to the docker while it has the focus: Tab, arrows, Enter, Delete and its own Alt+letters.

Krita binds Tab to "canvas only", Delete to clearing the layer and the arrows to frames and layers; a program's shortcut
goes before the widget with the focus unless the widget says, as here, that it wants the key itself.
"""

from __future__ import annotations

from celwright_krita.window.qt import Qt, QtCore, QtGui, QtWidgets

Key = Qt.Key
Modifier = Qt.KeyboardModifier
OWN = {
    Key.Key_Tab, Key.Key_Backtab, Key.Key_Up, Key.Key_Down, Key.Key_Left, Key.Key_Right, Key.Key_Home, Key.Key_End,
    Key.Key_PageUp, Key.Key_PageDown, Key.Key_Return, Key.Key_Enter, Key.Key_Space, Key.Key_Delete, Key.Key_Menu,
    Key.Key_Escape,
}  # fmt: skip


class OwnKeys(QtCore.QObject):
    """Watches every widget in ``panel`` that can have the focus."""

    def __init__(self, panel: QtWidgets.QWidget) -> None:
        super().__init__(panel)
        self._panel = panel
        for widget in panel.findChildren(QtWidgets.QWidget):
            widget.installEventFilter(self)

    def eventFilter(self, watched: QtCore.QObject, event: QtCore.QEvent) -> bool:
        if event.type() == QtCore.QEvent.Type.ShortcutOverride:
            if self._own(event):
                event.accept()
                return True
        elif event.type() == QtCore.QEvent.Type.KeyPress:
            button = self._meant(event)
            if button is not None:
                button.setFocus(Qt.FocusReason.ShortcutFocusReason)
                button.click()
                return True
        return False

    def _own(self, event: QtGui.QKeyEvent) -> bool:
        if self._meant(event) is not None:
            return True
        plain = event.modifiers() & ~(Modifier.KeypadModifier | Modifier.ShiftModifier) == Modifier.NoModifier
        return plain and event.key() in OWN

    def _meant(self, event: QtGui.QKeyEvent) -> QtWidgets.QAbstractButton | None:
        """The visible button with the letter of Alt+letter."""
        if event.modifiers() != Modifier.AltModifier or not Key.Key_0 <= event.key() <= Key.Key_Z:
            return None
        mark = f"&{chr(event.key())}"
        for button in self._panel.findChildren(QtWidgets.QAbstractButton):
            if mark in button.text().upper() and button.isVisible() and button.isEnabled():
                return button
        return None
