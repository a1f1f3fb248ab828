"""What of the program, the document in front and the user's folder the docker shows. Knows no job."""

from __future__ import annotations

from celwright_krita.canvas import Canvas, Layer, Program
from celwright_krita.domain import Palette
from celwright_krita.errors import DocumentClosedError
from celwright_krita.session.board import Board
from celwright_krita.session.history import History
from celwright_krita.session.library import Library, checked_palette
from celwright_krita.session.reading import refusal
from celwright_krita.session.references import References

FILES_EVERY = 10  # refreshes between two looks into the user's folder and the program's palettes


class Sight:
    """``refresh`` is cheap: called once a second, and after everything that may have changed something."""

    def __init__(
        self, board: Board, program: Program, history: History, library: Library, references: References
    ) -> None:
        self._board = board
        self._program = program
        self._history = history
        self._library = library
        self._references = references
        self._names: set[str] = set()
        self._due = 0

    def refresh(self) -> None:
        canvas = self._program.canvas()
        try:
            self._look_at(canvas)
        except DocumentClosedError:
            self._look_at(None)
        self._due -= 1
        if self._due <= 0:
            self.look_at_files()

    def look_at_files(self) -> None:
        """Palettes and characters; called when one was saved, too."""
        self._due = FILES_EVERY
        saved = self._library.palettes()
        others = [name for name in self._program.palettes() if name not in saved]
        self._board.show(palettes=(*saved, *others), characters=self._library.characters())

    def palette(self, name: str) -> Palette:
        """The colours of one of State.palettes. UnusableInputError when it is gone or has none."""
        if name in self._library.palettes():
            return self._library.palette(name)
        read = self._program.palettes().get(name)
        return checked_palette(name, read() if read is not None else b"")

    def names(self) -> set[str]:
        """Titles and layer names that were seen: what a report must not tell."""
        return {name for name in self._names if name}

    def _look_at(self, canvas: Canvas | None) -> None:
        if canvas is None:
            layers: tuple[Layer, ...] = ()
            self._board.show(
                document="", refusal="", animated=False, selected=False, layers=layers,
                references=self._references.shown(""), history=self._kept(self._history.shown(None, "")),
            )  # fmt: skip
            return
        frame, title = canvas.frame(), canvas.title
        layers = tuple(canvas.layers())
        self._names.update((title, *(layer.name for layer in layers)))
        self._board.show(
            document=title,
            refusal=refusal(frame),
            animated=frame.last > frame.first,
            selected=canvas.selected(),
            layers=layers,
            references=self._kept(self._references.shown(canvas.key), "references"),
            history=self._kept(self._history.shown(canvas, title)),
        )

    def _kept(self, new: tuple, which: str = "history") -> tuple:
        """The tuple shown already, when ``new`` says the same: its entries are new objects each time."""
        old = getattr(self._board.state, which)
        same = len(old) == len(new) and all(vars(one) == vars(other) for one, other in zip(old, new))
        return old if same else new
