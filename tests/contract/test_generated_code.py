"""The code on both sides of the wire is what proto/generate.py makes, and never takes back what it once promised."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from celwright.rpc.generated import celwright_pb2 as pb
from celwright.rpc.servicer import Servicer

ROOT = Path(__file__).resolve().parents[2]


def test_the_generated_code_is_what_the_generator_makes() -> None:
    check = [sys.executable, str(ROOT / "proto/generate.py"), "--check"]
    done = subprocess.run(check, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_daemon_and_plugin_carry_the_same_messages() -> None:
    plugin = ROOT / "plugin_krita/celwright_krita/rpc/generated"
    ours = ROOT / "daemon/celwright/rpc/generated"
    for name in ("__init__.py", "celwright_pb2.py") if plugin.parent.parent.is_dir() else ():
        assert (plugin / name).read_bytes() == (ours / name).read_bytes()


def test_the_daemon_serves_every_method_of_the_wire() -> None:
    methods = pb.DESCRIPTOR.services_by_name["Celwright"].methods_by_name
    assert set(methods) <= vars(Servicer).keys()


def test_the_parts_of_every_upload_have_the_same_numbers() -> None:
    for kind in ("Decompose", "Segment", "Colorize", "Document"):
        fields = pb.DESCRIPTOR.message_types_by_name[f"{kind}Upload"].fields_by_name
        assert {name: field.number for name, field in fields.items()} == {"header": 1, "image": 2, "chunk": 3}
    for kind in ("Decompose", "Segment", "Colorize"):
        options = pb.DESCRIPTOR.message_types_by_name[f"{kind}Header"].fields_by_name["options"]
        assert (options.number, options.message_type.name) == (1, "JobOptions")


def test_the_plugin_gets_its_copy_as_soon_as_its_folder_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "proto/generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    plugin = tmp_path / "celwright_krita/rpc/generated"
    monkeypatch.setattr(generate, "PLUGIN", plugin)
    assert not any(path.is_relative_to(tmp_path) for path in generate.targets())
    (tmp_path / "celwright_krita").mkdir()
    targets = generate.targets()
    assert {path.name for path in targets if path.is_relative_to(plugin)} == {"__init__.py", "celwright_pb2.py"}
    assert targets[plugin / "celwright_pb2.py"] == (generate.DAEMON / "celwright_pb2.py").read_bytes()
