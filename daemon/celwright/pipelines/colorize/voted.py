"""A sampled picture becomes a proposal: the regions vote on it.

Knows regions and one picture; not what sampled it.
"""

import numpy as np
from numpy.typing import NDArray

from celwright.domain import FloatImage
from celwright.pipelines.colorize.field import Field
from celwright.pipelines.colorize.proposal import Proposal
from celwright.regions.hinted import HintedRegions, background
from celwright.regions.vote import alike_made_equal, vote

_PAPER = 0.94  # a background proposed lighter than this in all channels is paper and stays transparent


def voted(regions: HintedRegions, ink: NDArray[np.uint8], field: Field, picture: FloatImage) -> Proposal:
    """What the regions make of a sampled picture. Hinted regions stay whole; paper stays transparent."""
    inside = regions.labels[field.box]
    found = vote(inside, ink[field.box], picture, fixed=regions.hinted)
    labels = regions.labels.copy()
    labels[field.box] = found.labels
    colors = np.zeros((int(labels.max()) + 1, 4), np.float32)
    colors[: len(found.colors), :3] = found.colors
    areas = np.bincount(found.labels.reshape(-1), minlength=len(colors))
    areas[0] = 0
    colors[:, 3] = areas > 0
    colors[:, :3] = alike_made_equal(colors[:, :3], areas)
    behind = background(labels)
    colors[behind[(colors[behind, :3] > _PAPER).all(axis=1)], 3] = 0
    return Proposal(colors, labels, picture, field)
