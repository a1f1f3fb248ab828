"""Figures of a page with their regions, each in a square of its own: what matching and the network look at.

Knows regions and lines; no colours.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from celwright.domain import Labels
from celwright.pipelines.colorize.reference_view import Frame, frame_of
from celwright.regions.correspondence import Drawn


@dataclass(frozen=True, eq=False)
class Figure:
    """``own`` (n,) are the IDs of its regions on the page, ``slots`` (H, W) their places 1..n there, ``labels`` (SIDE,
    SIDE) the same in the square of ``frame``, where ``drawn`` is what is drawn."""

    own: NDArray[np.intp]
    slots: Labels
    labels: Labels
    frame: Frame
    drawn: Drawn


def owners(labels: Labels, figures: NDArray[np.integer], count: int) -> NDArray[np.intp]:
    """(regions + 1,) the figure, 1..``count``, that holds most of each region of ``labels`` (H, W); 0 where most of it
    is ground. ``figures`` (H, W): 0 ground, else a figure's number."""
    regions, size = int(labels.max(initial=0)), count + 1
    held = np.bincount(labels.reshape(-1) * np.int64(size) + figures.reshape(-1), minlength=(regions + 1) * size)
    held = held.reshape(regions + 1, size)
    most = held[:, 1:].argmax(axis=1) + 1 if count else np.zeros(regions + 1, np.intp)
    owner = np.where(2 * held[:, 0] < held.sum(axis=1), most, 0)
    owner[0] = 0
    return np.asarray(owner, np.intp)


def figure_of(labels: Labels, ink: NDArray[np.uint8], inside: NDArray[np.bool_], own: NDArray[np.intp]) -> Figure:
    """The figure ``inside`` (H, W) a page with ``ink`` (H, W), 255 = line, that has the regions ``own``."""
    frame = frame_of(inside)
    drawn = Drawn(frame.filled(ink.astype(np.float32) / np.float32(255)), frame.filled(inside.astype(np.float32)))
    slot = np.zeros(int(labels.max(initial=0)) + 1, np.int32)
    slot[own] = np.arange(1, len(own) + 1)
    slots = slot[labels]
    small = frame.filled(slots.astype(np.float32), nearest=True).astype(np.int32)
    return Figure(own, slots, small, frame, drawn)
