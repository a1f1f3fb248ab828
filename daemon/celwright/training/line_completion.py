"""The recipe of the line completion: whole line art broken at random, averaged weights out."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from celwright.models.line_completion import LineCompletion
from celwright.models.presets import build_line_completion
from celwright.training.broken_lines import held_out_lines, line_batches
from celwright.training.corpora import packed_corpora
from celwright.training.running import Run, RunOptions

LOST = 4.0  # how much more a pixel counts whose ink is gone
_BLANK = 0.2  # ink; below it a pixel of a line is lost
_NEAR = 2  # pixels by which a completed stroke may lie beside the true one


@dataclass(frozen=True, kw_only=True)
class LineOptions(RunOptions):
    """``corpora``: folders of drawings by people, whose lines are learnt too."""

    batch: int = 8
    learning_rate: float = 1e-3
    replays: float = 12.0
    pool: int = 500
    corpora: tuple[Path, ...] = ()


def loss(network: LineCompletion, sample: Tensor) -> Tensor:
    """Cross entropy to the whole lines of ``sample`` (B, 2, S, S) uint8, lost ink counting more."""
    worn, whole = (sample.float() / 255).split(1, dim=1)  # type: ignore[no-untyped-call]
    weight = 1 + LOST * (whole - worn).clamp(min=0)
    return F.binary_cross_entropy_with_logits(network(worn).float(), whole, weight)


@torch.inference_mode()
def figures(network: LineCompletion, tests: Tensor) -> dict[str, float]:
    """``found``: share of the lost pixels of lines that come back; ``true``: share of the pixels that come where no ink
    was which lie within ``_NEAR`` pixels of a whole line."""
    found = lost = true = said = 0.0
    for sample in tests.split(8):  # type: ignore[no-untyped-call]
        worn, whole = (sample.float() / 255).split(1, dim=1)
        with torch.autocast(sample.device.type, torch.bfloat16):
            line = network(worn) > 0
        gone, new = (whole > 0.5) & (worn < _BLANK), line & (worn < _BLANK)
        near = F.max_pool2d(whole, 2 * _NEAR + 1, 1, _NEAR) > 0.5
        found, lost = found + float((gone & line).sum()), lost + float(gone.sum())
        true, said = true + float((new & near).sum()), said + float(new.sum())
    return {"found": found / max(lost, 1), "true": true / max(said, 1)}


def train(options: LineOptions) -> Path:
    """Train until the clock runs out and give the last checkpoint's path. Prints held-out figures on the way."""
    corpora = packed_corpora(options.corpora, options.out) if options.corpora else None
    run = Run(options, lambda: build_line_completion(options.preset))
    tests = held_out_lines(options.held_out).to(run.device)
    batches = line_batches(run.first_sample(), options.batch, options.pace(), corpora)
    with closing(batches), run:
        for sample in run.over(batches, lambda: [figures(run.average, tests)]):
            with run.autocast():
                error = loss(run.network, sample.to(run.device))
            run.learn(error)
    return run.checkpoint
