"""A daemon in a process of its own, whose one pipeline waits for a line on stdin before it finishes.

python steered_daemon.py SOCKET GRACE_SECONDS
"""

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

from celwright.domain import Event, Finished, Progress, Report, SegmentRequest
from celwright.engine import Engine
from celwright.rpc.server import end_signals, serve
from celwright.rpc.servicer import Facts
from celwright.settings import Settings


class Steered:
    """With the gap 0 it works until it is cancelled; else until a line comes."""

    def run(self, request: SegmentRequest) -> Iterator[Event]:
        yield Progress("begun", 0.0)
        while request.gap == 0:
            yield Progress("on", 0.5)
        sys.stdin.readline()
        yield Finished({"regions": request.line_art}, Report())

    def unload(self) -> None:
        """Holds nothing."""


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    settings = Settings(socket=Path(sys.argv[1]), host="", grace_seconds=float(sys.argv[2]))
    facts = Facts("test", 8, 300.0, settings.upload_bytes, list, lambda: "cpu", lambda: "torch" in sys.modules)
    with end_signals() as signals:
        engine = Engine({SegmentRequest: Steered})
        serve(settings, engine, facts, lambda address: print(f"ready on {address}", flush=True), signals)
