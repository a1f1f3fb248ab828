"""SC-MILC on a Stable Diffusion 1.5: structure guidance and instance features beside a UNet that stays as it is.

What is new is saved apart from the base, as a folder of safetensors; a base that was trained too lies in the folder as
well. Knows networks and files; neither pages nor sampling.
"""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from celwright.errors import ModelUnavailableError
from celwright.models.decomposer import start_near_zero
from celwright.models.sd15.base import REDUCTION
from celwright.models.sd15.parts import SCMILC_FACTS
from celwright.models.sd15.references import InstanceFeatures, Instances, unet_features
from celwright.models.sd15.structure import Level, StructureGuidance, edge_map, per_cell

WEIGHTS = "scmilc.safetensors"
WIDTH = 320  # channels of F_inst and of F_struct, as many as the published UNet's first level has


@dataclass(frozen=True, eq=False)
class Told:
    """What is asked for, B pictures at once, 0..1. ``line`` (B, 1, H, W): ink, 1 = black; ``line_latents`` (B, 4, h,
    w): of the line art on white. ``references`` (B, R, 4, h', w'): latents, over white outside the ``masks`` (B, R, 1,
    H', W'), all 0 for one that is absent; ``regions`` (B, R, 1, H, W): where each counts. R is at least 1. ``prompt``
    (1, N, C)."""

    line: Tensor
    line_latents: Tensor
    references: Tensor
    masks: Tensor
    regions: Tensor
    prompt: Tensor

    def without_references(self) -> "Told":
        return Told(
            self.line, self.line_latents, self.references, torch.zeros_like(self.masks), self.regions, self.prompt
        )


class ScMilc(nn.Module):
    """All that is new: ``attach`` puts it onto a UNet, ``prepare`` reads what is asked for, ``tell`` has the next calls
    of the UNet heed it."""

    def __init__(self, unet: Any, width: int = WIDTH) -> None:
        super().__init__()
        widths = unet.config.block_out_channels
        self.width, self.channels = width, list(widths)
        self.guidance = StructureGuidance(unet)
        self.instances = InstanceFeatures(widths[0] + widths[1], width)
        self.structure = nn.Sequential(
            nn.Conv2d(REDUCTION**2 + 4 + 1, width, 3, padding=1), nn.SiLU(), nn.Conv2d(width, width, 3, padding=1),
            nn.SiLU(), nn.Conv2d(width, width, 3, padding=1),
        )  # fmt: skip
        # Single cells are told, none of their neighbours: what counts in a region stays in it.
        self.inward = nn.ModuleList(start_near_zero(nn.Conv2d(2 * width, channels, 1)) for channels in widths)

    def attach(self, unet: Any) -> None:
        """Change how ``unet`` answers from now on, whenever something was told."""
        for block, number in self.guidance.attach(unet):

            def hook(_module: nn.Module, _inputs: Any, output: Tensor, number: int = number) -> Tensor:
                return self._changed(number, output) if self.guidance.told else output

            block.register_forward_hook(hook)

    def _changed(self, number: int, features: Tensor) -> Tensor:
        changed = self.guidance.modulated(number, features)
        if number >= len(self.inward):
            return changed
        told: Tensor = self.inward[number](self.guidance.level(features).condition)
        return changed + told.to(changed.dtype)

    def prepare(self, unet: Any, told: Told) -> tuple[dict[tuple[int, int], Level], Instances]:
        """c = {F_inst, F_struct} (eq. 29) at every size of the UNet, and what the references came to."""
        self.guidance.tell({})  # while the UNet looks at line art and references it is the base's own
        target = unet_features(unet, told.line_latents, told.prompt)
        shown = unet_features(unet, told.references.flatten(0, 1), told.prompt)
        shown = shown.view(*told.references.shape[:2], *shown.shape[1:])
        instances = self.instances(target, told.references, shown, told.masks, told.regions)
        height, width = told.line_latents.shape[-2:]
        edges = per_cell(edge_map(told.line.float()), height, width)
        drawn = [F.pixel_unshuffle(told.line.float(), REDUCTION), told.line_latents.float(), edges]
        condition = torch.cat([instances.fused, self.structure(torch.cat(drawn, 1)).float()], 1)
        levels = {}
        for _ in self.inward:
            size = height, width
            levels[size] = Level(F.adaptive_avg_pool2d(edges, size), F.adaptive_avg_pool2d(condition, size))
            height, width = -(-height // 2), -(-width // 2)
        return levels, instances

    def tell(self, levels: dict[tuple[int, int], Level]) -> None:
        """What ``prepare`` gave, for as many pictures as the UNet gets at once."""
        self.guidance.tell(levels)


class Denoiser(nn.Module):
    """UNet and adapter as one module, for training: noise estimated (B, 4, h, w), and the instances."""

    def __init__(self, unet: Any, adapter: ScMilc) -> None:
        super().__init__()
        self.unet, self.adapter = unet, adapter
        adapter.attach(unet)

    def forward(self, noisy: Tensor, t: Tensor, told: Told) -> tuple[Tensor, Instances]:
        levels, instances = self.adapter.prepare(self.unet, told)
        self.adapter.tell(levels)
        prompt = told.prompt.expand(len(noisy), -1, -1)
        found: Tensor = self.unet(noisy, t, encoder_hidden_states=prompt, return_dict=False)[0]
        return found, instances


def save_adapter(folder: Path, adapter: ScMilc, unet: Any | None = None) -> None:
    """Write the adapter into ``folder``, and the ``unet`` where that was trained too; each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    if unet is not None:
        unet.save_pretrained(folder / ".part-unet")
        if (folder / "unet").exists():
            os.rename(folder / "unet", folder / ".old-unet")
        os.rename(folder / ".part-unet", folder / "unet")
        shutil.rmtree(folder / ".old-unet", ignore_errors=True)
    state = {key: value.detach().float().cpu().contiguous() for key, value in adapter.state_dict().items()}
    save_file(state, folder / f".part-{WEIGHTS}")
    os.replace(folder / f".part-{WEIGHTS}", folder / WEIGHTS)
    facts = {"width": adapter.width, "channels": adapter.channels}
    (folder / f".part-{SCMILC_FACTS}").write_text(json.dumps(facts, indent=1), encoding="utf-8")
    os.replace(folder / f".part-{SCMILC_FACTS}", folder / SCMILC_FACTS)


def load_adapter(folder: Path, unet: Any) -> ScMilc:
    """A saved adapter for ``unet``, not yet attached. Raises ModelUnavailableError for files that are missing, damaged
    or of another base."""
    try:
        facts = json.loads((folder / SCMILC_FACTS).read_text(encoding="utf-8"))
        width, channels = int(facts["width"]), list(facts["channels"])
        state = load_file(folder / WEIGHTS)
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as fault:
        raise ModelUnavailableError(
            f"{folder} holds no usable adapter ({str(fault).rstrip('.')}); {WEIGHTS} and {SCMILC_FACTS} are needed: "
            f"get or train it again."
        ) from fault
    adapter = ScMilc(unet, width)
    try:
        adapter.load_state_dict(state)
    except RuntimeError as fault:
        here = list(unet.config.block_out_channels)
        raise ModelUnavailableError(
            f"The adapter {folder} was trained on another base (of {channels} channels) than this one (of {here}); "
            f"choose the base it was trained on."
        ) from fault
    return adapter


@torch.no_grad()
def both_ways(adapter: ScMilc, unet: Any, told: Told) -> dict[tuple[int, int], Level]:
    """Levels for two pictures at once, the first without references: what guidance compares."""
    apart = [adapter.prepare(unet, one)[0] for one in (told.without_references(), told)]
    return {
        size: Level(*(torch.cat([getattr(levels[size], part) for levels in apart]) for part in ("edges", "condition")))
        for size in apart[0]
    }
