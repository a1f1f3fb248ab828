"""What the docker shows and what it may ask for: plain values between the session and the window. Knows no Qt.

The session makes a new State after everything that happens; the window draws it and keeps nothing of its own but what
the artist is typing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping

from celwright_krita.canvas import ACTIVE, Layer
from celwright_krita.domain import Leak, Model, RecompositionError
from celwright_krita.pixels import Pixels


@dataclass(frozen=True)
class DecomposeOptions:
    """``source`` is a layer's id, ACTIVE or VISIBLE; ``all_frames`` takes every frame of the animation in turn. The
    rest is how the layers are wanted, as in domain.DecomposeRequest."""

    source: str = ACTIVE
    model: str = ""
    fidelity: str = "clean"
    all_frames: bool = False
    flat_colors: int = 0
    shadow_tones: int = 0
    shadow_tint: str = "free"
    merge_highlight: bool = False
    shadow_blend: str = "multiply"


@dataclass(frozen=True)
class ColorizeOptions:
    """``line_art`` a layer's id or ACTIVE; ``hints`` and ``lock`` a layer's id, empty for none. ``palette`` is "" (for
    none), "auto", "flatting" or the name of one of State.palettes. ``leaks`` asks for openings to be shown."""

    line_art: str = ACTIVE
    hints: str = ""
    lock: str = ""
    palette: str = ""
    unhinted: str = "nearest"
    gap: int = 8
    shading: bool = True
    light: int = 130
    seed: int = 0
    variations: int = 1
    steps: int = 8
    leaks: bool = False
    model: str = ""


@dataclass(frozen=True)
class DaemonState:
    """``condition`` is "unknown", "absent" (not installed or not running), "starting", "ready" or "broken";
    ``sentence`` says it in words, in the artist's language. ``ours``: this plugin started it."""

    condition: str = "unknown"
    sentence: str = ""
    version: str = ""
    device: str = ""
    capabilities: frozenset[str] = frozenset()
    models: tuple[Model, ...] = ()
    ours: bool = False


@dataclass(frozen=True, eq=False)
class JobState:
    """``task`` is "decompose", "colorize", "frames", "leaks", "save", "insert", "library" or "pull"; ``stage`` the
    daemon's name of the stage, or "read", "start", "queue", "send", "insert"; ``fraction`` (0..1) of the stage;
    ``ahead`` jobs go first."""

    task: str
    stage: str
    fraction: float = 0.0
    seconds_left: float | None = None
    ahead: int = 0
    preview: Pixels | None = None


@dataclass(frozen=True)
class Fault:
    """``sentence`` for the artist; ``ways`` on: any of "retry", "start", "restart", "settings", "diagnose"."""

    sentence: str
    ways: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class ReferenceState:
    """A reference in the docker: thumbnail (8-bit RGBA, at most 96 px a side), and which masks it has."""

    id: int
    name: str
    thumbnail: Pixels
    masked: bool = False
    placed: bool = False  # "region": where its instance stands in the line art


@dataclass(frozen=True, eq=False)
class HistoryEntry:
    """A result of this session or, without ``thumbnail``, one whose parameters were stored in the document."""

    id: int
    task: str
    title: str
    document: str
    parameters: Mapping[str, object]
    thumbnail: Pixels | None = None
    insertable: bool = True  # its pixels are still held


@dataclass(frozen=True, eq=False)
class State:
    """Everything the docker shows."""

    daemon: DaemonState = DaemonState()
    document: str = ""  # title of the document in front; empty when none is open
    refusal: str = ""  # why this document cannot be worked on (float, CMYK), a sentence; else empty
    animated: bool = False
    selected: bool = False
    layers: tuple[Layer, ...] = ()
    palettes: tuple[str, ...] = ()
    characters: tuple[str, ...] = ()  # names in the character library
    references: tuple[ReferenceState, ...] = ()
    job: JobState | None = None
    fault: Fault | None = None
    notices: tuple[str, ...] = ()
    recomposition: RecompositionError | None = None
    leaks: tuple[Leak, ...] = ()
    overview: Pixels | None = None  # last result or leaks over the line art, small, for the docker
    variations: tuple[Pixels, ...] = ()  # pictures to choose from
    chosen: int = 0
    history: tuple[HistoryEntry, ...] = ()
    saved: str = ""  # where the last PSD was written
