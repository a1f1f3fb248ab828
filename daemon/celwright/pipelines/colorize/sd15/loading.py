"""A Stable Diffusion 1.5 from the user's models to a painter, in as little memory as was asked for.

Which of the two presets it becomes is told by its parts: one with SC-MILC's adapter is `sd15-scmilc`, one with a
ControlNet `sd15-lineart`. Knows folders and devices; nothing of pages.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from celwright.errors import ModelUnavailableError, WrongUsageError
from celwright.models.sd15.parts import Parts, parts_in
from celwright.pipelines.decompose.layered_memory import GIB, Need, Room, numbers, room
from celwright.weights.store import Store

if TYPE_CHECKING:
    from celwright.pipelines.colorize.sd15.painters import Painter

Offload = Literal["auto", "none", "cpu"]
Precision = Literal["auto", "fp16", "bf16", "fp32"]
SIDE = 512  # px; what Stable Diffusion 1.5 was trained at
_OURS = "embedded"  # what comes with Celwright, whatever that is here


@dataclass(frozen=True)
class Sd15Options:
    """``device`` "auto" or torch's name; ``precision`` "auto": fp16 on a GPU, fp32 elsewhere; ``offload`` "cpu": only
    what works is on the GPU, "auto": so where all does not fit there; ``fallback``: what comes with Celwright does it
    when this is not here or does not fit."""

    device: str = "auto"
    precision: Precision = "auto"
    offload: Offload = "auto"
    fallback: bool = False


def located(store: Store, name: str) -> list[Path]:
    """The folders of ``name``, which is one model or several, joined by +. Raises ModelUnavailableError for a model
    that is not here or is damaged."""
    here = [model for model in store.installed() if store.manifest(model).task == "colorize"]
    for part in name.split("+"):
        if part not in here:
            names = ", ".join(map(repr, [_OURS, *here]))
            raise ModelUnavailableError(
                f"The model {part!r} is not installed; {names} can colorize: choose one of them, or get it with "
                f"celwright models pull or import."
            )
    return [store.path("colorize", part) for part in name.split("+")]


def loaded(name: str, folders: list[Path], options: Sd15Options) -> "Painter":
    """Ready to paint. Raises ModelUnavailableError when something is missing or it does not fit, WrongUsageError when
    its parts make none of the presets; nothing is loaded then."""
    import torch

    from celwright.models.layered import require_full

    require_full()
    parts = checked(name, parts_in(name, folders))
    device = options.device if options.device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
    gpu = device.startswith("cuda")
    if options.offload == "cpu" and not gpu:
        raise WrongUsageError(
            f"Offloading to the CPU frees the memory of a GPU, and {device!r} works here: leave --offload out."
        )
    precision = options.precision if options.precision != "auto" else "fp32" if device == "cpu" else "fp16"
    dtype = {"fp16": torch.float16, "bf16": torch.bfloat16, "fp32": torch.float32}[precision]
    offload, there = options.offload, room()
    if offload == "auto":
        offload = "cpu" if gpu and needed(parts, precision, "none", gpu=True).gpu > there.gpu else "none"
    check_fits(name, needed(parts, precision, offload, gpu=gpu), there, precision, offload, gpu=gpu)
    return placed(parts, dtype, device, offload)


def checked(name: str, parts: Parts) -> Parts:
    """Raises WrongUsageError unless the parts make one of the presets."""
    if parts.controlnet is None and parts.scmilc is None:
        raise WrongUsageError(
            f"The model {name!r} cannot see line art: it has neither a line-art ControlNet nor an SC-MILC adapter; "
            f"name one behind it: {name}+CONTROLNET."
        )
    if parts.ip_adapter is not None and parts.image_encoder is None:
        raise WrongUsageError(
            f"The IP-Adapter {parts.ip_adapter} of the model {name!r} has no image encoder; import the config.json and "
            f"model.safetensors of its image_encoder folder together with it."
        )
    return parts


def placed(parts: Parts, dtype: Any, device: str, offload: Offload) -> "Painter":
    """The parts loaded in ``dtype`` (torch's), on ``device`` or, offloaded, on their way to it when they are called."""
    import torch

    from celwright.models.sd15.adapters import load_adapter
    from celwright.models.sd15.base import loaded_base
    from celwright.pipelines.colorize.sd15.painters import LineArtPainter, ScMilcPainter

    pipeline, adapter = loaded_base(parts, dtype), None
    if parts.scmilc is not None:
        adapter = load_adapter(parts.scmilc, pipeline.unet).requires_grad_(False).to(device)
    if offload == "cpu":
        pipeline.enable_model_cpu_offload(device=device)
    else:
        pipeline.to(device)
    where = torch.device(device)
    if adapter is not None:
        return ScMilcPainter(pipeline, adapter, where, SIDE)
    return LineArtPainter(pipeline, where, few_steps=parts.update is not None)


def needed(parts: Parts, precision: str, offload: Offload, *, gpu: bool) -> Need:
    """What colouring takes: weights by the headers of their files, and roughly what the autoencoder's widest level
    takes of a picture."""
    each = 4 if precision == "fp32" else 2  # bytes
    size = {name: sum(map(numbers, files)) * each for name, files in parts.weights().items()}
    work = SIDE**2 * 256 * each * 6  # channels there, and tensors of its size at once
    everything = sum(size.values())
    if not gpu:
        return Need(everything + work, 0)
    if offload == "none":
        return Need(everything, everything + work)  # it is loaded whole before it goes there
    together = ("unet", "controlnet", "ip_adapter", "scmilc")  # of which a step needs all
    step = sum(size.get(name, 0) for name in together)
    return Need(everything, max(step, size["text_encoder"], size.get("image_encoder", 0)) + work)


def check_fits(name: str, need: Need, there: Room, precision: str, offload: Offload, *, gpu: bool) -> None:
    """Raises ModelUnavailableError, naming what would help, unless the model fits."""
    for kind, wanted, free in (("GPU memory", need.gpu, there.gpu), ("memory", need.ram, there.ram)):
        if wanted > free:
            advice = ["--precision bf16"] if precision == "fp32" and not gpu else []
            advice += ["--precision fp16"] if precision == "fp32" and gpu else []
            advice += ["--offload cpu"] if kind == "GPU memory" and offload == "none" else []
            advice.append("what comes with Celwright (--fallback takes it by itself)")
            raise ModelUnavailableError(
                f"The model {name!r} needs about {wanted / GIB:.1f} GiB of {kind} and {free / GIB:.1f} GiB are free; "
                f"try {', '.join(advice[:-1])}{' or ' if len(advice) > 1 else ''}{advice[-1]}."
            )
