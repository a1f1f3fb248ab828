"""What the plugin asks of the daemon and hears from it: requests, events, report, status. Knows neither wire nor Krita.

Fields mean what they mean in celwright.proto, and have its defaults; the daemon refuses values out of range.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping, Union

from celwright_krita.pixels import Pixels


@dataclass(frozen=True)
class Palette:
    """``colors`` has 3 bytes for each colour, red, green, blue in sRGB."""

    name: str
    colors: bytes


@dataclass(frozen=True, eq=False)
class Reference:
    """A picture to take colours from; ``mask`` marks the instance in it, ``region`` where it stands in the line art."""

    image: Pixels
    mask: Pixels | None = None
    region: Pixels | None = None


@dataclass(frozen=True, eq=False)
class DecomposeRequest:
    """Take a finished picture apart; ``fidelity`` is "clean" or "exact". ``flat_colors`` is the most that the flat may
    have, ``shadow_tones`` the number of hard steps, each 0 for as found; ``shadow_tint`` is "free" or "region",
    ``shadow_blend`` "multiply" or "normal"."""

    picture: Pixels
    fidelity: str = "clean"
    model: str = ""
    flat_colors: int = 0
    shadow_tones: int = 0
    shadow_tint: str = "free"
    merge_highlight: bool = False
    shadow_blend: str = "multiply"


@dataclass(frozen=True, eq=False)
class SegmentRequest:
    """Find the regions that the lines enclose; ``gap`` is the widest opening to close, in pixels."""

    line_art: Pixels
    gap: int = 8
    leaks: bool = False


@dataclass(frozen=True, eq=False)
class ColorizeRequest:
    """Colour a line drawing. ``palette`` is None, a Palette, "flatting" or "auto"; ``unhinted`` "nearest" or
    "transparent"; ``light`` in degrees from the right, counter-clockwise; ``histogram`` sums to 1 or is empty."""

    line_art: Pixels
    hints: Pixels | None = None
    selection: Pixels | None = None
    context: Pixels | None = None
    lock: Pixels | None = None
    references: tuple[Reference, ...] = ()
    palette: Palette | str | None = None
    histogram: tuple[float, ...] = ()
    unhinted: str = "nearest"
    gap: int = 8
    shading: bool = True
    light: int = 130
    seed: int = 0
    variations: int = 1
    steps: int = 8
    stages: bool = False
    model: str = ""


Request = Union[DecomposeRequest, SegmentRequest, ColorizeRequest]


@dataclass(frozen=True)
class RecompositionError:
    """``max`` and ``mean`` in 1/255, ``psnr`` in dB (infinite when equal)."""

    max: float
    mean: float
    psnr: float


@dataclass(frozen=True)
class Leak:
    """Two regions (IDs) that touched through an opening at (x, y), ``width`` pixels wide, which was closed."""

    x: int
    y: int
    width: float
    regions: tuple[int, int]


@dataclass(frozen=True)
class Report:
    """What is worth knowing about a result besides its pixels; ``seconds`` by stage, ``notices`` are sentences,
    ``shadow_blend`` is the blend mode of the shadow layer."""

    seconds: Mapping[str, float] = field(default_factory=dict)
    model: str = ""
    seed: int | None = None
    recomposition: RecompositionError | None = None
    regions: int | None = None
    leaks: tuple[Leak, ...] = ()
    notices: tuple[str, ...] = ()
    shadow_blend: str = "multiply"


@dataclass(frozen=True)
class Queued:
    """The job waits; ``ahead`` jobs go before it."""

    ahead: int


@dataclass(frozen=True)
class Progress:
    """``fraction`` (0..1) of the named stage is done; ``seconds_left`` for all that is to come, when known."""

    stage: str
    fraction: float
    seconds_left: float | None = None


@dataclass(frozen=True, eq=False)
class Preview:
    """What the result looks like so far; may be smaller than the document."""

    image: Pixels


@dataclass(frozen=True, eq=False)
class Finished:
    """Result images by name, and the report; the last event of a job."""

    images: Mapping[str, Pixels]
    report: Report


Event = Union[Queued, Progress, Preview, Finished]


@dataclass(frozen=True)
class DaemonStatus:
    """What a daemon tells about itself; the fields of celwright.proto's Status that the plugin shows or needs."""

    version: str
    api_version: int
    uptime_seconds: float
    device: str
    capabilities: tuple[str, ...]
    loaded: tuple[str, ...]
    waiting: int
    running: int
    queue_limit: int
    memory_bytes: int | None
    cached_bytes: int
    max_side: int
    max_pixels: int
    upload_limit: int


@dataclass(frozen=True)
class Model:
    """A model that the daemon has or can fetch; ``bytes`` is its size."""

    name: str
    description: str
    tasks: tuple[str, ...]
    license: str
    bytes: int
    sha256: str
    installed: bool
    embedded: bool
