"""Line art in, flat colour under it out: regions, a colour proposed for each, and hints as law.

One run is: complete worn lines (but where hints alone say the colours) and segment the line art, give the hints to the
regions (splitting those with two colours), let the *proposer* say a colour for the regions without a hint, snap to the
palette, paint, and put the result into the context where the selection allows and no lock forbids. Hints alone need no
network; where references, a palette or nothing at all are to say the colours, one is asked. Light falls on the result;
where a full-size model sampled a picture, the decomposer finds the light in that. Knows no files and no wire.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from celwright.domain import ColorizeRequest, Event, Finished, FloatImage, Pixels, Progress, Report
from celwright.imaging import lineart
from celwright.layers import as_float
from celwright.pipelines.colorize.context import check_context
from celwright.pipelines.colorize.painting import Page, paint
from celwright.pipelines.colorize.proposal import HintProposer, Proposal, Proposer, needs_network
from celwright.pipelines.colorize.shading import Predict, found_shading
from celwright.regions.hinted import HintedRegions, background, give_hints, without_hints
from celwright.regions.hints import Hints, find_hints
from celwright.regions.trapped_ball import segment

if TYPE_CHECKING:
    from celwright.pipelines.line_completion import Complete


class ColorizePipeline:
    """Serves ColorizeRequest. ``hints`` proposes where hints and flatting colours say it all, ``sampled`` wherever
    colours must come from a network; without one such requests are refused. ``shade`` builds the decomposer that
    finds shadow and highlight in what was sampled, ``complete`` what closes gaps in lines; both are called on first
    use."""

    def __init__(
        self,
        hints: Proposer | None = None,
        sampled: Proposer | None = None,
        shade: Callable[[], Predict] | None = None,
        complete: "Callable[[], Complete] | None" = None,
    ) -> None:
        self._hints = hints or HintProposer()
        self._sampled = sampled
        self._shade = shade
        self._shader: Predict | None = None
        self._complete = complete
        self._completer: Complete | None = None

    def unload(self) -> None:
        """Free what the proposers, the shading and the completion of lines hold."""
        self._shader = self._completer = None
        for proposer in (self._hints, self._sampled):
            if proposer is not None:
                proposer.unload()

    def run(self, request: ColorizeRequest) -> Iterator[Event]:
        """Progress by stage (segment, hints, fill), what the proposer reports, then Finished.

        Finished.images: line, flat, shadow, highlight, composite, regions (32-bit IDs), and the same again under
        ``1/``, ``2/`` … for further variations; with ``stages`` also stages/regions, stages/hints (as understood),
        stages/proposal (before the palette), where lines were completed stages/lines and, where a picture was sampled,
        stages/sampled, stages/categories (SALAC's six) and stages/instances (which figure got which references). The
        line layer of line art with alpha is the line art bit for bit; the flat is the context bit for bit where the
        selection is 0 or the lock is not. Without a context these pixels are transparent. Where the selection is
        partial, the flat is mixed from the context and the new colours. Raises UnusableInputError, WrongUsageError,
        ModelUnavailableError.
        """
        network = self._sampled is not None and needs_network(request)
        proposer = self._sampled if self._sampled is not None and network else self._hints
        proposer.check(request)
        check_context(request)
        clock = _Clock()
        _load()
        clock.lap("load")

        yield Progress("segment", 0.0)
        page = Page(request, lineart.line_layer(request.line_art), lineart.ink(request.line_art))
        # Where hints say it all, they part leaking regions better than completed lines do.
        wanted = request.gap > 0 and (network or request.hints is None)
        ink = self._completed(page.ink) if wanted else page.ink
        found = segment(ink, request.gap)
        clock.lap("segment")
        yield Progress("segment", 1.0)

        yield Progress("hints", 0.0)
        hints = find_hints(request.hints) if request.hints is not None else None
        regions = give_hints(found, ink, hints) if hints is not None else without_hints(found)
        clock.lap("hints")
        yield Progress("hints", 1.0)

        proposals = []
        for event in proposer.propose(request, regions, ink):
            if isinstance(event, Proposal):
                proposals.append(event)
            else:
                yield event
        clock.lap("propose")

        images: dict[str, Pixels] = {}
        if request.stages and ink is not page.ink:
            images["stages/lines"] = lineart.drawn(ink, request.line_art.offset)
        for number, proposal in enumerate(proposals):
            yield Progress("fill", number / len(proposals))
            prefix = f"{number}/" if number else ""
            painting = paint(page, regions, proposal, self._shading(page, proposal))
            images |= {prefix + name: image for name, image in painting.images().items()}
            if request.stages:
                images |= {f"{prefix}stages/{name}": image for name, image in painting.stages(page, hints).items()}
            if number == 0:
                notices = (
                    *proposal.notices, *_notices(request, regions, hints, painting.colors, page.change)
                )  # fmt: skip
        clock.lap("fill")
        yield Progress("fill", 1.0)
        report = Report(
            clock.seconds,
            model=proposer.name,
            seed=request.seed if network else None,
            regions=regions.count,
            leaks=found.leaks,
            notices=notices,
        )
        yield Finished(images, report)

    def _completed(self, ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Ink by which regions are found: the drawn lines, and those that gaps and faded strokes were meant to be."""
        if self._complete is None:
            return ink
        self._completer = self._completer or self._complete()
        return self._completer(ink)

    def _shading(self, page: Page, proposal: Proposal) -> FloatImage | None:
        """(h, w, 6) shadow and highlight in the sampled picture; None where there is none or none is wanted."""
        if not page.request.shading or proposal.picture is None or proposal.field is None or self._shade is None:
            return None
        self._shader = self._shader or self._shade()
        line = as_float(page.line)
        covered = np.dstack([line[..., :3] * line[..., 3:], line[..., 3:]])
        small = proposal.field.reduced(covered)
        small[..., :3] /= np.maximum(small[..., 3:], np.float32(1e-4))
        return found_shading(self._shader, proposal.picture, small)


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
