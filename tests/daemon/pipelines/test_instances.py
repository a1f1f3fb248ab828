"""Claims about finding figures and matching references to them."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from celwright.domain import FloatImage, Pixels, Reference
from celwright.pipelines.colorize.field import field_of
from celwright.pipelines.colorize.figures import Figure
from celwright.pipelines.colorize.instances import Instances, found_figures, found_instances, matched
from celwright.regions.trapped_ball import segment
from numpy.typing import NDArray

HEIGHT, WIDTH = 256, 384


def page(*circles: tuple[int, int, int]) -> NDArray[np.uint8]:
    """(H, W) ink of circles (x, y, radius)."""
    ink = np.zeros((HEIGHT, WIDTH), np.uint8)
    for x, y, radius in circles:
        cv2.circle(ink, (x, y), radius, 255, 2)
    return ink


def figures_of(ink: NDArray[np.uint8], gap: int = 8) -> NDArray[np.uint8]:
    return found_figures(segment(ink, gap).grown, ink, field_of(*ink.shape, None, 512))


def at(figures: NDArray[np.uint8], x: int, y: int) -> int:
    return int(figures[y * figures.shape[0] // HEIGHT, x * figures.shape[1] // WIDTH])


def reference(shade: int = 0, region: NDArray[np.uint8] | None = None) -> Reference:
    image = Pixels(np.full((32, 32, 3), shade, np.uint8))
    return Reference(image, region=None if region is None else Pixels(region[..., None]))


def by_size(figures: Sequence[Figure]) -> FloatImage:
    """The first of two references is like big figures, the second like small ones."""
    area = np.array([(one.slots > 0).mean() for one in figures])
    return np.stack([area, 0.1 - area], axis=1).astype(np.float32)


def test_figures_are_numbered_by_size_and_the_ground_is_none() -> None:
    figures = figures_of(page((80, 120, 40), (250, 120, 70)))
    assert (at(figures, 250, 120), at(figures, 80, 120), at(figures, 5, 5)) == (1, 2, 0)
    assert figures.max() == 2


def test_a_fragment_belongs_to_the_figure_next_to_it() -> None:
    figures = figures_of(page((80, 120, 50), (290, 120, 60), (150, 120, 9)))
    assert figures.max() == 2
    assert at(figures, 150, 120) == at(figures, 80, 120) == 2


def test_what_nearly_touches_hangs_together() -> None:
    assert figures_of(page((80, 120, 40), (163, 120, 40))).max() == 1


def test_an_open_outline_still_is_a_figure_with_an_inside() -> None:
    ink = page((80, 120, 50), (290, 120, 60))
    ink[40:75, 75:79] = 0  # an opening at the top that no gap closing closes
    figures = figures_of(ink, gap=0)
    assert at(figures, 80, 120) == 2


def test_a_page_without_figures_has_none() -> None:
    assert not figures_of(page((100, 100, 3))).any()


@pytest.mark.parametrize(
    ("alike", "expected"),
    [
        ([[0.9, 0.1], [0.2, 0.8]], [[1, 0], [0, 1]]),
        ([[0.9, 0.8], [0.8, 0.1]], [[0, 1], [1, 0]]),  # the second figure has but one choice
        ([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]], [[1, 0], [0, 1], [1, 0]]),
        ([[0.9, 0.1, 0.4], [0.2, 0.8, 0.6]], [[1, 0, 0], [0, 1, 1]]),
    ],
)
def test_everybody_gets_a_partner_and_the_likeness_is_greatest_in_all(
    alike: list[list[float]], expected: list[list[int]]
) -> None:
    assert matched(np.array(alike, np.float32)).astype(int).tolist() == expected


def test_each_reference_counts_on_the_figure_that_is_like_it() -> None:
    ink = page((80, 120, 40), (250, 120, 70))
    found = found_instances(segment(ink, 8).grown, ink, [reference(), reference()], by_size)
    field = field_of(HEIGHT, WIDTH, None, 128)
    big, small = (found.region(i, field) for i in (0, 1))
    assert (at(big, 250, 120), at(big, 80, 120), at(big, 5, 5)) == (1, 0, 0)
    assert (at(small, 250, 120), at(small, 80, 120), at(small, 5, 5)) == (0, 1, 0)
    assert list(found.notices()) == [
        "The line art shows 2 figures; by their drawing reference 1 was matched to 1 of them, reference 2 was matched "
        "to 1 of them: give a reference the region of its figure where that is wrong."
    ]


def test_a_region_is_seen_where_the_field_is() -> None:
    ink = page((80, 120, 40), (250, 120, 70))
    found = found_instances(segment(ink, 8).grown, ink, [reference(), reference()], by_size)
    selected = np.zeros((HEIGHT, WIDTH), bool)
    selected[100:140, 60:100] = True  # in the small figure
    seen = found.region(1, field_of(HEIGHT, WIDTH, selected, 128))
    assert seen[seen.shape[0] // 2, seen.shape[1] // 2] == 1
    assert found.region(0, field_of(HEIGHT, WIDTH, selected, 128)).max() == 0


@pytest.mark.parametrize("references", [1, 2])
def test_a_single_figure_or_a_single_reference_is_served_everywhere(references: int) -> None:
    ink = page((250, 120, 70)) if references == 2 else page((80, 120, 40), (250, 120, 70))
    found = found_instances(segment(ink, 8).grown, ink, [reference()] * references, by_size)
    field = field_of(HEIGHT, WIDTH, None, 128)
    assert all(found.region(i, field).min() == 1 for i in range(references))
    assert list(found.notices()) == []


def test_an_open_figure_without_regions_gets_the_reference_that_is_left_and_is_not_looked_at() -> None:
    ink = page((250, 120, 70))
    cv2.ellipse(ink, (80, 120), (50, 50), 0, 40, 320, 255, 2)
    labels = segment(ink, 3).grown

    def looked_at(figures: Sequence[Figure]) -> FloatImage:
        assert len(figures) == 1
        assert len(figures[0].own)
        return by_size(figures)

    found = found_instances(labels, ink, [reference(), reference()], looked_at)
    open_one = at(found.figures, 32, 120)
    assert len(found.served) == 2
    assert found.served[open_one - 1].tolist() == [False, True]
    assert found.served[2 - open_one].tolist() == [True, False]


def test_a_figure_with_a_region_of_the_artist_s_is_left_to_that_reference() -> None:
    ink = page((80, 120, 40), (250, 120, 70))
    region = np.zeros((HEIGHT, WIDTH), np.uint8)
    region[40:200, 170:330] = 255  # around the big one
    found = found_instances(segment(ink, 8).grown, ink, [reference(), reference(region=region)], by_size)
    assert found.served.tolist() == [[False, False], [True, False]]


def test_the_picture_of_the_match_gives_figures_with_one_reference_one_colour() -> None:
    ink = page((60, 120, 40), (200, 120, 55), (330, 120, 40))
    labels = segment(ink, 8).grown
    figures = figures_of(ink)
    served = np.zeros((3, 2), bool)
    served[at(figures, 60, 120) - 1, 0] = served[at(figures, 330, 120) - 1, 0] = True
    served[at(figures, 200, 120) - 1, 1] = True
    shown = Instances(figures, served, labels.shape).picture(ink).data
    first, second, third, ground = (tuple(shown[y * 4 // 3, x * 4 // 3]) for x, y in
                                    ((60, 120), (200, 120), (330, 120), (5, 5)))  # fmt: skip
    assert first == third != second
    assert ground == (0, 0, 0, 0)
