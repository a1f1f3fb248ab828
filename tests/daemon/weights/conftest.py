import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
from celwright.weights.store import Store
from misbehaving_server import FileServer
from safetensors.numpy import save


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    server = FileServer()
    yield server
    server.stop()


@pytest.fixture
def weights() -> bytes:
    """A small file in the real format."""
    return save({"w": np.arange(300, dtype=np.float32)})


class Shelf:
    """A user's data folder with a catalogue in it, and its store, whose pauses take no time."""

    def __init__(self, folder: Path, server: FileServer) -> None:
        self.folder, self.server = folder, server
        self.pauses: list[float] = []
        self.catalog = folder / "catalog.toml"
        self.store = Store(folder / "models", (self.catalog,), pause=self.pauses.append)

    def name_model(self, name: str, contents: Mapping[str, bytes], *, hub: bool = False, **changes: str | int) -> None:
        """Serve the files and write them into the catalogue; ``changes`` are to each file's facts."""
        lines = [f'[[model]]\nid = "{name}"\ntask = "decompose"\nlicence = "CC0-1.0"']
        lines += ['description = "small"\nmemory_gib = 1']
        if hub:
            lines.append('repo = "studio/small"\nrevision = "abc"')
        for path, content in contents.items():
            url = self.server.offer(f"studio/small/resolve/abc/{path}", content)
            facts = {"path": path, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            facts |= changes if hub else {"url": url, **changes}
            lines.append(
                "[[model.files]]\n" + "\n".join(f"{key} = {json.dumps(value)}" for key, value in facts.items())
            )
        before = self.catalog.read_text(encoding="utf-8") if self.catalog.exists() else ""
        self.catalog.write_text(before + "\n".join(lines) + "\n", encoding="utf-8")

    def served(self, path: str):
        return self.server.files[f"studio/small/resolve/abc/{path}"]

    def files(self) -> dict[str, bytes]:
        """What lies in the store but locks, by path."""
        root = self.store.folder
        return {
            path.relative_to(root).as_posix(): path.read_bytes()
            for path in sorted(root.rglob("*"))
            if path.is_file() and ".locks" not in path.parts
        }


@pytest.fixture
def shelf(tmp_path: Path, server: FileServer) -> Shelf:
    return Shelf(tmp_path, server)
