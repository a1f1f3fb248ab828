"""Another copy of a picture: thin-plate warp, turn, mirror, zoom and crop in one resampling.

Knows coordinates only.
"""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

_CONTROLS = 4  # control points each way
_COARSE = 17  # the warp is evaluated at so many points each way and enlarged


def warp_map(rng: np.random.Generator, size: int, strength: float = 0.06) -> NDArray[np.float32]:
    """(S, S, 2) where each pixel of the copy comes from, in pixels; outside the picture where the copy shows more.

    ``strength`` is the standard deviation of the control points' shifts as a share of the side (thin-plate spline).
    """
    shifts = rng.normal(0, strength, (_CONTROLS**2, 2)).astype(np.float32)
    coarse = (_spline() @ shifts).reshape(_COARSE, _COARSE, 2)
    bend = cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size - 0.5
    grid = np.stack(np.meshgrid(axis, axis), -1)
    angle, zoom = rng.normal(0, 0.15), np.exp(rng.uniform(np.log(0.55), np.log(1.15)))
    cos, sin = np.cos(angle) * zoom, np.sin(angle) * zoom
    turn = np.array([[cos, sin], [-sin, cos]], np.float32)
    if rng.random() < 0.5:
        turn[0] *= -1
    center = rng.normal(0, 0.1, 2).astype(np.float32)
    return np.asarray((grid @ turn + center + bend + 0.5) * size - 0.5, np.float32)


def resampled(plane: NDArray[np.uint8], where: NDArray[np.float32], smooth: bool, outside: int) -> NDArray[np.uint8]:
    """The copy of an (S, S) or (S, S, 3) plane; ``outside`` is the value beyond the picture."""
    how = cv2.INTER_LINEAR if smooth else cv2.INTER_NEAREST
    return np.asarray(
        cv2.remap(plane, where[..., 0], where[..., 1], how, None, cv2.BORDER_CONSTANT, (outside,) * 3), np.uint8
    )


@lru_cache(maxsize=1)
def _spline() -> NDArray[np.float32]:
    """(289, 16) what the shift of each control point adds at the coarse grid: U(r) = r^2 log r^2 (Bookstein 1989)."""
    controls = np.stack(np.meshgrid(*[np.linspace(-0.45, 0.45, _CONTROLS)] * 2), -1).reshape(-1, 2)
    grid = np.stack(np.meshgrid(*[np.linspace(-0.5, 0.5, _COARSE)] * 2), -1).reshape(-1, 2)

    def bent(points: NDArray[np.float64]) -> NDArray[np.float64]:
        square = ((points[:, None] - controls) ** 2).sum(-1)
        return np.concatenate([square * np.log(square + 1e-12), np.ones((len(points), 1)), points], 1)

    system = np.zeros((len(controls) + 3,) * 2)
    system[: len(controls)] = bent(controls)
    system[len(controls) :, : len(controls)] = system[: len(controls), len(controls) :].T
    solved = np.linalg.solve(system, np.eye(len(system), len(controls)))
    return np.asarray(bent(grid) @ solved, np.float32)
