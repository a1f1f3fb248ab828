"""Line art in, flat colour under it out: regions, a colour proposed for each, and hints as law.

One run is: segment the line art, give the hints to the regions (splitting those with two colours), let the *proposer*
say a colour for the regions without a hint, snap to the palette, paint, and put the result into the context where the
selection allows and no lock forbids. The proposer that stands here colours by hints alone; one that samples a picture
plugs in at the same place. Shading is not this pipeline's: its shadow and highlight layers are transparent. Knows no
files and no wire.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from celwright.domain import ColorizeRequest, Event, Finished, FloatImage, Palette, Pixels, Progress, Report
from celwright.imaging import lineart
from celwright.imaging.color import nearest_colors
from celwright.layers import NAMES, LayerStack
from celwright.pipelines.context import change_allowed, check_context, within_context
from celwright.pipelines.proposal import HintProposer, Proposal, Proposer
from celwright.regions.fill import painted
from celwright.regions.flatting import flatting_colors
from celwright.regions.hinted import HintedRegions, background, give_hints, without_hints
from celwright.regions.hints import Hints, find_hints
from celwright.regions.show import id_map
from celwright.regions.trapped_ball import segment

_BAND = 256  # rows composed at once: bounds the memory of float planes


class ColorizePipeline:
    """Serves ColorizeRequest."""

    def __init__(self, proposer: Proposer | None = None) -> None:
        self._proposer = proposer or HintProposer()

    def unload(self) -> None:
        """Free what the proposer holds."""
        self._proposer.unload()

    def run(self, request: ColorizeRequest) -> Iterator[Event]:
        """Progress by stage (segment, hints, fill), what the proposer reports, then Finished.

        Finished.images: line, flat, shadow, highlight, composite, regions (32-bit IDs); with ``stages`` also
        stages/regions, stages/hints (as understood) and stages/proposal (before the palette). The line layer of line
        art with alpha is the line art bit for bit; the flat is the context bit for bit where the selection is 0 or
        the lock is not. Without a context these pixels are transparent. Where the selection is partial, the flat is
        mixed from the context and the new colours. Raises UnusableInputError, WrongUsageError, ModelUnavailableError.
        """
        self._proposer.check(request)
        check_context(request)
        clock = _Clock()
        _load()
        clock.lap("load")

        yield Progress("segment", 0.0)
        line = lineart.line_layer(request.line_art)
        ink = lineart.ink(request.line_art)
        found = segment(ink, request.gap)
        clock.lap("segment")
        yield Progress("segment", 1.0)

        yield Progress("hints", 0.0)
        hints = find_hints(request.hints) if request.hints is not None else None
        regions = give_hints(found, ink, hints) if hints is not None else without_hints(found)
        clock.lap("hints")
        yield Progress("hints", 1.0)

        proposed = regions.colors
        for event in self._proposer.propose(request, regions):
            if isinstance(event, Proposal):
                proposed = np.where(regions.hinted[:, None], regions.colors, event.colors)
            else:
                yield event
        clock.lap("propose")

        yield Progress("fill", 0.0)
        depth, offset, icc = request.line_art.depth, request.line_art.offset, request.line_art.icc
        colors = _snapped(proposed, request.palette) if isinstance(request.palette, Palette) else proposed
        change = change_allowed(request)
        flat = Pixels(within_context(change, painted(regions.labels, colors, depth), request.context), offset, icc)
        empty = Pixels(np.zeros_like(flat.data), offset, icc)
        stack = LayerStack(line=line, flat=flat, shadow=empty, highlight=empty)
        images = {name: getattr(stack, name) for name in NAMES}
        images["composite"] = Pixels(_composite(stack), offset, icc)
        images["regions"] = id_map(regions.labels)
        if request.stages:
            none = np.zeros_like(regions.colors)
            images["stages/regions"] = Pixels(painted(regions.labels, flatting_colors(regions.labels, none), 8), offset)
            if hints is not None:
                own = np.concatenate([hints.colors, np.ones((hints.count + 1, 1), np.float32)], axis=1)
                images["stages/hints"] = Pixels(painted(hints.marks, own, depth), offset, icc)
            images["stages/proposal"] = Pixels(painted(regions.labels, proposed, depth), offset, icc)
        clock.lap("fill")
        yield Progress("fill", 1.0)
        yield Finished(
            images,
            Report(
                clock.seconds,
                model=self._proposer.name,
                regions=regions.count,
                leaks=found.leaks,
                notices=tuple(_notices(request, regions, hints, colors, change)),
            ),
        )


@dataclass
class _Clock:
    seconds: dict[str, float] = field(default_factory=dict)
    last: float = field(default_factory=time.perf_counter)

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self.last
        self.last = now


def _load() -> None:
    """Import what the first run would otherwise wait for in the middle."""
    from skimage.color import deltaE_ciede2000, rgb2lab  # noqa: F401
    from skimage.measure import label  # noqa: F401


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
        part = LayerStack(**{name: Pixels(getattr(stack, name).data[band]) for name in NAMES})
        parts.append(part.images()["composite"].data)
    return np.concatenate(parts)


def _notices(
    request: ColorizeRequest,
    regions: HintedRegions,
    hints: Hints | None,
    colors: FloatImage,
    change: NDArray[np.uint8] | None,
) -> Iterator[str]:
    """Sentences on what an artist may not have meant."""
    behind = background(regions.labels)
    if len(np.setdiff1d(np.arange(1, regions.count + 1), behind)) == 0:
        yield "The line art encloses no region: every line is open; close the outlines or raise the gap."
    elif (colors[behind, 3] == 0).any() and request.unhinted == "nearest" and request.palette != "flatting":
        yield "What reaches a corner of the canvas was taken for background and left transparent: paint a dot there."
    if hints is not None and change is not None:
        marks = hints.marks.reshape(-1)
        inside = np.bincount(marks, change.reshape(-1), hints.count + 1)[1:] > 0
        if not inside.all():
            yield (
                f"{np.count_nonzero(~inside)} of {hints.count} hints lie outside the selection or on locked pixels: "
                f"they colour only what their regions have inside."
            )
