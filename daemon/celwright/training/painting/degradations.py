"""What scanners, resamplers and file formats do to a finished picture. The layers stay what they were.

Every damage is mild enough that a person would still call it the same picture. Knows pixels only.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright.training.painting.canvas import Plane, noise
from celwright.training.painting.planes import blurred

Picture = NDArray[np.uint8]
FILTERS = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4, cv2.INTER_AREA)


def resampled(rng: np.random.Generator, picture: Picture) -> Picture:
    """Reduced and enlarged again, or enlarged and reduced."""
    side = picture.shape[0]
    other = max(8, round(side * (rng.uniform(0.5, 0.97) if rng.random() < 0.7 else rng.uniform(1.1, 1.8))))
    there, back = (FILTERS[int(i)] for i in rng.integers(0, len(FILTERS), 2))
    return np.asarray(
        cv2.resize(cv2.resize(picture, (other, other), None, 0, 0, there), (side, side), None, 0, 0, back)
    )


def compressed(rng: np.random.Generator, picture: Picture) -> Picture:
    """Through JPEG or WebP."""
    if rng.random() < 0.7:
        ending, options = ".jpg", [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(45, 98))]
        if rng.random() < 0.4:
            options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    else:
        ending, options = ".webp", [cv2.IMWRITE_WEBP_QUALITY, int(rng.integers(40, 98))]
    _, packed = cv2.imencode(ending, np.ascontiguousarray(picture[..., ::-1]), options)
    return np.ascontiguousarray(np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)[..., ::-1])


def scanned(rng: np.random.Generator, picture: Picture) -> Picture:
    """Sensor noise and the unevenness of paper."""
    side = picture.shape[0]
    grey: Plane = rng.standard_normal((side, side)).astype(np.float32) * rng.uniform(0.5, 4)
    if rng.random() < 0.5:
        grey = grey + noise(rng, (side, side), side // 4) * rng.uniform(0.5, 3)
    if rng.random() < 0.5:
        grey = blurred(grey, rng.uniform(0.5, 0.9))
    return _bytes(picture + grey[..., None])


def softened_or_sharpened(rng: np.random.Generator, picture: Picture) -> Picture:
    dull = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 0.9))
    if rng.random() < 0.5:
        return np.asarray(dull, np.uint8)
    amount = rng.uniform(0.3, 1.0)
    return _bytes(picture * (1 + amount) - dull * amount)


def fewer_colors(rng: np.random.Generator, picture: Picture) -> Picture:
    """Rounded to coarse levels, with or without noise dither, as palette pictures are."""
    step = float(rng.choice([4, 8, 16]))
    dither = rng.uniform(-0.5, 0.5, (*picture.shape[:2], 1)) if rng.random() < 0.5 else 0.0
    return _bytes(np.round(picture / step + dither) * step)


def _bytes(picture: NDArray[Any]) -> Picture:
    return np.clip(np.round(picture), 0, 255).astype(np.uint8)


def degraded(rng: np.random.Generator, picture: Picture) -> Picture:
    """(S, S, 3) RGB as it comes to us: four in ten unharmed, the others through one to three of these."""
    if rng.random() < 0.4:
        return picture
    for damage, share in (
        (scanned, 0.12), (softened_or_sharpened, 0.2), (resampled, 0.35), (fewer_colors, 0.04), (compressed, 0.6),
    ):  # fmt: skip
        if rng.random() < share:
            picture = damage(rng, picture)
    return picture
