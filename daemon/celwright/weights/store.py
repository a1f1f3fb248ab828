"""The folder in which models lie: what is installed there, whether it is undamaged, and its removal.

A model is a folder with a manifest (``celwright.json``) that names every file, size and hash; it appears by one rename.
Nothing without a manifest is touched. Knows files and locks; does not know the network (intake.py) or torch.
"""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

from celwright.errors import CelwrightError, ModelUnavailableError, OutputError, WrongUsageError
from celwright.weights.catalog import MANIFEST, SHIPPED, Entry, catalog, check_id, entry, is_embedded, is_id
from celwright.weights.registry import Task

_ON, _OFF = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")


@dataclass(frozen=True)
class Store:
    """Models in ``folder``, to be fetched as the files ``catalogs`` say. ``mirror`` (scheme://host[/path]) stands in
    for every catalogue's host; ``offline``: nothing is fetched. ``free_bytes`` tells the room at a path, ``pause``
    waits seconds, ``clock`` tells them."""

    folder: Path
    catalogs: tuple[Path, ...] = (SHIPPED,)
    offline: bool = False
    mirror: str = ""
    free_bytes: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free
    pause: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        parts = urlsplit(self.mirror)
        if self.mirror and not (parts.scheme in ("http", "https") and parts.hostname and not parts.query):
            raise WrongUsageError(
                f"CELWRIGHT_MIRROR is {self.mirror!r}; https://HOST or http://HOST is needed: correct or remove it."
            )

    def available(self) -> dict[str, Entry]:
        """What the catalogues name, by id."""
        return catalog(self.catalogs)

    def installed(self) -> list[str]:
        """The ids of the models in the folder, sorted; they may be damaged."""
        return sorted(path.parent.name for path in self.folder.glob(f"*/{MANIFEST}") if is_id(path.parent.name))

    def manifest(self, name: str) -> Entry:
        """What the installed model ``name`` consists of. Raises WrongUsageError when it is not installed,
        ModelUnavailableError when its manifest cannot be read."""
        check_id(name)
        path = self.folder / name / MANIFEST
        try:
            model = entry(json.loads(path.read_text(encoding="utf-8")))
            if model.id != name:
                raise WrongUsageError(f"it is about {model.id!r}")
        except FileNotFoundError:
            names = ", ".join(map(repr, self.installed())) or "none"
            raise WrongUsageError(f"The model {name!r} is not installed; installed are: {names}.") from None
        except (OSError, ValueError, CelwrightError) as fault:
            raise ModelUnavailableError(
                f"The list of files {path} cannot be used ({str(fault).rstrip('.')}); delete the folder "
                f"{path.parent} and get the model again."
            ) from fault
        return model

    def path(self, task: Task, name: str) -> Path:
        """The folder of an installed model that can ``task``, complete by names and sizes (hashes: ``faults``).
        Raises WrongUsageError or ModelUnavailableError."""
        model = self.manifest(name)
        if model.task != task:
            raise WrongUsageError(f"The model {name!r} can {model.task}, not {task}; choose another with --model.")
        for fault in self._faults(model, hashes=False):
            raise ModelUnavailableError(f"{fault[:-1]}; remove the model {name!r} and get it again.")
        return self.folder / name

    def faults(self, name: str, *, hashes: bool = True) -> list[str]:
        """What is wrong with the installed model's files, each a sentence; none when every byte is as it came."""
        try:
            return list(self._faults(self.manifest(name), hashes=hashes))
        except ModelUnavailableError as fault:
            return [str(fault)]

    def _faults(self, model: Entry, *, hashes: bool) -> Iterator[str]:
        folder = self.folder / model.id
        for file in model.files:
            path = folder / file.path
            try:
                if not path.is_file():
                    yield f"{path} is missing."
                elif (size := path.stat().st_size) != file.size:
                    yield f"{path} has {size} bytes instead of {file.size}."
                elif hashes and (digest := _sha256(path)) != file.sha256:
                    yield f"{path} is damaged (SHA-256 {digest} instead of {file.sha256})."
            except OSError as fault:
                yield f"{path} cannot be read ({fault.strerror or fault})."
        ours = {folder / file.path for file in model.files} | {folder / MANIFEST}
        for path in sorted(folder.rglob("*")):
            if path not in ours and not path.is_dir():
                yield f"{path} was not put there by Celwright."

    def remove(self, name: str) -> list[Path]:
        """Delete what was fetched or imported as ``name``, also what is there of it in part; what else lies in its
        folder stays and is returned. Raises WrongUsageError for what is not here or came with Celwright."""
        if is_embedded(name):
            raise WrongUsageError(
                f"The model {name!r} cannot be removed; models that come with Celwright stay with it."
            )
        check_id(name)
        with self.locked(name), written(self.folder / name):
            partial = self.incoming(name)
            if partial.is_dir():
                shutil.rmtree(partial)
                if not (self.folder / name / MANIFEST).exists():
                    return []
            model, folder = self.manifest(name), (self.folder / name).resolve()
            for file in model.files:
                path = folder / file.path
                if path.parent.resolve().is_relative_to(folder):  # not through somebody's link to another place
                    path.unlink(missing_ok=True)
            (folder / MANIFEST).unlink()
            left = [path for path in sorted(folder.rglob("*")) if not path.is_dir()]
            for path in [*sorted(folder.rglob("*"), reverse=True), folder]:
                with suppress(OSError):  # not empty, or not a folder
                    path.rmdir()
            return left

    def incoming(self, name: str) -> Path:
        """Where a model is put together before it gets its name."""
        return self.folder / ".incoming" / name

    def install(self, model: Entry) -> None:
        """Make what lies in ``incoming`` the model: whatever is not ``model``'s goes, the rest gets its name."""
        folder, ours = self.incoming(model.id), {file.path for file in model.files}
        with written(self.folder / model.id):
            for path in folder.rglob("*"):
                if not path.is_dir() and path.relative_to(folder).as_posix() not in ours:
                    path.unlink()
            text = json.dumps({key: value for key, value in asdict(model).items() if value is not None}, indent=1)
            (folder / MANIFEST).write_text(text, encoding="utf-8")
            os.rename(folder, self.folder / model.id)

    def check_room(self, wanted: int) -> None:
        """Raises OutputError unless ``wanted`` more bytes fit, with some left for others."""
        free, wanted = self.free_bytes(self.folder), wanted + (64 << 20)
        if wanted > free:
            raise OutputError(
                f"{wanted / 2**30:.2f} GiB are needed in {self.folder}, {free / 2**30:.2f} GiB are free: free some, or "
                f"choose another place with CELWRIGHT_MODELS."
            )

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Hold the model ``name`` against every other process; raises ModelUnavailableError when one holds it."""
        place = self.folder / ".locks"
        with written(place):
            place.mkdir(parents=True, exist_ok=True)
        lock = FileLock(place / name, thread_local=False)  # a generator may be closed by another thread
        with written(place):
            try:
                lock.acquire(timeout=0)
            except Timeout:  # which is an OSError
                raise ModelUnavailableError(
                    f"The model {name!r} is being fetched, imported or removed by another process; wait until it is "
                    f"done."
                ) from None
        try:
            yield
        finally:
            lock.release()


def store(user_folder: Path, environment: Mapping[str, str] = os.environ, *, offline: bool = False) -> Store:
    """The store of ``user_folder`` as ``CELWRIGHT_MODELS``, ``_OFFLINE`` and ``_MIRROR`` in ``environment`` want it;
    the user's own catalogue is ``catalog.toml`` in ``user_folder``."""
    said = environment.get("CELWRIGHT_OFFLINE", "")
    if said.lower() not in _ON + _OFF:
        raise WrongUsageError(f"CELWRIGHT_OFFLINE is {said!r}; 1 or 0 is needed: correct or remove it.")
    return Store(
        Path(environment.get("CELWRIGHT_MODELS") or user_folder / "models").expanduser(),
        (SHIPPED, user_folder / "catalog.toml"),
        offline=offline or said.lower() in _ON,
        mirror=environment.get("CELWRIGHT_MIRROR", ""),
    )


@contextmanager
def written(place: Path) -> Iterator[None]:
    """Faults of the operating system while something at ``place`` is changed, as OutputError."""
    try:
        yield
    except OSError as fault:
        raise OutputError(
            f"{place} could not be changed ({fault.strerror or fault}); close programs that use it, and check its "
            f"permissions and the free space."
        ) from fault


def _sha256(path: Path) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
