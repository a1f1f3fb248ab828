"""The installed colour networks, ready to sample. Decides device and number format."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import nn

from celwright.domain import FloatImage, Pixels
from celwright.models.color_latents import ColorLatents
from celwright.models.presets import build_colorizer
from celwright.pipelines.colorize.conditions import ColorNetworks
from celwright.pipelines.colorize.reference_view import Look
from celwright.pipelines.decompose.estimates import on_white
from celwright.pipelines.decompose.flattening import flattened
from celwright.pipelines.network import Predictor, best_device, bfloat16_is_faster, predictor
from celwright.weights import registry

_FLAT = slice(4, 7)  # the planes of the flat in what the decomposer finds
Network = TypeVar("Network", bound=nn.Module)


def color_networks(name: str, device: str | None = None) -> ColorNetworks:
    """The installed colorizer of that name on ``device``, by default the best one. Raises ModelUnavailableError."""
    on = device or best_device()
    colorizer = _filled(build_colorizer, registry.find("colorize", name), on)
    half = on == "cuda" or (on == "cpu" and bfloat16_is_faster())
    found = predictor("embedded", on)
    return ColorNetworks(ColorLatents(), colorizer, ReferenceInk(found), on, half, reference_look(found))


def _filled(build: Callable[[str], Network], model: registry.EmbeddedModel, device: str) -> Network:
    network = build(model.preset)
    stored = load_file(registry.verified_path(model))
    network.load_state_dict({key: value.float() for key, value in stored.items()})
    return network.eval().to(device)


def reference_look(decomposer: Callable[[NDArray[Any]], FloatImage]) -> Look:
    """Ink and flat colours of a finished drawing, by the decomposer."""

    def look(picture: Pixels) -> FloatImage:
        white = on_white(picture)
        planes = flattened(white, decomposer(white))
        ink = planes[..., 0] * (1 - planes[..., 1:4].mean(axis=2))
        return np.dstack([ink, planes[..., _FLAT]])

    return look


class ReferenceInk:
    """Ink (H, W), 0..1, of a finished drawing, by the decomposer's line layer."""

    def __init__(self, decomposer: Predictor) -> None:
        self._decomposer = decomposer

    def __call__(self, picture: Pixels) -> NDArray[np.float32]:
        planes = self._decomposer(on_white(picture))
        return np.asarray(planes[..., 0] * (1 - planes[..., 1:4].mean(axis=2)), np.float32)
