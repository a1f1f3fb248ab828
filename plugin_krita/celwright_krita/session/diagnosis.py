"""A report that an artist can paste into a message: versions, the daemon's state, the last lines of the log.

It names nobody and no work: the home folder, the user, files of pictures, titles and layers are replaced.
"""

from __future__ import annotations

import getpass
import os
import platform
import re
from typing import Iterable, Mapping

from celwright_krita import __version__
from celwright_krita.session.journal import last_lines
from celwright_krita.settings import user_folder
from celwright_krita.state import State

LINES = 20  # of the log
HIDDEN = "…"
_ENDINGS = "kra|krz|psd|psb|ora|png|jpe?g|webp|tiff?|gif|bmp|clip|xcf|svg|exr|gpl"
_FILE = re.compile(rf"[^\s/\\'\"“”„:;,()]*(?:[ ][^\s/\\'\"“”„:;,()]+)*\.(?:{_ENDINGS})\b", re.IGNORECASE)
_FOLDERS = re.compile(r"(?:~|[A-Za-z]:)?(?:[/\\][^\s/\\'\"“”„:;,()]+)+[/\\](?=" + HIDDEN + ")")


def report(
    state: State, environment: Mapping[str, str], names: Iterable[str], versions: Mapping[str, str] | None = None
) -> str:
    """``versions`` are those of the painting program and Qt; ``names`` must not appear."""
    daemon, fault = state.daemon, state.fault
    told = {
        "Celwright plugin": __version__,
        "Python": platform.python_version(),
        "System": platform.platform(),
        **(versions or {}),
        "Daemon": " ".join(filter(None, (daemon.condition, daemon.version, daemon.device))),
        "Started by the plugin": "yes" if daemon.ours else "no",
        "Can": ", ".join(sorted(daemon.capabilities)),
        "Models": ", ".join(model.name for model in daemon.models if model.installed),
        "Daemon says": daemon.sentence,
        "Last error": fault.sentence if fault is not None else "",
        "Job": state.job.task + " " + state.job.stage if state.job is not None else "",
    }
    lines = [f"{name}: {value}" for name, value in told.items() if value]
    lines += ["Log:", *last_lines(user_folder(environment), LINES)]
    return anonymised("\n".join(lines), names, environment)


def anonymised(text: str, names: Iterable[str], environment: Mapping[str, str]) -> str:
    """``text`` without ``names``, pictures' files, the home folder and the user's name."""
    for name in sorted(filter(None, names), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", HIDDEN, text)
    homes = {os.path.expanduser("~"), environment.get("HOME", ""), environment.get("USERPROFILE", "")}
    for home in sorted(homes, key=len, reverse=True):
        if len(home) > 1:
            text = text.replace(home, "~")
    text = _FOLDERS.sub("", _FILE.sub(HIDDEN, text))
    users = {environment.get(name, "") for name in ("USER", "LOGNAME", "USERNAME")} | {_user()}
    for user in users:
        if len(user) > 1:
            text = re.sub(rf"(?<!\w){re.escape(user)}(?!\w)", "~", text)
    return text


def _user() -> str:
    try:
        return getpass.getuser()
    except Exception:  # noqa: BLE001  # no such user, no environment: each system has its own error
        return ""
