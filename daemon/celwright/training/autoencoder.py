"""The recipe of the embedded autoencoder: procedural scenes (and pictures that the caller names) in, weights out.

Every scene is seen as a finished drawing with lines and as the lineless shaded picture under them, since the colorizer
samples the latter.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from celwright.models.autoencoder import Autoencoder
from celwright.models.decomposer import Layers, compose
from celwright.models.presets import build_autoencoder
from celwright.training.held_out import decibels
from celwright.training.pictures import Pictures
from celwright.training.running import Figures, Run, RunOptions
from celwright.training.samples import Shares, batches, held_out, unpacked

KL = 3e-4  # weight of the mean divergence of a latent value, against the mean error of a colour value
GRADIENT = 0.5  # weight of the error of differences between neighbours, at three sizes
LINELESS = 0.5  # share of the scenes seen without their lines


@dataclass(frozen=True, kw_only=True)
class AutoencoderOptions(RunOptions):
    """``pictures``: folders (searched through) or files of finished drawings to learn from too, a share
    ``picture_share`` of each batch; whether their licence allows it is the caller's matter. ``held_out_pictures`` are
    measured only. ``rich`` and ``painted`` are the shares of those scenes."""

    minutes: float = 35.0
    batch: int = 12
    learning_rate: float = 8e-4
    replays: float = 6.0
    held_out: int = 24
    crop: int = 128
    size: int = 256
    rich: float = 0.45
    painted: float = 0.35
    pictures: tuple[Path, ...] = ()
    picture_share: float = 0.25
    held_out_pictures: tuple[Path, ...] = ()


def lineless(layers: Layers) -> Tensor:
    """(B, 3, H, W): the shaded picture that the lines stand on."""
    return 1 - (1 - layers.flat * layers.shadow) * (1 - layers.highlight)


def cut_outs(count: int, size: int) -> Tensor:
    """(count, 1, size, size) random alpha: half of them opaque, the others smooth shapes with soft or hard rims."""
    coarse = torch.randn(count, 1, int(torch.randint(3, 9, ())), int(torch.randint(3, 9, ())))
    field = F.interpolate(coarse, (size, size), mode="bicubic")
    hardness = 10 ** (0.7 + 1.6 * torch.rand(count, 1, 1, 1))
    level = torch.rand(count, 1, 1, 1) * 1.6 - 1.2
    shaped = ((field - level) * hardness + 0.5).clamp(0, 1)
    return torch.where(torch.rand(count, 1, 1, 1) < 0.5, torch.ones(()), shaped)


def mixed(samples: Tensor, pictures: Tensor | None) -> Tensor:
    """(B, 4, S, S) RGBA, 0..1, of packed scenes (training/samples.py); the last ones give way to ``pictures``."""
    seen, layers = unpacked(samples)
    plain = torch.rand(len(samples), 1, 1, 1) < LINELESS
    drawn = torch.where(torch.rand(len(samples), 1, 1, 1) < 0.5, compose(layers), seen)
    color = torch.where(plain, lineless(layers), drawn)
    scenes = torch.cat([color, cut_outs(len(color), color.shape[-1])], 1)
    return scenes if pictures is None else torch.cat([scenes[: len(scenes) - len(pictures)], pictures])


def premultiplied(picture: Tensor, alpha: Tensor) -> Tensor:
    return torch.cat([(picture[:, :3] - 0.5) * alpha, picture[:, 3:]], 1)


def reconstruction_loss(estimate: Tensor, truth: Tensor) -> Tensor:
    """Mean absolute error of premultiplied colour and alpha, and of their differences between neighbours at full,
    half and quarter size, which keep edges sharp and flats flat."""
    error = premultiplied(estimate, truth[:, 3:]) - premultiplied(truth, truth[:, 3:])
    loss = error.abs().mean()
    for level in range(3):
        down, right = error[:, :, 1:] - error[:, :, :-1], error[:, :, :, 1:] - error[:, :, :, :-1]
        loss = loss + GRADIENT / 2**level * (down.abs().mean() + right.abs().mean()) / 2
        error = F.avg_pool2d(error, 2)
    return loss


def on_white(picture: Tensor) -> Tensor:
    """(B, 3, H, W) of RGBA, clamped to 0..1."""
    picture = picture.clamp(0, 1)
    return picture[:, :3] * picture[:, 3:] + 1 - picture[:, 3:]


@torch.inference_mode()
def psnr(network: Autoencoder, pictures: Tensor, device: str) -> float:
    """Mean over pictures (B, 4, H, W) of the PSNR of the decoded one, both on white, in dB."""
    figures = []
    for picture in pictures.split(1):  # type: ignore[no-untyped-call]
        with torch.autocast(device, torch.bfloat16):
            back, _ = network(picture.to(device))
        error = (on_white(back) - on_white(picture.to(device))).square().mean().item()
        figures.append(decibels(error))
    return float(np.mean(figures))


@torch.inference_mode()
def standardized(network: Autoencoder, pictures: Tensor, device: str) -> Autoencoder:
    """A copy whose latents have zero mean and unit variance, channel by channel, over these pictures."""
    copy = Autoencoder(**asdict(network.config))
    copy.load_state_dict(network.state_dict())
    chunks = pictures.split(4)  # type: ignore[no-untyped-call]
    latents = torch.cat([network.encode(chunk.to(device)).latent_dist.mode().cpu() for chunk in chunks])
    values = latents.transpose(0, 1).flatten(1)
    copy.standardize(values.mean(1), values.std(1))
    return copy


def train(options: AutoencoderOptions) -> Path:
    """Train until the clock runs out and give the folder of the averaged, standardized network (diffusers' layout),
    which is written anew whenever held-out figures are measured."""
    shares = Shares(options.rich, options.painted)
    pictures = Pictures(options.pictures) if options.pictures else None
    measured = Pictures(options.held_out_pictures).whole(512) if options.held_out_pictures else []
    run = Run(options, lambda: build_autoencoder(options.preset), betas=(0.9, 0.99))
    seen, layers = unpacked(held_out("rich", options.held_out, options.size))
    opaque = torch.ones_like(seen[:, :1])
    tests = {"drawn": torch.cat([seen, opaque], 1), "lineless": torch.cat([lineless(layers), opaque], 1)}
    result = options.out / "autoencoder"

    def figures() -> Iterator[Figures]:
        standardized(run.average, tests["lineless"], run.device).save_pretrained(result)
        found = {f"{kind}_psnr": psnr(run.average, samples, run.device) for kind, samples in tests.items()}
        if measured:
            each = [psnr(run.average, picture[None], run.device) for picture in measured]
            found["pictures_psnr"] = float(np.mean(each))
        yield found

    first = run.first_sample()
    rng, others = np.random.default_rng(first), round(options.batch * options.picture_share)
    paint = batches(
        first, options.batch, lambda: options.crop, options.size, shares, options.replays, options.pool, options.workers
    )
    with closing(paint) as scenes, run:
        for samples in run.over(scenes, figures):
            crops = pictures.crops(rng, others, options.crop) if pictures else None
            truth = mixed(samples, crops).to(run.device).contiguous(memory_format=torch.channels_last)
            with run.autocast():
                estimate, latents = run.network(truth, sample=True)
            run.learn(reconstruction_loss(estimate, truth) + KL * latents.kl().sum() / latents.mean.numel())
    return result
