"""The installed colorizer, asked about figures: which reference patch each region shows, and sampled colours.

Decides device and number format; turns figures into the network's tensors and back. Knows no pages.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from celwright.diffusion.guidance import Guided
from celwright.diffusion.sampler import sample, seeded_noise
from celwright.diffusion.schedule import NoiseSchedule
from celwright.domain import FloatImage, Guidance
from celwright.models.colorizer import Asked, Read, RegionColorizer, chosen_colors, colors_of
from celwright.models.presets import build_colorizer
from celwright.pipelines.colorize.figures import Figure
from celwright.pipelines.colorize.reference_view import ReferenceView
from celwright.pipelines.network import best_device, half_is_faster, with_weights
from celwright.weights import registry

_AGREEING, _SURE = 4, 0.6  # rounds in which regions of one part agree, and the chance they go by


@dataclass(frozen=True, eq=False)
class Told:
    """A figure, what is known of its regions' colours ``hints`` (n, 4), and the references it takes after. ``said``
    (n,): which of those hints a reference has said; without it none."""

    figure: Figure
    hints: FloatImage
    views: Sequence[ReferenceView] = ()
    said: NDArray[np.bool_] | None = None


def unknown(figure: Figure, views: Sequence[ReferenceView]) -> Told:
    """A figure of which the references alone are known."""
    return Told(figure, np.zeros((len(figure.own), 4), np.float32), views)


@dataclass(frozen=True, eq=False)
class RegionNetwork:
    """The network on ``device``; ``half``: computed in bfloat16."""

    network: RegionColorizer
    device: str
    half: bool

    def likeness(self, figure: Figure, views: Sequence[ReferenceView]) -> list[FloatImage]:
        """For each view (regions, patches): the logarithm of the chance that a region shows a patch."""
        logits, _ = self._pointing(self._read(unknown(figure, views)))
        known = torch.log_softmax(logits[0, :, len(figure.own) : -1], 1).cpu().numpy()
        most = max(len(view.colors) for view in views)
        return [np.asarray(known[:, i * most : i * most + len(view.colors)]) for i, view in enumerate(views)]

    def evidence(self, figure: Figure, view: ReferenceView) -> float:
        """How sure the regions of a figure, by area, are to find themselves in a reference, 0..1."""
        logits, _ = self._pointing(self._read(unknown(figure, (view,))))
        found = 1 - torch.softmax(logits[0], 1)[:, -1].cpu().numpy()
        areas = np.bincount(figure.labels.reshape(-1), minlength=len(found) + 1)[1:]
        return float((found * areas).sum() / max(areas.sum(), 1))

    def settled(self, told: Told, colors: FloatImage, seed: int) -> FloatImage:
        """``colors`` (n, 3) after regions of one part agreed: again and again half of them are hints, and the others
        take their colours where the network is rather sure. Regions that have a hint keep it."""
        free, rng = told.hints[:, 3] == 0, np.random.default_rng(seed)
        result = np.where(free[:, None], colors, told.hints[:, :3])
        read = self._read(told)
        for _ in range(_AGREEING):
            known = (rng.random(len(free)) < 0.5) | ~free
            hints = np.concatenate([result * known[:, None], known[:, None]], axis=1).astype(np.float32)
            with self._computing():
                read = self.network.hinted(read, self._tensor(hints))
            found, chance = self._taken(read)
            taken = ~known & (chance > _SURE)
            result[taken] = found[taken]
        return np.asarray(result, np.float32)

    def taken(self, told: Told) -> tuple[FloatImage, FloatImage]:
        """Where each region would take its colour, among hinted regions and references: (n, 3), and the chance (n,)
        that it is right to take one."""
        return self._taken(self._read(told))

    def _taken(self, read: Read) -> tuple[FloatImage, FloatImage]:
        logits, sources = self._pointing(read)
        colors, chances = (part[0].cpu().numpy() for part in chosen_colors(logits, sources))
        return colors, chances

    def _pointing(self, read: Read) -> tuple[Tensor, Tensor]:
        """Logits (1, n, n + R * M + 1) of where to take colours from, and those colours, nothing being sampled yet."""
        with self._computing():
            logits, _ = self.network.pointing(read)
        return logits.float(), read.sources.float()

    def sampled(
        self,
        told: Sequence[Told],
        wishes: FloatImage | None,
        steps: int,
        seeds: Sequence[int],
        guidance: Guidance,
    ) -> Iterator[list[FloatImage]]:
        """After each step the colours so far of every figure, (variations, n, 3) sRGB 0..1. ``wishes`` (variations,
        bins): a histogram for each variation. What a figure does not have is not guided."""
        schedule = NoiseSchedule()
        with self._computing():
            reads = [self._read(one, len(seeds)) for one in told]
            guided = [
                Guided(self._clean, *self._conditions(one, read, wishes, guidance))
                for one, read in zip(told, reads, strict=True)
            ]
            noise = seeded_noise((sum(len(one.figure.own) for one in told), 3), seeds, self.device)
        parts = torch.split(noise, [len(one.figure.own) for one in told], 1)
        runs = [sample(denoise, part, steps, schedule) for denoise, part in zip(guided, parts, strict=True)]
        for _ in range(steps):
            # The mode is left while the consumer has the floor: it belongs to this thread, not to this generator.
            with self._computing():
                estimates = [next(run).latents for run in runs]
            yield [np.asarray(colors_of(estimate.float()).cpu().numpy()) for estimate in estimates]

    def _conditions(
        self, told: Told, read: Read, wishes: FloatImage | None, guidance: Guidance
    ) -> tuple[Read, list[tuple[float, Read]]]:
        """All conditions, and for each guided one that is there its scale and the others."""
        full = read if wishes is None else self.network.wished(read, self._tensor(wishes)[0])
        given = told.hints[:, 3] > 0
        said = np.zeros_like(given) if told.said is None else given & told.said
        without = []
        if guidance.references != 1 and (told.views or said.any()):
            rest = self._hinted(full, told, given & ~said) if said.any() else full
            without.append((guidance.references, rest.alone()))
        if guidance.hints != 1 and (given & ~said).any():
            without.append((guidance.hints, self._hinted(full, told, said)))
        if wishes is not None:
            without.append((guidance.histogram, read))
        return full, without

    def _hinted(self, read: Read, told: Told, kept: NDArray[np.bool_]) -> Read:
        """The same with the hints that are ``kept`` (n,)."""
        hints = self._tensor(told.hints * kept[:, None].astype(np.float32))
        return self.network.hinted(read, hints.expand(len(read.drawn), -1, -1))

    def _clean(self, noisy: Tensor, t: Tensor, read: Read) -> Tensor:
        clean: Tensor = self.network(noisy, t, read)
        return clean

    def _computing(self) -> "_Computing":
        return _Computing(self.device, self.half)

    def _read(self, told: Told, count: int = 1) -> Read:
        drawn, views = told.figure.drawn, told.views
        most = max((len(view.colors) for view in views), default=1)
        colors = np.zeros((len(views), most, 3), np.float32)
        for i, view in enumerate(views):
            colors[i, : len(view.colors)] = view.colors
        shown = [view.planes[..., 3:].transpose(2, 0, 1) for view in views]
        side = drawn.ink.shape
        bins = self.network.histogram_bins
        asked = Asked(
            line=self._tensor(np.stack([drawn.ink, drawn.inside])),
            labels=self._tensor(told.figure.labels),
            hints=self._tensor(told.hints),
            histogram=torch.zeros(1, bins, device=self.device),
            references=self._tensor(np.stack(shown) if shown else np.zeros((0, 2, *side), np.float32)),
            patches=self._tensor(
                np.stack([view.patches for view in views]) if shown else np.zeros((0, *side), np.int32)
            ),
            colors=self._tensor(colors),
        )
        with self._computing():
            return self.network.prepare(asked).repeated(count)

    def _tensor(self, array: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array))[None].to(self.device)


class _Computing:
    """No gradients, and bfloat16 where it is faster."""

    def __init__(self, device: str, half: bool) -> None:
        self._modes = torch.inference_mode(), torch.autocast(device, torch.bfloat16, enabled=half)

    def __enter__(self) -> None:
        for mode in self._modes:
            mode.__enter__()

    def __exit__(self, *fault: object) -> None:
        for mode in reversed(self._modes):
            mode.__exit__(*fault)


def region_network(name: str, device: str | None = None) -> RegionNetwork:
    """The installed colorizer of that name on ``device``, by default the best one. Raises ModelUnavailableError."""
    on = device or best_device()
    model = registry.find("colorize", name)
    network = with_weights(build_colorizer(model.preset), model)
    return RegionNetwork(network.eval().to(on), on, half_is_faster(on))
