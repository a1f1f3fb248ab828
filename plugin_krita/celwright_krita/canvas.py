"""The seam to the painting program: what the plugin asks of an open document. Knows neither Krita nor Qt nor the wire.

rim/canvas.py serves it in Krita; tests serve it with lists and bytes. Everything is called on the main thread, and
pixels are read or written for one layer at a time, so that the window stays alive in between.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, Generator, Iterator, Mapping, Protocol

VISIBLE = "visible"  # stands for a layer's id where the visible picture is meant
ACTIVE = ""  # stands for a layer's id where the active layer is meant


@dataclass(frozen=True)
class Rect:
    """In document pixels; ``x`` and ``y`` may be negative."""

    x: int
    y: int
    width: int
    height: int

    @property
    def empty(self) -> bool:
        return self.width <= 0 or self.height <= 0

    def meet(self, other: Rect) -> Rect:
        """What both cover; empty where they do not touch."""
        x, y = max(self.x, other.x), max(self.y, other.y)
        right = min(self.x + self.width, other.x + other.width)
        bottom = min(self.y + self.height, other.y + other.height)
        return Rect(x, y, max(0, right - x), max(0, bottom - y))


@dataclass(frozen=True)
class Layer:
    """A layer as lists show it: ``level`` is how deep it lies in groups (0: not at all), ``kind`` Krita's own type."""

    id: str
    name: str
    kind: str
    level: int
    visible: bool
    locked: bool


@dataclass(frozen=True)
class Frame:
    """The document's own picture: size, colour ("RGBA", "GRAYA", …; "U8", "U16", "F16", "F32"), profile's name, and
    the animation's frames (the current one, first and last; equal when nothing is animated)."""

    width: int
    height: int
    model: str
    depth: str
    profile: str
    time: int = 0
    first: int = 0
    last: int = 0

    @property
    def rect(self) -> Rect:
        return Rect(0, 0, self.width, self.height)


@dataclass(frozen=True, eq=False)
class Raw:
    """Pixels as the program has them: BGRA of whole numbers, RGBA of floats, grey and alpha, or coverage ("MASK")."""

    data: bytes
    rect: Rect
    model: str
    depth: str


@dataclass(frozen=True, eq=False)
class NewLayer:
    """``data`` as in Raw, of the document's model and depth; ``blend`` is Krita's name ("normal", "multiply", …);
    ``clipped`` to the layers below it in the group."""

    name: str
    data: bytes
    rect: Rect
    blend: str = "normal"
    clipped: bool = False
    visible: bool = True
    locked: bool = False


@dataclass(frozen=True, eq=False)
class NewGroup:
    """A group to insert in one undo step, its layers bottom to top; ``parameters`` are stored with the document under
    the group's id, so that the result can be made again after it was saved and opened."""

    name: str
    layers: tuple[NewLayer, ...]
    parameters: Mapping[str, object] = field(default_factory=dict)
    visible: bool = True


@dataclass(frozen=True, eq=False)
class NewFolder:
    """Groups, bottom to top, to insert in one undo step inside another; only that one's ``parameters`` are stored."""

    name: str
    groups: tuple[NewGroup, ...]
    parameters: Mapping[str, object] = field(default_factory=dict)
    visible: bool = True


class Canvas(Protocol):
    """One open document. Every method but ``open`` raises DocumentClosedError once it is closed."""

    key: str  # the same for the same open document

    @property
    def open(self) -> bool: ...

    @property
    def title(self) -> str:
        """The file's name, or the document's where it has none yet."""

    def frame(self) -> Frame: ...

    def layers(self) -> list[Layer]:
        """All layers that have pixels of their own or of their children, top to bottom; no masks."""

    def active(self) -> Layer | None: ...

    def layer(self, id: str) -> Layer | None:
        """The layer with this id; None when it was removed."""

    def bounds(self, id: str) -> Rect:
        """Where the layer (or with VISIBLE the document) has pixels; may reach beyond the document."""

    def read(self, id: str, rect: Rect) -> Raw:
        """A layer's pixels with its masks and children, without its own opacity; with VISIBLE the visible picture."""

    def selected(self) -> bool:
        """Whether there is a selection; cheap, nothing is read."""

    def selection(self) -> Raw | None:
        """What is selected, cut to the document; None without a selection."""

    def select(self, mask: Raw) -> None:
        """Make ``mask`` the selection: shows a region on the canvas itself."""

    def insert(self, group: NewGroup | NewFolder, above: str) -> Generator[None, None, str]:
        """Insert above the layer ``above`` (on top where it is gone), a layer a turn, all at the end; gives the id."""

    def remembered(self) -> dict[str, dict[str, object]]:
        """The stored parameters by group id, of groups that are still there."""

    def icc_profile(self) -> bytes:
        """The document's ICC profile; empty when the program does not give it out."""

    def at_time(self, time: int) -> Iterator[None]:
        """Go to a frame of the animation; done when the generator ends (the picture must be computed anew)."""

    def tree_in_turns(self, id: str) -> Generator[None, None, DocumentTree]:
        """The group ``id`` with its layers, or with VISIBLE the whole document, read for saving, one layer a turn."""


@dataclass(frozen=True, eq=False)
class TreeLayer:
    """A layer to save; exactly one of ``raw`` and ``children`` (bottom to top) says something."""

    name: str
    blend: str
    opacity: float  # 0 to 1
    visible: bool
    clipped: bool
    raw: Raw | None = None
    children: tuple[TreeLayer, ...] = ()


@dataclass(frozen=True, eq=False)
class DocumentTree:
    """Layers bottom to top and the picture they give together, in the document's layout."""

    frame: Frame
    layers: tuple[TreeLayer, ...]
    composite: Raw


class Program(Protocol):
    """The painting program itself."""

    def canvas(self) -> Canvas | None:
        """The document in front; None when none is open."""

    def canvases(self) -> list[Canvas]: ...

    def palettes(self) -> Mapping[str, Callable[[], bytes]]:
        """The program's palettes by name; each call gives 3 bytes (red, green, blue) for each colour."""

    def show_message(self, text: str) -> None:
        """A short line in the status bar or on the canvas that goes away by itself."""
