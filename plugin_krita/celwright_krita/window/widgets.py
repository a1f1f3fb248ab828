"""The docker's building blocks: a widget gets its names and tooltip from one text key. Knows no session.

The text ``KEY`` is what the artist reads, ``KEY.tip`` the tooltip, and KEY the object name by which tests find it.
"""

from __future__ import annotations

from typing import Iterable, TypeVar

from celwright_krita.texts import tr
from celwright_krita.window.icons import icon
from celwright_krita.window.qt import Qt, QtCore, QtGui, QtWidgets

Widget = TypeVar("Widget", bound=QtWidgets.QWidget)
Policy = QtWidgets.QSizePolicy.Policy
_PICTURE = "celwright_picture"  # a button's property: its icon's name


def without_mnemonic(text: str) -> str:
    """``text`` as it is spoken: "&Cancel" and "キャンセル(&C)" without the mark."""
    head, mark, rest = text.partition("(&")
    return (head + rest[2:] if mark else text.replace("&", "")).strip()


def named(widget: Widget, key: str) -> Widget:
    """``widget`` with the object name, tooltip and accessible name of ``key``."""
    widget.setObjectName(key)
    widget.setToolTip(tr(f"{key}.tip"))
    widget.setAccessibleName(without_mnemonic(tr(key)))
    return widget


def allow(widget: QtWidgets.QWidget, reason: str = "") -> None:
    """Enabled without a ``reason`` against it; else disabled, with the reason as tooltip."""
    widget.setEnabled(not reason)
    widget.setToolTip(reason or tr(f"{widget.objectName()}.tip"))


def push_button(key: str, picture: str = "") -> QtWidgets.QPushButton:
    button = named(QtWidgets.QPushButton(tr(key)), key)
    # The mark stays visible, but the letter works inside the docker only (see keys.py): Alt+D is also Krita's.
    button.setShortcut(QtGui.QKeySequence())
    button.setAutoDefault(False)
    button.setMinimumWidth(20)  # else the longest text of a language would decide how narrow the docker can be
    if picture:
        _picture(button, picture)
    return button


def tool_button(key: str, picture: str) -> QtWidgets.QToolButton:
    """A button that shows only a picture; its words stand in the tooltip."""
    button = named(QtWidgets.QToolButton(), key)
    _picture(button, picture)
    button.setAutoRaise(True)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return button


def _picture(button: QtWidgets.QAbstractButton, name: str) -> None:
    button.setIcon(icon(name))
    button.setProperty(_PICTURE, name)


def renew_pictures(widget: QtWidgets.QWidget) -> None:
    """Give all buttons in ``widget`` their icons anew: those of another theme have another colour."""
    for button in widget.findChildren(QtWidgets.QAbstractButton):
        if button.property(_PICTURE):
            button.setIcon(icon(button.property(_PICTURE)))


def sentence(key: str) -> QtWidgets.QLabel:
    """A hidden label for a sentence that comes and goes; the mouse can select it."""
    label = named(QtWidgets.QLabel(), key)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setSizePolicy(Policy.Ignored, Policy.Minimum)
    label.hide()
    return label


def say(label: QtWidgets.QLabel, text: str) -> None:
    label.setText(text)
    label.setVisible(bool(text))


def check_box(key: str) -> QtWidgets.QCheckBox:
    box = named(QtWidgets.QCheckBox(tr(key)), key)
    box.setMinimumWidth(20)
    return box


def add_rows(
    view: QtWidgets.QListWidget, entries: Iterable[tuple[QtGui.QIcon, str]], shown: int
) -> list[QtWidgets.QListWidgetItem]:
    """Fill ``view`` with icons and texts of one or more lines; it becomes as high as its rows, at most ``shown``."""
    view.clear()
    line, least = view.fontMetrics().lineSpacing(), view.iconSize().height()
    items = []
    for picture, text in entries:
        item = QtWidgets.QListWidgetItem(picture, text)
        item.setSizeHint(QtCore.QSize(20, max(least, line * (text.count("\n") + 1)) + 4))
        view.addItem(item)
        items.append(item)
    heights = [item.sizeHint().height() for item in items[:shown]]
    view.setFixedHeight(max(sum(heights), least) + 2 * view.frameWidth())
    return items


class Group(QtWidgets.QWidget):
    """A heading with an arrow that opens and closes what lies under it."""

    def __init__(self, key: str, content: QtWidgets.QLayout, opened: bool = True) -> None:
        super().__init__()
        self.heading = named(QtWidgets.QToolButton(), key)
        self.heading.setText(tr(key))
        self.heading.setCheckable(True)
        self.heading.setChecked(opened)
        self.heading.setAutoRaise(True)
        self.heading.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.heading.setSizePolicy(Policy.Ignored, Policy.Fixed)
        self.heading.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._content = QtWidgets.QWidget()
        self._content.setLayout(content)
        content.setContentsMargins(8, 0, 0, 4)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.heading)
        layout.addWidget(self._content)
        self.heading.toggled.connect(self._open)
        self._open(opened)

    def _open(self, opened: bool) -> None:
        self.heading.setArrowType(Qt.ArrowType.DownArrow if opened else Qt.ArrowType.RightArrow)
        self._content.setVisible(opened)
