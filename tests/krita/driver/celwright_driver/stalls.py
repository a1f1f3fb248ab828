"""How long Krita's window stands still, and for how long the plugin holds it at a time.

The gaps between the beats of a timer tell the first, whatever the reason: Krita paints, the machine is busy. Of the
plugin the turns of its session are told, without the calls in which Krita itself computes the picture: by the clock,
and as the time that the window's thread really worked, which a busy machine does not change.

With CELWRIGHT_TEST_STALLS=0.2, what every thread does after 0.2 seconds without a beat goes to Krita's stderr.
"""

import faulthandler
import os
import time

from celwright_krita.session.session import Session
from krita import Document, Node

from celwright_driver.qt import QObject, Qt, QTimer

BEAT_MS = 5
TELL_AFTER = float(os.environ.get("CELWRIGHT_TEST_STALLS", 0))  # seconds
KRITAS_OWN = ((Document, "refreshProjection"), (Document, "waitForDone"), (Node, "addChildNode"))


class Clocks:
    """Time on the clock and of this thread, since ``begun``; in ms."""

    def __init__(self):
        self.wall, self.work = time.perf_counter(), time.thread_time()

    def passed(self):
        return 1000 * (time.perf_counter() - self.wall), 1000 * (time.thread_time() - self.work)


class Watch(QObject):
    """Measures from ``start`` to ``stop``; ``stage`` tells what the docker says goes on."""

    def __init__(self):
        super().__init__()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._own, self._own_in_gap = [0.0, 0.0], 0.0
        # For good: what is replaced in Krita's classes cannot be put back.
        for kind, name in KRITAS_OWN:
            setattr(kind, name, self._noting(getattr(kind, name), list, self._note_own))
        for name in ("turn", "refresh"):
            setattr(Session, name, self._noting(getattr(Session, name), self._begin_turn, self._note_turn))

    def start(self, stage):
        self._stage = stage
        self._gaps, self._turns = [], []
        self._own = [0.0, 0.0]
        self._last, self._own_in_gap = time.perf_counter(), 0.0
        self._timer.start(BEAT_MS)

    def stop(self):
        """The numbers in milliseconds, and the five longest of each: gaps with what in them was Krita's own, turns with
        what was work; and the stage."""
        self._timer.stop()
        faulthandler.cancel_dump_traceback_later()
        return {
            "longest_gap_ms": max(self._gaps)[0],
            "longest_gap_without_kritas_own_ms": round(max(gap[0] - gap[1] for gap in self._gaps), 1),
            "longest_turn_ms": max(self._turns, default=(0, 0, ""))[0],
            "longest_turn_worked_ms": max((turn[1] for turn in self._turns), default=0),
            "gaps": sorted(self._gaps, reverse=True)[:5],
            "turns": sorted(self._turns, reverse=True)[:5],
        }

    def _beat(self):
        now = time.perf_counter()
        self._gaps.append((round(1000 * (now - self._last), 1), round(self._own_in_gap, 1), self._stage()))
        self._last, self._own_in_gap = now, 0.0
        if TELL_AFTER:
            faulthandler.dump_traceback_later(TELL_AFTER)

    def _begin_turn(self):
        self._own = [0.0, 0.0]

    def _note_own(self, wall, work):
        self._own[0] += wall
        self._own[1] += work
        self._own_in_gap += wall

    def _note_turn(self, wall, work):
        if self._timer.isActive():
            self._turns.append((round(wall - self._own[0], 1), round(work - self._own[1], 1), self._stage()))

    @staticmethod
    def _noting(call, begin, note):
        def noted(*values):
            begin()
            clocks = Clocks()
            try:
                return call(*values)
            finally:
                note(*clocks.passed())

        return noted


_watch = []


def watch():
    """The only one."""
    if not _watch:
        _watch.append(Watch())
    return _watch[0]
