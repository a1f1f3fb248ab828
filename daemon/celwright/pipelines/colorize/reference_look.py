"""What the decomposer sees in a reference: its lines, and the flat colours under them."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from celwright.domain import FloatImage, Pixels
from celwright.pipelines.colorize.reference_view import Look
from celwright.pipelines.decompose.estimates import on_white
from celwright.pipelines.decompose.flattening import flattened

_FLAT = slice(4, 7)  # the planes of the flat in what the decomposer finds


def reference_look(decomposer: Callable[[NDArray[Any]], FloatImage]) -> Look:
    """Ink and flat colours of a finished drawing, by the decomposer."""

    def look(picture: Pixels) -> FloatImage:
        white = on_white(picture)
        planes = flattened(white, decomposer(white))
        ink = planes[..., 0] * (1 - planes[..., 1:4].mean(axis=2))
        return np.dstack([ink, planes[..., _FLAT]])

    return look
