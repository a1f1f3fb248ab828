"""Played inside Krita by examples/make_krita_pictures.py: what an artist does from the import to the first colours.

Each "check_" does one thing of docs/krita.md with the fox and keeps a picture of it, cut to what matters.
"""

import os
import time

from celwright_driver import hand, pages
from celwright_driver.hand import until
from krita import Krita, Selection
from PyQt5.QtCore import QRect, Qt, QTimer
from PyQt5.QtGui import QImage
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QAbstractItemView, QApplication, QDialog, QDockWidget, QTableView

PICTURES = os.environ["CELWRIGHT_TEST_FOLDER"]
FOX = os.path.join(os.environ["CELWRIGHT_EXAMPLES"], "fox")
SCRIPTS = ("Tools", "Scripts")
IN_THE_WAY = ("Brush Presets", "Advanced Color Selector", "Tool Options")


def keep(name, area=None):
    """A picture of this part of the screen, in logical pixels."""
    picture = QApplication.primaryScreen().grabWindow(0)
    (picture.copy(area) if area is not None else picture).save(f"{PICTURES}/krita-{name}.png")


def layer(document, name, file):
    """A layer with a picture of the examples."""
    image = QImage(file).convertToFormat(QImage.Format.Format_ARGB32)
    node = document.createNode(name, "paintlayer")
    document.rootNode().addChildNode(node, None)
    data = image.constBits().asstring(image.bytesPerLine() * image.height())
    node.setPixelData(data, 0, 0, image.width(), image.height())
    document.refreshProjection()
    document.waitForDone()
    return node


def fox(*layers):
    """The fox in a document of its own, the last of ``layers`` (name, end of the file's name) active."""
    document = pages.page(1024, 1280, "fox")
    for name, file in layers:
        node = layer(document, name, f"{FOX}{file}.png")
    document.setActiveNode(node)
    hand.window().activeView().canvas().setZoomLevel(0.58)
    yield from hand.turns(10)
    return document


def entry_in(dialog, text):
    """The list or table of a dialog that has this entry, and where."""
    for view in dialog.findChildren(QAbstractItemView):
        model = view.model() if view.isVisible() else None
        for row in range(model.rowCount() if model is not None else 0):
            if text in str(model.index(row, 0).data()):
                return view, model.index(row, 0)
    return None


def check_import():
    yield from hand.spread()
    document = yield from fox(("Lines", "-line"))
    yield from hand.open_menus(*SCRIPTS, "Import Python Plugin from File...")
    keep("import", QRect(0, 0, 900, 340))
    hand.close_menus()
    assert document.name()


def check_enable():
    hand.awaits_dialog = True
    # Later than now: the dialog is inside the click until it is closed.
    QTimer.singleShot(0, Krita.instance().action("options_configure").trigger)
    dialog = yield from until(QApplication.activeModalWidget, "the settings")
    assert isinstance(dialog, QDialog)
    found = yield from until(lambda: entry_in(dialog, "Python Plugin Manager"), "the page of plugins", 20)
    found[0].setCurrentIndex(found[1])
    table, ours = yield from until(lambda: entry_in(dialog, "Celwright"), "the list of plugins", 20)
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=table.visualRect(ours).center())
    driver = entry_in(dialog, "Celwright test driver")[1]  # which artists do not have
    table.setRowHidden(*([driver.row()] if isinstance(table, QTableView) else [driver.row(), driver.parent()]), True)
    dialog.resize(900, 620)
    dialog.move(200, 120)
    yield from hand.turns(15)
    keep("enable", dialog.geometry())
    dialog.reject()
    yield from until(lambda: QApplication.activeModalWidget() is None, "the settings to close")
    hand.awaits_dialog = False


def check_menu():
    for one in hand.window().qwindow().findChildren(QDockWidget):
        if one.windowTitle() in IN_THE_WAY:
            one.hide()
    document = yield from fox(("Hints", "-hints"), ("Lines", "-line"))
    selection = Selection()
    selection.select(0, 0, 1024, 1280, 255)
    document.setSelection(selection)
    yield from hand.open_tab("Colorize")
    yield from hand.choose("colorize.hints", "Hints")
    yield from hand.turns(60)
    yield from hand.open_menus(*SCRIPTS, "Colorize selection")
    keep("menu", QRect(0, 0, 1600, 990))
    hand.close_menus()


def check_colorize():
    document = yield from fox(("Hints", "-hints"), ("Lines", "-line"))
    yield from hand.open_tab("Colorize")
    yield from hand.choose("colorize.hints", "Hints")
    begun = time.monotonic()
    hand.choose_entry(*SCRIPTS, "Colorize selection")
    yield from hand.ended()
    hand.facts["first_layer_with_start_of_the_daemon_s"] = round(time.monotonic() - begun, 1)
    group = pages.group_of(document, "Colorize – ")
    yield from until(lambda: pages.of(group, "flat").thumbnail(8, 8) is not None, "the layers")
    yield from hand.turns(30)
    yield from hand.turns(300)  # Krita's own message goes away
    keep("colorized", QRect(0, 0, 1600, 990))
    begun = time.monotonic()
    yield from hand.click("colorize.run")
    yield from hand.ended()
    hand.facts["first_layer_s"] = round(time.monotonic() - begun, 1)


def check_decompose():
    yield from fox(("Picture", ""))
    yield from hand.open_tab("Decompose")
    yield from hand.choose("decompose.fidelity", "Exact – gives the picture back")
    begun = time.monotonic()
    yield from hand.click("decompose.run")
    yield from hand.ended()
    hand.facts["decompose_s"] = round(time.monotonic() - begun, 1)
    yield from hand.turns(300)
    keep("decomposed", QRect(0, 0, 1600, 990))
