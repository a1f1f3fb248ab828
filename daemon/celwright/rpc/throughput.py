"""How fast pixels cross the wire: a picture to a daemon of its own process and the same picture back.

``python -m celwright.rpc.throughput SOCKET`` is that daemon; its one pipeline gives back what came. Only measurements
start it.
"""

import os
import queue
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from celwright.domain import Event, Finished, Pixels, Report, SegmentRequest
from celwright.engine import Engine
from celwright.rpc.client import Client
from celwright.rpc.server import end_signals, serve
from celwright.rpc.servicer import Facts
from celwright.settings import Settings


class EchoPipeline:
    """Gives the line art back as the regions."""

    def run(self, request: SegmentRequest) -> Iterator[Event]:
        yield Finished({"regions": request.line_art}, Report())

    def unload(self) -> None:
        """Holds nothing."""


@dataclass(frozen=True)
class Throughput:
    """One picture there and back. ``seconds`` from the request to the assembled result, hashing included;
    ``reused_seconds`` when the daemon holds the picture already; ``cpu_seconds`` of both processes for the first."""

    mib: float
    seconds: float
    reused_seconds: float
    cpu_seconds: float

    @property
    def mb_per_second(self) -> float:
        """Both directions together, 10^6 bytes."""
        return 2 * self.mib * 2**20 / 1e6 / self.seconds


def measure(side: int = 4096, *, tcp: bool = False, repeats: int = 5) -> Throughput:
    """The best of ``repeats`` with a random RGBA picture of ``side`` x ``side`` pixels."""
    picture = np.random.default_rng(0).integers(0, 256, (side, side, 4), np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", __name__, folder, *(["tcp"] if tcp else [])]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as daemon:
            assert daemon.stdout is not None
            address = daemon.stdout.readline().strip()
            token = (Path(folder) / "token").read_text(encoding="ascii") if tcp else ""
            try:
                with Client(address, token) as client:
                    client.status()
                    runs = [_there_and_back(client, picture, daemon.pid, repeat) for repeat in range(repeats)]
            finally:
                daemon.terminate()
    seconds, cpu = min((first, cpu) for first, _, cpu in runs)
    return Throughput(picture.nbytes / 2**20, seconds, min(again for _, again, _ in runs), cpu)


def _there_and_back(client: Client, picture: NDArray[np.uint8], pid: int, repeat: int) -> tuple[float, float, float]:
    picture[0, 0] = repeat  # another content
    request = SegmentRequest(Pixels(picture))
    cpu = -_cpu_seconds(pid)
    started = time.perf_counter()
    back = _result(client, request)
    first = time.perf_counter() - started
    cpu += _cpu_seconds(pid)
    if not np.array_equal(back.data, picture):
        raise AssertionError("what came back is not what was sent")
    started = time.perf_counter()
    _result(client, request)
    return first, time.perf_counter() - started, cpu


def _result(client: Client, request: SegmentRequest) -> Pixels:
    return next(event for event in client.run(request) if isinstance(event, Finished)).images["regions"]


def _cpu_seconds(pid: int) -> float:
    """CPU time of this process and of ``pid`` (where /proc tells)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return time.process_time()
    return time.process_time() + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(folder: str, tcp: bool) -> None:
    place = Path(folder)
    settings = Settings(socket=place / "echo.sock", host="127.0.0.1" if tcp else "", port=0, token_file=place / "token")
    facts = Facts("bench", 8, 300.0, settings.upload_bytes, lambda: ["segment"], lambda: "cpu", lambda: False)
    signals: queue.SimpleQueue[int]
    with end_signals() as signals:
        serve(settings, Engine({SegmentRequest: EchoPipeline}), facts, lambda at: print(at, flush=True), signals)


if __name__ == "__main__":
    main(sys.argv[1], "tcp" in sys.argv[2:])
