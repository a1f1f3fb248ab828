"""Line art with its gaps closed and its faded strokes restored, for finding regions; the artist's lines stay as drawn.

Decides the scale at which the network looks, device and number format.
"""

from collections.abc import Callable
from typing import TypeAlias

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from celwright.models.line_completion import LineCompletion
from celwright.models.presets import build_line_completion
from celwright.pipelines.network import best_device, half_is_faster, with_weights
from celwright.regions.trapped_ball import LINE_FROM, line_width
from celwright.weights import registry

Complete: TypeAlias = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
"""(H, W) ink, 255 = line, to the same with lines where they were meant to be."""

_STROKE = 2.5  # px; wider strokes are reduced to about it, as the network has learnt them
_LONGEST = 1536  # px of a page that is looked at
_BESIDE = 1.5  # px at that scale; a completed line so near to ink is that ink


class Completer:
    """The network as a function from ink to completed ink."""

    def __init__(self, network: LineCompletion, device: str | None = None) -> None:
        self.device = device or best_device()
        self.network = network.eval().to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.half = half_is_faster(self.device)

    def __call__(self, ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """``ink`` (H, W), 255 = line, and full ink where the network sees a line and there is none yet."""
        scale = min(1.0, _STROKE / line_width(ink), _LONGEST / max(ink.shape))
        height, width = (max(1, round(side * scale)) for side in ink.shape)
        small = np.asarray(cv2.resize(ink, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        logits = cv2.resize(self._logits(small), ink.shape[::-1], interpolation=cv2.INTER_LINEAR)
        line, drawn = (logits > 0).astype(np.uint8), (ink >= LINE_FROM).astype(np.uint8)
        beside = round(_BESIDE / scale)
        fresh = (line > cv2.dilate(drawn, _disc(beside))).astype(np.uint8)
        if not fresh.any():
            return ink
        # Closed, since specks of paper between what is drawn and what is added would be regions.
        both = cv2.morphologyEx(line | drawn, cv2.MORPH_CLOSE, _disc(beside + 1)) > 0
        return np.where(both & (cv2.dilate(fresh, _disc(2 * beside + 2)) > 0), np.uint8(255), ink)

    def _logits(self, ink: NDArray[np.uint8]) -> NDArray[np.float32]:
        height, width = ink.shape
        stride = self.network.stride
        seen = torch.from_numpy(np.asarray(ink, np.float32) / 255).to(self.device)[None, None]
        seen = F.pad(seen, (0, -width % stride, 0, -height % stride))
        with torch.inference_mode(), torch.autocast(self.device, torch.bfloat16, enabled=self.half):
            logits = self.network(seen.contiguous(memory_format=torch.channels_last))
        return np.ascontiguousarray(logits[0, 0, :height, :width].float().cpu().numpy())


def _disc(radius: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), np.uint8)


def completer(device: str | None = None) -> Completer:
    """The installed network on ``device``, by default the best one. Raises ModelUnavailableError."""
    model = registry.find("complete", "embedded")
    return Completer(with_weights(build_line_completion(model.preset), model), device)
