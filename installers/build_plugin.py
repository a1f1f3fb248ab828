"""Pack the Krita plugin with the pure-python packages it needs into a zip for Krita's "Import Python Plugin from File".

    python installers/build_plugin.py [-o dist/celwright_krita.zip]

All plugins of a Krita share one interpreter, and another may bring its own protobuf or h2. So the packages lie inside
the plugin and every import of them, theirs and ours, is rewritten to that place (as pip does with what it carries):
nothing is put on sys.path, nothing in sys.modules has a name that somebody else could want.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
NAME = "celwright_krita"
SOURCE = ROOT / "plugin_krita"
WHEELS = ROOT / "build" / "wheels"
VENDOR = f"{NAME}.vendor"
PACKAGES = ("google", "h2", "hpack", "hyperframe")
IMPORT = re.compile(rf"^(\s*)(from|import) ({'|'.join(PACKAGES)})\b(?P<rest>.*)$", re.MULTILINE)
# protobuf looks for compiled parts under these names, and obeys this variable; both may belong to another protobuf.
NAMES = {
    "google/protobuf/internal/api_implementation.py": {
        "'google._upb._message'": f"'{VENDOR}.google._upb._message'",
        "'PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION'": "'CELWRIGHT_PROTOBUF_IMPLEMENTATION'",
    }
}
NOT_NEEDED = re.compile(r"google/protobuf/(testdata|compiler|util|pyext)/")
STAMP = (2020, 1, 1, 0, 0, 0)  # the same input makes the same zip


def wheels(requirements: Path, folder: Path) -> list[Path]:
    """The wheels that ``requirements`` pins by hash, fetched by pip into ``folder`` unless they are there."""
    wanted = set(re.findall(r"--hash=sha256:([0-9a-f]{64})", requirements.read_text(encoding="utf-8")))
    found = _by_hash(folder)
    if wanted - found.keys():
        command = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "-d", str(folder)]
        command += ["--require-hashes", "--no-deps", "--only-binary=:all:"]
        command += ["--platform=any", "--implementation=py", "--abi=none", "--python-version=3.8"]
        if subprocess.run([*command, "-r", str(requirements)]).returncode:
            sys.exit(f"pip could not fetch what {requirements.name} names; see the lines above.")
        found = _by_hash(folder)
    return sorted(found[digest] for digest in wanted)


def _by_hash(folder: Path) -> dict[str, Path]:
    return {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in folder.glob("*.whl")}


def plugin_files(source: Path, vendored: list[Path]) -> dict[str, bytes]:
    """Path in the zip → content: the plugin of ``source``, its desktop file and action, and the packages."""
    files = {}
    for path in sorted((source / NAME).rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            name = path.relative_to(source).as_posix()
            files[name] = _private(name, path.read_bytes())
    for place in (f"{NAME}.desktop", f"actions/{NAME}.action"):
        if (source / place).is_file():
            files[place] = (source / place).read_bytes()
    if f"{NAME}.desktop" not in files:
        sys.exit(f"{source.name}/{NAME}.desktop is missing, without which Krita takes no plugin; nothing was written.")
    files[f"{NAME}/LICENSE"] = (ROOT / "LICENSE").read_bytes()
    files[f"{NAME}/vendor/__init__.py"] = b'"""Packages of others, for this plugin alone; see the *.dist-info."""\n'
    for wheel in vendored:
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if not name.endswith("/") and not NOT_NEEDED.match(name):
                    files[f"{NAME}/vendor/{name}"] = _private(name, archive.read(name))
    files.setdefault(f"{NAME}/vendor/google/__init__.py", b"")
    return files


def _private(name: str, content: bytes) -> bytes:
    """A module's ``content`` with its imports of the packages turned to the plugin's own; other files as they are."""
    if not name.endswith(".py"):
        return content
    text = content.decode("utf-8")
    for old, new in NAMES.get(name, {}).items():
        if old not in text:
            sys.exit(f"{name} does not speak of {old} any more; look how it finds its compiled parts now.")
        text = text.replace(old, new)
    text = IMPORT.sub(_private_import, text)
    foreign = [line for module, line in _imports(text) if module.split(".")[0] in PACKAGES]
    if foreign:
        sys.exit(f"{name} imports a package in a way that is not known here, in line {foreign[0]}.")
    return text.encode("utf-8")


def _private_import(found: re.Match[str]) -> str:
    indent, word, package, rest = *found.group(1, 2, 3), found["rest"]
    if word == "from":
        return f"{indent}from {VENDOR}.{package}{rest}"
    if " as " in rest:
        return f"{indent}import {VENDOR}.{package}{rest}"
    # "import h2.events" binds h2; keep that name bound to the private package.
    bound = f"from {VENDOR} import {package}"
    return f"{indent}import {VENDOR}.{package}{rest}; {bound}" if rest.strip() else f"{indent}{bound}"


def _imports(text: str) -> list[tuple[str, int]]:
    """Modules that ``text`` imports by absolute name, and the lines."""
    found = []
    for node in ast.walk(ast.parse(text, feature_version=(3, 8))):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.append((str(node.module), node.lineno))
    return found


def write_zip(files: dict[str, bytes], target: Path) -> None:
    """Write beside and rename. Krita's importer finds the plugin by the entries of its folders."""
    folders = {f"{parent}/" for name in files for parent in PurePosixPath(name).parents if str(parent) != "."}
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f"{target.name}.part")
    with zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(folders | files.keys()):
            entry = zipfile.ZipInfo(name, STAMP)
            entry.external_attr = (0o40755 << 16 | 0x10) if name in folders else 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files.get(name, b""))
    os.replace(beside, target)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "dist" / f"{NAME}.zip")
    parser.add_argument("--source", type=Path, default=SOURCE, help="the plugin's folder (%(default)s)")
    parser.add_argument("--wheels", type=Path, default=WHEELS, help="where wheels are kept (%(default)s)")
    given = parser.parse_args()
    files = plugin_files(given.source, wheels(given.source / "vendor.txt", given.wheels))
    write_zip(files, given.output)
    print(f"{given.output}: {len(files)} files, {given.output.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
