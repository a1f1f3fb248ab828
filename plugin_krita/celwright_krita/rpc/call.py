"""One gRPC call over one HTTP/2 connection as bytes in, bytes out. Knows no sockets, no threads and no clock.

After "gRPC over HTTP/2" (PROTOCOL-HTTP2).
"""

from __future__ import annotations

from collections import deque
from typing import Iterable, NamedTuple
from urllib.parse import unquote

import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings
from hyperframe.frame import GoAwayFrame

from celwright_krita.errors import UnreadableAnswerError
from celwright_krita.rpc.framing import PREFIX, Buffer, Unpacker

CANCELLED, UNKNOWN, INTERNAL, UNAVAILABLE = 1, 2, 13, 14  # of gRPC's status codes
WINDOW = 1 << 30  # bytes the daemon may send ahead; the socket's own buffer holds it back
FRAME_BYTES = 1 << 20
GREETING, SETTINGS = 4, b"\x04"  # bytes until the first frame's type, which says whether this is HTTP/2


class Status(NamedTuple):
    """How a call ended: gRPC's code (0 is well), the sentence, and all trailing metadata."""

    code: int
    message: str
    trailers: dict


class _Connection(h2.connection.H2Connection):
    """Takes large frames from the first byte on: h2 would look at the limit once for all frames that arrive together,
    and refuse those behind the daemon's acknowledgement.

    Goes on after a GOAWAY, which announces the end and lets calls under way finish (RFC 9113, 6.8); h2 would
    refuse every frame after it."""

    def __init__(self) -> None:
        super().__init__()
        codes = h2.settings.SettingCodes
        wanted = {codes.ENABLE_PUSH: 0, codes.INITIAL_WINDOW_SIZE: WINDOW, codes.MAX_FRAME_SIZE: FRAME_BYTES}
        self.local_settings = h2.settings.Settings(client=True, initial_values=wanted)
        self.max_inbound_frame_size = FRAME_BYTES

    def _receive_goaway_frame(self, frame: GoAwayFrame) -> tuple[list, list]:
        event = h2.events.ConnectionTerminated()
        event.error_code, event.last_stream_id = frame.error_code, frame.last_stream_id
        return [], [event]


class Call:
    """A call of ``path`` (/service/method). Send with ``send`` and ``end``, carry ``outgoing()`` to the daemon and
    what it says to ``receive``; over when ``status`` is not None."""

    def __init__(self, path: str, metadata: Iterable[tuple[str, str]] = ()) -> None:
        self.status: Status | None = None
        self._http = _Connection()
        self._http.initiate_connection()
        self._http.increment_flow_control_window(WINDOW - self._http.inbound_flow_control_window)
        self._stream = self._http.get_next_available_stream_id()
        self._http.send_headers(
            self._stream,
            [
                (":method", "POST"),
                (":scheme", "http"),
                (":path", path),
                (":authority", "localhost"),
                ("te", "trailers"),
                ("content-type", "application/grpc"),
                *metadata,
            ],
        )
        self._unsent: deque[memoryview] = deque()
        self._ending = False
        self._ended = False
        self._headers: dict = {}
        self._unpacker = Unpacker()
        self._greeting = b""

    @property
    def hungry(self) -> bool:
        """Whether the next message may come: all that came before is on its way."""
        return not self._unsent and not self._ending

    def send(self, *parts: Buffer) -> None:
        """Send one message that consists of ``parts``; they are not copied and must not change."""
        length = sum(len(part) for part in parts)
        self._unsent.append(memoryview(PREFIX.pack(0, length)))
        self._unsent.extend(memoryview(part) for part in parts)

    def end(self) -> None:
        """No message will follow."""
        self._ending = True

    def outgoing(self) -> bytes:
        """The bytes to carry to the daemon now, as much as it is ready to take."""
        if self.status is None:
            while self._unsent:
                room = min(
                    self._http.local_flow_control_window(self._stream), self._http.max_outbound_frame_size, FRAME_BYTES
                )
                part = self._unsent[0]
                if len(part) and not room:
                    break
                if len(part):
                    self._http.send_data(self._stream, part[:room])
                if len(part) > room:
                    self._unsent[0] = part[room:]
                    break  # one frame at a time keeps memory low and cancelling quick
                self._unsent.popleft()
            if self._ending and not self._unsent and not self._ended:
                self._ended = True
                self._http.end_stream(self._stream)
        return self._http.data_to_send()

    def receive(self, data: bytes) -> list[bytes]:
        """Messages that are complete with ``data``, which may be cut anywhere. UnreadableAnswerError for what is
        not gRPC."""
        messages: list[bytes] = []
        self._greeting += data[: GREETING - len(self._greeting)]
        try:
            if self._greeting[3:] not in (b"", SETTINGS):
                raise ValueError("the first frame is no SETTINGS")  # h2 would wait for a whole frame of nonsense
            for event in self._http.receive_data(data):
                if self.status is None:
                    self._take(event, messages)
        except (h2.exceptions.H2Error, ValueError) as error:
            raise UnreadableAnswerError(
                "What answers is not gRPC; another program may listen there: end it, or give the daemon another "
                "address."
            ) from error
        return messages

    def _take(self, event: h2.events.Event, messages: list[bytes]) -> None:
        if isinstance(event, h2.events.DataReceived):
            self._http.acknowledge_received_data(event.flow_controlled_length, self._stream)
            messages += self._unpacker.messages(event.data)
        elif isinstance(event, (h2.events.ResponseReceived, h2.events.TrailersReceived)):
            self._headers.update((_text(name), _text(value)) for name, value in event.headers)
        elif isinstance(event, h2.events.StreamEnded):
            self.status = self._told_status()
        elif isinstance(event, h2.events.StreamReset):
            codes = {h2.errors.ErrorCodes.CANCEL: CANCELLED, h2.errors.ErrorCodes.REFUSED_STREAM: UNAVAILABLE}
            self.status = Status(codes.get(event.error_code, INTERNAL), "The daemon broke the call off.", {})
        elif isinstance(event, h2.events.ConnectionTerminated) and event.last_stream_id < self._stream:
            self.status = Status(UNAVAILABLE, "The daemon is ending.", {})

    def _told_status(self) -> Status:
        """From the trailers; a stream that ends without them did not end well."""
        code = self._headers.get("grpc-status", "")
        if self._headers.get(":status") != "200" or not code.isdecimal() or not self._unpacker.between_messages:
            return Status(UNKNOWN, "The answer ended without a status.", self._headers)
        return Status(int(code), unquote(self._headers.get("grpc-message", "")), self._headers)


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "replace")
