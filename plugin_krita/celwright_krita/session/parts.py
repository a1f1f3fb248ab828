"""The session's parts and who knows whom. The only place that knows all of them; it does nothing with them."""

from __future__ import annotations

from typing import Callable, Mapping

from celwright_krita.canvas import Program
from celwright_krita.session import journal
from celwright_krita.session.board import Board
from celwright_krita.session.daemon_life import Daemon
from celwright_krita.session.delivery import Delivery
from celwright_krita.session.history import History
from celwright_krita.session.jobs import Jobs
from celwright_krita.session.library import Library, ReadPicture, WritePicture
from celwright_krita.session.references import References
from celwright_krita.session.running import Running
from celwright_krita.session.shelf import Shelf
from celwright_krita.session.sight import Sight
from celwright_krita.session.upkeep import Upkeep
from celwright_krita.session.worker import Worker
from celwright_krita.settings import user_folder


class Parts:
    """See Session for the parameters."""

    def __init__(
        self,
        program: Program,
        changed: Callable[[], None],
        environment: Mapping[str, str],
        read_picture: ReadPicture | None,
        write_picture: WritePicture | None,
        daemon: Daemon | None,
    ) -> None:
        folder = user_folder(environment)
        self.program = program
        self.journal = journal.opened(folder)
        self.board = Board(changed)
        self.worker = Worker()
        self.daemon = daemon or Daemon(environment)
        self.history = History()
        self.library = Library(folder, read_picture, write_picture)
        self.references = References(program)
        self.sight = Sight(self.board, program, self.history, self.library, self.references)
        self.upkeep = Upkeep(self.board, self.worker, self.daemon)
        self.running = Running(self.board, self.worker)
        self.delivery = Delivery(self.board, program, self.running, self.daemon, self.history)
        self.jobs = Jobs(self.board, self.delivery, self.history, self.references, self.sight)
        self.shelf = Shelf(
            self.board, program, self.running, self.daemon, self.delivery, self.history, self.references, self.library
        )
