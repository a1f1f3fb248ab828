"""How well a colorizer paints pairs that no training run sees, and a picture of what it painted.

Knows pairs, networks and the sampler.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from celwright.diffusion.guidance import Guided
from celwright.diffusion.sampler import sample, seeded_noise
from celwright.diffusion.schedule import NoiseSchedule
from celwright.imaging.color import ciede2000, srgb_to_lab
from celwright.models.colorizer import Colorizer
from celwright.training.color_samples import Latents, Sample, conditions
from celwright.training.held_out import decibels

STEPS = 8
CLOSE = 10.0  # CIEDE2000; up to it a part counts as rightly coloured
SMALLEST = 12  # pixels; smaller patches of a part are anti-aliasing
SHOWN = 8  # samples in the picture


@torch.inference_mode()
def painted(
    network: Colorizer,
    autoencoder: Latents,
    pairs: Sample,
    schedule: NoiseSchedule,
    left_out: Sequence[str] = (),
    chunk: int = 8,
) -> tuple[Tensor, Tensor]:
    """Sampled pictures (B, 3, S, S), on white, from the pairs' conditions but those ``left_out``, and what
    correspondence brought: colours and confidence (B, 4, S / 8, S / 8)."""
    device = pairs["line"].device.type
    pictures, carried = [], []
    for start in range(0, len(pairs["line"]), chunk):
        some = {key: value[start : start + chunk] for key, value in pairs.items()}
        _, _, height, width = some["line"].shape
        seeds = range(start, start + len(some["line"]))
        noise = seeded_noise((network.latent_channels, height // 8, width // 8), seeds, device)
        with torch.autocast(device, torch.bfloat16):
            given = conditions(autoencoder, some)
            for name in left_out:
                given = given.without(name)
            prepared = network.prepare(given)
            for estimate in sample(Guided(network, prepared), noise, STEPS if network.lgb else 1, schedule):
                latents = estimate.latents
            back = autoencoder.decode(latents / autoencoder.config.scaling_factor).sample.clamp(0, 1)
        pictures.append(back[:, :3] * back[:, 3:] + 1 - back[:, 3:])
        carried.append(torch.cat([prepared.carried, prepared.confidence], 1).float())
    return torch.cat(pictures), torch.cat(carried)


def area_accuracy(picture: NDArray[np.float32], flat: NDArray[np.float32], part: NDArray[np.int16]) -> float:
    """Share of the pixels whose part has, by its median, a colour within ``CLOSE`` of the true flat's. Pictures are
    (S, S, 3), 0..1, ``part`` (S, S), negative where nothing is to be judged."""
    right = counted = 0
    for number in np.unique(part[part >= 0]):
        inside = part == number
        area = int(inside.sum())
        if area < SMALLEST:
            continue
        colors = np.stack([np.median(image[inside], 0) for image in (picture, flat)])
        right += area * bool(ciede2000(*srgb_to_lab(colors)) <= CLOSE)
        counted += area
    return right / max(counted, 1)


def colored_figures(
    network: Colorizer, autoencoder: Latents, pairs: Sample, schedule: NoiseSchedule, folder: Path | None = None
) -> dict[str, float]:
    """PSNR (dB, of the mean squared error over all pairs) and mean area accuracy of pictures sampled in ``STEPS``
    steps, all of them painted anew: ``all_`` from references, hints and histogram; ``reference_`` from references
    alone, the accuracy where they reach; ``brought_accuracy`` of the colours that correspondence brought there.
    ``held_out.png`` in ``folder`` shows the first pairs: reference, line art, brought colours, both pictures, truth."""
    alpha = pairs["alpha"]
    truth, flat = (pairs[name] * alpha + 1 - alpha for name in ("color", "flat"))
    everything, carried = painted(network, autoencoder, pairs, schedule, left_out=("context",))
    referred, _ = painted(network, autoencoder, pairs, schedule, left_out=("context", "hints", "histogram"))
    brought = F.interpolate(carried, truth.shape[2:])
    visible = torch.where(alpha > 0.5, pairs["part"].short(), -1)
    reached = torch.where(brought[:, 3:] != 0, visible, -1)

    def accuracy(pictures: Tensor, parts: Tensor) -> float:
        images = (image.float().permute(0, 2, 3, 1).cpu().numpy() for image in (pictures, flat))
        judged = zip(*images, parts[:, 0].cpu().numpy(), strict=True)
        return float(np.mean([area_accuracy(*one) for one in judged if (one[2] >= 0).any()] or [0.0]))

    if folder is not None:
        line = 1 - pairs["line"].expand(-1, 3, -1, -1)
        rows = [pairs["references"][:, 0, :3], line, brought[:, :3], everything, referred, truth]
        sheet = torch.cat([torch.cat(list(row[:SHOWN].float()), 2) for row in rows], 1)
        levels = (sheet.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()
        Image.fromarray(levels).save(folder / "held_out.part.png")
        (folder / "held_out.part.png").replace(folder / "held_out.png")
    return {
        "all_psnr": decibels((everything - truth).square().mean().item()),
        "all_accuracy": accuracy(everything, visible),
        "reference_psnr": decibels((referred - truth).square().mean().item()),
        "reference_accuracy": accuracy(referred, reached),
        "brought_accuracy": accuracy(brought[:, :3], reached),
    }
