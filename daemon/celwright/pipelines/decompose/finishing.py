"""The layers as the artist wants them: few flat colours, hard or one-hued shadows, no highlight, another blend mode.

Comes after fitting and takes its finished layers. First it finds the picture's flat regions, then how their shadows
look, and last writes the layers anew, band by band, so that only whole numbers are held for the whole picture. What a
wish cannot express is left out by ``clean`` and folded into a layer that no wish binds by ``exact``.
"""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright import layers
from celwright.domain import DecomposeRequest, FloatImage, Pixels, Progress, RecompositionError
from celwright.fitting import largest, snapped, solved_line, stored_highlight, stored_shadow
from celwright.pipelines.decompose import shadow_tones as tones
from celwright.pipelines.decompose.flat_regions import flat_regions
from celwright.pipelines.decompose.wishes import Images, Wishes, added

STAGE = "finish"
BAND_PIXELS, LEAST_ROWS = 256 * 1024, 64  # held as floats at once


def finish(request: DecomposeRequest, images: Images) -> Iterator[Progress | RecompositionError]:
    """Write ``images``, the layers and their composite by name, (H, W, 4) of the picture's depth, anew in place.
    Progress of the stage "finish", then the error that they have now."""
    work = _Work(request, images)
    passes = 1 + work.needs_statistics + work.needs_steps + 1
    bands = list(_bands(*request.picture.size))
    done = 0

    def progress(part: float) -> Progress:
        return Progress(STAGE, (done + part) / passes)

    yield progress(0.0)
    work.find_regions(bands)
    done += 1
    for wanted, gather in ((work.needs_statistics, work.look), (work.needs_steps, work.look_at_steps)):
        if wanted:
            for number, rows in enumerate(bands):
                gather(rows)
                yield progress((number + 1) / len(bands))
            done += 1
            work.settle()
    errors = []
    for number, rows in enumerate(bands):
        errors.append(work.write(rows))
        yield progress((number + 1) / len(bands))
    yield layers.join_errors(errors)


class _Work(Wishes):
    """One picture on its way; ``settle`` is called after each look at all of its rows."""

    def __init__(self, request: DecomposeRequest, images: Images) -> None:
        super().__init__(request, images)
        self.bound = request.shadow_tones > 0 or request.shadow_tint == "region"
        self.needs_statistics = self.bound or request.shadow_blend == "normal"
        self.statistics: tones.ShadowStatistics
        self.strength: NDArray[np.uint16] | None = None
        self.hues: FloatImage | None = None
        self.levels: FloatImage
        self.amounts: FloatImage
        self.full: FloatImage

    # ---- looking

    def find_regions(self, bands: list[slice]) -> None:
        shape = self.images["flat"].shape[:2]
        base, flat = (np.empty((*shape, 3), np.uint8) for _ in range(2))
        clear = np.empty(shape, np.bool_)
        for rows in bands:
            found = self.found(rows)
            base[rows], flat[rows] = layers.quantized(found.wanted, 8), layers.quantized(found.flat, 8)
            clear[rows] = self.telling(rows)
        self.regions = flat_regions(base, flat, clear, self.images["flat"][..., 3] > 0, self.request.flat_colors)
        self.statistics = tones.ShadowStatistics(len(self.regions.colors))
        if self.needs_steps:
            self.strength = np.empty(shape, np.uint16)

    def look(self, rows: slice) -> None:
        """Gather how strong the shadows of each colour are, and of what hue."""
        amount = self.shading(rows).amount
        telling = self.telling(rows)
        self.statistics.add(amount[telling], self.regions.groups(rows)[telling])
        if self.strength is not None:
            self.strength[rows] = layers.quantized(largest(amount)[..., 0], 16)

    def look_at_steps(self, rows: slice) -> None:
        """Gather the hue of each step by the pixels that are nearest to it."""
        telling = self.telling(rows)
        amount, group = self.shading(rows).amount[telling], self.regions.groups(rows)[telling]
        count, steps = self.levels.shape
        step = tones.steps_of(amount.max(axis=1, initial=0), self.levels[group])
        keys = group.astype(np.int64) * (steps + 1) + step
        for channel in range(3):
            sums = np.bincount(keys, amount[:, channel], minlength=count * (steps + 1))
            self._sums[..., channel] += sums.reshape(count, steps + 1)[:, 1:]
        self._counts += np.bincount(keys, minlength=count * (steps + 1)).reshape(count, steps + 1)[:, 1:]

    def settle(self) -> None:
        """Make up the mind about hues, levels and the steps' colours, as far as everything for it is known."""
        if self.request.shadow_tint == "region":
            self.hues = self.statistics.hues()
        self.full = self.statistics.full()
        if self.strength is None:
            return
        if not hasattr(self, "levels"):
            self.strength = np.asarray(cv2.medianBlur(self.strength, 5))
            self.levels = self.statistics.levels(self.request.shadow_tones)
            self._sums = np.zeros((*self.levels.shape, 3))
            self._counts = np.zeros(self.levels.shape, np.int64)
            return
        self.amounts = tones.step_amounts(self.levels, self.hues, self._sums, self._counts)
        self.full = np.where(self.levels[:, -1] > 0, self.levels[:, -1], 1)

    # ---- writing

    def _stepped(self, rows: slice) -> FloatImage:
        assert self.strength is not None
        group = self.regions.groups(rows)
        around = self.strength[max(rows.start - 1, 0) : rows.stop + 1]
        above, below = int(rows.start == 0), int(rows.stop == len(self.strength))
        around = np.pad(around, ((above, below), (0, 0)), mode="edge")
        return tones.in_steps(tones.coverage(around, self.levels[group]), self.amounts, group)

    def write(self, rows: slice) -> tuple[float, float, float, int]:
        """Make the layers of these rows anew; their squared error."""
        wanted, flat, amount, light = self.shading(rows)
        group = self.regions.groups(rows)
        if self.needs_steps:
            amount = self._stepped(rows)
        elif self.hues is not None:
            amount = tones.of_one_hue(amount, self.hues[group])
        flat_alpha = self.float("flat", rows)[..., 3:]
        hidden = flat_alpha == 0
        amount, light = np.where(hidden, 0, amount), np.where(hidden, 0, light)
        if self.exact and self.bound:
            amount = 1 - snapped(1 - amount, self.depth)
            flat = snapped(np.minimum(1, wanted / np.maximum(1 - amount, 1e-6)), self.depth)
        normal = self.request.shadow_blend == "normal"
        if normal:
            shadow = tones.stored_over(flat, amount, self.full[group][..., None], self.depth)
        elif self.hues is not None:
            shadow = tones.stored_in_hue(amount, self.hues[group], self.depth)
        else:
            shadow = stored_shadow(1 - amount, self.depth)
        if self.exact and self.bound:
            light = np.where(
                hidden, 0, added(wanted, layers.under_line(flat, shadow, 0 * shadow, self.request.shadow_blend))
            )
        highlight = stored_highlight(light, self.depth)
        line = self.float("line", rows)
        if self.exact:
            base = layers.under_line(flat, shadow, highlight, self.request.shadow_blend)
            picture = self.picture(rows)
            alpha, color = solved_line(
                picture[..., :3], base, line[..., 3:], picture[..., 3:], line[..., :3], self.depth
            )
            line = np.concatenate([color, alpha], axis=2)
        made = {
            "line": line,
            "flat": np.concatenate([flat, flat_alpha], axis=2),
            "shadow": shadow,
            "highlight": highlight,
        }
        for name, image in made.items():
            data = layers.quantized(image, self.depth)
            data[data[..., 3] == 0] = 0
            self.images[name][rows] = data
        stack = layers.LayerStack(
            *(Pixels(self.images[name][rows]) for name in layers.NAMES), shadow_blend=self.request.shadow_blend
        )
        composite = Pixels(layers.quantized(layers.compose(stack), self.depth))
        self.images["composite"][rows] = composite.data
        return layers.squared_error(Pixels(self.request.picture.data[rows]), composite)


def _bands(width: int, height: int) -> Iterator[slice]:
    """All rows in groups of bounded size, none with fewer than eight."""
    size, start = max(LEAST_ROWS, BAND_PIXELS // width), 0
    while start < height:
        stop = start + size if height - start - size >= 8 else height
        yield slice(start, stop)
        start = stop
