"""A client runs a request as it would run a pipeline; faults, cancelling and reuse work across a real connection."""

import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import numpy as np
import pytest
from celwright.domain import (
    ColorizeRequest,
    DecomposeRequest,
    Event,
    Finished,
    Pixels,
    Preview,
    Progress,
    Queued,
    Reference,
    Report,
    SegmentRequest,
)
from celwright.errors import (
    CancelledError,
    CelwrightError,
    DaemonUnreachableError,
    ModelUnavailableError,
    OutputError,
    QueueFullError,
    UnusableInputError,
    WrongUsageError,
)
from celwright.rpc.client import Client
from celwright.rpc.generated import celwright_pb2 as pb
from celwright.rpc.generated import celwright_pb2_grpc as pb_grpc
from celwright.rpc.images import content_hash, image_start
from daemon_under_test import PATIENCE, Daemon, Echo, Endless, Gated, StartDaemon

Noise = Callable[..., Pixels]


def raw(daemon: Daemon) -> Any:
    """The generated stub: what any other client speaks."""
    return pb_grpc.CelwrightStub(daemon.client()._channel)


@pytest.mark.parametrize("depth", [8, 16])
def test_a_request_crosses_and_its_events_come_back(start_daemon: StartDaemon, noise: Noise, depth: int) -> None:
    echo = Echo()
    picture = Pixels(noise(1100, 700, 4, depth).data, (-30, 12), b"a profile")
    progress, preview, end = list(start_daemon(echo).client().run(DecomposeRequest(picture, fidelity="exact")))
    assert progress == Progress("echo", 0.5, 1.25)
    assert np.array_equal(preview.image.data, picture.data[:8, :8])
    assert isinstance(end, Finished)
    for name in ("flat", "1/flat"):
        got = end.images[name]
        assert np.array_equal(got.data, picture.data)
        assert got.data.dtype == picture.data.dtype
        assert (got.offset, got.icc) == ((-30, 12), b"a profile")
    assert end.report == Report(model="echo", seconds={"echo": 0.5})
    assert echo.requests[0].fidelity == "exact"


def test_a_colorize_request_crosses_with_references(start_daemon: StartDaemon, noise: Noise) -> None:
    echo = Echo()
    daemon = start_daemon(echo)
    face, mask = noise(16, 16, 3), noise(16, 16, 1)
    sent = ColorizeRequest(noise(), hints=noise(seed=5), references=(Reference(face), Reference(face, mask)))
    list(daemon.client().run(sent))
    got = echo.requests[0]
    assert isinstance(got, ColorizeRequest)
    assert np.array_equal(got.hints.data, sent.hints.data)
    assert np.array_equal(got.references[1].mask.data, mask.data)
    assert got.selection is None


def test_the_second_try_sends_only_what_changed(start_daemon: StartDaemon, noise: Noise) -> None:
    daemon = start_daemon(Echo())
    client, line, sent = daemon.client(), noise(600, 600), 0
    real = client._stub.Colorize

    def counted(upload: Iterator[Any], **rest: Any) -> Any:
        def count() -> Iterator[Any]:
            nonlocal sent
            for message in upload:
                sent += len(message.chunk)
                yield message

        return real(count(), **rest)

    client._stub.Colorize = counted
    list(client.run(ColorizeRequest(line, hints=noise(600, 600, seed=1))))
    assert sent == 2 * line.data.nbytes
    sent = 0
    *_, end = client.run(ColorizeRequest(line, hints=noise(600, 600, seed=2)))
    assert sent == line.data.nbytes
    assert np.array_equal(end.images["flat"].data, line.data)
    assert client.status().cached_bytes == 3 * line.data.nbytes


def test_an_image_dropped_meanwhile_is_sent_again(start_daemon: StartDaemon, noise: Noise) -> None:
    line = noise(64, 64)
    client = start_daemon(Echo(), cache_bytes=line.data.nbytes).client()
    find = client._stub.FindImages
    client._stub.FindImages = lambda message, **rest: pb.FindImagesReply(content_hashes=message.content_hashes)
    *_, end = client.run(SegmentRequest(line))  # believes that it is there
    assert np.array_equal(end.images["flat"].data, line.data)
    client._stub.FindImages = find
    assert isinstance(list(client.run(SegmentRequest(line)))[-1], Finished)


def test_a_client_that_is_told_an_image_is_missing_gets_its_name(start_daemon: StartDaemon, noise: Noise) -> None:
    stub, line = raw(start_daemon(Echo())), noise()
    start = image_start("line_art", line, content_hash=content_hash(line.data), reuse=True)
    upload = [pb.SegmentUpload(header=pb.SegmentHeader()), pb.SegmentUpload(image=start)]
    with pytest.raises(grpc.RpcError) as refused:
        list(stub.Segment(iter(upload)))
    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert refused.value.details() == "The daemon no longer holds the image 'line_art'; send it in full."
    assert dict(refused.value.trailing_metadata())["celwright-missing"] == "line_art"


def test_the_first_event_names_the_job(start_daemon: StartDaemon, noise: Noise) -> None:
    stub, line = raw(start_daemon(Echo())), noise()

    def first(job_id: str) -> str:
        header = pb.SegmentHeader(options=pb.JobOptions(job_id=job_id))
        parts = [pb.SegmentUpload(header=header), pb.SegmentUpload(image=image_start("line_art", line))]
        upload = [*parts, pb.SegmentUpload(chunk=line.data.tobytes())]
        return str(next(stub.Segment(iter(upload))).accepted.job_id)

    assert first("mine") == "mine"
    assert len(first("")) == 32


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (WrongUsageError("The gap is odd."), grpc.StatusCode.INVALID_ARGUMENT),
        (UnusableInputError("There is no line – «kein Strich»."), grpc.StatusCode.INVALID_ARGUMENT),
        (ModelUnavailableError("It is not here."), grpc.StatusCode.FAILED_PRECONDITION),
        (OutputError("The disk is full."), grpc.StatusCode.INTERNAL),
        (CelwrightError("Something else."), grpc.StatusCode.INTERNAL),
    ],
)
def test_a_fault_crosses_with_class_and_sentence(
    start_daemon: StartDaemon, noise: Noise, fault: CelwrightError, code: grpc.StatusCode
) -> None:
    class Failing(Echo):
        def run(self, request: Any) -> Iterator[Event]:
            yield Progress("work", 0.1)
            raise type(fault)(str(fault))

    daemon = start_daemon(Failing())
    with pytest.raises(CelwrightError) as told:
        list(daemon.client().run(SegmentRequest(noise())))
    assert (type(told.value), str(told.value)) == (type(fault), str(fault))
    line = noise()
    upload = [
        pb.SegmentUpload(header=pb.SegmentHeader()),
        pb.SegmentUpload(image=image_start("line_art", line)),
        pb.SegmentUpload(chunk=line.data.tobytes()),
    ]
    with pytest.raises(grpc.RpcError) as refused:
        list(raw(daemon).Segment(iter(upload)))
    assert refused.value.code() is code
    assert dict(refused.value.trailing_metadata())["celwright-error"] == type(fault).__name__


def test_cancel_by_id_ends_that_job_only(start_daemon: StartDaemon, noise: Noise) -> None:
    gated = Gated()
    daemon = start_daemon(gated)
    results: dict[str, Any] = {}

    def work(job_id: str) -> None:
        try:
            results[job_id] = list(daemon.client().run(SegmentRequest(noise()), job_id))[-1]
        except CelwrightError as error:
            results[job_id] = error

    first = threading.Thread(target=work, args=("first",))
    first.start()
    assert gated.begun.acquire(timeout=PATIENCE)
    second = threading.Thread(target=work, args=("second",))
    second.start()
    client = daemon.client()
    assert not client.cancel("third")
    assert client.cancel("first")
    first.join(PATIENCE)
    assert type(results["first"]) is CancelledError
    assert str(results["first"]) == "The job was cancelled."
    gated.gate.release(100)
    second.join(PATIENCE)
    assert isinstance(results["second"], Finished)


def test_closing_the_iterator_cancels_the_job(start_daemon: StartDaemon, noise: Noise) -> None:
    endless = Endless()
    events = start_daemon(endless).client().run(SegmentRequest(noise(), gap=0))
    assert next(events) == Progress("step", 0.5)
    events.close()
    assert endless.left.wait(PATIENCE)


def test_a_client_that_vanishes_takes_only_its_own_job_along(start_daemon: StartDaemon, noise: Noise) -> None:
    daemon = start_daemon(Endless())
    leaving, staying = Client(daemon.server.address), daemon.client()
    first = leaving.run(SegmentRequest(noise(), gap=0))
    next(first)
    second = staying.run(SegmentRequest(noise(), gap=1))
    assert next(second) == Queued(1)
    leaving.close()
    assert isinstance(list(second)[-1], Finished)


def test_a_client_that_leaves_while_it_sends_leaves_nothing_behind(start_daemon: StartDaemon, noise: Noise) -> None:
    daemon = start_daemon(Echo())
    begun, wait = threading.Event(), threading.Event()

    def upload() -> Iterator[Any]:
        yield pb.SegmentUpload(header=pb.SegmentHeader())
        yield pb.SegmentUpload(image=image_start("line_art", noise(512, 512)))
        yield pb.SegmentUpload(chunk=b"1" * 1000)
        begun.set()
        wait.wait(PATIENCE)

    call = raw(daemon).Segment(upload())
    assert begun.wait(PATIENCE)
    call.cancel()
    wait.set()
    with pytest.raises(grpc.RpcError):
        list(call)
    assert isinstance(list(daemon.client().run(SegmentRequest(noise())))[-1], Finished)
    status = daemon.engine.status()
    assert (status.running, status.waiting) == (0, 0)


def test_a_finished_job_leaves_no_image_behind_without_a_cache(start_daemon: StartDaemon, noise: Noise) -> None:
    seen: list[weakref.ref[Any]] = []

    class Watched(Echo):
        def run(self, request: Any) -> Iterator[Event]:
            seen.append(weakref.ref(request.line_art.data))
            yield Finished({"flat": request.line_art}, Report())

    client = start_daemon(Watched(), cache_bytes=0).client()
    for _ in range(3):
        list(client.run(SegmentRequest(noise())))
    gc.collect()
    assert [reference() for reference in seen[:2]] == [None, None]


def test_a_full_queue_is_refused_before_the_images_cross(start_daemon: StartDaemon, noise: Noise) -> None:
    gated = Gated()
    daemon = start_daemon(gated, queue_limit=0)
    first = daemon.client().run(SegmentRequest(noise()))
    gated.gate.release()
    next(first)
    wait = threading.Event()

    def upload() -> Iterator[Any]:
        yield pb.SegmentUpload(header=pb.SegmentHeader())
        wait.wait(PATIENCE)  # no image is ever sent

    with pytest.raises(grpc.RpcError) as refused:
        list(raw(daemon).Segment(upload()))
    wait.set()
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    with pytest.raises(QueueFullError) as told:
        list(daemon.client().run(SegmentRequest(noise())))
    assert str(told.value) == "0 jobs are waiting, as many as the daemon accepts; try again when one is done."
    gated.gate.release(100)
    assert isinstance(list(first)[-1], Finished)


def test_previews_arrive_while_the_job_still_runs(start_daemon: StartDaemon, noise: Noise) -> None:
    shown = threading.Event()

    class Showing(Echo):
        def run(self, request: Any) -> Iterator[Event]:
            yield Preview(request.line_art)
            assert shown.wait(PATIENCE)
            yield Finished({}, Report())

    events = start_daemon(Showing()).client().run(SegmentRequest(noise()))
    assert isinstance(next(events), Preview)
    shown.set()
    assert isinstance(next(events), Finished)


def test_bytes_that_are_no_message_are_told_in_a_sentence(start_daemon: StartDaemon) -> None:
    channel = start_daemon(Echo()).client()._channel
    send = channel.stream_stream("/celwright.v1.Celwright/Segment")
    with pytest.raises(grpc.RpcError) as refused:
        list(send(iter([b"\xff\xff\xff"])))
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert refused.value.details() == ("A message of the upload cannot be read; send what celwright.proto describes.")
    with pytest.raises(grpc.RpcError) as refused:
        channel.unary_unary("/celwright.v1.Celwright/Cancel")(b"\xff\xff\xff")
    assert refused.value.details() == "The message cannot be read; send what celwright.proto describes."


def test_a_message_of_many_chunks_is_refused(start_daemon: StartDaemon, noise: Noise) -> None:
    stub = raw(start_daemon(Echo()))

    def upload(size: int) -> Iterator[Any]:
        yield pb.SegmentUpload(header=pb.SegmentHeader())
        yield pb.SegmentUpload(image=image_start("line_art", noise(4096, 2048)))
        yield pb.SegmentUpload(chunk=b"1" * size)

    with pytest.raises(grpc.RpcError) as refused:
        list(stub.Segment(upload(8 << 20)))
    assert refused.value.details() == "The image 'line_art' got a chunk of 8388608 bytes; 1 to 1048576 are allowed."
    with pytest.raises(grpc.RpcError) as refused:
        list(stub.Segment(upload(20 << 20)))  # over what gRPC itself takes in
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "larger than max" in refused.value.details()


def test_kept_images_go_when_memory_is_short(start_daemon: StartDaemon, noise: Noise) -> None:
    class Exhausted(Echo):
        def run(self, request: Any) -> Iterator[Event]:
            if request.gap:
                raise MemoryError
            yield Finished({}, Report())

    client = start_daemon(Exhausted()).client()
    list(client.run(SegmentRequest(noise(), gap=0)))
    assert client.status().cached_bytes == noise().data.nbytes
    with pytest.raises(CelwrightError, match=r"^The daemon ran out of memory; "):
        list(client.run(SegmentRequest(noise(), gap=1)))
    assert client.status().cached_bytes == 0


def test_images_that_no_memory_is_left_for_are_refused(
    start_daemon: StartDaemon, noise: Noise, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = start_daemon(Echo()).client()

    def exhausted(*_: Any) -> Any:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr("celwright.rpc.upload.IncomingImage", exhausted)
        with pytest.raises(CelwrightError) as refused:
            list(client.run(SegmentRequest(noise())))
    assert str(refused.value) == "The daemon has no memory left for these images; use smaller ones."
    assert isinstance(list(client.run(SegmentRequest(noise())))[-1], Finished)


def test_a_long_job_id_is_refused(start_daemon: StartDaemon, noise: Noise) -> None:
    with pytest.raises(WrongUsageError) as refused:
        list(start_daemon(Echo()).client().run(SegmentRequest(noise()), "x" * 65))
    assert str(refused.value) == "The job's id has 65 characters; 64 are allowed."


def test_a_question_about_too_many_images_is_refused(start_daemon: StartDaemon) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        raw(start_daemon(Echo())).FindImages(pb.FindImagesRequest(content_hashes=[b"h"] * 1001))
    assert refused.value.details() == "1001 hashes came; at most 1000 are allowed."


def test_without_a_daemon_the_client_says_so(folder: Any, noise: Noise) -> None:
    with Client(f"unix:{folder}/none") as client:
        for ask in (client.status, lambda: list(client.run(SegmentRequest(noise())))):
            with pytest.raises(DaemonUnreachableError) as told:
                ask()
            assert str(told.value) == (
                f"No daemon answers at unix:{folder}/none, or it ended at work; start it with 'celwright serve' "
                f"and try again."
            )


def test_a_server_that_is_no_celwright_daemon_is_told_in_a_sentence(noise: Noise) -> None:
    server = grpc.server(ThreadPoolExecutor(1))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with Client(f"127.0.0.1:{port}") as client, pytest.raises(CelwrightError) as told:
        client.status()
    assert str(told.value) == (f"The daemon at 127.0.0.1:{port} cannot do this; its version is another: update it.")
    server.stop(None).wait()
