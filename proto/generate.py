"""Turn celwright.proto into the code that both sides carry: the same message module, byte for byte.

    python proto/generate.py            write into the daemon and, where its folder is there, into the plugin
    python proto/generate.py --check    write nothing; exit code 1 and one line for each file that differs

The daemon also gets grpcio's service classes and the types; the plugin speaks gRPC by itself and needs messages only.
grpcio-tools 1.71.2 makes code for protobuf 5.29, the last whose pure-python wheel runs on Python 3.8.
"""

import argparse
import sys
import tempfile
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

GENERATOR = "1.71.2"
ROOT = Path(__file__).resolve().parent.parent
DAEMON = ROOT / "daemon/celwright/rpc/generated"
PLUGIN = ROOT / "plugin_krita/celwright_krita/rpc/generated"
DOCSTRING = b'"""Written by proto/generate.py from celwright.proto; change that file instead."""\n'
UNCHECKED = b"# ruff: noqa\n# fmt: off\n# mypy: ignore-errors\n"  # it is not ours to style


def generated() -> dict[str, bytes]:
    """File name → content, as the pinned generator makes it."""
    if version("grpcio-tools") != GENERATOR:
        sys.exit(f"grpcio-tools {version('grpcio-tools')} is installed; {GENERATOR} is needed: pip install it.")
    from grpc_tools import protoc

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        code = protoc.main(
            [
                "protoc",
                f"-I{ROOT / 'proto'}",
                f"-I{files('grpc_tools') / '_proto'}",
                f"--python_out={out}",
                f"--pyi_out={out}",
                f"--grpc_python_out={out}",
                "celwright/v1/celwright.proto",
            ]
        )
        if code:
            sys.exit("protoc refused celwright.proto; see the lines above.")
        made = {path.name: UNCHECKED + path.read_bytes() for path in (out / "celwright/v1").iterdir()}
    # The generator believes in a top-level package celwright.v1; ours lies beside its user.
    made["celwright_pb2_grpc.py"] = made["celwright_pb2_grpc.py"].replace(b"from celwright.v1 import", b"from . import")
    made["__init__.py"] = DOCSTRING
    return made


def targets() -> dict[Path, bytes]:
    """Path → content of every file that must be there."""
    made = generated()
    wanted = {DAEMON / name: content for name, content in made.items()}
    if PLUGIN.parent.parent.is_dir():
        wanted |= {PLUGIN / name: made[name] for name in ("__init__.py", "celwright_pb2.py")}
    return wanted


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, tell what differs")
    check = parser.parse_args().check
    differing = {
        path: content for path, content in targets().items() if not path.is_file() or path.read_bytes() != content
    }
    for path, content in differing.items():
        print(f"{path.relative_to(ROOT)} {'differs from' if check else 'written from'} celwright.proto")
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return 1 if check and differing else 0


if __name__ == "__main__":
    sys.exit(main())
