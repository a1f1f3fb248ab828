"""The paper's second table at a scale that a CPU reaches: all, no layer identities, no layer-wise losses.

A tiny checkpoint learns procedural pictures three times from the same start, in the same steps, and takes them apart.
What the figures say about the real model is only which way they point. Knows recipes, scenes and metrics.
"""

import itertools
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from celwright.domain import FloatImage
from celwright.evaluation.metrics import local_mean_squared_error, over_white, recomposition
from celwright.models.layered_tokens import Prompt, encoded, encoded_prompt, sampled
from celwright.pipelines.decompose.layered_planes import ResultLayers, recomposed, result_colors
from celwright.training.layered import LayeredOptions, loaded_base, trained
from celwright.training.layered_tiny import save_tiny
from celwright.training.scenes import Scene, scene

SCENE, SIDE, PICTURES = 128, 8, 1  # px of a scene, px of what is taken from it
WIDTH, SAMPLING_STEPS, NOISES = 128, 20, 3
SEEDS = (0, 1, 2)
WINDOW = 4  # px; the paper's measure takes 20 on pictures that are a thousand high
MEASURES = {
    "psnr": ("PSNR", 1, "+.2f"),
    "ssim": ("SSIM", 1, "+.4f"),
    "lmse": ("LMSE", -1, "+.4f"),
}  # -1: less is better
WORTH = (
    "Each row is measured on the picture that it has learnt, from noises that it has not seen, upon random weights:",
    "this shows what helps such a model to learn, and nothing of new pictures.",
)
VARIANTS: dict[str, dict[str, Any]] = {
    "w/o LSE": {"identities": False},
    "w/o LW-Loss": {"layer_wise": False},
    "all": {},
}


@dataclass(frozen=True)
class Row:
    """Means over pictures and noises: ``psnr`` in dB, ``ssim`` and ``lmse`` of the recomposition, then each layer's
    root mean squared error (premultiplied RGBA, 0..1), which the paper could not measure for want of true layers."""

    variant: str
    seed: int
    psnr: float
    ssim: float
    lmse: float
    line: float
    flat: float
    light: float
    shadow: float


def evaluate(steps: int, seeds: Sequence[int] = SEEDS) -> list[Row]:
    """Train each variant for ``steps`` from each seed, and measure it on the pictures that it has learnt: each seed has
    its own random checkpoint and its own pictures."""
    rows = []
    for seed in seeds:
        numbers = range(seed * PICTURES, (seed + 1) * PICTURES)
        pictures = as_tensor(np.stack([crop(frames(scene(number, SCENE)), SIDE) for number in numbers]))
        with tempfile.TemporaryDirectory(prefix="celwright-") as name:
            base = Path(name) / "base"
            save_tiny(base, seed, width=WIDTH)
            for variant, changes in VARIANTS.items():
                options = replace(tiny_options(base, Path(name) / variant.replace("/", ""), steps, seed), **changes)
                rows.append(Row(variant, seed, *_figures(*learnt(pictures, options), pictures)))
    return rows


def tiny_options(base: Path, out: Path, steps: int, seed: int) -> LayeredOptions:
    """The recipe's, but for what a tiny checkpoint on a CPU wants: bigger steps that shrink to the end, and single
    precision. A rate of 2e-2 diverges, and 1e-2 does without the warm-up."""
    return LayeredOptions(
        base, base, out, steps=steps, seed=seed, batch=4, learning_rate=7e-3, warm_up=steps // 25, decay=1.0,
        half=False, checkpointing=False,
    )  # fmt: skip


def as_tensor(pictures: FloatImage) -> Tensor:
    """(..., 4, H, W) in -1..1 of (..., H, W, 4) in 0..1."""
    return torch.from_numpy(pictures).movedim(-1, -3) * 2 - 1


def learnt(pictures: Tensor, options: LayeredOptions) -> tuple[Any, Prompt]:
    """A pipeline trained on ``pictures`` (N, 5, 4, H, W) in -1..1 by the real recipe, and its prompt."""
    from accelerate import Accelerator  # type: ignore[import-untyped]

    pipeline = loaded_base(options.base, torch.float32)
    prompt = encoded_prompt(pipeline)
    latents = torch.stack([encoded(pipeline, frames)[:, :, 0] for frames in pictures])
    trained(pipeline, prompt, latents, options, Accelerator(cpu=True))
    pipeline.transformer.eval()
    return pipeline, prompt


def taken_apart(pipeline: Any, prompt: Prompt, picture: Tensor, steps: int, seed: int = 0) -> ResultLayers:
    """The layers that the pipeline makes of ``picture`` (4, H, W) in -1..1, from the noise ``seed``."""
    found = sampled(pipeline, prompt, picture, steps, seed) / 2 + 0.5
    return ResultLayers(*(layer.permute(1, 2, 0).float().cpu().numpy() for layer in found))


def frames(made: Scene) -> FloatImage:
    """(5, h, w, 4) composite, line, flat, light, shadow of a scene, reduced to half its size, as an artist's file has
    them: light and shadow are result colours."""
    alpha = made.line_alpha[..., None]
    opaque = np.ones_like(alpha)
    line = np.concatenate([made.line_color * (alpha > 0), alpha], axis=2)
    light, shadow = result_colors(made.flat, made.shadow, made.highlight)
    kept = [layer[::2, ::2] for layer in (line, np.concatenate([made.flat, opaque], axis=2), light, shadow)]
    return np.stack([recomposed(ResultLayers(*kept)), *kept]).astype(np.float32)


def crop(pictures: FloatImage, side: int) -> FloatImage:
    """(5, side, side, 4) from the :func:`frames` of a scene: where the rarest of line, light and shadow covers most.
    A whole scene of so few pixels would be all line."""
    rows, columns = (range(0, size - side + 1, side // 2) for size in pictures.shape[1:3])

    def rarest(corner: tuple[int, int]) -> float:
        y, x = corner
        return float(pictures[[1, 3, 4], y : y + side, x : x + side, 3].mean((1, 2)).min())

    y, x = max(itertools.product(rows, columns), key=rarest)
    return pictures[:, y : y + side, x : x + side]


def _figures(pipeline: Any, prompt: Prompt, pictures: Tensor) -> list[float]:
    figures = []
    for (picture, *layers), noise in itertools.product(pictures, range(NOISES)):
        wanted = _as_image(picture)
        made = taken_apart(pipeline, prompt, picture, SAMPLING_STEPS, noise)
        found = recomposed(made)
        local = local_mean_squared_error(over_white(wanted), over_white(found), WINDOW)
        errors = [_layer_error(_as_image(true), layer) for true, layer in zip(layers, made, strict=True)]
        figures.append((*recomposition(_doubled(wanted), _doubled(found)), local, *errors))
    return [float(mean) for mean in np.mean(figures, axis=0)]


def _doubled(image: FloatImage) -> FloatImage:
    """Every pixel as four: the window of SSIM is 11 px."""
    return image.repeat(2, axis=0).repeat(2, axis=1)


def _as_image(tensor: Tensor) -> FloatImage:
    return np.asarray(tensor.permute(1, 2, 0).numpy() / 2 + 0.5, np.float32)


def _layer_error(true: FloatImage, found: FloatImage) -> float:
    """Colour where a layer is transparent means nothing: both are multiplied by their alpha first."""
    a, b = (np.concatenate([layer[..., :3] * layer[..., 3:], layer[..., 3:]], axis=2) for layer in (true, found))
    return float(np.sqrt(np.square(a - b, dtype=np.float64).mean()))


def table(rows: list[Row]) -> str:
    """The rows as the paper's table 2, a block a seed, what the seeds agree on, and what that is worth."""
    names = ("line", "flat", "light", "shadow")
    lines = [f"{'seed':<6}{'':<12}{'PSNR':>8}{'SSIM':>9}{'LMSE':>9}" + "".join(f"{name:>8}" for name in names)]
    for row in rows:
        errors = "".join(f"{getattr(row, name):>8.3f}" for name in names)
        lines.append(f"{row.seed:<6}{row.variant:<12}{row.psnr:>8.2f}{row.ssim:>9.4f}{row.lmse:>9.4f}{errors}")
    lines += ["", "line to shadow: root mean squared error against the true layer. Against all, by seed:"]
    whole = {row.seed: row for row in rows if row.variant == "all"}
    for variant in dict.fromkeys(row.variant for row in rows if row.variant != "all"):
        for name, (title, sign, form) in MEASURES.items():
            pairs = [(row, whole[row.seed]) for row in rows if row.variant == variant]
            gains = [getattr(row, name) - getattr(full, name) for row, full in pairs]
            listed = ", ".join(f"{gain:{form}}" for gain in gains)
            lines.append(f"{variant:<12}{title}  {listed}: {_agreed([sign * gain for gain in gains])}")
    chance = 2.0 ** (1 - len(whole))  # of so many signs being all plus or all minus
    lines += ["", f"By chance alone as many seeds agree in {chance:.0%} of such lines."]
    return "\n".join([*lines, *WORTH])


def _agreed(gains: list[float]) -> str:
    if max(gains) < 0:
        return "worse on every seed"
    return "better on every seed" if min(gains) > 0 else "the seeds disagree"
