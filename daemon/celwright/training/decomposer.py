"""The recipe of the embedded decomposer: procedural scenes in, annealed average weights out.

Runs unchanged on CPU and GPU, stops by the wall clock, resumes from its last checkpoint. The learning rate follows
the share of the time budget that is used, so that the weights are always annealed when the clock runs out.
"""

import json
import math
import os
import time
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from celwright.models.presets import build_decomposer
from celwright.training.corpora import packed_corpora
from celwright.training.held_out import KINDS, held_out_figures
from celwright.training.losses import decomposition_loss
from celwright.training.samples import Shares, batches, held_out, unpacked

EARLY = 0.7  # share of the time with small crops


@dataclass(frozen=True)
class TrainingOptions:
    """``minutes`` of wall clock in all, resumed runs included; ``rich``, ``painted`` and ``drawn`` are the shares
    of those scenes (the rest is standard), drawn ones out of the layer folders under ``corpora``; every scene is seen
    about ``replays`` times, cropped, turned and recoloured anew each time."""

    out: Path
    minutes: float = 60.0
    resume: bool = False
    preset: str = "embedded"
    seed: int = 0
    batch: int = 8
    crop: int = 192
    early_crop: int = 192
    size: int = 256
    rich: float = 0.6
    painted: float = 0.0
    drawn: float = 0.0
    corpora: tuple[Path, ...] = ()
    replays: float = 4.0
    pool: int = 600
    learning_rate: float = 6e-4
    workers: int = 1
    threads: int = 2
    report_minutes: float = 4.0
    held_out: int = 48
    device: str = "auto"


class ThreadChoice:
    """Tries one thread and all allowed ones now and then and keeps what is faster: on a machine shared with others
    two threads that wait for each other can be slower than one."""

    PERIOD, TRIAL = 96, 6  # steps

    def __init__(self, most: int) -> None:
        self.most = most
        self.began = 0.0
        self.single = 0.0

    def before_step(self, step: int) -> None:
        phase = step % self.PERIOD
        if self.most == 1 or phase not in (0, self.TRIAL, 2 * self.TRIAL):
            return
        spent, self.began = time.monotonic() - self.began, time.monotonic()
        if phase == 0:
            torch.set_num_threads(1)
        elif phase == self.TRIAL:
            self.single = spent
            torch.set_num_threads(self.most)
        elif self.single < spent:
            torch.set_num_threads(1)


def rate(used: float, step: int) -> float:
    """Share of the learning rate at a used share of the time budget: warm-up, plateau to half time, cosine to 0."""
    decay = 1.0 if used < 0.4 else 0.5 * (1 + math.cos(math.pi * min((used - 0.4) / 0.6, 1.0)))
    return min(1.0, (step + 1) / 100) * max(decay, 0.002)


def train(options: TrainingOptions) -> Path:
    """Train until the clock runs out and give the last checkpoint's path. Prints held-out figures on the way."""
    began = time.monotonic()
    torch.manual_seed(options.seed)
    threads = ThreadChoice(options.threads)
    torch.set_num_threads(options.threads)
    device = ("cuda" if torch.cuda.is_available() else "cpu") if options.device == "auto" else options.device
    options.out.mkdir(parents=True, exist_ok=True)
    checkpoint = options.out / "checkpoint.pt"
    network = build_decomposer(options.preset).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = build_decomposer(options.preset).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    average.load_state_dict(network.state_dict())
    optimizer = torch.optim.AdamW(network.parameters(), lr=options.learning_rate, betas=(0.9, 0.99), weight_decay=0.01)
    step, before = 0, 0.0
    if options.resume and checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        network.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        step, before = state["step"], state["seconds"]
    tests = {kind: held_out(kind, options.held_out, options.size) for kind in KINDS}
    for kind, samples in tests.items():
        print(kind, "baseline", json.dumps(held_out_figures(None, samples)), flush=True)

    def save() -> None:
        seconds = before + time.monotonic() - began
        state = {
            "network": network.state_dict(), "average": average.state_dict(), "optimizer": optimizer.state_dict(),
            "step": step, "seconds": seconds, "options": {k: str(v) for k, v in asdict(options).items()},
        }  # fmt: skip
        torch.save(state, checkpoint.with_suffix(".part"))
        os.replace(checkpoint.with_suffix(".part"), checkpoint)
        for kind, samples in tests.items():
            figures = {"kind": kind, "minutes": seconds / 60, "step": step, "loss": recent}
            figures |= held_out_figures(average, samples, device)
            print(json.dumps({k: round(v, 4) if isinstance(v, float) else v for k, v in figures.items()}), flush=True)
            with (options.out / "log.jsonl").open("a") as log:
                log.write(json.dumps(figures) + "\n")

    def used() -> float:
        return (before + time.monotonic() - began) / (options.minutes * 60)

    def crop() -> int:
        """Small pictures first: more steps for the time while there is most to learn."""
        return options.early_crop if used() < EARLY else options.crop

    recent, reported = 0.0, time.monotonic()
    first = options.seed * 100_000_000 + step * options.batch
    packed = packed_corpora(options.corpora, options.out / "corpora") if options.corpora else None
    shares = Shares(options.rich, options.painted, options.drawn, packed)
    paint = batches(first, options.batch, crop, options.size, shares, options.replays, options.pool, options.workers)
    with closing(paint) as scenes:
        for samples in scenes:
            if used() >= 1:
                break
            threads.before_step(step)
            for group in optimizer.param_groups:
                group["lr"] = options.learning_rate * rate(used(), step)
            seen, truth = unpacked(samples.to(device))
            with torch.autocast(device, torch.bfloat16):
                estimate = network(seen.contiguous(memory_format=torch.channels_last))
            loss = decomposition_loss(estimate, truth)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            keep = min(0.999, step / (step + 20))
            with torch.no_grad():
                for mean, now in zip(average.parameters(), network.parameters(), strict=True):
                    mean.lerp_(now, 1 - keep)
            step += 1
            recent = 0.98 * recent + 0.02 * loss.item() if recent else loss.item()
            if step % 100 == 0:
                at = f"minutes {used() * options.minutes:.1f} threads {torch.get_num_threads()}"
                print(f"step {step} loss {recent:.4f} {at}", flush=True)
            if time.monotonic() - reported > options.report_minutes * 60:
                save()
                reported = time.monotonic()
    save()
    return checkpoint
