"""Numbers of the networks that Celwright ships: name in, freshly built network out. Loads no weights."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

from celwright.errors import ModelUnavailableError
from celwright.models.autoencoder import Autoencoder
from celwright.models.colorizer import Colorizer
from celwright.models.decomposer import Decomposer
from celwright.models.decomposer_designs import IdentityDecomposer, TwoStageDecomposer

LayerNetwork: TypeAlias = Decomposer | IdentityDecomposer | TwoStageDecomposer
DECOMPOSERS: dict[str, Callable[[], LayerNetwork]] = {
    "embedded": partial(
        Decomposer, widths=(48, 96, 160, 176, 176), depths=(1, 2, 2, 2, 2), depths_up=(1, 2, 2, 1)
    ),
    # two other designs of about as many parameters and multiplications
    "identities": partial(
        IdentityDecomposer, patch=4, widths=(64, 128, 192, 192), depths=(2, 2, 3, 2), depths_up=(2, 1, 1)
    ),
    "two-stage": partial(
        TwoStageDecomposer,
        line={"widths": (24, 56, 96, 96), "depths": (1, 1, 1, 1), "depths_up": (1, 1, 1)},
        rest={"widths": (40, 80, 152, 168, 168), "depths": (1, 1, 2, 2, 2), "depths_up": (1, 2, 2, 1)},
    ),
    # for tests
    "tiny": partial(Decomposer, widths=(8, 12, 16), depths=(1, 1, 1), depths_up=(1, 1)),
}  # fmt: skip

AUTOENCODERS = {
    # channels and blocks at 1/4, channels and blocks at 1/8
    "embedded": {"latent_channels": 16, "encoder": (64, 2, 160, 2), "decoder": (112, 3, 176, 3)},
    "tiny": {"latent_channels": 4, "encoder": (8, 1, 12, 1), "decoder": (8, 1, 12, 1)},
}
COLORIZERS = {
    "embedded": {
        "latent_channels": 16, "widths": (64, 128, 192), "blocks": (2, 2, 2), "structure": (32, 64, 128, 176),
        "heads": 4, "key": 48, "appearance": 64, "hints": 32, "embedding": 192, "histogram_bins": 256,
    },
    "tiny": {
        "latent_channels": 4, "widths": (16, 24, 32), "blocks": (1, 1, 1), "structure": (8, 16, 24, 32),
        "heads": 2, "key": 8, "appearance": 12, "hints": 8, "embedding": 32, "histogram_bins": 256,
    },
}  # fmt: skip


def _choice(kind: str, name: str, presets: Mapping[str, Any]) -> Any:
    if name not in presets:
        known = ", ".join(sorted(presets))
        raise ModelUnavailableError(f"There is no {kind} preset {name!r}; known are {known}: choose one of them.")
    return presets[name]


def build_decomposer(name: str = "embedded") -> LayerNetwork:
    """A network with random weights. Raises ModelUnavailableError for an unknown name."""
    network: LayerNetwork = _choice("decomposer", name, DECOMPOSERS)()
    return network


def build_autoencoder(name: str = "embedded") -> Autoencoder:
    """A network with random weights. Raises ModelUnavailableError for an unknown name."""
    return Autoencoder(**_choice("autoencoder", name, AUTOENCODERS))


def build_colorizer(name: str = "embedded", **switches: bool) -> Colorizer:
    """A network with random weights; ``switches`` (sgm, ismff, correspondence, lgb) leave parts out. Raises
    ModelUnavailableError for an unknown name."""
    return Colorizer(**(_choice("colorizer", name, COLORIZERS) | switches))
