"""Claims about bays of the ground that belong to a figure."""

import cv2
import numpy as np
from celwright.domain import Labels
from celwright.regions.bays import closed, solidity, with_bays
from celwright.regions.trapped_ball import segment
from numpy.typing import NDArray

HEIGHT, WIDTH = 200, 240


def open_head(opening: int = 40) -> tuple[Labels, NDArray[np.uint8], NDArray[np.uint8]]:
    """Regions, ink and figures of a head in a cap whose outline stays open below the face."""
    ink = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(ink, (120, 100), 70, 255, 4)
    cv2.line(ink, (53, 80), (187, 80), 255, 4)
    ink[150:, 120 - opening // 2 : 120 + opening // 2] = 0
    figures = (ink > 0).astype(np.uint8)
    cv2.circle(figures, (120, 100), 68, 1, cv2.FILLED)
    labels = segment(ink, 8).grown
    figures[(labels == labels[0, 0]) & (ink == 0)] = 0
    return labels, ink, figures


def test_a_face_that_is_open_below_becomes_a_region_of_its_own() -> None:
    labels, ink, figures = open_head()
    assert labels[120, 120] == labels[0, 0]
    parted, grown = with_bays(labels, ink, figures, solid=1.0)
    assert parted[120, 120] != parted[0, 0] == labels[0, 0]
    assert parted[120, 120] == labels.max() + 1
    assert parted[40, 120] == labels[40, 120]  # the cap
    assert grown[120, 120] == 1
    assert grown[0, 0] == 0
    assert abs((parted == parted[120, 120]).sum() - (figures[82:] == 0)[:, 55:185].sum()) < 12_000


def test_a_pocket_stays_ground_where_such_figures_have_pockets() -> None:
    labels, ink, figures = open_head()
    hollow = float(figures.sum()) / closed(figures > 0).sum()
    parted, grown = with_bays(labels, ink, figures, solid=hollow)
    assert np.array_equal(parted, labels)
    assert np.array_equal(grown, figures)


def test_a_large_bay_that_is_hardly_open_is_the_figures_own_whatever_its_like() -> None:
    labels, ink, figures = open_head(opening=20)
    parted, grown = with_bays(labels, ink, figures, solid=0.0)
    assert parted[120, 120] == labels.max() + 1
    assert parted[0, 0] == labels[0, 0]
    assert grown[120, 120] == 1


def test_a_pocket_that_is_wide_open_stays_ground() -> None:
    """Between two raised arms there is no outline to close, however solid other pictures of the figure are."""
    ink = np.zeros((HEIGHT, WIDTH), np.uint8)
    figures = cv2.rectangle(np.zeros_like(ink), (50, 110), (190, 180), 1, cv2.FILLED)
    for left in (50, 150):
        cv2.rectangle(figures, (left, 30), (left + 40, 110), 1, cv2.FILLED)
    ink[cv2.morphologyEx(figures, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0] = 255
    labels = segment(ink, 8).grown
    assert closed(figures > 0)[90, 120], "a bay it is"
    parted, grown = with_bays(labels, ink, figures, solid=1.0)
    assert np.array_equal(parted, labels)
    assert np.array_equal(grown, figures)


def test_ground_inside_a_figure_whose_outline_nearly_closes_is_its_own() -> None:
    """Other pictures of it being hollow does not matter: the figure has been found to go round it."""
    labels, ink, figures = open_head(opening=12)
    cv2.circle(figures, (120, 100), 68, 1, cv2.FILLED)
    assert labels[120, 120] == labels[0, 0]
    parted, grown = with_bays(labels, ink, figures, solid=0.5)
    assert parted[120, 120] == labels.max() + 1
    assert parted[0, 0] == labels[0, 0]
    assert np.array_equal(grown, figures)


def test_the_paper_at_a_figures_rim_stays_ground() -> None:
    """Figures are found a few pixels too large."""
    ink = cv2.circle(np.zeros((HEIGHT, WIDTH), np.uint8), (120, 100), 70, 255, 4)
    figures = cv2.circle(np.zeros_like(ink), (120, 100), 78, 1, cv2.FILLED)
    labels = segment(ink, 8).grown
    assert np.array_equal(with_bays(labels, ink, figures, solid=1.0)[0], labels)


def test_a_region_that_must_stay_whole_is_not_cut() -> None:
    labels, ink, figures = open_head()
    parted, _ = with_bays(labels, ink, figures, 1.0, np.array([labels[0, 0]]))
    assert np.array_equal(parted, labels)


def test_a_disc_is_solid_and_a_crescent_is_not() -> None:
    disc = cv2.circle(np.zeros((120, 120), np.uint8), (60, 60), 50, 1, cv2.FILLED)
    crescent = cv2.circle(disc.copy(), (60, 47), 38, 0, cv2.FILLED)
    assert solidity(disc > 0) > 0.98
    assert solidity(crescent > 0) < 0.75
    assert solidity(np.zeros((9, 9), bool)) == 1.0
    assert not closed(np.zeros((9, 9), bool)).any()
