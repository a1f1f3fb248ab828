"""The jobs that make nothing new: insert what is held, save, fetch a model, read and write characters.

A method gives the script that Running takes.
"""

from __future__ import annotations

import functools
from typing import Iterator

from celwright_krita.canvas import VISIBLE, Canvas, Program
from celwright_krita.errors import UnusableInputError, WrongUsageError
from celwright_krita.pixels import Pixels
from celwright_krita.saving import Saved
from celwright_krita.session import work
from celwright_krita.session.board import Board
from celwright_krita.session.daemon_life import Daemon
from celwright_krita.session.delivery import Delivery, Steps
from celwright_krita.session.history import History
from celwright_krita.session.layouts import pixels
from celwright_krita.session.library import Library
from celwright_krita.session.references import References, Used
from celwright_krita.session.running import Running, Script
from celwright_krita.texts import tr


class Shelf:
    def __init__(
        self,
        board: Board,
        program: Program,
        running: Running,
        daemon: Daemon,
        delivery: Delivery,
        history: History,
        references: References,
        library: Library,
    ) -> None:
        self._board = board
        self._program = program
        self._running = running
        self._daemon = daemon
        self._delivery = delivery
        self._history = history
        self._references = references
        self._library = library

    def choose(self, index: int) -> Script:
        """Insert another variation of the newest result into the document that it belongs to."""

        def script() -> Steps:
            result = self._history.newest()
            if result is None or result.task == "frames" or not 0 <= index < len(result.groups):
                raise UnusableInputError(tr("result.gone"))
            home = next((canvas for canvas in self._program.canvases() if canvas.key == result.key), None)
            if home is None:
                raise UnusableInputError(tr("document.closed.kept", title=result.document))
            yield from self._delivery.insert(home, result, [index])
            result.chosen = index
            self._board.show(chosen=index)

        return script

    def insert_again(self, canvas: Canvas, id: int) -> Script:
        """Insert into the document in front, whichever it came from; its colours must be of the same kind."""

        def script() -> Steps:
            result = self._history.result(id)
            if result is None or not result.groups or result.frame is None:
                raise UnusableInputError(tr("result.gone"))
            frame = canvas.frame()
            if (frame.model, frame.depth) != (result.frame.model, result.frame.depth):
                raise UnusableInputError(tr("result.other_colors", depth=result.frame.depth[1:]))
            every = range(len(result.groups)) if result.task == "frames" else [result.chosen]
            yield from self._delivery.insert(canvas, result, every)

        return script

    def save(self, canvas: Canvas, path: str, replace: bool) -> Script:
        """The active group of ours, else the one inserted last, else the whole document, as a layered file."""

        def script() -> Steps:
            active = canvas.active()
            group = active.id if active is not None and active.id in canvas.remembered() else ""
            tree = yield from canvas.tree_in_turns(group or self._history.last_group(canvas) or VISIBLE)
            saved = functools.partial(work.saved, self._daemon, tree, canvas.icc_profile(), path, replace)
            done = yield from self._running.worked(lambda stop: saved(stop), self._delivery.hear)
            assert isinstance(done, Saved)
            self._board.show(saved=done.path)

        return script

    def pull(self, name: str) -> Script:
        """Have the daemon fetch a model."""

        def script() -> Steps:
            yield from self._running.worked(lambda stop: work.pulled(self._daemon, name, stop), self._delivery.hear)

        return script

    def add_character(self, name: str) -> Script:
        """From the library to the references."""

        def script() -> Steps:
            read = self._library.character
            found = yield from self._running.worked(lambda stop: (read(name) for _ in "1"), self._delivery.hear)
            image, mask = found  # type: ignore[misc]
            self._references.add(name, image, mask)

        return script

    def save_character(self, id: int, name: str) -> Script:
        """From the references to the library."""

        def script() -> Steps:
            used = self._references.one(id)
            yield from self._running.worked(lambda stop: self._character_saved(used, name), self._delivery.hear)
            self._board.show(characters=self._library.characters())
            self._board.notice(tr("character.saved", name=name))

        return script

    def _character_saved(self, used: Used, name: str) -> Iterator[None]:
        image = used.image if isinstance(used.image, Pixels) else pixels(used.image)
        yield
        try:
            self._library.save_character(name, image, used.mask)
        except OSError as error:
            raise WrongUsageError(tr("library.unwritable", reason=error.strerror or str(error))) from None
