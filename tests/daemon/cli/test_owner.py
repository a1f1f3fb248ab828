"""A daemon that a program started ends with it."""

import subprocess
import sys
import threading

import pytest
from celwright import owner
from celwright.errors import WrongUsageError

PATIENCE = 20.0
WAITS = [sys.executable, "-c", "import sys; sys.stdin.read()"]


@pytest.mark.parametrize("with_handle", [True, False], ids=["told by the system", "asked again and again"])
def test_it_is_told_when_the_owner_ends_and_not_before(with_handle: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner, "POLL_SECONDS", 0.01)
    if not with_handle:
        monkeypatch.delattr("os.pidfd_open", raising=False)
    told = threading.Event()
    with subprocess.Popen(WAITS, stdin=subprocess.PIPE) as process:
        owner.when_gone(process.pid, told.set)
        assert not told.is_set()
        process.communicate()
        assert told.wait(PATIENCE)


def test_an_owner_that_is_gone_already_is_told_at_once() -> None:
    told = threading.Event()
    process = subprocess.Popen(WAITS, stdin=subprocess.DEVNULL)
    process.wait()
    owner.when_gone(process.pid, told.set)
    assert told.wait(PATIENCE)


def test_a_number_that_no_process_has_is_wrong_usage() -> None:
    with pytest.raises(WrongUsageError) as refused:
        owner.when_gone(0, lambda: None)
    assert str(refused.value) == (
        "--owner-pid is 0; a process's number, 1 or more, is needed: correct or leave it out."
    )
