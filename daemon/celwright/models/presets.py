"""Numbers of the networks that Celwright ships: name in, freshly built network out. Loads no weights."""

from celwright.errors import ModelUnavailableError
from celwright.models.decomposer import Decomposer

DECOMPOSERS = {
    "embedded": {"widths": (48, 96, 160, 176, 176), "depths": (1, 2, 2, 2, 2), "depths_up": (1, 2, 2, 1)},
    # for tests
    "tiny": {"widths": (8, 12, 16), "depths": (1, 1, 1), "depths_up": (1, 1)},
}


def build_decomposer(name: str = "embedded") -> Decomposer:
    """A network with random weights. Raises ModelUnavailableError for an unknown name."""
    if name not in DECOMPOSERS:
        known = ", ".join(sorted(DECOMPOSERS))
        raise ModelUnavailableError(f"There is no decomposer preset {name!r}; known are {known}: choose one of them.")
    return Decomposer(**DECOMPOSERS[name])
