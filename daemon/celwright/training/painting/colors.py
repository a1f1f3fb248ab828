"""Random colours as illustrators choose them. RGB (3,) float32 0..1, gamma space."""

import colorsys
from typing import Any

import numpy as np
from numpy.typing import NDArray

Color = NDArray[np.floating[Any]]


def hsv(hue: float, saturation: float, value: float) -> Color:
    return np.array(colorsys.hsv_to_rgb(hue % 1, min(max(saturation, 0), 1), min(max(value, 0), 1)), np.float32)


def random_color(rng: np.random.Generator, pale: bool = False) -> Color:
    """Any hue; greys are common; ``pale`` ones are light and faint."""
    if pale:
        return hsv(rng.random(), rng.uniform(0, 0.3), rng.uniform(0.82, 1.0))
    grey = rng.random() < 0.2
    return hsv(rng.random(), rng.uniform(0, 0.08) if grey else rng.uniform(0.1, 0.95), rng.uniform(0.15, 1.0))


def skin(rng: np.random.Generator) -> Color:
    if rng.random() < 0.75:
        return hsv(rng.uniform(0.03, 0.09), rng.uniform(0.08, 0.35), rng.uniform(0.92, 1.0))
    if rng.random() < 0.8:
        return hsv(rng.uniform(0.04, 0.08), rng.uniform(0.35, 0.65), rng.uniform(0.4, 0.9))
    return random_color(rng, pale=True)


def hair(rng: np.random.Generator) -> Color:
    pick = rng.random()
    if pick < 0.35:
        return hsv(rng.uniform(0.02, 0.1), rng.uniform(0.3, 0.7), rng.uniform(0.2, 0.6))
    if pick < 0.5:
        return hsv(rng.random(), rng.uniform(0, 0.25), rng.uniform(0.12, 0.35))
    if pick < 0.7:
        return hsv(rng.uniform(0.09, 0.14), rng.uniform(0.25, 0.6), rng.uniform(0.8, 1.0))
    return hsv(rng.random(), rng.uniform(0.1, 0.75), rng.uniform(0.5, 1.0))
