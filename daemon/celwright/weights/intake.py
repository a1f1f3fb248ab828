"""How a model gets into the store: fetched as a catalogue says, or imported from the user's own files.

Either is an iterator of Transfer; ceasing to iterate stops it. Knows stores, catalogues and downloads; does not know
what a model computes.
"""

import hashlib
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from celwright.errors import ModelUnavailableError, UnusableInputError, WrongUsageError
from celwright.weights.catalog import MANIFEST, Entry, ModelFile, check_id, check_path, is_embedded
from celwright.weights.contents import check_contents
from celwright.weights.download import fetch
from celwright.weights.registry import Task
from celwright.weights.store import Store, written
from celwright.weights.transport import Address

WINDOW = 10.0  # seconds over which the rate is taken
INTERVAL = 0.1  # seconds between two reports


@dataclass(frozen=True)
class Transfer:
    """``done`` of ``total`` bytes are here; ``rate`` in bytes a second and ``seconds_left``, None while unknown."""

    done: int
    total: int
    rate: float | None = None
    seconds_left: float | None = None


def pull(store: Store, name: str) -> Iterator[Transfer]:
    """Fetch the model ``name`` of the catalogue; goes on where an earlier try stopped. The last Transfer is complete.

    Raises WrongUsageError, ModelUnavailableError (unknown, offline, refused, wrong hash), UnusableInputError (not the
    format that the name says), OutputError (no room).
    """
    model = _entry(store, name)
    with store.locked(name):
        if name in store.installed():
            if _same(store.manifest(name), model):
                yield Transfer(model.size, model.size, None, 0.0)
                return
            raise WrongUsageError(
                f"Another version of the model {name!r} is installed; remove it first (celwright models remove {name})."
            )
        if store.offline:
            raise ModelUnavailableError(
                f"The model {name!r} is not fetched, because Celwright is told to stay offline; leave out --offline "
                f"and CELWRIGHT_OFFLINE, or use celwright models import."
            )
        _check_free(store, name)
        folder = store.incoming(name)
        store.check_room(sum(max(0, file.size - _bytes_at(folder / file.path)) for file in model.files))
        pace, before = Pace(model.size, store.clock), 0
        for file in model.files:
            address, target = _address(model, file, store.mirror), folder / file.path
            for there in fetch(address, target, file.size, file.sha256, store.pause):
                yield from pace.transfer(before + there)
            try:
                check_contents(target)
            except UnusableInputError:
                target.unlink()
                raise
            before += file.size
        store.install(model)
        yield Transfer(model.size, model.size, pace.rate, 0.0)


def import_model(
    store: Store, name: str, paths: Sequence[Path], task: Task, licence: str, description: str = ""
) -> Iterator[Transfer]:
    """Copy files, or one folder as diffusers writes it, into the store as the model ``name``. Hidden files
    and the store's own manifest stay out.

    Raises WrongUsageError, UnusableInputError (pickles, other kinds of files, damaged ones), OutputError.
    """
    check_id(name)
    sources = _sources(paths)
    for relative, source in sources.items():
        check_path(relative)
        check_contents(source)
    # Sizes are known, hashes after copying: refuse what can be refused before that.
    sizes = {relative: source.stat().st_size for relative, source in sources.items()}
    files = tuple(ModelFile(relative, size, "0" * 64) for relative, size in sizes.items())
    model = Entry(name, task, licence, files, description or f"imported {task} model")
    if name in store.available():
        raise WrongUsageError(f"{name!r} names a model of the catalogue; choose another name for your own.")
    with store.locked(name):
        if name in store.installed():
            raise WrongUsageError(f"A model {name!r} is installed already; remove it first, or choose another name.")
        _check_free(store, name)
        folder, pace, before = store.incoming(name), Pace(model.size, store.clock), 0
        with written(folder):
            shutil.rmtree(folder, ignore_errors=True)  # of an interrupted try
            folder.mkdir(parents=True)
        store.check_room(model.size)
        try:
            copied = []
            for file in model.files:
                digest = hashlib.sha256()
                for there in _copy(sources[file.path], folder / file.path, digest.update):
                    yield from pace.transfer(min(before + there, model.size))
                copied.append(replace(file, sha256=digest.hexdigest(), size=_bytes_at(folder / file.path)))
                before += file.size
            store.install(replace(model, files=tuple(copied)))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        yield Transfer(model.size, model.size, pace.rate, 0.0)


class Pace:
    """Turns counts of bytes into Transfers, a few each second, with the rate of the last WINDOW seconds."""

    def __init__(self, total: int, clock: Callable[[], float]) -> None:
        self._total, self._clock = total, clock
        self._seen: deque[tuple[float, int]] = deque()
        self._told = float("-inf")
        self.rate: float | None = None

    def transfer(self, done: int) -> Iterator[Transfer]:
        """One Transfer, or none when the last was told a moment ago."""
        now = self._clock()
        if now - self._told < INTERVAL:
            return
        self._told = now
        if self._seen and done < self._seen[-1][1]:
            self._seen.clear()  # a file was begun again
        self._seen.append((now, done))
        while self._seen[0][0] < now - WINDOW:
            self._seen.popleft()
        since, before = self._seen[0]
        self.rate = (done - before) / (now - since) if done > before else None
        yield Transfer(done, self._total, self.rate, (self._total - done) / self.rate if self.rate else None)


def _entry(store: Store, name: str) -> Entry:
    if is_embedded(name):
        raise WrongUsageError(f"The model {name!r} comes with Celwright; it is not fetched.")
    available = store.available()
    if name not in available:
        names = ", ".join(map(repr, sorted(available))) or "no model yet"
        raise ModelUnavailableError(
            f"The model {name!r} is not in the catalogue, which names {names}; add it to {store.catalogs[-1]}, or use "
            f"celwright models import."
        )
    return available[name]


def _same(one: Entry, other: Entry) -> bool:
    return {(f.path, f.sha256) for f in one.files} == {(f.path, f.sha256) for f in other.files}


def _check_free(store: Store, name: str) -> None:
    folder = store.folder / name
    if folder.exists():
        raise WrongUsageError(f"The folder {folder} is there already and not Celwright's; move it elsewhere.")


def _address(model: Entry, file: ModelFile, mirror: str) -> Address:
    """Where the file lies. The user's hub token goes to the hub only, never to a mirror."""
    url, token = file.url, ""
    if not url:
        from huggingface_hub import get_token, hf_hub_url

        url, token = hf_hub_url(model.repo, file.path, revision=model.revision), get_token() or ""
    if not mirror:
        return Address(url, token)
    parts = urlsplit(url)
    return Address(mirror.rstrip("/") + parts.path + (f"?{parts.query}" if parts.query else ""))


def _sources(paths: Sequence[Path]) -> dict[str, Path]:
    """Files by their path in the model."""
    for path in paths:
        if not path.exists():
            raise WrongUsageError(f"{path} does not exist; check the name.")
    if len(paths) == 1 and paths[0].is_dir():
        found = [Path(place, name) for place, _, names in os.walk(paths[0]) for name in names]
        inside = {path: path.relative_to(paths[0]) for path in found}
        return {
            relative.as_posix(): path
            for path, relative in sorted(inside.items())
            if relative != Path(MANIFEST) and not any(part.startswith(".") for part in relative.parts)
        }
    sources: dict[str, Path] = {}
    for path in paths:
        if path.is_dir() or path.name in sources:
            raise WrongUsageError(
                f"{path} cannot be imported beside the others; name one folder, or files with different names."
            )
        sources[path.name] = path
    return sources


def _copy(source: Path, target: Path, also: Callable[[bytes], None]) -> Iterator[int]:
    with written(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        done = 0
        with open(source, "rb") as reading, open(target, "xb") as writing:
            while block := reading.read(4 << 20):
                writing.write(block)
                also(block)
                done += len(block)
                yield done
            writing.flush()
            os.fsync(writing.fileno())


def _bytes_at(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
