"""The recipe of the embedded colorizer: colouring pairs and a trained autoencoder in, averaged weights out.

Runs unchanged on CPU and GPU, stops by the wall clock, resumes from its last checkpoint. Small pictures first. The
learning rate follows the share of the time budget that is used.
"""

import json
import os
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from celwright.diffusion.schedule import NoiseSchedule
from celwright.models.autoencoder import Autoencoder
from celwright.models.color_latents import ColorLatents
from celwright.models.colorizer import Colorizer, Prepared
from celwright.models.presets import build_colorizer
from celwright.models.reference_colors import mean_color
from celwright.training import color_losses
from celwright.training.autoencoder import on_white
from celwright.training.color_losses import Probe, Weights, fitted_probe
from celwright.training.color_samples import Latents, Sample, conditions, dropped, on_device, rgba
from celwright.training.colored_held_out import colored_figures
from celwright.training.decomposer import ThreadChoice, rate
from celwright.training.pairs import colour_batches, held_out_pairs

PURE_NOISE = 0.5  # share of the samples at the last timestep


@dataclass(frozen=True)
class ColorizerOptions:
    """``autoencoder``: the folder that training/autoencoder.py wrote; None: latents are colours
    (models/color_latents.py). ``minutes`` of wall clock in all, resumed runs
    included; ``sizes`` are the samples' pixels a side (multiples of 32), each with the share of the minutes that have
    passed when it ends: small pictures give more steps while there is most to learn. Held-out pairs have the last
    size. ``left_out``: parts to build the network without (sgm, ismff, correspondence, lgb), for the ablation
    table."""

    out: Path
    autoencoder: Path | None = None
    minutes: float = 75.0
    resume: bool = False
    preset: str = "embedded"
    left_out: tuple[str, ...] = ()
    seed: int = 0
    batch: int = 14
    sizes: tuple[tuple[int, float], ...] = ((160, 0.4), (224, 0.75), (256, 1.0))
    replays: float = 4.0
    pool: int = 400
    learning_rate: float = 4e-4
    weights: Weights = field(default_factory=Weights)
    workers: int = 1
    threads: int = 2
    report_minutes: float = 8.0
    held_out: int = 32
    device: str = "auto"


def phased(options: ColorizerOptions, first: int, used: Callable[[], float]) -> Iterator[Sample]:
    """Batches of small pictures, then of larger ones, until the clock has run out."""
    for size, until in options.sizes:
        if used() >= until:
            continue
        batches: Generator[Sample, None, None] = colour_batches(
            first, options.batch, size, workers=options.workers, replays=options.replays, pool=options.pool
        )
        with closing(batches):
            for sample in batches:
                if used() >= until:
                    break
                yield sample
        first += 10_000_000


def loss_terms(
    network: Colorizer, prepared: Prepared, sample: Sample, x0: Tensor, schedule: NoiseSchedule, probe: Probe
) -> dict[str, Tensor]:
    """Every term of eq. 34 and the correspondence term, not weighted, at one random timestep for each sample."""
    eps = torch.randn_like(x0)
    # Colours are decided where there is most noise; in the rest neighbours betray them. Half of the samples therefore
    # are pure noise, and teach what the conditions alone say.
    early = torch.rand(len(x0), device=x0.device) < PURE_NOISE
    t = torch.randint(len(schedule), (len(x0),), device=x0.device)
    t = torch.where(early, len(schedule) - 1, t)
    if not network.lgb:
        t = torch.full_like(t, len(schedule) - 1)  # pure noise: straight from the conditions
    noisy = schedule.noised(x0, eps, t)
    clean = network(noisy, t, prepared)
    picture = probe(clean)
    truth = probe(x0)
    small = sample["part"][:, :, 2::4, 2::4]
    ink = 1 - sample["line"]
    return {
        "diffusion": color_losses.diffusion_loss(clean, x0),
        "structure": color_losses.structure_loss(picture, truth),
        "color": color_losses.color_loss(picture, truth, small),
        "gate": color_losses.gate_loss(prepared.gates, prepared.present),
        "correspondence": color_losses.correspondence_loss(
            prepared.carried, mean_color(sample["flat"], ink), prepared.confidence.detach().ne(0).float(),
            one_colored(sample["flat"], ink) * F.avg_pool2d(sample["alpha"], 8),
        ),
    }  # fmt: skip


def one_colored(flat: Tensor, ink: Tensor) -> Tensor:
    """(B, 1, h, w): 1 for latent cells of one colour, falling to 0 for mixed ones, whose mean is nobody's colour."""
    mean = mean_color(flat, ink)
    spread = (mean_color(flat.square(), ink) - mean.square()).clamp(min=0).sum(1, keepdim=True)
    return torch.exp(-spread / 0.015)


def weighted(terms: dict[str, Tensor], weights: Weights) -> Tensor:
    """Eq. 34 and the correspondence term."""
    extra = sum((terms[name] * weight for name, weight in weights._asdict().items()), torch.zeros(()))
    return terms["diffusion"] + extra


def train(options: ColorizerOptions) -> Path:
    """Train until the clock runs out and give the last checkpoint's path. Prints held-out figures on the way."""
    began = time.monotonic()
    torch.manual_seed(options.seed)
    threads = ThreadChoice(options.threads)
    torch.set_num_threads(options.threads)
    device = ("cuda" if torch.cuda.is_available() else "cpu") if options.device == "auto" else options.device
    options.out.mkdir(parents=True, exist_ok=True)
    checkpoint = options.out / "checkpoint.pt"
    switches = dict.fromkeys(options.left_out, False)
    autoencoder = latent_space(options.autoencoder, device)
    network = build_colorizer(options.preset, **switches).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = build_colorizer(options.preset, **switches).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    average.load_state_dict(network.state_dict())
    optimizer = torch.optim.AdamW(network.parameters(), lr=options.learning_rate, betas=(0.9, 0.999), weight_decay=0.01)
    step, before = 0, 0.0
    if options.resume and checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        network.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        step, before = state["step"], state["seconds"]
    schedule = NoiseSchedule()
    tests = on_device(held_out_pairs(options.held_out, options.sizes[-1][0]), device)
    with torch.no_grad():
        probe = fitted_probe(latents_of(autoencoder, tests), on_white(rgba(tests)))
    recent: dict[str, float] = {}

    def save() -> None:
        seconds = before + time.monotonic() - began
        state = {
            "network": network.state_dict(), "average": average.state_dict(), "optimizer": optimizer.state_dict(),
            "step": step, "seconds": seconds, "options": {k: str(v) for k, v in asdict(options).items()},
        }  # fmt: skip
        torch.save(state, checkpoint.with_suffix(".part"))
        os.replace(checkpoint.with_suffix(".part"), checkpoint)
        figures = {"minutes": seconds / 60, "step": step, **recent}
        figures |= colored_figures(average, autoencoder, tests, schedule, folder=options.out)
        print(json.dumps({k: round(v, 4) for k, v in figures.items()}), flush=True)
        with (options.out / "log.jsonl").open("a") as log:
            log.write(json.dumps(figures) + "\n")

    def used() -> float:
        return (before + time.monotonic() - began) / (options.minutes * 60)

    reported = time.monotonic()
    for packed in phased(options, options.seed * 100_000_000 + step * options.batch, used):
        threads.before_step(step)
        for group in optimizer.param_groups:
            group["lr"] = options.learning_rate * rate(used(), step)
        sample = on_device(packed, device)
        with torch.autocast(device, torch.bfloat16):
            x0 = latents_of(autoencoder, sample)
            prepared = network.prepare(dropped(conditions(autoencoder, sample)))
            terms = loss_terms(network, prepared, sample, x0, schedule, probe)
        loss = weighted(terms, options.weights)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        keep = min(0.999, step / (step + 20))
        with torch.no_grad():
            for mean, now in zip(average.parameters(), network.parameters(), strict=True):
                mean.lerp_(now, 1 - keep)
        step += 1
        for name, term in terms.items():
            recent[name] = 0.98 * recent.get(name, term.item()) + 0.02 * term.item()
        if step % 50 == 0:
            losses = " ".join(f"{name} {value:.4f}" for name, value in recent.items())
            print(
                f"step {step} {losses} minutes {used() * options.minutes:.1f} threads {torch.get_num_threads()}",
                flush=True,
            )
        if time.monotonic() - reported > options.report_minutes * 60:
            save()
            reported = time.monotonic()
    save()
    return checkpoint


def latent_space(folder: Path | None, device: str) -> Latents:
    """What turns pictures into latents and back: the autoencoder in ``folder``, or colours themselves."""
    if folder is None:
        return ColorLatents()
    autoencoder = Autoencoder.from_pretrained(folder).eval().requires_grad_(False)
    moved: Autoencoder = autoencoder.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return moved


def latents_of(autoencoder: Latents, sample: Sample) -> Tensor:
    """(B, C, S / 8, S / 8): what the diffusion is to arrive at."""
    with torch.no_grad():
        latents: Tensor = (
            autoencoder.encode(rgba(sample)).latent_dist.mode().float() * autoencoder.config.scaling_factor
        )
    return latents
