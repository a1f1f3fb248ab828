"""Colours from the region colorizer: what references say where there are any, and sampled colours for the rest.

Figure by figure. Regions that a hint, the context or a reference has coloured are conditions of the sampling; the
others are sampled together, once for each variation, and take the colours of the palette that was wished for. Knows how
a request becomes the network's conditions; the network and the sampler are others' matters.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from celwright.domain import ColorizeRequest, Event, FloatImage, Labels, Palette, Pixels, Preview, Progress
from celwright.errors import ModelUnavailableError
from celwright.imaging.categories import color_categories, shown
from celwright.imaging.histogram import color_histogram
from celwright.imaging.muddiness import MUDDY, muddiness
from celwright.imaging.resampling import looked_up
from celwright.pipelines.colorize.context import change_allowed
from celwright.pipelines.colorize.dealing import cleared, dealt
from celwright.pipelines.colorize.figures import Figure, figure_of, owners
from celwright.pipelines.colorize.harmonies import Harmony, harmony
from celwright.pipelines.colorize.instances import found_instances, page_figures
from celwright.pipelines.colorize.matched import matched_by_references
from celwright.pipelines.colorize.proposal import Proposal
from celwright.pipelines.colorize.reference_view import Look, ReferenceViews
from celwright.pipelines.colorize.region_network import RegionNetwork, Told
from celwright.regions.bays import with_bays
from celwright.regions.hinted import HintedRegions, background
from celwright.regions.vote import alike_made_equal

_TAKEN = 0.3  # the chance from which a region takes a colour that the page has already
_CLEAR = 0.9 * MUDDY  # up to this muddiness regions of one part may agree
_SEEN = 512  # px; the longer side of previews


@dataclass(frozen=True, eq=False)
class _Page:
    """A page with what is known of its regions: ``known`` (count + 1, 4)."""

    labels: Labels
    ink: NDArray[np.uint8]
    known: FloatImage
    told: tuple[Told, ...]


class SampledProposer:
    """A Proposer with as many proposals as there are variations. ``load`` builds the network by a model's name on first
    use and raises ModelUnavailableError; ``look`` builds what finds lines and flat colours in references."""

    def __init__(self, load: Callable[[str], RegionNetwork], look: Callable[[], Look]) -> None:
        self._load = load
        self._views = ReferenceViews(look)
        self._network: tuple[str, RegionNetwork] | None = None
        self.name = "embedded"

    def check(self, request: ColorizeRequest) -> None:
        """Nothing but another model's name is refused, and that when it is loaded."""
        if request.palette == "flatting":
            raise ModelUnavailableError("The palette 'flatting' needs no network; ask for it without references.")

    def unload(self) -> None:
        self._network = None
        self._views.clear()

    def propose(
        self, request: ColorizeRequest, regions: HintedRegions, ink: NDArray[np.uint8]
    ) -> Iterator[Event | Proposal]:
        """Progress and a Preview after each step, then a Proposal for each variation."""
        yield Progress("load", 0.0)
        network = self._loaded(request.model)
        labels, known = regions.labels, _with_context(regions.labels, regions.colors, request)
        notices: tuple[str, ...] = ()
        stages: dict[str, Pixels] = {}
        if request.references:
            views = yield from self._views.of(request.references)
            yield Progress("match", 0.0)

            def alike(figures: Sequence[Figure]) -> FloatImage:
                return np.array([[network.evidence(one, view) for view in views] for one in figures], np.float32)

            instances = found_instances(labels, ink, request.references, alike)
            labels, matched = matched_by_references(
                labels, ink, request.references, views, instances, network.likeness, regions.hinted
            )
            known = _grown(known, labels)
            said = matched.reached & (known[:, 3] == 0)
            known[said, :3], known[said, 3] = matched.colors[said], 1
            notices = tuple(instances.notices())
            stages = {"instances": instances.picture(ink)} if request.stages and instances.matched else {}
        else:
            labels, _ = with_bays(labels, ink, page_figures(labels, ink)[1], 0.0, np.flatnonzero(regions.hinted))
            known = _grown(known, labels)
            said = np.zeros(len(known), bool)
        page = _Page(labels, ink, known, _told(labels, ink, known, said))
        if not page.told:
            yield Proposal(known, labels, stages=stages, notices=notices)
            return
        for event in _sampled(network, request, page):
            if isinstance(event, Proposal):
                seen = _small(page, event.colors)
                more = {"categories": Pixels(shown(color_categories(seen)))} if request.stages else {}
                event = replace(event, stages=stages | more, notices=notices)
            yield event

    def _loaded(self, name: str) -> RegionNetwork:
        if self._network is None or self._network[0] != name:
            self.unload()
            self._network = name, self._load(name)
        return self._network[1]


def _grown(known: FloatImage, labels: Labels) -> FloatImage:
    """(count + 1, 4) ``known`` colours, those of newer regions transparent."""
    return np.concatenate([known, np.zeros((int(labels.max(initial=0)) + 1 - len(known), 4), np.float32)])


def _with_context(labels: Labels, colors: FloatImage, request: ColorizeRequest) -> FloatImage:
    """(count + 1, 4) ``colors`` and those that regions have in the context where it stays as it is."""
    known, change = colors.copy(), change_allowed(request)
    if request.context is None or change is None:
        return known
    context = request.context.rgba().data
    kept = (change == 0) & (context[..., 3] > 0) & (labels > 0)
    areas, held = (np.bincount(part.reshape(-1), minlength=len(known)) for part in (labels, labels[kept]))
    stays = (2 * held > areas) & (known[:, 3] == 0)
    for channel in range(3):
        sums = np.bincount(labels[kept], context[..., channel][kept], len(known))
        known[stays, channel] = (sums / np.maximum(held, 1))[stays] / request.context.top
    known[stays, 3] = 1
    return known


def _told(labels: Labels, ink: NDArray[np.uint8], known: FloatImage, said: NDArray[np.bool_]) -> tuple[Told, ...]:
    """The page's figures that have regions of unknown colour. ``said`` (count + 1,): known from a reference."""
    _, small = page_figures(labels, ink)
    figures = looked_up(small, *labels.shape)
    count = int(small.max(initial=0))
    owner = owners(labels, figures, count)
    owner[background(labels)] = 0
    told = []
    for number in range(1, count + 1):
        own = np.flatnonzero(owner == number)
        if len(own) and (known[own, 3] == 0).any():
            told.append(Told(figure_of(labels, ink, figures == number, own), known[own], said=said[own]))
    return tuple(told)


def _wished(request: ColorizeRequest) -> tuple[FloatImage | None, list[Harmony]]:
    """Histograms (variations, bins) that are wished for, and the palette to deal out in each variation, if any."""
    palette, histogram = request.palette, request.histogram
    said = (palette, histogram, request.hints, request.context)
    if palette == "auto" or (not request.references and all(word is None for word in said)):
        drawn = [harmony(request.seed + i) for i in range(request.variations)]
        return np.stack([one.histogram for one in drawn]), drawn
    if histogram is None and isinstance(palette, Palette):
        histogram = color_histogram(palette.colors[None].astype(np.float32) / 255)
    return None if histogram is None else np.repeat(histogram[None], request.variations, 0), []


def _sampled(network: RegionNetwork, request: ColorizeRequest, page: _Page) -> Iterator[Event | Proposal]:
    wishes, palettes = _wished(request)
    seeds = [(request.seed + i) % 2**32 for i in range(request.variations)]
    steps = network.sampled(page.told, wishes, request.steps, seeds, request.guidance)
    for step, sampled in enumerate(steps, start=1):
        yield Progress("sample", step / request.steps)
        if step < request.steps:
            yield Preview(Pixels(np.round(_small(page, _painted(page, sampled, 0)) * 255).astype(np.uint8)))
    areas = np.bincount(page.labels.reshape(-1), minlength=len(page.known))
    areas[0] = 0
    taken = [network.taken(told) for told in page.told] if wishes is None else []
    for i in range(request.variations):
        colors = _painted(page, sampled, i)
        free = (colors[:, 3] > 0) & (page.known[:, 3] == 0)
        if palettes:
            colors[free, :3] = dealt(colors[free, :3], areas[free], palettes[i].colors, palettes[i].shares)
            agreed = colors.copy()
            for told in page.told:
                own = told.figure.own
                agreed[own, :3] = network.settled(told, colors[own, :3], seeds[i])
            if muddiness(agreed[free, :3], areas[free]) < _CLEAR:  # else one dull colour won all
                colors = agreed
            if muddiness(colors[free, :3], areas[free]) >= _CLEAR:
                colors[free, :3] = cleared(colors[free, :3], areas[free])
        else:
            colors[free, :3] = alike_made_equal(colors[:, :3], areas)[free]
            if wishes is None:  # the page itself says which colours there are
                for told, (found, chance) in zip(page.told, taken, strict=True):
                    sure = (told.hints[:, 3] == 0) & (chance > _TAKEN)
                    colors[told.figure.own[sure], :3] = found[sure]
        yield Proposal(colors, page.labels)


def _painted(page: _Page, sampled: Sequence[FloatImage], variation: int) -> FloatImage:
    """(count + 1, 4): known colours, those sampled for a variation, and nothing for the ground."""
    colors = page.known.copy()
    for told, found in zip(page.told, sampled, strict=True):
        own = told.figure.own
        free = own[told.hints[:, 3] == 0]
        colors[free, :3], colors[free, 3] = found[variation][told.hints[:, 3] == 0], 1
    return colors


def _small(page: _Page, colors: FloatImage) -> FloatImage:
    """(h, w, 3) the page in these colours over white, under its lines, reduced."""
    height, width = page.labels.shape
    scale = min(1.0, _SEEN / max(height, width))
    size = max(1, round(height * scale)), max(1, round(width * scale))
    seen = colors[looked_up(page.labels, *size)]
    color = seen[..., :3] * seen[..., 3:] + 1 - seen[..., 3:]
    return np.asarray(color * (1 - looked_up(page.ink, *size)[..., None] / np.float32(255)), np.float32)
