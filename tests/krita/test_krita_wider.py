"""Animations, themes, sharp screens and sources of colours in a real Krita: each check of wider_checks.py is a test.

All run in one Krita, the themes once more on a screen with two device pixels to a logical one. Pictures of the screen
are kept in build/krita_shots/wider and build/krita_shots/sharp.
"""

import ast
from pathlib import Path
from typing import Any

import pytest
import window

pytestmark = pytest.mark.skipif(bool(window.MISSING), reason=f"not installed: {' '.join(window.MISSING)}")
SCENARIO = Path(__file__).with_name("wider_checks.py")
CHECKS = [
    node.name
    for node in ast.parse(SCENARIO.read_text(encoding="utf-8")).body
    if isinstance(node, ast.FunctionDef) and node.name.startswith("check_")
]
LEGIBLE = next(check for check in CHECKS if "legible" in check)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return window.make_home(tmp_path_factory.mktemp("krita") / "home")


def _played(home: Path, display: str, shots: str, **more: object) -> window.Played:
    for old in (window.SHOTS / shots).glob("*.png"):
        old.unlink()
    krita = window.Krita(home, display, SCENARIO, CELWRIGHT_TEST_SHOTS=window.SHOTS / shots, **more)
    try:
        return krita.wait(900)
    finally:
        krita.kill()


@pytest.fixture(scope="module")
def wider(home: Path) -> dict[str, Any]:
    with window.screen() as display:
        played = _played(home, display, "wider")
    assert played.code == 0, played.log[-3000:]
    return played.ends


def _ended_well(ends: dict[str, Any], check: str) -> dict[str, Any]:
    end = ends.get(check, {"fault": "Krita ended before it."})
    if end["fault"] is not None:
        pytest.fail(end["fault"], pytrace=False)
    if end["skipped"]:
        pytest.skip(end["skipped"])
    return dict(end["facts"])


@pytest.mark.parametrize("check", CHECKS)
def test_in_krita(check: str, wider: dict[str, Any]) -> None:
    _ended_well(wider, check)


def test_the_docker_is_legible_and_sharp_on_a_screen_with_two_device_pixels_to_a_logical_one(
    home: Path, wider: dict[str, Any]
) -> None:
    assert wider
    with window.screen(window.doubled(window.SCREEN)) as display:
        played = _played(home, display, "sharp", QT_SCALE_FACTOR=2, CELWRIGHT_TEST_ONLY="legible")
    assert played.code == 0, played.log[-3000:]
    assert _ended_well(played.ends, LEGIBLE)["device pixels"] == 2
