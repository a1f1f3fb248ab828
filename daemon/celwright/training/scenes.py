"""Endless procedural pictures with exact layers, for teaching and measuring decomposition and colouring.

Every scene obeys ``picture = line over screen(multiply(flat, shadow), highlight)`` in gamma space by construction.
The same seed gives the same scene. numpy and OpenCV only; knows nothing about networks. ``standard`` scenes are of
one fixed difficulty and serve as the held-out measure; ``rich`` ones add what real art has and the standard lacks;
``painted`` ones look like finished illustrations (painted.py). The random streams of the first two never change.
"""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright.training.painting import figures, shapes
from celwright.training.painting.canvas import Canvas, Light, Pen, Plane, noise
from celwright.training.painting.characters import paint_character
from celwright.training.painting.colors import Color, random_color
from celwright.training.painting.degradations import degraded
from celwright.training.painting.painted import faded, painted_canvas

Kind: TypeAlias = Literal["standard", "rich", "painted"]
SUPERSAMPLING = 2
STREAMS = {"standard": 0, "rich": 1, "painted": 2}


@dataclass(frozen=True, eq=False)
class Scene:
    """Layers of (S, S), float32 0..1, and what a camera or file format made of their picture.

    ``line_alpha`` (S, S), ``line_color`` ``flat`` ``shadow`` (1 = none) ``highlight`` (0 = none) (S, S, 3);
    ``instances`` (S, S) int32, one ID per figure or part, 0 = background; ``seen`` (S, S, 3) uint8, with
    compression and resampling damage.
    """

    line_alpha: Plane
    line_color: Plane
    flat: Plane
    shadow: Plane
    highlight: Plane
    instances: NDArray[np.int32]
    seen: NDArray[np.uint8]

    def picture(self) -> Plane:
        """(S, S, 3) the exact composition."""
        return composed(self.line_alpha, self.line_color, self.flat, self.shadow, self.highlight)


def composed(line_alpha: Plane, line_color: Plane, flat: Plane, shadow: Plane, highlight: Plane) -> Plane:
    """(H, W, 3): line over screen(multiply(flat, shadow), highlight), all 0..1."""
    painted = 1 - (1 - flat * shadow) * (1 - highlight)
    alpha = line_alpha[..., None]
    return np.asarray(line_color * alpha + painted * (1 - alpha), np.float32)


def scene(seed: int, size: int = 256, kind: Kind = "standard") -> Scene:
    """The scene of this number: ``size`` pixels square."""
    rng = np.random.default_rng((seed, size, STREAMS[kind]))
    side = size * SUPERSAMPLING
    if kind == "painted":
        painted = painted_canvas(rng, side)
        layers = faded(_reduced(painted))
        return Scene(**layers, instances=_instances(painted), seen=degraded(rng, _bytes(composed(**layers))))
    rich = kind == "rich"
    canvas = Canvas(_background(rng, side, rich))
    light, pen = _light(rng, rich), _pen(rng, rich)
    if rich and rng.random() < 0.55:
        _paint_blobs(rng, canvas, light, pen, int(rng.integers(0, 5)), rich, first=1)
        figures = 1 if rng.random() < 0.6 else int(rng.integers(2, 4))
        for figure in range(figures):
            paint_character(rng, canvas, light, pen, instance=100 + figure, crowded=figures > 1)
        _paint_blobs(rng, canvas, light, pen, int(rng.integers(0, 2)), rich, first=50)
    else:
        _paint_blobs(rng, canvas, light, pen, int(rng.integers(6, 16)), rich, first=1)
    if rich and rng.random() < 0.12:
        _paint_bubble(rng, canvas, pen)
    return _photographed(rng, canvas, rich)


def _background(rng: np.random.Generator, side: int, rich: bool) -> Plane:
    white = np.ones((side, side, 3), np.float32)
    pick = rng.random()
    if pick < 0.4:
        return white
    color = random_color(rng, pale=rng.random() < 0.5)
    if not rich or pick < 0.65:
        return white * color
    if pick < 0.85:
        ramp = np.linspace(0, 1, side, dtype=np.float32)[:, None, None]
        return np.asarray(color * (1 - ramp) + random_color(rng, pale=True) * ramp + 0 * white, np.float32)
    clouds = cv2.GaussianBlur(noise(rng, (side, side), int(rng.integers(3, 12))), (0, 0), 2)[..., None]
    return np.asarray(np.clip(color + clouds * rng.uniform(0.02, 0.1), 0, 1) * white, np.float32)


def _light(rng: np.random.Generator, rich: bool) -> Light:
    angle, height = rng.uniform(0, 2 * np.pi), rng.uniform(0.3, 0.9)
    direction = np.array([np.cos(angle), np.sin(angle), height], np.float32)
    tint = rng.uniform(0.52, 0.92) * np.array([1, 1, 1]) + rng.uniform(-0.08, 0.12) * np.array([-0.5, -0.6, 1])
    shine = np.clip(rng.uniform(0.15, 0.8) + rng.normal(0, 0.06, 3), 0.08, 1)
    return Light(
        direction=direction / np.linalg.norm(direction),
        tint=np.clip(tint + rng.normal(0, 0.03, 3), 0.3, 0.97).astype(np.float32),
        shine_color=shine.astype(np.float32),
        shade=0.17 if not rich else float(rng.choice([0.0, 0.2, 0.35], p=[0.15, 0.4, 0.45])),
        shine=0.07 if not rich else float(rng.choice([0.0, 0.05, 0.12], p=[0.35, 0.4, 0.25])),
        soft=0.05 if not rich or rng.random() < 0.55 else float(rng.uniform(0.2, 1.2)),
        bumps=float(rng.uniform(0.0, 0.25)),
        two_tones=rich and rng.random() < 0.2,
    )


def _pen(rng: np.random.Generator, rich: bool) -> Pen:
    width = float(rng.uniform(1.5, 4.6)) if not rich else float(np.exp(rng.uniform(np.log(1.2), np.log(11))))
    ink: Color | None = np.clip(rng.uniform(0, 0.15) + rng.normal(0, 0.03, 3), 0, 1).astype(np.float32)
    if rng.random() < (0.35 if rich else 0.15):
        ink = None
    opacity = float(rng.uniform(0.55, 1.0)) if rich and rng.random() < 0.3 else 1.0
    outlines = float(rng.choice([1.0, 0.7, 0.0], p=[0.8, 0.12, 0.08])) if rich else 1.0
    return Pen(width, ink, tapered=rng.random() < 0.5, opacity=opacity, outlines=outlines)


def _paint_blobs(
    rng: np.random.Generator, canvas: Canvas, light: Light, pen: Pen, count: int, rich: bool, first: int
) -> None:
    """Occluding random shapes, far ones first, with inner strokes."""
    side = canvas.shape[0]
    paper = rich and rng.random() < 0.06  # a line drawing: everything is white
    for number in range(count):
        center = rng.uniform(0, side, 2)
        radius = side * (0.32 * rng.random() ** 1.3 + 0.05)
        color = np.ones(3, np.float32) if paper else random_color(rng, pale=rng.random() < 0.3)
        part = canvas.silhouette(shapes.blob(rng, center, radius), color)
        if part is None:
            continue
        if rng.random() < 0.5 and not paper:
            dx, dy = (-light.direction[:2] * side * rng.uniform(0.01, 0.05)).tolist()
            canvas.cast(part, (dx, dy), light.tint, soft=light.soft * 12)
        canvas.lay(part, first + number)
        if rich and rng.random() < 0.12:
            figures.add_pattern(rng, canvas, part)
        if not paper:
            canvas.add_light(rng, part, light)
            if rich and rng.random() < 0.12:
                figures.add_airbrush(rng, canvas, part, light)
        ink = figures.ink_color(pen, color)
        for _ in range(int(rng.integers(0, 5))):
            start = center + rng.normal(0, radius * 0.5, 2)
            canvas.stroke(
                shapes.wander(rng, start, radius * rng.uniform(0.4, 1.8)), pen.width * rng.uniform(0.5, 1), ink, part
            )
        if rng.random() < pen.outlines:
            canvas.outline(rng, part, pen, ink)


def _paint_bubble(rng: np.random.Generator, canvas: Canvas, pen: Pen) -> None:
    """A white speech bubble with scribbled lines of text: all ink, no light."""
    side = canvas.shape[0]
    x, y = rng.uniform(0.2, 0.8, 2) * side
    wide, high = rng.uniform(0.12, 0.28) * side, rng.uniform(0.08, 0.2) * side
    part = canvas.silhouette(shapes.ellipse((x, y), (wide, high)), np.ones(3, np.float32))
    if part is None:
        return
    canvas.lay(part, 200)
    black = np.zeros(3, np.float32)
    canvas.outline(rng, part, Pen(max(pen.width, 2.0), None, False), black)
    step = high * rng.uniform(0.3, 0.5)
    for row in np.arange(y - high * 0.55, y + high * 0.6, step):
        column = x - wide * 0.65
        while column < x + wide * 0.6:
            start = np.array([column, row], np.float32)
            curve = start + np.cumsum(rng.normal(0, step * 0.25, (5, 2)), 0)
            canvas.stroke(
                shapes.smooth(curve, closed=False, samples=3), max(step * 0.12, 1.5), black, part, taper=False
            )
            column += step * rng.uniform(0.5, 1.0)


def _photographed(rng: np.random.Generator, canvas: Canvas, rich: bool) -> Scene:
    """Reduce all layers to the final size (colour of lines weighed by their alpha) and damage the seen picture."""
    size = canvas.shape[0] // SUPERSAMPLING
    layers = _reduced(canvas)
    picture: NDArray[Any] = _bytes(composed(**layers))
    if rich and rng.random() < 0.3:  # resampled, or out of focus
        small = int(size * rng.uniform(0.6, 0.95))
        how = int(rng.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4]))
        picture = cv2.resize(
            cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA), (size, size), None, 0, 0, how
        )
    if rng.random() < 0.5:
        _, packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(60, 98))])
        picture = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR))
    return Scene(**layers, instances=_instances(canvas), seen=picture)


def _reduced(canvas: Canvas) -> dict[str, Plane]:
    """The canvas's layers at the final size, by their names in Scene."""
    size = canvas.shape[0] // SUPERSAMPLING

    def reduced(plane: Plane) -> Plane:
        return np.asarray(cv2.resize(plane, (size, size), interpolation=cv2.INTER_AREA), np.float32)

    alpha = reduced(canvas.line_alpha)
    color = reduced(canvas.line_color * canvas.line_alpha[..., None]) / np.maximum(alpha, 1e-4)[..., None]
    layers = {"flat": canvas.flat, "shadow": canvas.shadow, "highlight": canvas.highlight}
    return {"line_alpha": alpha, "line_color": np.clip(color, 0, 1)} | {k: reduced(v) for k, v in layers.items()}


def _instances(canvas: Canvas) -> NDArray[np.int32]:
    return np.ascontiguousarray(canvas.instances[::SUPERSAMPLING, ::SUPERSAMPLING])


def _bytes(picture: Plane) -> NDArray[np.uint8]:
    return np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)
