"""Numbers of the networks that Celwright ships: name in, freshly built network out. Loads no weights."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

from celwright.errors import ModelUnavailableError
from celwright.models.colorizer import RegionColorizer
from celwright.models.decomposer import Decomposer
from celwright.models.decomposer_designs import IdentityDecomposer, TwoStageDecomposer
from celwright.models.line_completion import LineCompletion

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

COLORIZERS = {
    "embedded": {"widths": (32, 64, 128, 176), "width": 192, "depth": 8, "heads": 6, "histogram_bins": 256},
    "tiny": {"widths": (8, 12, 16, 24), "width": 24, "depth": 2, "heads": 2, "histogram_bins": 256},
}

LINE_COMPLETIONS = {
    "embedded": {"widths": (24, 48, 96, 128, 128), "depths": (1, 1, 2, 2, 2), "depths_up": (1, 1, 2, 1)},
    "tiny": {"widths": (8, 12, 16), "depths": (1, 1, 1), "depths_up": (1, 1)},
}


def _choice(kind: str, name: str, presets: Mapping[str, Any]) -> Any:
    if name not in presets:
        known = ", ".join(sorted(presets))
        raise ModelUnavailableError(f"There is no {kind} preset {name!r}; known are {known}: choose one of them.")
    return presets[name]


def build_decomposer(name: str = "embedded") -> LayerNetwork:
    """A network with random weights. Raises ModelUnavailableError for an unknown name."""
    network: LayerNetwork = _choice("decomposer", name, DECOMPOSERS)()
    return network


def build_colorizer(name: str = "embedded", **switches: bool) -> RegionColorizer:
    """A network with random weights; ``switches`` (sgm, ismff, lgb) leave parts out. Raises ModelUnavailableError for
    an unknown name."""
    return RegionColorizer(**(_choice("colorizer", name, COLORIZERS) | switches))


def build_line_completion(name: str = "embedded") -> LineCompletion:
    """A network with random weights. Raises ModelUnavailableError for an unknown name."""
    return LineCompletion(**_choice("line completion", name, LINE_COMPLETIONS))
