"""The references: pictures to take colours from, each with the instance in it and the place where that stands.

Adds from layer, file, clipboard and character library; knows the session's methods, not where references are kept.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Callable

from celwright_krita.errors import CelwrightError
from celwright_krita.pixels import Pixels
from celwright_krita.state import ReferenceState, State
from celwright_krita.texts import tr
from celwright_krita.window.layer_choices import INDENT
from celwright_krita.window.offers import differs, lacking
from celwright_krita.window.picture_files import read_picture
from celwright_krita.window.pictures import picture_icon, pixels_of
from celwright_krita.window.qt import Qt, QtCore, QtGui, QtWidgets
from celwright_krita.window.widgets import add_rows, allow, named, tool_button

if TYPE_CHECKING:
    from celwright_krita.session.session import Session

THUMBNAIL = 44  # logical px
ROWS = 3  # shown without scrolling


class ReferenceList(QtCore.QObject):
    """``show_why`` tells the artist why a picture could not be taken."""

    def __init__(self, session: Session, show_why: Callable[[str], None]) -> None:
        super().__init__()
        self._session = session
        self._show_why = show_why
        self._state = State()
        self._icons: dict[int, QtGui.QIcon] = {}
        self.list = named(QtWidgets.QListWidget(), "references.list")
        self.list.setIconSize(QtCore.QSize(THUMBNAIL, THUMBNAIL))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.currentRowChanged.connect(lambda _: self._allow())
        self._add = tool_button("references.add", "add")
        self._add.setPopupMode(QtWidgets.QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QtWidgets.QMenu(self._add)
        menu.setObjectName("references.add.menu")
        menu.setToolTipsVisible(True)
        menu.aboutToShow.connect(self._fill_menu)
        self._add.setMenu(menu)
        self._tools = {
            "remove": ("remove", session.remove_reference),
            "mask": ("mask", session.mask_reference_by_selection),
            "place": ("place", session.place_reference_by_selection),
            "show": ("show", session.show_placement),
            "save": ("keep", self._save),
        }
        self._buttons = {}
        row = QtWidgets.QHBoxLayout()
        row.setSpacing(2)
        row.addWidget(self._add)
        for name, (picture, act) in self._tools.items():
            button = self._buttons[name] = tool_button(f"references.{name}", picture)
            button.clicked.connect(lambda _=False, act=act: self._act(act))
            row.addWidget(button)
        row.addStretch(1)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._context_menu)
        self.list.installEventFilter(self)
        self.layout_inside = QtWidgets.QVBoxLayout()
        self.layout_inside.setSpacing(2)
        self.layout_inside.addWidget(self.list)
        self.layout_inside.addLayout(row)

    def forget_icons(self) -> None:
        """They are drawn anew, in another theme's greys."""
        self._icons = {}

    def draw(self, state: State, before: State | None) -> None:
        self._state = state
        if differs(state, before, "references"):
            self._fill(state.references)
        if differs(state, before, "references", "daemon", "selected", "document", "layers"):
            self._allow()

    def _fill(self, references: tuple[ReferenceState, ...]) -> None:
        row = self.list.currentRow()
        grown = len(references) > self.list.count()
        ratio = self.list.devicePixelRatioF()
        self._icons = {
            which.id: self._icons.get(which.id) or picture_icon(which.thumbnail, THUMBNAIL, ratio)
            for which in references
        }
        rows = []
        for which in references:
            marks = [tr("references.masked")] * which.masked + [tr("references.placed")] * which.placed
            rows.append((self._icons[which.id], "\n".join([which.name, ", ".join(marks)]).strip()))
        add_rows(self.list, rows, ROWS)
        self.list.setVisible(bool(references))
        self.list.setCurrentRow(len(references) - 1 if grown else min(row, len(references) - 1))

    def eventFilter(self, watched: QtCore.QObject, event: QtCore.QEvent) -> bool:
        if event.type() == QtCore.QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Delete:
            self._buttons["remove"].click()
            return True
        return False

    def _current(self) -> ReferenceState | None:
        row = self.list.currentRow()
        return self._state.references[row] if 0 <= row < len(self._state.references) else None

    def _allow(self) -> None:
        lack, which = lacking(self._state.daemon, "colorize.references"), self._current()
        none = "" if which is not None else tr("offer.no_reference")
        unselected = "" if self._state.selected else tr("offer.no_selection")
        unplaced = "" if which is not None and which.placed else tr("offer.not_placed")
        allow(self._add, lack)
        allow(self._buttons["remove"], none)
        allow(self._buttons["mask"], lack or none or unselected)
        allow(self._buttons["place"], lack or none or unselected)
        allow(self._buttons["show"], none or unplaced)
        allow(self._buttons["save"], none)

    def _act(self, method: Callable[[int], None]) -> None:
        which = self._current()
        if which is not None:
            method(which.id)

    def _context_menu(self, place: QtCore.QPoint) -> None:
        menu = QtWidgets.QMenu(self.list)
        for name, button in self._buttons.items():
            action = menu.addAction(button.icon(), tr(f"references.{name}"))
            action.setEnabled(button.isEnabled())
            action.triggered.connect(lambda _=False, button=button: button.click())
        menu.popup(self.list.mapToGlobal(place))

    def _fill_menu(self) -> None:
        menu = self._add.menu()
        menu.clear()
        layers = menu.addMenu(tr("references.from.layer"))
        for layer in self._state.layers:
            action = layers.addAction(INDENT * layer.level + layer.name.replace("&", "&&"))
            action.triggered.connect(lambda _=False, id=layer.id: self._session.add_layer_reference(id))
        layers.setEnabled(bool(self._state.layers))
        menu.addAction(tr("references.from.file")).triggered.connect(lambda: self._add_files())
        clipboard = menu.addAction(tr("references.from.clipboard"))
        clipboard.triggered.connect(lambda: self._add_clipboard())
        data = QtWidgets.QApplication.clipboard().mimeData()
        clipboard.setEnabled(data is not None and data.hasImage())
        library = menu.addMenu(tr("references.from.library"))
        for name in self._state.characters:
            action = library.addAction(name.replace("&", "&&"))
            action.triggered.connect(lambda _=False, name=name: self._session.add_character(name))
        library.setEnabled(bool(self._state.characters))

    def _add_files(self) -> None:
        patterns = " ".join(f"*.{bytes(ending).decode()}" for ending in QtGui.QImageReader.supportedImageFormats())
        window = self.list.window()
        kinds = f"{tr('references.files')} ({patterns})"
        paths, _ = QtWidgets.QFileDialog.getOpenFileNames(window, tr("references.from.file"), "", kinds)
        for path in paths:
            self._add_picture(os.path.basename(path), lambda path=path: read_picture(path))

    def _add_clipboard(self) -> None:
        image = QtWidgets.QApplication.clipboard().image()
        self._add_picture(tr("references.clipboard"), lambda: pixels_of(image))

    def _add_picture(self, name: str, read: Callable[[], Pixels]) -> None:
        try:
            self._session.add_picture_reference(name, read())
        except CelwrightError as error:
            self._show_why(str(error))

    def _save(self, id: int) -> None:
        which = self._current()
        title, label = tr("references.save"), tr("references.save.name")
        name, given = QtWidgets.QInputDialog.getText(self.list.window(), title, label, text=which.name if which else "")
        if given and name.strip():
            self._session.save_character(id, name.strip())
