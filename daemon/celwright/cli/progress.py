"""Show a job's events: a bar on a terminal, plain lines elsewhere, nothing when asked for quiet."""

import sys
from collections.abc import Iterator

from celwright.domain import Event, Finished, Progress, Queued
from celwright.errors import CelwrightError


def finish(events: Iterator[Event], *, quiet: bool) -> Finished:
    """Run a job to its end and return its result; the events are closed whatever happens."""
    show = _ignore if quiet else _Bar() if sys.stderr.isatty() else _Lines()
    try:
        for event in events:
            if isinstance(event, Finished):
                return event
            show(event)
    finally:
        close = getattr(events, "close", None)
        if close:
            close()
        if isinstance(show, _Bar):
            show.clear()
    raise CelwrightError("The job ended without a result; this is a fault of Celwright: please report it.")


def _ignore(event: Event) -> None:
    """Quiet."""


class _Bar:
    """One line that rewrites itself."""

    def __init__(self) -> None:
        from tqdm import tqdm

        self._bar = tqdm(total=100, file=sys.stderr, leave=False, bar_format="{desc:<12} {bar:30} {n:3.0f}%{postfix}")

    def __call__(self, event: Event) -> None:
        if isinstance(event, Queued):
            self._bar.set_description_str(f"waiting for {event.ahead}")
        elif isinstance(event, Progress):
            left = f", {event.seconds_left:.0f} s left" if event.seconds_left is not None else ""
            self._bar.n = 100 * event.fraction
            self._bar.set_description_str(event.stage, refresh=False)
            self._bar.set_postfix_str(left, refresh=False)
            self._bar.refresh()

    def clear(self) -> None:
        self._bar.close()


class _Lines:
    """A line per stage and quarter, for logs."""

    def __init__(self) -> None:
        self._last = ("", -1)

    def __call__(self, event: Event) -> None:
        if isinstance(event, Queued):
            print(f"waiting for {event.ahead} jobs", file=sys.stderr)
        elif isinstance(event, Progress):
            quarter = (event.stage, int(event.fraction * 4))
            if quarter != self._last:
                self._last = quarter
                print(f"{event.stage} {25 * quarter[1]}%", file=sys.stderr)
