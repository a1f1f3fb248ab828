"""The artist's hand and eye: finds the docker's widgets by their names and uses them, reads what they show.

Nothing here knows the plugin's Python side. What takes time is a generator: ``yield from`` it.
"""

import functools
import os
import time

from krita import Krita

from celwright_driver.qt import QApplication, QDockWidget, QMenu, QPoint, Qt, QTest, QTimer, QWidget

SHOTS = os.environ.get("CELWRIGHT_TEST_SHOTS", "")
PATIENCE = 300.0  # seconds, for anything: the machine may be busy with something else

SETTLED_MS = 500

facts = {}  # numbers that the running check wants to be kept
awaits_dialog = False  # a modal dialog is what the running check wants


class Skipped(Exception):
    """What the running check needs is not there; says what."""


def until(condition, what, seconds=PATIENCE):
    """Wait until ``condition()`` gives something true; that is the value."""
    patience = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > patience:
            raise AssertionError(f"After {seconds:.0f} seconds still waiting for {what}.")
        yield


def turns(count=3):
    """Let the event loop turn: the docker is drawn after it was told what changed."""
    for _ in range(count):
        yield


def settled():
    """Wait until Krita's dockers have heard of every change.

    Its list of layers collects changes for 100 ms, and a document that is closed meanwhile, as fast as no artist can,
    makes Krita 5.1 read a null pointer (KisNodeModel::processUpdateQueue). Timers that are late come in the order of
    their times, so on a busy machine too Krita's come before this one."""
    for document in Krita.instance().documents():
        document.waitForDone()
    yield from turns()
    over = []
    QTimer.singleShot(SETTLED_MS, lambda: over.append(True))
    yield from until(lambda: over, "Krita's dockers")


def close(document):
    """Without a question."""
    yield from settled()
    document.setModified(False)
    document.close()
    yield from turns()


# ---- window, menu, docker


def window():
    return Krita.instance().activeWindow() or Krita.instance().windows()[0]


def entry(*path):
    """An action of the menu bar, by the texts on the way to it."""
    found, actions = None, window().qwindow().menuBar().actions()
    for name in path:
        match = [action for action in actions if action.text().replace("&", "") == name]
        assert len(match) == 1, (name, [action.text() for action in actions])
        found = match[0]
        if found.menu() is not None:
            found.menu().aboutToShow.emit()
            actions = found.menu().actions()
    return found


def choose_entry(*path):
    action = entry(*path)
    assert action.isEnabled(), path
    action.trigger()


def open_menus(*path):
    """Show the menus on the way to an entry, as they stand under the pointer."""
    bar = window().qwindow().menuBar()
    place = bar.mapToGlobal(bar.actionGeometry(entry(path[0])).bottomLeft())
    for depth in range(1, len(path)):
        menu, at = entry(*path[:depth]).menu(), entry(*path[: depth + 1])
        menu.popup(place)
        yield from until(menu.isVisible, f"the menu {path[depth - 1]}")
        menu.setActiveAction(at)
        place = menu.mapToGlobal(menu.actionGeometry(at).topRight())
    yield from turns(10)


def close_menus():
    for menu in QApplication.topLevelWidgets():
        if isinstance(menu, QMenu) and menu.isVisible():
            menu.close()


@functools.cache
def docker():
    """Kept once it is found: Krita's window has thousands of parts to look through."""
    found = [one for one in window().qwindow().findChildren(QDockWidget) if one.objectName() == "celwright_docker"]
    assert len(found) == 1, found
    return found[0]


@functools.cache
def widget(name):
    found = docker().findChildren(QWidget, name)
    assert len(found) == 1, (name, found)
    return found[0]


def shown(name):
    """The text of a label or button of the docker; empty when it is hidden."""
    one = widget(name)
    return one.text() if one.isVisible() else ""


def open_docker():
    if not docker().isVisible():
        choose_entry("Settings", "Dockers", "Celwright")
    docker().raise_()
    yield from until(lambda: widget("panel").isVisible(), "the docker")


def open_tab(name):
    """ "Decompose" or "Colorize", by a click of the mouse."""
    yield from open_docker()
    bar = widget("tabs")
    number = [bar.tabText(index) for index in range(bar.count())].index(name)
    QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.tabRect(number).center())
    yield from until(lambda: bar.currentIndex() == number, f"the tab {name}")


def click(name):
    """A button of the docker, as soon as it can be clicked; later than now where it opens a dialog."""
    button = yield from until(
        lambda: widget(name).isVisible() and widget(name).isEnabled() and widget(name),
        f"{name} to be enabled (it says: {widget(name).toolTip()!r})",
    )
    if awaits_dialog:
        QTimer.singleShot(0, button.click)
    else:
        button.click()
    yield from turns()


def choose(name, text):
    """An entry of a drop-down, as soon as it is offered."""
    box = widget(name)

    def offered():
        return [index for index in range(box.count()) if box.itemText(index).strip() == text]

    found = yield from until(offered, f"{text!r} in {name}")
    assert len(found) == 1, (text, found)
    box.setCurrentIndex(found[0])
    assert box.currentIndex() == found[0], f"{text!r} cannot be chosen in {name}"


def count(name, number):
    """Type a number, as soon as it can be."""
    box = widget(name)
    yield from until(lambda: box.isVisible() and box.isEnabled(), f"{name} to be enabled (it says: {box.toolTip()!r})")
    box.setFocus()
    box.selectAll()
    QTest.keyClicks(box, str(number))
    box.interpretText()
    assert box.value() == number, (name, box.value())


def chosen(name, *path):
    """An entry of the menu that a button opens, by the texts on the way to it."""
    button = yield from until(
        lambda: widget(name).isVisible() and widget(name).isEnabled() and widget(name),
        f"{name} to be enabled (it says: {widget(name).toolTip()!r})",
    )
    menu = button.menu()
    menu.aboutToShow.emit()
    for text in path:
        found = [action for action in menu.actions() if action.text().strip().replace("&&", "&") == text]
        assert len(found) == 1, (text, [action.text() for action in menu.actions()])
        assert found[0].isEnabled(), path
        menu = found[0].menu()
    if awaits_dialog:
        QTimer.singleShot(0, found[0].trigger)
    else:
        found[0].trigger()
    yield from turns()


def dialog(kind):
    """The dialog that the check waits for."""
    found = yield from until(QApplication.activeModalWidget, "the dialog")
    assert found.inherits(kind), found.metaObject().className()
    yield from turns(5)
    return found


def dialog_closed():
    """No dialog is expected any more."""
    global awaits_dialog
    yield from until(lambda: QApplication.activeModalWidget() is None, "the dialog to close")
    awaits_dialog = False


def opened(name, wanted=True):
    """Open or close one of the docker's groups."""
    if widget(name).isChecked() != wanted:
        widget(name).click()
        yield from turns()


# ---- jobs


def running():
    """Also while Krita hides all dockers: from 5.3 on it does so when no document is open."""
    return widget("job.cancel").isVisibleTo(docker())


def ended(seconds=PATIENCE):
    """Wait for the job to end well."""
    yield from turns()
    yield from until(lambda: not running(), "the job to end", seconds)
    assert not shown("fault.sentence"), shown("fault.sentence")


def stage(text):
    """Wait until the job has begun this stage."""
    yield from until(lambda: shown("job.stage").startswith(text), f"the stage {text!r}")


def fault(seconds=PATIENCE):
    """Wait for a sentence about what went wrong; the sentence and the ways on that are offered."""
    yield from until(lambda: shown("fault.sentence"), "a fault", seconds)
    ways = ("retry", "start", "restart", "settings", "diagnose")
    return shown("fault.sentence"), [way for way in ways if widget(f"fault.{way}").isVisible()]


def refused():
    """Wait for the sentence on why the document in front cannot be worked on."""
    return (yield from until(lambda: shown("refusal"), "the refusal"))


# ---- what is seen


SENTENCES = (
    "fault.sentence", "job.stage", "refusal", "daemon.sentence", "result.recomposition", "result.notices",
    "result.saved",
)  # fmt: skip


def seen():
    """All that stands in the docker and is no button: for the report of a failed check."""
    try:
        return {name: shown(name) for name in SENTENCES if shown(name)}
    except (AssertionError, RuntimeError, IndexError) as error:
        return str(error)


def take_picture(name):
    """Of the whole screen."""
    if SHOTS:
        os.makedirs(SHOTS, exist_ok=True)
        QApplication.primaryScreen().grabWindow(0).save(os.path.join(SHOTS, f"{name}.png"))


def canvas_image():
    """The part of the window that shows the document."""
    return window().qwindow().centralWidget().grab().toImage()


def float_docker(width=340):
    """The docker in a window of its own, as high as the screen; ``dock_again`` puts it back."""
    yield from open_docker()
    docker().setFloating(True)
    screen = QApplication.primaryScreen().geometry()
    docker().setGeometry(screen.right() - width, 0, width, screen.height())
    yield from turns(5)


def dock_again():
    docker().setFloating(False)
    yield from turns(5)


def picture_of(name):
    """A picture of the screen once all is drawn and nothing stays under the pointer."""
    window().qwindow().update()
    yield from turns(15)
    take_picture(name)


def spread():
    """The window as large as the screen: there is nothing that could maximise it."""
    main = window().qwindow()
    main.setGeometry(QApplication.primaryScreen().geometry())
    yield from turns(5)


def point(name):
    """The middle of a widget on the screen."""
    one = widget(name)
    return one.mapToGlobal(QPoint(one.width() // 2, one.height() // 2))


def tidy():
    """Nothing runs, no fault is shown, no document is open."""
    global awaits_dialog
    awaits_dialog = False
    close_menus()
    modal = QApplication.activeModalWidget()
    if modal is not None:
        modal.close()
    if running():
        widget("job.cancel").click()
    if widget("fault.sentence").isVisible():
        widget("fault.dismiss").click()
    for document in Krita.instance().documents():
        yield from close(document)
