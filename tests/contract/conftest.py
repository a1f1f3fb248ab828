"""The daemon's real server for the plugin's client: in this process, or as a process that can be killed."""

import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS.parent / "plugin_krita"), str(TESTS / "daemon/rpc")]

from celwright.documents import write_document  # noqa: E402
from celwright.domain import ColorizeRequest, DecomposeRequest, SegmentRequest  # noqa: E402
from celwright.engine import Engine  # noqa: E402
from celwright.rpc.server import Server  # noqa: E402
from celwright.rpc.servicer import Facts  # noqa: E402
from celwright.settings import Settings  # noqa: E402

PATIENCE = 30.0  # seconds until a stuck test gives up; nothing waits that long


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short, because a socket's path is limited to some hundred bytes."""
    with tempfile.TemporaryDirectory(prefix="cw") as name:
        yield Path(name)


@pytest.fixture
def serve(folder: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers in this process whose jobs the given pipeline does."""
    servers: list[Server] = []

    def started(pipeline: Any, **changes: Any) -> Server:
        place = {"socket": folder / "d.sock", "host": "", "port": 0, "token_file": folder / "own/token"}
        settings = Settings(**{**place, **changes})
        kinds = (SegmentRequest, DecomposeRequest, ColorizeRequest)
        engine = Engine({kind: lambda: pipeline for kind in kinds}, queue_limit=settings.queue_limit)
        limit = settings.upload_bytes
        told = "9.8.7", settings.queue_limit, 300.0, limit, lambda: ["segment"], lambda: "cpu", lambda: False
        facts = Facts(*told, documents=write_document)
        servers.append(Server(settings, engine, facts))
        servers[-1].start()
        return servers[-1]

    yield started
    for server in servers:
        server.stop()


@pytest.fixture
def steered(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """A daemon as a process: with the gap 0 it works until cancelled, else until a line comes on stdin."""
    script = TESTS / "daemon/rpc/steered_daemon.py"
    command = [sys.executable, str(script), str(folder / "d.sock"), str(PATIENCE)]
    pipe = subprocess.PIPE
    daemon = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    watchdog = threading.Timer(PATIENCE, daemon.kill)
    watchdog.start()
    assert daemon.stdout is not None
    assert daemon.stdout.readline() == f"ready on unix:{folder}/d.sock\n"
    yield daemon
    watchdog.cancel()
    daemon.kill()
    daemon.communicate()
