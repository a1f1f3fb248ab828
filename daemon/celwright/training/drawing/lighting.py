"""Light on a sheet: from numbers to a coloured picture in one sweep over all parts.

Every part is a cushion of its own; parts in front cast shadows on their own figure. Knows marks only by number.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright.regions.inflation import inflated
from celwright.training.drawing.sheets import SUPERSAMPLING, Sheet
from celwright.training.painting.canvas import Plane, noise
from celwright.training.painting.colors import Color, hsv


@dataclass(frozen=True, eq=False)
class Rendering:
    """A sheet seen: (S, S, 3) uint8 ``color`` without lines (flat * shadow, screened with highlight), ``flat``,
    ``pictured`` with lines; (S, S) uint8 ``ink``, ``part``, ``instance``."""

    color: NDArray[np.uint8]
    flat: NDArray[np.uint8]
    pictured: NDArray[np.uint8]
    ink: NDArray[np.uint8]
    part: NDArray[np.uint8]
    instance: NDArray[np.uint8]

    @property
    def alpha(self) -> NDArray[np.uint8]:
        """(S, S) 255 where a figure stands."""
        return np.where(self.instance > 0, np.uint8(255), np.uint8(0))


def rendered(rng: np.random.Generator, sheet: Sheet) -> Rendering:
    """The sheet at its final size in a light and with an ink that ``rng`` chooses."""
    entries = sheet.entries
    palette = np.round(np.array([entry.color for entry in entries]) * 255).clip(0, 255).astype(np.uint8)
    number = np.ascontiguousarray(sheet.number[::SUPERSAMPLING, ::SUPERSAMPLING])
    flat = _reduced(palette[sheet.number])
    ink = _reduced(sheet.ink)
    part = np.array([entry.part for entry in entries], np.uint8)[number]
    instances = np.array([entry.instance for entry in entries], np.uint8)
    instance = instances[number]
    shadow, highlight = _light(rng, sheet, number, instance, np.array([entry.shaded for entry in entries]))
    base = flat.astype(np.float32) / 255
    tint = np.clip(rng.uniform(0.5, 0.9) + rng.uniform(-0.06, 0.1) * np.array([-0.6, -0.4, 1.0]), 0.35, 0.97)
    color = base * (1 - shadow[..., None] * (1 - tint.astype(np.float32)))
    color = 1 - (1 - color) * (1 - highlight[..., None] * _shine(rng))
    if rng.random() < 0.3 and entries[0].color.min() < 0.99:  # a ground that darkens towards one side; paper does not
        ramp = np.linspace(rng.uniform(0.75, 1.0), rng.uniform(0.75, 1.0), number.shape[0], dtype=np.float32)[
            :, None, None
        ]
        color = np.where(instance[..., None] > 0, color, color * ramp)
    alpha = ink[..., None].astype(np.float32) / 255
    pictured = color * (1 - alpha) + _ink(rng, base) * alpha
    return Rendering(_bytes(color), flat, _bytes(pictured), ink, part, instance)


def _shine(rng: np.random.Generator) -> Color:
    return hsv(rng.uniform(0.05, 0.16), rng.uniform(0, 0.25), rng.uniform(0.5, 1.0))


def _ink(rng: np.random.Generator, base: Plane) -> Plane:
    """Black, a dark colour, or a dark tone of what lies beneath; now and then white on dark."""
    pick = rng.random()
    if pick < 0.3:
        return np.asarray(cv2.blur(base, (3, 3)) ** 1.3 * 0.4, np.float32)
    return np.asarray(
        hsv(rng.random(), rng.uniform(0, 0.5), rng.uniform(0, 0.3)) if pick < 0.6 else np.zeros(3), np.float32
    )


def _light(
    rng: np.random.Generator,
    sheet: Sheet,
    number: NDArray[np.int16],
    instance: NDArray[np.uint8],
    shaded: NDArray[np.bool_],
) -> tuple[Plane, Plane]:
    """Strength 0..1 of shadow and highlight (S, S)."""
    size = number.shape[0]
    angle, height = rng.uniform(0, 2 * np.pi), rng.uniform(0.35, 0.9)
    amount, soft = (
        rng.choice([0.0, rng.uniform(-0.1, 0.5)], p=[0.12, 0.88]),
        rng.choice([0.0, rng.uniform(0.5, 4)], p=[0.6, 0.4]),
    )
    glow, bumps, cast = rng.uniform(0.88, 1.1), rng.uniform(0, 0.35), rng.uniform(0.006, 0.03) * size
    strengths = rng.uniform(0.4, 1, 2)
    cushion = cv2.GaussianBlur(inflated(number, rng.uniform(0.04, 0.14) * size), (0, 0), 1.3)
    slope_x, slope_y = (
        cv2.Sobel(cushion, cv2.CV_32F, 1, 0, scale=0.125),
        cv2.Sobel(cushion, cv2.CV_32F, 0, 1, scale=0.125),
    )
    bump = noise(rng, number.shape, int(rng.integers(5, 16))) * np.float32(bumps)
    lx, ly = np.cos(angle), min(np.sin(angle), 0.4)
    facing = (height - slope_x * lx - slope_y * ly) / np.sqrt(1 + slope_x**2 + slope_y**2) + bump * 0.5
    ramp = 0.04 + 0.15 * soft
    shadow = np.clip((amount - 0.25 - facing) / ramp + 0.5, 0, 1)
    step = np.array([[1, 0, -lx * cast * 0.6], [0, 1, cast]], np.float32)
    above = cv2.warpAffine(number, step, (size, size), flags=cv2.INTER_NEAREST)
    behind = (
        (above > number)
        & (np.array([entry.instance for entry in sheet.entries], np.uint8)[above] == instance)
        & (instance > 0)
    )
    if amount:
        shadow = np.maximum(shadow, behind & (shaded[above]))
    shadow = cv2.GaussianBlur(shadow.astype(np.float32) * shaded[number], (0, 0), 0.6 + soft * 0.5)
    shadow = np.maximum(shadow, _reduced(sheet.shade).astype(np.float32) / 255) * strengths[0]
    highlight = np.clip((facing - glow) / ramp, 0, 1) * shaded[number]
    highlight = np.maximum(highlight * strengths[1], _reduced(sheet.glint).astype(np.float32) / 255)
    return np.asarray(shadow, np.float32), np.asarray(highlight, np.float32)


def _reduced(plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
    size = plane.shape[0] // SUPERSAMPLING
    return np.asarray(cv2.resize(plane, (size, size), interpolation=cv2.INTER_AREA), np.uint8)


def _bytes(plane: Plane) -> NDArray[np.uint8]:
    return np.round(np.clip(plane, 0, 1) * 255).astype(np.uint8)
