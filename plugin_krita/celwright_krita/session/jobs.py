"""The jobs that make something of a document's pixels, step by step: read, have it worked on, keep, insert.

A method gives the script that Running takes. A script that is repeated goes on from what it had read or made before.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from time import strftime
from typing import Callable, Generator

from celwright_krita.canvas import VISIBLE, Canvas, Frame, Raw
from celwright_krita.domain import Palette
from celwright_krita.errors import DocumentClosedError, UnusableInputError
from celwright_krita.session import reading, recall
from celwright_krita.session.board import Board
from celwright_krita.session.delivery import Delivery, Steps
from celwright_krita.session.history import History, Result
from celwright_krita.session.outcome import Outcome
from celwright_krita.session.reading import Reading
from celwright_krita.session.references import References
from celwright_krita.session.running import Script
from celwright_krita.session.sight import Sight
from celwright_krita.state import ColorizeOptions, DecomposeOptions
from celwright_krita.texts import tr


class Jobs:
    def __init__(
        self, board: Board, delivery: Delivery, history: History, references: References, sight: Sight
    ) -> None:
        self._board = board
        self._delivery = delivery
        self._history = history
        self._references = references
        self._sight = sight

    def decompose(self, canvas: Canvas, options: DecomposeOptions) -> Script:
        return self._once(canvas, lambda: reading.decompose_reading(canvas, options, reading.selected(canvas), {}))

    def colorize(self, canvas: Canvas, options: ColorizeOptions, colors: Palette | None = None) -> Script:
        """``colors`` are those that a result was made with, whatever has become of its palette."""

        def read() -> Generator[None, None, Reading]:
            palette: Palette | str | None = colors or options.palette or None
            if isinstance(palette, str) and palette not in ("auto", "flatting"):
                palette = self._sight.palette(palette)
            used = self._references.used(canvas.key)
            stored = recall.colorize_parameters(palette, [one.name for one in used])
            return (yield from reading.colorize_reading(canvas, options, used, palette, stored))

        return self._once(canvas, read)

    def leaks(self, canvas: Canvas, options: ColorizeOptions) -> Script:
        """Shows the openings in the line art; nothing is inserted."""
        kept: list[Reading] = []

        def script() -> Steps:
            if not kept:
                kept.append((yield from reading.colorize_reading(canvas, options, (), None, {}, "leaks")))
            outcome = yield from self._delivery.worked(kept[0])
            self._delivery.show(outcome)
            if not outcome.report.leaks:
                self._board.notice(tr("leaks.none"))

        return script

    def frames(self, canvas: Canvas, options: DecomposeOptions) -> Script:
        """Every frame of the animation in turn. All groups are inserted at the end, in one undo step, so that none
        shows in a later frame's picture; only the one of the frame in sight is visible. Frames that cannot be taken
        apart are skipped.
        """
        batch = _Batch()

        def script() -> Steps:
            frame, selection = canvas.frame(), reading.selected(canvas)
            key, title = canvas.key, canvas.title
            try:
                for time in range(frame.first + batch.done, frame.last + 1):
                    yield from self._one_frame(canvas, options, batch, time, selection)
                if not batch.made:
                    raise UnusableInputError(tr("frames.none"))
                yield from canvas.at_time(frame.time)
            finally:  # what is made is kept, and the artist's frame in sight again, whatever ended the batch
                with contextlib.suppress(DocumentClosedError):
                    next(iter(canvas.at_time(frame.time)), None)
                if batch.kept is not None:
                    self._delivery.drop(batch.kept)
                if batch.made:
                    made = batch.ordered(frame)
                    batch.kept = self._delivery.keep(made, "frames", key, title, batch.name)
            self._delivery.show(batch.made[0])
            self._sight.refresh()
            yield from self._delivery.insert(canvas, batch.kept, range(len(batch.made)))

        return script

    def run_again(self, canvas: Canvas, id: int) -> Script:
        """Make a result again from its parameters: the same options, seed and colours, the picture as it is now."""
        found: list[Script] = []

        def script() -> Steps:
            if not found:
                found.append(self._recalled(canvas, id))
            yield from found[0]()

        return script

    def _recalled(self, canvas: Canvas, id: int) -> Script:
        result = self._history.result(id)
        options = None if result is None else recall.options(result.parameters)
        if result is None or options is None:
            raise UnusableInputError(tr("result.unknown"))
        if isinstance(options, DecomposeOptions):
            return self.frames(canvas, options) if result.task == "frames" else self.decompose(canvas, options)
        there = {one.name for one in self._references.used(canvas.key)}
        missing = [name for name in recall.reference_names(result.parameters) if name not in there]
        if missing:
            self._board.notice(tr("result.references", names=", ".join(missing)))
        return self.colorize(canvas, options, recall.palette(result.parameters))

    def _once(self, canvas: Canvas, read: Callable[[], Generator[None, None, Reading]]) -> Script:
        """Read, have it worked on, keep, insert the first of what was made."""
        kept: list[Reading] = []

        def script() -> Steps:
            key, title = canvas.key, self._board.state.document
            if not kept:
                kept.append((yield from read()))
            outcome = yield from self._delivery.worked(kept[0])
            result = self._delivery.keep([outcome], outcome.task, key, title)
            self._delivery.show(outcome)
            self._sight.refresh()
            yield from self._delivery.insert(canvas, result, [0])

        return script

    def _one_frame(
        self,
        canvas: Canvas,
        options: DecomposeOptions,
        batch: _Batch,
        time: int,
        selection: Raw | None,
    ) -> Steps:
        self._board.progress(stage="read", fraction=0.0)
        yield from canvas.at_time(time)
        try:
            one = replace(options, source=batch.source or options.source)
            read = yield from reading.decompose_reading(canvas, one, selection, {"frame": time})
            batch.source = read.above or VISIBLE
            batch.made.append((yield from self._delivery.worked(read, tr("made.frame", time=time))))
            batch.times.append(time)
        except UnusableInputError as error:
            self._board.notice(tr("frame.skipped", time=time, reason=str(error)))
        batch.done += 1


class _Batch:
    """How far a batch of frames has come."""

    def __init__(self) -> None:
        self.made: list[Outcome] = []
        self.times: list[int] = []
        self.done = 0
        self.source = ""  # the layer's id, once it is known which one is meant
        self.kept: Result | None = None

    @property
    def name(self) -> str:
        """Of the group that keeps the frames' groups together."""
        return tr("made.frames", time=strftime("%H:%M:%S"), first=self.times[0], last=self.times[-1])

    def ordered(self, frame: Frame) -> list[Outcome]:
        """What was made, the groups of other frames than the one in sight hidden."""
        shown = []
        for time, outcome in zip(self.times, self.made):
            groups = tuple(replace(group, visible=time == frame.time) for group in outcome.groups)
            shown.append(replace(outcome, groups=groups))
        return shown
