"""What stays in sight at the docker's foot and head: the running job, the daemon's state, and a fault with its ways on.

Draws State; knows the session's methods, nothing of documents.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

from celwright_krita.state import State
from celwright_krita.texts import tr
from celwright_krita.window.icons import icon
from celwright_krita.window.offers import differs
from celwright_krita.window.qt import Qt, QtGui, QtWidgets
from celwright_krita.window.widgets import Policy, allow, named, push_button, say, sentence, tool_button
from celwright_krita.window.words import stage_text

if TYPE_CHECKING:
    from celwright_krita.session.session import Session

STEPS = 1000  # of the progress bar
WAYS = ("retry", "start", "restart", "settings", "diagnose")


class JobRow(QtWidgets.QWidget):
    """Name of the stage, time left, progress bar and Cancel; hidden when nothing runs."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._stage = sentence("job.stage")
        self._bar = named(QtWidgets.QProgressBar(), "job.progress")
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(10)
        cancel = push_button("job.cancel", "cancel")
        cancel.clicked.connect(lambda: session.cancel())
        layout = QtWidgets.QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setVerticalSpacing(2)
        layout.addWidget(self._stage, 0, 0, 1, 2)
        layout.addWidget(self._bar, 1, 0)
        layout.addWidget(cancel, 1, 1)
        layout.setColumnStretch(0, 1)
        self.hide()

    def draw(self, state: State, before: State | None) -> None:
        if not differs(state, before, "job"):
            return
        job = state.job
        self.setVisible(job is not None)
        if job is not None:
            say(self._stage, stage_text(job))
            waits = job.fraction <= 0 and job.stage in ("start", "queue")
            self._bar.setRange(0, 0 if waits else STEPS)
            self._bar.setValue(round(job.fraction * STEPS))


class FaultBox(QtWidgets.QFrame):
    """One sentence about what went wrong and a button for each way on; hidden when nothing did."""

    def __init__(self, session: Session, settings: Callable[[], None], diagnose: Callable[[], None]) -> None:
        super().__init__()
        self.setFrameShape(QtWidgets.QFrame.Shape.StyledPanel)
        self._sentence = sentence("fault.sentence")
        self._picture = QtWidgets.QLabel()
        dismiss = tool_button("fault.dismiss", "close")
        dismiss.clicked.connect(lambda: session.dismiss())
        act = {
            "retry": lambda: session.retry(),
            "start": lambda: session.start_daemon(),
            "restart": lambda: session.restart_daemon(),
            "settings": settings,
            "diagnose": diagnose,
        }
        self._ways = {way: push_button(f"fault.{way}") for way in WAYS}
        self._grid = QtWidgets.QGridLayout()
        for way, button in self._ways.items():
            button.setParent(self)  # a widget without one would be shown as a window
            button.clicked.connect(lambda _=False, way=way: act[way]())
        line = QtWidgets.QHBoxLayout()
        line.addWidget(self._picture, 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(self._sentence, 1)
        line.addWidget(dismiss, 0, Qt.AlignmentFlag.AlignTop)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addLayout(line)
        layout.addLayout(self._grid)
        self.hide()

    def draw(self, state: State, before: State | None) -> None:
        if not differs(state, before, "fault"):
            return
        fault = state.fault
        say(self._sentence, fault.sentence if fault else "")
        self._picture.setPixmap(icon("warning").pixmap(16, 16))
        for way, button in self._ways.items():
            button.setVisible(fault is not None and way in fault.ways)
        self._arrange(self.parentWidget().width() - 8)
        self.setVisible(fault is not None)

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange(event.size().width())

    def _arrange(self, width: int) -> None:
        """Two buttons in a row where their texts have room, else one."""
        shown = [button for button in self._ways.values() if not button.isHidden()]
        widest = max([button.sizeHint().width() for button in shown], default=0)
        columns = 2 if 2 * widest <= width - 24 else 1
        for number, button in enumerate(shown):
            self._grid.removeWidget(button)
            self._grid.addWidget(button, number // columns, number % columns)


class ElidedLabel(QtWidgets.QLabel):
    """One line that is cut with "…" where there is no room; the whole text is the tooltip."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(Policy.Ignored, Policy.Fixed)

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        painter = QtGui.QPainter(self)
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        self.style().drawItemText(
            painter, self.rect(), flags, self.palette(), self.isEnabled(), text, self.foregroundRole()
        )
        painter.end()


class DaemonRow(QtWidgets.QWidget):
    """The daemon's state in words, with Start or Restart, Diagnose and Settings."""

    def __init__(self, session: Session, settings: Callable[[], None], diagnose: Callable[[], None]) -> None:
        super().__init__()
        self._sentence = named(ElidedLabel(), "daemon.sentence")
        self._start = tool_button("daemon.start", "start")
        self._restart = tool_button("daemon.restart", "again")
        check = tool_button("daemon.diagnose", "copy")
        configure = tool_button("daemon.settings", "settings")
        self._start.clicked.connect(lambda: session.start_daemon())
        self._restart.clicked.connect(lambda: session.restart_daemon())
        check.clicked.connect(lambda: diagnose())
        configure.clicked.connect(lambda: settings())
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(1)
        layout.addWidget(self._sentence, 1)
        for button in (self._start, self._restart, check, configure):
            layout.addWidget(button)

    def draw(self, state: State, before: State | None) -> None:
        if not differs(state, before, "daemon"):
            return
        daemon = state.daemon
        text = daemon.sentence or tr("daemon.sentence.unknown")
        self._sentence.setText(text)
        self._sentence.setToolTip(text)
        self._sentence.setAccessibleName(text)
        self._start.setVisible(daemon.condition in ("unknown", "absent", "starting"))
        allow(self._start, tr("offer.starting") if daemon.condition == "starting" else "")
        self._restart.setVisible(daemon.condition in ("ready", "broken"))
