"""The docker's tests run with PyQt5 in this process; here once more with PyQt6, which cannot be loaded beside it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).with_name("docker")


@pytest.mark.skipif("CELWRIGHT_TEST_QT" in os.environ, reason="a version of Qt was chosen")
def test_the_docker_passes_its_tests_with_qt_6_too() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", str(TESTS)]
    environment = {**os.environ, "CELWRIGHT_TEST_QT": "6"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=TESTS.parents[2])
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
