"""What the repository promises about itself."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import celwright
import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "daemon" / "celwright"
SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if "generated" not in path.parts)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def _tracked() -> list[Path]:
    """The files git tracks; those on disk where this is no checkout."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        return [path for path in ROOT.rglob("*") if path.is_file() and ".venv" not in path.parts]
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def test_package_and_project_name_one_version() -> None:
    assert PROJECT["version"] == celwright.__version__


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_module_says_what_it_is_for_and_stays_readable(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if text.strip():
        assert ast.get_docstring(ast.parse(text)), "a module docstring is missing"
    assert len(text.splitlines()) <= 300


def test_contributing_names_every_dependency() -> None:
    table = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    wanted = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["test"]
    names = [re.split(r"[<>=\[ ]", requirement)[0] for requirement in wanted]
    assert not [name for name in names if not name.startswith("types-") and f"{name}" not in table]


def test_the_constraints_pin_every_dependency() -> None:
    pinned = {
        re.sub(r"[-_.]+", "-", line.split("==")[0]).lower()
        for line in (ROOT / "installers" / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line
    }
    names = [re.split(r"[<>=\[ ]", requirement)[0] for requirement in PROJECT["dependencies"]]
    assert not [name for name in names if name not in pinned]


def test_files_stay_small_and_every_weight_file_has_its_card() -> None:
    weights = sorted((PACKAGE / "weights" / "embedded").glob("*.safetensors"))
    assert sum(path.stat().st_size for path in weights) <= 48 * 2**20
    assert all(path.with_suffix(".md").is_file() for path in weights)
    assert not [path for path in _tracked() if path.stat().st_size > 16 * 2**20]


def test_texts_hold_no_paths_of_somebodys_machine() -> None:
    suspicious = re.compile("|".join(("/" + "work/", "/" + "root/", "/home/[a-z]", "C:" + r"\\Users")))
    texts = [path for path in _tracked() if path.suffix in {".py", ".md", ".toml", ".sh", ".txt", ".proto", ".yaml"}]
    found = [str(path.relative_to(ROOT)) for path in texts if suspicious.search(path.read_text(encoding="utf-8"))]
    assert [name for name in found if name != "tests/test_repository.py"] == []


def _loaded_by(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}


def test_help_loads_nothing_heavy() -> None:
    heavy = {"numpy", "cv2", "PIL", "torch", "diffusers", "grpc", "google", "skimage", "scipy", "psd_tools"}
    build = "from celwright.cli.parser import build_parser; build_parser().format_help()"
    assert not _loaded_by(build) & heavy


def test_the_server_comes_up_without_torch() -> None:
    heavy = {"torch", "diffusers", "skimage", "scipy", "psd_tools"}
    assert not _loaded_by("import celwright.wiring, celwright.rpc.server") & heavy
