"""The paper's second table at a scale that a CPU reaches: all, no layer identities, no layer-wise losses.

A tiny checkpoint learns procedural pictures three times from the same start, in the same steps, and takes them apart.
What the figures say about the real model is only which way they point. Knows recipes, scenes and metrics.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from celwright.domain import FloatImage
from celwright.evaluation.metrics import over_white, recomposition
from celwright.models.layered_tokens import Prompt, encoded, encoded_prompt, sampled
from celwright.pipelines.layered_planes import ResultLayers, recomposed, result_colors
from celwright.training.layered import LayeredOptions, loaded_base, trained
from celwright.training.layered_tiny import save_tiny
from celwright.training.scenes import Scene, scene

SIDE, PICTURES, SAMPLING_STEPS = 16, 4, 20
WINDOW = 8  # px; the paper's measure takes 20 on pictures that are a thousand high
VARIANTS = {"w/o LSE": {"identities": False}, "w/o LW-Loss": {"layer_wise": False}, "all": {}}


@dataclass(frozen=True)
class Row:
    """Means over the pictures: ``psnr`` in dB, ``ssim``, ``lmse`` of the recomposition."""

    variant: str
    psnr: float
    ssim: float
    lmse: float


def evaluate(steps: int, seed: int = 0) -> list[Row]:
    """Train each variant for ``steps`` and measure it on the pictures that it has learnt."""
    torch.manual_seed(seed)
    examples = [frames(scene(number, 2 * SIDE)) for number in range(PICTURES)]
    pictures = torch.from_numpy(np.stack(examples)).permute(0, 1, 4, 2, 3) * 2 - 1
    rows = []
    with tempfile.TemporaryDirectory(prefix="celwright-") as name:
        base = Path(name) / "base"
        save_tiny(base, seed, width=128)
        for variant, changes in VARIANTS.items():
            options = LayeredOptions(
                base, base, Path(name) / "adapter", steps=steps, seed=seed, batch=4, learning_rate=1e-2, half=False,
                checkpointing=False, **changes,
            )  # fmt: skip
            rows.append(Row(variant, *_figures(*learnt(pictures, options), pictures)))
    return rows


def learnt(pictures: Tensor, options: LayeredOptions) -> tuple[Any, Prompt]:
    """A pipeline trained on ``pictures`` (N, 5, 4, H, W) in -1..1 by the real recipe, and its prompt."""
    from accelerate import Accelerator  # type: ignore[import-untyped]

    pipeline = loaded_base(options.base, torch.float32)
    prompt = encoded_prompt(pipeline)
    latents = torch.stack([encoded(pipeline, frames)[:, :, 0] for frames in pictures])
    trained(pipeline, prompt, latents, options, Accelerator(cpu=True))
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


def local_mean_squared_error(picture: FloatImage, found: FloatImage, window: int = WINDOW) -> float:
    """LMSE (Grosse et al. 2009) of (H, W, 3) pictures: in windows that overlap by half, the squared error that is left
    when each is scaled to fit best, as a share of what an empty picture would have."""
    left = whole = 0.0
    step = window // 2
    for y in range(0, picture.shape[0] - window + 1, step):
        for x in range(0, picture.shape[1] - window + 1, step):
            a, b = (image[y : y + window, x : x + window].astype(np.float64) for image in (picture, found))
            energy = (b * b).sum()
            scale = (a * b).sum() / energy if energy > 1e-5 else 0.0
            left += np.square(a - scale * b).sum()
            whole += np.square(a).sum()
    return float(left / max(whole, 1e-12))


def _figures(pipeline: Any, prompt: Prompt, pictures: Tensor) -> tuple[float, float, float]:
    figures = []
    for picture in pictures[:, 0]:
        wanted = picture.permute(1, 2, 0).numpy() / 2 + 0.5
        found = recomposed(taken_apart(pipeline, prompt, picture))
        figures.append((*recomposition(wanted, found), local_mean_squared_error(over_white(wanted), over_white(found))))
    psnr, ssim, lmse = np.mean(figures, axis=0)
    return float(psnr), float(ssim), float(lmse)


def table(rows: list[Row]) -> str:
    """The rows as the paper's table 2."""
    lines = [f"{'':<12}{'PSNR':>8}{'SSIM':>9}{'LMSE':>9}"]
    lines += [f"{row.variant:<12}{row.psnr:>8.2f}{row.ssim:>9.4f}{row.lmse:>9.4f}" for row in rows]
    return "\n".join(lines)
