"""The plugin's layered documents by the real server: the same bytes as the command line's writers make, saved whole or
not at all."""

import dataclasses
import errno
import hashlib
import os
import resource
import socket
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from celwright import domain as daemon_domain
from celwright.psd import openraster, tree, write
from celwright.rpc.generated import celwright_pb2 as pb
from celwright.rpc.server import Server
from celwright_krita import document, errors, saving
from celwright_krita.client import Client
from celwright_krita.document import DocumentPart, DocumentRequest, DocumentStart, GroupNode, LayerNode
from celwright_krita.domain import Progress
from celwright_krita.pixels import Pixels
from celwright_krita.rpc import images
from celwright_krita.rpc import messages as rpc_messages
from celwright_krita.rpc.call import Call
from celwright_krita.rpc.channel import Cancellation, Channel
from celwright_krita.rpc.documents import BLENDS, parts, upload
from daemon_under_test import Echo
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_plugin_jobs import Serve, client_of, noise

INCOMPLETE = (
    "The daemon sent {} bytes that are not the whole document; try again, and update daemon and plugin if it stays so."
)


def simple(**more: Any) -> DocumentRequest:
    return DocumentRequest((LayerNode("one", noise()),), noise(), **more)


def written(client: Client, request: DocumentRequest) -> tuple[DocumentStart, bytes]:
    start, *pieces = client.write_document(request)
    assert isinstance(start, DocumentStart)
    file = b"".join(piece for piece in pieces if isinstance(piece, bytes))
    assert start.bytes == len(file)
    return start, file


def theirs(image: Pixels, icc: bytes) -> daemon_domain.Pixels:
    kind = np.dtype(np.uint8 if image.depth == 8 else "<u2")
    data = np.frombuffer(image.data, kind).reshape(image.height, image.width, image.channels)
    return daemon_domain.Pixels(data, image.offset, icc)


def by_the_command_line(request: DocumentRequest, folder: Path) -> bytes:
    """What the writers that the command line calls make of the same layers."""

    def node(one: document.Node) -> tree.Node:
        blend: Any = one.blend
        if isinstance(one, GroupNode):
            return tree.Group(one.name, tuple(map(node, one.children)), blend, one.opacity, one.visible)
        image = theirs(one.image, request.composite.icc)
        return tree.Layer(one.name, image, blend, one.opacity, one.clipped, one.visible)

    nodes, composite = [node(one) for one in request.layers], theirs(request.composite, request.composite.icc)
    path = folder / {"psd": "a.psd", "psb": "a.psb", "openraster": "a.ora"}[request.format]
    (openraster if request.format == "openraster" else write).write(path, nodes, composite, force=True)
    return path.read_bytes()


@st.composite
def requests(draw: st.DrawFn) -> DocumentRequest:
    depth = draw(st.sampled_from([8, 16]))
    sides, place = st.integers(8, 20), st.integers(-9, 9)

    def shown() -> dict[str, Any]:
        names = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cn"]), max_size=6)
        return {
            "name": draw(names),
            "blend": draw(st.sampled_from(sorted(BLENDS))),
            "opacity": draw(st.floats(0, 1)),
            "visible": draw(st.booleans()),
        }

    def layer() -> LayerNode:
        channels = draw(st.integers(1, 4))
        image = noise(draw(sides), draw(sides), channels, depth, offset=(draw(place), draw(place)))
        return LayerNode(image=image, clipped=draw(st.booleans()), **shown())

    def node(level: int) -> document.Node:
        if level < 3 and draw(st.booleans()):
            return GroupNode(children=tuple(node(level + 1) for _ in range(draw(st.integers(0, 2)))), **shown())
        return layer()

    nodes = tuple(node(0) for _ in range(draw(st.integers(1, 3))))
    composite = noise(draw(sides), draw(sides), draw(st.integers(3, 4)), depth, icc=draw(st.binary(max_size=9)))
    return DocumentRequest(nodes, composite, draw(st.sampled_from(["psd", "psb", "openraster"])))


@pytest.fixture
def client(serve: Serve) -> Client:
    """Of one server, for all examples of a test."""
    return client_of(serve(Echo()))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(request=requests())
def test_the_plugin_gets_the_bytes_that_the_command_line_would_write(
    client: Client, tmp_path: Path, request: DocumentRequest
) -> None:
    start, file = written(client, request)
    assert file == by_the_command_line(request, tmp_path)
    assert start.format == request.format


def test_the_second_save_sends_only_what_changed(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Pixels] = []
    chunk_messages = images.chunk_messages
    monkeypatch.setattr(images, "chunk_messages", lambda image: sent.append(image) or chunk_messages(image))
    still, changed = noise(16, 16), noise(17, 17)
    for top in (noise(18, 18), changed):
        written(client, DocumentRequest((LayerNode("still", still), LayerNode("top", top)), noise()))
    assert sent[3:] == [changed]


def test_images_that_the_daemon_dropped_meanwhile_are_sent_in_full(client: Client) -> None:
    wanted = written(client, simple())
    fresh = DocumentRequest((LayerNode("one", noise(9, 9)),), noise(41))
    client.held = set  # type: ignore[method-assign,assignment]  # the daemon said that it has them all
    assert written(client, simple()) == wanted
    assert written(client, fresh)[0].bytes > 1000


def test_more_hashes_than_the_daemon_takes_at_once_are_asked_for(client: Client) -> None:
    picture = noise()
    written(client, simple())
    others = [hashlib.blake2b(bytes([place % 256, place // 256]), digest_size=32).digest() for place in range(1500)]
    assert client.held([*others, picture.content_hash()]) == {picture.content_hash()}


def test_a_refusal_of_the_daemon_comes_with_its_sentence_and_leaves_nothing(client: Client, tmp_path: Path) -> None:
    request = dataclasses.replace(simple(), layers=(LayerNode("one", noise(depth=16)),))
    with pytest.raises(errors.WrongUsageError) as told:
        list(saving.save(str(tmp_path / "a.psd"), client.write_document(request)))
    assert str(told.value) == (
        "The image 'layer/1' has 16 bits a channel, the document 8; all must have the same: convert it."
    )
    assert list(tmp_path.iterdir()) == []


def test_a_format_or_blend_mode_without_a_name_on_the_wire_is_told() -> None:
    with pytest.raises(errors.WrongUsageError) as told:
        upload(simple(format="xcf"), "")
    assert str(told.value) == "The format 'xcf' is not known; 'psd' or 'psb' or 'openraster' is allowed."
    with pytest.raises(errors.WrongUsageError) as told:
        upload(DocumentRequest((GroupNode("g", (LayerNode("one", noise(), "dissolve"),)),), noise()), "")
    assert str(told.value) == (
        "The blend mode 'dissolve' of 'one' has no name in the file; normal, multiply, screen, overlay, darken, "
        "lighten, color_dodge, color_burn, hard_light, soft_light, difference, linear_dodge are allowed: choose one of "
        "them or merge the layer."
    )


def test_a_saved_document_is_the_bytes_that_came(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "a.psd"
    *steps, saved = saving.save(str(path), client.write_document(simple()))
    assert saved == saving.Saved(str(path))
    assert path.read_bytes() == written(client, simple())[1]
    assert steps[0] == Progress("save", 0.0)
    assert steps[-1] == Progress("save", 1.0)
    assert list(tmp_path.iterdir()) == [path]


def test_an_existing_file_is_replaced_only_when_asked_for(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "a.psd"
    path.write_bytes(b"mine")
    with pytest.raises(saving.ExistingFileError) as told:
        list(saving.save(str(path), client.write_document(simple())))
    assert str(told.value) == f"{path} exists already; replace it or choose another name."
    assert path.read_bytes() == b"mine"
    list(saving.save(str(path), client.write_document(simple()), replace=True))
    assert path.read_bytes().startswith(b"8BPS")
    assert list(tmp_path.iterdir()) == [path]


def made(*pieces: Any) -> Generator[DocumentPart, None, None]:
    """Parts for saving; what is callable is called, an error is raised."""
    for piece in pieces:
        if isinstance(piece, Exception):
            raise piece
        if callable(piece):
            piece()
        else:
            yield piece


def test_a_file_that_another_program_made_meanwhile_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.psd"
    with pytest.raises(saving.ExistingFileError):
        list(saving.save(str(path), made(DocumentStart(2, "psd"), b"ab", lambda: path.write_bytes(b"theirs"))))
    assert [(one, one.read_bytes()) for one in tmp_path.iterdir()] == [(path, b"theirs")]


def test_a_psd_that_became_a_psb_gets_that_ending_and_replaces_nothing(tmp_path: Path) -> None:
    path, beside = tmp_path / "a.PSD", tmp_path / "a.psb"
    *_, saved = saving.save(str(path), made(DocumentStart(2, "psb"), b"ab"))
    assert saved == saving.Saved(str(beside))
    with pytest.raises(saving.ExistingFileError) as told:
        list(saving.save(str(path), made(DocumentStart(2, "psb"), b"cd")))
    assert str(told.value) == f"{beside} exists already; replace it or choose another name."
    assert [(one, one.read_bytes()) for one in tmp_path.iterdir()] == [(beside, b"ab")]


def test_a_link_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there/a.psd", tmp_path / "link.psd"
    target.write_bytes(b"old")
    link.symlink_to(target)
    *_, saved = saving.save(str(link), made(DocumentStart(1, "psd"), b"a"), replace=True)
    assert saved == saving.Saved(str(target))
    assert link.is_symlink()
    assert target.read_bytes() == b"a"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "{0} is a folder; name a file in it."),
        ("none/a.psd", "The folder {0}/none does not exist; create it or choose another."),
    ],
)
def test_a_place_that_takes_no_file_is_told_before_anything_is_sent(tmp_path: Path, name: str, sentence: str) -> None:
    asked: list[str] = []
    with pytest.raises(errors.WrongUsageError) as told:
        list(saving.save(str(tmp_path / name), made(lambda: asked.append("sent"))))
    assert str(told.value) == sentence.format(tmp_path)
    assert asked == []


@pytest.mark.parametrize(
    ("fault", "rest"),
    [
        (errno.EROFS, "its folder is read-only: choose another folder."),
        (errno.EACCES, "its folder is read-only: choose another folder."),
        (errno.ENOSPC, "the disk is full: free some space or choose another disk."),
    ],
)
def test_what_the_system_refuses_is_told_and_leaves_nothing(tmp_path: Path, fault: int, rest: str) -> None:
    path = tmp_path / "a.psd"
    with pytest.raises(saving.OutputError) as told:
        list(saving.save(str(path), made(DocumentStart(2, "psd"), b"a", OSError(fault, os.strerror(fault)))))
    assert str(told.value) == f"{path} could not be written, {rest}"
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_outgrows_its_place_leaves_nothing(tmp_path: Path) -> None:
    path, before = tmp_path / "a.psd", resource.getrlimit(resource.RLIMIT_FSIZE)
    saved = saving.save(str(path), made(DocumentStart(1 << 20, "psd"), bytes(1 << 20)))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, before[1]))
    try:
        with pytest.raises(saving.OutputError) as told:
            list(saved)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert str(told.value) == (
        f"{path} could not be written, the disk is full: free some space or choose another disk."
    )
    assert list(tmp_path.iterdir()) == []


def test_closing_the_saving_hangs_up_and_leaves_nothing(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "a.psd"
    stream = client.write_document(simple())
    saved = saving.save(str(path), stream)
    assert next(saved) == Progress("save", 0.0)
    assert len(list(tmp_path.iterdir())) == 1
    saved.close()
    assert list(tmp_path.iterdir()) == []
    assert list(stream) == []


def test_cancelling_from_another_thread_ends_the_saving_and_the_old_file_stays(client: Client, tmp_path: Path) -> None:
    path, cancellation = tmp_path / "a.psd", Cancellation()
    path.write_bytes(b"old")
    big = noise(1500, 1500)
    stream = client.write_document(DocumentRequest((LayerNode("one", big),), big), cancellation)
    saved = saving.save(str(path), stream, replace=True)
    assert next(saved) == Progress("save", 0.0)
    canceller = threading.Thread(target=cancellation.request)
    canceller.start()
    canceller.join()
    with pytest.raises(errors.CancelledError) as told:
        list(saved)
    assert str(told.value) == "The job was cancelled."
    assert [(one, one.read_bytes()) for one in tmp_path.iterdir()] == [(path, b"old")]


# ---- streams that are cut, and answers that make no sense


def said(server: Server, request: DocumentRequest) -> bytes:
    """All bytes of the server's side of one call."""
    call, heard = Call("/celwright.v1.Celwright/WriteDocument"), b""
    header, named = upload(request, "test")
    hashes = {name: image.content_hash() for name, image in named.items()}
    for message in rpc_messages.upload(pb.DocumentUpload, header, named, hashes, ()):
        call.send(*message)
    call.end()
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(server.address.removeprefix("unix:"))
        while call.status is None:
            while out := call.outgoing():
                line.sendall(out)
            heard += (data := line.recv(1 << 16))
            call.receive(data)
    assert call.status.code == 0
    return heard


def _fault(saved: Iterator[Any]) -> errors.CelwrightError | None:
    try:
        list(saved)
    except errors.CelwrightError as told:
        return told
    return None


def test_a_stream_cut_anywhere_leaves_no_file(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = Pixels(bytes(range(64)), 8, 8, 1)
    whole = said(serve(Echo()), DocumentRequest((LayerNode("one", tiny),), tiny))
    client = Client("unix:/here")
    client.held = lambda hashes: set()  # type: ignore[method-assign]
    wanted = tmp_path / "whole.psd"
    outcomes: dict[bool, int] = {True: 0, False: 0}
    for cut in [*range(0, len(whole), 29), len(whole)]:
        near, far = socket.socketpair()
        far.sendall(whole[:cut])
        far.shutdown(socket.SHUT_WR)
        near.setblocking(False)
        monkeypatch.setattr(Channel, "_connected", lambda self, near=near: near)
        stream = client.write_document(DocumentRequest((LayerNode("one", tiny),), tiny))
        with far:
            told = _fault(saving.save(str(wanted), stream))
        if told is not None:
            assert type(told) is errors.DaemonUnreachableError
            assert str(told) == "No daemon answers at unix:/here, or it ended at work; start it and try again."
            assert list(tmp_path.iterdir()) == []
        outcomes[wanted.exists()] += 1
        wanted.unlink(missing_ok=True)
    assert outcomes[True] >= 1
    assert outcomes[False] > 10


def part(**content: Any) -> bytes:
    return pb.DocumentPart(**content).SerializeToString()


START, CHUNK = part(start=pb.DocumentStart(bytes=2, format=1)), part(chunk=b"ab")
END = part(end=pb.DocumentEnd(sha256=hashlib.sha256(b"ab").digest()))


@pytest.mark.parametrize(
    ("answer", "count"),
    [
        ([], 0),
        ([START], 0),
        ([CHUNK, END], 0),
        ([START, CHUNK], 2),
        ([START, END], 0),
        ([START, CHUNK, CHUNK, END], 4),
        ([START, CHUNK, part(end=pb.DocumentEnd(sha256=bytes(32)))], 2),
    ],
)
def test_bytes_that_are_not_what_was_announced_are_no_file(tmp_path: Path, answer: list[bytes], count: int) -> None:
    def stream() -> Iterator[DocumentPart]:
        yield from parts(answer)

    with pytest.raises(errors.UnreadableAnswerError) as told:
        list(saving.save(str(tmp_path / "a.psd"), stream()))  # type: ignore[arg-type]
    assert str(told.value) == INCOMPLETE.format(count)
    assert list(tmp_path.iterdir()) == []


def test_what_a_newer_daemon_adds_between_the_parts_is_skipped() -> None:
    tomorrow = b"\xaa\x06\x03new"  # field 101
    heard: Callable[..., list[DocumentPart]] = lambda *answer: list(parts(answer))  # noqa: E731
    assert heard(tomorrow, START, tomorrow, CHUNK, END, tomorrow) == [DocumentStart(2, "psd"), b"ab"]
    assert heard(part(start=pb.DocumentStart(bytes=2, format=99)), CHUNK, END)[0] == DocumentStart(2, "")
