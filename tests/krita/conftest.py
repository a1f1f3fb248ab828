"""A home for a real Krita, and scripts that run inside it without a window."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import window

HERE = Path(__file__).parent
PLUGIN = HERE.parents[1] / "plugin_krita"


@pytest.fixture(scope="session")
def krita_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home for all runs: the first start builds a resource database."""
    home = tmp_path_factory.mktemp("krita")
    (home / "run").mkdir(mode=0o700)
    return home


@pytest.fixture(scope="session")
def run_in_krita(krita_home: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """``run(script, NAME=value, ...)`` runs main() of tests/krita/script.py inside Krita with these variables."""

    def run(script: str, **variables: object) -> subprocess.CompletedProcess[str]:
        environment = {
            "HOME": str(krita_home), "XDG_RUNTIME_DIR": str(krita_home / "run"), "PATH": os.defpath,
            "LC_ALL": "C.UTF-8", "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": f"{HERE}:{PLUGIN}",
            "PYTHONDONTWRITEBYTECODE": "1", **{name: str(value) for name, value in variables.items()},
        }  # fmt: skip
        command = [shutil.which(window.RUNNER) or "", "-s", script, "-f", "main"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180)

    return run
