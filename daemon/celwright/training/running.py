"""What every recipe of a small network shares: clock, rate, averaged weights, checkpoints and reports.

A run stops by the wall clock or after so many steps, resumes from its last checkpoint, and saves one when it is asked
to end. The learning rate follows the share of that budget that is used, so that the weights are always annealed at the
end. Knows neither networks nor data nor losses.
"""

import json
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, TypeAlias, TypeVar

import torch
from torch import Tensor, nn

from celwright.errors import WrongUsageError
from celwright.training.ending import Ending
from celwright.training.muon import BETAS, DECAY
from celwright.training.painters import Pace
from celwright.training.thread_choice import ThreadChoice

Network = TypeVar("Network", bound=nn.Module)
Sample = TypeVar("Sample")
Figures: TypeAlias = Mapping[str, float | str]

MEASURING = 0.05  # share of the time that held-out figures may take
SEEDS, PER_SEED = 10, 100_000_000  # sample numbers of seeds stay apart, and below the held-out ones


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """``minutes`` of wall clock from the first sample on, figures and resumed runs included, or ``steps``, if more than
    0, where these are done sooner: runs to be compared learn equally long and from the same samples, for which they
    wait. ``workers``, ``replays`` and ``pool`` are of ``Pace``. A checkpoint is written every ``report_minutes``,
    and figures on ``held_out`` samples with it unless they would take more than ``MEASURING`` of the time."""

    out: Path
    minutes: float = 60.0
    steps: int = 0
    resume: bool = False
    preset: str = "embedded"
    seed: int = 0
    batch: int = 8
    learning_rate: float = 6e-4
    replays: float = 4.0
    pool: int = 600
    workers: int = 1
    threads: int = 2
    report_minutes: float = 4.0
    held_out: int = 48
    device: str = "auto"

    def __post_init__(self) -> None:
        for name in ("minutes", "learning_rate"):
            if not getattr(self, name) > 0:
                words = name.replace("_", " ")
                raise WrongUsageError(
                    f"The {words} of a training came as {getattr(self, name)}; more than 0 is needed."
                )
        for name in ("seed", "steps"):
            if getattr(self, name) < 0:
                raise WrongUsageError(f"The {name} of a training came as {getattr(self, name)}; 0 or more is needed.")

    def pace(self) -> Pace:
        return Pace(self.replays, self.pool, self.workers, steady=self.steps > 0)


def rate(used: float, step: int) -> float:
    """Share of the learning rate at a used share of the budget: warm-up, plateau until 0.4, cosine to nearly 0."""
    decay = 1.0 if used < 0.4 else 0.5 * (1 + math.cos(math.pi * min((used - 0.4) / 0.6, 1.0)))
    return min(1.0, (step + 1) / 100) * max(decay, 0.002)


def _adamw(network: nn.Module, rate: float) -> torch.optim.Optimizer:
    return torch.optim.AdamW(network.parameters(), rate, BETAS, weight_decay=DECAY)


class Run(Generic[Network]):
    """One training: ``network``, its running ``average``, ``step`` and ``recent`` losses, as ``checkpoint.pt`` in the
    folder ``options.out`` keeps them. As a context it saves them when SIGTERM or Ctrl-C ends it.

    ``build`` makes the network, ``optimizer`` what improves it at a learning rate. Raises WrongUsageError when the
    folder holds a checkpoint that is not to be resumed or is of another network.
    """

    def __init__(
        self, options: RunOptions, build: Callable[[], Network], optimizer: Callable[[Network, float], Any] = _adamw
    ) -> None:
        self.options = options
        self.checkpoint = options.out / "checkpoint.pt"
        if self.checkpoint.exists() and not options.resume:
            raise WrongUsageError(
                f"{options.out} holds the checkpoint of an earlier training; go on from it with --resume, or name "
                f"another folder."
            )
        options.out.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(options.seed)
        self.threads = ThreadChoice(options.threads)
        cuda = options.device == "auto" and torch.cuda.is_available()
        self.device = "cuda" if cuda else "cpu" if options.device == "auto" else options.device
        self.network, self.average = self._placed(build()), self._placed(build())
        self.average.load_state_dict(self.network.state_dict())
        self.optimizer = optimizer(self.network, options.learning_rate)
        self.step, self.before = 0, 0.0
        self.began: float | None = None  # when the first sample came: preparing differs, and teaches nothing
        self.recent: dict[str, float] = {}
        if self.checkpoint.exists():
            self._load()
        self.ending = Ending()
        self.saved = self.measured = 0.0
        self.measuring = 0.0  # seconds that the last figures took

    def _placed(self, network: Network) -> Network:
        placed: Network = network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        return placed

    def _load(self) -> None:
        state = torch.load(self.checkpoint, map_location=self.device, weights_only=True)
        try:
            self.network.load_state_dict(state["network"])
            self.average.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
        except (RuntimeError, KeyError, ValueError) as fault:
            raise WrongUsageError(
                f"{self.checkpoint} is of another network or recipe, of the preset {state['options']['preset']!r}, "
                f"than the preset {self.options.preset!r} to be resumed; name that preset or another folder."
            ) from fault
        self.step, self.before = state["step"], state["seconds"]

    def __enter__(self) -> "Run[Network]":
        self.ending.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ending.hold()
        try:
            if isinstance(fault, (KeyboardInterrupt, SystemExit)):
                self.save()
                print(f"ended at step {self.step}, which is saved; --resume goes on from it", flush=True)
        finally:
            self.ending.__exit__(kind, fault, trace)

    def seconds(self) -> float:
        return self.before + (0 if self.began is None else time.monotonic() - self.began)

    def used(self) -> float:
        """Share of the budget of time or of steps that is used."""
        steps = self.step / self.options.steps if self.options.steps else 0.0
        return max(steps, self.seconds() / (self.options.minutes * 60))

    def first_sample(self) -> int:
        """The number of the first sample to paint: another one for each seed and for each resumption."""
        return self.options.seed % SEEDS * PER_SEED + self.step * self.options.batch

    def autocast(self) -> torch.autocast:
        return torch.autocast(self.device, torch.bfloat16)

    def over(self, samples: Iterable[Sample], figures: Callable[[], Iterable[Figures]]) -> Iterator[Sample]:
        """The samples until the clock has run out, with checkpoints and reports on the way and at the end. ``figures``
        measures the averaged network, and is asked rarely where that takes long."""
        for sample in samples:
            if self.began is None:
                self.began = self.saved = self.measured = time.monotonic()
            if self.used() >= 1:
                break
            self.threads.before_step(self.step)
            yield sample
            if self.step % 100 == 0:
                losses = " ".join(f"{name} {value:.4f}" for name, value in self.recent.items())
                at = f"minutes {self.seconds() / 60:.1f} threads {torch.get_num_threads()}"
                print(f"step {self.step} {losses} {at}", flush=True)
            now = time.monotonic()
            if now - self.saved > self.options.report_minutes * 60:
                self.save()
                if now - self.measured > self.measuring / MEASURING:
                    self.report(figures)
        self.save()
        self.report(figures)

    def learn(self, loss: Tensor, terms: Mapping[str, Tensor] | None = None) -> None:
        """One step down ``loss``; its ``terms``, if it has several, are what reports tell."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.options.learning_rate * rate(self.used(), self.step)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        keep = min(0.999, self.step / (self.step + 20))
        with self.ending.undivided(), torch.no_grad():
            self.optimizer.step()
            for mean, now in zip(self.average.parameters(), self.network.parameters(), strict=True):
                mean.lerp_(now, 1 - keep)
            self.step += 1
        for name, term in (terms or {"loss": loss}).items():
            self.recent[name] = 0.98 * self.recent.get(name, term.item()) + 0.02 * term.item()

    def save(self) -> None:
        """Write the checkpoint beside and rename."""
        state: dict[str, Any] = {
            "network": self.network.state_dict(), "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(), "step": self.step, "seconds": self.seconds(),
            "options": {name: str(value) for name, value in asdict(self.options).items()},
        }  # fmt: skip
        torch.save(state, self.checkpoint.with_suffix(".part"))
        os.replace(self.checkpoint.with_suffix(".part"), self.checkpoint)
        self.saved = time.monotonic()

    def report(self, figures: Callable[[], Iterable[Figures]]) -> None:
        """Print the figures, one line of JSON each, and add them to ``log.jsonl``."""
        began = time.monotonic()
        so_far: dict[str, float | str] = {"minutes": self.seconds() / 60, "step": self.step, **self.recent}
        for measured in figures():
            line = so_far | dict(measured)
            shown = {name: round(value, 4) if isinstance(value, float) else value for name, value in line.items()}
            print(json.dumps(shown), flush=True)
            with (self.options.out / "log.jsonl").open("a", encoding="utf-8") as log:
                log.write(json.dumps(line) + "\n")
        self.measured = time.monotonic()
        self.measuring = self.measured - began
