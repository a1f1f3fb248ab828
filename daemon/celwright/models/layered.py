"""The layer-decomposition paper's additions to Qwen-Image-Layered: layer identities and low-rank updates.

The transformer itself stays as diffusers has it: the identities are a forward hook on its token projection, the updates
are peft's. Both are saved apart from the base, as a folder of safetensors. Knows neither pictures nor sampling.
"""

import json
import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from celwright.errors import ModelUnavailableError, UnusableInputError

LAYERS = ("line", "flat", "light", "shadow")
SEGMENTS = 2 + len(LAYERS)  # of the token stream: the composite, the layers, the condition picture
RANK = 32
PROMPT = "Anime illustration, layered rendering, lineart layer, flat color layer, light layer, shadow layer"
LORA_FILE, IDENTITY_FILE, FACTS_FILE = "pytorch_lora_weights.safetensors", "lse.safetensors", "layered.json"

# The image's and the text's projections of an MMDiT block.
_PROJECTIONS = ["to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out"]
_TEXT_ONLY = ("add_q_proj", "to_add_out")  # of use to the text alone, which nothing reads after the last block


def require_full() -> None:
    """Raises ModelUnavailableError unless what full-size models need is installed."""
    missing = [name for name in ("transformers", "peft", "accelerate") if find_spec(name) is None]
    if missing:
        raise ModelUnavailableError(
            f"Full-size models need {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not "
            f"installed; install celwright[full]."
        )


class LayerSemanticEmbedding(nn.Module):
    """E (eq. 4): one row of ``width`` numbers a layer, from N(0, 0.02^2), added to that layer's tokens."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.rows = nn.Parameter(torch.empty(len(LAYERS), width).normal_(std=0.02))

    def forward(self, tokens: Tensor) -> Tensor:
        """``tokens`` (B, 6 n, C): composite, line, flat, light, shadow, condition. The first and the last are left as
        they are."""
        batch, count, width = tokens.shape
        if count % SEGMENTS:
            raise ValueError(f"{count} tokens are not {SEGMENTS} segments of one length.")
        edge = torch.zeros(1, width, device=tokens.device, dtype=tokens.dtype)
        segments = torch.cat([edge, self.rows.to(tokens), edge])
        added: Tensor = tokens.view(batch, SEGMENTS, -1, width) + segments[None, :, None]
        return added.view(batch, count, width)

    def attach(self, transformer: Any) -> RemovableHandle:
        """Have ``transformer`` add the rows from now on, until the handle's ``remove()`` (or leaving its ``with``)."""

        def hook(_module: nn.Module, _inputs: tuple[Any, ...], tokens: Tensor) -> Tensor:
            added: Tensor = self(tokens)
            return added

        handle: RemovableHandle = transformer.img_in.register_forward_hook(hook)
        return handle


def add_updates(transformer: Any, rank: int = RANK) -> None:
    """Freeze ``transformer`` and give its attention projections updates A B of ``rank`` (eq. 5), all trainable and
    together zero."""
    from peft import LoraConfig

    transformer.requires_grad_(False)
    last = f"transformer_blocks.{len(transformer.transformer_blocks) - 1}.attn"
    transformer.add_adapter(
        LoraConfig(
            r=rank, lora_alpha=rank, init_lora_weights="gaussian", target_modules=_PROJECTIONS,
            exclude_modules=[f"{last}.{name}" for name in _TEXT_ONLY],
        )
    )  # fmt: skip


def updates(transformer: Any) -> Iterator[nn.Parameter]:
    """The trainable numbers of ``transformer``: those of its updates."""
    return (parameter for parameter in transformer.parameters() if parameter.requires_grad)


def save_adapter(folder: Path, transformer: Any, identity: LayerSemanticEmbedding | None) -> None:
    """Write updates (in diffusers' format), identities and facts into ``folder``, each whole or not at all."""
    from diffusers import QwenImageLayeredPipeline
    from peft import get_peft_model_state_dict

    folder.mkdir(parents=True, exist_ok=True)
    state = {key: value.float() for key, value in get_peft_model_state_dict(transformer).items()}
    part = f"part-{LORA_FILE}"
    QwenImageLayeredPipeline.save_lora_weights(folder, transformer_lora_layers=state, weight_name=part)
    os.replace(folder / part, folder / LORA_FILE)
    if identity is not None:
        save_file({"rows": identity.rows.detach().float().cpu().contiguous()}, folder / f"part-{IDENTITY_FILE}")
        os.replace(folder / f"part-{IDENTITY_FILE}", folder / IDENTITY_FILE)
    rank = next(iter(transformer.peft_config.values())).r
    facts = {"rank": rank, "layers": LAYERS, "prompt": PROMPT, "identities": identity is not None}
    (folder / f"part-{FACTS_FILE}").write_text(json.dumps(facts, indent=1), encoding="utf-8")
    os.replace(folder / f"part-{FACTS_FILE}", folder / FACTS_FILE)


def load_adapter(folder: Path, transformer: Any, *, trainable: bool = False) -> LayerSemanticEmbedding | None:
    """Put a saved adapter on a base ``transformer``; gives the identities, not yet attached, None when it has none.
    Raises ModelUnavailableError for files that are missing or of another model, UnusableInputError for another order
    of layers."""
    try:
        facts = json.loads((folder / FACTS_FILE).read_text(encoding="utf-8"))
        state = load_file(folder / LORA_FILE)
        rows = load_file(folder / IDENTITY_FILE)["rows"] if facts["identities"] else None
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as fault:
        raise ModelUnavailableError(
            f"{folder} holds no usable adapter ({str(fault).rstrip('.')}); {LORA_FILE}, {IDENTITY_FILE} and "
            f"{FACTS_FILE} are needed: get or train it again."
        ) from fault
    if tuple(facts.get("layers", ())) != LAYERS:
        raise UnusableInputError(
            f"The adapter {folder} makes the layers {', '.join(facts.get('layers', ()))}; "
            f"{', '.join(LAYERS)} are needed: choose another."
        )
    width = transformer.inner_dim
    try:
        transformer.load_lora_adapter(state, prefix="transformer", adapter_name="default")
    except (ValueError, RuntimeError, KeyError) as fault:
        raise _of_another(folder, width) from fault
    if rows is not None and rows.shape != (len(LAYERS), width):
        raise _of_another(folder, width)
    if trainable:
        for name, parameter in transformer.named_parameters():
            parameter.requires_grad_("lora_" in name)
    if rows is None:
        return None
    identity = LayerSemanticEmbedding(width)
    identity.load_state_dict({"rows": rows})
    return identity


def _of_another(folder: Path, width: int) -> ModelUnavailableError:
    return ModelUnavailableError(
        f"The adapter {folder} was trained on another base than this one, which has {width} channels; choose the base "
        f"it was trained on."
    )
