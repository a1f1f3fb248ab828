"""The zip that artists install: Krita's own importer takes it, and it talks to the daemon in any Python that Krita has,
beside another plugin's protobuf and h2."""

import builtins
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from celwright.rpc.server import Server
from daemon_under_test import Echo

ROOT = Path(__file__).resolve().parents[2]
DESKTOP = "[Desktop Entry]\nType=Service\nX-KDE-Library=celwright_krita\nName=Celwright\n"
IMPORTER = Path("/usr/share/krita/pykrita/plugin_importer/plugin_importer.py")
OTHERS = ("google", "h2", "hpack", "hyperframe")
TALK = """
import sys
import google.protobuf, h2, hpack, hyperframe
theirs = dict(sys.modules)
from celwright_krita import domain
from celwright_krita.client import Client
from celwright_krita.pixels import Pixels
from celwright_krita.vendor.google.protobuf.internal import api_implementation
picture = Pixels(bytes(range(256)) * 4096, 512, 512)
for _ in range(2):
    *_, finished = Client(sys.argv[1]).job(domain.DecomposeRequest(picture))
    assert finished.images["flat"].data == picture.data
new = [name for name in sys.modules if name.partition(".")[0] in ("google", "h2", "hpack", "hyperframe")]
assert all(sys.modules[name] is theirs.get(name) for name in new), new
assert google.protobuf.__version__ == "2.0 of another plugin"
print(api_implementation.Type(), Client(sys.argv[1]).status().version)
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plugin's folder, with a desktop file as long as the plugin has none of its own."""
    folder = tmp_path_factory.mktemp("plugin") / "plugin_krita"
    shutil.copytree(ROOT / "plugin_krita", folder, ignore=shutil.ignore_patterns("__pycache__"))
    if not (folder / "celwright_krita.desktop").exists():
        (folder / "celwright_krita.desktop").write_text(DESKTOP, encoding="utf-8")
    return folder


def build(source: Path, target: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(ROOT / "installers/build_plugin.py"), "--source", str(source), "-o", str(target)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture(scope="module")
def plugin_zip(source: Path) -> Path:
    target = source.parent / "celwright_krita.zip"
    done = build(source, target)
    assert done.returncode == 0, done.stderr
    return target


def test_the_zip_is_the_same_every_time_and_holds_nothing_compiled(source: Path, plugin_zip: Path) -> None:
    again = source.parent / "again.zip"
    build(source, again)
    assert again.read_bytes() == plugin_zip.read_bytes()
    names = zipfile.ZipFile(plugin_zip).namelist()
    assert not [name for name in names if name.endswith((".so", ".pyd", ".pyc"))]
    assert {name.split("/")[0] for name in names} == {"actions", "celwright_krita", "celwright_krita.desktop"}
    assert "celwright_krita/LICENSE" in names


def test_a_folder_without_a_desktop_file_makes_no_zip(source: Path, tmp_path: Path) -> None:
    shutil.copytree(source, tmp_path / "plugin_krita")
    (tmp_path / "plugin_krita/celwright_krita.desktop").unlink()
    done = build(tmp_path / "plugin_krita", tmp_path / "no.zip")
    assert (done.returncode, (tmp_path / "no.zip").exists()) == (1, False)
    assert done.stderr.splitlines()[-1] == (
        "plugin_krita/celwright_krita.desktop is missing, without which Krita takes no plugin; nothing was written."
    )


def test_an_import_that_cannot_be_made_private_stops_the_build(source: Path, tmp_path: Path) -> None:
    shutil.copytree(source, tmp_path / "plugin_krita")
    (tmp_path / "plugin_krita/celwright_krita/odd.py").write_text("import os, h2\n", encoding="utf-8")
    done = build(tmp_path / "plugin_krita", tmp_path / "no.zip")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "celwright_krita/odd.py imports a package in a way that is not known here, in line 1."
    )


@pytest.mark.skipif(not IMPORTER.exists(), reason="Krita is not installed")
def test_kritas_own_importer_takes_the_zip(plugin_zip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtins, "i18n", str, raising=False)
    spec = importlib.util.spec_from_file_location("plugin_importer", IMPORTER)
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    importer = module.PluginImporter(str(plugin_zip), str(tmp_path), lambda plugin: False)
    (imported,) = importer.import_all()
    importer.archive.close()
    assert (imported["name"], imported["ui_name"]) == ("celwright_krita", "Celwright")
    assert (tmp_path / "pykrita/celwright_krita.desktop").is_file()
    assert (tmp_path / "pykrita/celwright_krita/vendor/google/protobuf/message.py").is_file()


def _pythons() -> list[Any]:
    """Each Python that Krita may embed and that runs here; the one that runs the tests always."""
    found = [pytest.param(sys.executable, id="this")]
    for version in ("3.8", "3.13"):
        probe = [f"python{version}", "-c", "import sys; print(sys.executable)"]
        for command in (probe, ["env", f"PYENV_VERSION={version}", *probe]):
            try:
                told = subprocess.run(command, capture_output=True, text=True)
            except OSError:
                continue
            if told.returncode == 0:
                found.append(pytest.param(told.stdout.strip(), id=version))
                break
    return found


@pytest.mark.parametrize("python", _pythons())
def test_the_installed_plugin_works_beside_another_plugins_packages(
    python: str, plugin_zip: Path, tmp_path: Path, serve: Callable[..., Server]
) -> None:
    plugins, others = tmp_path / "pykrita", tmp_path / "others"
    zipfile.ZipFile(plugin_zip).extractall(plugins)
    for name in OTHERS:
        (others / name).mkdir(parents=True)
        (others / name / "__init__.py").write_text("", encoding="utf-8")
    (others / "google/protobuf").mkdir()
    (others / "google/protobuf/__init__.py").write_text("__version__ = '2.0 of another plugin'", encoding="utf-8")
    server = serve(Echo())
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join((str(others), str(plugins))),
        "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "upb",
        "LC_ALL": "C.UTF-8",
    }
    command = [python, "-W", "error", "-c", TALK, server.address]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "python 9.8.7\n", "")
