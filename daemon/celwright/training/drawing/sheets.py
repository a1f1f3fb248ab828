"""A sheet on which drawings are painted as numbers: which mark every pixel shows, and the ink over it.

Painting numbers instead of colours is fast, keeps every border exact, and gives flat colours, parts, instances and
line art of one sheet by looking the numbers up. Works at twice the final size. Knows no light.
"""

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright.training.drawing.drawings import Drawing, Mark
from celwright.training.drawing.identity import Identity
from celwright.training.painting import shapes
from celwright.training.painting.colors import Color
from celwright.training.painting.shapes import Points

SUPERSAMPLING = 2
Numbers: TypeAlias = dict[tuple[int, str], int]  # (instance, part) to the part's number
_MOST = 4096  # marks on one sheet
_FRACTION = 3  # bits of a pixel that OpenCV keeps


@dataclass(frozen=True)
class Nib:
    """``width`` of outlines in sheet pixels; a ``tapered`` one swells and thins along the way."""

    width: float
    tapered: bool
    outlines: float = 1.0  # share of the outlines that are drawn


@dataclass(frozen=True, eq=False)
class Entry:
    """What a number on the sheet stands for."""

    color: Color
    part: int
    instance: int
    shaded: bool


class Sheet:
    """``number`` int16, ``ink`` ``glint`` ``shade`` uint8 coverage, all (2S, 2S). Number 0 is the ground."""

    def __init__(self, size: int, ground: Color, parts: Numbers) -> None:
        """``parts`` numbers the parts of every instance and grows; sheets that share it agree about them."""
        self.size = size
        side = size * SUPERSAMPLING
        self.number = np.zeros((side, side), np.int16)
        self.ink = np.zeros((side, side), np.uint8)
        self.glint = np.zeros((side, side), np.uint8)
        self.shade = np.zeros((side, side), np.uint8)
        self.entries = [Entry(ground, 0, 0, False)]
        self.parts = parts
        self._roots = np.zeros(_MOST, np.int16)  # for every number its outermost mark

    def paint(
        self,
        rng: np.random.Generator,
        drawing: Drawing,
        who: Identity,
        instance: int,
        turn: Points,
        shift: Points,
        nib: Nib,
    ) -> None:
        """Put the drawing at ``points @ turn + shift`` (sheet pixels) over everything that is there."""
        numbers: dict[int, int] = {}
        side = self.number.shape[0]
        for place, mark in enumerate(drawing.marks):
            points = mark.points @ turn + shift
            margin = nib.width * 3 + 2
            x0, y0 = np.maximum(np.floor(points.min(0) - margin), 0).astype(int).tolist()
            x1, y1 = np.minimum(np.ceil(points.max(0) + margin), side).astype(int).tolist()
            if x1 - x0 < 2 or y1 - y0 < 2 or (mark.inside >= 0 and mark.inside not in numbers):
                continue
            window = slice(y0, y1), slice(x0, x1)
            local = points - np.array([x0, y0], np.float32)
            clip = self._clip(window, numbers[mark.inside]) if mark.inside >= 0 else None
            if mark.kind == "fill":
                numbers[place] = len(self.entries)
                self._roots[len(self.entries)] = (
                    self._roots[numbers[mark.inside]] if mark.inside >= 0 else len(self.entries)
                )
                part = self.parts.setdefault((instance, mark.part), len(self.parts) + 1)
                self.entries.append(Entry(who.palette[mark.part], part, instance, mark.shaded))
                self._fill(window, local, numbers[place], clip)
                if mark.line > 0 and rng.random() < nib.outlines:
                    self._outline(rng, window, local, mark, nib, clip)
            elif mark.kind == "stroke":
                self._stroke(window, local, max(nib.width * mark.line, 1.0), clip)
            else:
                self._cover(window, local, self.glint if mark.kind == "glint" else self.shade, clip)
                if mark.kind == "glint":
                    self._cover(window, local, self.ink, clip, value=0)

    def _clip(self, window: tuple[slice, slice], number: int) -> NDArray[np.bool_]:
        return np.asarray(self._roots[self.number[window]] == self._roots[number])

    def _fill(self, window: tuple[slice, slice], local: Points, number: int, clip: NDArray[np.bool_] | None) -> None:
        fixed = [np.round(local * (1 << _FRACTION)).astype(np.int32)]
        if clip is None:
            for plane, value in ((self.number, number), (self.ink, 0), (self.glint, 0), (self.shade, 0)):
                cv2.fillPoly(plane[window], fixed, value, cv2.LINE_8, _FRACTION)
            return
        mask = np.zeros(clip.shape, np.uint8)
        cv2.fillPoly(mask, fixed, 1, cv2.LINE_8, _FRACTION)
        inside = (mask > 0) & clip
        self.number[window][inside] = number
        self.ink[window][inside] = 0

    def _cover(
        self,
        window: tuple[slice, slice],
        local: Points,
        plane: NDArray[np.uint8],
        clip: NDArray[np.bool_] | None,
        value: int = 255,
    ) -> None:
        mask = np.zeros((window[0].stop - window[0].start, window[1].stop - window[1].start), np.uint8)
        cv2.fillPoly(mask, [np.round(local * (1 << _FRACTION)).astype(np.int32)], 1, cv2.LINE_8, _FRACTION)
        plane[window][(mask > 0) if clip is None else (mask > 0) & clip] = value

    def _outline(
        self,
        rng: np.random.Generator,
        window: tuple[slice, slice],
        local: Points,
        mark: Mark,
        nib: Nib,
        clip: NDArray[np.bool_] | None,
    ) -> None:
        width = max(nib.width * mark.line, 1.0)
        ink = shapes.stroked(local, width, self.ink[window].shape, closed=True)
        if nib.tapered and len(local) > 8:
            # A second line beside the first, drawn a little off, swells one side as a pen's pressure does.
            off = local + rng.normal(0, 0.35 * width, 2).astype(np.float32)
            cv2.polylines(
                ink, [np.round(off * 8).astype(np.int32)], True, 255, max(1, round(width * 0.8)), cv2.LINE_AA, 3
            )
        self._lay(window, ink, clip)

    def _stroke(self, window: tuple[slice, slice], local: Points, width: float, clip: NDArray[np.bool_] | None) -> None:
        ink = np.zeros(self.ink[window].shape, np.uint8)
        half = np.maximum(width * 0.55 * np.sin(np.linspace(0.25, np.pi - 0.25, len(local))), 0.5)
        cv2.fillPoly(ink, [np.round(shapes.tube(local, half) * 8).astype(np.int32)], 255, cv2.LINE_AA, 3)
        self._lay(window, ink, clip)

    def _lay(self, window: tuple[slice, slice], ink: NDArray[np.uint8], clip: NDArray[np.bool_] | None) -> None:
        if clip is not None:
            ink = ink * clip
        np.maximum(self.ink[window], ink, out=self.ink[window])
