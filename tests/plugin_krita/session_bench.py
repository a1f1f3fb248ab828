"""A Session with a fake program and a scripted daemon, turned by hand: what arrives is waited for, nothing sleeps."""

from __future__ import annotations

import time
from pathlib import Path

from celwright_krita.session.session import Session
from celwright_krita.state import State
from fake_canvas import FakeCanvas, FakeProgram, painted
from scripted import PATIENCE, Script


class Bench:
    """``environment`` has a user folder of its own below ``folder``. ``changes`` are all States that were shown. With
    ``command`` the daemon is the real one."""

    def __init__(self, folder: Path, *canvases: FakeCanvas, command: str = "", **more: object) -> None:
        self.folder = folder / "celwright"
        self.environment = {"XDG_DATA_HOME": str(folder), "HOME": str(folder), "PATH": "/usr/bin:/bin"}
        if command:
            self.environment["CELWRIGHT_COMMAND"] = command
        self.canvas = canvases[0] if canvases else FakeCanvas(layers=(painted("ink"),))
        self.program = FakeProgram(*(canvases or (self.canvas,)))
        self.script = Script()
        self.changes: list[State] = []
        daemon = None if command else self.script.daemon(self.environment)
        self.session = Session(self.program, self._changed, self.environment, daemon=daemon, **more)
        self.session.refresh()

    def _changed(self) -> None:
        if hasattr(self, "session"):
            self.changes.append(self.session.state)

    @property
    def state(self) -> State:
        return self.session.state

    @property
    def sentence(self) -> str:
        return self.state.fault.sentence if self.state.fault is not None else ""

    def until(self, condition: object) -> None:
        """Turn until ``condition()`` holds."""
        patience = time.monotonic() + PATIENCE
        while not condition():
            self.session.turn(0.05)
            assert time.monotonic() < patience, (self.state.job, self.sentence)

    def finish(self) -> None:
        """Turn until nothing runs."""
        self.until(lambda: self.state.job is None)

    def until_held(self) -> None:
        """Turn until the job is where the script holds it."""
        self.until(lambda: self.state.job is not None and self.state.job.stage == "held")

    def settle(self) -> None:
        """Turn until the worker has nothing left to do either."""
        worker = self.session._parts.worker
        self.until(lambda: self.state.job is None and not worker._open)

    def stages(self) -> list[str]:
        """The stages of jobs that were shown, each once."""
        found = [state.job.stage for state in self.changes if state.job is not None]
        return [stage for place, stage in enumerate(found) if stage not in found[:place]]
