"""The paper's second table at a scale that a CPU reaches: all, no layer identities, no layer-wise losses.

A tiny checkpoint learns procedural pictures three times from the same start, in the same steps, and takes them apart.
What the figures say about the real model is only which way they point. Knows recipes, scenes and metrics.
"""

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

SIDE, PICTURES, SAMPLING_STEPS = 16, 2, 20
SEEDS = (0, 1)
RATES = ((0.04, 4e-4), (0.5, 2e-3), (0.8, 7e-4), (1.0, 2e-4))  # the learning rate up to each share of the steps
WINDOW = 8  # px; the paper's measure takes 20 on pictures that are a thousand high
CLEAR = 0.5  # dB
VARIANTS: dict[str, dict[str, Any]] = {
    "w/o LSE": {"identities": False},
    "w/o LW-Loss": {"layer_wise": False},
    "all": {},
}


@dataclass(frozen=True)
class Row:
    """Means over the pictures: ``psnr`` in dB, ``ssim`` and ``lmse`` of the recomposition, then each layer's root mean
    squared error (premultiplied RGBA, 0..1), which the paper could not measure for want of true layers."""

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
    """Train each variant for ``steps`` from each seed, and measure it on the pictures that it has learnt."""
    pictures = as_tensor(np.stack([frames(scene(number, 2 * SIDE)) for number in range(PICTURES)]))
    rows = []
    for seed in seeds:
        with tempfile.TemporaryDirectory(prefix="celwright-") as name:
            base = Path(name) / "base"
            save_tiny(base, seed, width=256)
            for variant, changes in VARIANTS.items():
                options = replace(tiny_options(base, Path(name) / variant.replace("/", ""), steps, seed), **changes)
                rows.append(Row(variant, seed, *_figures(*learnt(pictures, options), pictures)))
    return rows


def tiny_options(base: Path, out: Path, steps: int, seed: int) -> LayeredOptions:
    """The recipe's, but for what a tiny checkpoint on a CPU wants: bigger steps, and single precision."""
    return LayeredOptions(base, base, out, steps=steps, seed=seed, batch=2, half=False, checkpointing=False)


def as_tensor(pictures: FloatImage) -> Tensor:
    """(..., 4, H, W) in -1..1 of (..., H, W, 4) in 0..1."""
    return torch.from_numpy(pictures).movedim(-1, -3) * 2 - 1


def learnt(pictures: Tensor, options: LayeredOptions) -> tuple[Any, Prompt]:
    """A pipeline trained on ``pictures`` (N, 5, 4, H, W) in -1..1 by the real recipe, and its prompt. The rate
    changes as a user would change it: by resuming."""
    from accelerate import Accelerator  # type: ignore[import-untyped]

    for share, rate in RATES:
        pipeline = loaded_base(options.base, torch.float32)
        prompt = encoded_prompt(pipeline)
        latents = torch.stack([encoded(pipeline, frames)[:, :, 0] for frames in pictures])
        now = replace(options, steps=round(share * options.steps), learning_rate=rate, resume=True)
        trained(pipeline, prompt, latents, now, Accelerator(cpu=True))
    pipeline.transformer.eval()
    return pipeline, prompt


def taken_apart(pipeline: Any, prompt: Prompt, picture: Tensor, steps: int = SAMPLING_STEPS) -> ResultLayers:
    """The layers that the pipeline makes of ``picture`` (4, H, W) in -1..1."""
    found = sampled(pipeline, prompt, picture, steps, seed=0) / 2 + 0.5
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


def _figures(pipeline: Any, prompt: Prompt, pictures: Tensor) -> list[float]:
    figures = []
    for picture, *layers in pictures:
        wanted = _as_image(picture)
        made = taken_apart(pipeline, prompt, picture)
        found = recomposed(made)
        local = local_mean_squared_error(over_white(wanted), over_white(found), WINDOW)
        errors = [_layer_error(_as_image(true), layer) for true, layer in zip(layers, made, strict=True)]
        figures.append((*recomposition(wanted, found), local, *errors))
    return [float(mean) for mean in np.mean(figures, axis=0)]


def _as_image(tensor: Tensor) -> FloatImage:
    return np.asarray(tensor.permute(1, 2, 0).numpy() / 2 + 0.5, np.float32)


def _layer_error(true: FloatImage, found: FloatImage) -> float:
    """Colour where a layer is transparent means nothing: both are multiplied by their alpha first."""
    a, b = (np.concatenate([layer[..., :3] * layer[..., 3:], layer[..., 3:]], axis=2) for layer in (true, found))
    return float(np.sqrt(np.square(a - b, dtype=np.float64).mean()))


def table(rows: list[Row]) -> str:
    """The rows as the paper's table 2, a block a seed, and what the seeds agree on."""
    names = ("line", "flat", "light", "shadow")
    lines = [f"{'seed':<6}{'':<12}{'PSNR':>8}{'SSIM':>9}{'LMSE':>9}" + "".join(f"{name:>8}" for name in names)]
    for row in rows:
        errors = "".join(f"{getattr(row, name):>8.3f}" for name in names)
        lines.append(f"{row.seed:<6}{row.variant:<12}{row.psnr:>8.2f}{row.ssim:>9.4f}{row.lmse:>9.4f}{errors}")
    lines += ["", "line to shadow: root mean squared error against the true layer. PSNR against all, by seed:"]
    whole = {row.seed: row.psnr for row in rows if row.variant == "all"}
    for variant in dict.fromkeys(row.variant for row in rows if row.variant != "all"):
        lines.append(_compared(variant, [row.psnr - whole[row.seed] for row in rows if row.variant == variant]))
    return "\n".join(lines)


def _compared(variant: str, gains: list[float]) -> str:
    """A difference counts when every seed has it in the same direction, and by no less than half a decibel."""
    listed = ", ".join(f"{gain:+.2f}" for gain in gains)
    if max(gains) <= -CLEAR:
        said = "worse"
    elif min(gains) >= CLEAR:
        said = "better"
    else:
        said = "no clear difference at this scale"
    return f"{variant}: {listed} dB: {said}"
