"""The daemon's life as the plugin sees it: found, adopted or started, asked, ended. Runs on the worker's thread.

A daemon that runs already is used as it is and left alone; one that the plugin started ends with it.
"""

from __future__ import annotations

import logging
from typing import Callable, Generator, Iterator, Mapping

from celwright_krita.client import Client
from celwright_krita.domain import DaemonStatus
from celwright_krita.errors import CelwrightError, DaemonUnreachableError
from celwright_krita.session.daemon_process import DaemonProcess, command
from celwright_krita.session.faults import DaemonMissingError, DaemonTooOldError
from celwright_krita.session.worker import Stop
from celwright_krita.settings import daemon_place
from celwright_krita.state import DaemonState
from celwright_krita.texts import tr

log = logging.getLogger(__name__)

NEEDED_API = 3  # the first version of the wire with all that the plugin asks


class Daemon:
    """``connect`` makes a client from address and token. Only ``end`` may be called on another thread."""

    def __init__(self, environment: Mapping[str, str], connect: Callable[[str, str], Client] = Client) -> None:
        self.environment = environment
        self._connect = connect
        self._process = DaemonProcess(environment)

    def look(self) -> Iterator[DaemonState]:
        """Its state now; starts nothing and raises nothing."""
        try:
            state, _ = self._asked()
        except DaemonUnreachableError:
            state = self._absent()
        except CelwrightError as error:
            state = DaemonState("broken", str(error), ours=self._process.running)
        yield state

    def ensured(self, stop: Stop) -> Generator[DaemonState, None, None]:
        """Make sure that one runs: its states on the way. Raises what hinders it."""
        yield from self.connected(stop)

    def connected(self, stop: Stop) -> Generator[DaemonState, None, Client]:
        """The same; the value is a client of the daemon. Raises DaemonMissingError, DaemonTooOldError,
        DaemonUnreachableError with the daemon's own sentence when it cannot start, AccessDeniedError,
        UnreadableAnswerError when another program answers in its place."""
        try:
            try:
                state, client = self._asked()
            except DaemonUnreachableError:
                state, client = yield from self._started(stop)
        except CelwrightError as error:
            missing = isinstance(error, DaemonMissingError)
            yield DaemonState("absent" if missing else "broken", str(error), ours=self._process.running)
            raise
        yield state
        return client

    def restarted(self, stop: Stop) -> Generator[DaemonState, None, None]:
        """End ours and start another. One that somebody else started is not ours to end: DaemonUnreachableError when
        it still answers, or something else does in its place."""
        yield DaemonState("starting", tr("daemon.restarting"))
        self._process.end()
        try:
            state, _ = self._asked()
        except DaemonUnreachableError:
            yield from self.connected(stop)
            return
        except CelwrightError as error:
            yield DaemonState("broken", str(error))
            raise
        yield state
        raise DaemonUnreachableError(tr("daemon.not_ours"))

    def moved(self, environment: Mapping[str, str]) -> Iterator[DaemonState]:
        """Look where another environment says; ours ends if it is elsewhere."""
        if dict(environment) != dict(self.environment):
            self._process.end()
            self.environment = environment
            self._process = DaemonProcess(environment)
        yield from self.look()

    def end(self) -> None:
        """End the daemon if it is ours."""
        self._process.end()

    def _asked(self) -> tuple[DaemonState, Client]:
        place = daemon_place(self.environment)
        client = self._connect(place.address, place.token())
        status = client.status()
        if status.api_version < NEEDED_API:
            raise DaemonTooOldError(tr("daemon.version", version=status.version))
        return self._ready(status, client), client

    def _ready(self, status: DaemonStatus, client: Client) -> DaemonState:
        kinds = frozenset(status.capabilities)
        ours, models = self._process.running, tuple(client.models())
        device = tr("daemon.device.auto") if status.device == "auto" else status.device
        sentence = tr("daemon.ready" if ours else "daemon.adopted", version=status.version, device=device)
        return DaemonState("ready", sentence, status.version, status.device, kinds, models, ours)

    def _started(self, stop: Stop) -> Generator[DaemonState, None, tuple[DaemonState, Client]]:
        """Another plugin may start one at the same time: then theirs is as good."""
        yield DaemonState("starting", tr("daemon.starting"), ours=True)
        self._process.end()  # it does not answer any more
        try:
            yield from self._process.start(stop)  # type: ignore[misc]  # None: nothing to tell
        except DaemonUnreachableError:
            try:
                return self._asked()
            except DaemonUnreachableError:
                pass
            raise
        return self._asked()

    def _absent(self) -> DaemonState:
        """Asking whether ours lives reaps it when it does not."""
        ours = self._process.running
        try:
            command(self.environment)
        except DaemonMissingError as error:
            return DaemonState("absent", str(error), ours=ours)
        return DaemonState("absent", tr("daemon.absent"), ours=ours)
