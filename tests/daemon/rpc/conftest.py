"""A real server on a real Unix socket (or loopback port), started by each test with the pipeline it needs."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from celwright.domain import ColorizeRequest, DecomposeRequest, Pixels, SegmentRequest
from celwright.engine import Engine
from celwright.rpc.server import Server
from celwright.rpc.servicer import Facts
from celwright.settings import Settings
from daemon_under_test import Daemon, StartDaemon


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short, because a socket's path is limited to some hundred bytes."""
    with tempfile.TemporaryDirectory(prefix="cw") as name:
        yield Path(name)


@pytest.fixture
def start_daemon(folder: Path) -> Iterator[StartDaemon]:
    daemons: list[Daemon] = []

    def start(pipeline: Any, *, facts: Mapping[str, Any] | None = None, **changes: Any) -> Daemon:
        place = {"socket": folder / "d.sock", "host": "", "port": 0, "token_file": folder / "own/token"}
        settings = Settings(**{**place, **changes})
        kinds = (SegmentRequest, DecomposeRequest, ColorizeRequest)
        engine = Engine({kind: lambda: pipeline for kind in kinds}, queue_limit=settings.queue_limit)
        told: dict[str, Any] = {
            "version": "9.8.7",
            "queue_limit": settings.queue_limit,
            "idle_seconds": settings.idle_seconds,
            "upload_bytes": settings.upload_bytes,
            "capabilities": lambda: ["segment", "colorize.hints"],
            "device": lambda: "cpu",
            "torch_loaded": lambda: False,
        }
        server = Server(settings, engine, Facts(**{**told, **(facts or {})}))
        server.start()
        daemons.append(Daemon(server, settings, engine))
        return daemons[-1]

    yield start
    for daemon in daemons:
        daemon.stop()


@pytest.fixture
def noise() -> Callable[..., Pixels]:
    """Random pictures: ``noise(width, height, channels, depth, seed)``."""

    def make(width: int = 40, height: int = 24, channels: int = 4, depth: int = 8, seed: int = 0) -> Pixels:
        kind = np.uint8 if depth == 8 else np.uint16
        return Pixels(np.random.default_rng(seed).integers(1, 2**depth, (height, width, channels), kind))

    return make
