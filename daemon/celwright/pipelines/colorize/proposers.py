"""Which proposer a request gets: what comes with Celwright, or a full-size model of the user's by its name.

Knows names and requests; neither loads a network nor looks at a pixel.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from celwright.domain import ColorizeRequest, Event
from celwright.errors import ModelUnavailableError
from celwright.pipelines.colorize.proposal import Proposal, Proposer
from celwright.regions.hinted import HintedRegions
from celwright.weights.registry import EMBEDDED

OURS = "embedded"  # the model of a request that names none
_OURS = {OURS, *(model.name for model in EMBEDDED if model.task == "colorize")}


class ProposerByModel:
    """Asks ``ours`` where a request names no other model, else ``full``, each built on first use. With ``fallback``
    ours does what the other cannot, and says so."""

    def __init__(self, ours: Callable[[], Proposer], full: Callable[[], Proposer], *, fallback: bool) -> None:
        self._build_ours, self._build_full, self._fallback = ours, full, fallback
        self._ours: Proposer | None = None
        self._full: Proposer | None = None
        self.name = OURS

    def check(self, request: ColorizeRequest) -> None:
        chosen = self._chosen(request)
        chosen.check(request)
        self.name = chosen.name

    def propose(
        self, request: ColorizeRequest, regions: HintedRegions, ink: NDArray[np.uint8]
    ) -> Iterator[Event | Proposal]:
        try:
            yield from self._chosen(request).propose(request, regions, ink)
            return
        except ModelUnavailableError as fault:
            if not self._fallback or request.model in _OURS:
                raise
            notice = f"{fault} What comes with Celwright did it instead, as was asked for."
        request = replace(request, model=OURS)
        self.check(request)
        for event in self._chosen(request).propose(request, regions, ink):
            if isinstance(event, Proposal):
                event = replace(event, notices=(*event.notices, notice))
            yield event

    def unload(self) -> None:
        for built in (self._ours, self._full):
            if built is not None:
                built.unload()

    def _chosen(self, request: ColorizeRequest) -> Proposer:
        if request.model in _OURS:
            self._ours = self._ours or self._build_ours()
            return self._ours
        if self._ours is not None:
            self._ours.unload()
        self._full = self._full or self._build_full()
        return self._full
