"""What a pass may change, and what of the colours so far it must keep bit for bit.

Inside the selection everything is new, whatever the context shows there; outside, and wherever the lock is not 0, the
context stays. A lock has no soft edge, so that ten passes change it as little as one. Knows no regions.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from celwright.domain import ColorizeRequest, Pixels
from celwright.errors import WrongUsageError

_BAND = 256  # rows mixed at once: bounds the memory of float planes


def check_context(request: ColorizeRequest) -> None:
    if request.context is not None and request.context.depth != request.line_art.depth:
        raise WrongUsageError(
            f"The context has {request.context.depth} bits a channel, the line art {request.line_art.depth}; both must "
            f"match so that kept pixels stay as they are: convert one of them."
        )


def change_allowed(request: ColorizeRequest) -> NDArray[np.uint8] | None:
    """(H, W) how much each pixel may change, 255 = wholly; None when all may. A lock keeps wherever it is not 0."""
    if request.selection is None and request.lock is None:
        return None
    if request.selection is not None:
        change = request.selection.coverage()
    else:
        change = np.full((request.line_art.height, request.line_art.width), 255, np.uint8)
    if request.lock is not None:
        change = np.where(request.lock.coverage() > 0, np.uint8(0), change)
    return change


def within_context(change: NDArray[np.uint8] | None, new: NDArray[Any], context: Pixels | None) -> NDArray[Any]:
    """(H, W, 4) the new colours in the context: bit-equal to the one or the other where ``change`` is 255 or 0."""
    if change is None:
        return new
    old = np.zeros_like(new) if context is None else context.rgba().data
    result = np.where((change == 255)[..., None], new, old)
    for top in range(0, len(new), _BAND):
        rows = slice(top, top + _BAND)
        soft = (change[rows] > 0) & (change[rows] < 255)
        if soft.any():
            share = change[rows][soft, None].astype(np.float32) / np.float32(255)
            result[rows][soft] = _mixed(old[rows][soft], new[rows][soft], share)
    return result


def _mixed(old: NDArray[Any], new: NDArray[Any], share: NDArray[np.float32]) -> NDArray[Any]:
    """(N, 4) straight RGBA with ``share`` (N, 1) of the new colours, weighed by alpha."""
    before = old[:, 3:].astype(np.float32) * (1 - share)
    after = new[:, 3:].astype(np.float32) * share
    alpha = before + after
    color = (old[:, :3] * before + new[:, :3] * after) / np.maximum(alpha, np.float32(1e-9))
    return np.asarray(np.rint(np.concatenate([color, alpha], axis=1)), new.dtype)
