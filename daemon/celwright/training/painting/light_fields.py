"""How light falls on a part: scalar fields that are high towards the light, to be cut into shadows and highlights.

Painters shade in a handful of ways: round forms, a crescent along the far side, folds of cloth, locks of hair, flat
facets, an airbrushed ramp. Each is one function from coverage and light direction to a field. Fields are made at half
the canvas's resolution, since they are smooth. Does not know colours, layers or how hard the edges will be.
"""

from collections.abc import Callable

import cv2
import numpy as np

from celwright.training.painting import shapes
from celwright.training.painting.canvas import Plane, noise
from celwright.training.painting.colors import Color

Field = Callable[[np.random.Generator, Plane, Color], Plane]


def unit_range(values: Plane, cover: Plane) -> Plane:
    """The field shifted and scaled to mean 0 and standard deviation 1 inside the cover."""
    mean, deviation = cv2.meanStdDev(values, mask=(cover > 0.5).astype(np.uint8))
    return np.asarray((values - float(mean[0, 0])) / (float(deviation[0, 0]) + 1e-4), np.float32)


def cushion(rng: np.random.Generator, cover: Plane, direction: Color) -> Plane:
    """(h, w) cosine between the light and the normal of a bumpy cushion over the cover, -1..1."""
    padded = cv2.copyMakeBorder((cover > 0.5).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, 3)[1:-1, 1:-1]
    radius = max(float(depth.max()) * rng.uniform(0.5, 1.0), 1.0)
    dome = radius * np.sqrt(np.clip(1 - np.square(1 - np.minimum(depth / radius, 1)), 0, 1))
    dome = cv2.GaussianBlur(dome, (0, 0), min(max(radius * 0.15, 1.0), 12.0))
    bumps = rng.uniform(0, 0.3)
    if bumps > 0.05:
        dome += noise(rng, (dome.shape[0], dome.shape[1]), int(rng.integers(2, 7))) * (radius * bumps)
    across, down = (cv2.Sobel(dome, cv2.CV_32F, x, 1 - x, scale=0.125) for x in (1, 0))
    lx, ly, lz = direction.tolist()
    return np.asarray((lz - across * lx - down * ly) / np.sqrt(1 + across * across + down * down), np.float32)


def crescent(rng: np.random.Generator, cover: Plane, direction: Color) -> Plane:
    """Distance into the silhouette moved away from the far side: its level lines repeat the outline."""
    inside = cv2.copyMakeBorder((cover > 0.5).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, 3) - cv2.distanceTransform(1 - inside, cv2.DIST_L2, 3)
    far = float(max(cover.shape))  # an empty silhouette is infinitely far away
    depth = np.clip(depth[1:-1, 1:-1], -far, far)
    reach = float(depth.max()) * rng.uniform(0.5, 1.5)
    matrix = np.array([[1, 0, direction[0] * reach], [0, 1, direction[1] * reach]], np.float32)
    shape = (depth.shape[1], depth.shape[0])
    moved = cv2.warpAffine(depth, matrix, shape, borderMode=cv2.BORDER_CONSTANT, borderValue=-reach)
    wobble = noise(rng, (depth.shape[0], depth.shape[1]), int(rng.integers(2, 9))) * reach * rng.uniform(0, 0.3)
    return np.asarray(moved + wobble, np.float32)


def folds(rng: np.random.Generator, cover: Plane, direction: Color) -> Plane:
    """Bands of cloth: noise stretched along one direction and bent."""
    height, width = cover.shape
    span = max(height, width)
    grid = rng.standard_normal((int(rng.integers(3, 6)), int(rng.integers(6, 18)))).astype(np.float32)
    angle = float(np.degrees(np.arctan2(direction[1], direction[0])) + rng.normal(0, 40))
    bands = cv2.resize(grid, (round(span * 1.5), round(span * 1.5)), interpolation=cv2.INTER_CUBIC)
    turn = cv2.getRotationMatrix2D((span * 0.75, span * 0.75), angle, 1.0)
    turn[:, 2] += (width / 2 - span * 0.75, height / 2 - span * 0.75)
    bands = cv2.warpAffine(bands, turn, (width, height), borderMode=cv2.BORDER_REFLECT)
    return np.asarray(bands + unit_range(crescent(rng, cover, direction), cover) * rng.uniform(0.2, 0.9), np.float32)


def locks(rng: np.random.Generator, cover: Plane, direction: Color) -> Plane:
    """A jagged edge across the part, as shadows on hair and fur have."""
    height, width = cover.shape
    teeth = int(rng.integers(3, 14))
    x = np.linspace(0, teeth, width, dtype=np.float32) + noise(rng, (1, width), teeth)[0] * 0.3
    jag = np.abs(x % 1 - rng.uniform(0.3, 0.7)) * rng.uniform(0.4, 1.6) / np.sqrt(teeth)
    jag = jag * (0.4 + np.abs(noise(rng, (1, width), teeth)[0]))
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    down = 1.0 if direction[1] > 0 else -1.0  # image rows grow downwards
    bend = np.square(np.linspace(-1, 1, width, dtype=np.float32)) * rng.uniform(-0.4, 0.4)
    return np.asarray(down * y + (jag + bend)[None] + 0 * cover, np.float32)


def facets(rng: np.random.Generator, cover: Plane, direction: Color) -> Plane:
    """Low-polygon light: the cushion's, constant on each of a few cells."""
    seeds = np.ones(cover.shape, np.uint8)
    count = int(rng.integers(5, 28))
    seeds[rng.integers(0, cover.shape[0], count), rng.integers(0, cover.shape[1], count)] = 0
    _, cells = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
    flat = cells.ravel()
    light = np.bincount(flat, cushion(rng, cover, direction).ravel()) / np.maximum(np.bincount(flat), 1)
    light += rng.normal(0, 0.15, light.shape)
    return np.asarray(light[cells], np.float32)


def ramp(rng: np.random.Generator, cover: Plane, direction: Color) -> Plane:
    """One broad gradient across the part, somewhat uneven."""
    height, width = cover.shape
    x, y = np.linspace(-1, 1, width, dtype=np.float32)[None], np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    angle = np.arctan2(direction[1], direction[0]) + rng.normal(0, 0.8)
    clouds = noise(rng, (height, width), int(rng.integers(2, 5))) * rng.uniform(0, 0.4)
    return np.asarray(np.cos(angle) * x + np.sin(angle) * y + clouds, np.float32)


def wedges(rng: np.random.Generator, shape: tuple[int, int], upright: bool, thick: float) -> Plane:
    """(h, w) 0..1: a few tapering brush strokes in about one direction, as pulled cloth and combed hair have them."""
    mask = np.zeros(shape, np.uint8)
    reach = float(np.hypot(*shape))
    course = np.pi / 2 + rng.normal(0, 0.15) if upright else rng.uniform(0, np.pi)
    for _ in range(int(rng.integers(2, 9))):
        t = np.linspace(0, 1, 9, dtype=np.float32)
        length, bend = reach * rng.uniform(0.08, 0.4), rng.normal(0, 0.12)
        angle = course + rng.normal(0, 0.25) + (np.pi if rng.random() < 0.5 else 0)
        along = np.stack([t, bend * np.sin(np.pi * t)], 1) * length
        spine = shapes.turned(along, angle) + rng.uniform(0, 1, 2) * (shape[1], shape[0])
        width = length * thick * rng.uniform(0.4, 1.4) * (np.sin(np.pi * t) if rng.random() < 0.4 else 1 - t)
        contour = shapes.tube(spine, width)
        cv2.fillPoly(mask, [np.round(contour * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    return mask.astype(np.float32) / 255


FIELDS: dict[str, Field] = {
    "cushion": cushion, "crescent": crescent, "folds": folds, "locks": locks, "facets": facets, "ramp": ramp,
}  # fmt: skip
