"""Which models there are to fetch: entries as data, refused when they are incomplete or could do harm.

The package's catalogue and the user's are merged. Knows what an entry has to say; does not know where models are kept
or how they are fetched.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from celwright.errors import CelwrightError, UnusableInputError, WrongUsageError
from celwright.weights.registry import EMBEDDED, Task

SHIPPED = Path(__file__).with_name("catalog.toml")
TASKS = ("decompose", "colorize")  # what comes with the package only is not fetched
ENDINGS = (".safetensors", ".json", ".txt", ".md")
PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
MANIFEST = "celwright.json"  # what the store writes into a model's folder

_ID = re.compile(r"[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?")
_PART = re.compile(r"\w([\w.+() -]*[\w+()-])?")  # no dot in front or behind, no drive, no backslash
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # names that Windows keeps for itself
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_WORDS: dict[type, str] = {str: "text", int: "a whole number", float: "a number", list: "a list of tables"}
_T = TypeVar("_T")


@dataclass(frozen=True)
class ModelFile:
    """One file of a model: ``path`` in the model's folder, with slashes; ``size`` in bytes; ``sha256`` in lower-case
    hexadecimal; ``url`` where it lies, empty when the model's repository or nobody has it."""

    path: str
    size: int
    sha256: str
    url: str = ""

    def __post_init__(self) -> None:
        check_path(self.path)
        if self.size < 1:
            raise WrongUsageError(f"The size of {self.path!r} is {self.size}; at least 1 byte is needed.")
        if not re.fullmatch(r"[0-9a-f]{64}", self.sha256):
            raise WrongUsageError(
                f"The sha256 of {self.path!r} is {self.sha256!r}; 64 hexadecimal digits in lower case are needed."
            )
        if self.url:
            _check_url(self.url)


@dataclass(frozen=True)
class Entry:
    """One model. ``licence`` as SPDX writes it where it has a name; ``memory_gib`` is what it needs to run, None when
    nobody measured it; ``repo`` and ``revision`` name a hub repository for files without a ``url``."""

    id: str
    task: Task
    licence: str
    files: tuple[ModelFile, ...]
    description: str = ""
    memory_gib: float | None = None
    repo: str = ""
    revision: str = ""

    def __post_init__(self) -> None:
        check_id(self.id)
        if self.task not in TASKS:
            raise WrongUsageError(f"The task {self.task!r} is not known; {' or '.join(map(repr, TASKS))} is allowed.")
        if not self.licence.strip():
            raise WrongUsageError(f"The model {self.id!r} names no licence; find it out before using the model.")
        if self.repo and not re.fullmatch(r"[\w.-]+/[\w.-]+", self.repo):
            raise WrongUsageError(f"The repo of {self.id!r} is {self.repo!r}; OWNER/NAME is needed.")
        if bool(self.repo) != bool(self.revision):
            raise WrongUsageError(f"The model {self.id!r} needs both repo and revision, or neither.")
        _check_set(self.id, [file.path for file in self.files])

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def catalog(paths: Iterable[Path]) -> dict[str, Entry]:
    """The entries of all files at ``paths`` by id; a later file's wins, a file that is not there adds none. Raises
    UnusableInputError for one that cannot be used."""
    entries: dict[str, Entry] = {}
    for path in paths:
        try:
            tables = tomllib.loads(path.read_text(encoding="utf-8"))
            _check_keys("a catalogue", tables, {"model"})
            found = [_fetchable(entry(table)) for table in _value(tables, "model", list, [])]
        except FileNotFoundError:
            continue
        except (OSError, ValueError, CelwrightError) as fault:
            raise UnusableInputError(f"The catalogue {path} cannot be used: {fault}") from fault
        entries |= {model.id: model for model in found}
    return entries


def entry(table: Any) -> Entry:
    """The entry that ``table`` (of TOML or JSON) describes. Raises WrongUsageError for what it lacks or misspells."""
    if not isinstance(table, dict):
        raise WrongUsageError(f"A model is given as {table!r}; a table is needed.")
    _check_keys("a model", table, set(Entry.__dataclass_fields__))
    memory = table.get("memory_gib")
    return Entry(
        id=_value(table, "id", str),
        task=_value(table, "task", str),  # type: ignore[arg-type]  # Entry checks it
        licence=_value(table, "licence", str),
        files=tuple(map(_file, _value(table, "files", list))),
        description=_value(table, "description", str, ""),
        memory_gib=None if memory is None else float(_value(table, "memory_gib", float)),
        repo=_value(table, "repo", str, ""),
        revision=_value(table, "revision", str, ""),
    )


def is_embedded(name: str) -> bool:
    """Whether ``name`` is that of a model which comes with Celwright."""
    return any(name == model.name for model in EMBEDDED)


def is_id(name: str) -> bool:
    """Whether ``name`` can name a model of the user's, and a folder on every system."""
    return bool(_ID.fullmatch(name)) and not _DEVICE.fullmatch(name) and not is_embedded(name)


def check_id(name: str) -> None:
    """Raises WrongUsageError unless ``is_id(name)``."""
    if is_embedded(name):
        raise WrongUsageError(f"{name!r} names a model that comes with Celwright; choose another name.")
    if not is_id(name):
        raise WrongUsageError(
            f"{name!r} cannot name a model; up to 64 of a-z, 0-9, dot, dash and underscore are allowed, with a letter "
            f"or digit in front and behind."
        )


def check_path(path: str) -> None:
    """Raises WrongUsageError unless ``path`` stays in a model's folder on every system, UnusableInputError unless its
    ending is one that can hold no program."""
    if len(path) > 200 or any(not _PART.fullmatch(part) or _DEVICE.fullmatch(part) for part in path.split("/")):
        raise WrongUsageError(
            f"The file name {path!r} is not allowed in a model; use letters, digits and . _ + ( ) - with slashes "
            f"between folders."
        )
    if path.lower().endswith(PICKLED):
        raise UnusableInputError(
            f"{path} may be a pickle, which can run programs when it is opened; only .safetensors weights are allowed: "
            f"get or convert the model in that format."
        )
    if not path.endswith(ENDINGS):
        raise UnusableInputError(f"{path} does not belong in a model; {', '.join(ENDINGS)} files are allowed.")


def _check_set(name: str, paths: list[str]) -> None:
    if not any(path.endswith(".safetensors") for path in paths):
        raise WrongUsageError(f"The model {name!r} has no .safetensors file; at least one is needed.")
    taken: set[str] = {MANIFEST}
    for path in paths:
        if path.lower() in taken:
            raise WrongUsageError(f"The model {name!r} has two files {path!r}, or one that is kept for Celwright.")
        taken.add(path.lower())


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    local = parts.scheme == "http" and parts.hostname in _LOOPBACK
    if not (parts.hostname and (parts.scheme == "https" or local) and re.fullmatch(r"[!-~]+", url)):
        raise WrongUsageError(f"The url {url!r} is not allowed; https://HOST/… in plain ASCII is needed.")


def _fetchable(model: Entry) -> Entry:
    for file in model.files:
        if not (file.url or model.repo):
            raise WrongUsageError(
                f"Nothing tells where {file.path!r} of {model.id!r} lies; name its url, or repo and revision."
            )
    if model.memory_gib is None or not model.description:
        raise WrongUsageError(f"The model {model.id!r} needs a description and memory_gib.")
    return model


def _file(table: Any) -> ModelFile:
    if not isinstance(table, dict):
        raise WrongUsageError(f"A file is given as {table!r}; a table is needed.")
    _check_keys("a file", table, set(ModelFile.__dataclass_fields__))
    return ModelFile(
        _value(table, "path", str),
        _value(table, "size", int),
        _value(table, "sha256", str),
        _value(table, "url", str, ""),
    )


def _check_keys(what: str, table: Mapping[str, Any], known: set[str]) -> None:
    unknown = ", ".join(map(repr, sorted(table.keys() - known)))
    if unknown:
        raise WrongUsageError(f"{unknown} is not known in {what}; {', '.join(sorted(known))} are.")


def _value(table: Mapping[str, Any], key: str, kind: type[_T], default: _T | None = None) -> _T:
    value = table.get(key, default)
    if value is None:
        raise WrongUsageError(f"{key!r} is missing; {_WORDS[kind]} is needed.")
    allowed = (int, float) if kind is float else kind
    if isinstance(value, bool) or not isinstance(value, allowed):
        raise WrongUsageError(f"{key!r} is {value!r}; {_WORDS[kind]} is needed.")
    return value  # type: ignore[return-value]  # an int where a float is wanted
