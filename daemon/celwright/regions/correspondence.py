"""Which place of one drawing is which of another: by likeness of the lines, and by one smooth movement of the whole.

Both drawings are squares of CELL-pixel cells. Every cell looks for the cells drawn alike on the other side; from where
they lie a movement is estimated (turning, scaling, then bending smoothly), which in turn says where to look: coherent
point drift (Myronenko & Song, 2010) with a likeness in place of bare points. How far the finds lie from the movement
says how much it is to be trusted: in the same pose it decides, in another the likeness does. Knows no regions, no
colours and no networks: who has better likenesses may bring them.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright.domain import FloatImage

SIDE, CELL = 256, 8  # px; of the squares and of their cells
CELLS = SIDE // CELL
LIKENESS = 40.0  # what a cosine of 1 between line descriptors adds to a logit
_ORIENTATIONS = 8
_SCALES = (4.0, 10.0, 24.0)  # px; Gaussian windows in which lines are counted
_DEPTHS = (6.0, 14.0, 30.0)  # px; windows in which the silhouette is
_STEP = 1.6  # of a window: how far beside the cell is looked as well
_BESIDE = ((-1, 0), (1, 0), (0, -1), (0, 1))
_ROUNDS = 6
_FAR, _NEAR = 12.0, 2.0  # cells; bounds of how far a find may lie from the movement
_STRAY = 0.003  # likelihood of a find anywhere, whatever the movement says
_BEND = 3.0  # cells; neighbours within about this move alike
_STIFF = 0.3  # of a mean cell's weight: what holds a cell without finds to the whole's movement
_LEAST = 0.05  # of a cell inside the figure, for the cell to count
_MIRROR_GAIN = 0.02  # mean log-likelihood by which a mirrored figure must be the better explanation


@dataclass(frozen=True, eq=False)
class Drawn:
    """A figure in a square: ``ink`` and ``inside`` (SIDE, SIDE), 0..1."""

    ink: FloatImage
    inside: FloatImage

    def mirrored(self) -> "Drawn":
        return Drawn(np.ascontiguousarray(self.ink[:, ::-1]), np.ascontiguousarray(self.inside[:, ::-1]))

    def shares(self) -> FloatImage:
        """(CELLS**2,) how much of each cell is inside; 0 where it does not count."""
        shares = self.inside.reshape(CELLS, CELL, CELLS, CELL).mean(axis=(1, 3)).reshape(-1)
        return np.where(shares > _LEAST, shares, np.float32(0)).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Correspondence:
    """``mass`` (CELLS**2, CELLS**2): row by row the share of each reference cell in what a target cell shows, rows sum
    to 1, or are 0 outside. ``evidence`` (CELLS**2,): log-likelihood of each target cell. ``spread``: cells between
    finds and movement."""

    mass: FloatImage
    evidence: FloatImage
    spread: float
    mirrored: bool


def line_descriptors(drawn: Drawn) -> FloatImage:
    """(C, CELLS**2) unit vectors: directions of the lines about each cell, near and far, and how it lies in the
    silhouette."""
    blurred = cv2.GaussianBlur(np.asarray(drawn.ink * (drawn.inside > 0.5), np.float32), (0, 0), 1.0)
    across, down = (cv2.Sobel(blurred, cv2.CV_32F, *order) for order in ((1, 0), (0, 1)))
    angle = np.arctan2(down, across) % np.pi / np.pi * _ORIENTATIONS
    low = np.floor(angle)
    share, strength = angle - low, np.hypot(across, down)
    bins = np.arange(_ORIENTATIONS, dtype=np.float32)[:, None, None]
    energy = strength * ((low == bins) * (1 - share) + ((low + 1) % _ORIENTATIONS == bins) * share)
    parts = [np.sqrt(_looks([*energy], scale, round(_STEP * scale))) for scale in _SCALES]
    inside = np.asarray(drawn.inside > 0.5, np.float32)
    parts.append(np.concatenate([_looks([inside], depth, round(depth)) for depth in _DEPTHS]) - 0.5)
    return _unit(np.concatenate([_unit(part) for part in parts]))


def _looks(planes: list[FloatImage], window: float, beside: int) -> FloatImage:
    """(5 * len(planes), CELLS**2) planes in a Gaussian window about the cells' middles and beside them."""
    middles = np.arange(CELLS) * CELL + CELL // 2
    found = []
    for plane in planes:
        wide = np.pad(cv2.GaussianBlur(np.asarray(plane, np.float32), (0, 0), window), beside)
        for dy, dx in ((0, 0), *_BESIDE):
            found.append(wide[np.ix_(middles + (1 + dy) * beside, middles + (1 + dx) * beside)].reshape(-1))
    return np.stack(found)


def _unit(vectors: FloatImage) -> FloatImage:
    return np.asarray(vectors / (np.linalg.norm(vectors, axis=0, keepdims=True) + 1e-3), np.float32)


def line_likeness(target: Drawn, reference: Drawn) -> tuple[FloatImage, FloatImage]:
    """(CELLS**2, CELLS**2) logits of every target cell showing every reference cell, as it is and mirrored."""
    wanted = line_descriptors(target)
    straight = line_descriptors(reference)
    turned = line_descriptors(reference.mirrored())
    turned = turned.reshape(-1, CELLS, CELLS)[:, :, ::-1].reshape(len(turned), -1)
    return np.asarray(LIKENESS * wanted.T @ straight), np.asarray(LIKENESS * wanted.T @ turned)


def correspondence(
    target: FloatImage, reference: FloatImage, likeness: FloatImage, mirrored: FloatImage
) -> Correspondence:
    """Of two figures with ``shares`` (CELLS**2,) each and logits (CELLS**2, CELLS**2): ``likeness`` for a figure that
    faces as the reference does, ``mirrored`` for one that faces the other way."""
    found = [_moved(target, reference, logits, turned) for logits, turned in ((likeness, False), (mirrored, True))]
    straight, turned = (np.average(one.evidence, weights=target) if target.any() else 0.0 for one in found)
    return found[int(turned > straight + _MIRROR_GAIN)]


def _moved(target: FloatImage, reference: FloatImage, logits: FloatImage, mirrored: bool) -> Correspondence:
    mass = np.zeros((CELLS**2, CELLS**2), np.float32)
    evidence = np.zeros(CELLS**2, np.float32)
    here, there = np.flatnonzero(target), np.flatnonzero(reference)
    if not len(here) or not len(there):
        return Correspondence(mass, evidence, _FAR, mirrored)
    x, y = _places(here), _places(there)
    logits = logits[np.ix_(here, there)].astype(np.float32)
    own, others = np.log(target[here])[:, None], np.log(reference[there])
    facing = np.array([1, -1 if mirrored else 1], np.float32)
    moved = (x - (x.min(0) + x.max(0)) / 2) * facing + (y.min(0) + y.max(0)) / 2  # box upon box
    near = np.exp(-_squares(x, x) / (2 * _BEND**2))
    variance = _FAR**2
    for turn in range(_ROUNDS + 1):
        free = logits + np.log(np.exp(-_squares(moved, y) / (2 * variance)) + np.float32(_STRAY))
        forth, likelihood = _softmax(free + others, 1)
        back, _ = _softmax(free + own, 0)
        mutual = forth * back
        if turn == _ROUNDS:
            break
        weighed = mutual * target[here, None]
        weight = weighed.sum(1) + np.float32(1e-6)
        finds = weighed @ y / weight[:, None]
        moved = _similarity(x, finds, weight, facing)
        bend = near @ (weight[:, None] * (finds - moved)) / (near @ weight + _STIFF * weight.mean())[:, None]
        moved = moved + bend
        apart = float((weighed * _squares(moved, y)).sum() / weighed.sum()) / 2
        variance = float(np.clip(apart, _NEAR**2, _FAR**2))
    mass[np.ix_(here, there)] = mutual / (mutual.sum(1, keepdims=True) + np.float32(1e-9))
    evidence[here] = likelihood[:, 0]
    return Correspondence(mass, evidence, float(np.sqrt(variance)), mirrored)


def _similarity(x: FloatImage, y: FloatImage, weight: FloatImage, facing: FloatImage) -> FloatImage:
    """(N, 2) where turning, scaling and shifting takes ``x`` (N, 2) so that it comes nearest to ``y``."""
    share = weight / weight.sum()
    middle, aim = share @ x, share @ y
    away, goal = (x - middle) * facing, y - aim
    size = float((share[:, None] * away**2).sum()) + 1e-6
    along = float((share[:, None] * away * goal).sum()) / size
    turned = float((share * (away[:, 0] * goal[:, 1] - away[:, 1] * goal[:, 0])).sum()) / size
    moved = aim + along * away + turned * np.stack([-away[:, 1], away[:, 0]], axis=1)
    return np.asarray(moved, np.float32)


def _places(cells: NDArray[np.intp]) -> FloatImage:
    return np.stack(np.divmod(cells, CELLS), axis=1).astype(np.float32)


def _squares(x: FloatImage, y: FloatImage) -> FloatImage:
    """(N, M) squared distances."""
    apart = (x**2).sum(1)[:, None] + (y**2).sum(1)[None] - 2 * (x @ y.T)
    return np.asarray(np.maximum(apart, 0), np.float32)


def _softmax(logits: FloatImage, axis: int) -> tuple[FloatImage, FloatImage]:
    """The softmax along an axis and the logarithm of its normaliser."""
    top = logits.max(axis, keepdims=True)
    part = np.exp(logits - top)
    whole = part.sum(axis, keepdims=True)
    return part / whole, np.log(whole) + top
