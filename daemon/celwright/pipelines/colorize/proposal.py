"""Who says which colour a region without a hint should have.

A proposer is asked after the hints were given to the regions and before the palette is applied. The one that stands
here knows hints alone; one that samples a picture from a network answers in the same form. Knows no pixels but through
the regions.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as made
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from celwright.domain import ColorizeRequest, Event, FloatImage, Labels, Pixels
from celwright.errors import ModelUnavailableError, WrongUsageError
from celwright.pipelines.colorize.field import Field
from celwright.regions.fill import nearest_alike
from celwright.regions.flatting import flatting_colors
from celwright.regions.hinted import HintedRegions


@dataclass(frozen=True, eq=False)
class Proposal:
    """``colors`` (count + 1, 4) float32: sRGB 0..1 and alpha 0 or 1 for every region. Hinted regions keep their hint
    whatever is proposed for them. ``labels`` are the regions where the proposer has split some (old IDs stay for one
    part, further parts come after), else None; ``picture`` (h, w, 3) what it sampled of the page's ``field``.
    ``stages`` are pictures of how it came there, ``notices`` sentences for the report."""

    colors: FloatImage
    labels: Labels | None = None
    picture: FloatImage | None = None
    field: Field | None = None
    stages: Mapping[str, Pixels] = made(default_factory=dict)
    notices: tuple[str, ...] = ()


class Proposer(Protocol):
    """Says which colour each region should have. ``name`` goes into the report as the model."""

    name: str

    def check(self, request: ColorizeRequest) -> None:
        """Refuse, before any work, what this proposer cannot do (WrongUsageError, ModelUnavailableError)."""

    def propose(
        self, request: ColorizeRequest, regions: HintedRegions, ink: NDArray[np.uint8]
    ) -> Iterator[Event | Proposal]:
        """Events while it works, and a Proposal for each variation. ``ink`` (H, W): 255 = line."""

    def unload(self) -> None:
        """Free what a next run can build again."""


def needs_network(request: ColorizeRequest) -> bool:
    """Whether colours must come from somewhere else than hints and flatting colours: so they must when a model is
    asked for by its name."""
    if request.model != "embedded":
        return True
    if request.palette == "flatting":
        return False
    said = request.hints is None or request.variations > 1 or request.histogram is not None
    return said or len(request.references) > 0 or request.palette == "auto"


def refuse(asked: Mapping[str, bool], why: str) -> None:
    """Raise WrongUsageError, which names it and says ``why``, for the first that was asked for."""
    for what, came in asked.items():
        if came:
            raise WrongUsageError(f"{what} came, {why}")


class HintProposer:
    """Colours by hints: the other regions take after the hinted ones, stay transparent, or get flatting colours."""

    name = "hints"

    def check(self, request: ColorizeRequest) -> None:
        """Refuse what needs a network: references, a histogram, ``auto``, several variations, other models; and a
        request in which nothing says any colour."""
        refused = {
            "References": len(request.references) > 0,
            "A histogram": request.histogram is not None,
            "The palette 'auto'": request.palette == "auto",
            f"{request.variations} variations": request.variations > 1,
        }
        refuse(
            refused,
            "but this installation colours by hints, a palette to snap to, or the palette 'flatting' only: leave that "
            "option out.",
        )
        if request.model != "embedded":
            raise ModelUnavailableError(
                f"The model {request.model!r} is not installed; this installation colours by hints, which needs no "
                f"model: leave that option out."
            )
        if request.hints is None and request.palette != "flatting":
            raise WrongUsageError(
                "No hints came, so there is no colour to begin with: paint at least one dot of colour on a transparent "
                "layer, or use the palette 'flatting'."
            )

    def propose(
        self, request: ColorizeRequest, regions: HintedRegions, ink: NDArray[np.uint8]
    ) -> Iterator[Event | Proposal]:
        """One Proposal, at once."""
        if request.palette == "flatting":
            yield Proposal(flatting_colors(regions.labels, regions.colors))
        elif request.unhinted == "nearest":
            yield Proposal(nearest_alike(regions))
        else:
            yield Proposal(regions.colors)

    def unload(self) -> None:
        """Nothing is held between runs."""
