"""A real server on a real Unix socket (or loopback port) with small pipelines at the seam between engine and work."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

from celwright.domain import (
    DecomposeRequest,
    Event,
    Finished,
    Pixels,
    Preview,
    Progress,
    Report,
    Request,
    SegmentRequest,
)
from celwright.engine import Engine
from celwright.rpc.client import Client
from celwright.rpc.server import Server
from celwright.settings import Settings

PATIENCE = 20.0  # seconds until a stuck test gives up; nothing waits that long


class Echo:
    """Gives every image of the request back, and keeps the request for the test to look at."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    def run(self, request: Request) -> Iterator[Event]:
        self.requests.append(request)
        picture = request.picture if isinstance(request, DecomposeRequest) else request.line_art
        yield Progress("echo", 0.5, 1.25)
        yield Preview(Pixels(picture.data[:8, :8], picture.offset))
        blend = request.shadow_blend if isinstance(request, DecomposeRequest) else "multiply"
        report = Report(model="echo", seconds={"echo": 0.5}, shadow_blend=blend)
        yield Finished({"flat": picture, "1/flat": picture}, report)

    def unload(self) -> None:
        """Holds nothing."""


class Gated:
    """Begins, then waits until the test opens the gate before each next event."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.gate = threading.Semaphore(0)
        self.left = threading.Event()

    def run(self, request: Request) -> Iterator[Event]:
        try:
            self.begun.release()
            for step in range(3):
                assert self.gate.acquire(timeout=PATIENCE)
                yield Progress("step", step / 3)
            yield Finished({}, Report())
        finally:
            self.left.set()

    def unload(self) -> None:
        """Holds nothing."""


class Endless:
    """Works for ever on a request whose gap is 0, and is done at once with every other."""

    def __init__(self) -> None:
        self.left = threading.Event()

    def run(self, request: Request) -> Iterator[Event]:
        try:
            while isinstance(request, SegmentRequest) and request.gap == 0:
                yield Progress("step", 0.5)
            yield Finished({}, Report())
        finally:
            self.left.set()

    def unload(self) -> None:
        """Holds nothing."""


@dataclass
class Daemon:
    """A server that runs in this process, and ways to reach it."""

    server: Server
    settings: Settings
    engine: Engine
    _clients: ExitStack = field(default_factory=ExitStack)

    def client(self, token: str | None = None) -> Client:
        return self._clients.enter_context(Client(self.server.address, self.server.token if token is None else token))

    def stop(self) -> None:
        self._clients.close()
        self.server.stop()


StartDaemon = Callable[..., Daemon]
