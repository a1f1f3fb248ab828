"""What every part of Celwright talks about: pixels, requests, events and results.

Work is a generator of events: a network step, a pipeline, a gRPC stream and a progress bar have one shape,
``Iterator[Event]``. Cancelling is ceasing to iterate. Knows numpy; does not know files, networks, torch or the wire.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from celwright.errors import UnusableInputError, WrongUsageError
from celwright.pixels import MAX_PIXELS as MAX_PIXELS
from celwright.pixels import MAX_SIDE as MAX_SIDE
from celwright.pixels import MIN_SIDE as MIN_SIDE
from celwright.pixels import FloatImage as FloatImage
from celwright.pixels import Labels as Labels
from celwright.pixels import Pixels as Pixels
from celwright.pixels import check_same_size as check_same_size
from celwright.pixels import check_size as check_size

Fidelity: TypeAlias = Literal["clean", "exact"]
ShadowTint: TypeAlias = Literal["free", "region"]
ShadowBlend: TypeAlias = Literal["multiply", "normal"]
Unhinted: TypeAlias = Literal["nearest", "transparent"]

MAX_FLAT_COLORS = 256
MAX_GUIDANCE = 10


@dataclass(frozen=True, eq=False)
class Palette:
    """Colours to choose from: ``colors`` is (N, 3) uint8 sRGB, N from 1 to 4096."""

    name: str
    colors: NDArray[np.uint8]

    def __post_init__(self) -> None:
        if self.colors.ndim != 2 or self.colors.shape[1] != 3 or not 1 <= len(self.colors) <= 4096:
            raise WrongUsageError(
                f"The palette {self.name!r} holds {len(self.colors)} colours; 1 to 4096 RGB colours are allowed."
            )


@dataclass(frozen=True, eq=False)
class Reference:
    """A picture to take colours from. ``mask`` (of the picture's size) marks the instance in it,
    ``region`` (of the line art's size) where that instance stands in the line art."""

    image: Pixels
    mask: Pixels | None = None
    region: Pixels | None = None

    def __post_init__(self) -> None:
        if self.mask is not None and self.mask.size != self.image.size:
            raise WrongUsageError(
                f"A reference mask is {self.mask.width}x{self.mask.height} pixels, its picture "
                f"{self.image.width}x{self.image.height}; both must match: export the mask with the whole picture."
            )


def _check_choice(what: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise WrongUsageError(f"{what} {value!r} is not known; {' or '.join(map(repr, allowed))} is allowed.")


def _check_range(what: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise WrongUsageError(f"{what} is {value}; {low} to {high} is allowed.")


@dataclass(frozen=True, eq=False)
class DecomposeRequest:
    """Take a finished picture apart into line, flat, shadow and highlight; the rest is how the artist wants them.

    ``flat_colors``: at most so many in the flat (0: as many as are found). ``shadow_tones``: 1 or 2 hard steps of
    shadow (0: as soft as it is). ``shadow_tint``: one hue of shadow for each flat colour with "region".
    ``merge_highlight``: the flat takes the highlight. ``shadow_blend``: how the shadow lies on the flat.

    ``exact`` needs layers that take what is left over, so it goes with one of flat colours, shadow tones or tint, and
    merged highlights, not with two.
    """

    picture: Pixels
    fidelity: Fidelity = "clean"
    model: str = "embedded"
    flat_colors: int = 0
    shadow_tones: int = 0
    shadow_tint: ShadowTint = "free"
    merge_highlight: bool = False
    shadow_blend: ShadowBlend = "multiply"

    def __post_init__(self) -> None:
        _check_choice("The fidelity", self.fidelity, ("clean", "exact"))
        _check_range("The number of flat colours", self.flat_colors, 0, MAX_FLAT_COLORS)
        _check_range("The number of shadow tones", self.shadow_tones, 0, 2)
        _check_choice("The shadow's tint", self.shadow_tint, ("free", "region"))
        _check_choice("The shadow's blend mode", self.shadow_blend, ("multiply", "normal"))
        bound = self._bound_layers()
        if self.fidelity == "exact" and len(bound) > 1:
            raise WrongUsageError(
                f"The fidelity 'exact' came with {' and '.join(bound)}, which leave no layer for the rest of the "
                f"picture; it goes with one of them: leave the others out, or take the fidelity 'clean'."
            )
        if not self.picture.alpha().any():
            raise UnusableInputError(
                "The picture is fully transparent; at least one visible pixel is needed: check the layer's visibility."
            )

    def is_plain(self) -> bool:
        """Whether the layers are wanted as they are found."""
        return not self._bound_layers() and self.shadow_blend == "multiply"

    def _bound_layers(self) -> list[str]:
        """The wishes that bind a layer, in words: what remains of the picture has to go into another."""
        bound = ["limited flat colours"] if self.flat_colors else []
        if self.shadow_tones or self.shadow_tint == "region":
            bound.append("stepped or tinted shadows")
        return [*bound, "merged highlights"] if self.merge_highlight else bound


@dataclass(frozen=True, eq=False)
class SegmentRequest:
    """Find the regions that the lines enclose. ``gap`` is the widest opening to close, in pixels."""

    line_art: Pixels
    gap: int = 8
    leaks: bool = False

    def __post_init__(self) -> None:
        _check_range("The gap", self.gap, 0, 256)


@dataclass(frozen=True)
class Guidance:
    """How much each condition of the embedded colorizer is exaggerated where colours are sampled, 0 to 10: 1 takes it
    as it was learnt, less takes it back (classifier-free guidance, Ho & Salimans 2022). ``hints`` are all colours that
    are given, the context's among them; ``histogram`` is that of a palette, too. Every scale but 1 costs time."""

    references: float = 1.0
    hints: float = 1.0
    histogram: float = 1.5

    def __post_init__(self) -> None:
        for name in ("references", "hints", "histogram"):
            scale = getattr(self, name)
            if not 0 <= scale <= MAX_GUIDANCE:  # nor is what is not a number
                raise WrongUsageError(
                    f"The guidance of {name} is {scale}; 0 to {MAX_GUIDANCE} is allowed: choose 1 to take it as it "
                    f"was learnt, more to exaggerate it."
                )


@dataclass(frozen=True, eq=False)
class ColorizeRequest:
    """Colour a line drawing. All images but the references' have the line art's size and offset.

    ``hints``: colour where its alpha is not 0. ``selection``: what may change (all, when None).
    ``context``: the colours so far. ``lock``: what must stay as in the context. ``palette``: None, colours to
    snap to, ``"flatting"`` (every region its own colour) or ``"auto"``. ``histogram``: (bins,) float32, sums to 1.
    ``unhinted``: what becomes of regions without a hint. ``light``: where light comes from, in degrees from the right
    counter-clockwise, as in layer styles. ``guidance``: how much sampled colours heed all this.
    """

    line_art: Pixels
    hints: Pixels | None = None
    selection: Pixels | None = None
    context: Pixels | None = None
    lock: Pixels | None = None
    references: tuple[Reference, ...] = ()
    palette: Palette | Literal["flatting", "auto"] | None = None
    histogram: NDArray[np.float32] | None = None
    unhinted: Unhinted = "nearest"
    gap: int = 8
    shading: bool = True
    light: int = 130
    seed: int = 0
    variations: int = 1
    steps: int = 8
    guidance: Guidance = Guidance()
    stages: bool = False
    model: str = "embedded"

    def __post_init__(self) -> None:
        _check_choice("The treatment of unhinted regions", self.unhinted, ("nearest", "transparent"))
        _check_range("The gap", self.gap, 0, 256)
        _check_range("The direction of the light", self.light, 0, 359)
        _check_range("The number of variations", self.variations, 1, 16)
        _check_range("The number of steps", self.steps, 1, 100)
        _check_range("The seed", self.seed, 0, 2**32 - 1)
        if isinstance(self.palette, str):
            _check_choice("The palette", self.palette, ("flatting", "auto"))
        for name in ("hints", "selection", "context", "lock"):
            image = getattr(self, name)
            if image is not None:
                check_same_size(name, image, "line art", self.line_art)
        for reference in self.references:
            if reference.region is not None:
                check_same_size("reference region", reference.region, "line art", self.line_art)
        if self.selection is not None and not self.selection.coverage().any():
            raise UnusableInputError("The selection is empty; select at least one pixel or select nothing at all.")
        if self.lock is not None and self.lock.coverage().any() and self.context is None:
            raise WrongUsageError("A lock came without a context; name the picture whose colours are to be kept.")


Request: TypeAlias = DecomposeRequest | SegmentRequest | ColorizeRequest


@dataclass(frozen=True)
class RecompositionError:
    """How far the layers, put together again, are from the picture: ``max`` and ``mean`` over visible pixels'
    channels in 1/255, weighed by alpha; ``psnr`` in dB (infinite when equal)."""

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
    """What is worth knowing about a result besides its pixels. ``seconds`` by stage; ``notices`` are sentences;
    ``shadow_blend`` is the blend mode of the shadow layer."""

    seconds: Mapping[str, float] = field(default_factory=dict)
    model: str = ""
    seed: int | None = None
    recomposition: RecompositionError | None = None
    regions: int | None = None
    leaks: tuple[Leak, ...] = ()
    notices: tuple[str, ...] = ()
    shadow_blend: ShadowBlend = "multiply"


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
    """Result images by name: ``line flat shadow highlight composite`` (later variations prefixed ``1/`` …),
    ``regions`` as 32-bit IDs packed into RGBA bytes, ``leaks``, and stages as ``stages/NAME``."""

    images: Mapping[str, Pixels]
    report: Report


Event: TypeAlias = Queued | Progress | Preview | Finished
RequestT = TypeVar("RequestT", contravariant=True)


class Pipeline(Protocol[RequestT]):
    """Serves one kind of request. ``run`` ends with exactly one Finished; ``unload`` frees what a next run can
    build again."""

    def run(self, request: RequestT) -> Iterator[Event]: ...

    def unload(self) -> None: ...
