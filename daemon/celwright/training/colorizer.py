"""The recipe of the embedded colorizer: figures and their references as regions in, averaged weights out."""

from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from celwright.diffusion.schedule import NoiseSchedule
from celwright.errors import WrongUsageError
from celwright.imaging.color import ciede2000, srgb_to_lab
from celwright.models.colorizer import Asked, RegionColorizer, chosen_colors, latents
from celwright.models.presets import build_colorizer
from celwright.models.region_tokens import areas, touching
from celwright.training.muon import MuonWithAdamW
from celwright.training.region_batches import held_out_regions, region_batches
from celwright.training.running import Run, RunOptions

PURE_NOISE = 0.4  # share of the samples at the last timestep, where the conditions alone speak
LEFT_OUT = {"references": 0.3, "hints": 0.35, "histogram": 0.5}  # how often each condition is missing
MOST_HINTED = 0.5  # of a figure's regions
LARGEST_FIRST = 0.35  # how often hints lie in the largest regions, as an artist begins, and not anywhere
LOST = 0.1  # of a reference's patches: what finds them in pictures overlooks some
CLEAR = 0.5  # of a region; with less of one part in it, it is nobody's
CRUMB = 0.01  # of a figure's area, by which small regions count more
CLOSE = 10.0  # CIEDE2000; up to it a region counts as rightly coloured
_RIMS = ("color.0", "noisy", "head", "none", "origin", "gamma", "across", "time.0")  # where colours come and go
_WORST = 12.0  # -log of a chance; worse is a mistake of the drawing

Sample = dict[str, Tensor]


@dataclass(frozen=True, kw_only=True)
class ColorizerOptions(RunOptions):
    """``left_out``: parts to build the network without (sgm, ismff, lgb), for the ablation table. ``structure`` and
    ``pointing``: what these terms of the loss count beside the diffusion's (SC-MILC's lambda_s and lambda_c).
    ``curriculum``: at least so much of a figure's regions has its colours at first, which falls evenly to 0
    (StencilTorch, section 3.5)."""

    minutes: float = 90.0
    batch: int = 12
    learning_rate: float = 5e-4
    replays: float = 3.0
    pool: int = 800
    report_minutes: float = 6.0
    held_out: int = 64
    left_out: tuple[str, ...] = ()
    structure: float = 1.0
    pointing: float = 3.0
    curriculum: float = 0.9

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("structure", "pointing"):
            if not getattr(self, name) >= 0:
                raise WrongUsageError(
                    f"What {name} counts in the loss came as {getattr(self, name)}; 0 or more is needed."
                )
        if not 0 <= self.curriculum <= 1:
            raise WrongUsageError(
                f"The share of known regions that the curriculum begins with came as {self.curriculum}; 0 to 1 is "
                f"allowed."
            )


@dataclass(frozen=True, eq=False)
class Task:
    """What is asked, and the truth of B figures of N regions: ``colors`` (B, N, 3), ``part`` (B, N) numbers, ``weight``
    (B, N) that sums to 1, ``sources`` (B, N + R * M) the parts of what can be pointed at, -1 for nobody's."""

    asked: Asked
    colors: Tensor
    part: Tensor
    weight: Tensor
    sources: Tensor


def task(sample: Sample, kept: dict[str, Tensor], hinted: Tensor) -> Task:
    """``kept`` (B,) whether references and histogram are given; ``hinted`` (B, REGIONS) which regions have a hint."""
    count, patches = _used(sample["regions"][..., 4]), _used(sample["shown"][..., 4])
    labels = sample["labels"].long()
    labels = torch.where(labels > count, 0, labels)
    colors, part, clear = _table(sample["regions"][:, :count])
    hinted = hinted[:, :count] & (clear > CLEAR)
    seen = sample["patches"].long() * kept["references"].view(-1, 1, 1, 1)
    references = _used(seen.flatten(2).amax(2))
    seen = seen[:, :references]
    shown, shown_part, shown_clear = _table(sample["shown"][:, :references, :patches])
    asked = Asked(
        line=sample["line"].float() / 255,
        labels=labels,
        hints=torch.cat([colors * hinted[..., None], hinted[..., None].float()], 2),
        histogram=sample["histogram"] * kept["histogram"][:, None],
        references=sample["references"][:, :references, 3:].float() / 255,
        patches=torch.where(seen > patches, 0, seen),
        colors=shown,
    )
    area = areas(labels, count)
    share = area / area.sum(1, keepdim=True).clamp(min=1)
    weight = torch.where(area > 0, (share + CRUMB).sqrt() * clear**2, 0)
    weight = weight / weight.sum(1, keepdim=True).clamp(min=1e-6)
    sources = torch.cat([torch.where(hinted, part, -1), torch.where(shown_clear > CLEAR, shown_part, -1).flatten(1)], 1)
    return Task(asked, colors, part, weight, sources)


def _used(there: Tensor) -> int:
    """Up to which of N any of ``there`` (..., N) is more than 0; at least one."""
    rows = there.flatten(0, -2).amax(0).nonzero()
    return int(rows.max()) + 1 if len(rows) else 1


def _table(table: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return table[..., :3].float() / 255, table[..., 3].long(), table[..., 4].float() / 255


def drawn_task(sample: Sample, known: float = 0.0) -> Task:
    """With conditions left out, regions hinted and patches of references lost at random; about ``known`` (0..1) of the
    regions are hinted at least."""
    batch, regions = sample["regions"].shape[:2]
    kept_patches = torch.rand(sample["shown"].shape[:3]) >= LOST
    kept_patches = torch.cat([torch.zeros_like(kept_patches[..., :1]), kept_patches], 2)
    there = kept_patches.gather(2, sample["patches"].flatten(2).long()).view_as(sample["patches"])
    sample = {**sample, "patches": sample["patches"] * there}
    kept = {name: torch.rand(batch) >= LEFT_OUT[name] for name in ("references", "histogram")}
    share = MOST_HINTED * torch.rand(batch, 1) ** 2 * (torch.rand(batch, 1) >= LEFT_OUT["hints"])
    area = areas(sample["labels"].long(), regions)
    rank = area.argsort(1, descending=True).argsort(1) / (area > 0).sum(1, keepdim=True).clamp(min=1)
    chance = torch.where(torch.rand(batch, 1) < LARGEST_FIRST, rank, torch.rand(batch, regions))
    return task(sample, kept, chance < share.clamp(min=known))


def loss_terms(network: RegionColorizer, given: Task, schedule: NoiseSchedule) -> dict[str, Tensor]:
    """SC-MILC's terms, for regions; means over regions by weight. ``diffusion``: the squared error of the clean latents
    (eq. 30), half of it of those expected before anything is sampled. ``structure``: that of their differences across
    borders, which are all edges that such a picture has (eq. 31). ``pointer``, for the colours of instances (eq. 32):
    how unlikely each region finds all sources of its own part together (or none, where there is none)."""
    read = network.prepare(given.asked)
    x0 = latents(given.colors)
    t = torch.randint(len(schedule), (len(x0),))
    t = torch.where(torch.rand(len(x0)) < PURE_NOISE, len(schedule) - 1, t)
    clean = network(schedule.noised(x0, torch.randn_like(x0), t), t, read)
    logits, expected = network.pointing(read)
    own = (given.part[:, :, None] == given.sources[:, None]) & read.open[:, None]
    own = torch.cat([own, ~own.any(2, keepdim=True)], 2)
    unlikely = -torch.logsumexp(torch.log_softmax(logits, 2).masked_fill(~own, -1e9), 2)
    asked = given.weight * (1 - given.asked.hints[..., 3])
    wrong, unexpected = clean - x0, expected - x0
    squared = (wrong.square() + unexpected.square()).mean(2) / 2
    border = touching(given.asked.labels, wrong.shape[1]) * given.weight[:, :, None] * (given.weight > 0)[:, None]
    uneven = (wrong[:, :, None] - wrong[:, None]).square().mean(3)
    return {
        "pointer": (unlikely.clamp(max=_WORST) * asked).sum() / asked.sum().clamp(min=1e-6),
        "diffusion": (squared * given.weight).sum() / given.weight.sum(),
        "structure": (uneven * border).sum() / border.sum().clamp(min=1e-6),
    }


@torch.inference_mode()
def figures(network: RegionColorizer, tests: Sample) -> dict[str, float]:
    """Mean share of the figures' area that gets a colour within ``CLOSE`` of the true flat's from where the network
    points: ``reference_accuracy`` with references alone, ``hint_accuracy`` with a quarter of the regions hinted."""
    generator = torch.Generator().manual_seed(5)
    batch, regions = tests["regions"].shape[:2]
    some = torch.rand(batch, regions, generator=generator) < 0.25
    everyone, nobody = torch.ones(batch, dtype=torch.bool), torch.zeros(batch, dtype=torch.bool)
    ways = {"reference": (everyone, torch.zeros_like(some)), "hint": (nobody, some)}
    found = {}
    for name, (references, hinted) in ways.items():
        shares = []
        for i in range(0, batch, 16):
            part = {key: value[i : i + 16] for key, value in tests.items()}
            kept = {"references": references[i : i + 16], "histogram": nobody[i : i + 16]}
            shares += _accuracy(network, task(part, kept, hinted[i : i + 16]))
        found[f"{name}_accuracy"] = float(np.mean(shares))
    return found


def _accuracy(network: RegionColorizer, given: Task) -> list[float]:
    with torch.autocast(given.colors.device.type, torch.bfloat16):
        read = network.prepare(given.asked)
        logits, _ = network.pointing(read)
    colors = chosen_colors(logits, read.sources)[0]
    hinted = given.asked.hints[..., 3:] > 0
    colors = torch.where(hinted, given.colors, colors)
    right = ciede2000(*(srgb_to_lab(part.float().numpy()) for part in (colors, given.colors))) <= CLOSE
    area = areas(given.asked.labels, colors.shape[1]).numpy() * (given.weight > 0).numpy()
    return [float((a * r).sum() / a.sum()) for a, r in zip(area, right, strict=True) if a.sum() > 0]


def train(options: ColorizerOptions) -> Path:
    """Train until the clock runs out and give the last checkpoint's path. Prints held-out figures on the way."""
    switches = dict.fromkeys(options.left_out, False)
    optimizer = partial(MuonWithAdamW, rims=_RIMS)
    run = Run(options, lambda: build_colorizer(options.preset, **switches), optimizer)
    schedule, tests = NoiseSchedule(), held_out_regions(options.held_out)
    batches = region_batches(run.first_sample(), options.batch, options.pace())
    with closing(batches), run:
        for sample in run.over(batches, lambda: [figures(run.average, tests)]):
            with run.autocast():
                known = options.curriculum * (1 - run.used())
                terms = loss_terms(run.network, drawn_task(sample, known), schedule)
            loss = terms["diffusion"] + options.structure * terms["structure"] + options.pointing * terms["pointer"]
            run.learn(loss, terms)
    return run.checkpoint
