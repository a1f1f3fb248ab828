"""Classifier-free guidance with a scale for each condition.

x = x(c) + sum_i (s_i - 1) (x(c) - x(c without i)): scale 1 takes a condition as it was learnt, more exaggerates it, 0
with a single condition ignores it. With one condition this is the formula of Ho & Salimans (2022). Every scale that is
not 1 costs a call more. Knows conditions only as something the network takes.
"""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from torch import Tensor

C = TypeVar("C")


class Guided(Generic[C]):
    """A denoiser for ``sample``. ``predict`` gives the clean latents for noisy ones, timesteps and conditions;
    ``without`` lists, for each guided condition, its scale and all conditions but that one."""

    def __init__(
        self, predict: Callable[[Tensor, Tensor, C], Tensor], conditions: C, without: Sequence[tuple[float, C]] = ()
    ) -> None:
        self.predict, self.conditions = predict, conditions
        self.without = [(scale, rest) for scale, rest in without if scale != 1]

    def __call__(self, noisy: Tensor, t: Tensor) -> Tensor:
        full = self.predict(noisy, t, self.conditions)
        result = full
        for scale, rest in self.without:
            result = result + (scale - 1) * (full - self.predict(noisy, t, rest))
        return result
