"""How much memory a full-size model will take, told before anything of it is loaded, and whether there is that much.

Weights are counted from the headers of their files; what the work itself takes is a rough estimate. Knows folders and
sizes; loads nothing.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from celwright.errors import ModelUnavailableError

Quantize = Literal["none", "8bit", "4bit"]
Offload = Literal["none", "cpu", "disk"]

COMPONENTS = ("text_encoder", "transformer", "vae")
_QUANTIZED = ("text_encoder", "transformer")  # the autoencoder is small, and must be exact
_BYTES: dict[Quantize, float] = {"none": 2, "8bit": 1.1, "4bit": 0.6}  # a number; quantised ones with their scales
_LIVE = 24  # tensors of the token stream's size that a block holds at once
GIB = float(2**30)


@dataclass(frozen=True)
class Need:
    """Bytes: ``ram`` of the machine and ``gpu`` of the device, 0 where the CPU does all."""

    ram: float
    gpu: float


@dataclass(frozen=True)
class Room:
    """Free bytes now."""

    ram: float
    gpu: float


def weights(folder: Path) -> dict[str, int]:
    """Numbers of each component, from the headers of its safetensors files. Raises ModelUnavailableError."""
    found = {}
    for component in COMPONENTS:
        files = sorted((folder / component).glob("*.safetensors"))
        if not files:
            raise ModelUnavailableError(
                f"{folder / component} holds no safetensors file; get the whole model again with celwright models pull "
                f"or import."
            )
        found[component] = sum(map(numbers, files))
    return found


def numbers(path: Path) -> int:
    """How many a safetensors file holds, by its header."""
    try:
        with path.open("rb") as stream:
            header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
    except (OSError, ValueError) as fault:
        raise ModelUnavailableError(f"{path} is damaged ({fault}); get the model again.") from fault
    return sum(math.prod(entry["shape"]) for name, entry in header.items() if name != "__metadata__")


def needed(folder: Path, resolution: int, quantize: Quantize, offload: Offload, *, gpu: bool) -> Need:
    """What decomposing at ``resolution`` takes with the model in ``folder``."""
    size = {name: count * _BYTES[quantize if name in _QUANTIZED else "none"] for name, count in weights(folder).items()}
    work = _work(folder, resolution)
    everything, largest = sum(size.values()), max(size.values())
    if offload == "disk":  # one component at a time passes through memory on its way to the disk
        held = largest
        return Need(held, work) if gpu else Need(held + work, 0)
    if not gpu:
        return Need(everything + work, 0)
    return Need(everything, largest + work) if offload == "cpu" else Need(largest, everything + work)


def _work(folder: Path, resolution: int) -> float:
    """Token streams through a block, or four pictures through the autoencoder's widest level, whatever is more."""
    transformer, vae = (json.loads((folder / part / "config.json").read_text()) for part in ("transformer", "vae"))
    width = transformer["num_attention_heads"] * transformer["attention_head_dim"]
    reduction = 2 ** len(vae["temperal_downsample"])
    tokens = 6 * (resolution / reduction / 2) ** 2
    return float(max(tokens * width * _LIVE, 4 * resolution**2 * vae["base_dim"] * 4) * 2)


def room() -> Room:
    """What is free on this machine and its first GPU."""
    import psutil  # type: ignore[import-untyped]
    import torch

    free = torch.cuda.mem_get_info()[0] if torch.cuda.is_available() else 0
    return Room(psutil.virtual_memory().available, free)


def check_fits(name: str, need: Need, there: Room, quantize: Quantize, offload: Offload) -> None:
    """Raises ModelUnavailableError, naming what would help, unless the model fits."""
    for kind, wanted, free in (("GPU memory", need.gpu, there.gpu), ("memory", need.ram, there.ram)):
        if wanted > free:
            advice = [f"--quantize {better}" for better in _BYTES if _BYTES[better] < _BYTES[quantize]]
            if kind == "GPU memory" and offload == "none":
                advice.append("--offload cpu")
            advice += ["--offload disk"] if offload != "disk" else []
            advice.append("the embedded model (--fallback takes it by itself)")
            raise ModelUnavailableError(
                f"The model {name!r} needs about {wanted / GIB:.1f} GiB of {kind} and {free / GIB:.1f} GiB are free; "
                f"try {', '.join(advice[:-1])}{' or ' if len(advice) > 1 else ''}{advice[-1]}."
            )
