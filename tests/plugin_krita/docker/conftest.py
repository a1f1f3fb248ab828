"""The docker in a Qt program without a screen and without Krita; CELWRIGHT_TEST_QT chooses PyQt 5 or 6."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "plugin_krita"))
os.environ["QT_QPA_PLATFORM"] = "offscreen"
# As Krita tells it, under the name by which the plugin asks for it.
sys.modules["pykrita"] = SimpleNamespace(qt_major_version=lambda: int(os.environ.get("CELWRIGHT_TEST_QT", "5")))  # type: ignore[assignment]

from celwright_krita import texts  # noqa: E402
from celwright_krita.canvas import Layer  # noqa: E402
from celwright_krita.pixels import Pixels  # noqa: E402
from celwright_krita.session.session import Session  # noqa: E402
from celwright_krita.state import DaemonState, HistoryEntry, ReferenceState, State  # noqa: E402
from celwright_krita.window.panel import Panel  # noqa: E402
from celwright_krita.window.qt import QtWidgets  # noqa: E402

FIRST = frozenset(
    [
        "decompose",
        "decompose.exact",
        "decompose.finish",
        "segment",
        "segment.leaks",
        "write.psd",
        "colorize.hints",
        "colorize.palette",
        "colorize.flatting",
        "colorize.selection",
        "colorize.context",
        "colorize.lock",
    ]
)
ALL = FIRST | {f"colorize.{what}" for what in ("references", "auto", "variations", "histogram", "shading", "light")}


def picture(color: bytes = b"\x20\x60\xa0\xff", width: int = 16, height: int = 12) -> Pixels:
    return Pixels(color * width * height, width, height)


def layers() -> tuple[Layer, ...]:
    return (
        Layer("line-id", "Lines", "paintlayer", 0, True, False),
        Layer("group-id", "Figure", "grouplayer", 0, True, False),
        Layer("hint-id", "Hints & more", "paintlayer", 1, True, False),
    )


def ready(*more: str, **fields: Any) -> DaemonState:
    return DaemonState("ready", "Ready.", "0.1.0", "cpu", FIRST | set(more), **fields)


def idle(**fields: Any) -> State:
    """A document is open, the daemon is ready and nothing runs."""
    usual = {"daemon": ready(), "document": "page.kra", "layers": layers(), "palettes": ("Warm", "Cold")}
    return State(**{**usual, **fields})


def references() -> tuple[ReferenceState, ...]:
    return (
        ReferenceState(7, "sheet.png", picture(), masked=True),
        ReferenceState(8, "Layer", picture(b"\xff\x00\x00\xff"), masked=True, placed=True),
    )


def history() -> tuple[HistoryEntry, ...]:
    return (
        HistoryEntry(5, "colorize", "Colorize – 12:00:01", "page.kra", {}, picture()),
        HistoryEntry(4, "decompose", "Decompose – 11:00:01", "page.kra", {}, None, insertable=False),
    )


class ScriptedSession:
    """Records every call; only what the real session has can be called, as it can be called there."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        signature = inspect.signature(getattr(Session, name))

        def method(*values: Any) -> Any:
            signature.bind(self, *values)
            self.calls.append((name, *values))
            return "the report" if name == "diagnose" else None

        return method


class Docker:
    """A panel in its window, found and clicked by object names."""

    def __init__(self) -> None:
        self.session = ScriptedSession()
        self.messages: list[str] = []
        self.settings_opened = 0
        self.panel = Panel(self.session, self._settings, self.messages.append)  # type: ignore[arg-type]
        self.panel.resize(280, 700)
        self.panel.show()

    def _settings(self) -> None:
        self.settings_opened += 1

    def draw(self, state: State) -> None:
        self.panel.draw(state)
        QtWidgets.QApplication.processEvents()

    def __getitem__(self, name: str) -> Any:
        found = [widget for widget in self.panel.findChildren(QtWidgets.QWidget) if widget.objectName() == name]
        assert len(found) == 1, (name, found)
        return found[0]

    def click(self, name: str) -> None:
        assert self[name].isVisible(), name
        assert self[name].isEnabled(), name
        self[name].click()

    def open_groups(self) -> None:
        for button in self.panel.findChildren(QtWidgets.QToolButton):
            if button.objectName().startswith("group."):
                button.setChecked(True)
        QtWidgets.QApplication.processEvents()


@pytest.fixture(scope="session")
def application() -> Iterator[QtWidgets.QApplication]:
    application = QtWidgets.QApplication.instance() or QtWidgets.QApplication([])
    application.setStyle("Fusion")
    return application


@pytest.fixture
def docker(application: QtWidgets.QApplication, request: pytest.FixtureRequest) -> Iterator[Docker]:
    if "language" in request.fixturenames:
        request.getfixturevalue("language")  # before there are widgets
    docker = Docker()
    yield docker
    docker.panel.close()
    docker.panel.deleteLater()
    application.processEvents()


@pytest.fixture(params=["en", "de", "ja"])
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    texts.use_language(request.param)
    yield request.param
    texts.use_language("en")
