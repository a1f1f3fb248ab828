"""A finished picture in, its four layers out: network, then full resolution, then the formula.

The network sees the picture in tiles, reduced where it is so large that its lines would be wider than any the network
knows; its estimates come back to full size along the picture's own edges, and ``fitting.fit`` makes them give the
picture back. Rows are finished band by band. Knows no files, no wire, and of networks only that they give layers.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright import fitting, layers
from celwright.domain import (
    DecomposeRequest,
    Event,
    Fidelity,
    Finished,
    FloatImage,
    Pixels,
    Preview,
    Progress,
    RecompositionError,
    Report,
)
from celwright.imaging import tiling
from celwright.imaging.resampling import guided_rows, rows_needed
from celwright.imaging.underpaint import REACH, underpainted

WORKING_SIDE = 1536  # px; the shorter side of the largest picture that the network sees unreduced
TILE, OVERLAP = 768, 96  # px
FIT_PIXELS = 512 * 1024  # pixels fitted at once: bounds the memory of float planes
PREVIEW_SIDE = 512  # px
MARGIN = REACH + 2  # px; rows beyond a group that its result depends on
FLAT = slice(4, 7)  # the flat's planes in an estimate

Predict = Callable[[NDArray[Any]], FloatImage]
"""(h, w, 3) of 8 or 16 bit -> (h, w, 13) float32: line alpha, line colour, flat, shadow, highlight."""


class _Result:
    """The layers as far as they are finished."""

    def __init__(self, picture: Pixels, fidelity: Fidelity) -> None:
        self.picture, self.fidelity, self.rows = picture, fidelity, 0
        shape = (picture.height, picture.width, 4)
        self.images = {name: np.empty(shape, picture.data.dtype) for name in (*layers.NAMES, "composite")}
        self.errors: list[tuple[float, float, float, int]] = []

    def add(self, estimate: FloatImage) -> None:
        """Fit the next rows, as many as ``estimate`` (h, W, 13) has."""
        band = slice(self.rows, self.rows + len(estimate))
        part = Pixels(self.picture.data[band], self.picture.offset, self.picture.icc)
        colors = (estimate[..., i : i + 3] for i in (1, 4, 7, 10))
        found = fitting.fit(part, fitting.Estimate(estimate[..., 0], *colors), self.fidelity).images()
        for name, image in found.items():
            self.images[name][band] = image.data
        self.errors.append(layers.squared_error(part, found["composite"]))
        self.rows = band.stop

    def pixels(self) -> dict[str, Pixels]:
        """The layers and their composite, when every row is there."""
        return {name: Pixels(data, self.picture.offset, self.picture.icc) for name, data in self.images.items()}

    def error(self) -> RecompositionError:
        return layers.join_errors(self.errors)

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

        estimates = _Estimates(picture)
        result = _Result(picture, request.fidelity)
        tiles, tiles_done, previewed = estimates.tile_count(), 0, False

        def progress() -> Progress:
            done = (tiles_done / tiles + result.rows / picture.height) / 2
            return Progress("decompose", done, clock.seconds_left(done))

        for band in tiling.bands(estimates.working, predict, TILE, OVERLAP):
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
            estimates.forget_above(result.rows)
            if not previewed and 2 * result.rows >= picture.height > result.rows:
                previewed = True
                yield Preview(result.preview())
        yield Finished(result.pixels(), Report(clock.seconds, model=request.model, recomposition=result.error()))


def fitted(
    picture: Pixels, fidelity: Fidelity, working: NDArray[Any], planes: FloatImage
) -> Iterator[Progress | tuple[dict[str, Pixels], RecompositionError]]:
    """The same end for another network that sees the picture whole: Progress, then images as in Finished and their
    error. ``working`` (h, w, 3) is the picture as it was seen, ``planes`` (h, w, 13) what was found there."""
    estimates, result = _Estimates(picture, working), _Result(picture, fidelity)
    estimates.add(tiling.Band(0, len(planes), planes))
    for rows in _row_groups(0, picture.height, picture.width):
        result.add(estimates.rows(rows))
        yield Progress("decompose", result.rows / picture.height)
    yield result.pixels(), result.error()


class _Estimates:
    """What the network says, as far as it is known and still needed, and that at the picture's full size."""

    def __init__(self, picture: Pixels, working: NDArray[Any] | None = None) -> None:
        self.picture = picture
        self.opaque = on_white(picture)
        self.working = _reduced(self.opaque) if working is None else working  # what the network sees
        self.held: FloatImage = np.empty((0, self.working.shape[1], 13), np.float32)
        self.held_from = 0  # the working row that ``held`` begins with

    def tile_count(self) -> int:
        return tiling.tile_count(self.working.shape[0], self.working.shape[1], TILE, OVERLAP)

    def add(self, band: tiling.Band) -> None:
        self.held = np.concatenate([self.held, band.image]) if len(self.held) else band.image

    def _needed(self, rows: slice) -> tuple[slice, slice]:
        """The full rows to be looked at for these full rows, and the working rows for those."""
        height = self.picture.height
        around = slice(max(rows.start - MARGIN, 0), min(rows.stop + MARGIN, height))
        return around, slice(*rows_needed(around.start, around.stop, height, len(self.working)))

    def reach(self, rows: slice) -> bool:
        """Whether enough is known for these full rows."""
        known: int = self.held_from + len(self.held)
        return int(self._needed(rows)[1].stop) <= known

    def forget_above(self, row: int) -> None:
        """Free what full rows from ``row`` on do not need."""
        first = self._needed(slice(row, row + 1))[1].start
        if first > self.held_from:
            self.held = self.held[first - self.held_from :].copy()
            self.held_from = first

    def rows(self, rows: slice) -> FloatImage:
        """(h, W, 13) at full size, with colour reaching under the lines."""
        around, working = self._needed(rows)
        held = self.held[working.start - self.held_from : working.stop - self.held_from]
        if self.working is self.opaque:
            held = held[around.start - working.start : around.stop - working.start]
        else:
            top = np.float32(self.picture.top)
            guide = self.working[working].astype(np.float32) / top
            full = self.opaque[around].astype(np.float32) / top
            size, small_size = self.picture.size, (self.working.shape[1], len(self.working))
            held = guided_rows(full, around.start, size, guide, held, working.start, small_size)
        visible = Pixels(self.picture.data[around]).alpha() == self.picture.top
        result = held[rows.start - around.start : rows.stop - around.start].copy()
        flat = underpainted(held[..., FLAT], held[..., 0], visible)
        result[..., FLAT] = flat[rows.start - around.start : rows.stop - around.start]
        return result


@dataclass
class Clock:
    """Seconds by stage: what passed since the last lap is added to the lap's."""

    seconds: dict[str, float] = field(default_factory=lambda: {"load": 0.0, "infer": 0.0, "fit": 0.0})
    last: float = field(default_factory=time.perf_counter)

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] += now - self.last
        self.last = now

    def seconds_left(self, done: float) -> float:
        spent = self.seconds["infer"] + self.seconds["fit"]
        return spent * (1 - done) / done


def on_white(picture: Pixels) -> NDArray[Any]:
    """(H, W, 3) in the picture's depth: laid on white paper, which the network knows best as a background and against
    which the soft rim of a cut-out figure looks like that of any drawing."""
    data = picture.data
    color = data[..., :3] if picture.channels >= 3 else np.repeat(data[..., :1], 3, axis=2)
    if picture.channels in (1, 3):
        return np.ascontiguousarray(color)
    result = np.empty_like(color)
    top = picture.top
    for row in range(0, picture.height, 256):  # in bands: the products need twice the bits
        rows = slice(row, row + 256)
        alpha = data[rows, :, -1:].astype(np.uint32)
        result[rows] = (color[rows] * alpha + (top - alpha) * top + top // 2) // top
    return result


def _reduced(opaque: NDArray[Any]) -> NDArray[Any]:
    height, width = opaque.shape[:2]
    scale = WORKING_SIDE / min(height, width)
    if scale >= 1:
        return opaque
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(opaque, size, interpolation=cv2.INTER_AREA))


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
