"""Characters of solids are projected as they stand in space."""

import numpy as np
from celwright.training.drawing.dolls import Space, doll
from celwright.training.drawing.identity import identity
from hypothesis import given
from hypothesis import strategies as st

ANGLES = st.tuples(*[st.floats(-3, 3)] * 3)
MIDDLE, RADII = np.array([0.3, -0.2, 0.5]), np.array([1.0, 0.4, 0.7])


def turned(angles: tuple[float, float, float]) -> Space:
    return Space([], np.eye(3), np.zeros(3)).turned(angles, np.array([1.0, 2.0, 0.0]))


def drawn(space: Space) -> list[str]:
    """The parts of all marks, as they are drawn one over the other."""
    return [mark.part for mark in space.drawing().marks]


@given(ANGLES)
def test_the_outline_of_a_turned_ball_just_holds_its_surface(angles: tuple[float, float, float]) -> None:
    space = turned(angles)
    space.ball("skin", MIDDLE, RADII)
    outline = space.drawing().marks[0].points
    surface = np.random.default_rng(0).normal(size=(4000, 3))
    surface = space.seen(MIDDLE + surface / np.linalg.norm(surface, axis=1, keepdims=True) * RADII)[:, :2]
    towards = np.stack([np.cos(np.arange(12)), np.sin(np.arange(12))])
    np.testing.assert_allclose((outline @ towards).max(0), (surface @ towards).max(0), atol=0.03)


@given(ANGLES)
def test_a_dot_is_drawn_on_the_side_that_is_seen_and_lies_in_the_outline(angles: tuple[float, float, float]) -> None:
    space = turned(angles)
    space.ball("skin", np.zeros(3), np.ones(3), (("eye", np.array([0.0, 0.0, 1.0]), 0.1),))
    assert drawn(space) == (["skin", "eye"] if space.turn[2, 2] > 0 else ["skin"])


def test_what_is_nearer_is_drawn_over_what_is_farther_and_turning_round_changes_that() -> None:
    for yaw, order in ((0.0, ["cape", "cloth"]), (np.pi, ["cloth", "cape"])):
        space = turned((yaw, 0, 0))
        space.ball("cape", np.array([0.0, 0.0, -1.0]), RADII)
        space.ball("cloth", np.array([0.0, 0.0, 1.0]), RADII)
        assert drawn(space) == order


def test_a_box_shows_three_faces_and_a_rod_holds_both_of_its_ends() -> None:
    space = turned((0.4, 0.3, 0.2))
    space.box("metal", MIDDLE, RADII)
    assert drawn(space) == ["metal"] * 3
    space = turned((0, 0, 0))
    space.rod("skin", np.zeros(3), np.array([0.0, 2.0, 1.0]), (0.5, 0.25))
    outline = space.drawing().marks[0].points
    np.testing.assert_allclose(outline.min(0), (-0.5, -0.5), atol=0.01)
    np.testing.assert_allclose(outline.max(0), (0.5, 2.25), atol=0.01)


def test_one_doll_in_eighty_poses_shows_its_face_mostly_and_its_back_now_and_then() -> None:
    who = identity(2, "doll")
    faces = ["eye" in [mark.part for mark in doll(who, np.random.default_rng(pose)).marks] for pose in range(80)]
    assert 50 < sum(faces) < 78
