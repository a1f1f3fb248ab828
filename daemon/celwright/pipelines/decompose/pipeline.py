"""A finished picture in, its four layers out: network, then areas, then full resolution, then the formula.

The network sees the picture in tiles; its estimates are made whole by the picture's areas, come back to full size
along the picture's own edges, and ``fitting.fit`` makes them give the picture back. Rows are finished band by band;
what the artist wants otherwise is done by ``finishing`` at the end. Knows no files, no wire, and of networks only that
they give layers.
"""

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright import fitting, layers
from celwright.domain import (
    DecomposeRequest,
    Event,
    Finished,
    FloatImage,
    Pixels,
    Preview,
    Progress,
    RecompositionError,
    Report,
)
from celwright.imaging import tiling
from celwright.pipelines.decompose import finishing
from celwright.pipelines.decompose.estimates import Estimates
from celwright.pipelines.decompose.estimates import on_white as on_white
from celwright.pipelines.decompose.flattening import by_area

TILE, OVERLAP = 768, 96  # px
FIT_PIXELS = 512 * 1024  # pixels fitted at once: bounds the memory of float planes
PREVIEW_SIDE = 512  # px

Predict = Callable[[NDArray[Any]], FloatImage]
"""(h, w, 3) of 8 or 16 bit -> (h, w, 13) float32: line alpha, line colour, flat, shadow, highlight."""


class _Result:
    """The layers as far as they are finished."""

    def __init__(self, request: DecomposeRequest) -> None:
        self.request, self.picture, self.rows = request, request.picture, 0
        picture = request.picture
        shape = (picture.height, picture.width, 4)
        self.images = {name: np.empty(shape, picture.data.dtype) for name in (*layers.NAMES, "composite")}
        self.errors: list[tuple[float, float, float, int]] = []
        self.final: RecompositionError | None = None

    def add(self, estimate: FloatImage) -> None:
        """Fit the next rows, as many as ``estimate`` (h, W, 13) has."""
        band = slice(self.rows, self.rows + len(estimate))
        part = Pixels(self.picture.data[band], self.picture.offset, self.picture.icc)
        colors = (estimate[..., i : i + 3] for i in (1, 4, 7, 10))
        found = fitting.fit(part, fitting.Estimate(estimate[..., 0], *colors), self.request.fidelity).images()
        for name, image in found.items():
            self.images[name][band] = image.data
        self.errors.append(layers.squared_error(part, found["composite"]))
        self.rows = band.stop

    def finished(self) -> Iterator[Progress]:
        """Make the layers as the artist wants them, when every row is there; nothing when that is as they are."""
        if not self.request.is_plain():
            for event in finishing.finish(self.request, self.images):
                if isinstance(event, Progress):
                    yield event
                else:
                    self.final = event

    def pixels(self) -> dict[str, Pixels]:
        """The layers and their composite, when every row is there."""
        return {name: Pixels(data, self.picture.offset, self.picture.icc) for name, data in self.images.items()}

    def error(self) -> RecompositionError:
        return self.final or layers.join_errors(self.errors)

    def preview(self) -> Pixels:
        """The flats so far, nothing below, at most PREVIEW_SIDE a side."""
        scale = min(1.0, PREVIEW_SIDE / max(self.picture.size))
        width, height = (max(8, round(side * scale)) for side in self.picture.size)
        canvas = np.zeros((height, width, 4), self.picture.data.dtype)
        rows = max(1, height * self.rows // self.picture.height)
        canvas[:rows] = cv2.resize(self.images["flat"][: self.rows], (width, rows), interpolation=cv2.INTER_AREA)
        return Pixels(canvas)


class DecomposePipeline:
    """Serves DecomposeRequest. ``load`` builds a predictor from a model name and is called on first use."""

    def __init__(self, load: Callable[[str], Predict] | None = None) -> None:
        self._load = load or load_predictor
        self._loaded: tuple[str, Predict] | None = None

    def unload(self) -> None:
        """Free the network; the next run loads it again."""
        self._loaded = None

    def _predictor(self, name: str) -> Predict:
        if self._loaded is None or self._loaded[0] != name:
            self._loaded = None
            self._loaded = name, self._load(name)
        return self._loaded[1]

    def run(self, request: DecomposeRequest) -> Iterator[Event]:
        """Progress after every tile and band, one Preview of the flats half way, Finished. Raises
        ModelUnavailableError. Finished.images: line, flat, shadow, highlight, composite."""
        picture = request.picture
        clock = Clock()
        yield Progress("load", 0.0)
        predict = self._predictor(request.model)
        clock.lap("load")

        estimates = Estimates(picture)
        result = _Result(request)
        height, width = estimates.working.shape[:2]
        tiles, tiles_done, previewed = tiling.tile_count(height, width, TILE, OVERLAP), 0, False

        def progress() -> Progress:
            done = (tiles_done / tiles + result.rows / picture.height) / 2
            return Progress("decompose", done, clock.seconds_left(done))

        seen = tiling.bands(estimates.working, predict, TILE, OVERLAP)
        for band in by_area(estimates.working, seen):
            if band is None:
                tiles_done += 1
                clock.lap("infer")
                yield progress()
                continue
            estimates.add(band)
            for rows in _row_groups(result.rows, picture.height, picture.width):
                if not estimates.reach(rows):
                    break
                result.add(estimates.rows(rows))
                clock.lap("fit")
                yield progress()
                if not previewed and 2 * result.rows >= picture.height > result.rows:
                    previewed = True
                    yield Preview(result.preview())
            estimates.forget_above(result.rows)
        for event in result.finished():
            clock.lap(event.stage)
            yield event
        report = Report(
            clock.seconds, model=request.model, recomposition=result.error(), shadow_blend=request.shadow_blend
        )
        yield Finished(result.pixels(), report)


def fitted(
    request: DecomposeRequest, working: NDArray[Any], planes: FloatImage
) -> Generator[Progress, None, tuple[dict[str, Pixels], RecompositionError]]:
    """The same end for another network that sees the picture whole: Progress, then images as in Finished and their
    error. ``working`` (h, w, 3) is the picture as it was seen, ``planes`` (h, w, 13) what was found there."""
    picture = request.picture
    estimates, result = Estimates(picture, working), _Result(request)
    estimates.add(tiling.Band(0, len(planes), planes))
    for rows in _row_groups(0, picture.height, picture.width):
        result.add(estimates.rows(rows))
        yield Progress("decompose", result.rows / picture.height)
    yield from result.finished()
    return result.pixels(), result.error()


@dataclass
class Clock:
    """Seconds by stage: what passed since the last lap is added to the lap's."""

    seconds: dict[str, float] = field(default_factory=lambda: {"load": 0.0, "infer": 0.0, "fit": 0.0})
    last: float = field(default_factory=time.perf_counter)

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self.last
        self.last = now

    def seconds_left(self, done: float) -> float:
        spent = self.seconds["infer"] + self.seconds["fit"]
        return spent * (1 - done) / done


def _row_groups(start: int, height: int, width: int) -> Iterator[slice]:
    """Rows from ``start`` on in groups of bounded size, none with fewer than eight rows."""
    group = max(64, FIT_PIXELS // width)
    while start < height:
        stop = start + group if height - start - group >= 8 else height
        yield slice(start, stop)
        start = stop


def load_predictor(name: str) -> Predict:
    """The network of that name behind a plain function. Raises ModelUnavailableError."""
    from celwright.pipelines.network import predictor

    return predictor(name)
