"""Played inside a Krita that is killed at the end: lets the plugin start its daemon, tells of it and waits."""

from celwright_driver import hand, pages
from celwright_driver.hand import until
from window_checks import daemons


def check_the_plugin_starts_a_daemon():
    pages.page(64, 64)
    yield from hand.open_docker()
    yield from hand.click("daemon.start")
    yield from until(lambda: hand.widget("daemon.restart").isVisible(), "the daemon to be ready")
    hand.facts["daemons"] = daemons()
    assert len(daemons()) == 1


def check_krita_waits_to_be_killed():
    while True:
        yield
