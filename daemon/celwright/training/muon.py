"""An optimiser for weights that multiply: momentum made orthogonal, so that every direction is learnt equally fast.

Muon (Jordan et al., 2024) for matrices and convolutions (torch's own takes matrices only), AdamW for gains, biases and
the layers at a network's rims, whose rows are few. Knows weights by shape and name; nothing of what they do.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

BETAS, DECAY = (0.9, 0.99), 0.01  # of AdamW, in all recipes of small networks; the decay of weights in Muon too
RATE = 12.5  # times AdamW's rate: a step is spread over a matrix's whole spectrum
_MOMENTUM = 0.95
_FEWEST = 16  # rows and columns of a matrix; with fewer there is no spectrum to speak of
_ITERATION = (3.4445, -4.7750, 2.0315)  # a quintic that takes singular values to about 1 in five rounds
_ROUNDS = 5


class Muon(torch.optim.Optimizer):
    """Momentum made orthogonal for ``weights`` of two or more dimensions, of which the first are the rows."""

    def __init__(self, weights: Iterable[nn.Parameter], lr: float, weight_decay: float) -> None:
        super().__init__(weights, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Change the weights by their gradients."""
        for group in self.param_groups:
            rate = RATE * group["lr"]
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                mean = self.state[weight].setdefault("momentum", torch.zeros_like(weight))
                mean.lerp_(weight.grad, 1 - _MOMENTUM)
                weight.mul_(1 - rate * group["weight_decay"])
                weight.sub_(orthogonal(weight.grad.lerp(mean, _MOMENTUM)), alpha=rate)


def orthogonal(update: Tensor) -> Tensor:
    """``update`` (rows, ...) with singular values of about 1, times the root of rows / columns where that is more."""
    wide = update.flatten(1)
    rows, columns = wide.shape
    x = wide.T if rows > columns else wide
    x = (x / (x.norm() + 1e-7)).bfloat16()
    a, b, c = _ITERATION
    for _ in range(_ROUNDS):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    x = x.T if rows > columns else x
    result: Tensor = x.to(update.dtype).reshape(update.shape) * max(1.0, rows / columns) ** 0.5
    return result


class MuonWithAdamW:
    """Muon for the ``network``'s weights that multiply, but for those whose names begin with one of ``rims``, and AdamW
    for all others; to its owner one optimiser."""

    def __init__(self, network: nn.Module, rate: float, rims: tuple[str, ...]) -> None:
        inner: list[nn.Parameter] = []
        others: list[nn.Parameter] = []
        for name, weight in network.named_parameters():
            matrix = weight.ndim > 1 and min(weight.shape[0], weight[0].numel()) >= _FEWEST
            (inner if matrix and not name.startswith(rims) else others).append(weight)
        self._parts = Muon(inner, rate, DECAY), torch.optim.AdamW(others, rate, BETAS, weight_decay=DECAY)

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        return [group for part in self._parts for group in part.param_groups]

    def zero_grad(self, set_to_none: bool = True) -> None:
        for part in self._parts:
            part.zero_grad(set_to_none)

    def step(self) -> None:
        for part in self._parts:
            part.step()

    def state_dict(self) -> dict[str, Any]:
        return {type(part).__name__: part.state_dict() for part in self._parts}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for part in self._parts:
            part.load_state_dict(state[type(part).__name__])
