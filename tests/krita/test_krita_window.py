"""The plugin in a real Krita's window: each check of window_checks.py is a test, and all run in one Krita.

Pictures of the screen are kept in build/krita_shots, what was measured in build/krita_shots/figures.json.
"""

import ast
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import window
from PIL import Image
from psd_tools import PSDImage

pytestmark = pytest.mark.skipif(bool(window.MISSING), reason=f"not installed: {' '.join(window.MISSING)}")
SCENARIO = Path(__file__).with_name("window_checks.py")
CHECKS = [
    node.name
    for node in ast.parse(SCENARIO.read_text(encoding="utf-8")).body
    if isinstance(node, ast.FunctionDef) and node.name.startswith("check_")
]
FOUR = [("flat", "normal"), ("shadow", "multiply"), ("highlight", "screen"), ("line", "normal")]


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    with window.screen() as name:
        yield name


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all: Krita's first start builds a resource database."""
    return window.make_home(tmp_path_factory.mktemp("krita") / "home")


@pytest.fixture(scope="module")
def played(home: Path, display: str) -> window.Played:
    for old in window.SHOTS.glob("*.png"):
        old.unlink()
    begun, before = time.monotonic(), os.times()
    krita = window.Krita(home, display, SCENARIO)
    try:
        played = krita.wait(1800)
    finally:
        krita.kill()
    measured = {name: end["facts"] for name, end in played.ends.items() if end["facts"]}
    after = os.times()
    worked = after.children_user + after.children_system - before.children_user - before.children_system
    measured["in all"] = {"seconds": round(time.monotonic() - begun), "worked by all cores": round(worked)}
    window.SHOTS.mkdir(parents=True, exist_ok=True)
    (window.SHOTS / "figures.json").write_text(json.dumps(measured, indent=1, ensure_ascii=False), encoding="utf-8")
    return played


def _ended_well(played: window.Played, check: str) -> dict[str, Any]:
    end = played.ends.get(check, {"fault": f"Krita ended before it (code {played.code}):\n{played.log[-3000:]}"})
    if end["fault"] is not None:
        pytest.fail(end["fault"], pytrace=False)
    return dict(end["facts"])


@pytest.mark.parametrize("check", CHECKS)
def test_in_krita(check: str, played: window.Played) -> None:
    _ended_well(played, check)


def test_krita_quits_well_and_its_daemon_with_it(played: window.Played) -> None:
    facts = _ended_well(played, CHECKS[-1])
    assert played.code == 0, played.log[-3000:]
    assert facts["daemons"]
    for daemon in facts["daemons"]:
        assert window.gone(daemon), daemon


@pytest.mark.parametrize("name", ["krita.psd", "celwright.psd"])
def test_both_psd_files_have_the_four_layers(name: str, played: window.Played, home: Path) -> None:
    _ended_well(played, next(check for check in CHECKS if "kra_and_psd" in check))
    document = PSDImage.open(home / name)
    group = next(layer for layer in document.descendants() if layer.name.strip("\0").startswith("Colorize – "))
    assert [(layer.name.strip("\0"), layer.blend_mode.name.lower()) for layer in group] == FOUR
    if name == "celwright.psd":  # Krita writes no clipping
        assert [layer.clipping for layer in group] == [False, True, True, False]


def test_both_psd_files_have_the_same_pixels(played: window.Played, home: Path) -> None:
    _ended_well(played, next(check for check in CHECKS if "kra_and_psd" in check))
    theirs, ours = ({layer.name.strip("\0"): layer for layer in PSDImage.open(home / name).descendants()}
                    for name in ("krita.psd", "celwright.psd"))  # fmt: skip
    for name, _ in FOUR:
        pictures = []
        for layer in (theirs[name], ours[name]):  # each by itself, without what is clipped to it
            pictures.append(Image.new("RGBA", (400, 300)))
            pictures[-1].paste(layer.topil().convert("RGBA"), layer.offset)
        seen = [np.asarray(picture) for picture in pictures]
        assert np.array_equal(seen[0][..., 3], seen[1][..., 3]), name
        assert np.array_equal(*(image[image[..., 3] > 0] for image in seen)), name


def test_a_daemon_that_runs_already_is_used_and_left_running_and_a_file_remembers_its_results(
    home: Path, display: str, played: window.Played
) -> None:
    _ended_well(played, next(check for check in CHECKS if "kra_and_psd" in check))
    variables = window.environment(home)
    command = [variables["CELWRIGHT_COMMAND"], "serve"]
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True) as daemon:
        try:
            assert daemon.stdout is not None
            assert daemon.stdout.readline().startswith("ready on ")
            krita = window.Krita(home, display, SCENARIO.with_name("adopting_checks.py"))
            try:
                second = krita.wait(600)
            finally:
                krita.kill()
            _ended_well(second, "check_a_daemon_that_runs_already_is_used_and_not_ours")
            _ended_well(second, "check_a_result_is_made_again_from_what_its_file_remembers")
            assert second.code == 0, second.log[-3000:]
            assert daemon.poll() is None
        finally:
            daemon.send_signal(signal.SIGTERM)


def test_the_daemon_ends_when_krita_is_killed(home: Path, display: str) -> None:
    krita = window.Krita(home, display, SCENARIO.with_name("killing_checks.py"))
    try:
        patience = time.monotonic() + 600
        while "check_krita_waits_to_be_killed" not in krita.played.ends and time.monotonic() < patience:
            assert krita.process.poll() is None, krita.played.log[-3000:]
            time.sleep(0.1)
        facts = _ended_well(krita.played, "check_the_plugin_starts_a_daemon")
        assert window.alive(facts["daemons"][0])
    finally:
        krita.kill()
    assert window.gone(facts["daemons"][0])
