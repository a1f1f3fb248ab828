"""Whatever the session raises, the docker's click ends in a sentence."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest
from celwright_krita.rim.careful import Careful, safely

SENTENCE = (
    "Something went wrong that should not (ZeroDivisionError): try it again, and copy a report with Diagnose if it "
    "stays so."
)


def test_what_a_method_raises_is_logged_and_said(caplog: pytest.LogCaptureFixture) -> None:
    said: list[str] = []
    woken: list[bool] = []
    session: Any = SimpleNamespace(choose=lambda index: 1 // index, state="the state")
    careful = Careful(session, said.append, lambda: woken.append(True))
    assert careful.choose(1) == 1
    assert (said, len(woken)) == ([], 1)
    with caplog.at_level(logging.ERROR):
        assert careful.choose(0) is None
    assert said == [SENTENCE]
    assert "ZeroDivisionError" in caplog.text
    assert careful.state == "the state"


def test_a_fault_that_cannot_even_be_said_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def mute(text: str) -> None:
        raise RuntimeError("no window")

    assert safely(lambda: 1 // 0, mute) is None
    assert "no window" in caplog.text
