"""Line art in, regions out: ink, trapped balls, pictures of what was found. Knows no files and no network."""

import time
from collections.abc import Iterator

from celwright.domain import Event, Finished, Pixels, Progress, Report, SegmentRequest

_PAGE_SHARE = 0.98  # of what is not line; a region that fills so much is the page itself


class SegmentPipeline:
    """Serves SegmentRequest. Finished.images: ``regions`` (32-bit IDs, see regions.show), ``preview`` (each region in
    a colour of its own) and, when asked for, ``leaks`` (the line art with the closed openings ringed)."""

    def run(self, request: SegmentRequest) -> Iterator[Event]:
        """Progress by stage, then Finished. Raises UnusableInputError for line art without a line."""
        seconds: dict[str, float] = {}
        start = time.perf_counter()
        yield Progress("load", 0.0)
        from celwright.imaging.lineart import ink
        from celwright.regions import show, trapped_ball

        seconds["load"] = time.perf_counter() - start
        yield Progress("segment", 0.0)
        start = time.perf_counter()
        found = trapped_ball.segment(ink(request.line_art), request.gap)
        seconds["segment"] = time.perf_counter() - start
        yield Progress("segment", 1.0)

        yield Progress("show", 0.0)
        start = time.perf_counter()
        line_art = request.line_art
        images = {
            "regions": _placed(show.id_map(found.grown), line_art),
            "preview": _placed(show.preview(found.grown), line_art),
        }
        if request.leaks:
            images["leaks"] = show.leak_overlay(line_art, found.leaks)
        seconds["show"] = time.perf_counter() - start
        notices: tuple[str, ...] = ()
        whole = found.areas[1:].sum()
        if found.count and found.areas[1:].max() >= _PAGE_SHARE * whole:
            notices = (NO_CLOSED_REGION.format(gap=request.gap),)
        report = Report(seconds=seconds, regions=found.count, leaks=found.leaks, notices=notices)
        yield Finished(images, report)

    def unload(self) -> None:
        """Nothing is held between runs."""


NO_CLOSED_REGION = (
    "The lines enclose no region worth the name, so nearly the whole page is one region (openings up to {gap} pixels "
    "were closed): close the outlines, or raise the gap."
)


def _placed(image: Pixels, on: Pixels) -> Pixels:
    """The image at the place of the line art in the document."""
    return Pixels(image.data, on.offset)
