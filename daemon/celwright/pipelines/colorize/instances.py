"""Which figure of the line art each reference is for, where the artist did not say.

Figures are what hangs together on the page once its background is taken away. Each is compared with each reference by a
likeness that is handed in; every reference gets the figures that it resembles most. Knows no colours and no sampling.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright.domain import FloatImage, Labels, Pixels, Reference
from celwright.imaging.resampling import looked_up
from celwright.pipelines.colorize.field import Field, field_of
from celwright.pipelines.colorize.figures import Figure, figure_of, owners
from celwright.regions.fill import painted
from celwright.regions.flatting import flatting_colors
from celwright.regions.hinted import background

Likeness = Callable[[Sequence[Figure]], FloatImage]
"""F figures of one page -> (F, R) how alike each is to each reference."""

MOST_FIGURES = 12  # smaller ones go with the nearest of these
_SIDE = 512  # px; the longer side of the page on which figures are looked for
_BRIDGE = 3  # px there; parts that are nearer than twice this hang together
_LEAST = 0.004  # of the page; smaller things are no figures
_FRAGMENT = 0.08  # of the largest figure; smaller things belong to the figure next to them
_CLAIMED = 0.5  # of a figure: covered so far by a region that the artist gave, it has its reference
_INKED = 40  # of 255


@dataclass(frozen=True, eq=False)
class Instances:
    """``figures`` (h, w), the whole page reduced: 0 ground, else a figure's number. ``served`` (F, R): whether figure
    f + 1 takes its colours from reference r. Without a match all references serve everywhere."""

    figures: NDArray[np.uint8]
    served: NDArray[np.bool_]
    page: tuple[int, int]  # height and width

    @property
    def matched(self) -> bool:
        return bool(self.served.any())

    def region(self, reference: int, field: Field) -> FloatImage:
        """(field.height, field.width) 1 where the reference counts, else 0."""
        if not self.served[:, reference].any():
            return np.ones((field.height, field.width), np.float32)
        part = self.figures
        for axis, (places, length) in enumerate(((field.rows, field.height), (field.columns, field.width))):
            seen = places.start + (np.arange(length) + 0.5) * (places.stop - places.start) / length
            part = part.take((seen * part.shape[axis] / self.page[axis]).astype(np.intp), axis)
        return np.concatenate([[False], self.served[:, reference]])[part].astype(np.float32)

    def picture(self, ink: NDArray[np.uint8]) -> Pixels:
        """The figures, those with the same references in the same colour, under the page's lines."""
        kinds, kind = np.unique(self.served, axis=0, return_inverse=True)
        labels = np.concatenate([[0], kind.reshape(-1) + 1]).astype(np.int32)[self.figures]
        shown = painted(labels, flatting_colors(labels, np.zeros((len(kinds) + 1, 4), np.float32)), 8)
        shown[cv2.resize(ink, self.figures.shape[::-1], interpolation=cv2.INTER_AREA) > _INKED] = (0, 0, 0, 255)
        return Pixels(shown)

    def notices(self) -> Iterator[str]:
        """One sentence on the match, when there was something to match."""
        if self.matched:
            counts = enumerate(self.served.sum(axis=0).tolist(), start=1)
            told = ", ".join(f"reference {i} was matched to {n} of them" for i, n in counts if n)
            yield (
                f"The line art shows {len(self.served)} figures; by their drawing {told}: give a reference the region "
                f"of its figure where that is wrong."
            )


def found_instances(
    labels: Labels, ink: NDArray[np.uint8], references: Sequence[Reference], likeness: Likeness
) -> Instances:
    """The figures of a page (``labels`` and ``ink`` (H, W)) and the references that serve each.

    References with a region are left alone, and so are figures that such a region covers. A single figure or a single
    reference is not matched: it serves everywhere.
    """
    free = [i for i, reference in enumerate(references) if reference.region is None]
    nothing = np.zeros((0, len(references)), bool)
    if not free or len(references) < 2:
        return Instances(np.zeros((1, 1), np.uint8), nothing, labels.shape)
    seen, figures = page_figures(labels, ink)
    claimed = np.zeros(figures.shape, bool)
    for reference in references:
        if reference.region is not None:
            claimed |= seen.reduced(reference.region.coverage().astype(np.float32)) > 127
    count = int(figures.max(initial=0))
    areas, taken = (np.bincount(which.reshape(-1), minlength=count + 1)[1:] for which in (figures, figures * claimed))
    open_figures = np.flatnonzero(taken < _CLAIMED * areas)
    served = np.zeros((count, len(references)), bool)
    if count > 1 and len(open_figures):
        whole = looked_up(figures, *labels.shape)
        owner = owners(labels, whole, count)
        alike = np.zeros((len(open_figures), len(references)), np.float32)
        closed = np.isin(open_figures + 1, owner)  # others have no region yet to be known by, perhaps a bay later
        if closed.any():
            alike[closed] = likeness(
                [figure_of(labels, ink, whole == f + 1, np.flatnonzero(owner == f + 1)) for f in open_figures[closed]]
            )
        served[np.ix_(open_figures, np.array(free))] = matched(alike[:, free])
    return Instances(figures, served, labels.shape)


def page_figures(labels: Labels, ink: NDArray[np.uint8]) -> tuple[Field, NDArray[np.uint8]]:
    """The whole page reduced, and its figures there (``found_figures``); crumbs are one figure, all that is not
    ground."""
    height, width = labels.shape
    seen = field_of(height, width, None, _SIDE)
    figures = found_figures(labels, ink, seen)
    if not figures.any():
        figures = (~np.isin(seen.sampled(labels), background(labels))).astype(np.uint8)
    return seen, figures


def found_figures(labels: Labels, ink: NDArray[np.uint8], seen: Field) -> NDArray[np.uint8]:
    """(seen.height, seen.width) 0 ground, else figures numbered from 1, the largest first, each with its inside."""
    solid = ~np.isin(seen.sampled(labels), background(labels))
    solid |= seen.reduced(ink.astype(np.float32)) > _INKED
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _BRIDGE + 1, 2 * _BRIDGE + 1))
    grown = cv2.dilate(solid.view(np.uint8), disc)
    outlines, _ = cv2.findContours(grown, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    # Open drawings leak: what an outline goes round belongs to it, whatever the regions say.
    areas = np.array([cv2.contourArea(outline) for outline in outlines])
    if not len(areas) or areas.max() < _LEAST * solid.size:
        return np.zeros(solid.shape, np.uint8)
    large = np.flatnonzero(areas >= max(_FRAGMENT * areas.max(), _LEAST * solid.size))
    large = large[np.argsort(-areas[large], kind="stable")][:MOST_FIGURES]
    figures = np.zeros(solid.shape, np.uint8)
    for number, which in enumerate(large.tolist(), start=1):
        cv2.drawContours(figures, outlines, which, number, cv2.FILLED)
    _, nearest = cv2.distanceTransformWithLabels(
        (figures == 0).view(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    number_of = np.zeros(int(nearest.max()) + 1, np.uint8)
    number_of[nearest[figures > 0]] = figures[figures > 0]
    for which in np.setdiff1d(np.arange(len(areas)), large).tolist():
        fragment = cv2.drawContours(np.zeros_like(figures), outlines, which, 1, cv2.FILLED) > 0
        figures[fragment] = np.bincount(number_of[nearest[fragment]]).argmax()
    return figures


def matched(alike: FloatImage) -> NDArray[np.bool_]:
    """(F, R) whether reference r serves figure f, by their likeness (F, R).

    Everybody gets a partner: as many pairs as there can be are made so that their likeness is greatest in all, and
    whoever is left over, figure or reference, joins the one it is most like.
    """
    from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]

    served = np.zeros(alike.shape, bool)
    served[linear_sum_assignment(alike, maximize=True)] = True
    for figure in np.flatnonzero(~served.any(axis=1)):
        served[figure, alike[figure].argmax()] = True
    for reference in np.flatnonzero(~served.any(axis=0)):
        served[alike[:, reference].argmax(), reference] = True
    return served
