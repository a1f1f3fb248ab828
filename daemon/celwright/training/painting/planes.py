"""Float planes at other resolutions, blurred, or repeated over three channels. Knows nothing of what they mean."""

import cv2
import numpy as np

from celwright.training.painting.canvas import Plane


def enlarged(plane: Plane, shape: tuple[int, int]) -> Plane:
    """The plane at ``shape`` (h, w), smoothly."""
    if plane.shape == shape:
        return plane
    return np.asarray(cv2.resize(plane, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR), np.float32)


def shrunk(plane: Plane, factor: int) -> Plane:
    """(h / factor, w / factor): means of ``factor`` x ``factor`` pixels, at least one pixel a side."""
    shape = (max(1, plane.shape[1] // factor), max(1, plane.shape[0] // factor))
    return np.asarray(cv2.resize(plane, shape, interpolation=cv2.INTER_AREA), np.float32)


def blurred(plane: Plane, deviation: float) -> Plane:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), deviation), np.float32)


def tripled(plane: Plane) -> Plane:
    """(h, w, 3) of (h, w); faster to calculate with than a broadcast last axis."""
    return np.asarray(cv2.merge([plane, plane, plane]))
