"""The artist's settings become the variables that daemon and plugin read; the environment goes before them."""

from __future__ import annotations

import pytest
from celwright_krita.errors import WrongUsageError
from celwright_krita.settings import daemon_place
from celwright_krita.window.preferences import Preferences, environment_with


@pytest.mark.parametrize(
    ("preferences", "environment", "filled"),
    [
        (Preferences(), {"A": "b"}, {"A": "b"}),
        (Preferences(command="/c"), {}, {"CELWRIGHT_COMMAND": "/c"}),
        (Preferences(address="unix:/s"), {}, {"CELWRIGHT_SOCKET": "/s"}),
        (Preferences(address="[::1]:40"), {}, {"CELWRIGHT_HOST": "::1", "CELWRIGHT_PORT": "40"}),
        (
            Preferences("/c", "unix:/s"),
            {"CELWRIGHT_SOCKET": "/t"},
            {"CELWRIGHT_COMMAND": "/c", "CELWRIGHT_SOCKET": "/t"},
        ),
    ],
)
def test_settings_fill_in_what_the_environment_does_not_say(
    preferences: Preferences, environment: dict[str, str], filled: dict[str, str]
) -> None:
    before = dict(environment)
    assert environment_with(preferences, environment) == filled
    assert environment == before


def test_an_address_is_where_the_daemon_is_looked_for() -> None:
    environment = environment_with(Preferences(address="localhost:4001"), {})
    assert daemon_place(environment).address == "localhost:4001"


@pytest.mark.parametrize("address", ["here", "unix:", ":40"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(WrongUsageError) as told:
        environment_with(Preferences(address=address), {})
    assert str(told.value) == f"{address!r} is no address; unix:/path or host:port is allowed."
