"""A client of no daemon: it gives the events that a test wrote down, and holds the images that it was sent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from celwright_krita import domain
from celwright_krita.errors import CancelledError
from celwright_krita.pixels import Pixels
from celwright_krita.rpc import messages
from celwright_krita.session.daemon_life import Daemon

PATIENCE = 20.0
NAMES = ("line", "flat", "shadow", "highlight", "composite")
CAPABILITIES = ("decompose", "segment", "segment.leaks", "colorize.hints", "write.psd")


def layers_of(picture: Pixels, variations: int = 1) -> dict:
    """A result: the line layer is the picture, the others are plain colours."""
    count, size = picture.width * picture.height, picture.depth // 8
    images = {}
    for number in range(variations):
        prefix = f"{number}/" if number else ""
        for shade, name in enumerate(NAMES):
            data = bytes([10 * shade + number + 1]) * (count * 4 * size)
            place = picture.offset
            images[prefix + name] = Pixels(data, picture.width, picture.height, 4, picture.depth, place)
        images[f"{prefix}line"] = picture
    images["leaks"] = images["composite"]
    images["regions"] = images["composite"]
    return images


class Script:
    """What the daemon does. ``before`` is called on the worker's thread when a job begins, ``events`` go out first."""

    def __init__(self) -> None:
        self.requests: list = []
        self.sent = 0  # bytes of images
        self.known: set = set()
        self.events: list = []
        self.before: Callable[[], None] = lambda: None
        self.fault: Exception | None = None  # instead of a result, once
        self.unreachable: Exception | None = None
        self.report = domain.Report(seed=7, model="scripted")
        self.models: list = []
        self.held = False  # whether a job stays in the stage "held" until it is cancelled
        self.api_version = 3
        self.addresses: list = []
        self.device = "cpu"

    def connect(self, address: str, token: str) -> ScriptedClient:
        self.addresses.append(address)
        return ScriptedClient(self)

    def daemon(self, environment: dict) -> Daemon:
        return Daemon(environment, self.connect)


class ScriptedClient:
    def __init__(self, script: Script) -> None:
        self._script = script

    def status(self) -> domain.DaemonStatus:
        if self._script.unreachable is not None:
            raise self._script.unreachable
        version = self._script.api_version
        return domain.DaemonStatus(
            "1.2.3", version, 1.0, self._script.device, CAPABILITIES, (), 0, 0, 8, None, 0, 30000, 1 << 26, 1 << 31
        )

    def models(self) -> list:
        return self._script.models

    def job(self, request: domain.Request) -> ScriptedJob:
        return ScriptedJob(self._script, request)

    def pull_model(self, name: str, cancellation: object = None) -> Iterator:
        yield from ((1, 4), (4, 4))


class ScriptedJob:
    def __init__(self, script: Script, request: domain.Request) -> None:
        self._script, self._request = script, request
        self.cancelled = threading.Event()

    def cancel(self) -> None:
        self.cancelled.set()

    def __iter__(self) -> Iterator:
        script = self._script
        script.requests.append(self._request)
        script.before()
        for image in messages.request_images(self._request).values():
            if image.content_hash() not in script.known:
                script.known.add(image.content_hash())
                script.sent += len(image.samples())
        yield from script.events
        if script.held:
            yield domain.Progress("held", 0.5)
            self.cancelled.wait(PATIENCE)
        if self.cancelled.is_set():
            raise CancelledError("The job was cancelled.")
        if script.fault is not None:
            fault, script.fault = script.fault, None
            raise fault
        picture = getattr(self._request, "picture", None) or self._request.line_art
        yield domain.Finished(layers_of(picture, getattr(self._request, "variations", 1)), script.report)
