"""The colorizer on figures that no training run sees, drawn anew in another view than their reference shows.

From references alone, judged where a figure stands that one of them shows. Compares trained runs, such as those that
leave a part out (SC-MILC, table III). Knows pairs and networks; the sampler is the training's.
"""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from celwright.diffusion.schedule import NoiseSchedule
from celwright.domain import FloatImage
from celwright.errors import UnusableInputError
from celwright.evaluation import lpips
from celwright.models.color_latents import Latents
from celwright.models.colorizer import Colorizer
from celwright.models.presets import build_colorizer
from celwright.pipelines.colorize.color_networks import color_networks
from celwright.training.color_samples import on_device
from celwright.training.colored_held_out import area_accuracy, painted
from celwright.training.colorizer import latent_space
from celwright.training.pairs import HELD_OUT, ColorSample, batch_of, pair

_LEAST = 0.01  # of the picture; figures that show less are not judged
_NAMES = {"sgm": "SGM", "ismff": "ISMFF", "lgb": "LGB", "correspondence": "correspondence"}


@dataclass(frozen=True, eq=False)
class Painter:
    """A colorizer to be measured."""

    name: str
    autoencoder: Latents
    colorizer: Colorizer
    device: str


@dataclass(frozen=True)
class PairScore:
    """Means over ``count`` pairs: ``psnr`` (dB), ``ssim`` and ``lpips`` (None where its weights are not installed) of
    the judged pixels, shading included, and the share of their area whose part has its true flat colour within
    CIEDE2000 10."""

    name: str
    count: int
    psnr: float
    ssim: float
    accuracy: float
    lpips: float | None


def installed(name: str = "embedded") -> Painter:
    """Raises ModelUnavailableError."""
    networks = color_networks(name)
    return Painter(name, networks.autoencoder, networks.colorizer, networks.device)


def trained(run: Path, device: str = "cpu") -> Painter:
    """The averaged weights of a training's last checkpoint in the folder ``run``, named after what it leaves out.
    Raises UnusableInputError when there is none."""
    try:
        state = torch.load(run / "checkpoint.pt", map_location=device, weights_only=True)
    except OSError as fault:
        raise UnusableInputError(
            f"{run} holds no checkpoint.pt ({fault.strerror}); name the folder that a colorizer's training wrote."
        ) from fault
    options = state["options"]
    left_out = ast.literal_eval(options["left_out"])
    colorizer = build_colorizer(options["preset"], **dict.fromkeys(left_out, False))
    colorizer.load_state_dict(state["average"])
    folder = None if options["autoencoder"] == "None" else Path(options["autoencoder"])
    name = f"w/o {', '.join(_NAMES[part] for part in left_out)}" if left_out else "full"
    return Painter(name, latent_space(folder, device), colorizer.eval().to(device), device)


def evaluate(painters: Sequence[Painter], count: int = 48, size: int = 256) -> list[PairScore]:
    """The same ``count`` pairs, ``size`` pixels square, for every painter."""
    chosen = list(shown_pairs(count, size))
    pairs = batch_of([made for made, _ in chosen])
    schedule = NoiseSchedule()
    scores = []
    for painter in painters:
        tests = on_device(pairs, painter.device)
        alone = ("context", "hints", "histogram")
        pictures, _ = painted(painter.colorizer, painter.autoencoder, tests, schedule, left_out=alone)
        images = pictures.float().permute(0, 2, 3, 1).cpu().numpy()
        distance = _lpips(images, chosen)
        figures = [_figures(image, *one) for image, one in zip(images, chosen, strict=True)]
        psnr, ssim, accuracy = np.mean(figures, axis=0).tolist()
        scores.append(PairScore(painter.name, count, psnr, ssim, accuracy, distance))
    return scores


def table(scores: Sequence[PairScore]) -> str:
    """The scores as Markdown."""
    lines = ["| model | pairs | PSNR | SSIM | area accuracy | LPIPS |", "|---|---|---|---|---|---|"]
    for s in scores:
        distance = "-" if s.lpips is None else f"{s.lpips:.3f}"
        lines.append(f"| {s.name} | {s.count} | {s.psnr:.2f} | {s.ssim:.3f} | {s.accuracy:.3f} | {distance} |")
    return "\n".join(lines)


def shown_pairs(count: int, size: int) -> Iterator[tuple[ColorSample, NDArray[np.bool_]]]:
    """Held-out samples with at least one figure that a reference shows, and where such figures are seen (S, S)."""
    number, found = HELD_OUT, 0
    while found < count:
        made = pair(number, size)
        number += 1
        shown = [reference.instance for reference in made.references if reference.instance]
        judged = np.isin(made.instance, shown) & (made.alpha > 127)
        if judged.mean() >= _LEAST:
            found += 1
            yield made, judged


def _lpips(images: FloatImage, chosen: Sequence[tuple[ColorSample, NDArray[np.bool_]]]) -> float | None:
    weights = lpips.installed()
    if weights is None:
        return None
    distances = []
    for image, (made, judged) in zip(images, chosen, strict=True):
        both = np.stack([image, made.color.astype(np.float32) / np.float32(255)])
        seen, wanted = torch.from_numpy(np.where(judged[..., None], both, np.float32(1))).permute(0, 3, 1, 2)
        distances.append(float(lpips.lpips(weights, seen[None], wanted[None])))
    return float(np.mean(distances))


def _figures(picture: FloatImage, made: ColorSample, judged: NDArray[np.bool_]) -> tuple[float, float, float]:
    """PSNR, SSIM and area accuracy of a picture (S, S, 3), 0..1, where it is judged."""
    from skimage.metrics import structural_similarity

    truth, flat = (image.astype(np.float32) / np.float32(255) for image in (made.color, made.flat))
    where = judged[..., None]
    seen, wanted = (np.where(where, image, np.float32(1)) for image in (picture, truth))
    error = float(np.square(seen - wanted, dtype=np.float64)[judged].mean())
    _, likeness = structural_similarity(  # type: ignore[no-untyped-call]
        seen, wanted, channel_axis=2, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
        full=True,
    )  # fmt: skip
    part = np.where(judged, made.part.astype(np.int16), np.int16(-1))
    return -10 * np.log10(max(error, 1e-10)), float(likeness[judged].mean()), area_accuracy(picture, flat, part)
