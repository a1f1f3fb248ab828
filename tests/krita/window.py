"""A real Krita with its window on a screen that nobody sees, with the plugin as an artist installs it.

The zip that installers/build_plugin.py makes is unpacked as Krita's "Import Python Plugin from File" does; a second
plugin, the driver, plays a scenario. Krita gets a home and an environment of its own, so nothing of the user's is used.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SHOTS = ROOT / "build" / "krita_shots"
SCREEN = "1600x1000x24"
PLUGINS = ("celwright_krita", "celwright_driver")
KRITA = os.environ.get("CELWRIGHT_TEST_KRITA", "krita")  # a program's full path, or its name on PATH
RUNNER = str(Path(KRITA).with_name("kritarunner"))
MISSING = [name for name in (KRITA, "Xvfb") if shutil.which(name) is None]


@contextlib.contextmanager
def screen(size: str = SCREEN) -> Iterator[str]:
    """The display's name."""
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", size, "-noreset", "-nolisten", "tcp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout is not None
            number = server.stdout.readline().strip()
            assert number, "Xvfb did not start"
            yield f":{number}"
        finally:
            server.terminate()


def doubled(size: str) -> str:
    """A screen of twice the width and height."""
    width, height, depth = size.split("x")
    return f"{2 * int(width)}x{2 * int(height)}x{depth}"


def make_home(home: Path) -> Path:
    """A user's folders, with both plugins imported and enabled."""
    data, config = home / "data", home / "config"
    for folder in (data / "krita" / "actions", data / "krita" / "pykrita", config, home / "cache"):
        folder.mkdir(parents=True)
    (home / "run").mkdir(mode=0o700)
    built = home / "celwright_krita.zip"
    build = [sys.executable, str(ROOT / "installers" / "build_plugin.py"), "-o", str(built)]
    subprocess.run(build, check=True, capture_output=True)
    with zipfile.ZipFile(built) as archive:
        for name in archive.namelist():
            archive.extract(name, data / "krita" if name.startswith("actions/") else data / "krita" / "pykrita")
    for part in (HERE / "driver").iterdir():
        target = data / "krita" / "pykrita" / part.name
        shutil.copytree(part, target) if part.is_dir() else shutil.copy(part, target)
    enabled = "".join(f"enable_{name}=true\n" for name in PLUGINS)
    (config / "kritarc").write_text(f"[python]\n{enabled}", encoding="utf-8")
    # Without a graphics card OpenGL is computed and takes more time than everything else together.
    (config / "kritadisplayrc").write_text("[General]\nOpenGLRenderer=none\ncanvasState=OPENGL_FAILED\n")
    return home


def environment(home: Path, **more: object) -> dict[str, str]:
    """All that Krita, the plugin and its daemon get to know."""
    return {
        "HOME": str(home), "XDG_DATA_HOME": str(home / "data"), "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_CACHE_HOME": str(home / "cache"), "XDG_RUNTIME_DIR": str(home / "run"), "PATH": "/usr/bin:/bin",
        "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1",
        "CELWRIGHT_COMMAND": str(Path(sys.executable).with_name("celwright")),
        **{name: str(value) for name, value in more.items()},
    }  # fmt: skip


class Played:
    """What came of a scenario: ``ends`` by the checks' names, and Krita's exit code (None while it runs)."""

    def __init__(self, answer: Path, log: Path) -> None:
        self._answer = answer
        self._log = log
        self.code: int | None = None

    def _lines(self) -> list[dict[str, Any]]:
        text = self._answer.read_text(encoding="utf-8") if self._answer.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    @property
    def ends(self) -> dict[str, dict[str, Any]]:
        lines = self._lines()
        broken = f"Krita ended in the middle of it (code {self.code}):\n{self.log[-3000:]}"
        ends: dict[str, dict[str, Any]] = {
            line["begun"]: {"fault": broken, "facts": {}} for line in lines if "begun" in line
        }
        return {**ends, **{line["name"]: line for line in lines if "name" in line}}

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""


class Krita:
    """Krita's process while it plays a scenario."""

    def __init__(self, home: Path, display: str, scenario: Path, **more: object) -> None:
        answer, log = home / f"{scenario.stem}.answer", home / f"{scenario.stem}.log"
        usual = {"CELWRIGHT_TEST_FOLDER": home, "CELWRIGHT_TEST_SHOTS": SHOTS}
        variables = environment(
            home, DISPLAY=display, CELWRIGHT_TEST_SCENARIO=scenario.with_suffix(""), CELWRIGHT_TEST_ANSWER=answer,
            **{**usual, **more},
        )  # fmt: skip
        answer.unlink(missing_ok=True)  # of a run before
        self.played = Played(answer, log)
        with open(log, "wb") as file:
            self.process = subprocess.Popen(
                [KRITA, "--nosplash"], env=variables, cwd=home, stdout=file, stderr=file, start_new_session=True
            )

    def wait(self, seconds: float) -> Played:
        """Until Krita has quit by itself; it is killed when it does not."""
        try:
            self.played.code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
        return self.played

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGKILL)
        self.played.code = self.process.wait()


def alive(pid: int) -> bool:
    """Whether the process lives; one that nobody has reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pid: int, seconds: float = 120) -> bool:
    """Whether the process ends within ``seconds``."""
    patience = time.monotonic() + seconds
    while alive(pid):
        if time.monotonic() > patience:
            return False
        time.sleep(0.05)
    return True
