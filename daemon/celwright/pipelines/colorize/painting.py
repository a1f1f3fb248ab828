"""From proposed colours to layers: hints are law, the palette snaps, what may not change stays.

Knows neither who proposed the colours nor how regions were found.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from celwright.domain import ColorizeRequest, FloatImage, Labels, Palette, Pixels
from celwright.imaging.color import nearest_colors
from celwright.layers import NAMES, LayerStack
from celwright.pipelines.colorize.context import change_allowed, within_context
from celwright.pipelines.colorize.field import field_of
from celwright.pipelines.colorize.proposal import Proposal
from celwright.pipelines.colorize.shading import LIT_SIDE, inflated_shading, shading_layers
from celwright.regions.fill import painted
from celwright.regions.flatting import flatting_colors
from celwright.regions.hinted import HintedRegions
from celwright.regions.hints import Hints
from celwright.regions.show import id_map
from celwright.regions.trapped_ball import LINE_FROM

_BAND = 256  # rows composed at once: bounds the memory of float planes


@dataclass(frozen=True, eq=False)
class Page:
    """What is the same for all variations. ``ink`` (H, W): 255 = line."""

    request: ColorizeRequest
    line: Pixels
    ink: NDArray[np.uint8]

    @cached_property
    def change(self) -> NDArray[np.uint8] | None:
        return change_allowed(self.request)


@dataclass(frozen=True, eq=False)
class Painting:
    """One variation: its regions, the colours (count + 1, 4) proposed for them and those taken, its layers, what was
    sampled, and the proposer's own pictures of its stages."""

    labels: Labels
    proposed: FloatImage
    colors: FloatImage
    stack: LayerStack
    picture: FloatImage | None
    seen: Mapping[str, Pixels]

    def images(self) -> dict[str, Pixels]:
        images = {name: getattr(self.stack, name) for name in NAMES}
        flat = self.stack.flat
        images["composite"] = Pixels(_composite(self.stack), flat.offset, flat.icc)
        images["regions"] = id_map(self.labels)
        return images

    def stages(self, page: Page, hints: Hints | None) -> dict[str, Pixels]:
        """What a person may look at between line art and layers."""
        depth, offset = page.request.line_art.depth, page.request.line_art.offset
        none = np.zeros((int(self.labels.max()) + 1, 4), np.float32)
        images = {"regions": Pixels(painted(self.labels, flatting_colors(self.labels, none), 8), offset)}
        if hints is not None:
            own = np.concatenate([hints.colors, np.ones((hints.count + 1, 1), np.float32)], axis=1)
            images["hints"] = Pixels(painted(hints.marks, own, depth), offset)
        # Without the lines it is transparent somewhere, so that it may come back as hints, edited or not.
        proposal = np.where(page.ink[..., None] < LINE_FROM, painted(self.labels, self.proposed, depth), 0)
        images["proposal"] = Pixels(proposal, offset)
        if self.picture is not None:
            images["sampled"] = Pixels(np.round(self.picture * 255).astype(np.uint8))
        return images | dict(self.seen)


def paint(page: Page, regions: HintedRegions, proposal: Proposal, shading: FloatImage | None) -> Painting:
    """The layers of one proposal: hints are law, the palette snaps, the context stays where nothing may change."""
    request, line_art = page.request, page.request.line_art
    labels = regions.labels if proposal.labels is None else proposal.labels
    proposed = proposal.colors.copy()
    proposed[: regions.count + 1][regions.hinted] = regions.colors[regions.hinted]
    colors = _snapped(proposed, request.palette) if isinstance(request.palette, Palette) else proposed
    new = painted(labels, colors, line_art.depth)
    flat = Pixels(within_context(page.change, new, request.context), line_art.offset, line_art.icc)
    empty = Pixels(np.zeros_like(flat.data), flat.offset, flat.icc)
    shadow, highlight = empty, empty
    if request.shading and request.palette != "flatting":
        field = proposal.field
        if shading is None or field is None:
            selected = None if page.change is None else page.change > 0
            field = field_of(labels.shape[0], labels.shape[1], selected, LIT_SIDE)
            shading = inflated_shading(labels, colors, field, request.light)
        visible = flat if page.change is None else Pixels(within_context(page.change, new, None), flat.offset)
        shadow, highlight = shading_layers(shading, field, visible)
    stack = LayerStack(line=page.line, flat=flat, shadow=shadow, highlight=highlight)
    return Painting(labels, proposed, colors, stack, proposal.picture, proposal.stages)


def _snapped(colors: FloatImage, palette: Palette) -> FloatImage:
    """Every region's colour replaced by the palette's nearest one (CIEDE2000)."""
    choice = palette.colors.astype(np.float32) / np.float32(255)
    snapped = colors.copy()
    coloured = colors[:, 3] > 0
    snapped[coloured, :3] = choice[nearest_colors(colors[coloured, :3], choice)]
    return snapped


def _composite(stack: LayerStack) -> NDArray[Any]:
    """(H, W, 4) of the layers together, band by band."""
    height = stack.line.height
    parts = []
    for rows in np.array_split(np.arange(height), max(1, height // _BAND)):
        band = slice(int(rows[0]), int(rows[-1]) + 1)
        part = LayerStack(*(Pixels(getattr(stack, name).data[band]) for name in NAMES))
        parts.append(part.images()["composite"].data)
    return np.concatenate(parts)
