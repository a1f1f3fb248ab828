"""Where this user's daemon listens and where its token lies: the daemon's own rules, found without asking it.

The rules are those of ``celwright serve``: ``CELWRIGHT_*`` variables, else the user's data folder.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Mapping

from celwright_krita.errors import AccessDeniedError, WrongUsageError

DEFAULT_PORT = 23517  # where there are no Unix sockets, as on Windows
UNIX = os.name == "posix"


@dataclass(frozen=True)
class DaemonPlace:
    """Either ``socket`` (a Unix socket's path) or ``host`` and ``port``; the other is empty. ``token_file`` matters
    on a port only: on a socket the file's permission is the authentication."""

    socket: str
    host: str
    port: int
    token_file: str

    @property
    def address(self) -> str:
        """As the daemon tells it: ``unix:/path`` or ``host:port``."""
        if self.socket:
            return f"unix:{self.socket}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def token(self) -> str:
        """The token to show, empty on a socket; AccessDeniedError when the file has none."""
        if self.socket:
            return ""
        try:
            with open(self.token_file, encoding="ascii") as file:
                token = file.read().strip()
        except (OSError, UnicodeDecodeError):
            token = ""
        if not token:
            raise AccessDeniedError(
                f"No token can be read from {self.token_file!r}; the daemon makes one when it starts on a port: start "
                f"it, or name the file with CELWRIGHT_TOKEN_FILE."
            )
        return token


def daemon_place(environment: Mapping[str, str] = os.environ) -> DaemonPlace:
    """Where the daemon is, told by ``environment``; WrongUsageError for what makes no sense or is another machine."""
    folder = user_folder(environment)
    token_file = os.path.expanduser(environment.get("CELWRIGHT_TOKEN_FILE") or os.path.join(folder, "token"))
    host = environment.get("CELWRIGHT_HOST") or ("" if UNIX else "127.0.0.1")
    if not host:
        socket = environment.get("CELWRIGHT_SOCKET") or os.path.join(folder, "daemon.sock")
        return DaemonPlace(os.path.expanduser(socket), "", 0, token_file)
    if not _is_loopback(host):
        raise WrongUsageError(
            f"CELWRIGHT_HOST is {host!r}, another machine; the plugin talks to a daemon on this machine only: remove "
            f"the variable or set it to 127.0.0.1."
        )
    return DaemonPlace("", host, _port(environment.get("CELWRIGHT_PORT", "")), token_file)


def user_folder(environment: Mapping[str, str] = os.environ) -> str:
    """Celwright's folder among the user's data; not necessarily there yet."""
    if sys.platform == "darwin":
        data = os.path.expanduser("~/Library/Application Support")
    elif UNIX:
        data = environment.get("XDG_DATA_HOME", "").strip() or os.path.expanduser("~/.local/share")
    else:
        data = environment.get("LOCALAPPDATA") or os.path.expanduser(r"~\AppData\Local")
    return os.path.join(data, "celwright")


def _port(text: str) -> int:
    if not text:
        return DEFAULT_PORT
    port = int(text) if text.strip().isdecimal() else 0
    if not 1 <= port <= 65535:
        raise WrongUsageError(f"CELWRIGHT_PORT is {text!r}; 1 to 65535 is allowed: correct or remove it.")
    return port


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
