"""What the real server said, recorded and fed again, cut at every byte: the same messages, or no result at all."""

import socket
from collections.abc import Callable
from typing import Any

import pytest
from celwright.rpc.server import Server
from celwright_krita import domain, errors
from celwright_krita.pixels import Pixels
from celwright_krita.rpc import images, messages
from celwright_krita.rpc.call import Call
from celwright_krita.rpc.channel import Cancellation, Channel
from daemon_under_test import Echo

PATH = "/celwright.v1.Celwright/Decompose"
PICTURE = Pixels(bytes(range(64)), 8, 8, 1)


def new_call(picture: Pixels = PICTURE) -> Call:
    call = Call(PATH)
    part = messages.UPLOADS[domain.DecomposeRequest]
    request = domain.DecomposeRequest(picture)
    call.send(part(header=messages.header(request, "", "test")).SerializeToString())
    call.send(part(image=images.image_start("picture", picture, b"", False)).SerializeToString())
    for parts in images.chunk_messages(picture):
        call.send(*parts)
    call.end()
    return call


def recorded(server: Server, picture: Pixels) -> bytes:
    """All bytes of the server's side of one job."""
    call, said = new_call(picture), b""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(server.address.removeprefix("unix:"))
        while call.status is None:
            while out := call.outgoing():
                line.sendall(out)
            said += (data := line.recv(1 << 16))
            call.receive(data)
    assert call.status.code == 0
    return said


@pytest.fixture
def said(serve: Callable[..., Server]) -> bytes:
    return recorded(serve(Echo()), PICTURE)


def heard(pieces: list[bytes]) -> tuple[list[bytes], Any]:
    call, came = new_call(), []
    for piece in pieces:
        while call.outgoing():
            pass
        came += call.receive(piece)
    return came, call.status


def test_a_stream_cut_at_every_byte_says_the_same(said: bytes) -> None:
    whole, status = heard([said])
    assert status is not None
    finished = list(messages.events(whole))[-1]
    assert isinstance(finished, domain.Finished)
    assert bytes(finished.images["flat"].data) == PICTURE.data
    assert heard([said[place : place + 1] for place in range(len(said))]) == (whole, status)
    for cut in range(len(said)):
        assert heard([said[:cut], said[cut:]]) == (whole, status)


def test_a_stream_that_ends_early_is_never_a_result(said: bytes) -> None:
    """The last bytes may be frames after the answer; before the answer's end there is no status."""
    whole, status = heard([said])
    complete = next(cut for cut in range(len(said) + 1) if heard([said[:cut]])[1] is not None)
    for cut in range(complete):
        came, nothing = heard([said[:cut]])
        assert nothing is None
        assert came == whole[: len(came)]
    assert heard([said[:complete]]) == (whole, status)


def test_a_cut_on_the_socket_is_a_sentence(said: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same through the channel: a peer that sends the first bytes and hangs up."""
    complete = next(cut for cut in range(len(said) + 1) if heard([said[:cut]])[1] is not None)
    for cut in range(0, complete, 61):
        near, far = socket.socketpair()
        far.sendall(said[:cut])
        far.shutdown(socket.SHUT_WR)
        near.setblocking(False)
        monkeypatch.setattr(Channel, "_connected", lambda self, near=near: near)
        with far, pytest.raises(errors.DaemonUnreachableError) as told:
            list(Channel("unix:/here").messages(PATH, [[b""]], Cancellation(), 5.0))
        assert str(told.value) == "No daemon answers at unix:/here, or it ended at work; start it and try again."


def test_a_big_answer_that_comes_all_at_once_is_read(serve: Callable[..., Server]) -> None:
    """Settings, their acknowledgement and frames larger than the protocol's default, together."""
    picture = Pixels(bytes(range(256)) * 4096, 512, 512)
    came, status = heard([recorded(serve(Echo()), picture)])
    assert status is not None
    finished = list(messages.events(came))[-1]
    assert isinstance(finished, domain.Finished)
    assert finished.images["flat"].data == picture.data
