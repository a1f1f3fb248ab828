"""Carries one call over one socket (Unix, or TCP on this machine): waiting, silence, cancelling. Knows no messages.

A connection for each call costs a millisecond and makes cancelling what it means: to hang up.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from typing import Generator, Iterable, Iterator

from celwright_krita.errors import CancelledError, WrongUsageError
from celwright_krita.rpc.call import Call
from celwright_krita.rpc.faults import fault, silent, unreachable
from celwright_krita.rpc.framing import Buffer

CONNECT_SECONDS = 5.0
RECEIVE_BYTES = 1 << 20
QUIET = getattr(socket, "MSG_NOSIGNAL", 0)  # a program that embeds Python may die of SIGPIPE


class Cancellation:
    """Lets another thread end a call that waits. Once requested it stays so."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bell: socket.socket | None = None
        self.requested = False

    def request(self) -> None:
        with self._lock:
            self.requested = True
            if self._bell is not None:
                self._bell.send(b"!")

    @contextlib.contextmanager
    def bell(self) -> Iterator[socket.socket]:
        """A socket that becomes readable when cancelling is requested, or was before."""
        near, far = socket.socketpair()
        with near, far:
            with self._lock:
                self._bell = far
                if self.requested:
                    far.send(b"!")
            try:
                yield near
            finally:
                with self._lock:
                    self._bell = None


class Channel:
    """Calls the daemon at ``address`` (``unix:/path`` or ``host:port``), showing ``token`` where it is not empty.

    Raises the daemon's own errors, DaemonUnreachableError when none answers, UnreadableAnswerError when what answers
    is no gRPC, CancelledError when ``cancellation`` was requested.
    """

    def __init__(self, address: str, token: str = "") -> None:
        self.address = address
        self._family, self._place = _place(address)
        self._metadata = [("authorization", f"Bearer {token}")] if token else []

    def answer(self, path: str, message: bytes, seconds: float) -> bytes:
        """The one message that answers ``message``; DaemonUnreachableError when nothing comes for ``seconds``."""
        with contextlib.closing(self.messages(path, [[message]], Cancellation(), seconds)) as stream:
            answers = []
            for answer in stream:
                if answer is None:
                    raise silent(self.address, seconds)
                answers.append(answer)
        return answers[0] if answers else b""

    def messages(
        self, path: str, uploads: Iterable[Iterable[Buffer]], cancellation: Cancellation, silence_seconds: float
    ) -> Generator[bytes | None, None, None]:
        """What the daemon sends while ``uploads`` (messages, each in parts) go out, and after; None whenever nothing
        moved for ``silence_seconds``. Closing the iterator hangs up."""
        with self._connected() as line, cancellation.bell() as bell, selectors.DefaultSelector() as selector:
            selector.register(bell, selectors.EVENT_READ)
            selector.register(line, selectors.EVENT_READ)
            call, waiting, pending = Call(path, self._metadata), iter(uploads), memoryview(b"")
            while call.status is None:
                if not pending:
                    pending = memoryview(_outgoing(call, waiting))
                wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if pending else 0)
                if selector.get_key(line).events != wanted:
                    selector.modify(line, wanted)
                ready = {key.fileobj: events for key, events in selector.select(silence_seconds)}
                if bell in ready:
                    raise CancelledError("The job was cancelled.")
                if not ready:
                    yield None
                events = ready.get(line, 0)
                if events & selectors.EVENT_READ:
                    yield from self._received(line, call)
                elif events & selectors.EVENT_WRITE:
                    pending = pending[self._sent(line, pending) :]
            if call.status.code:
                raise fault(call.status, self.address)

    def _connected(self) -> socket.socket:
        line = socket.socket(self._family)
        try:
            line.settimeout(CONNECT_SECONDS)
            line.connect(self._place)
            line.setblocking(False)
            if self._family != getattr(socket, "AF_UNIX", None):
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if hasattr(socket, "SO_NOSIGPIPE"):  # where MSG_NOSIGNAL is missing
                line.setsockopt(socket.SOL_SOCKET, socket.SO_NOSIGPIPE, 1)
        except OSError:
            line.close()
            raise unreachable(self.address) from None
        return line

    def _received(self, line: socket.socket, call: Call) -> list[bytes]:
        try:
            data = line.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        if not data:
            raise unreachable(self.address)
        return call.receive(data)

    def _sent(self, line: socket.socket, pending: memoryview) -> int:
        """Bytes taken by the socket. A daemon that hung up may have said why: reading tells."""
        try:
            return line.send(pending, QUIET)
        except BlockingIOError:
            return 0
        except OSError:
            return len(pending)


def _outgoing(call: Call, uploads: Iterator[Iterable[Buffer]]) -> bytes:
    """The next bytes for the daemon; asks for the next upload only when the one before is on its way."""
    if call.hungry:
        parts = next(uploads, None)
        if parts is None:
            call.end()
        else:
            call.send(*parts)
    return call.outgoing()


def _place(address: str) -> tuple[int, object]:
    """Socket family and address; WrongUsageError for what is no address."""
    if address.startswith("unix:") and hasattr(socket, "AF_UNIX"):
        return socket.AF_UNIX, address[len("unix:") :]
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise WrongUsageError(f"The daemon's address is {address!r}; unix:/path or host:port is allowed.")
    host = host.strip("[]")
    return (socket.AF_INET6 if ":" in host else socket.AF_INET), (host, int(port))
