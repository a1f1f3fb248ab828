"""A daemon as a process: ready without torch, ends on a signal without dropping work, leaves a dead one behind."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from celwright.domain import Finished, Pixels, Progress, SegmentRequest
from celwright.errors import CancelledError, DaemonUnreachableError
from celwright.rpc.client import Client
from celwright.rpc.server import awaited, end_signals
from daemon_under_test import PATIENCE

Noise = Callable[..., Pixels]
Start = Callable[..., "subprocess.Popen[str]"]
PRODUCT = "import sys; from celwright import wiring, settings; wiring.serve(settings.settings(socket=sys.argv[1]))"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Unix sockets and signals are POSIX")


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Starts daemons on the folder's socket and waits until each says that it is ready."""
    running: list[subprocess.Popen[str]] = []
    watchdogs: list[threading.Timer] = []

    def started(*command: str) -> "subprocess.Popen[str]":
        pipe = subprocess.PIPE
        daemon = subprocess.Popen([sys.executable, *command], stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        running.append(daemon)
        watchdogs.append(threading.Timer(PATIENCE, daemon.kill))  # a client waits as long as its daemon lives
        watchdogs[-1].start()
        assert daemon.stdout is not None
        assert daemon.stdout.readline() == f"ready on unix:{folder}/d.sock\n"
        return daemon

    yield started
    for watchdog, daemon in zip(watchdogs, running, strict=True):
        watchdog.cancel()
        daemon.kill()
        daemon.communicate()


@pytest.fixture
def steered(start: Start, folder: Path) -> Callable[[float], "subprocess.Popen[str]"]:
    script = Path(__file__).with_name("steered_daemon.py")
    return lambda grace: start(str(script), str(folder / "d.sock"), str(grace))


def until(daemon: "subprocess.Popen[str]", text: str) -> None:
    """Read the daemon's log until a line has ``text`` in it."""
    assert daemon.stderr is not None
    while text not in (line := daemon.stderr.readline()):
        assert line, "the daemon ended"


def test_the_daemon_is_ready_without_torch_and_ends_on_sigterm(start: Start, folder: Path) -> None:
    daemon = start("-c", PRODUCT, str(folder / "d.sock"))
    with Client(f"unix:{folder}/d.sock") as client:
        status = client.status()
    assert not status.torch_loaded
    assert status.loaded == ()
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(PATIENCE) == 0
    assert not (folder / "d.sock").exists()


def test_a_signal_that_reaches_another_thread_while_the_main_one_waits_is_heard() -> None:
    """As is one that comes just before the wait begins: neither interrupts it."""
    with end_signals() as signals:
        too_late = threading.Timer(PATIENCE, signals.put, (-1,))
        too_late.start()
        threading.Timer(0.05, lambda: signal.pthread_kill(threading.get_ident(), signal.SIGTERM)).start()
        assert awaited(signals) == signal.SIGTERM
        too_late.cancel()


def test_importing_the_server_leaves_torch_out() -> None:
    code = "import sys, celwright.rpc.server, celwright.rpc.client, celwright.wiring; print('torch' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"


def test_sigterm_lets_the_running_job_finish(
    steered: Callable[[float], "subprocess.Popen[str]"], folder: Path, noise: Noise
) -> None:
    daemon = steered(PATIENCE)
    with Client(f"unix:{folder}/d.sock") as client, Client(f"unix:{folder}/d.sock") as late:
        events = client.run(SegmentRequest(noise()))
        assert next(events) == Progress("begun", 0.0)
        daemon.send_signal(signal.SIGTERM)
        until(daemon, "Signal 15: ending")
        with pytest.raises(DaemonUnreachableError):
            list(late.run(SegmentRequest(noise())))
        assert daemon.stdin is not None
        daemon.stdin.write("\n")
        daemon.stdin.flush()
        assert isinstance(list(events)[-1], Finished)
    assert daemon.wait(PATIENCE) == 0


def test_sigterm_cancels_the_running_job_when_the_grace_is_over(
    steered: Callable[[float], "subprocess.Popen[str]"], folder: Path, noise: Noise
) -> None:
    daemon = steered(0.0)
    with Client(f"unix:{folder}/d.sock") as client:
        events = client.run(SegmentRequest(noise(), gap=0))
        next(events)
        daemon.send_signal(signal.SIGTERM)
        with pytest.raises(CancelledError) as told:
            list(events)
    assert str(told.value) == "The daemon is ending; the job was cancelled."
    assert daemon.wait(PATIENCE) == 0


def test_a_second_signal_cancels_at_once(
    steered: Callable[[float], "subprocess.Popen[str]"], folder: Path, noise: Noise
) -> None:
    daemon = steered(3600.0)
    with Client(f"unix:{folder}/d.sock") as client:
        events = client.run(SegmentRequest(noise(), gap=0))
        next(events)
        daemon.send_signal(signal.SIGTERM)
        until(daemon, "Signal 15: ending")
        daemon.send_signal(signal.SIGINT)
        with pytest.raises(CancelledError) as told:
            list(events)
    assert str(told.value) == "The daemon is ending; the job was cancelled."
    assert daemon.wait(PATIENCE) == 0


def test_a_killed_daemon_is_told_and_its_socket_taken_over(
    steered: Callable[[float], "subprocess.Popen[str]"], folder: Path, noise: Noise
) -> None:
    daemon = steered(0.0)
    with Client(f"unix:{folder}/d.sock") as client:
        events = client.run(SegmentRequest(noise(), gap=0))
        next(events)
        daemon.kill()
        with pytest.raises(DaemonUnreachableError) as told:
            list(events)
    assert str(told.value) == (
        f"No daemon answers at unix:{folder}/d.sock, or it ended at work; start it with 'celwright serve' and try "
        f"again."
    )
    assert (folder / "d.sock").exists()
    again = steered(0.0)
    with Client(f"unix:{folder}/d.sock") as client:
        assert client.status().version == "test"
    again.send_signal(signal.SIGTERM)
    assert again.wait(PATIENCE) == 0
