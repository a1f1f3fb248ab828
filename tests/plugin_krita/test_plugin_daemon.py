"""The daemon's life: found, started in a clean environment, adopted, ended, and what is said when that fails."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import celwright_krita
import pytest
from celwright_krita.canvas import Rect
from celwright_krita.domain import Model
from celwright_krita.errors import AccessDeniedError, CelwrightError, DaemonUnreachableError, UnreadableAnswerError
from celwright_krita.session.daemon_process import DaemonProcess, cleaned, command
from celwright_krita.session.faults import DaemonMissingError, DaemonTooOldError
from celwright_krita.session.worker import Stop
from celwright_krita.state import ColorizeOptions, DaemonState, DecomposeOptions
from fake_canvas import FakeCanvas, FakeLayer
from scripted import Script
from session_bench import Bench

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the stand-ins are scripts")
PATIENCE = 30.0
GONE = "No daemon answers at unix:/d.sock, or it ended at work; start it and try again."
MISSING = (
    "Celwright’s daemon is not installed: install it with Celwright’s installer, or name the program celwright in the "
    "settings."
)
READY = "print('ready on unix:/d.sock', flush=True)\n"
STAY = READY + "import signal\nsignal.pause()\n"
CELWRIGHT = shutil.which("celwright", path=os.pathsep.join((os.path.dirname(sys.executable), os.environ["PATH"])))


@pytest.fixture
def place():
    """A user's folder, short: a socket's path is limited to some hundred bytes; and an environment that knows it."""
    with tempfile.TemporaryDirectory(prefix="cw") as folder:
        yield {"XDG_DATA_HOME": folder, "HOME": folder, "PATH": "/usr/bin:/bin"}


def program(place: dict, text: str, *under: str) -> str:
    """A stand-in for the program ``celwright``."""
    path = Path(place["XDG_DATA_HOME"], *(under or ("stand-in",)))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{sys.executable}\n{text}", encoding="utf-8")
    path.chmod(stat.S_IRWXU)
    return str(path)


def fault_of(steps: object) -> CelwrightError:
    with pytest.raises(CelwrightError) as told:
        list(steps)
    return told.value


def test_the_told_command_goes_before_the_installers_link_and_that_before_path(place):
    with pytest.raises(DaemonMissingError) as told:
        command(place)
    assert str(told.value) == MISSING
    on_path = program(place, "", "bin", "celwright")
    place["PATH"] = os.path.dirname(on_path)
    assert command(place) == on_path
    linked = program(place, "", "celwright", "venv", "bin", "celwright")
    assert command(place) == linked
    place["CELWRIGHT_COMMAND"] = told = program(place, "")
    assert command(place) == told
    place["CELWRIGHT_COMMAND"] = "/nowhere/celwright"
    with pytest.raises(DaemonMissingError) as told:
        command(place)
    assert str(told.value) == (
        "The daemon’s program /nowhere/celwright cannot be run: correct it in the settings, or leave it empty there."
    )


def test_the_painting_programs_own_variables_do_not_reach_the_daemon():
    foreign = ("PYTHONHOME", "PYTHONPATH", "LD_LIBRARY_PATH", "LD_PRELOAD", "QT_PLUGIN_PATH", "APPDIR", "DYLD_X")
    kept = {"PATH": "/bin", "HOME": "/h", "CELWRIGHT_SOCKET": "/s", "LANG": "C", "http_proxy": "p"}
    assert cleaned({**dict.fromkeys(foreign, "x"), **kept}) == kept


def test_it_leads_a_group_of_its_own_and_is_reaped_when_it_is_ended(place):
    text = "import os, sys\nopen('told', 'w').write(repr((sys.argv[1:], dict(os.environ))))\n" + STAY
    place.update(CELWRIGHT_COMMAND=program(place, text), PYTHONPATH="/krita", QT_PLUGIN_PATH="/krita")
    process = DaemonProcess(place)
    assert not process.running
    list(process.start(Stop()))
    pid = process._process.pid
    assert process.running
    assert os.getpgid(pid) == pid
    arguments, environment = eval(Path(place["XDG_DATA_HOME"], "celwright/told").read_text(encoding="utf-8"))
    assert arguments == ["serve", "--owner-pid", str(os.getpid())]
    assert not {"PYTHONPATH", "QT_PLUGIN_PATH"} & environment.keys()
    process.end()
    assert not process.running
    with pytest.raises(ChildProcessError):  # no zombie
        os.waitpid(pid, os.WNOHANG)
    process.end()  # twice does no harm


def test_one_that_does_not_listen_is_ended_by_force(place):
    text = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + STAY
    place["CELWRIGHT_COMMAND"] = program(place, text)
    process = DaemonProcess(place)
    list(process.start(Stop()))
    started = process._process
    process.end(0.05)
    assert started.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "import sys\nsys.exit('celwright: The daemon cannot listen on 127.0.0.1:1; it is in use: choose another.')",
            "The daemon cannot listen on 127.0.0.1:1; it is in use: choose another.",
        ),
        (
            "import sys\nsys.exit('usage: ...\\ncelwright: error: unrecognized arguments: --owner-pid 3')",
            "The daemon that is installed is older than this plugin: update Celwright.",
        ),
        (
            "raise SystemExit(3)",
            "The daemon ended with code 3 before it was ready: see daemon.log in Celwright’s folder.",
        ),
    ],
)
def test_a_start_that_fails_tells_the_daemons_own_sentence(place, text, sentence):
    place["CELWRIGHT_COMMAND"] = program(place, text)
    process = DaemonProcess(place)
    fault = fault_of(process.start(Stop()))
    assert (type(fault), str(fault)) == (DaemonUnreachableError, sentence)
    assert not process.running


def test_what_an_earlier_daemon_said_is_not_todays_sentence(place):
    log = Path(place["XDG_DATA_HOME"], "celwright/daemon.log")
    log.parent.mkdir()
    log.write_text("celwright: Yesterday’s sentence.\n", encoding="utf-8")
    place["CELWRIGHT_COMMAND"] = program(place, "raise SystemExit(3)")
    assert "Yesterday" not in str(fault_of(DaemonProcess(place).start(Stop())))
    assert log.read_text(encoding="utf-8") == "celwright: Yesterday’s sentence.\n"
    log.write_bytes(bytes(300_000))
    fault_of(DaemonProcess(place).start(Stop()))
    assert log.stat().st_size == 0  # a long one is begun anew


def test_a_file_that_is_no_program_is_said(place):
    path = Path(program(place, ""))
    path.write_bytes(b"\x7fELF nonsense")
    place["CELWRIGHT_COMMAND"] = str(path)
    assert str(fault_of(DaemonProcess(place).start(Stop()))) == (
        "The daemon’s program could not be started (Exec format error): install Celwright anew, or name another "
        "program in the settings."
    )


def test_giving_up_while_it_starts_ends_it(place):
    place["CELWRIGHT_COMMAND"] = program(place, "import signal\nsignal.pause()\n")
    process = DaemonProcess(place)
    steps = process.start(Stop())
    next(steps)
    started = process._process
    steps.close()
    assert started.returncode == -signal.SIGTERM


def test_one_that_takes_too_long_is_ended_and_told(place, monkeypatch):
    monkeypatch.setattr("celwright_krita.session.daemon_process.READY_SECONDS", 0)
    place["CELWRIGHT_COMMAND"] = program(place, "import signal\nsignal.pause()\n")
    assert str(fault_of(DaemonProcess(place).start(Stop()))) == (
        "The daemon was not ready after 0 seconds and was ended: close other programs, then try again."
    )


def test_a_running_daemon_is_adopted_and_left_alone(place):
    script = Script()
    model = Model("embedded", "", ("decompose",), "Apache-2.0", 1, "", True, True)
    script.models = [model]
    daemon = script.daemon(place)
    (state,) = daemon.ensured(Stop())
    told = "Daemon 1.2.3 is ready (cpu); another program started it."
    assert (state.condition, state.sentence, state.ours, state.models) == ("ready", told, False, (model,))
    assert script.addresses == [f"unix:{place['XDG_DATA_HOME']}/celwright/daemon.sock"]
    assert str(fault_of(daemon.restarted(Stop()))) == (
        "Another program started the daemon, so it was not ended: end it there, then try again."
    )
    daemon.end()


def test_a_daemon_that_loaded_nothing_yet_names_no_device(place):
    script = Script()
    script.device = "auto"
    *_, state = script.daemon(place).ensured(Stop())
    assert state.sentence == "Daemon 1.2.3 is ready (device chosen when needed); another program started it."


def test_without_one_it_is_started_and_told_so(place):
    script = Script()
    script.unreachable = DaemonUnreachableError(GONE)
    daemon = script.daemon(place)
    place["CELWRIGHT_COMMAND"] = program(place, STAY)
    (state,) = daemon.look()
    told = DaemonState("absent", "The daemon does not run; it starts when it is needed.")
    assert state == told
    steps = daemon.ensured(Stop())
    assert next(steps) == DaemonState("starting", "The daemon starts…", ours=True)
    script.unreachable = None
    *_, state = steps
    assert (state.condition, state.sentence, state.ours) == ("ready", "Daemon 1.2.3 is ready (cpu).", True)
    first = daemon._process._process.pid
    os.kill(first, signal.SIGKILL)  # it crashes; nothing answers
    daemon._process._process.wait()
    script.unreachable = DaemonUnreachableError(GONE)
    steps = daemon.ensured(Stop())
    next(steps)
    script.unreachable = None
    *_, state = steps
    assert (state.ours, daemon._process._process.pid != first) == (True, True)
    daemon.end()
    assert not daemon._process.running


def test_restarting_ends_ours_first(place):
    script = Script()
    daemon = script.daemon(place)
    place["CELWRIGHT_COMMAND"] = program(place, STAY)
    list(daemon._process.start(Stop()))
    old = daemon._process._process
    steps = daemon.restarted(Stop())
    assert next(steps).sentence == "The daemon is restarted…"
    script.unreachable = DaemonUnreachableError(GONE)
    assert next(steps).condition == "starting"
    assert old.returncode is not None
    script.unreachable = None
    *_, state = steps
    assert (state.condition, state.ours) == ("ready", True)
    daemon.end()


@pytest.mark.parametrize(
    ("fault", "ways"),
    [
        (AccessDeniedError("The token is wrong."), ("restart", "settings", "diagnose")),
        (UnreadableAnswerError("Another program answers."), ("restart", "diagnose")),
    ],
)
def test_a_wrong_token_and_a_taken_port_are_told_and_nothing_is_started(bench, fault, ways):
    bench = bench()
    bench.script.unreachable = fault
    bench.session.start_daemon()
    bench.settle()
    assert (bench.state.daemon.condition, bench.state.daemon.sentence) == ("broken", str(fault))
    assert (bench.sentence, bench.state.fault.ways) == (str(fault), ways)
    assert not (bench.folder / "daemon.log").exists()


def test_an_old_daemon_is_told_and_a_newer_one_is_fine(place):
    script = Script()
    script.api_version = 1
    fault = fault_of(script.daemon(place).ensured(Stop()))
    assert (type(fault), str(fault)) == (
        DaemonTooOldError,
        "The daemon’s version 1.2.3 is older than this plugin needs: update Celwright, then restart the daemon.",
    )
    script.api_version = 99
    (state,) = script.daemon(place).look()
    assert state.condition == "ready"


def test_not_installed_is_told_when_a_job_needs_it(bench):
    bench = bench()
    bench.script.unreachable = DaemonUnreachableError(GONE)
    bench.session.decompose(DecomposeOptions())
    bench.finish()
    assert (bench.sentence, bench.state.fault.ways) == (MISSING, ("settings", "diagnose", "retry"))
    assert (bench.state.daemon.condition, bench.state.daemon.sentence) == ("absent", MISSING)


def test_a_start_that_is_cancelled_leaves_no_process(bench):
    bench = bench()
    bench.environment["CELWRIGHT_COMMAND"] = program(bench.environment, "import signal\nsignal.pause()\n")
    bench.script.unreachable = DaemonUnreachableError(GONE)
    bench.session.decompose(DecomposeOptions())
    bench.until(lambda: bench.state.job.stage == "start")
    bench.session.cancel()
    bench.settle()
    assert not bench.session._parts.daemon._process.running


def test_restarting_lets_the_job_be_repeated(bench):
    bench = bench()
    bench.script.held = True
    bench.session.decompose(DecomposeOptions())
    bench.until_held()
    bench.session.restart_daemon()
    assert (bench.sentence, bench.state.fault.ways) == (
        "The job was ended to restart the daemon: try it again.",
        ("retry",),
    )
    bench.settle()
    assert bench.state.fault.ways == ("retry", "restart", "diagnose")  # this one is not ours to restart
    bench.script.held = False
    bench.session.retry()
    bench.settle()
    assert bench.canvas.steps == 1


def test_other_settings_are_another_daemon(bench):
    bench = bench()
    bench.session.use_environment({**bench.environment, "CELWRIGHT_SOCKET": "/other.sock"})
    bench.settle()
    assert bench.script.addresses[-1] == "unix:/other.sock"


@pytest.mark.skipif(CELWRIGHT is None, reason="the daemon is not installed here")
def test_the_real_daemon_starts_works_is_killed_and_works_again(place):
    bench = Bench(Path(place["HOME"]), FakeCanvas(64, 48, (outline(64, 48),)), command=CELWRIGHT)
    try:
        for step in (1, 2):
            bench.session.colorize(ColorizeOptions(line_art=bench.canvas.named("ink").id, palette="flatting"))
            bench.settle()
            assert (bench.sentence, bench.canvas.steps) == ("", step)
            assert bench.state.daemon.ours
            assert bench.canvas.named("line").data == bench.canvas.named("ink").data
            process = bench.session._parts.daemon._process._process
            if step == 1:
                os.killpg(process.pid, signal.SIGKILL)
        bench.session.save_document(f"{place['HOME']}/page.psd")
        bench.settle()
        assert bench.sentence == ""
        assert Path(place["HOME"], "page.psd").read_bytes()[:4] == b"8BPS"
    finally:
        bench.session.close()
    assert process.returncode == 0  # it ended well, and is reaped


def outline(width: int, height: int) -> FakeLayer:
    """A black frame on transparency, 3 px wide."""
    black = bytes([0, 0, 0, 255])
    inner = range(6, height - 6)
    rows = []
    for y in range(height):
        line = y in inner and not 9 <= y < height - 9
        side = black * 3 + (black if line else bytes(4)) * (width - 18) + black * 3
        rows.append(bytes(24) + (side if y in inner else bytes(4 * (width - 12))) + bytes(24))
    return FakeLayer("ink", b"".join(rows), Rect(0, 0, width, height))


KILLED = """
import os, sys
from celwright_krita.session.daemon_process import DaemonProcess
from celwright_krita.session.worker import Stop
list(DaemonProcess(dict(os.environ)).start(Stop()))
os.kill(os.getpid(), 9)
"""


@pytest.mark.skipif(CELWRIGHT is None, reason="the daemon is not installed here")
def test_a_painting_program_that_is_killed_leaves_no_daemon_behind(place):
    plugin = str(Path(celwright_krita.__file__).parents[1])
    environment = {**place, "CELWRIGHT_COMMAND": CELWRIGHT, "PYTHONPATH": os.pathsep.join((plugin, *sys.path))}
    done = subprocess.run([sys.executable, "-c", KILLED], env=environment, stdout=subprocess.PIPE, timeout=PATIENCE)
    assert done.returncode == -signal.SIGKILL
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(PATIENCE)
        try:
            line.connect(f"{place['HOME']}/celwright/daemon.sock")
        except (FileNotFoundError, ConnectionRefusedError):
            return  # it has ended already
        with contextlib.suppress(ConnectionResetError):  # one way of hanging up
            while line.recv(4096):
                pass  # until it hangs up, because it ends
