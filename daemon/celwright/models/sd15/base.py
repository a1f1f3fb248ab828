"""A Stable Diffusion 1.5 with its additions, from folders to one diffusers pipeline.

Nothing of diffusers is changed: the base, a ControlNet, an IP-Adapter and a low-rank update are loaded as diffusers
loads them, from safetensors alone. Knows folders and number formats; neither pictures nor sampling.
"""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from celwright.errors import ModelUnavailableError
from celwright.models.sd15.parts import Parts, variant

# The fixed prompt: what the picture is like, not what it shows.
PROMPT = "anime illustration, cel shading, clean flat colors, white background"
NEGATIVE = "monochrome, greyscale, sketch, photo, text, watermark, lowres, blurry"
REDUCTION = 8  # pixels a side of a latent cell
STRIDE = 64  # px; sides that are multiples of it are whole numbers of cells at every level of the UNet


def loaded_base(parts: Parts, dtype: torch.dtype) -> Any:
    """The diffusers pipeline with everything in ``parts`` but our own adapter, on the CPU. Raises
    ModelUnavailableError when a file is missing, damaged or of another kind of model."""
    import diffusers

    kinds: Any = diffusers  # whose classes are untyped
    given: dict[str, Any] = {"dtype": dtype}
    kind = kinds.StableDiffusionPipeline
    try:
        if parts.controlnet is not None:
            kind = kinds.StableDiffusionControlNetPipeline
            given["controlnet"] = kinds.ControlNetModel.from_pretrained(
                parts.controlnet, torch_dtype=dtype, use_safetensors=True, variant=variant(parts.controlnet)
            )
        if parts.image_encoder is not None:
            given["image_encoder"] = _image_encoder(parts.image_encoder, dtype)
        if parts.scmilc is not None and (parts.scmilc / "unet").is_dir():
            given["unet"] = kinds.UNet2DConditionModel.from_pretrained(parts.scmilc / "unet", torch_dtype=dtype)
        pipeline = kind.from_pretrained(
            parts.base, safety_checker=None, requires_safety_checker=False, feature_extractor=None,
            use_safetensors=True, variant=variant(parts.base / "unet"), **given,
        )  # fmt: skip
        pipeline.set_progress_bar_config(disable=True)
        _check_kind(parts.base, pipeline)
        if parts.ip_adapter is not None:
            pipeline.load_ip_adapter(str(parts.ip_adapter.parent), subfolder="", weight_name=parts.ip_adapter.name)
        if parts.update is not None:
            pipeline.load_lora_weights(str(parts.update.parent), weight_name=parts.update.name)
            pipeline.fuse_lora()
    except (OSError, RuntimeError, ValueError, KeyError, TypeError) as fault:
        raise ModelUnavailableError(
            f"{parts.base} with its additions cannot be loaded ({str(fault).partition(chr(10))[0].rstrip('.')}); all "
            f"parts must be made for Stable Diffusion 1.5: get or choose them again."
        ) from fault
    return pipeline


def _image_encoder(folder: Path, dtype: torch.dtype) -> Any:
    from transformers import CLIPVisionModelWithProjection

    encoder: Any = CLIPVisionModelWithProjection
    return encoder.from_pretrained(folder, dtype=dtype, use_safetensors=True)


def _check_kind(folder: Path, pipeline: Any) -> None:
    channels, wanted = pipeline.unet.config.in_channels, pipeline.scheduler.config.get("prediction_type", "epsilon")
    if channels != 4 or wanted != "epsilon":
        raise ModelUnavailableError(
            f"{folder} is no Stable Diffusion 1.5 (its UNet takes {channels} channels and predicts {wanted}; 4 and "
            f"epsilon are needed): choose another base."
        )


@torch.no_grad()
def encoded(pipeline: Any, pictures: Tensor) -> Tensor:
    """(B, 4, H / 8, W / 8) latents, scaled, of pictures (B, 3, H, W), 0..1."""
    vae = pipeline.vae
    latents: Tensor = vae.encode((pictures * 2 - 1).to(vae.dtype)).latent_dist.mode() * vae.config.scaling_factor
    return latents


@torch.no_grad()
def decoded(pipeline: Any, latents: Tensor) -> Tensor:
    """(B, 3, H, W), 0..1, float32."""
    vae = pipeline.vae
    pictures: Tensor = vae.decode(latents.to(vae.dtype) / vae.config.scaling_factor, return_dict=False)[0]
    clipped: Tensor = (pictures.float() / 2 + 0.5).clamp(0, 1)
    return clipped


@torch.no_grad()
def encoded_prompts(pipeline: Any, device: Any) -> tuple[Tensor, Tensor]:
    """(1, 77, C) each: PROMPT and NEGATIVE."""
    prompt, negative = pipeline.encode_prompt(PROMPT, device, 1, True, NEGATIVE)
    return prompt, negative
