"""The plugin's client when the daemon is killed, ends, is newer, or is no daemon: one sentence, and no guessing."""

import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from celwright.rpc.generated import celwright_pb2 as pb
from celwright_krita import domain, errors
from celwright_krita.client import Client
from celwright_krita.pixels import Pixels

PATIENCE = 30.0
PICTURE = Pixels(bytes(range(256)) * 4, 16, 16)
UNREACHABLE = "No daemon answers at {}, or it ended at work; start it and try again."


def field(number: int, content: bytes) -> bytes:
    """A length-delimited field of less than 128 bytes, as a newer celwright.proto might have it."""
    return bytes([number << 3 & 0x7F | 0x82, number >> 4, len(content)]) + content


@pytest.fixture
def newer_daemon(folder: Path) -> Iterator[Callable[..., Client]]:
    """A stock gRPC server that answers with the given bytes, whatever is asked."""
    servers: list[grpc.Server] = []

    def started(answers: dict[str, list[bytes]]) -> Client:
        def told(method: str) -> Any:
            def answer(uploads: Any, context: Any) -> Iterator[bytes]:
                for _ in uploads:
                    pass
                yield from answers[method]

            return grpc.stream_stream_rpc_method_handler(answer)

        server = grpc.server(ThreadPoolExecutor(2))
        handlers = {method: told(method) for method in answers}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("celwright.v1.Celwright", handlers),))
        server.add_insecure_port(f"unix:{folder}/new.sock")
        server.start()
        servers.append(server)
        return Client(f"unix:{folder}/new.sock")

    yield started
    for server in servers:
        server.stop(None).wait()


def test_what_a_newer_daemon_adds_is_skipped(newer_daemon: Callable[..., Client]) -> None:
    start = pb.ImageStart(name="flat", width=16, height=16, channels=4, depth=8).SerializeToString()
    events = [
        field(100, b"an event of tomorrow"),
        pb.JobEvent(progress=pb.Progress(stage="s", fraction=0.5)).SerializeToString() + field(200, b"beside it"),
        pb.JobEvent.FromString(b"\x2a" + bytes([len(start) + 11]) + start + field(90, b"in start")).SerializeToString(),
        pb.JobEvent(chunk=bytes(PICTURE.data)).SerializeToString(),
        field(101, b""),
        pb.JobEvent(finished=pb.Finished(report=pb.Report(model="m"))).SerializeToString(),
        field(102, b"after the end"),
    ]
    status = pb.Status(version="9.9.0", api_version=99, capabilities=["segment", "dream"]).SerializeToString()
    client = newer_daemon({"FindImages": [b""], "Decompose": events, "GetStatus": [status + field(77, b"more")]})
    assert client.status().api_version == 99
    progress, finished = client.job(domain.DecomposeRequest(PICTURE))
    assert progress == domain.Progress("s", 0.5)
    assert isinstance(finished, domain.Finished)
    assert bytes(finished.images["flat"].data) == PICTURE.data
    assert finished.report == domain.Report(model="m")


@pytest.mark.parametrize(
    ("events", "sentence"),
    [
        ([], "The daemon ended the job without a result; try again, and update it if it stays so."),
        (
            [b"\xff\xff\xff"],
            "A JobEvent that the daemon sent cannot be read; update daemon and plugin, or end the other program that "
            "listens there.",
        ),
        (
            [pb.JobEvent(result=pb.ImageStart(name="flat", width=16, height=16, channels=4, depth=8))],
            "The daemon sent 0 bytes for the image 'flat', whose layout needs 1024; try again, and update daemon and "
            "plugin if it stays so.",
        ),
        (
            [
                pb.JobEvent(result=pb.ImageStart(name="flat", width=8, height=8, channels=1, depth=8)),
                pb.JobEvent(chunk=bytes(65)),
            ],
            "The daemon sent 65 bytes for the image 'flat', whose layout needs 64; try again, and update daemon and "
            "plugin if it stays so.",
        ),
        (
            [pb.JobEvent(preview=pb.ImageStart(name="p", width=40_000, height=8, channels=4, depth=32))],
            "The daemon sent the image 'p' in a layout that this plugin does not know (40000x8, 4 channels, 32 bits); "
            "update the plugin.",
        ),
    ],
)
def test_an_answer_that_makes_no_sense_is_told(
    newer_daemon: Callable[..., Client], events: list[Any], sentence: str
) -> None:
    told = [event if isinstance(event, bytes) else event.SerializeToString() for event in events]
    client = newer_daemon({"FindImages": [b""], "Decompose": told})
    with pytest.raises(errors.UnreadableAnswerError) as raised:
        list(client.job(domain.DecomposeRequest(PICTURE)))
    assert str(raised.value) == sentence


def test_a_method_that_an_older_daemon_lacks_is_told(newer_daemon: Callable[..., Client]) -> None:
    client = newer_daemon({"GetStatus": []})
    with pytest.raises(errors.CelwrightError) as told:
        client.models()
    assert str(told.value) == (
        f"The daemon at {client.channel.address} cannot do this; its version is another: update it."
    )


def test_a_daemon_killed_in_the_middle_is_told(steered: "subprocess.Popen[str]", folder: Path) -> None:
    address = f"unix:{folder}/d.sock"
    events = iter(Client(address).job(domain.SegmentRequest(PICTURE, gap=0)))
    assert next(events) == domain.Progress("begun", 0.0)
    steered.kill()
    with pytest.raises(errors.DaemonUnreachableError) as told:
        list(events)
    assert str(told.value) == UNREACHABLE.format(address)
    with pytest.raises(errors.DaemonUnreachableError) as told:
        Client(address).status()
    assert str(told.value) == UNREACHABLE.format(address)


def test_a_daemon_that_ends_lets_the_running_job_finish(steered: "subprocess.Popen[str]", folder: Path) -> None:
    assert steered.stdin is not None
    assert steered.stderr is not None
    events = iter(Client(f"unix:{folder}/d.sock").job(domain.SegmentRequest(PICTURE)))
    assert next(events) == domain.Progress("begun", 0.0)
    steered.send_signal(signal.SIGTERM)
    while "Signal 15: ending" not in steered.stderr.readline():
        assert steered.poll() is None
    with pytest.raises(errors.DaemonUnreachableError):
        list(Client(f"unix:{folder}/d.sock").job(domain.SegmentRequest(PICTURE)))
    steered.stdin.write("\n")
    steered.stdin.flush()
    finished = list(events)[-1]
    assert isinstance(finished, domain.Finished)
    assert bytes(finished.images["regions"].data) == PICTURE.data


def test_a_daemon_that_does_not_answer_for_long_is_asked_whether_it_lives(
    steered: "subprocess.Popen[str]", folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("celwright_krita.client.SILENCE_SECONDS", 0.02)
    asked, status = threading.Event(), Client.status
    monkeypatch.setattr(Client, "status", lambda self: (status(self), asked.set()))
    client = Client(f"unix:{folder}/d.sock")
    events = iter(client.job(domain.SegmentRequest(PICTURE)))
    assert next(events) == domain.Progress("begun", 0.0)
    waiting = threading.Thread(target=lambda: asked.wait(PATIENCE) and _line(steered))
    waiting.start()
    assert isinstance(list(events)[-1], domain.Finished)  # silent, but alive
    waiting.join()
    events = iter(client.job(domain.SegmentRequest(PICTURE)))
    next(events)
    monkeypatch.setattr("celwright_krita.client.ANSWER_SECONDS", 0.05)
    steered.send_signal(signal.SIGSTOP)
    with pytest.raises(errors.DaemonUnreachableError) as told:
        list(events)
    steered.send_signal(signal.SIGCONT)
    assert str(told.value) == (
        f"The daemon at unix:{folder}/d.sock has not answered for 0.05 seconds; wait and try again, or restart it."
    )


def _line(daemon: "subprocess.Popen[str]") -> None:
    assert daemon.stdin is not None
    daemon.stdin.write("\n")
    daemon.stdin.flush()
