"""The regions of a line drawing take their colours from the regions of reference pictures.

Figure by figure: the figure and the reference are laid upon each other (``regions.correspondence``), by their lines
alone or by a network's likeness as well; each region then asks how much of it shows each patch of the reference, and
whether it is as large and as slim; neighbours should show neighbours (mean-field rounds on both graphs). Patches of one
colour count together, and a region takes the colour that most speaks for. Colours are the reference's own, regions are
never split. Knows the networks only as a function that says how alike two drawn figures are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from celwright.domain import FloatImage, Labels
from celwright.pipelines.colorize.figures import Figure, figure_of, owners
from celwright.pipelines.colorize.reference_view import Frame, ReferenceView
from celwright.regions.correspondence import CELL, CELLS, correspondence, line_likeness
from celwright.regions.graph import Graph, graph
from celwright.regions.vote import alike_made_equal

Likeness = Callable[[Figure, Sequence[ReferenceView]], list[FloatImage]]
"""For each reference (regions, patches): how likely, as logarithms, a figure's regions show its patches."""

_NETWORK = 0.65  # what a network's word counts beside that of the lines
_DOUBTED, _DOUBT = 36.0, 0.5  # log-likelihood of a figure's cells at which lines count half, and how soon they do
_LOOKS = 400_000  # pixels of a page looked at, about
_FEW = 64  # looks; a region with fewer is looked at in all its pixels
_LEAST_MASS = 1e-3  # of a region; below it a patch is not shown
_SIZE = 0.1  # logits against a patch e times as large or as small a part of its figure as the region
_SLIM = 0.5  # logits against a patch that is round where the region is a line
_ALIKE = 6.0  # CIEDE2000; nearer colours count together
_ROUNDS = 3
_NEIGHBOURS = 0.3  # logits by which neighbours count
_STRANGERS = 0.02  # how often neighbours are neighbours nowhere in the reference
_SAME = 0.2  # how often neighbours show one patch


@dataclass(frozen=True, eq=False)
class Matched:
    """``colors`` (count + 1, 3) sRGB 0..1 and ``reached`` (count + 1,) whether a reference said them; ``sure``
    (count + 1,) the share of all that speaks which speaks for that colour."""

    colors: FloatImage
    reached: NDArray[np.bool_]
    sure: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class _Told:
    """What one reference says of a figure's regions: logits (regions, patches)."""

    logits: FloatImage
    view: ReferenceView
    graph: Graph


def matched_regions(
    labels: Labels,
    ink: NDArray[np.uint8],
    figures: NDArray[np.uint8],
    served: Sequence[Sequence[ReferenceView]],
    likeness: Likeness | None = None,
) -> Matched:
    """Colours of the regions of ``labels`` (H, W), grown, of a page with ``ink`` (H, W), 255 = line.

    ``figures`` (H, W): 0 ground, else a figure's number; ``served``: the references of figures 1, 2, ... A region
    belongs to the figure that holds most of it, and to none when most of it is ground. Without ``likeness`` lines
    alone are compared.
    """
    count = int(labels.max(initial=0))
    colors, sure = np.zeros((count + 1, 3), np.float32), np.zeros(count + 1, np.float32)
    reached = np.zeros(count + 1, bool)
    owner = owners(labels, figures, len(served))
    graphs = {id(view): graph(view.patches, len(view.colors)) for views in served for view in views}
    for number, views in enumerate(served, start=1):
        own = np.flatnonzero(owner == number)
        views = [view for view in views if len(view.colors)]
        if len(own) and views:
            figure = figure_of(labels, ink, figures == number, own)
            told, own_graph = _told(figure, ink, views, graphs, likeness)
            colors[own], sure[own] = _decided(told, own_graph)
            reached[own] = True
    return Matched(colors, reached, sure)


def _told(
    figure: Figure,
    ink: NDArray[np.uint8],
    views: Sequence[ReferenceView],
    graphs: dict[int, Graph],
    likeness: Likeness | None,
) -> tuple[list[_Told], Graph]:
    own_graph, box = graph(figure.labels, len(figure.own)), (figure.frame.rows, figure.frame.columns)
    where = _cells(figure.slots[box], ink[box], figure.frame, len(figure.own))
    shares, known = figure.drawn.shares(), likeness(figure, views) if likeness is not None else None
    told = []
    for i, view in enumerate(views):
        found = correspondence(shares, view.drawn.shares(), *line_likeness(figure.drawn, view.drawn))
        mass = where @ found.mass @ _patches_of_cells(view)
        its = graphs[id(view)]
        apart = np.abs(np.log((own_graph.share[:, None] + 1e-5) / (its.share + 1e-5)))
        evidence = where @ found.evidence
        logits = np.log(mass + _LEAST_MASS)
        if known is not None:
            logits = _trust(float(own_graph.share @ evidence)) * logits + _NETWORK * known[i]
        logits -= _SIZE * apart + _SLIM * np.abs(own_graph.slimness[:, None] - its.slimness)
        # Where several references show a figure, the one that explains a place better says more of it.
        told.append(_Told(np.asarray(logits + evidence[:, None], np.float32), view, its))
    return told, own_graph


def _trust(evidence: float) -> float:
    """What lines count beside a network's word: little where two drawings cannot be laid upon each other, as a head
    and a whole figure."""
    return float(1 / (1 + np.exp((_DOUBTED - evidence) / _DOUBT)))


def _decided(told: Sequence[_Told], own: Graph) -> tuple[FloatImage, NDArray[np.float32]]:
    """(regions, 3) colours and how sure each is."""
    logits = np.concatenate([one.logits for one in told], axis=1)
    meet = np.zeros((logits.shape[1],) * 2, np.float32)
    start = 0
    for one in told:
        part = slice(start, start + len(one.view.colors))
        meet[part, part] = (one.graph.touching + one.graph.touching.T) / 2
        start = part.stop
    meet = np.asarray(np.log(meet + _SAME * np.eye(len(meet)) + _STRANGERS), np.float32)
    shown = _softmax(logits)
    for _ in range(_ROUNDS):
        shown = _softmax(np.asarray(logits + _NEIGHBOURS * (own.touching @ (shown @ meet)), np.float32))
    shares = np.concatenate([one.graph.share for one in told])
    colors = np.concatenate([one.view.colors for one in told])
    weights = np.maximum(np.round(shares * 1e6), 1).astype(np.int64)
    distinct, kind = np.unique(alike_made_equal(colors, weights, _ALIKE), axis=0, return_inverse=True)
    votes = shown @ np.eye(len(distinct), dtype=np.float32)[kind.reshape(-1)]
    best = votes.argmax(axis=1)
    return distinct[best], np.asarray(votes[np.arange(len(votes)), best], np.float32)


def _cells(slots: Labels, ink: NDArray[np.uint8], frame: Frame, count: int) -> FloatImage:
    """(count, CELLS**2) the share of each cell in each region, lines counting little; rows sum to 1."""
    step = max(1, int(np.sqrt(slots.size / _LOOKS)))
    looked = np.zeros(slots.shape, bool)
    looked[step // 2 :: step, step // 2 :: step] = True
    if step > 1:
        looked |= (np.bincount(slots[looked], minlength=count + 1) < _FEW)[slots]
    y, x = np.nonzero(looked & (slots > 0))
    slot, weight = slots[y, x], 1.001 - ink[y, x].astype(np.float32) / np.float32(255)
    down, along = frame.places(y + frame.rows.start, x + frame.columns.start)
    cell = np.minimum(down // CELL, CELLS - 1) * CELLS + np.minimum(along // CELL, CELLS - 1)
    held = np.bincount((slot - 1) * CELLS**2 + cell, weight, count * CELLS**2).reshape(count, -1)
    return np.asarray(held / np.maximum(held.sum(1, keepdims=True), 1e-9), np.float32)


def _patches_of_cells(view: ReferenceView) -> FloatImage:
    """(CELLS**2, patches) what each cell of a reference shows; rows sum to 1, or are 0 outside the figure."""
    count = len(view.colors)
    y, x = np.nonzero(view.patches)
    weight = 1.001 - view.planes[y, x, 3]
    cell = y // CELL * CELLS + x // CELL
    held = np.bincount(cell * count + view.patches[y, x] - 1, weight, CELLS**2 * count).reshape(CELLS**2, count)
    return np.asarray(held / np.maximum(held.sum(1, keepdims=True), 1e-9), np.float32)


def _softmax(logits: FloatImage) -> FloatImage:
    part = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(part / part.sum(axis=1, keepdims=True), np.float32)
