"""Claims about regions without a hint, and about painting."""

import numpy as np
from celwright.regions.fill import nearest_alike, painted
from celwright.regions.hinted import HintedRegions, background

RED, BLUE = (1, 0, 0, 1), (0, 0, 1, 1)


def row_of(widths: list[int], hinted: dict[int, tuple[float, ...]]) -> HintedRegions:
    """Regions side by side on a strip, inside a background that is region 1; the first of them is region 2."""
    labels = np.ones((30, sum(widths) + 10), np.int32)
    x = 5
    for number, width in enumerate(widths, start=2):
        labels[5:25, x : x + width] = number
        x += width
    colors = np.zeros((len(widths) + 2, 4), np.float32)
    for region, color in hinted.items():
        colors[region] = color
    return HintedRegions(labels, colors, ())


def test_the_background_is_what_holds_a_corner() -> None:
    assert background(row_of([10, 10], {}).labels).tolist() == [1]


def test_a_region_takes_the_colour_of_the_nearest_hinted_region() -> None:
    colors = nearest_alike(row_of([20, 20, 20, 20], {2: RED, 5: BLUE}))
    assert colors.tolist()[2:] == [[*RED], [*RED], [*BLUE], [*BLUE]]


def test_of_two_regions_about_as_near_the_one_of_like_size_lends_its_colour() -> None:
    colors = nearest_alike(row_of([22, 20, 2], {2: RED, 4: BLUE}))  # the small one's centre is nearer
    assert colors[3].tolist() == [*RED]


def test_the_background_neither_takes_nor_lends_a_colour() -> None:
    assert nearest_alike(row_of([20, 20], {2: RED}))[1].tolist() == [0, 0, 0, 0]
    assert nearest_alike(row_of([20, 20], {1: BLUE, 2: RED}))[3].tolist() == [*RED]


def test_the_background_lends_its_colour_when_nothing_else_has_a_hint() -> None:
    assert nearest_alike(row_of([20, 20], {1: BLUE}))[1:].tolist() == [[*BLUE]] * 3


def test_without_any_hint_nothing_is_coloured() -> None:
    assert not nearest_alike(row_of([20, 20], {})).any()


def test_a_page_without_regions_is_painted_transparent() -> None:
    empty = np.zeros((9, 9), np.int32)
    assert not nearest_alike(HintedRegions(empty, np.zeros((1, 4), np.float32), ())).any()
    assert not painted(empty, np.zeros((1, 4), np.float32), 8).any()


def test_painted_pixels_have_exactly_the_colour_of_their_region() -> None:
    labels = np.random.default_rng(0).integers(0, 50, (40, 33)).astype(np.int32)
    for depth, kind, top in ((8, np.uint8, 255), (16, np.uint16, 65535)):
        stored = np.random.default_rng(1).integers(0, top + 1, (50, 4)).astype(kind)
        stored[:, 3] = np.where(np.arange(50) % 5 == 0, 0, top)
        stored[stored[:, 3] == 0] = 0
        image = painted(labels, (stored / top).astype(np.float32), depth)
        assert image.dtype == kind
        assert np.array_equal(image, stored[labels])
