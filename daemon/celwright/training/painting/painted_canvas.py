"""A canvas that shades and inks as one illustrator would: it draws what the base canvas draws, by a finish and an ink.

Figures and characters draw on it through the base canvas's methods and need not know. Layers are kept as the base
class keeps them; arithmetic on three channels is done plane by plane, which is several times faster. Light on a whole
scene (rim light, a large cast shadow, tone) is added when all parts lie. Does not know what is drawn.
"""

import cv2
import numpy as np

from celwright.training.painting import shapes
from celwright.training.painting.canvas import Canvas, Light, Part, Plane, noise
from celwright.training.painting.colors import Color
from celwright.training.painting.finishes import Finish, cut, quantiles
from celwright.training.painting.inks import Ink, hatching, screen_tone
from celwright.training.painting.light_fields import FIELDS, unit_range, wedges
from celwright.training.painting.planes import blurred, enlarged, shrunk, tripled


def _factors(strength: Plane, color: Color) -> Plane:
    """(h, w, 3): 1 - strength * (1 - color)."""
    return np.asarray(cv2.merge([1 - strength * (1 - float(c)) for c in color]), np.float32)


class PaintedCanvas(Canvas):
    """``rendering`` is how shadows are expressed: by paint, by hatching or by screen tone."""

    def __init__(self, background: Plane, finish: Finish, ink: Ink, rendering: str, seed: int) -> None:
        super().__init__(background)
        self.finish, self.hand, self.rendering = finish, ink, rendering
        self.rng = np.random.default_rng(seed)
        self.level = float(self.rng.uniform(-0.3, 0.6))  # of toon shading: one light, one level for all parts
        self.bare = float(self.rng.choice([0.04, 0.25, 0.6], p=[0.5, 0.35, 0.15]))  # share of parts without light
        self.gloss_level = float(self.rng.uniform(0.9, 0.98))

    def window(self, contour: shapes.Points, margin: float) -> tuple[slice, slice] | None:
        return super().window(contour, min(margin, 8))

    def lay(self, part: Part, instance: int) -> None:
        if self.finish.occlusion > 0 and part.cover.size > 900:
            self._occlude(part)
        cover, window = part.cover, part.window
        keep = 1 - cover
        keep3 = tripled(keep)
        color3 = cv2.merge([cover * float(c) for c in part.color])
        for plane, added in ((self.flat, color3), (self.shadow, 1 - keep3), (self.highlight, None)):
            here = plane[window]
            np.multiply(here, keep3, out=here)
            if added is not None:
                np.add(here, added, out=here)
        self.line_alpha[window] *= keep
        self.instances[window][cover > 0.5] = instance

    def _occlude(self, part: Part) -> None:
        """Soft darkness on what lies right behind the part."""
        small = shrunk(part.cover, 4)
        spread = float(np.clip(min(part.cover.shape) * 0.06, 3, 24)) / 4
        around = enlarged(blurred(small, spread), (part.cover.shape[0], part.cover.shape[1]))
        behind = self.instances[part.window] > 0
        self._darken(part.window, np.clip(around * 1.4, 0, 1) * behind * self.finish.occlusion, self.finish.tint)

    def _darken(self, window: tuple[slice, slice], strength: Plane, tint: Color) -> None:
        here = self.shadow[window]
        np.multiply(here, _factors(strength.astype(np.float32), tint), out=here)

    def darken(self, part: Part, strength: Plane, tint: Color) -> None:
        self._darken(part.window, strength * part.cover, tint)

    def brighten(self, part: Part, strength: Plane, color: Color) -> None:
        self._brighten(part.window, strength * part.cover, color)

    def _brighten(self, window: tuple[slice, slice], strength: Plane, color: Color) -> None:
        here = self.highlight[window]
        here[:] = 1 - (1 - here) * _factors(strength.astype(np.float32), 1 - color)

    def cast(self, part: Part, shift: tuple[float, float], tint: Color, soft: float) -> None:
        """As the base canvas's; by the finish's tint, hard or soft by its mode, and none without shading."""
        if self.finish.mode == "none":
            return
        soft = {"cel": 0.0, "toon": 0.0}.get(self.finish.mode, soft if self.rng.random() < 0.5 else 0.0)
        matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
        shape = (part.cover.shape[1], part.cover.shape[0])
        moved: Plane = np.asarray(cv2.warpAffine(part.cover, matrix, shape), np.float32)
        if soft > 0.5:
            moved = blurred(moved, min(soft, 8.0))
        moved = moved * (self.instances[part.window] > 0)
        self._darken(part.window, moved, self.finish.tint)

    def add_light(self, rng: np.random.Generator, part: Part, light: Light) -> None:
        """Shadow and highlight by the scene's finish; ``light`` is the base canvas's and not used."""
        finish, cover = self.finish, part.cover
        if finish.mode == "none" or cover.size < 60 or rng.random() < self.bare:
            return
        shape = (cover.shape[0], cover.shape[1])
        half = min(shape) > 48
        small = shrunk(cover, 2) if half else cover
        field = FIELDS[finish.fields[int(rng.integers(len(finish.fields)))]](rng, small, finish.direction)
        if finish.mode == "toon":
            self.add_facing(part, enlarged(field + np.float32(rng.normal(0, 0.2)), shape))
            return
        shade = float(np.clip(finish.share * rng.uniform(0.4, 1.6), 0.02, 0.92))
        shine = float(finish.shine * rng.uniform(0.2, 1.6))
        levels = quantiles(field, small, [shade, shade * 0.4, 1 - shine])
        if levels is None:
            return
        spread = float(field.std()) + 1e-4
        width: float | Plane = finish.softness * spread
        if finish.mode == "mixed":  # an edge that is hard here and brushed out there
            brushed = np.clip(noise(rng, (small.shape[0], small.shape[1]), 3) + rng.uniform(-0.5, 1.0), 0, 1)
            width = np.maximum(brushed * finish.softness, 0.03) * spread
        tint = finish.shadow_tint(part.color)
        strength = _edged(field, levels[0], width, shape)
        upright = rng.random() < 0.5
        if rng.random() < finish.wedges:
            strength = np.maximum(strength, self._wedges(rng, shape, upright, 0.13))
        if self.rendering == "paint":
            self.darken(part, strength, tint)
            if rng.random() < finish.deep:
                self.darken(part, _edged(field, levels[1], width, shape), np.sqrt(tint))
            if finish.mode in ("soft", "mixed") and rng.random() < 0.4:
                self._airbrush(rng, part, np.asarray(np.sqrt(tint), np.float32))
        else:
            self.express(rng, part, strength)
        if shine > 0.01:
            hard = finish.mode != "soft" or rng.random() < 0.4
            gleam = _edged(-field, -levels[2], 0.03 * spread if hard else width, shape)
            if rng.random() < finish.wedges * 0.7:
                gleam = np.maximum(gleam, self._wedges(rng, shape, upright, 0.05))
            self.brighten(part, gleam, finish.gloss_on(part.color))

    def _wedges(self, rng: np.random.Generator, shape: tuple[int, int], upright: bool, thick: float) -> Plane:
        strokes = wedges(rng, shape, upright, thick)
        if self.finish.mode in ("soft", "mixed") and rng.random() < 0.6:
            strokes = blurred(strokes, float(np.clip(min(shape) * rng.uniform(0.005, 0.04), 0.5, 8)))
        return strokes

    def add_facing(self, part: Part, facing: Plane) -> None:
        """Toon light from ``facing`` (h, w), the cosine between light and normal: one level for the whole scene, so
        that a part may lie in shadow altogether."""
        width = 0.02 if self.finish.softness < 0.1 else min(self.finish.softness, 0.9)
        self.darken(part, cut(facing, self.level, width), self.finish.shadow_tint(part.color))
        if self.finish.shine > 0:
            self.brighten(part, cut(-facing, -self.gloss_level, min(width, 0.08)), self.finish.gloss_on(part.color))

    def _airbrush(self, rng: np.random.Generator, part: Part, tint: Color) -> None:
        small = shrunk(part.cover, 4)
        if min(small.shape) < 3:
            return
        haze = unit_range(FIELDS["ramp"](rng, small, self.finish.direction), small)
        cloud = np.clip(0.4 - haze * 0.4, 0, 1)
        self.darken(part, enlarged(np.asarray(cloud, np.float32), (part.cover.shape[0], part.cover.shape[1])), tint)

    def express(self, rng: np.random.Generator, part: Part, strength: Plane) -> None:
        """A shadow by the pen (line layer) or by screen tone (shadow layer)."""
        if self.rendering == "hatching":
            width = rng.uniform(1.0, 2.5) * self.shape[0] / 512
            self.ink(part.window, hatching(rng, strength, width) * part.cover, np.full(3, 0.06, np.float32))
        else:
            dark = np.full(3, rng.uniform(0.0, 0.6), np.float32)
            self.darken(part, screen_tone(rng, strength), dark)

    def ink(self, window: tuple[slice, slice], ink: Plane, color: Color) -> None:
        """As the base canvas's, by this scene's hand."""
        hand = self.hand
        for factor in (hand.grain, hand.gaps):
            if factor is not None:
                ink = ink * factor[window]
        if hand.blend is None and color.ndim == 1:
            below = self.line_alpha[window]
            alpha = ink + below * (1 - ink)
            mix = (ink / np.maximum(alpha, 1e-6)).astype(np.float32)
            here = self.line_color[window]
            np.multiply(here, tripled(1 - mix), out=here)
            np.add(here, cv2.merge([mix * float(c) for c in color]), out=here)
            self.line_alpha[window] = alpha
            return
        if hand.blend is not None:
            blend = hand.blend[window]
            color = np.asarray(
                cv2.merge([float(c) * (1 - blend) + float(s) * blend for c, s in zip(color, hand.second, strict=True)])
            )
        super().ink(window, ink.astype(np.float32), color)

    def finish_scene(self) -> None:
        """Light that falls on everything at once: rim light, one large cast shadow."""
        rng, finish = self.rng, self.finish
        figure = (self.instances > 0).astype(np.float32)
        if finish.mode == "none" or not figure.any():
            return
        whole = (slice(0, self.shape[0]), slice(0, self.shape[1]))
        if finish.rim > 0:
            side = rng.choice([-1.0, 1.0])
            move = np.array([[1, 0, side * finish.rim], [0, 1, finish.rim * rng.uniform(0, 0.8)]], np.float32)
            strip = figure * (1 - cv2.warpAffine(figure, move, self.shape))
            strip = blurred(strip, 0.8 if rng.random() < 0.6 else finish.rim * 0.4) * figure
            self._brighten(whole, strip, finish.rim_color)
        if self.rendering == "paint" and rng.random() < 0.12:
            center = rng.uniform(0, self.shape[0], 2)
            mask = np.zeros(self.shape, np.uint8)
            blob = shapes.blob(rng, center, self.shape[0] * rng.uniform(0.3, 0.8))
            cv2.fillPoly(mask, [np.round(blob * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
            cast: Plane = mask.astype(np.float32) / 255
            if finish.mode == "soft":
                cast = blurred(cast, rng.uniform(2, 12))
            self._darken(whole, cast * figure, finish.tint)


def _edged(field: Plane, level: float, width: "float | Plane", shape: tuple[int, int]) -> Plane:
    """``cut`` at the canvas's own resolution, so that hard edges are smooth curves."""
    if isinstance(width, float):
        return cut(enlarged(field, shape), level, width)
    step = np.clip((level - enlarged(field, shape)) / enlarged(width.astype(np.float32), shape) + 0.5, 0, 1)
    return np.asarray(step, np.float32)
