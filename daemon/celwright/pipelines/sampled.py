"""Colours sampled by the latent-diffusion colorizer: a picture at the network's size, on which the regions then vote.

Knows how a request becomes the network's conditions and how latents become a picture; the network, the schedule and
the votes are others' matters.
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from celwright.diffusion.guidance import Guided
from celwright.diffusion.sampler import sample, seeded_noise
from celwright.diffusion.schedule import NoiseSchedule
from celwright.domain import ColorizeRequest, Event, FloatImage, Pixels, Preview, Progress
from celwright.errors import ModelUnavailableError
from celwright.models.autoencoder import Autoencoder
from celwright.pipelines.conditions import ColorNetworks, conditions_of
from celwright.pipelines.context import change_allowed
from celwright.pipelines.field import Field, field_of
from celwright.pipelines.proposal import Proposal
from celwright.regions.hinted import HintedRegions, background
from celwright.regions.vote import alike_made_equal, vote

SIDE = 512  # px; the longer side of what the network sees
REFERENCE_SIDE = 256  # px
GUIDANCE = {"references": 1.5, "hints": 1.0, "histogram": 1.5}  # how much a condition is exaggerated; 1: not at all
_PAPER = 0.94  # a background proposed lighter than this in all channels is paper and stays transparent
_MARGIN = 0.05  # of a reference's instance, seen around it


class SampledProposer:
    """A Proposer that samples as many pictures as there are variations. ``load`` builds the networks by a model's
    name on first use and raises ModelUnavailableError."""

    def __init__(self, load: Callable[[str], ColorNetworks]) -> None:
        self._load = load
        self._networks: tuple[str, ColorNetworks] | None = None
        self.name = "embedded"

    def check(self, request: ColorizeRequest) -> None:
        """Nothing but another model's name is refused, and that when it is loaded."""
        if request.palette == "flatting":
            raise ModelUnavailableError("The palette 'flatting' needs no network; ask for it without references.")

    def unload(self) -> None:
        self._networks = None

    def propose(
        self, request: ColorizeRequest, regions: HintedRegions, ink: NDArray[np.uint8]
    ) -> Iterator[Event | Proposal]:
        """Progress and a Preview after each step, then a Proposal for each variation."""
        yield Progress("load", 0.0)
        networks = self._loaded(request.model)
        change = change_allowed(request)
        field = field_of(*ink.shape, None if change is None else change > 0, SIDE)
        pictures: FloatImage | None = None
        for event in _sampled(networks, request, field, ink, change):
            if isinstance(event, np.ndarray):
                pictures = event
            else:
                yield event
        assert pictures is not None  # the last thing a sampling gives
        for picture in pictures:
            yield _voted(regions, ink, field, picture)

    def _loaded(self, name: str) -> ColorNetworks:
        if self._networks is None or self._networks[0] != name:
            self._networks = None
            self._networks = name, self._load(name)
        return self._networks[1]


def _sampled(
    networks: ColorNetworks,
    request: ColorizeRequest,
    field: Field,
    ink: NDArray[np.uint8],
    change: NDArray[np.uint8] | None,
) -> Iterator[Event | FloatImage]:
    """Events, then (variations, h, w, 3) sRGB 0..1 at the field's size."""
    schedule = NoiseSchedule()
    colorizer, device = networks.colorizer, networks.device
    with torch.inference_mode(), torch.autocast(device, torch.bfloat16, enabled=networks.half):
        yield Progress("references", 0.0)
        conditions = conditions_of(networks, request, field, ink, change)
        full = colorizer.prepare(conditions).repeated(request.variations)
        without = [
            (scale, colorizer.prepare(conditions.without(name)).repeated(request.variations))
            for name, scale in GUIDANCE.items()
            if scale != 1 and getattr(conditions, name) is not None
        ]
        denoise = Guided(colorizer, full, without)
        seeds = [(request.seed + i) % 2**32 for i in range(request.variations)]
        noise = seeded_noise((colorizer.latent_channels, field.height // 8, field.width // 8), seeds, device)
    estimates = sample(denoise, noise, request.steps, schedule)
    while True:
        # The mode is left while the consumer has the floor: it belongs to this thread, not to this generator.
        with torch.inference_mode(), torch.autocast(device, torch.bfloat16, enabled=networks.half):
            estimate = next(estimates, None)
            if estimate is None:
                break
            last = estimate.step == estimate.steps
            pictures = _decoded(networks.autoencoder, estimate.latents if last else estimate.latents[:1])
        yield Progress("sample", estimate.step / estimate.steps)
        if last:
            yield pictures
        else:
            yield Preview(Pixels(np.round(pictures[0] * 255).astype(np.uint8)))


def _decoded(autoencoder: Autoencoder, latents: Tensor) -> FloatImage:
    """(B, h, w, 3) over white."""
    rgba = autoencoder.decode(latents / autoencoder.config.scaling_factor).sample.float().clamp(0, 1)
    color = rgba[:, :3] * rgba[:, 3:] + 1 - rgba[:, 3:]
    return np.ascontiguousarray(color.permute(0, 2, 3, 1).cpu().numpy())


def _voted(regions: HintedRegions, ink: NDArray[np.uint8], field: Field, picture: FloatImage) -> Proposal:
    """What the regions make of a sampled picture. Hinted regions stay whole; paper stays transparent."""
    inside = regions.labels[field.box]
    found = vote(inside, ink[field.box], picture, fixed=regions.hinted)
    labels = regions.labels.copy()
    labels[field.box] = found.labels
    colors = np.zeros((int(labels.max()) + 1, 4), np.float32)
    colors[: len(found.colors), :3] = found.colors
    areas = np.bincount(found.labels.reshape(-1), minlength=len(colors))
    areas[0] = 0
    colors[:, 3] = areas > 0
    colors[:, :3] = alike_made_equal(colors[:, :3], areas)
    behind = background(labels)
    colors[behind[(colors[behind, :3] > _PAPER).all(axis=1)], 3] = 0
    return Proposal(colors, labels, picture, field)
