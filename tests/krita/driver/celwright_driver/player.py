"""Plays a scenario inside Krita: every generator in it whose name begins with "check_", one short step at a time.

A step is taken when the event loop has nothing better to do, so Krita and the plugin live on in between, also while a
dialog is open. One line of JSON is written for each check: its name, its seconds, what went wrong or null.
Exceptions anywhere, errors that the plugin logs and dialogs that nobody asked for are faults of the check that runs.
"""

import importlib
import json
import logging
import os
import sys
import time
import traceback

from krita import Krita

from celwright_driver import hand
from celwright_driver.qt import QApplication, QMessageBox, QObject, Qt, QTimer

STEP_MS = 15
KRITAS_OWN = ("KisDelayedSaveDialog",)  # asks for patience while Krita computes on a busy machine, then goes away


class Errors(logging.Handler):
    """What the plugin logs as an error: it says a sentence instead of raising."""

    def __init__(self, faults):
        super().__init__(logging.ERROR)
        self._faults = faults

    def emit(self, record):
        self._faults.append(self.format(record))


class Player(QObject):
    def __init__(self, scenario, answer):
        super().__init__()
        only = os.environ.get("CELWRIGHT_TEST_ONLY", "").split()
        checks = [(name, check) for name, check in vars(scenario).items() if name.startswith("check_")]
        self._checks = [check for check in checks if not only or any(word in check[0] for word in only)]
        self._answer = open(answer, "w", encoding="utf-8")  # noqa: SIM115 - until Krita ends
        self._faults = []
        self._steps = self._tidying = None
        self._inside = False
        sys.excepthook = lambda *error: self._faults.append("".join(traceback.format_exception(*error)))
        logging.getLogger("celwright_krita").addHandler(Errors(self._faults))
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._step)
        self._timer.start(STEP_MS)

    def _step(self):
        if self._inside:  # a step of Krita's own event loop, inside a call of ours
            return
        self._inside = True
        try:
            self._one_step()
        finally:
            self._inside = False

    def _one_step(self):
        if self._tidying is not None:
            self._tidy()
            return
        if self._steps is None:
            if not self._checks:
                self._quit()
                return
            self._name, check = self._checks.pop(0)
            self._tell(begun=self._name)
            self._begun = time.monotonic()
            self._steps = check()
        dialog = QApplication.activeModalWidget()
        kind = "" if dialog is None else dialog.metaObject().className()
        if kind in KRITAS_OWN:
            return
        if kind and not hand.awaits_dialog:
            text = dialog.text() if isinstance(dialog, QMessageBox) else ""
            self._faults.append(f"A dialog came: {kind} {dialog.windowTitle()!r} {text}")
            dialog.close()
        if self._faults:
            self._end("\n".join(self._faults))
            return
        try:
            next(self._steps)
        except StopIteration:
            self._end(None)
        except hand.Skipped as reason:
            self._end(None, str(reason))
        except Exception:  # noqa: BLE001 - told by the test of this name
            self._end(traceback.format_exc())

    def _end(self, fault, skipped=""):
        self._steps = None
        if fault is not None:
            fault += "\nThe docker: " + repr(hand.seen())
            hand.take_picture(f"failed-{self._name}")
        seconds = round(time.monotonic() - self._begun, 2)
        self._tell(name=self._name, fault=fault, skipped=skipped, seconds=seconds, facts=hand.facts)
        hand.facts = {}
        self._tidying = hand.tidy()

    def _tidy(self):
        try:
            next(self._tidying)
            return
        except StopIteration:
            pass
        except Exception:  # noqa: BLE001 - the next check will say so
            traceback.print_exc()
        self._tidying = None
        self._faults.clear()

    def _tell(self, **what):
        self._answer.write(json.dumps(what, ensure_ascii=False) + "\n")
        self._answer.flush()

    def _quit(self):
        self._timer.stop()
        Krita.instance().action("file_quit").trigger()


def begin():
    """Play when Krita's first window is there."""
    notifier = Krita.instance().notifier()
    notifier.setActive(True)
    players = []

    def window_created():
        if not players:
            folder, name = os.path.split(os.environ["CELWRIGHT_TEST_SCENARIO"])
            sys.path.insert(0, folder)
            players.append(Player(importlib.import_module(name), os.environ["CELWRIGHT_TEST_ANSWER"]))

    notifier.windowCreated.connect(lambda *_: QTimer.singleShot(0, window_created))
