"""The recipe of the embedded decomposer: procedural scenes and cut drawings in, annealed average weights out."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from celwright.errors import WrongUsageError
from celwright.models.presets import build_decomposer
from celwright.training.corpora import packed_corpora
from celwright.training.held_out import KINDS, held_out_figures
from celwright.training.losses import decomposition_loss
from celwright.training.running import Figures, Run, RunOptions
from celwright.training.samples import Shares, batches, held_out, unpacked

EARLY = 0.7  # share of the time with small crops


@dataclass(frozen=True, kw_only=True)
class TrainingOptions(RunOptions):
    """``rich``, ``painted`` and ``drawn`` are the shares of those scenes (the rest is standard), drawn ones out of the
    layer folders under ``corpora``, each of these equally often. ``size`` of the scenes and crops in pixels a side."""

    crop: int = 192
    early_crop: int = 192
    size: int = 256
    rich: float = 0.6
    painted: float = 0.0
    drawn: float = 0.0
    corpora: tuple[Path, ...] = ()


def train(options: TrainingOptions) -> Path:
    """Train until the clock runs out and give the last checkpoint's path. Prints held-out figures on the way."""
    shares = packed_shares(options)
    run = Run(options, lambda: build_decomposer(options.preset))
    tests = {kind: held_out(kind, options.held_out, options.size) for kind in KINDS}

    def figures() -> Iterator[Figures]:
        for kind, samples in tests.items():
            yield {"kind": kind, **held_out_figures(run.average, samples, run.device)}

    def crop() -> int:
        """Small pictures first: more steps for the time while there is most to learn."""
        return options.early_crop if run.used() < EARLY else options.crop

    paint = batches(run.first_sample(), options.batch, crop, options.size, shares, options.pace())
    with closing(paint) as scenes, run:
        for samples in run.over(scenes, figures):
            seen, truth = unpacked(samples.to(run.device))
            with run.autocast():
                estimate = run.network(seen.contiguous(memory_format=torch.channels_last))
            run.learn(decomposition_loss(estimate, truth))
    return run.checkpoint


def packed_shares(options: TrainingOptions) -> Shares:
    """The shares, with the drawings packed into ``options.out``. Raises WrongUsageError when drawings are asked for
    and none came, or the other way round."""
    if bool(options.corpora) != (options.drawn > 0):
        came = f"{len(options.corpora)} folders of drawings"
        raise WrongUsageError(
            f"The share of scenes out of drawings is {options.drawn} and {came} came; give both or neither, with "
            f"--drawn and --corpora."
        )
    shares = Shares(options.rich, options.painted, options.drawn)
    if not options.corpora:
        return shares
    return replace(shares, corpora=packed_corpora(options.corpora, options.out / "corpora"))
