"""Which network takes a picture apart: the embedded one, or a full-size one of the user's models by its name.

Knows names and requests; neither loads a network nor looks at a pixel.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from celwright.domain import DecomposeRequest, Event, Finished, Pipeline
from celwright.errors import ModelUnavailableError, WrongUsageError
from celwright.weights.registry import EMBEDDED
from celwright.weights.store import Store

_OURS = [model.name for model in EMBEDDED if model.task == "decompose"]


class DecomposeByModel:
    """Serves DecomposeRequest: names that come with Celwright by ``embedded``, all others by ``full``. With
    ``fallback`` the embedded model does what the other cannot, and the report says so."""

    def __init__(
        self, embedded: Pipeline[DecomposeRequest], full: Callable[[], Pipeline[DecomposeRequest]], *, fallback: bool
    ) -> None:
        self._embedded, self._build, self._fallback = embedded, full, fallback
        self._full: Pipeline[DecomposeRequest] | None = None

    def unload(self) -> None:
        self._embedded.unload()
        if self._full is not None:
            self._full.unload()

    def run(self, request: DecomposeRequest) -> Iterator[Event]:
        if request.model in _OURS:
            yield from self._embedded.run(request)
            return
        self._embedded.unload()
        self._full = self._full or self._build()
        try:
            yield from self._full.run(request)
            return
        except ModelUnavailableError as fault:
            if not self._fallback:
                raise
            notice = f"{fault} The embedded model did it instead, as was asked for."
        self._full.unload()
        for event in self._embedded.run(replace(request, model=_OURS[0])):
            if isinstance(event, Finished):
                event = replace(event, report=replace(event.report, notices=(*event.report.notices, notice)))
            yield event


def located(store: Store, name: str) -> tuple[Path, Path | None]:
    """The folders of ``name``, which is BASE or BASE+ADAPTER. Raises ModelUnavailableError for a model that is not
    here or is damaged, WrongUsageError for one that is no base."""
    parts = name.split("+", 1)
    here = [model for model in store.installed() if store.manifest(model).task == "decompose"]
    for part in parts:
        if part not in here:
            names = ", ".join(map(repr, [*_OURS, *here]))
            raise ModelUnavailableError(
                f"The model {part!r} is not installed; {names} can decompose: choose one of them."
            )
    base, *adapters = (store.path("decompose", part) for part in parts)
    if not (base / "model_index.json").is_file():
        raise WrongUsageError(
            f"The model {parts[0]!r} is no diffusers model (it has no model_index.json); name an adapter behind its "
            f"base: BASE+{parts[0]}."
        )
    return base, adapters[0] if adapters else None
