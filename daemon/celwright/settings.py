"""Where the daemon listens, what it keeps and how much it accepts: defaults, ``CELWRIGHT_*`` variables, checks.

Daemon, command line and plugin must arrive at the same place without talking to each other. So socket and token lie
in the user's data folder, which does not depend on whether a login session set up a runtime folder. Knows no grpc.
"""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_address
from pathlib import Path
from typing import Any, get_args

from platformdirs import user_data_path

from celwright.errors import WrongUsageError

DEFAULT_PORT = 23517  # where there are no Unix sockets, as on Windows
SOCKET_PATH_LIMIT = 103  # bytes; sockaddr_un holds 104 on macOS, 108 on Linux, each with a closing zero
UNIX = os.name == "posix"
DEVICES = ("auto", "cpu", "cuda", "mps")


def user_folder() -> Path:
    """Celwright's folder among the user's data; not necessarily there yet."""
    return user_data_path("celwright", appauthor=False)


@dataclass(frozen=True)
class Settings:
    """One daemon's settings, checked. Either ``socket`` (a Unix socket's path) or ``host`` and ``port`` is in force:
    ``host`` wins when it is set. Raises WrongUsageError for values that make no sense."""

    socket: Path = field(default_factory=lambda: user_folder() / "daemon.sock")
    host: str = "" if UNIX else "127.0.0.1"  # empty: the socket
    port: int = DEFAULT_PORT  # 0: any free one
    token_file: Path = field(default_factory=lambda: user_folder() / "token")
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_client_ca: Path | None = None
    device: str = "auto"
    idle_seconds: float = 300.0  # without a job, until models are unloaded
    grace_seconds: float = 10.0  # for the running job, after SIGTERM
    queue_limit: int = 8  # jobs waiting behind the running one
    cache_bytes: int = 1 << 30  # uploaded images kept for reuse
    upload_bytes: int = 2 << 30  # all images of one job

    def __post_init__(self) -> None:
        _check("The port", self.port, 0, 65535)
        _check("The idle time in seconds", self.idle_seconds, 1, 7 * 86400)
        _check("The grace time in seconds", self.grace_seconds, 0, 3600)
        _check("The queue limit", self.queue_limit, 0, 1000)
        _check("The image cache in bytes", self.cache_bytes, 0, 1 << 40)
        _check("The upload limit in bytes", self.upload_bytes, 1 << 20, 1 << 40)
        if self.device not in DEVICES:
            raise WrongUsageError(f"The device {self.device!r} is not known; {', '.join(DEVICES)} are allowed.")
        if self.host:
            self._check_host()
        elif not UNIX:
            raise WrongUsageError("A Unix socket is asked for, which this system lacks; set a host and a port.")
        elif len(os.fsencode(self.socket)) > SOCKET_PATH_LIMIT:
            raise WrongUsageError(
                f"The socket's path {str(self.socket)!r} has {len(os.fsencode(self.socket))} bytes; the system allows "
                f"{SOCKET_PATH_LIMIT}: choose a shorter one with --socket or CELWRIGHT_SOCKET."
            )

    def _check_host(self) -> None:
        tls = {"--tls-cert": self.tls_cert, "--tls-key": self.tls_key, "--tls-client-ca": self.tls_client_ca}
        missing = [option for option, path in tls.items() if path is None]
        if missing and (len(missing) < len(tls) or not is_loopback(self.host)):
            reason = "its TLS files are incomplete" if len(missing) < len(tls) else "other machines can reach it"
            raise WrongUsageError(
                f"The daemon is to listen on {self.host}, but {reason}; give {', '.join(missing)} as well, "
                f"or listen on 127.0.0.1."
            )

    @property
    def tls(self) -> bool:
        return self.tls_cert is not None

    @property
    def address(self) -> str:
        """Where a client connects, as gRPC writes it: ``unix:/path`` or ``host:port``."""
        if not self.host:
            return f"unix:{self.socket}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def settings(environment: Mapping[str, str] = os.environ, **given: Any) -> Settings:
    """Settings from what was ``given`` (None counts as not given), else ``CELWRIGHT_NAME`` in ``environment``, else
    the default. A socket given wins over a host in the environment."""
    values: dict[str, Any] = {}
    for item in fields(Settings):
        variable = f"CELWRIGHT_{item.name.upper()}"
        if given.get(item.name) is not None:
            value = given[item.name]
            values[item.name] = (
                Path(value) if isinstance(value, str) and Path in (item.type, *get_args(item.type)) else value
            )
        elif environment.get(variable):
            values[item.name] = _parsed(variable, environment[variable], item.type)
    unknown = given.keys() - {item.name for item in fields(Settings)}
    if unknown:
        raise TypeError(f"no such settings: {sorted(unknown)}")
    if given.get("socket") is not None and not given.get("host"):
        values["host"] = ""
    return Settings(**values)


def default_address(environment: Mapping[str, str] = os.environ) -> str:
    """Where this user's daemon listens unless told otherwise: ``unix:/path`` or ``host:port``."""
    return settings(environment).address


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches ``host``."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _parsed(variable: str, text: str, kind: Any) -> Any:
    kind = next((part for part in get_args(kind) if part is not type(None)), kind)
    try:
        return Path(text).expanduser() if kind is Path else kind(text)
    except ValueError:
        wanted = "a whole number" if kind is int else "a number"
        raise WrongUsageError(f"{variable} is {text!r}; {wanted} is needed: correct or remove it.") from None


def _check(what: str, value: float, low: float, high: float) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise WrongUsageError(f"{what} is {value:.15g}; {low:.15g} to {high:.15g} is allowed.")
