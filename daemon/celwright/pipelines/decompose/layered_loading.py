"""Qwen-Image-Layered from a diffusers folder, with an adapter, in as little memory as was asked for.

Loading, quantising and offloading are diffusers' own. Knows folders and devices; nothing of pictures.
"""

import shutil
import tempfile
import weakref
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from celwright.errors import ModelUnavailableError, WrongUsageError
from celwright.pipelines.decompose.layered_memory import Offload, Quantize, check_fits, needed, room

Resolution = Literal[640, 1024]
_QUANTIZERS = {"8bit": "bitsandbytes_8bit", "4bit": "bitsandbytes_4bit"}


@dataclass(frozen=True)
class LayeredOptions:
    """``resolution`` is the side of a square of as many pixels as the model works on; ``device`` "auto" or torch's
    name; ``fallback``: the embedded model does it when this one is not here or does not fit."""

    resolution: Resolution = 640
    steps: int = 50
    seed: int = 0
    quantize: Quantize = "none"
    offload: Offload = "none"
    fallback: bool = False
    device: str = "auto"

    def __post_init__(self) -> None:
        if not 2 <= self.steps <= 200:
            raise WrongUsageError(f"The number of steps is {self.steps}; 2 to 200 is allowed.")


def loaded(name: str, base: Path, adapter: Path | None, options: LayeredOptions) -> Any:
    """The diffusers pipeline, ready to be called. Raises ModelUnavailableError when something is missing or it does
    not fit; nothing is loaded then."""
    import torch

    from celwright.models.layered import require_full

    require_full()

    device = options.device if options.device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
    gpu = device.startswith("cuda")
    if options.offload == "cpu" and not gpu:
        raise WrongUsageError(
            f"Offloading to the CPU frees the memory of a GPU, and {device!r} works here: choose --offload disk."
        )
    need = needed(base, options.resolution, options.quantize, options.offload, gpu=gpu)
    check_fits(name, need, room(), options.quantize, options.offload)
    pipeline = _from_folder(base, torch.bfloat16, options)
    _adapt(pipeline, adapter)
    pipeline.set_progress_bar_config(disable=True)
    if options.offload == "cpu":
        pipeline.enable_model_cpu_offload(device=device)
    elif options.offload == "disk":
        _offload_to_disk(pipeline, torch.device(device))
    elif options.quantize == "none":  # quantised components are placed as they are loaded
        pipeline.to(device)
    else:
        pipeline.vae.to(device)
    return pipeline


def _from_folder(base: Path, dtype: Any, options: LayeredOptions) -> Any:
    from diffusers import QwenImageLayeredPipeline

    given: dict[str, Any] = {}
    if options.quantize != "none":
        given["quantization_config"] = _quantization(options.quantize)
    # No processor: it captions pictures that come without a prompt, and ours is fixed.
    return QwenImageLayeredPipeline.from_pretrained(base, processor=None, dtype=dtype, **given)  # type: ignore[no-untyped-call]


def _quantization(quantize: Quantize) -> Any:
    if find_spec("bitsandbytes") is None:
        raise ModelUnavailableError(
            f"Quantising to {quantize} needs bitsandbytes, which is not installed; install it, or leave --quantize out."
        )
    import torch
    from diffusers.quantizers.pipe_quant_config import PipelineQuantizationConfig

    details: dict[str, Any] = {"load_in_8bit": True}
    if quantize == "4bit":
        details = {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_compute_dtype": torch.bfloat16}
    return PipelineQuantizationConfig(_QUANTIZERS[quantize], details, ["transformer", "text_encoder"])


def _adapt(pipeline: Any, adapter: Path | None) -> None:
    from celwright.models.layered import load_adapter

    if adapter is None:
        return
    identity = load_adapter(adapter, pipeline.transformer)
    if identity is not None:
        identity.requires_grad_(False).attach(pipeline.transformer)


def _offload_to_disk(pipeline: Any, device: Any) -> None:
    """Leaf by leaf: weights come from a folder of the system's temporary files, which goes with the pipeline."""
    place = tempfile.mkdtemp(prefix="celwright-")
    weakref.finalize(pipeline, shutil.rmtree, place, ignore_errors=True)
    for name in ("transformer", "text_encoder"):
        from diffusers.hooks.group_offloading import apply_group_offloading

        folder = Path(place) / name
        folder.mkdir()
        apply_group_offloading(
            getattr(pipeline, name), onload_device=device, offload_type="leaf_level", offload_to_disk_path=str(folder)
        )
    pipeline.vae.to(device)
