"""What the artist set for the plugin, in plugin.json beside the daemon's data; the environment goes before it.

Knows no Qt and no daemon, only the variables that settings.py and the daemon read.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields
from typing import Mapping

from celwright_krita.errors import WrongUsageError
from celwright_krita.settings import daemon_place, user_folder
from celwright_krita.texts import tr

FILE = "plugin.json"


@dataclass(frozen=True)
class Preferences:
    """``command`` starts the daemon; ``address`` is where it listens, ``unix:/path`` or ``host:port``; ``language``
    such as "de". Empty: found by the plugin, the usual place, Krita's language."""

    command: str = ""
    address: str = ""
    language: str = ""


def read(environment: Mapping[str, str] = os.environ) -> Preferences:
    """What is stored; defaults for what is not or cannot be read."""
    try:
        with open(os.path.join(user_folder(environment), FILE), encoding="utf-8") as file:
            stored = json.load(file)
    except (OSError, ValueError):
        return Preferences()
    names = [field.name for field in fields(Preferences)]
    stored = stored if isinstance(stored, dict) else {}
    return Preferences(**{name: stored[name] for name in names if isinstance(stored.get(name), str)})


def write(preferences: Preferences, environment: Mapping[str, str] = os.environ) -> None:
    """Store them, beside and renamed. OSError when the folder cannot be written."""
    folder = user_folder(environment)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    path = os.path.join(folder, FILE)
    with open(f"{path}.part", "w", encoding="utf-8") as file:
        json.dump(asdict(preferences), file, indent=1, ensure_ascii=False)
    os.replace(f"{path}.part", path)


def environment_with(preferences: Preferences, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """``environment`` with the preferences filled in where it says nothing itself. WrongUsageError for an address
    that cannot be."""
    filled = dict(environment)
    if preferences.command:
        filled.setdefault("CELWRIGHT_COMMAND", preferences.command)
    kind, _, rest = preferences.address.partition(":")
    if kind == "unix" and rest:
        filled.setdefault("CELWRIGHT_SOCKET", rest)
    elif preferences.address:
        host, mark, port = preferences.address.rpartition(":")
        if not mark or host in ("", "unix"):
            raise WrongUsageError(tr("settings.address.wrong", address=preferences.address))
        filled.setdefault("CELWRIGHT_HOST", host.strip("[]"))
        filled.setdefault("CELWRIGHT_PORT", port)
    daemon_place(filled)
    return filled
