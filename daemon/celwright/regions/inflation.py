"""Regions as cushions: a height for every pixel, from which light can be computed.

Every region is a dome as high as it is thick (after Johnston's "Lumo", 2002, which inflates drawn outlines). Knows
labels only.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright.domain import FloatImage


def inflated(labels: NDArray[np.integer], most: float) -> FloatImage:
    """(H, W) heights in pixels over regions of ``labels`` (H, W), numbers from 0: round at their rims, ``most`` at the
    highest."""
    inside = np.ones(labels.shape, np.uint8)
    inside[:, 1:][labels[:, 1:] != labels[:, :-1]] = 0
    inside[1:][labels[1:] != labels[:-1]] = 0
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, 3)
    radius = np.zeros(int(labels.max(initial=0)) + 1, np.float32)
    np.maximum.at(radius, labels.ravel(), depth.ravel())
    radius = np.clip(radius, 1, most)[labels]
    rim = 1 - np.minimum(depth, radius) / radius
    return np.asarray(radius * np.sqrt(np.clip(1 - rim**2, 0, 1)), np.float32)
