"""Painted scenes: what finished illustrations look like, with the layers their artists would have kept.

Puts together subjects (people, toys, loose parts, pages), one finish and one ink a scene, and the rarer kinds of
picture: unshaded, lineless, line art only, grey pages with tone. Gives a canvas; scenes.py makes a scene of it.
"""

from dataclasses import replace

import cv2
import numpy as np

from celwright.training.painting import backdrops, colors, finishes, inks, shapes
from celwright.training.painting.canvas import Light, Pen, Plane
from celwright.training.painting.characters import paint_character
from celwright.training.painting.figures import Figure, add_pattern, ink_color
from celwright.training.painting.finishes import Finish
from celwright.training.painting.outfits import garment, wardrobe
from celwright.training.painting.painted_canvas import PaintedCanvas
from celwright.training.painting.planes import tripled
from celwright.training.painting.portraits import paint_portrait
from celwright.training.painting.solids import paint_heap, paint_toy

SUBJECTS = ("portrait", "people", "character", "toys", "heap", "parts")
VISIBLE = 0.03  # a shadow or highlight that changes the picture by less cannot be seen: it is faded out


def painted_canvas(rng: np.random.Generator, side: int) -> PaintedCanvas:
    """A finished canvas of ``side`` pixels."""
    page = float(rng.random())
    line_art, grey = page < 0.05, 0.05 <= page < 0.11
    subject = SUBJECTS[int(rng.choice(len(SUBJECTS), p=(0.34, 0.1, 0.12, 0.17, 0.08, 0.19)))]
    finish = finishes.chosen(rng, side, "toon" if subject in ("toys", "heap") and rng.random() < 0.65 else None)
    pen = inks.chosen_pen(rng, side)
    if line_art or grey:
        finish = replace(finish, mode="none" if line_art else "cel", turn=0.0, rim=0.0)
        pen = replace(pen, color=np.full(3, rng.uniform(0, 0.1), np.float32), outlines=1.0)
    rendering = "paint" if rng.random() > (0.75 if grey else 0.05) else ("hatching", "tone")[int(rng.random() < 0.5)]
    if line_art and rng.random() < 0.4:
        finish, rendering = replace(finish, mode="cel", shine=0.0), "hatching"
    canvas = PaintedCanvas(
        backdrops.background(rng, side), finish, inks.chosen_ink(rng, side), rendering, int(rng.integers(2**31))
    )
    light = base_light(finish)
    if rng.random() < 0.4 and subject not in ("heap", "parts"):
        _paint_parts(rng, canvas, light, pen, int(rng.integers(1, 8)), first=1)
    _paint_subject(rng, canvas, light, pen, subject)
    if rng.random() < 0.15:
        _paint_parts(rng, canvas, light, pen, 1, first=60)
    canvas.finish_scene()
    if line_art:
        _keep_ink(rng, canvas)
    elif pen.outlines == 0 and rng.random() < 0.7:  # painted without any line
        canvas.line_alpha[:] = 0
    if grey:
        for plane in (canvas.flat, canvas.shadow, canvas.highlight):
            plane[:] = tripled(np.asarray(cv2.cvtColor(plane, cv2.COLOR_RGB2GRAY), np.float32))
    _add_lettering(rng, canvas, pen, 0.5 if line_art or grey else 0.12)
    if rng.random() < 0.04 or (line_art and rng.random() < 0.5):  # tinted paper under everything
        paper = np.array([1.0, rng.uniform(0.93, 1.0), rng.uniform(0.8, 0.97)], np.float32) * rng.uniform(0.9, 1)
        canvas.flat *= paper.astype(np.float32)
    return canvas


def base_light(finish: Finish) -> Light:
    """The base canvas's light, for figures that ask whether there is any."""
    shaded = 0.0 if finish.mode == "none" else max(finish.share, 0.05)
    return Light(finish.direction, finish.tint, finish.gloss, shaded, finish.shine, min(finish.softness, 1.0), 0.1)


def _paint_subject(rng: np.random.Generator, canvas: PaintedCanvas, light: Light, pen: Pen, subject: str) -> None:
    side = canvas.shape[0]
    if subject == "portrait":
        unit = side * np.exp(rng.uniform(np.log(0.12), np.log(0.8)))
        reach = np.clip(unit / side, 0.1, 0.6)
        origin = (rng.uniform(0.5 - reach, 0.5 + reach) * side, rng.uniform(0.1, 0.75) * side)
        _paint_person(rng, canvas, light, pen, float(unit), origin, 100)
    elif subject == "people":
        for number in range(int(rng.integers(2, 7))):
            unit = side * np.exp(rng.uniform(np.log(0.035), np.log(0.13)))
            origin = (rng.uniform(0.1, 0.9) * side, rng.uniform(0.1, 0.6) * side)
            _paint_person(rng, canvas, light, pen, float(unit), origin, 100 + number)
    elif subject == "character":
        count = 1 if rng.random() < 0.6 else 2
        for number in range(count):
            paint_character(rng, canvas, light, pen, instance=100 + number, crowded=count > 1)
    elif subject == "toys":
        count = 1 if rng.random() < 0.6 else int(rng.integers(2, 5))
        for number in range(count):
            unit = side * (np.exp(rng.uniform(np.log(0.12), np.log(0.45))) if count == 1 else rng.uniform(0.06, 0.15))
            at = (float(rng.uniform(0.2, 0.8) * side), float(rng.uniform(0.15, 0.55) * side))
            paint_toy(rng, canvas, light, pen, 100 + number, float(unit), at)
    elif subject == "heap":
        paint_heap(rng, canvas, light, pen, first=100)
    else:
        _paint_parts(rng, canvas, light, pen, int(rng.integers(6, 20)), first=1)


def _paint_person(
    rng: np.random.Generator,
    canvas: PaintedCanvas,
    light: Light,
    pen: Pen,
    unit: float,
    at: tuple[float, float],
    id_: int,
) -> None:
    origin = np.array(at, np.float32)
    pen = replace(pen, width=max(min(pen.width, unit * 0.06), 1.0))  # nobody draws small figures with a broad brush
    figure = Figure(rng, canvas, light, pen, id_, unit, origin, float(rng.normal(0, 0.2)))
    paint_portrait(figure, wardrobe(rng))


def _paint_parts(
    rng: np.random.Generator, canvas: PaintedCanvas, light: Light, pen: Pen, count: int, first: int
) -> None:
    """Loose shapes with patterns, gradients in the flat, marks and inner strokes."""
    side = canvas.shape[0]
    for number in range(count):
        center = rng.uniform(0, side, 2)
        radius = side * (0.3 * rng.random() ** 1.4 + 0.04)
        color = garment(rng)
        part = canvas.silhouette(shapes.blob(rng, center, radius), color)
        if part is None:
            continue
        if rng.random() < 0.5:
            shift = (-canvas.finish.direction[:2] * side * rng.uniform(0.01, 0.06)).tolist()
            canvas.cast(part, (shift[0], shift[1]), canvas.finish.tint, soft=light.soft * 10)
        canvas.lay(part, first + number)
        if rng.random() < 0.15:
            add_pattern(rng, canvas, part)
        elif rng.random() < 0.12:
            add_gradient(rng, canvas, part.window, part.cover, color)
        canvas.add_light(rng, part, light)
        ink = ink_color(pen, color)
        for _ in range(int(rng.integers(0, 5))):
            start = center + rng.normal(0, radius * 0.5, 2)
            curve = shapes.wander(rng, start, radius * rng.uniform(0.4, 1.8))
            canvas.stroke(curve, pen.width * rng.uniform(0.4, 1), ink, part)
        if rng.random() < pen.outlines:
            canvas.outline(rng, part, pen, ink)


def add_gradient(
    rng: np.random.Generator, canvas: PaintedCanvas, window: tuple[slice, slice], cover: Plane, color: colors.Color
) -> None:
    """The flat itself runs into another hue, as dyed hair or a sunset does."""
    other = colors.random_color(rng, pale=rng.random() < 0.3)
    height, width = cover.shape
    angle = rng.uniform(0, 2 * np.pi)
    y, x = (np.linspace(-0.5, 0.5, n, dtype=np.float32) for n in (height, width))
    share = np.clip(0.5 + np.cos(angle) * x[None] + np.sin(angle) * y[:, None], 0, 1) * cover
    here = canvas.flat[window]
    here += share[..., None] * (other - color)


def _keep_ink(rng: np.random.Generator, canvas: PaintedCanvas) -> None:
    """Only the drawing stays. On a page without colour the artist fills blacks with ink: dark areas are line here."""
    if rng.random() < 0.6:
        dark = np.clip((0.2 - canvas.flat.max(2)) * 12, 0, 1) * (canvas.instances > 0)
        canvas.ink((slice(None), slice(None)), dark.astype(np.float32), np.full(3, 0.03, np.float32))
    canvas.flat[:], canvas.shadow[:], canvas.highlight[:] = 1, 1, 0


def _add_lettering(rng: np.random.Generator, canvas: PaintedCanvas, pen: Pen, share: float) -> None:
    side = canvas.shape[0]
    if rng.random() < share:
        for _ in range(int(rng.integers(1, 3))):
            backdrops.paint_bubble(rng, canvas, pen)
    if rng.random() < share * 0.4:
        left, top = (float(v) for v in rng.uniform(0, 0.7, 2) * side)
        backdrops.lettering(rng, canvas, left, top, side * rng.uniform(0.2, 0.6), side * rng.uniform(0.05, 0.3))
    if rng.random() < share * 0.25:
        backdrops.paint_title(rng, canvas)
    if rng.random() < share * 0.5:
        backdrops.draw_frames(rng, canvas)


def faded(layers: dict[str, Plane]) -> dict[str, Plane]:
    """The layers without what nobody can see: shadow on black and highlight on white, each faded out where it changes
    no channel by ``VISIBLE``. What stays still obeys the formula, for the picture is composed from it."""
    flat, shadow, highlight = layers["flat"], layers["shadow"], layers["highlight"]
    felt = np.clip((flat * (1 - shadow)).max(2) / VISIBLE - 0.5, 0, 1)
    shadow = 1 - (1 - shadow) * tripled(felt)
    felt = np.clip(((1 - flat * shadow) * highlight).max(2) / VISIBLE - 0.5, 0, 1)
    return {**layers, "shadow": shadow, "highlight": highlight * tripled(felt)}
