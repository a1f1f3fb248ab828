"""The recipe of the paper's decomposer: five-tuples in, an adapter for Qwen-Image-Layered out.

The base is frozen. What it needs of the text and of the pictures is computed once, then text encoder and autoencoder
are freed. Stops by the wall clock, resumes, and runs on whatever devices ``accelerate`` finds.
"""

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from celwright.errors import WrongUsageError
from celwright.models.layered import (
    FACTS_FILE,
    RANK,
    LayerSemanticEmbedding,
    add_updates,
    load_adapter,
    require_full,
    save_adapter,
)
from celwright.models.layered_tokens import FRAMES, Prompt, encoded, encoded_prompt, packed, velocity
from celwright.training.five_tuples import five_tuples
from celwright.training.layered_losses import supervision

STATE = ".optimizer.pt"  # hidden, so that models import takes the adapter out of the folder and leaves this


@dataclass(frozen=True)
class LayeredOptions:
    """As in section 5.2. ``base`` is a diffusers folder; ``minutes`` of wall clock in all, resumed runs included;
    ``identities`` and ``layer_wise`` are False in the ablations; ``width`` and ``height`` in pixels. The paper names
    one learning rate; that it rises over the first ``warm_up`` steps and falls over the last ``decay`` of the run
    (0..1) is ours."""

    data: Path
    base: Path
    out: Path
    minutes: float = 40 * 60
    resume: bool = False
    seed: int = 0
    steps: int = 1_000_000
    rank: int = RANK
    learning_rate: float = 1e-4
    warm_up: int = 100
    decay: float = 0.2
    batch: int = 1
    width: int = 768
    height: int = 1152
    half: bool = True  # bfloat16
    checkpointing: bool = True
    identities: bool = True
    layer_wise: bool = True
    save_minutes: float = 10.0


def train(options: LayeredOptions) -> Path:
    """Train until the clock runs out; the adapter's folder, which is ``options.out``. Prints a line of JSON whenever
    it saves. Raises WrongUsageError and ModelUnavailableError."""
    require_full()
    if not options.resume and (options.out / FACTS_FILE).exists():
        raise WrongUsageError(
            f"{options.out} holds an adapter already; go on with it by --resume, or name another folder by --out."
        )
    from accelerate import Accelerator  # type: ignore[import-untyped]

    accelerator = Accelerator()
    pipeline = loaded_base(options.base, torch.bfloat16 if options.half else torch.float32)
    prompt, latents = prepared(pipeline, options, accelerator.device)
    trained(pipeline, prompt, latents, options, accelerator)
    return options.out


def loaded_base(folder: Path, dtype: torch.dtype) -> Any:
    """The diffusers pipeline in ``folder``, without a processor: a fixed prompt needs no captions."""
    require_full()
    if not (folder / "model_index.json").is_file():
        raise WrongUsageError(
            f"{folder} holds no diffusers model (it has no model_index.json); name the folder of Qwen-Image-Layered."
        )
    from diffusers import QwenImageLayeredPipeline

    pipeline: Any = QwenImageLayeredPipeline.from_pretrained(folder, processor=None, dtype=dtype)  # type: ignore[no-untyped-call]
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def prepared(pipeline: Any, options: LayeredOptions, device: Any) -> tuple[Prompt, Tensor]:
    """The prompt, and (N, 5, C, h, w) latents of all five-tuples on the CPU; frees text encoder and autoencoder."""
    pipeline.text_encoder.to(device)
    prompt = encoded_prompt(pipeline)
    pipeline.register_modules(text_encoder=None)
    pipeline.vae.to(device)
    latents = []
    for example in five_tuples(options.data):
        pictures = torch.from_numpy(example.pictures(options.width, options.height).copy())
        latents.append(encoded(pipeline, pictures.permute(0, 3, 1, 2).float() / 127.5 - 1)[:, :, 0].cpu())
    pipeline.vae.to("cpu")
    return prompt, torch.stack(latents)


def rate(options: LayeredOptions, step: int, over: float) -> float:
    """The learning rate at ``step`` (from 0), when the share ``over`` (0..1) of the run is over."""
    rising = min(1.0, (step + 1) / options.warm_up) if options.warm_up else 1.0
    falling = min(1.0, (1 - over) / options.decay) if options.decay else 1.0
    return options.learning_rate * rising * falling


def trained(pipeline: Any, prompt: Prompt, latents: Tensor, options: LayeredOptions, accelerator: Any) -> None:
    """Train on ``latents`` (N, 5, C, h, w), from ``options.out`` when it resumes, and save there."""
    began = time.monotonic()
    torch.manual_seed(options.seed)
    transformer, step, before, state = pipeline.transformer, 0, 0.0, None
    if options.resume and (options.out / STATE).is_file():
        identity = load_adapter(options.out, transformer, trainable=True)
        state = torch.load(options.out / STATE, map_location="cpu", weights_only=True)
        step, before = state["step"], state["seconds"]
    else:
        add_updates(transformer, options.rank)
        identity = LayerSemanticEmbedding(transformer.inner_dim) if options.identities else None
    if options.checkpointing:
        transformer.enable_gradient_checkpointing()
    if identity is not None:
        transformer.layer_identity = identity  # so that it is moved and synchronised with the rest
        identity.attach(transformer)
    learnt = [parameter for parameter in transformer.parameters() if parameter.requires_grad]
    for parameter in learnt:
        parameter.data = parameter.data.float()  # the base is bfloat16, what is learnt is not
    optimizer = torch.optim.AdamW(learnt, lr=options.learning_rate)
    if state is not None:
        optimizer.load_state_dict(state["optimizer"])
    model, optimizer = accelerator.prepare(transformer, optimizer)
    prompt = prompt.to(accelerator.device, transformer.dtype)
    last_save = time.monotonic()

    def save(loss: float) -> None:
        seconds = before + time.monotonic() - began
        if accelerator.is_main_process:
            save_adapter(options.out, transformer, identity)
            part = options.out / f".part{STATE}"
            torch.save({"optimizer": optimizer.state_dict(), "step": step, "seconds": seconds}, part)
            os.replace(part, options.out / STATE)
            print(json.dumps({"step": step, "minutes": round(seconds / 60, 2), "loss": round(loss, 4)}), flush=True)

    def share() -> float:
        """How much of the run is over, by whichever of its two ends is nearer."""
        return max(step / options.steps, (before + time.monotonic() - began) / max(options.minutes * 60, 1e-9))

    recent = 0.0
    while (over := share()) < 1:
        for group in optimizer.param_groups:
            group["lr"] = rate(options, step, over)  # of what is asked for now, resumed or not
        loss = _loss(model, pipeline, prompt, latents, options, accelerator, step)
        accelerator.backward(loss)
        accelerator.clip_grad_norm_(learnt, 1.0)  # a picture nearly without noise gives a gradient far from all others
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step += 1
        recent = 0.95 * recent + 0.05 * loss.item() if recent else loss.item()
        if time.monotonic() - last_save > options.save_minutes * 60:
            save(recent)
            last_save = time.monotonic()
    save(recent)


def _loss(
    model: Any, pipeline: Any, prompt: Prompt, latents: Tensor, options: LayeredOptions, accelerator: Any, step: int
) -> Tensor:
    """Rectified flow (eq. 2 and 3) in diffusers' letters: sigma = 1 - t, and the velocity is x1 - x0, not x0 - x1."""
    number = step * accelerator.num_processes + accelerator.process_index
    random = torch.Generator().manual_seed((options.seed << 32) + number)
    chosen = torch.randint(len(latents), (options.batch,), generator=random)
    x0 = latents[chosen].float()
    x1 = torch.randn(x0.shape, generator=random)
    sigma = torch.rand(options.batch, generator=random)
    device, dtype = accelerator.device, pipeline.transformer.dtype
    noisy = x0 + sigma.view(-1, 1, 1, 1, 1) * (x1 - x0)
    tokens, true = (packed(pipeline, x).to(device) for x in (noisy, x1 - x0))
    condition = packed(pipeline, x0[:, :1]).to(device, dtype)
    with torch.autocast(device.type, torch.bfloat16, enabled=options.half):
        found = velocity(model, tokens.to(dtype), condition, sigma.to(device), prompt, x0.shape[-2:])
    by_frame = (options.batch, FRAMES, -1, tokens.shape[-1])
    return supervision(found.float().view(by_frame), true.view(by_frame), layer_wise=options.layer_wise)
