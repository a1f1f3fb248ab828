"""Line art in many hands: drawn lines, xDoG of the coloured picture, and what paper, pencil and scanner do to both.

All line art is (S, S) uint8 ink coverage, 255 = full line. Knows pictures, not figures.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright.training.drawing.lighting import Rendering
from celwright.training.painting.canvas import Plane, noise


def line_art(rng: np.random.Generator, made: Rendering) -> NDArray[np.uint8]:
    """The line art of a rendering as one of many hands would leave it."""
    return worn(rng, whole_ink(rng, made))


def whole_ink(rng: np.random.Generator, made: Rendering) -> NDArray[np.uint8]:
    """The same before anything happened to the lines."""
    pick = rng.random()
    if pick < 0.62:
        return made.ink
    if pick < 0.9:
        return xdog(rng, made.pictured)
    return np.maximum(xdog(rng, made.color), (made.ink * 0.6).astype(np.uint8) if rng.random() < 0.5 else made.ink)


def xdog(rng: np.random.Generator, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Ink of an (S, S, 3) picture by the extended difference of Gaussians with SALAC's random parameters (listing
    4.1: sigma 0.3-0.7, k 2-5, gamma 0.94-0.96), taken on an enlarged picture and reduced late.

    SALAC enlarges four times; here it is twice with sigma scaled alike, and up to three times wider, which gives the
    bolder lines that a wide pen leaves. Ink stands where G_sigma < gamma G_(k sigma), and where all is black.
    """
    size = picture.shape[0]
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    large = cv2.resize(grey, (size * 2, size * 2), interpolation=cv2.INTER_CUBIC).astype(np.float32) / 255
    sigma = rng.uniform(0.3, 0.7) * 0.5 * rng.uniform(1, 3)
    k, gamma = rng.uniform(2, 5), rng.uniform(0.94, 0.96)
    narrow, wide = (cv2.GaussianBlur(large, (0, 0), value) for value in (sigma, sigma * k))
    sharpness = rng.choice([1e9, rng.uniform(10, 60)])
    ink = np.clip((gamma * wide - narrow) * sharpness, 0, 1)
    if rng.random() < 0.7:
        ink = np.maximum(ink, large < rng.uniform(0.02, 0.12))
    return np.asarray(cv2.resize((ink * 255).astype(np.uint8), (size, size), interpolation=cv2.INTER_AREA), np.uint8)


def worn(rng: np.random.Generator, ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same lines with gaps, grain, another width or strength; a third stay as they are."""
    if rng.random() < 0.33:
        return ink
    out: Plane = ink.astype(np.float32) / 255
    has, size = rng.random(7), ink.shape[0]
    if has[0] < 0.15:
        out = np.asarray(cv2.dilate(out, np.ones((2, 2), np.uint8)), np.float32)
    if has[1] < 0.25:  # strokes that fade
        out *= np.clip(noise(rng, ink.shape, int(rng.integers(6, 30))) * 0.5 + rng.uniform(0.6, 1.1), 0, 1)
    if has[2] < 0.3:  # gaps where the pen was lifted
        keep = np.ones(ink.shape, np.float32)
        for x, y in rng.integers(0, size, (int(rng.integers(3, 30)), 2)).tolist():
            cv2.circle(keep, (x, y), int(rng.integers(1, max(3, size // 40))), 0, -1, cv2.LINE_AA)
        out *= keep
    if has[3] < 0.25:  # pencil on rough paper
        out *= np.clip(rng.random(ink.shape, np.float32) * 1.2 + rng.uniform(0.1, 0.6), 0, 1)
    if has[4] < 0.3:  # grey or coloured lines that were turned into ink
        out *= rng.uniform(0.4, 1.0)
    if has[5] < 0.15:
        out = np.asarray(cv2.GaussianBlur(out, (0, 0), rng.uniform(0.4, 0.9)), np.float32)
    if has[6] < 0.12:  # a bitmap scan
        out = (out > rng.uniform(0.25, 0.6)).astype(np.float32)
    return np.round(np.clip(out, 0, 1) * 255).astype(np.uint8)
