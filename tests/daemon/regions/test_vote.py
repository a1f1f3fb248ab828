"""Regions vote on a picture: medians of their inside, splits where the picture is sure of two colours."""

import numpy as np
from celwright.imaging.color import ciede2000, srgb_to_lab
from celwright.regions.vote import alike_made_equal, vote
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

RED, GREEN, BLUE = (np.array(c, np.float32) for c in ([0.9, 0.2, 0.2], [0.2, 0.7, 0.3], [0.2, 0.3, 0.9]))


def page(height: int = 120, width: int = 160) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two regions, left and right of a line that runs down the middle, and no ink elsewhere."""
    labels = np.ones((height, width), np.int32)
    labels[:, width // 2 :] = 2
    ink = np.zeros((height, width), np.uint8)
    ink[:, width // 2 - 1 : width // 2 + 1] = 255
    picture = np.where(labels[..., None] == 1, RED, BLUE).astype(np.float32)
    return labels, ink, picture


def close(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(ciede2000(srgb_to_lab(a), srgb_to_lab(b)) < 2)


def test_each_region_takes_the_colour_of_its_inside() -> None:
    labels, ink, picture = page()
    found = vote(labels, ink, picture)
    assert (found.labels == labels).all()
    assert close(found.colors[1], RED)
    assert close(found.colors[2], BLUE)


def test_a_small_picture_that_bleeds_over_the_line_votes_the_same() -> None:
    labels, ink, _ = page(480, 640)
    picture = np.broadcast_to(RED, (48, 64, 3)).copy()
    picture[:, 35:] = BLUE  # the edge lies 30 px beside the line
    found = vote(labels, ink, picture)
    assert found.colors.shape == (3, 3)
    assert close(found.colors[1], RED)
    assert close(found.colors[2], BLUE)


def test_a_region_in_which_the_picture_is_sure_of_two_colours_is_cut_at_its_narrowest() -> None:
    """Two rooms joined by a door that no line closes."""
    labels, ink, picture = page()
    labels[:] = 1
    ink[50:70] = 0  # the door
    picture[:, 83:] = BLUE
    picture[:, :83] = RED
    found = vote(labels, ink, picture)
    left, right = found.labels[10, 10], found.labels[10, 150]
    assert left != right
    assert close(found.colors[left], RED)
    assert close(found.colors[right], BLUE)
    assert (found.labels[:, :70] == left).all()
    assert (found.labels[:, 90:] == right).all()


def test_a_region_that_a_hint_holds_is_not_cut() -> None:
    labels, ink, picture = page()
    labels[:] = 1
    found = vote(labels, ink, picture, fixed=np.array([False, True]))
    assert found.labels.max() == 1


def test_a_pattern_does_not_cut_a_region() -> None:
    labels, ink, _ = page()
    labels[:] = 1
    checks = (np.indices(labels.shape).sum(axis=0) // 2) % 2
    found = vote(labels, np.zeros_like(ink), np.where(checks[..., None] == 1, RED, BLUE).astype(np.float32))
    assert found.labels.max() == 1


def test_a_soft_gradient_does_not_cut_a_region() -> None:
    labels, ink, picture = page()
    labels[:] = 1
    ramp = np.linspace(0, 1, labels.shape[1], dtype=np.float32)[None, :, None]
    found = vote(labels, np.zeros_like(ink), (0.5 + 0.2 * ramp) * np.ones_like(picture))
    assert found.labels.max() == 1


def test_a_region_of_one_pixel_still_votes() -> None:
    labels, ink, picture = page(900, 1200)
    labels[100, 101] = 3
    picture[100, 101] = GREEN
    assert close(vote(labels, ink, picture).colors[3], GREEN)


@given(arrays(np.float32, (12, 3), elements=st.floats(0, 1, width=32)), st.integers(0, 2**32 - 1))
def test_colours_become_equal_only_to_commoner_ones_within_reach(colors: np.ndarray, seed: int) -> None:
    areas = np.random.default_rng(seed).integers(1, 1000, len(colors))
    merged = alike_made_equal(colors, areas, 4.0)
    assert (ciede2000(srgb_to_lab(colors), srgb_to_lab(merged)) <= 4.001).all()
    lab = srgb_to_lab(np.unique(merged, axis=0))
    apart = ciede2000(lab[:, None], lab[None])
    assert (apart[~np.eye(len(lab), dtype=bool)] > 4.0 - 1e-3).all()
