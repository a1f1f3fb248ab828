"""Settings: defaults, variables, and a sentence for every value that makes no sense."""

import os
from pathlib import Path
from typing import Any

import pytest
from celwright.errors import WrongUsageError
from celwright.settings import Settings, default_address, is_loopback, settings

posix = pytest.mark.skipif(os.name != "posix", reason="there are no Unix sockets elsewhere")


@posix
def test_socket_and_token_lie_in_one_folder_of_the_user() -> None:
    assert Settings().socket.parent == Settings().token_file.parent
    assert default_address({}) == f"unix:{Settings().socket}"


def test_given_wins_over_the_environment_and_that_over_the_default() -> None:
    environment = {"CELWRIGHT_QUEUE_LIMIT": "3", "CELWRIGHT_IDLE_SECONDS": "60.5", "CELWRIGHT_DEVICE": "cpu"}
    found = settings(environment, queue_limit=5, device=None)
    assert (found.queue_limit, found.idle_seconds, found.device) == (5, 60.5, "cpu")
    assert found.cache_bytes == 1 << 30


def test_empty_variables_count_as_not_set() -> None:
    assert settings({"CELWRIGHT_PORT": ""}).port == Settings().port


@posix
def test_a_socket_given_wins_over_a_host_in_the_environment() -> None:
    assert settings({"CELWRIGHT_HOST": "127.0.0.1"}, socket="/tmp/s").address == "unix:/tmp/s"
    assert settings({"CELWRIGHT_HOST": "127.0.0.1", "CELWRIGHT_PORT": "9"}).address == "127.0.0.1:9"
    assert settings({"CELWRIGHT_SOCKET": "/tmp/s"}).address == "unix:/tmp/s"
    assert settings({"CELWRIGHT_SOCKET": "/tmp/s"}, host="::1", port=9).address == "[::1]:9"
    tls = settings({"CELWRIGHT_TLS_CERT": "c"}, host="127.0.0.1", tls_key="k", tls_client_ca="a")
    assert (tls.tls_cert, tls.tls_key, tls.tls_client_ca) == (Path("c"), Path("k"), Path("a"))


@pytest.mark.parametrize(("host", "own"), [
    ("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("localhost", True),
    ("0.0.0.0", False), ("::", False), ("192.168.0.2", False), ("localhost.example.org", False),
])  # fmt: skip
def test_only_loopback_counts_as_this_machine(host: str, own: bool) -> None:
    assert is_loopback(host) is own


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"PORT": "many"}, "CELWRIGHT_PORT is 'many'; a whole number is needed: correct or remove it."),
        ({"IDLE_SECONDS": "soon"}, "CELWRIGHT_IDLE_SECONDS is 'soon'; a number is needed: correct or remove it."),
        ({"PORT": "70000"}, "The port is 70000; 0 to 65535 is allowed."),
        ({"IDLE_SECONDS": "0"}, "The idle time in seconds is 0; 1 to 604800 is allowed."),
        ({"IDLE_SECONDS": "nan"}, "The idle time in seconds is nan; 1 to 604800 is allowed."),
        ({"GRACE_SECONDS": "-1"}, "The grace time in seconds is -1; 0 to 3600 is allowed."),
        ({"QUEUE_LIMIT": "-1"}, "The queue limit is -1; 0 to 1000 is allowed."),
        ({"CACHE_BYTES": "-1"}, "The image cache in bytes is -1; 0 to 1099511627776 is allowed."),
        ({"UPLOAD_BYTES": "5"}, "The upload limit in bytes is 5; 1048576 to 1099511627776 is allowed."),
        ({"DEVICE": "abacus"}, "The device 'abacus' is not known; auto, cpu, cuda, mps are allowed."),
    ],
)
def test_nonsense_is_told_in_a_sentence(environment: dict[str, str], sentence: str) -> None:
    with pytest.raises(WrongUsageError) as refused:
        settings({f"CELWRIGHT_{name}": value for name, value in environment.items()})
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"host": "0.0.0.0"},
            "The daemon is to listen on 0.0.0.0, but other machines can reach it; give --tls-cert, --tls-key, "
            "--tls-client-ca as well, or listen on 127.0.0.1.",
        ),
        (
            {"host": "studio.example.org", "tls_cert": Path("c")},
            "The daemon is to listen on studio.example.org, but its TLS files are incomplete; give --tls-key, "
            "--tls-client-ca as well, or listen on 127.0.0.1.",
        ),
        (
            {"host": "127.0.0.1", "tls_cert": Path("c"), "tls_key": Path("k")},
            "The daemon is to listen on 127.0.0.1, but its TLS files are incomplete; give --tls-client-ca as well, or "
            "listen on 127.0.0.1.",
        ),
    ],
)
def test_other_machines_come_in_over_tls_only(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(WrongUsageError) as refused:
        settings({}, **given)
    assert str(refused.value) == sentence


@posix
def test_a_socket_path_that_the_system_cannot_hold_is_told_in_a_sentence() -> None:
    path = "/" + "s" * 120
    with pytest.raises(WrongUsageError) as refused:
        settings({}, socket=path)
    assert str(refused.value) == (
        f"The socket's path {path!r} has 121 bytes; the system allows 103: choose a shorter one with --socket or "
        f"CELWRIGHT_SOCKET."
    )


def test_a_setting_that_is_not_there_is_a_mistake_in_the_program() -> None:
    with pytest.raises(TypeError, match="no such settings"):
        settings({}, colour="red")
