"""The recipe of the embedded colorizer: colouring pairs and a trained autoencoder in, averaged weights out."""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field
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
from celwright.training.agreement import agreement_loss
from celwright.training.autoencoder import on_white
from celwright.training.color_losses import Probe, Weights, fitted_probe
from celwright.training.color_samples import Latents, Sample, conditions, dropped, on_device, rgba
from celwright.training.colored_held_out import colored_figures
from celwright.training.pairs import colour_batches, held_out_pairs
from celwright.training.running import Run, RunOptions

PURE_NOISE = 0.5  # share of the samples at the last timestep


@dataclass(frozen=True, kw_only=True)
class ColorizerOptions(RunOptions):
    """``autoencoder``: the folder that training/autoencoder.py wrote; None: latents are colours
    (models/color_latents.py). ``sizes`` are the samples' pixels a side (multiples of 32), each with the share of the
    minutes that have passed when it ends: small pictures give more steps while there is most to learn. Held-out pairs
    have the last size. ``left_out``: parts to build the network without (sgm, ismff, correspondence, lgb), for the
    ablation table. In the first ``correspondence_first`` of the minutes only the correspondence is learnt, which the
    rest leans on and which is quick by itself."""

    minutes: float = 75.0
    batch: int = 14
    learning_rate: float = 4e-4
    pool: int = 400
    report_minutes: float = 8.0
    held_out: int = 32
    autoencoder: Path | None = None
    left_out: tuple[str, ...] = ()
    sizes: tuple[tuple[int, float], ...] = ((160, 0.4), (224, 0.75), (256, 1.0))
    weights: Weights = field(default_factory=Weights)
    correspondence_first: float = 0.3


def phased(options: ColorizerOptions, first: int, used: Callable[[], float]) -> Generator[Sample, None, None]:
    """Batches of small pictures, then of larger ones, until the clock has run out."""
    for size, until in options.sizes:
        if used() >= until:
            continue
        batches = colour_batches(
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


def agreement(network: Colorizer, sample: Sample) -> Tensor:
    """How far the attention of a sample's places is from looking at their own colours in its references."""
    ink = 1 - sample["line"]
    clear = one_colored(sample["flat"], ink) * F.avg_pool2d(sample["alpha"], 8)
    given = sample["line"], sample["references"], sample["reference_region"]
    return agreement_loss(network, *given, mean_color(sample["flat"], ink), clear)


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
    switches = dict.fromkeys(options.left_out, False)
    run = Run(options, lambda: build_colorizer(options.preset, **switches), betas=(0.9, 0.999))
    autoencoder, schedule = latent_space(options.autoencoder, run.device), NoiseSchedule()
    tests = on_device(held_out_pairs(options.held_out, options.sizes[-1][0]), run.device)
    probe = fitted_probe(latents_of(autoencoder, tests), on_white(rgba(tests)))

    def figures() -> list[dict[str, float]]:
        return [colored_figures(run.average, autoencoder, tests, schedule, folder=options.out)]

    with closing(phased(options, run.first_sample(), run.used)) as pairs, run:
        for packed in run.over(pairs, figures):
            sample = on_device(packed, run.device)
            if run.used() < options.correspondence_first and run.network.references.correspondence:
                with run.autocast():
                    lost = agreement(run.network, sample)
                run.learn(lost, {"agreement": lost})
                continue
            with run.autocast():
                x0 = latents_of(autoencoder, sample)
                prepared = run.network.prepare(dropped(conditions(autoencoder, sample)))
                terms = loss_terms(run.network, prepared, sample, x0, schedule, probe)
            run.learn(weighted(terms, options.weights), terms)
    return run.checkpoint


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
