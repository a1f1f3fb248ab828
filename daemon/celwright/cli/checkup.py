"""What has to work on a machine, each checked by doing it. Knows nothing of how the findings are shown."""

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from celwright import __version__, installed, wiring
from celwright.errors import CelwrightError


@dataclass
class Finding:
    """``text`` says what was found and, when it is not ``ok``, what to do."""

    name: str
    ok: bool
    text: str


def checkup() -> Iterator[Finding]:
    """Every finding, in the order a support thread would ask for them; nothing in them names the user."""
    for name, check in CHECKS.items():
        try:
            yield Finding(name, True, check())
        except CelwrightError as fault:
            yield Finding(name, False, str(fault))
        except (ImportError, OSError) as fault:
            yield Finding(name, False, f"{type(fault).__name__}: {fault}; install Celwright anew.")


def _version() -> str:
    return f"Celwright {__version__}, Python {sys.version.split()[0]}, {platform.system()} {platform.machine()}"


def _devices() -> str:
    return wiring.device()


def _models() -> str:
    rows = installed.models()
    damaged = [row["id"] for row in rows if row["state"] != "ok"]
    if damaged:
        raise CelwrightError(f"{', '.join(damaged)} cannot be used; install Celwright anew.")
    return f"{len(rows)} installed and intact: {', '.join(row['id'] for row in rows)}"


def _decompose() -> str:
    import numpy as np

    from celwright.domain import DecomposeRequest, Finished, Pixels

    picture = Pixels(np.full((64, 64, 3), (200, 120, 80), np.uint8))
    result = next(event for event in wiring.run(DecomposeRequest(picture)) if isinstance(event, Finished))
    error = result.report.recomposition
    assert error is not None
    return f"a 64x64 picture in four layers, {error.max:.0f}/255 off at most"


def _layered_files() -> str:
    import numpy as np

    from celwright.domain import Pixels
    from celwright.imaging.files import read_picture
    from celwright.psd import write
    from celwright.psd.tree import Layer

    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "page.psd"
        flat = Pixels(np.full((16, 16, 4), (9, 99, 199, 255), np.uint8))
        write.write(target, [Layer("flat", flat)], flat)
        again, _ = read_picture(target)
        if not np.array_equal(again.rgba().data, flat.data):
            raise CelwrightError("A PSD does not read back as it was written; install Celwright anew.")
    return "a PSD was written and read back"


def _daemon() -> str:
    answer = wiring.status("auto")
    return f"running, version {answer['version']}"


def _daemon_or_none() -> str:
    from celwright.errors import DaemonUnreachableError

    try:
        return _daemon()
    except DaemonUnreachableError:
        return "not running (start it with: celwright serve)"


def _room() -> str:
    free = shutil.disk_usage(tempfile.gettempdir()).free / 2**30
    if free < 1:
        raise CelwrightError(f"{free:.1f} GiB are free for temporary files; 1 GiB is needed: free some.")
    return f"{os.cpu_count()} cores, {free:.0f} GiB free for temporary files"


CHECKS: dict[str, Callable[[], str]] = {
    "version": _version,
    "machine": _room,
    "device": _devices,
    "models": _models,
    "decompose": _decompose,
    "layered files": _layered_files,
    "daemon": _daemon_or_none,
}
