"""What the plugin's sources promise: Python 3.8, nothing compiled, and who may import whom."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PLUGIN = Path(__file__).resolve().parents[2] / "plugin_krita" / "celwright_krita"
SOURCES = sorted(PLUGIN.rglob("*.py"))
NAME = "celwright_krita"
FLOORS = {  # module → what it may import of the plugin
    "errors": set(),
    "pixels": {"errors"},
    "settings": {"errors"},
    "domain": {"pixels"},
    "rpc.framing": set(),
    "rpc.call": {"errors", "rpc.framing"},
    "rpc.faults": {"errors", "rpc.call"},
    "rpc.channel": {"errors", "rpc.call", "rpc.faults", "rpc.framing"},
    "rpc.images": {"errors", "pixels", "rpc.generated"},
    "rpc.messages": {"errors", "pixels", "domain", "rpc.generated", "rpc.images"},
}
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


@pytest.mark.parametrize("module", FLOORS)
def test_each_module_imports_only_what_lies_below_it(module: str) -> None:
    names = imported(PLUGIN / f"{module.replace('.', '/')}.py")
    ours = {name.removeprefix(f"{NAME}.") for name in names if name.startswith(f"{NAME}.")}
    assert not [name for name in ours if not any(f"{name}.".startswith(f"{low}.") for low in FLOORS[module])]
