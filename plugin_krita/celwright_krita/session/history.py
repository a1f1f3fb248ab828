"""The results of this session, held so that none is lost, and the parameters that documents remember. Knows no Krita.

The newest result is always held; older ones as long as there is room, the oldest go first. Their parameters stay.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generator, Iterator, Mapping

from celwright_krita.canvas import Canvas, Frame, NewGroup
from celwright_krita.pixels import Pixels
from celwright_krita.session.held import Packed, pack, size_of
from celwright_krita.session.outcome import Outcome
from celwright_krita.session.worker import Ended, Stop, Task, Worker
from celwright_krita.state import HistoryEntry

HELD_BYTES = 1 << 30
LENGTH = 50  # entries of this session


@dataclass(eq=False)
class Result:
    """One entry. ``groups`` are the variations, or with the task "frames" one for each frame (inserted together)."""

    id: int
    task: str
    title: str
    document: str
    key: str  # of the canvas
    above: str
    parameters: Mapping[str, object]
    frame: Frame | None = None
    thumbnail: Pixels | None = None
    groups: list[NewGroup | Packed] = field(default_factory=list)
    inserted: set[str] = field(default_factory=set)  # ids of groups
    chosen: int = 0

    def shown(self) -> HistoryEntry:
        parameters, held = self.parameters, bool(self.groups)
        return HistoryEntry(self.id, self.task, self.title, self.document, parameters, self.thumbnail, held)


class History:
    """Main thread only; packing is given to the worker and taken back in ``step``."""

    def __init__(self) -> None:
        self._results: list[Result] = []  # newest first
        self._remembered: dict[tuple[str, str], Result] = {}
        self._ids = 0
        self._packing: Task | None = None

    def add(self, outcomes: list[Outcome], task: str, canvas_key: str, document: str, name: str = "") -> Result:
        """A result that holds what all ``outcomes`` have; without a ``name`` it is called as its first group."""
        first = outcomes[0]
        groups: list[NewGroup | Packed] = [group for outcome in outcomes for group in outcome.groups]
        title, parameters = name or first.groups[0].name, first.groups[0].parameters
        result = Result(
            self._next(), task, title, document, canvas_key, first.above, parameters,
            first.frame, first.thumbnails[0], groups,
        )  # fmt: skip
        self._results.insert(0, result)
        del self._results[LENGTH:]
        self._let_go()
        return result

    def drop(self, result: Result) -> None:
        self._results = [other for other in self._results if other is not result]

    def result(self, id: int) -> Result | None:
        known = (*self._results, *self._remembered.values())
        return next((result for result in known if result.id == id), None)

    def task(self, id: int) -> str:
        result = self.result(id)
        return result.task if result is not None else "insert"

    def newest(self) -> Result | None:
        return self._results[0] if self._results else None

    def last_group(self, canvas: Canvas) -> str:
        """The id of the group that was inserted last into the document and is still there; empty for none."""
        there = canvas.remembered()
        for result in self._results:
            for id in result.inserted:
                if result.key == canvas.key and id in there:
                    return id
        return ""

    def shown(self, canvas: Canvas | None, document: str) -> tuple[HistoryEntry, ...]:
        """This session's results, then what the document in front remembers besides."""
        entries = [result.shown() for result in self._results]
        if canvas is not None:
            known = {id for result in self._results for id in result.inserted}
            stored = canvas.remembered()
            names = {layer.id: layer.name for layer in canvas.layers()} if stored.keys() - known else {}
            for id, parameters in stored.items():
                if id not in known:
                    entries.append(self._recalled(canvas.key, id, names.get(id, ""), document, parameters).shown())
        return tuple(entries)

    def pack(self, worker: Worker) -> None:
        """Have what is not packed yet packed, unless that is being done."""
        if self._packing is None and any(isinstance(group, NewGroup) for group in self._groups()):
            loose = [group for group in self._groups() if isinstance(group, NewGroup)]
            self._packing = worker.give(lambda stop: _packed(loose, stop))

    def stop_packing(self) -> None:
        """Something else is more urgent on the worker."""
        if self._packing is not None:
            self._packing.stop.request()

    def step(self) -> None:
        """Put what has been packed into the place of what was."""
        while self._packing is not None and self._packing.inbox:
            item = self._packing.inbox.popleft()
            if isinstance(item, Ended):
                self._packing = None
                self._let_go()
            else:
                loose, packed = item
                for result in self._results:
                    result.groups = [packed if group is loose else group for group in result.groups]

    def _groups(self) -> Iterator[NewGroup | Packed]:
        return (group for result in self._results for group in result.groups)

    def _let_go(self) -> None:
        held = 0
        for place, result in enumerate(self._results):
            held += sum(map(size_of, result.groups))
            if place and held > HELD_BYTES:
                result.groups = []

    def _recalled(self, key: str, id: str, name: str, document: str, parameters: Mapping[str, object]) -> Result:
        if (key, id) not in self._remembered:
            task = parameters.get("task")
            task = task if isinstance(task, str) else ""
            self._remembered[key, id] = Result(self._next(), task, name, document, key, "", parameters)
        return self._remembered[key, id]

    def _next(self) -> int:
        self._ids += 1
        return self._ids


def _packed(groups: list[NewGroup], stop: Stop) -> Generator[object, None, None]:
    for group in groups:
        packed = yield from pack(group)
        yield group, packed
