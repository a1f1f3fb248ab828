"""gRPC's framing, faults and addresses in pure Python, without a daemon."""

from __future__ import annotations

import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from celwright_krita import errors, settings
from celwright_krita.client import Client
from celwright_krita.pixels import Pixels
from celwright_krita.rpc.call import Status
from celwright_krita.rpc.channel import Cancellation, Channel
from celwright_krita.rpc.faults import fault
from celwright_krita.rpc.framing import MESSAGE_LIMIT, Unpacker
from celwright_krita.rpc.generated import celwright_pb2 as pb
from celwright_krita.rpc.images import CHUNK_BYTES, chunk_messages
from hypothesis import given
from hypothesis import strategies as st

PLUGIN = Path(__file__).resolve().parents[2] / "plugin_krita"


def packed(message: bytes) -> bytes:
    return struct.pack(">BI", 0, len(message)) + message


@given(st.lists(st.binary(max_size=20), max_size=6), st.data())
def test_messages_come_out_however_the_stream_is_cut(messages: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(map(packed, messages))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    unpacker, came = Unpacker(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)]):  # noqa: B905 - not in Python 3.8
        came += unpacker.messages(stream[start:end])
    assert came == messages
    assert unpacker.between_messages


@pytest.mark.parametrize("prefix", [struct.pack(">BI", 1, 3), struct.pack(">BI", 0, MESSAGE_LIMIT + 1)])
def test_compressed_and_endless_messages_are_refused(prefix: bytes) -> None:
    with pytest.raises(ValueError, match=r"^compressed or too long$"):
        Unpacker().messages(prefix)


@pytest.mark.parametrize("size", [(8, 8), (8, 16), (2048, 8), (2048, 512), (2048, 513), (3000, 1000)])
def test_chunks_are_what_protobuf_would_write(size: tuple[int, int]) -> None:
    count = size[0] * size[1]
    image = Pixels((bytes(range(256)) * (count // 256 + 1))[:count], *size, 1)
    came = []
    for parts in chunk_messages(image):
        message = b"".join(parts)
        for kind in (pb.DecomposeUpload, pb.SegmentUpload, pb.ColorizeUpload):
            assert kind.FromString(message).SerializeToString() == message
        came.append(pb.SegmentUpload.FromString(message).chunk)
    assert b"".join(came) == image.data
    assert all(len(chunk) <= CHUNK_BYTES for chunk in came)


@pytest.mark.parametrize(
    ("status", "kind", "sentence"),
    [
        (Status(3, "s", {"celwright-error": "UnusableInputError"}), errors.UnusableInputError, "s"),
        (Status(3, "s", {"celwright-error": "ErrorOfTomorrow"}), errors.CelwrightError, "s"),
        (
            Status(9, "s", {"celwright-missing": "a,b/c"}),
            errors.ImagesMissingError,
            "The daemon no longer holds the image 'a', 'b/c'; send it in full.",
        ),
        (
            Status(14, "s", {}),
            errors.DaemonUnreachableError,
            "No daemon answers at X, or it ended at work; start it and try again.",
        ),
        (
            Status(12, "s", {}),
            errors.CelwrightError,
            "The daemon at X cannot do this; its version is another: update it.",
        ),
        (Status(2, "s", {}), errors.CelwrightError, "The daemon at X refused the call: s"),
        (Status(2, "", {}), errors.CelwrightError, "The daemon at X refused the call: The daemon gave no reason."),
    ],
)
def test_a_status_is_the_fault_that_it_means(status: Status, kind: type[Exception], sentence: str) -> None:
    error = fault(status, "X")
    assert (type(error), str(error)) == (kind, sentence)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def address(listener: socket.socket) -> str:
    return f"127.0.0.1:{listener.getsockname()[1]}"


def test_another_program_at_the_port_is_told(listener: socket.socket) -> None:
    def answer() -> None:
        line, _ = listener.accept()
        with line:
            line.recv(1 << 16)
            line.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    program = threading.Thread(target=answer)
    program.start()
    with pytest.raises(errors.UnreadableAnswerError) as told:
        Client(address(listener), "token").status()
    program.join()
    assert str(told.value) == (
        "What answers is not gRPC; another program may listen there: end it, or give the daemon another address."
    )


def test_a_daemon_that_never_answers_is_told(listener: socket.socket) -> None:
    with pytest.raises(errors.DaemonUnreachableError) as told:
        Channel(address(listener)).answer("/a/b", b"", 0.01)
    assert str(told.value) == (
        f"The daemon at {address(listener)} has not answered for 0.01 seconds; wait and try again, or restart it."
    )


def test_silence_is_reported_again_and_again_and_cancelling_ends_it(listener: socket.socket) -> None:
    cancellation = Cancellation()
    stream = Channel(address(listener)).messages("/a/b", [[b""]], cancellation, 0.01)
    assert [next(stream), next(stream)] == [None, None]
    cancellation.request()
    with pytest.raises(errors.CancelledError) as told:
        next(stream)
    assert str(told.value) == "The job was cancelled."
    cancellation.request()  # too late, and harmless


@pytest.mark.skipif(not hasattr(signal, "SIGPIPE"), reason="no such signal here")
def test_a_daemon_that_hangs_up_while_we_send_does_not_end_the_painting_program(listener: socket.socket) -> None:
    """A program that embeds Python may leave SIGPIPE as it is, and the signal would end it."""
    code = (
        "import signal, sys; signal.signal(signal.SIGPIPE, signal.SIG_DFL)\n"
        "from celwright_krita.rpc.channel import Cancellation, Channel\n"
        "from celwright_krita.errors import DaemonUnreachableError\n"
        "import unittest.mock, socket\n"
        "line = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n"
        "channel = Channel('127.0.0.1:' + sys.argv[1])\n"
        "input()\n"
        "for _ in range(3): channel._sent(line, memoryview(bytes(1 << 16)))\n"
        "print('alive')\n"
    )
    port = str(listener.getsockname()[1])
    command = [sys.executable, "-c", code, port]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True, cwd=PLUGIN) as program:
        line, _ = listener.accept()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # hang up hard
        line.close()
        told, _ = program.communicate("\n", timeout=30)
    assert (program.returncode, told) == (0, "alive\n")


@pytest.mark.parametrize("text", ["", "unix", "host", "host:", ":5", "host:x"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(errors.WrongUsageError) as told:
        Client(text)
    assert str(told.value) == f"The daemon's address is {text!r}; unix:/path or host:port is allowed."


@pytest.mark.parametrize(
    ("environment", "kind", "sentence"),
    [
        (
            {"CELWRIGHT_HOST": "192.0.2.7"},
            errors.WrongUsageError,
            "CELWRIGHT_HOST is '192.0.2.7', another machine; the plugin talks to a daemon on this machine only: remove "
            "the variable or set it to 127.0.0.1.",
        ),
        (
            {"CELWRIGHT_HOST": "localhost", "CELWRIGHT_PORT": "70000"},
            errors.WrongUsageError,
            "CELWRIGHT_PORT is '70000'; 1 to 65535 is allowed: correct or remove it.",
        ),
        (
            {"CELWRIGHT_HOST": "::1", "CELWRIGHT_TOKEN_FILE": "/nowhere/token"},
            errors.AccessDeniedError,
            "No token can be read from '/nowhere/token'; the daemon makes one when it starts on a port: start it, or "
            "name the file with CELWRIGHT_TOKEN_FILE.",
        ),
    ],
)
def test_a_place_that_cannot_be_is_told(environment: dict[str, str], kind: type[Exception], sentence: str) -> None:
    with pytest.raises(kind) as told:
        settings.daemon_place(environment).token()
    assert str(told.value) == sentence
