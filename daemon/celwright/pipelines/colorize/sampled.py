"""Colours sampled by the latent-diffusion colorizer: a picture at the network's size, on which the regions then vote.

Knows how a request becomes the network's conditions and how latents become a picture; the network, the schedule and
the votes are others' matters.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from celwright.diffusion.guidance import Guided
from celwright.diffusion.sampler import sample, seeded_noise
from celwright.diffusion.schedule import NoiseSchedule
from celwright.domain import ColorizeRequest, Event, FloatImage, Pixels, Preview, Progress, Reference
from celwright.errors import ModelUnavailableError
from celwright.imaging.categories import color_categories, shown
from celwright.models.color_latents import Latents
from celwright.models.colorizer import Conditions, Prepared
from celwright.pipelines.colorize.cell_likeness import cell_likeness
from celwright.pipelines.colorize.conditions import (
    ColorNetworks,
    conditions_of,
    likeness,
    region_given,
    shown_references,
)
from celwright.pipelines.colorize.context import change_allowed
from celwright.pipelines.colorize.field import Field, field_of
from celwright.pipelines.colorize.harmonies import harmony
from celwright.pipelines.colorize.instances import Instances, found_instances
from celwright.pipelines.colorize.matched import matched_by_references, with_matched
from celwright.pipelines.colorize.matching import Matched
from celwright.pipelines.colorize.proposal import Proposal
from celwright.pipelines.colorize.reference_palette import palette_of, snapped
from celwright.pipelines.colorize.reference_view import Look, ReferenceView, reference_view
from celwright.regions.hinted import HintedRegions, background
from celwright.regions.vote import alike_made_equal, vote

SIDE = 512  # px; the longer side of what the network sees
GUIDANCE = {"references": 1.5, "hints": 1.0, "histogram": 1.5}  # how much a condition is exaggerated; 1: not at all
_PAPER = 0.94  # a background proposed lighter than this in all channels is paper and stays transparent


class SampledProposer:
    """A Proposer that samples as many pictures as there are variations. ``load`` builds the networks by a model's
    name on first use and raises ModelUnavailableError."""

    def __init__(self, load: Callable[[str], ColorNetworks]) -> None:
        self._load = load
        self._networks: tuple[str, ColorNetworks] | None = None
        self._seen: dict[bytes, Tensor] = {}
        self._views: dict[bytes, ReferenceView] = {}
        self.name = "embedded"

    def check(self, request: ColorizeRequest) -> None:
        """Nothing but another model's name is refused, and that when it is loaded."""
        if request.palette == "flatting":
            raise ModelUnavailableError("The palette 'flatting' needs no network; ask for it without references.")

    def unload(self) -> None:
        self._networks = None
        self._seen = {}
        self._views = {}

    def propose(
        self, request: ColorizeRequest, regions: HintedRegions, ink: NDArray[np.uint8]
    ) -> Iterator[Event | Proposal]:
        """Progress and a Preview after each step, then a Proposal for each variation."""
        yield Progress("load", 0.0)
        networks = self._loaded(request.model)
        change = change_allowed(request)
        height, width = ink.shape
        field = field_of(height, width, None if change is None else change > 0, SIDE)
        yield Progress("references", 0.0)
        with torch.inference_mode(), torch.autocast(networks.device, torch.bfloat16, enabled=networks.half):
            references = self._shown(networks, request.references)

            def alike(figures: FloatImage) -> FloatImage:
                assert references is not None  # else nobody asks
                return likeness(networks, figures, references)

            instances = found_instances(regions.labels, ink, request.references, alike)
            places = _places(request.references, instances, field)
            conditions = conditions_of(networks, request, field, ink, change, references, places)
        matched: Matched | None = None
        if request.references:
            yield Progress("match", 0.0)
            like = cell_likeness(networks.colorizer, networks.device, networks.half)
            views = self._views_of(networks, request.references)
            labels, matched = matched_by_references(
                regions.labels, ink, request.references, views, instances, like, regions.hinted
            )
            regions = replace(regions, labels=labels, colors=_extended(regions.colors, len(matched.colors)))
        pictures: FloatImage | None = None
        for event in _sampled(networks, request, field, conditions):
            if isinstance(event, np.ndarray):
                pictures = event
            else:
                yield event
        assert pictures is not None  # the last thing a sampling gives
        stages = {"instances": instances.picture(ink)} if request.stages and instances.matched else {}
        palette = palette_of(_images(references))
        for picture in pictures:
            if len(palette):
                picture = snapped(picture, palette)
            if request.stages:
                stages["categories"] = Pixels(shown(color_categories(picture)))
            proposal = _voted(regions, ink, field, picture, matched)
            yield replace(proposal, stages=dict(stages), notices=tuple(instances.notices()))

    def _shown(self, networks: ColorNetworks, references: Sequence[Reference]) -> Tensor | None:
        """(R, 5, S, S) the references as the network sees them; the last few are kept for the next try."""
        seen = {_key(reference): reference for reference in references}
        self._seen = {key: kept for key, kept in self._seen.items() if key in seen}
        for key, reference in seen.items():
            if key not in self._seen:
                self._seen[key] = shown_references(networks, [reference])
        return torch.cat([self._seen[_key(reference)] for reference in references]) if references else None

    def _views_of(self, networks: ColorNetworks, references: Sequence[Reference]) -> list[ReferenceView]:
        """The references as matching sees them; kept like those that the network sees."""
        seen = {_key(reference): reference for reference in references}
        self._views = {key: kept for key, kept in self._views.items() if key in seen}
        for key, reference in seen.items():
            if key not in self._views:
                self._views[key] = reference_view(reference, networks.look or _as_seen(networks))
        return [self._views[_key(reference)] for reference in references]

    def _loaded(self, name: str) -> ColorNetworks:
        if self._networks is None or self._networks[0] != name:
            self.unload()
            self._networks = name, self._load(name)
        return self._networks[1]


def _as_seen(networks: ColorNetworks) -> Look:
    """Ink by the networks, colours as they are."""

    def look(picture: Pixels) -> FloatImage:
        return np.dstack([networks.reference_ink(picture), picture.data[..., :3] / np.float32(picture.top)])

    return look


def _images(references: Tensor | None) -> list[FloatImage]:
    """(S, S, 5) each, of (R, 5, S, S)."""
    return [] if references is None else list(references.float().permute(0, 2, 3, 1).cpu().numpy())


def _key(reference: Reference) -> bytes:
    """What tells pictures with their masks apart, whatever object they come in."""
    told = hashlib.blake2b()
    for image in (reference.image, reference.mask):
        if image is not None:
            told.update(f"{image.data.shape} {image.data.dtype}".encode())
            told.update(np.ascontiguousarray(image.data).data)
    return told.digest()


def _places(references: Sequence[Reference], instances: Instances, field: Field) -> list[FloatImage]:
    """(h, w) for each reference where it counts: where the artist says, or where its figures are."""
    given = (region_given(reference, field) for reference in references)
    return [instances.region(i, field) if region is None else region for i, region in enumerate(given)]


def _automatic(request: ColorizeRequest) -> bool:
    """Whether the palette is to be drawn: on demand, or because nothing at all says a colour."""
    told = (request.palette, request.histogram, request.hints, request.context)
    return request.palette == "auto" or (not request.references and all(word is None for word in told))


def _sampled(
    networks: ColorNetworks, request: ColorizeRequest, field: Field, conditions: Conditions
) -> Iterator[Event | FloatImage]:
    """Events, then (variations, h, w, 3) sRGB 0..1 at the field's size."""
    schedule = NoiseSchedule()
    colorizer, device = networks.colorizer, networks.device
    seeds = [(request.seed + i) % 2**32 for i in range(request.variations)]
    with torch.inference_mode(), torch.autocast(device, torch.bfloat16, enabled=networks.half):
        wishes = None
        if _automatic(request):
            drawn = torch.from_numpy(np.stack([harmony(seed) for seed in seeds])).to(device)
            conditions, wishes = replace(conditions, histogram=drawn[:1]), colorizer.wish(drawn)

        def prepared(given: Conditions, wishes: Tensor | None) -> Prepared:
            once = colorizer.prepare(given).repeated(len(seeds))
            return once if wishes is None else replace(once, histogram=wishes)

        full = prepared(conditions, wishes)
        without = [
            (scale, prepared(conditions.without(name), None if name == "histogram" else wishes))
            for name, scale in GUIDANCE.items()
            if scale != 1 and getattr(conditions, name) is not None
        ]
        denoise = Guided(colorizer, full, without)
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
            pictures = _with_brought(pictures, full)
        yield Progress("sample", estimate.step / estimate.steps)
        if last:
            yield pictures
        else:
            yield Preview(Pixels(np.round(pictures[0] * 255).astype(np.uint8)))


def _with_brought(pictures: FloatImage, prepared: Prepared) -> FloatImage:
    """Where a reference reaches, the colours that correspondence brought from it instead of those sampled: they are
    the reference's own, not a mean of all that might be."""
    size = pictures.shape[1:3]
    brought = F.interpolate(prepared.carried[: len(pictures)].float(), size, mode="bilinear")
    reached = F.interpolate(prepared.confidence[: len(pictures)].ne(0).float(), size)
    colors, share = (np.asarray(part.permute(0, 2, 3, 1).cpu().numpy()) for part in (brought, reached))
    return np.asarray(pictures + share * (colors - pictures), np.float32)


def _decoded(autoencoder: Latents, latents: Tensor) -> FloatImage:
    """(B, h, w, 3) over white."""
    rgba = autoencoder.decode(latents / autoencoder.config.scaling_factor).sample.float().clamp(0, 1)
    color = rgba[:, :3] * rgba[:, 3:] + 1 - rgba[:, 3:]
    return np.ascontiguousarray(color.permute(0, 2, 3, 1).cpu().numpy())


def _extended(colors: FloatImage, count: int) -> FloatImage:
    """(count, 4) with nothing said of further regions."""
    return np.concatenate([colors, np.zeros((count - len(colors), 4), np.float32)])


def _voted(
    regions: HintedRegions,
    ink: NDArray[np.uint8],
    field: Field,
    picture: FloatImage,
    matched: Matched | None = None,
) -> Proposal:
    """What the regions make of a sampled picture. Hinted regions and those that references reach stay whole; paper
    stays transparent."""
    inside = regions.labels[field.box]
    fixed = regions.hinted if matched is None else regions.hinted | matched.reached
    found = vote(inside, ink[field.box], picture, fixed=fixed)
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
    proposal = Proposal(colors, labels, picture, field)
    return proposal if matched is None else with_matched(proposal, matched, regions.hinted)
