"""What Celwright costs on this machine: seconds and peak memory of its main jobs, each in a process of its own.

``python -m celwright.cli.bench NAME`` measures one job and prints it as JSON; ``measure`` runs them all so.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from celwright import wiring
from celwright.domain import ColorizeRequest, DecomposeRequest, Finished, Pixels, Request, SegmentRequest
from celwright.errors import CelwrightError, WrongUsageError

Seconds = dict[str, float]


@dataclass(frozen=True)
class Row:
    """``seconds`` by stage, ``total`` from the start of the process to its end; ``peak_mib`` of its memory."""

    name: str
    seconds: Seconds
    peak_mib: float | None
    note: str = ""


def line_page(width: int, height: int) -> Pixels:
    """Line art on transparency with some 300 regions and small openings in every tenth line."""
    rng = np.random.default_rng(7)
    ink = np.zeros((height, width), np.uint8)
    unit = max(width, height) / 1024
    for index in range(90):
        center = rng.integers(0, (width, height)).tolist()
        axes = (rng.uniform(20, 160, 2) * unit).astype(int).tolist()
        end = 360 if index % 10 else 357
        cv2.ellipse(ink, center, axes, rng.uniform(0, 180), 0, end, 255, max(1, round(3 * unit)), cv2.LINE_AA)
    rgba = np.zeros((height, width, 4), np.uint8)
    rgba[..., 3] = ink
    return Pixels(rgba)


def painted_page(width: int, height: int) -> Pixels:
    """A finished picture: the line page over coloured, half shaded surfaces."""
    line = line_page(width, height).data[..., 3:].astype(np.float32) / 255
    x, y = np.meshgrid(np.linspace(0, 12, width, dtype=np.float32), np.linspace(0, 12, height, dtype=np.float32))
    flat = np.stack([0.5 + 0.4 * np.sin(np.floor(x) * k + np.floor(y) * 2.4 * k) for k in (1.0, 1.7, 2.3)], axis=2)
    flat *= np.where((x + y) % 2 < 1, 1, 0.75)[..., None]
    picture = (flat * (1 - line) * 255 + 0.5).astype(np.uint8)
    return Pixels(np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)]))


def _run(request: Request) -> Seconds:
    started = time.perf_counter()
    finished = next(event for event in wiring.run(request) if isinstance(event, Finished))
    return {**finished.report.seconds, "run": time.perf_counter() - started}


def _segment(width: int, height: int) -> Seconds:
    return _run(SegmentRequest(line_page(width, height)))


def _decompose(width: int, height: int) -> Seconds:
    return _run(DecomposeRequest(painted_page(width, height)))


def _flatting(width: int, height: int) -> Seconds:
    return _run(ColorizeRequest(line_page(width, height), palette="flatting", shading=False))


def _write_psd(width: int, height: int) -> Seconds:
    from celwright.psd.tree import Layer
    from celwright.psd.write import write

    picture, line = painted_page(width, height), line_page(width, height)
    layers = [Layer("flat", picture), Layer("shadow", line, "multiply"), Layer("highlight", line, "screen")]
    with tempfile.TemporaryDirectory() as folder:
        first = Pixels(np.zeros((8, 8, 4), np.uint8))
        started = time.perf_counter()
        write(Path(folder) / "first.psd", [Layer("first", first)], first)
        loaded, target = time.perf_counter(), Path(folder) / "page.psd"
        write(target, [*layers, Layer("line", line)], picture)
        written = time.perf_counter()
        return {"load": loaded - started, "write": written - loaded, "MiB": target.stat().st_size / 2**20}


def _help() -> Seconds:
    return _command("--help")


def _command(*arguments: str) -> Seconds:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "celwright", *arguments], check=True, stdout=subprocess.DEVNULL)
    return {"start": time.perf_counter() - started}


def _serve() -> Seconds:
    """Until the daemon says that it is ready, then until it has ended."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        command = [sys.executable, "-m", "celwright", "serve", "--socket", str(Path(folder) / "s")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as daemon:
            assert daemon.stdout is not None
            daemon.stdout.readline()
            ready = time.perf_counter()
            daemon.terminate()
        return {"ready": ready - started, "end": time.perf_counter() - ready}


def _throughput() -> Seconds:
    from celwright.rpc.throughput import measure as moved

    best = moved(4096)
    return {"there and back": best.seconds, "again": best.reused_seconds, "MB/s": best.mb_per_second}


CASES: dict[str, Callable[[], Seconds]] = {
    "start: celwright --help": _help,
    "start: daemon ready": _serve,
    "segment 1024x1024": lambda: _segment(1024, 1024),
    "segment 1080x1920": lambda: _segment(1080, 1920),
    "segment 2048x2048": lambda: _segment(2048, 2048),
    "segment 4096x4096": lambda: _segment(4096, 4096),
    "flatting 2048x2048": lambda: _flatting(2048, 2048),
    "decompose 1024x1536": lambda: _decompose(1024, 1536),
    "decompose 2048x2048": lambda: _decompose(2048, 2048),
    "write PSD 1024x1024": lambda: _write_psd(1024, 1024),
    "write PSD 4096x4096": lambda: _write_psd(4096, 4096),
    "daemon: 4096x4096 RGBA": _throughput,
}


def measure(only: str = "") -> Iterator[Row]:
    """One row per job whose name contains ``only``; each is measured in a fresh process."""
    names = [name for name in CASES if only in name]
    if not names:
        raise WrongUsageError(f"No measurement has {only!r} in its name; there are: {'; '.join(CASES)}.")
    for name in names:
        started = time.perf_counter()
        done = subprocess.run([sys.executable, "-m", __name__, name], capture_output=True, text=True)
        if done.returncode:
            raise CelwrightError(f"The measurement {name!r} failed: {done.stderr.strip().splitlines()[-1]}")
        row = json.loads(done.stdout)
        total = time.perf_counter() - started
        yield Row(name, {**row["seconds"], "total": total}, row["peak_mib"])


def table(rows: list[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ["| job | figures (seconds unless named) | total, s | peak memory, MiB |", "|---|---|---:|---:|"]
    for row in rows:
        stages = ", ".join(f"{stage} {value:.2f}" for stage, value in row.seconds.items() if stage != "total")
        peak = "" if row.peak_mib is None else f"{row.peak_mib:.0f}"
        lines.append(f"| {row.name} | {stages} | {row.seconds['total']:.2f} | {peak} |")
    return "\n".join(lines)


def _peak_mib() -> float | None:
    """The most memory that this process or one it waited for has held; None where the system does not tell."""
    try:
        import resource
    except ImportError:
        return None
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / unit


if __name__ == "__main__":
    seconds = CASES[sys.argv[1]]()
    print(json.dumps(asdict(Row(sys.argv[1], seconds, _peak_mib()))))
