"""The plugin's brain: takes what the artist asks for, keeps State up to date. Knows neither Krita nor Qt nor the wire.

All methods are called on the main thread and return at once. What is slow is done on the worker's thread; what only the
main thread may do is done in small steps, one for each ``turn``.
"""

from __future__ import annotations

import os
from typing import Callable, Mapping

from celwright_krita.canvas import Canvas, Program
from celwright_krita.errors import CelwrightError
from celwright_krita.pixels import Pixels
from celwright_krita.session import diagnosis
from celwright_krita.session.daemon_life import Daemon
from celwright_krita.session.faults import fault_of
from celwright_krita.session.library import ReadPicture, WritePicture
from celwright_krita.session.parts import Parts
from celwright_krita.session.running import Script
from celwright_krita.state import ColorizeOptions, DecomposeOptions, State
from celwright_krita.texts import tr

CLOSE_SECONDS = 1.0  # for the worker when the program quits


class Session:
    """``read_picture`` and ``write_picture`` decode and encode files of the character library, on the worker's thread.
    ``environment`` tells where the daemon is and how it is started, and where the user's folder is."""

    def __init__(
        self,
        program: Program,
        changed: Callable[[], None],
        environment: Mapping[str, str] = os.environ,
        read_picture: ReadPicture | None = None,
        write_picture: WritePicture | None = None,
        daemon: Daemon | None = None,
    ) -> None:
        self._parts = Parts(program, changed, environment, read_picture, write_picture, daemon)

    @property
    def state(self) -> State:
        return self._parts.board.state

    def turn(self, patience: float = 0.0) -> None:
        """Take what the worker sent and do one short step. ``patience`` (seconds) is for tests: see Worker.deliver."""
        self._parts.worker.deliver(patience)
        self._parts.upkeep.step()
        if self._parts.running.busy and not self._parts.running.step():
            self._parts.history.pack(self._parts.worker)
            self._parts.sight.refresh()
            if self.state.fault is not None:
                self._parts.upkeep.look()  # the daemon may be what failed
        self._parts.history.step()

    def refresh(self) -> None:
        """Look at the document in front, and now and then at the daemon."""
        self._parts.sight.refresh()
        if not self._parts.running.busy:
            self._parts.upkeep.look_now_and_then()

    # ---- jobs

    def decompose(self, options: DecomposeOptions) -> None:
        if options.all_frames and self.state.animated:
            self._begin("frames", lambda canvas: self._parts.jobs.frames(canvas, options))
        else:
            self._begin("decompose", lambda canvas: self._parts.jobs.decompose(canvas, options))

    def colorize(self, options: ColorizeOptions) -> None:
        self._begin("colorize", lambda canvas: self._parts.jobs.colorize(canvas, options))

    def show_leaks(self, options: ColorizeOptions) -> None:
        self._begin("leaks", lambda canvas: self._parts.jobs.leaks(canvas, options))

    def save_document(self, path: str, replace: bool = False) -> None:
        self._begin("save", lambda canvas: self._parts.shelf.save(canvas, path, replace))

    def pull_model(self, name: str) -> None:
        self._start("pull", self._parts.shelf.pull(name))

    def choose(self, index: int) -> None:
        """Insert another of the last result's variations, in an undo step of its own."""
        self._start("insert", self._parts.shelf.choose(index))

    def insert_again(self, history_id: int) -> None:
        self._begin("insert", lambda canvas: self._parts.shelf.insert_again(canvas, history_id))

    def run_again(self, history_id: int) -> None:
        """Make a result again from its stored parameters, from the document in front as it is now."""
        task = self._parts.history.task(history_id)
        self._begin(task, lambda canvas: self._parts.jobs.run_again(canvas, history_id))

    def retry(self) -> None:
        """Do once more what ended in a fault, from where it ended: what was read of the document is not read again."""
        self._parts.running.retry()

    def cancel(self) -> None:
        """End what runs; nothing of it is inserted."""
        self._parts.running.cancel()
        self._parts.sight.refresh()

    def dismiss(self) -> None:
        """Forget the fault, and what a retry would have repeated."""
        self._parts.running.forget()
        self._parts.board.show(fault=None)

    # ---- references, characters, palettes

    def add_layer_reference(self, layer_id: str) -> None:
        self._do(lambda: self._parts.references.add_layer(layer_id))

    def add_picture_reference(self, name: str, pixels: Pixels) -> None:
        self._do(lambda: self._parts.references.add(name, pixels))

    def add_character(self, name: str) -> None:
        self._start("library", self._parts.shelf.add_character(name))

    def save_character(self, id: int, name: str) -> None:
        self._start("library", self._parts.shelf.save_character(id, name))

    def remove_reference(self, id: int) -> None:
        self._do(lambda: self._parts.references.remove(id))

    def mask_reference_by_selection(self, id: int) -> None:
        self._do(lambda: self._parts.references.mask(id))

    def place_reference_by_selection(self, id: int) -> None:
        self._do(lambda: self._parts.references.place(id))

    def show_placement(self, id: int) -> None:
        self._do(lambda: self._parts.references.show_placement(id))

    def save_palette(self, name: str, colors: bytes) -> None:
        self._do(lambda: self._parts.library.save_palette(name, colors))
        self._parts.sight.look_at_files()

    # ---- daemon

    def check_daemon(self) -> None:
        """Ask the daemon how it is; never starts one."""
        self._parts.upkeep.look()

    def start_daemon(self) -> None:
        self._parts.board.show(fault=None)
        self._parts.upkeep.start()

    def restart_daemon(self) -> None:
        """End the daemon, if this plugin started it, and start another; what it did for us can be repeated then."""
        self._parts.board.show(fault=None)
        self._parts.running.interrupt(tr("job.interrupted"))
        self._parts.upkeep.restart()

    def use_environment(self, environment: Mapping[str, str]) -> None:
        """The artist changed the settings: look for the daemon where they say now."""
        self._parts.upkeep.move(environment)

    def diagnose(self, versions: Mapping[str, str] | None = None) -> str:
        """Anonymised text for the clipboard; ``versions`` of the painting program and Qt are told as well."""
        return diagnosis.report(self.state, self._parts.daemon.environment, self._parts.sight.names(), versions)

    def close(self) -> None:
        """The program quits: end the worker, and the daemon if it is ours."""
        self._parts.running.cancel()
        self._parts.worker.close(CLOSE_SECONDS)
        self._parts.daemon.end()
        self._parts.journal.close()

    # ---- inside

    def _begin(self, task: str, script: Callable[[Canvas], Script]) -> None:
        """Start what needs a document that can be worked on."""
        self._parts.sight.refresh()
        canvas = self._parts.program.canvas()
        if canvas is None:
            self._parts.board.fault(tr("document.none"))
        elif self.state.refusal:
            self._parts.board.fault(self.state.refusal)
        else:
            self._start(task, script(canvas))

    def _start(self, task: str, script: Script) -> None:
        if self._parts.running.busy:
            self._parts.board.fault(tr("job.busy"))
        else:
            self._parts.history.stop_packing()
            self._parts.running.begin(task, script)

    def _do(self, act: Callable[[], None]) -> None:
        """Something short: its fault is shown, then what changed."""
        self._parts.board.show(fault=None)
        try:
            act()
        except CelwrightError as error:
            self._parts.board.show(fault=fault_of(error))
        self._parts.sight.refresh()
