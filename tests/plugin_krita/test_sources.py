"""What the plugin's sources promise: Python 3.8, nothing compiled, and who may import whom."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PLUGIN = Path(__file__).resolve().parents[2] / "plugin_krita" / "celwright_krita"
SOURCES = sorted(PLUGIN.rglob("*.py"))
NAME = "celwright_krita"
SEAMS = {"errors", "pixels", "domain", "document", "canvas", "state", "texts", "settings"}
FLOORS = {  # module or folder → what it may import of the plugin
    "errors": set(),
    "texts": set(),
    "canvas": set(),
    "pixels": {"errors"},
    "settings": {"errors"},
    "domain": {"pixels"},
    "document": {"pixels"},
    "state": {"canvas", "domain", "pixels"},
    "rpc": {"errors", "pixels", "domain", "document"},
    "client": {"__version__", "errors", "pixels", "domain", "document", "rpc"},
    "saving": {"document", "domain", "errors"},
    "session": {*SEAMS, "__version__", "rpc", "client", "saving"},
    "window": {*SEAMS, "session"},
    "rim": {*SEAMS, "session", "window"},
}
FOREIGN = {"krita": "rim", "PyQt5": "window/qt.py", "PyQt6": "window/qt.py"}  # who alone may import what
COMPILED = {"numpy", "torch", "grpc", "cv2", "PIL"}


def imported(path: Path) -> set[str]:
    """Absolute names of what ``path`` imports, ``from a import b`` as a.b."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PLUGIN)))
def test_every_module_is_python_3_8_and_imports_nothing_compiled(path: Path) -> None:
    names = imported(path)
    assert not {name.partition(".")[0] for name in names} & {*COMPILED, "celwright"}
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 200
    wire = {name for name in names if name.partition(".")[0] in ("google", "h2", "hyperframe")}
    assert not wire or path.is_relative_to(PLUGIN / "rpc")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PLUGIN)))
def test_each_part_imports_only_what_lies_below_it(path: Path) -> None:
    part = path.relative_to(PLUGIN).with_suffix("").parts[0]
    names = imported(path)
    ours = {name.split(".")[1] for name in names if name.startswith(f"{NAME}.")}
    assert ours <= FLOORS.get(part, {"rim"}) | {part}
    for module, place in FOREIGN.items():
        if {name for name in names if name.partition(".")[0] == module}:
            assert str(path.relative_to(PLUGIN)).startswith(place)
