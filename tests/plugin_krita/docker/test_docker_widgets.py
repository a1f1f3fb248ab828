"""Every part of the docker can be found, understood, reached and read, in every language and in a narrow docker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import celwright_krita
import pytest
from celwright_krita.state import Fault, JobState, State
from celwright_krita.window import icons
from celwright_krita.window.qt import MAJOR, QAction, Qt, QtCore, QtGui, QtWidgets
from conftest import ALL, Docker, history, idle, picture, ready, references

NARROW = 280  # px, a usual width of Krita's dockers


def full(**fields: Any) -> State:
    """Everything is there that can be shown beside an idle job."""
    from celwright_krita.domain import Leak, Model, RecompositionError

    models = tuple(Model(name, "", ("colorize", "decompose"), "", 1, "", True, False) for name in ("a", "b"))
    shown = {
        "daemon": ready(*ALL, models=models),
        "references": references(), "history": history(), "variations": (picture(), picture(), picture()),
        "overview": picture(), "recomposition": RecompositionError(2, 1, 61.34), "leaks": (Leak(1, 1, 4, (1, 2)),),
        "notices": ("A notice.",), "saved": "/tmp/page.psd", "animated": True, "selected": True,
        "fault": Fault("It broke.", ("retry", "start", "restart", "settings", "diagnose")),
    }  # fmt: skip
    return idle(**{**shown, **fields})


def interactive(docker: Docker) -> list[QtWidgets.QWidget]:
    kinds = (
        QtWidgets.QAbstractButton, QtWidgets.QComboBox, QtWidgets.QAbstractSpinBox, QtWidgets.QListWidget,
        QtWidgets.QTabBar, QtWidgets.QProgressBar,
    )  # fmt: skip
    found = [widget for widget in docker.panel.findChildren(QtWidgets.QWidget) if isinstance(widget, kinds)]
    own = [widget for widget in found if not isinstance(widget.parent(), (QtWidgets.QTabBar, QtWidgets.QMenu))]
    return [widget for widget in own if not widget.objectName().startswith("qt_")]


def test_the_binding_is_the_one_that_krita_names(application: QtWidgets.QApplication) -> None:
    import os

    assert int(os.environ.get("CELWRIGHT_TEST_QT", "5")) == MAJOR
    assert type(application).__module__.startswith(f"PyQt{MAJOR}")
    assert QAction.__name__ == "QAction"


def test_every_widget_has_its_own_name_a_tooltip_and_a_name_to_be_spoken(docker: Docker, language: str) -> None:
    docker.draw(full())
    widgets = interactive(docker)
    names = [widget.objectName() for widget in widgets]
    assert len(widgets) > 40
    assert len(set(names)) == len(names)
    assert all(names)
    assert not [widget.objectName() for widget in widgets if not widget.toolTip().strip()]
    assert not [widget.objectName() for widget in widgets if not widget.accessibleName()]
    assert not [widget.accessibleName() for widget in widgets if "&" in widget.accessibleName()]


def test_disabled_parts_say_why(docker: Docker) -> None:
    docker.draw(State())
    for widget in interactive(docker):
        assert widget.isEnabled() or widget.toolTip().strip()
    assert docker["decompose.run"].toolTip() == "No document is open."


@pytest.mark.parametrize("tab", ["decompose", "colorize"])
def test_the_tab_key_reaches_everything_that_is_visible(docker: Docker, tab: str) -> None:
    docker.panel.open_tab(tab)
    docker.open_groups()
    docker.draw(full())
    docker.panel.activateWindow()
    reached, widget = set(), docker["tabs"]
    for _ in range(300):
        widget = widget.nextInFocusChain()
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible() and widget.isEnabled():
            reached.add(widget.objectName())
    passive = {"job.progress"}
    wanted = {widget.objectName() for widget in interactive(docker) if widget.isVisible() and widget.isEnabled()}
    assert not wanted - reached - passive


@pytest.mark.parametrize("tab", ["decompose", "colorize"])
def test_everything_fits_into_a_narrow_docker(docker: Docker, language: str, tab: str) -> None:
    docker.panel.open_tab(tab)
    docker.open_groups()
    docker.draw(full())
    area = docker["scroll"]
    assert docker.panel.minimumSizeHint().width() <= NARROW
    assert area.widget().minimumSizeHint().width() <= NARROW - area.verticalScrollBar().sizeHint().width() - 8


def test_the_ways_on_from_a_fault_can_be_read(docker: Docker, language: str) -> None:
    docker.draw(full())
    for way in ("retry", "start", "restart", "settings", "diagnose"):
        button = docker[f"fault.{way}"]
        assert button.width() >= button.sizeHint().width()


def key(docker: Docker, widget: QtWidgets.QWidget, code: Any, modifiers: Any = Qt.KeyboardModifier.NoModifier) -> bool:
    """Press a key as Qt does: shortcuts are asked first. True when the widget kept it from them."""
    asked = QtGui.QKeyEvent(QtCore.QEvent.Type.ShortcutOverride, code, modifiers)
    asked.ignore()
    QtWidgets.QApplication.sendEvent(widget, asked)
    if asked.isAccepted():
        pressed = QtGui.QKeyEvent(QtCore.QEvent.Type.KeyPress, code, modifiers)
        QtWidgets.QApplication.sendEvent(widget, pressed)
    return asked.isAccepted()


def test_keys_that_krita_binds_stay_with_the_docker(docker: Docker) -> None:
    docker.draw(full())
    for code in (Qt.Key.Key_Tab, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_Return, Qt.Key.Key_Delete):
        assert key(docker, docker["history.list"], code)
    assert not key(docker, docker["history.list"], Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert not key(docker, docker["history.list"], Qt.Key.Key_B)


def test_alt_and_a_letter_press_the_button_that_shows_it(docker: Docker) -> None:
    docker.draw(idle(history=history()))
    source = docker["decompose.source"]
    assert key(docker, source, Qt.Key.Key_D, Qt.KeyboardModifier.AltModifier)
    assert key(docker, source, Qt.Key.Key_I, Qt.KeyboardModifier.AltModifier)
    assert [call[0] for call in docker.session.calls] == ["decompose", "insert_again"]
    assert not key(docker, source, Qt.Key.Key_C, Qt.KeyboardModifier.AltModifier)  # the other tab's


def test_no_button_takes_a_letter_from_kritas_menus(docker: Docker) -> None:
    docker.draw(full())
    buttons = docker.panel.findChildren(QtWidgets.QAbstractButton)
    assert not [button.objectName() for button in buttons if not button.shortcut().isEmpty()]


@pytest.mark.parametrize("tab", ["decompose", "colorize"])
def test_the_letters_of_a_tab_are_each_used_once(docker: Docker, language: str, tab: str) -> None:
    docker.panel.open_tab(tab)
    docker.open_groups()
    for state in (full(), full(job=JobState("colorize", "fill"))):
        docker.draw(state)
        texts = [b.text().upper() for b in docker.panel.findChildren(QtWidgets.QAbstractButton) if b.isVisible()]
        letters = [text[text.index("&") + 1] for text in texts if "&" in text]
        assert letters
        assert sorted(set(letters)) == sorted(letters)


def test_the_wheel_changes_a_value_only_where_the_focus_is(docker: Docker) -> None:
    docker.panel.open_tab("colorize")
    docker.open_groups()
    docker.draw(idle())
    place, still = QtCore.QPointF(5, 5), QtCore.QPoint(0, 0)
    event = QtGui.QWheelEvent(
        place, place, still, QtCore.QPoint(0, 120), Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    docker["colorize.gap"].wheelEvent(event)
    assert docker["colorize.gap"].value() == 8
    assert not event.isAccepted()


def test_colours_come_from_the_theme_alone() -> None:
    for path in Path(celwright_krita.__file__).parent.glob("*.py"):
        source = path.read_text(encoding="utf-8")
        assert "setStyleSheet" not in source
        assert "QColor(" not in source or path.name == "palette_dialog.py"  # the artist's own colours


def test_icons_are_taken_anew_when_the_theme_changes_and_choices_stay(
    docker: Docker, application: QtWidgets.QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drawn(color: str) -> QtGui.QIcon:
        pixmap = QtGui.QPixmap(16, 16)
        pixmap.fill(QtGui.QColor(color))
        return QtGui.QIcon(pixmap)

    def color_of(icon: QtGui.QIcon) -> str:
        return str(icon.pixmap(16, 16).toImage().pixelColor(8, 8).name())

    monkeypatch.setattr(icons, "_given", [lambda _: drawn("#eeeeee")])
    docker.draw(full())
    source = docker["decompose.source"]
    source.setCurrentIndex(2)
    chosen, before = source.currentText(), application.palette()
    monkeypatch.setattr(icons, "_given", [lambda _: drawn("#202020")])
    bright = QtGui.QPalette(before)
    bright.setColor(QtGui.QPalette.ColorRole.Window, QtGui.QColor("#d0d0d0"))
    application.setPalette(bright)
    try:
        for _ in range(3):  # the change, the timer after it, what it draws
            application.processEvents()
    finally:
        application.setPalette(before)
    assert color_of(docker["save"].icon()) == "#202020"
    assert color_of(docker["history.insert"].icon()) == "#202020"
    assert source.currentText() == chosen
    assert color_of(source.itemIcon(source.currentIndex())) == "#202020"
