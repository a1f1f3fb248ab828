import multiprocessing
from contextlib import closing
from functools import partial
from itertools import islice

import numpy as np
import pytest
from celwright.training.painters import Pace, chosen
from celwright.training.samples import batches

numbered = partial(np.full, (2, 2))  # paint(number) is a picture of that number


def test_samples_are_those_of_the_numbers_from_the_first_on():
    with closing(chosen(numbered, 100, 8, Pace(1.0, 16))) as endless:
        seen = {int(sample[0, 0]) for _, samples in islice(endless, 6) for sample in samples}
    assert min(seen) >= 100
    assert len(seen) > 4


@pytest.mark.parametrize("workers", [1, 3])
def test_at_a_steady_pace_the_same_samples_come_however_many_paint(workers):
    """What is due of 4 a batch, each seen twice, is waited for: 4 at first, then 2 more each time, the oldest first."""
    with closing(chosen(numbered, 5, 4, Pace(2.0, 4, workers, steady=True))) as endless:
        seen = [[int(sample[0, 0]) for sample in samples] for _, samples in islice(endless, 6)]
    rng = np.random.default_rng(5)
    pool = list(range(5, 9))
    for i, batch in enumerate(seen):
        for fresh in (9 + 2 * i, 10 + 2 * i):
            pool[(fresh - 9) % 4] = fresh
        assert batch == [pool[place] for place in rng.integers(0, 4, 4)]


def test_closing_ends_the_processes():
    endless = chosen(numbered, 0, 1, Pace(1.0, 4, workers=2))
    next(endless)
    assert len(multiprocessing.active_children()) >= 2
    endless.close()
    assert not multiprocessing.active_children()


def test_scenes_for_decomposition_come_cropped_in_batches():
    with closing(batches(0, 3, lambda: 24, 32, 0.5, Pace(2.0, 4))) as endless:
        batch = next(endless)
    assert tuple(batch.shape) == (3, 16, 24, 24)
    assert str(batch.dtype) == "torch.uint8"


def failing(number):
    if number > 70:
        raise ValueError(f"number {number} cannot be painted")
    return numbered(number)


@pytest.mark.parametrize("first", [0, 71])
def test_a_painter_that_fails_ends_the_training(first, capfd):
    """Before the first sample as well as later: it must not go on with the pool that it has."""
    with (
        pytest.raises(RuntimeError) as raised,
        closing(chosen(failing, first, 8, Pace(1.0, 64))) as endless,
    ):
        for _ in endless:
            pass
    assert str(raised.value) == (
        "1 of 1 processes that paint samples ended (exit status 1); what they printed says why."
    )
    assert "cannot be painted" in capfd.readouterr().err
