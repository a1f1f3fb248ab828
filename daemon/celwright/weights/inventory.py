"""All models in one list: those that come with Celwright, those in the store, those that a catalogue offers.

Knows how they are told to people and programs; does not know how they got there.
"""

from collections.abc import Collection
from typing import Any

from celwright.errors import ModelUnavailableError
from celwright.weights import registry
from celwright.weights.store import Store


def described(store: Store) -> list[dict[str, Any]]:
    """Every model with the fields of the wire's message Model. Nothing is hashed; what is incomplete counts as not
    installed."""
    rows: list[dict[str, Any]] = [
        {
            "name": model.name,
            "description": f"embedded {model.task} model",
            "tasks": [model.task],
            "license": model.license,
            "bytes": path.stat().st_size if path.is_file() else 0,
            "sha256": model.sha256,
            "installed": path.is_file(),
            "embedded": True,
        }
        for model in registry.EMBEDDED
        for path in [registry.EMBEDDED_DIR / model.file]
    ]
    here = {name: store.manifest(name) for name in store.installed() if not store.faults(name, hashes=False)}
    for name, entry in sorted((store.available() | here).items()):
        rows.append(
            {
                "name": name,
                "description": entry.description,
                "tasks": [entry.task],
                "license": entry.licence,
                "bytes": entry.size,
                "sha256": entry.files[0].sha256 if len(entry.files) == 1 else "",
                "installed": name in here,
                "embedded": False,
            }
        )
    return rows


def checked(store: Store, only: Collection[str] = (), *, hashes: bool) -> list[dict[str, Any]]:
    """Every model here, or those with a name in ``only``: ``id``, ``bytes``, ``licence`` and ``state``, which is "ok"
    or what is wrong. Embedded ones are checked to the last byte, others by names and sizes, with ``hashes`` in full."""
    rows = []
    for model in (model for model in registry.EMBEDDED if not only or model.name in only):
        path, state = registry.EMBEDDED_DIR / model.file, "ok"
        try:
            registry.verified_path(model)
        except ModelUnavailableError as fault:
            state = str(fault)
        size = path.stat().st_size if path.is_file() else 0
        rows.append(_row(f"{model.task}/{model.name}", size, model.license, state))
    for name in (name for name in store.installed() if not only or name in only):
        state = " ".join(store.faults(name, hashes=hashes)) or "ok"
        try:
            entry = store.manifest(name)
        except ModelUnavailableError:  # and faults() has said so
            rows.append(_row(name, 0, "", state))
        else:
            rows.append(_row(f"{entry.task}/{name}", entry.size, entry.licence, state))
    return rows


def missing(store: Store) -> list[dict[str, Any]]:
    """The catalogue's models that are not here, as ``checked`` tells them, with ``description`` and ``memory_gib``."""
    here = store.installed()
    return [
        _row(f"{entry.task}/{name}", entry.size, entry.licence, "not installed")
        | {"description": entry.description, "memory_gib": entry.memory_gib}
        for name, entry in sorted(store.available().items())
        if name not in here
    ]


def _row(name: str, size: int, licence: str, state: str) -> dict[str, Any]:
    return {"id": name, "bytes": size, "licence": licence, "state": state}
