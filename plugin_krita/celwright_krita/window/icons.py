"""Icons by the name of what they stand for: Krita's own where they are given, else those of Qt's style.

Krita's follow its theme; they are handed in, for only the rim knows Krita.
"""

from __future__ import annotations

from typing import Callable

from celwright_krita.window.qt import Qt, QtGui, QtWidgets

Standard = QtWidgets.QStyle.StandardPixmap
ICONS = {  # name → (Krita's, Qt's)
    "add": ("list-add", Standard.SP_FileDialogNewFolder),
    "remove": ("edit-delete", Standard.SP_TrashIcon),
    "mask": ("selectionMask", Standard.SP_DialogApplyButton),
    "place": ("tool_rect_selection", Standard.SP_FileDialogContentsView),
    "show": ("visible", Standard.SP_FileDialogInfoView),
    "keep": ("document-save", Standard.SP_DialogSaveButton),
    "again": ("view-refresh", Standard.SP_BrowserReload),
    "insert": ("addlayer", Standard.SP_ArrowDown),
    "start": ("animation_play", Standard.SP_MediaPlay),
    "copy": ("edit-copy", Standard.SP_FileDialogDetailedView),
    "settings": ("configure", Standard.SP_FileDialogDetailedView),
    "warning": ("warning", Standard.SP_MessageBoxWarning),
    "close": ("", Standard.SP_DockWidgetCloseButton),
    "cancel": ("dialog-cancel", Standard.SP_DialogCancelButton),
}
SIDES = (16, 22, 32)  # logical px
FAINT = 0.35
LAYER_ICONS = {
    "paintlayer": "paintLayer",
    "grouplayer": "groupLayer",
    "vectorlayer": "vectorLayer",
    "filelayer": "fileLayer",
    "clonelayer": "cloneLayer",
    "filllayer": "fillLayer",
    "adjustmentlayer": "filterLayer",
}

_given: list[Callable[[str], QtGui.QIcon]] = []


def take_icons_from(source: Callable[[str], QtGui.QIcon]) -> None:
    """``source`` gives the painting program's icon of a name, a null icon where it has none."""
    _given[:] = [source]


def icon(name: str) -> QtGui.QIcon:
    """The icon for one of ICONS; never null."""
    theirs, ours = ICONS[name]
    found = _given[0](theirs) if _given else QtGui.QIcon()
    return _fading(found if not found.isNull() else QtWidgets.QApplication.style().standardIcon(ours))


def _fading(source: QtGui.QIcon) -> QtGui.QIcon:
    """The same, faint where it is disabled: Krita's icons look alike in both states on some of its themes."""
    made = QtGui.QIcon()
    for side in SIDES:
        pixmap = source.pixmap(side, side)
        faint = QtGui.QPixmap(pixmap.size())
        faint.setDevicePixelRatio(pixmap.devicePixelRatio())
        faint.fill(Qt.GlobalColor.transparent)
        painter = QtGui.QPainter(faint)
        painter.setOpacity(FAINT)
        painter.drawPixmap(0, 0, pixmap)
        painter.end()
        made.addPixmap(pixmap, QtGui.QIcon.Mode.Normal)
        made.addPixmap(faint, QtGui.QIcon.Mode.Disabled)
    return made


def layer_icon(kind: str) -> QtGui.QIcon:
    """Krita's icon for a layer of this kind; null where there is none."""
    return _given[0](LAYER_ICONS.get(kind, "paintLayer")) if _given else QtGui.QIcon()
