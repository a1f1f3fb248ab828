"""Where on a page which references count, figure by figure, and a Proposer that colours by them without a network.

Knows requests, figures and matched colours; not how regions are matched.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from celwright.domain import ColorizeRequest, Event, FloatImage, Labels, Progress, Reference
from celwright.errors import ModelUnavailableError
from celwright.imaging.resampling import looked_up
from celwright.pipelines.colorize.instances import Instances, page_figures
from celwright.pipelines.colorize.matching import Likeness, Matched, matched_regions
from celwright.pipelines.colorize.proposal import HintProposer, Proposal, refuse
from celwright.pipelines.colorize.reference_view import Look, ReferenceView, ReferenceViews
from celwright.regions.bays import solidity, with_bays
from celwright.regions.hinted import HintedRegions

_MOST_GIVEN = 40  # references with regions; a bit each


def matched_by_references(
    labels: Labels,
    ink: NDArray[np.uint8],
    references: Sequence[Reference],
    views: Sequence[ReferenceView],
    instances: Instances | None = None,
    likeness: Likeness | None = None,
    hinted: NDArray[np.bool_] | None = None,
) -> tuple[Labels, Matched]:
    """The regions of a page (H, W), bays of the ground apart, and what the references say of them. References with a
    region count there and nowhere else, the others where ``instances`` says, or for every figure that no such region
    covers. Regions ``hinted`` (count + 1,) stay whole."""
    seen, figures = page_figures(labels, ink)
    solid = max((solidity(view.patches > 0) for view in views), default=0.0)
    labels, figures = with_bays(labels, ink, figures, solid, None if hinted is None else np.flatnonzero(hinted))
    figures = figures.astype(np.int64)
    given = [i for i, reference in enumerate(references) if reference.region is not None][:_MOST_GIVEN]
    free = [i for i, reference in enumerate(references) if reference.region is None]
    inside = np.zeros(figures.shape, np.int64)
    for bit, i in enumerate(given):
        region = references[i].region
        assert region is not None
        inside |= (seen.reduced(region.coverage().astype(np.float32)) > 127).astype(np.int64) << bit
    # A region counts whole, with whatever figures stand in it.
    kinds, kind = np.unique(np.where(inside > 0, -inside, figures), return_inverse=True)
    served: list[list[ReferenceView]] = []
    numbers = np.zeros(len(kinds), np.uint8)
    for which, number in enumerate(kinds.tolist()):
        if number < 0:
            chosen = [i for bit, i in enumerate(given) if -number >> bit & 1]
        elif number and instances is not None and instances.matched:
            chosen = [i for i in free if instances.served[number - 1, i]]
        else:
            chosen = free if number else []
        if chosen and len(served) < 255:
            served.append([views[i] for i in chosen])
            numbers[which] = len(served)
    small = numbers[kind.reshape(figures.shape)]
    return labels, matched_regions(labels, ink, looked_up(small, *labels.shape), served, likeness)


def _opaque(colors: FloatImage) -> FloatImage:
    return np.concatenate([colors, np.ones((len(colors), 1), np.float32)], axis=1)


class MatchedProposer:
    """Colours by references and hints, where no colour network is installed. ``load`` builds what finds lines and
    flat colours in a reference, on first use."""

    name = "matching"

    def __init__(self, load: Callable[[], Look]) -> None:
        self._views = ReferenceViews(load)
        self._hints = HintProposer()

    def check(self, request: ColorizeRequest) -> None:
        """Refuse what needs a colour network: a histogram, ``auto``, several variations, other models."""
        refused = {
            "A histogram": request.histogram is not None,
            "The palette 'auto'": request.palette == "auto",
            f"{request.variations} variations": request.variations > 1,
        }
        refuse(
            refused,
            "but this installation colours by hints, references, a palette to snap to, or the palette 'flatting' only: "
            "leave that option out.",
        )
        if request.model != "embedded":
            raise ModelUnavailableError(
                f"The model {request.model!r} is not installed; this installation colours by hints and references, "
                f"which needs no such model: leave that option out."
            )
        if not request.references:
            self._hints.check(request)

    def propose(
        self, request: ColorizeRequest, regions: HintedRegions, ink: NDArray[np.uint8]
    ) -> Iterator[Event | Proposal]:
        """Progress, then one Proposal. Every reference without a region serves every figure."""
        if not request.references:
            yield from self._hints.propose(request, regions, ink)
            return
        yield Progress("load", 0.0)
        views = yield from self._views.of(request.references)
        yield Progress("match", 0.0)
        labels, matched = matched_by_references(regions.labels, ink, request.references, views, hinted=regions.hinted)
        colors = np.zeros((len(matched.colors), 4), np.float32)
        colors[matched.reached] = _opaque(matched.colors[matched.reached])
        yield Proposal(colors, labels)

    def unload(self) -> None:
        self._views.clear()
