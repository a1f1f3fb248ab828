"""Claims about regions as a graph."""

import numpy as np
import pytest
from celwright.regions.graph import graph
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays


def test_borders_shares_and_shapes_of_a_small_page() -> None:
    labels = np.zeros((10, 20), np.int32)
    labels[:, :10], labels[:5, 10:], labels[5:, 10:] = 1, 2, 3
    found = graph(labels, 4)
    assert found.share == pytest.approx([0.5, 0.25, 0.25, 0])
    assert found.slimness[0] == pytest.approx(1)
    assert found.slimness[1] == pytest.approx(np.sqrt((5**2 - 1) / (10**2 - 1)), abs=1e-3)
    assert found.touching[0] == pytest.approx([0, 0.5, 0.5, 0])
    assert found.touching[1] == pytest.approx([5 / 15, 0, 10 / 15, 0])
    assert not found.touching[3].any()


@given(arrays(np.int32, (6, 7), elements=st.integers(0, 4)), st.permutations([1, 2, 3, 4]))
def test_numbering_regions_anew_numbers_the_graph_anew(labels: np.ndarray, order: list[int]) -> None:
    number = np.array([0, *order], np.int32)
    found, other = graph(labels, 4), graph(number[labels], 4)
    place = np.array(order) - 1
    assert other.share[place] == pytest.approx(found.share)
    assert other.slimness[place] == pytest.approx(found.slimness, abs=1e-5)
    assert other.touching[np.ix_(place, place)] == pytest.approx(found.touching)
