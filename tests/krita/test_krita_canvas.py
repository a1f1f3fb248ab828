"""The plugin's canvas in a real Krita: each check of canvas_checks.py is a test, and all run in one Krita."""

import ast
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import window

pytestmark = pytest.mark.skipif(shutil.which(window.RUNNER) is None, reason="Krita is not installed")
SOURCE = (Path(__file__).parent / "canvas_checks.py").read_text(encoding="utf-8")
CHECKS = [node.name for node in ast.parse(SOURCE).body if getattr(node, "name", "").startswith("check_")]


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory, run_in_krita: Callable[..., Any]) -> dict[str, str | None]:
    folder = tmp_path_factory.mktemp("canvas")
    done = run_in_krita("canvas_checks", FOLDER=folder, ANSWER=folder / "answer")
    lines = [json.loads(line) for line in (folder / "answer").read_text(encoding="utf-8").splitlines()]
    told = {
        line["begun"]: f"Krita ended in the middle of it:\n{done.stderr[-2000:]}" for line in lines if "begun" in line
    }
    return {**told, **{line["name"]: line["fault"] for line in lines if "name" in line}}


@pytest.mark.parametrize("check", CHECKS)
def test_in_krita(check: str, faults: dict[str, str | None]) -> None:
    fault = faults.get(check, "Krita ended before it.")
    if fault is not None:
        pytest.fail(fault, pytrace=False)
