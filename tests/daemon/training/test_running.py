"""What all recipes share: claims about the clock, the average, checkpoints, and how a training ends."""

import itertools
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from celwright.errors import WrongUsageError
from celwright.training import running
from celwright.training.ending import Ending
from celwright.training.running import Run, RunOptions
from torch import nn


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def small_run(out: Path, width: int = 2, **options: object) -> Run[nn.Linear]:
    return Run(
        RunOptions(out=out, threads=1, device="cpu", **options),  # type: ignore[arg-type]
        lambda: nn.Linear(width, 1),
    )


def learn(run: Run[nn.Linear]) -> None:
    run.learn(run.network(torch.ones(1, 2)).square().sum())


TRAINING = """
from pathlib import Path
from celwright.training.decomposer import TrainingOptions, train
if __name__ == "__main__":
    train(TrainingOptions(
        out=Path({out!r}), resume=True, preset="tiny", minutes=600, crop=32, early_crop=32, size=32, batch=2, pool=8,
        threads=1, held_out=1, device="cpu",
    ))
"""


def ended(out: Path, number: signal.Signals) -> tuple[int, list[str], str]:
    """Exit code, lines and errors of a training that got the signal some time after it told of its steps."""
    script = out / "training.py"
    script.write_text(TRAINING.format(out=str(out)))
    with subprocess.Popen(
        [sys.executable, "-u", str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("step "):
                process.send_signal(number)
                break
        rest, errors = process.communicate()
    return process.returncode, [*lines, *rest.splitlines(keepends=True)], errors


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends processes without asking them")
def test_a_training_that_is_asked_to_end_saves_its_last_step_and_goes_on_from_there(tmp_path: Path) -> None:
    code, lines, errors = ended(tmp_path, signal.SIGTERM)
    assert (code, errors) == (128 + signal.SIGTERM, "")
    first = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert lines[-1] == f"ended at step {first['step']}, which is saved; --resume goes on from it\n"
    assert first["step"] >= 100
    assert set(first) == {"network", "average", "optimizer", "step", "seconds", "options"}
    assert not (tmp_path / "checkpoint.part").exists()

    code, lines, errors = ended(tmp_path, signal.SIGINT)
    assert code == -signal.SIGINT
    assert errors.endswith("KeyboardInterrupt\n")
    assert errors.count("Traceback") == 1, "the painting processes end quietly"
    second = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert second["step"] >= first["step"] + 1
    assert second["seconds"] > first["seconds"]
    assert int(lines[0].split()[1]) > first["step"]
    assert lines[-1] == f"ended at step {second['step']}, which is saved; --resume goes on from it\n"


def test_what_is_undivided_is_done_whole_before_the_end() -> None:
    done = []

    def asked_within(ending: Ending) -> None:
        with ending.undivided():
            signal.raise_signal(signal.SIGTERM)
            done.append("whole")

    with Ending() as ending:
        with pytest.raises(SystemExit) as asked:
            asked_within(ending)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert asked.value.code == 128 + signal.SIGTERM
    assert done == ["whole"]


def test_an_end_that_was_asked_for_is_not_forgotten() -> None:
    """An exception that a destructor swallowed comes again at the next undivided piece."""
    with Ending() as ending:
        with pytest.raises(SystemExit):
            signal.raise_signal(signal.SIGTERM)
        with pytest.raises(SystemExit), ending.undivided():
            pass


def test_signals_are_what_they_were_after_a_training(tmp_path: Path) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    with small_run(tmp_path):
        assert signal.getsignal(signal.SIGTERM) != before[0]
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before


def test_a_second_signal_does_not_cut_the_saving_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, save = small_run(tmp_path), torch.save

    def interrupted(state: object, path: Path) -> None:
        signal.raise_signal(signal.SIGINT)
        save(state, path)

    monkeypatch.setattr(torch, "save", interrupted)

    def asked_twice() -> None:
        with run:
            learn(run)
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(SystemExit):
        asked_twice()
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 1


def test_a_training_that_fails_does_not_save_what_failed(tmp_path: Path) -> None:
    run = small_run(tmp_path)

    def failing() -> None:
        with run:
            learn(run)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()
    assert not (tmp_path / "checkpoint.pt").exists()


def test_the_average_follows_the_network_closely_at_first(tmp_path: Path) -> None:
    """mean += (1 - keep) (now - mean) with keep = step / (step + 20), from 0 on."""
    run = small_run(tmp_path)
    expected = torch.zeros(1, 2)
    for step in range(4):
        learn(run)
        keep = step / (step + 20)
        expected = keep * expected + (1 - keep) * run.network.weight.detach()
        torch.testing.assert_close(run.average.weight.detach(), expected)
    assert run.step == 4


def test_recent_losses_are_told_by_the_names_of_their_terms(tmp_path: Path) -> None:
    run = small_run(tmp_path)
    weight = run.network.weight.sum()
    run.learn(weight, {"one": torch.tensor(1.0), "two": torch.tensor(2.0)})
    run.learn(run.network.weight.sum(), {"one": torch.tensor(2.0), "two": torch.tensor(2.0)})
    assert run.recent == pytest.approx({"one": 1.02, "two": 2.0})


def test_checkpoints_are_written_on_time_and_costly_figures_rarely(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step takes 30 s, figures 120 s: of 100 minutes these may take a twentieth, and come at the end once more."""
    clock, saved = [0.0], []
    monkeypatch.setattr(running, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    run = small_run(tmp_path, minutes=100, report_minutes=4)
    save = run.save
    monkeypatch.setattr(run, "save", lambda: (save(), saved.append(clock[0])))

    def samples() -> Iterator[None]:
        while True:
            clock[0] += 30
            yield None

    def figures() -> Iterator[dict[str, float]]:
        clock[0] += 120
        yield {"figure": 1.0}

    with run:
        for _ in run.over(samples(), figures):
            learn(run)
    gaps = [after - before for before, after in itertools.pairwise(saved)]
    assert max(gaps) <= 4 * 60 + 30 + 120
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [round(line["minutes"], 1) for line in lines] == [4.5, 49.5, 94.5, 100.0]
    assert set(lines[0]) == {"minutes", "step", "loss", "figure"}


def test_preparing_costs_no_training_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first sample comes after half an hour, the others every minute: ten minutes are ten steps."""
    clock = [0.0]
    monkeypatch.setattr(running, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    run = small_run(tmp_path, minutes=10)

    def samples() -> Iterator[None]:
        clock[0] += 1800
        while True:
            assert run.used() <= 1
            yield None
            clock[0] += 60

    with run:
        for _ in run.over(samples(), list):
            learn(run)
    assert run.step == 10
    assert run.seconds() == 600


def test_a_finished_folder_is_not_trained_over(tmp_path: Path) -> None:
    run = small_run(tmp_path)
    run.save()
    with pytest.raises(WrongUsageError) as refused:
        small_run(tmp_path)
    assert str(refused.value) == (
        f"{tmp_path} holds the checkpoint of an earlier training; go on from it with --resume, or name another folder."
    )


def test_a_checkpoint_of_another_network_is_not_resumed(tmp_path: Path) -> None:
    small_run(tmp_path, preset="embedded").save()
    with pytest.raises(WrongUsageError) as refused:
        small_run(tmp_path, width=3, preset="two-stage", resume=True)
    assert str(refused.value) == (
        f"{tmp_path / 'checkpoint.pt'} is of another network or recipe, of the preset 'embedded', than the preset "
        f"'two-stage' to be resumed; name that preset or another folder."
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"minutes": 0}, "The minutes of a training came as 0; more than 0 is needed."),
        ({"learning_rate": -1.0}, "The learning rate of a training came as -1.0; more than 0 is needed."),
        ({"minutes": float("nan")}, "The minutes of a training came as nan; more than 0 is needed."),
        ({"seed": -3}, "The seed of a training came as -3; 0 or more is needed."),
        ({"steps": -1}, "The steps of a training came as -1; 0 or more is needed."),
    ],
)
def test_a_training_without_time_rate_or_seed_is_refused(
    tmp_path: Path, options: dict[str, float], sentence: str
) -> None:
    with pytest.raises(WrongUsageError, match=f"^{re.escape(sentence)}$"):
        small_run(tmp_path, **options)


def test_no_seed_trains_on_held_out_samples(tmp_path: Path) -> None:
    for seed in (0, 9, 10, 12345):
        run = small_run(tmp_path, seed=seed)
        assert 0 <= run.first_sample() < 1_000_000_000 - 50_000_000
