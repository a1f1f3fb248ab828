"""The one State that the docker shows, and word to the docker whenever it is another. Knows no job."""

from __future__ import annotations

import dataclasses
from typing import Callable

from celwright_krita.state import Fault, State


class Board:
    """``state`` is replaced, never changed; ``changed`` is called after each replacement."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self.state = State()
        self._changed = changed

    def show(self, **fields: object) -> None:
        """Replace the named fields of the State; silent when all are what they were."""
        new = {name: value for name, value in fields.items() if _differ(getattr(self.state, name), value)}
        if new:
            self.state = dataclasses.replace(self.state, **new)
            self._changed()

    def progress(self, **fields: object) -> None:
        """Replace fields of the running job's state."""
        if self.state.job is not None:
            self.show(job=dataclasses.replace(self.state.job, **fields))

    def fault(self, sentence: str, *ways: str) -> None:
        self.show(fault=Fault(sentence, ways))

    def notice(self, *sentences: str) -> None:
        """Add to what is worth knowing."""
        new = tuple(sentence for sentence in sentences if sentence not in self.state.notices)
        self.show(notices=self.state.notices + new)


def _differ(old: object, new: object) -> bool:
    return old is not new and old != new
