"""The decomposer network as a plain function from pixels to planes. Decides device and number format."""

from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from celwright.domain import FloatImage
from celwright.errors import UnusableInputError
from celwright.models.presets import LayerNetwork, build_decomposer
from celwright.weights import registry

_Network = TypeVar("_Network", bound=nn.Module)


def predictor(name: str, device: str | None = None) -> "Predictor":
    """The installed decomposer of that name, ready to run on ``device``, the best one by default. Raises
    ModelUnavailableError."""
    model = registry.find("decompose", name)
    return Predictor(with_weights(build_decomposer(model.preset), model), device)


def predictor_of(path: Path, device: str | None = None) -> "Predictor":
    """The decomposer of a weights file as training exports it. Raises UnusableInputError when it is none."""
    try:
        with safe_open(path, "pt") as file:
            network = build_decomposer((file.metadata() or {}).get("preset", "embedded"))
            network.load_state_dict({key: file.get_tensor(key).float() for key in file.keys()})  # noqa: SIM118
    except (OSError, SafetensorError, RuntimeError) as fault:
        raise UnusableInputError(
            f"The weights {path} cannot be read as a decomposer's ({str(fault).splitlines()[0]}); "
            f"a safetensors file from celwright train decomposer is needed."
        ) from fault
    return Predictor(network, device)


class Predictor:
    """(h, w, 3) of 8 or 16 bit -> (h, w, 13) float32, 0..1: line alpha, line colour, flat, shadow, highlight."""

    def __init__(self, network: LayerNetwork, device: str | None = None) -> None:
        self.device = device or best_device()
        self.network = network.eval().to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.half = half_is_faster(self.device)

    def __call__(self, pixels: NDArray[Any]) -> FloatImage:
        height, width = pixels.shape[:2]
        picture = torch.from_numpy(pixels.astype(np.float32) / np.iinfo(pixels.dtype).max).to(self.device)
        stride = self.network.stride
        picture = picture.permute(2, 0, 1)[None]
        picture = F.pad(picture, (0, -width % stride, 0, -height % stride), mode="replicate")
        with torch.inference_mode(), torch.autocast(self.device, torch.bfloat16, enabled=self.half):
            planes: Tensor = torch.cat(self.network(picture.contiguous(memory_format=torch.channels_last)), dim=1)
        result = planes[0, :, :height, :width].float().clamp(0, 1).permute(1, 2, 0)
        return np.ascontiguousarray(result.cpu().numpy())


def with_weights(network: _Network, model: registry.EmbeddedModel) -> _Network:
    """The same network with the installed weights of ``model``. Raises ModelUnavailableError."""
    stored = load_file(registry.verified_path(model))
    network.load_state_dict({key: value.float() for key, value in stored.items()})
    return network


def half_is_faster(device: str) -> bool:
    """Whether networks on ``device`` are to compute in bfloat16."""
    return device == "cuda" or (device == "cpu" and bfloat16_is_faster())


def best_device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def device_in_words() -> str:
    """The device, torch's version and, on a CPU, its threads."""
    device = best_device()
    name = torch.cuda.get_device_name() if device == "cuda" else device
    return f"{name}, torch {torch.__version__}, {torch.get_num_threads()} threads"


def bfloat16_is_faster() -> bool:
    """Whether this CPU has instructions for bfloat16: with them it is two to three times as fast as float32, emulated
    several times slower. Asked and not timed, since a picture must give the same layers however busy the machine is."""
    told: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()  # an older torch does not tell
    return any(known is True for name, known in told.items() if name.endswith("bf16"))
