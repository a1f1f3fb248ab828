"""Claims about flatting colours."""

import numpy as np
from celwright.imaging.color import ciede2000, srgb_to_lab
from celwright.regions.flatting import DISTINCT, flatting_colors, neighbours


def patches(rows: int, columns: int, side: int = 3) -> np.ndarray:
    """A mosaic in which each patch is a region of its own."""
    numbers = np.arange(1, rows * columns + 1, dtype=np.int32).reshape(rows, columns)
    return numbers.repeat(side, axis=0).repeat(side, axis=1)


def ungiven(labels: np.ndarray) -> np.ndarray:
    return np.zeros((int(labels.max()) + 1, 4), np.float32)


def differences(labels: np.ndarray, colors: np.ndarray) -> np.ndarray:
    pairs, _ = neighbours(labels)
    lab = srgb_to_lab(colors[:, :3])
    return np.asarray(ciede2000(lab[pairs[:, 0]], lab[pairs[:, 1]]))


def test_neighbours_are_counted_along_their_common_edge() -> None:
    labels = np.array([[1, 1, 2], [1, 1, 2], [3, 3, 3]], np.int32)
    pairs, lengths = neighbours(labels)
    assert dict(zip(map(tuple, pairs.tolist()), lengths.tolist(), strict=True)) == {(1, 2): 2, (1, 3): 2, (2, 3): 1}


def test_line_is_nobodys_neighbour() -> None:
    pairs, _ = neighbours(np.array([[1, 0, 2]], np.int32))
    assert len(pairs) == 0


def test_every_region_has_a_colour_of_its_own_and_neighbours_are_far_apart() -> None:
    for rows, columns, least in ((2, 3, 60), (6, 10, 40), (20, 25, 30)):
        labels = patches(rows, columns)
        colors = flatting_colors(labels, ungiven(labels))
        assert colors[0].tolist() == [0, 0, 0, 0]
        assert (colors[1:, 3] == 1).all()
        stored = np.rint(colors[1:, :3] * 255)
        assert len(np.unique(stored, axis=0)) == rows * columns
        np.testing.assert_allclose(stored / 255, colors[1:, :3], atol=1e-6)
        assert differences(labels, colors).min() > least


def test_any_two_of_a_page_s_colours_can_be_told_apart() -> None:
    labels = patches(10, 15)
    lab = srgb_to_lab(flatting_colors(labels, ungiven(labels))[1:, :3])
    apart = np.asarray(ciede2000(lab[:, None], lab[None]))
    assert apart[~np.eye(len(lab), dtype=bool)].min() > 4


def test_flatting_is_the_same_every_time() -> None:
    labels = patches(5, 8)
    assert np.array_equal(flatting_colors(labels, ungiven(labels)), flatting_colors(labels, ungiven(labels)))


def test_given_colours_stay_and_are_not_used_again() -> None:
    labels = patches(3, 4)
    hinted = ungiven(labels)
    hinted[5] = (1, 0, 0, 1)
    colors = flatting_colors(labels, hinted)
    assert colors[5].tolist() == [1, 0, 0, 1]
    lab = srgb_to_lab(colors[:, :3])
    others = np.delete(np.arange(1, 13), 4)
    assert np.asarray(ciede2000(lab[others], lab[5])).min() > 15


def test_colours_are_repeated_only_past_a_large_count() -> None:
    labels = patches(95, 95, side=1)
    colors = flatting_colors(labels, ungiven(labels))[1:, :3]
    assert len(np.unique(np.rint(colors * 255), axis=0)) == DISTINCT < len(colors)


def test_nothing_to_colour_is_no_fault() -> None:
    assert flatting_colors(np.zeros((9, 9), np.int32), np.zeros((1, 4), np.float32)).tolist() == [[0, 0, 0, 0]]
