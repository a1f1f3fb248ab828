"""How good a decomposer is on scenes that no training run sees, beside the plain baseline.

The baseline takes the picture itself for the flat and finds no line and no light. Knows scenes and networks, no files.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from celwright.models.decomposer import Layers, compose
from celwright.models.presets import LayerNetwork
from celwright.training.samples import held_out, unpacked
from celwright.training.scenes import Kind

KINDS: tuple[Kind, ...] = ("standard", "rich", "painted")
SHOWN = (
    ("flat, PSNR", "flat_psnr", "{:.1f} dB"),
    ("line on white, PSNR", "line_psnr", "{:.1f} dB"),
    ("shadow, IoU", "shadow_iou", "{:.2f}"),
    ("highlight, IoU", "highlight_iou", "{:.2f}"),
)


@dataclass(frozen=True)
class Row:
    """The figures of one ``kind`` of scenes, by the names that ``held_out_figures`` gives them."""

    kind: Kind
    baseline: Mapping[str, float]
    network: Mapping[str, float]


def compared(network: LayerNetwork, count: int = 48, size: int = 256, device: str = "cpu") -> list[Row]:
    """``count`` scenes of each kind, ``size`` pixels square."""
    tests = {kind: held_out(kind, count, size) for kind in KINDS}
    return [
        Row(kind, held_out_figures(None, samples), held_out_figures(network, samples, device))
        for kind, samples in tests.items()
    ]


def table(rows: list[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ["| scenes | figure | baseline | network |", "|---|---|---:|---:|"]
    for row in rows:
        for title, key, form in SHOWN:
            shown = (form.format(figures[key]) for figures in (row.baseline, row.network))
            lines.append(f"| {row.kind} | {title} | {' | '.join(shown)} |")
    return "\n".join(lines)


def decibels(error: float) -> float:
    return -10 * math.log10(max(error, 1e-10))


@torch.inference_mode()
def held_out_figures(network: LayerNetwork | None, samples: Tensor, device: str = "cpu") -> dict[str, float]:
    """PSNR (dB, of the mean squared error over all scenes, RGB 0..1) of flat, line (on white) and recomposition, and
    the IoU of shadow and highlight (strength above 0.05). Without network: the plain baseline, the picture as its
    own flat and nothing else."""
    errors = {"flat_psnr": 0.0, "line_psnr": 0.0, "composition_psnr": 0.0}
    common, either = {"shadow_iou": 0.0, "highlight_iou": 0.0}, {"shadow_iou": 1e-9, "highlight_iou": 1e-9}
    chunks = samples.split(8)  # type: ignore[no-untyped-call]
    for chunk in chunks:
        seen, truth = unpacked(chunk.to(device))
        if network is None:
            blank = torch.zeros_like(truth.line_alpha)
            estimate = Layers(blank, torch.zeros_like(seen), seen, torch.ones_like(seen), torch.zeros_like(seen))
        else:
            with torch.autocast(device, torch.bfloat16):
                estimate = Layers(*(layer.float().clamp(0, 1) for layer in network(seen)))
        share = len(chunk) / len(samples)
        line, true_line = (a.line_color * a.line_alpha + 1 - a.line_alpha for a in (estimate, truth))
        errors["flat_psnr"] += (estimate.flat - truth.flat).square().mean().item() * share
        errors["line_psnr"] += (line - true_line).square().mean().item() * share
        errors["composition_psnr"] += (compose(estimate) - compose(truth)).square().mean().item() * share
        clear = truth.line_alpha < 0.1
        for name, a, b in (
            ("shadow_iou", 1 - estimate.shadow, 1 - truth.shadow),
            ("highlight_iou", estimate.highlight, truth.highlight),
        ):
            found, there = ((v.amax(1, keepdim=True) > 0.05) & clear for v in (a, b))
            common[name] += (found & there).sum().item()
            either[name] += (found | there).sum().item()
    figures = {name: decibels(error) for name, error in errors.items()}
    return figures | {name: common[name] / either[name] for name in common}
