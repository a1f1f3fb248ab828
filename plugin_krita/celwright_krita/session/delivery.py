"""From a Reading to groups in the document: have it worked on, show what comes, keep it, insert it.

A result is in the history before anything is inserted, so a document that is gone takes nothing with it.
"""

from __future__ import annotations

import functools
from typing import Generator, Iterable

from celwright_krita.canvas import Canvas, NewFolder, NewGroup, Program
from celwright_krita.domain import Preview, Progress, Queued
from celwright_krita.errors import DocumentClosedError, UnusableInputError
from celwright_krita.session import work
from celwright_krita.session.board import Board
from celwright_krita.session.daemon_life import Daemon
from celwright_krita.session.history import History, Result
from celwright_krita.session.outcome import Outcome
from celwright_krita.session.reading import Reading
from celwright_krita.session.running import Running
from celwright_krita.state import DaemonState
from celwright_krita.texts import tr

Steps = Generator[None, None, None]


class Delivery:
    """Main thread only; its generators are steps of scripts that ``running`` runs."""

    def __init__(self, board: Board, program: Program, running: Running, daemon: Daemon, history: History) -> None:
        self._board = board
        self._program = program
        self._running = running
        self._daemon = daemon
        self._history = history

    def worked(self, reading: Reading, suffix: str = "") -> Generator[None, None, Outcome]:
        """Wait for what the daemon makes of ``reading``."""
        work_on = functools.partial(work.outcome, self._daemon, reading)
        found = yield from self._running.worked(lambda stop: work_on(stop, suffix), self.hear)
        assert isinstance(found, Outcome)
        return found

    def hear(self, item: object) -> None:
        """Show what the worker tells of a job."""
        if isinstance(item, DaemonState):
            self._board.show(daemon=item)
            if item.condition == "starting":
                self._board.progress(stage="start", fraction=0.0)
        elif isinstance(item, Queued):
            self._board.progress(stage="queue", ahead=item.ahead)
        elif isinstance(item, Progress):
            fraction, left = item.fraction, item.seconds_left
            self._board.progress(stage=item.stage, fraction=fraction, seconds_left=left, ahead=0)
        elif isinstance(item, Preview):
            self._board.progress(preview=item.image)

    def keep(self, made: list[Outcome], task: str, key: str, title: str, name: str = "") -> Result:
        """Put into the history what was made, under the ``name``, by default that of its first group."""
        return self._history.add(made, task, key, title, name)

    def drop(self, result: Result) -> None:
        """Out of the history again: another one holds the same."""
        self._history.drop(result)

    def show(self, outcome: Outcome) -> None:
        """Put a result's numbers and pictures into sight."""
        report = outcome.report
        self._board.show(
            recomposition=report.recomposition,
            leaks=report.leaks,
            overview=outcome.overview,
            variations=outcome.thumbnails if len(outcome.thumbnails) > 1 else (),
            chosen=0,
        )
        self._board.notice(*report.notices)

    def insert(self, canvas: Canvas, result: Result, indexes: Iterable[int]) -> Steps:
        """Insert these of the result's groups in one undo step; several lie in a group that keeps them together."""
        indexes = list(indexes)
        try:
            above = result.above if canvas.key == result.key else _active(canvas)
            if result.above and canvas.key == result.key and canvas.layer(above) is None:
                self._board.notice(tr("layer.removed"))
            groups: list[NewGroup] = []
            for number, index in enumerate(indexes):
                self._board.progress(stage="insert", fraction=number / (len(indexes) + 1), ahead=0)
                group = result.groups[index]
                if not isinstance(group, NewGroup):
                    unpacking = functools.partial(work.unpacked, group)
                    unpacked = yield from self._running.worked(lambda stop: unpacking(stop), self.hear)  # noqa: B023
                    assert isinstance(unpacked, NewGroup)
                    group = unpacked
                groups.append(group)
            whole: NewGroup | NewFolder = groups[0]
            if result.task == "frames":
                whole = NewFolder(result.title, tuple(groups), {**result.parameters, "task": "frames"})
            result.inserted.add((yield from canvas.insert(whole, above)))
        except DocumentClosedError:
            raise UnusableInputError(tr("document.closed.kept", title=result.document)) from None
        self._program.show_message(tr("result.inserted", name=result.title))


def _active(canvas: Canvas) -> str:
    layer = canvas.active()
    return "" if layer is None else layer.id
