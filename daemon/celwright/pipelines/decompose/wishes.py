"""What a picture's layers are, and what they have to be once the flat is as the artist wants it; some rows at a time.

Knows the fitted layers and the picture's flat regions, not how shadows are stepped or how anything is written.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from celwright import layers
from celwright.domain import DecomposeRequest, FloatImage, Pixels
from celwright.fitting import largest, snapped
from celwright.pipelines.decompose.flat_regions import FlatRegions

_CLEAR = 0.1  # line alpha up to which a pixel tells something about its region
_FAINT = 8 / 255  # change of colour that `clean` leaves out where the flat is new; from twice as much on it is kept

Images = Mapping[str, NDArray[Any]]


class Shading(NamedTuple):
    """Some rows, (h, W, ...) float32: the colour ``wanted`` under the line, the flat, the shadow's amount and the
    highlight's."""

    wanted: FloatImage
    flat: FloatImage
    amount: FloatImage
    light: FloatImage


class Wishes:
    """The layers of one picture, (H, W, 4) ``images`` of its depth by name, and what is asked of them. ``regions`` are
    known once they have been found."""

    def __init__(self, request: DecomposeRequest, images: Images) -> None:
        self.request, self.images = request, images
        self.depth = request.picture.depth
        self.exact = request.fidelity == "exact"
        self.needs_steps = request.shadow_tones > 0
        self.regions: FlatRegions

    def float(self, name: str, rows: slice) -> FloatImage:
        return self.images[name][rows].astype(np.float32) / layers.top_value(self.depth)

    def picture(self, rows: slice) -> FloatImage:
        return layers.as_float(Pixels(self.request.picture.data[rows]).rgba())

    def found(self, rows: slice) -> Shading:
        """As fitted; with the highlight in the flat where that is wished."""
        flat, shadow, light = (self.float(name, rows) for name in ("flat", "shadow", "highlight"))
        wanted = layers.under_line(flat[..., :3], shadow, light)
        if self.exact:  # nothing lies between the picture and its base where there is no line
            bare = (self.images["line"][rows][..., 3:] == 0) & (flat[..., 3:] == 1)
            wanted = np.where(bare, self.picture(rows)[..., :3], wanted)
        amount, lit = shadow[..., 3:] * (1 - shadow[..., :3]), light[..., 3:] * light[..., :3]
        color = flat[..., :3]
        if self.request.merge_highlight:
            color = snapped(1 - (1 - color) * (1 - lit), self.depth)
            if self.exact:  # no highlight makes up for a flat that is too dark by a rounding
                color = np.maximum(color, snapped(wanted, self.depth))
            amount = np.where(lit > 0, _taken(wanted, color), amount)
            lit = np.zeros_like(lit)
        return Shading(wanted, color, amount, lit)

    def shading(self, rows: slice) -> Shading:
        """With the flat as it will be, and the shadow and highlight that this asks for."""
        found = self.found(rows)
        new = self._renewed(rows)
        flat = np.where(new, self.regions.colors[self.regions.groups(rows)], found.flat)
        amount, light = _taken(found.wanted, flat), added(found.wanted, flat)
        if not self.exact:
            amount = np.where(new, amount * _seen(flat * amount), found.amount)
            light = np.where(new, light * _seen((1 - flat) * light), found.light)
        if self.request.merge_highlight:
            light = np.zeros_like(light)
        return Shading(found.wanted, flat, amount, light)

    def _renewed(self, rows: slice) -> NDArray[np.bool_]:
        """(h, W, 1) where the flat becomes its region's colour: everywhere, or for hard shadows where it is even."""
        labels = self.regions.labels[rows]
        there = labels > 0
        if not self.request.flat_colors:
            there &= self.regions.even[labels] if self.needs_steps and not self.exact else False
        return there[..., None]

    def telling(self, rows: slice) -> NDArray[np.bool_]:
        """(h, W) where a pixel says something about its region's shadow."""
        top = layers.top_value(self.depth)
        line, flat = self.images["line"][rows][..., 3], self.images["flat"][rows][..., 3]
        return np.asarray((line <= _CLEAR * top) & (flat == top))


def _taken(wanted: FloatImage, flat: FloatImage) -> FloatImage:
    """How much of the flat a shadow has to take where ``wanted`` is darker."""
    return 1 - np.minimum(1, wanted / np.maximum(flat, 1e-6))


def added(wanted: FloatImage, base: FloatImage) -> FloatImage:
    """How much a highlight has to screen over ``base`` where ``wanted`` is lighter."""
    return np.asarray(np.maximum(0, 1 - (1 - wanted) / np.maximum(1 - base, 1e-6)))


def _seen(change: FloatImage) -> FloatImage:
    """(h, W, 1) how much of a ``change`` of colour (h, W, 3) is kept: nothing of a faint one, all of a clear one."""
    return np.asarray(np.clip(largest(change) / _FAINT - 1, 0, 1))
