"""A checkpoint of Stable Diffusion 1.5's kind, on disk as the real ones are, but so small that a CPU runs it at once.

Beside the base a line-art ControlNet, an IP-Adapter with its image encoder, and a low-rank update, each in the files
that its publishers use. All weights are random; none has seen a picture. Serves the tests; knows diffusers' and
transformers' classes, no pictures.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

WIDTHS = (8, 8, 16, 16)  # of the UNet's levels; the published one has 320, 640, 1280, 1280
TEXT = 16  # channels of the text encoder, which the published one has 768 of


def save_tiny_base(folder: Path, seed: int = 0) -> None:
    """Write text encoder, tokenizer, UNet, autoencoder (f = 8) and scheduler into ``folder``."""
    import diffusers

    kinds: Any = diffusers  # whose classes are untyped
    torch.manual_seed(seed)
    tokenizer, text_encoder = _tokenizer(), _text_encoder()
    crossing, plain = "CrossAttn{}Block2D", "{}Block2D"
    unet = kinds.UNet2DConditionModel(
        sample_size=8, block_out_channels=WIDTHS, layers_per_block=1, norm_num_groups=4,
        cross_attention_dim=TEXT, attention_head_dim=2,
        down_block_types=(crossing.format("Down"),) * 3 + (plain.format("Down"),),
        up_block_types=(plain.format("Up"),) + (crossing.format("Up"),) * 3,
    )  # fmt: skip
    vae = kinds.AutoencoderKL(
        block_out_channels=(8, 8, 8, 8), layers_per_block=1, norm_num_groups=4, sample_size=64,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
    )  # fmt: skip
    scheduler = kinds.PNDMScheduler(  # the published one's settings
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", skip_prk_steps=True, set_alpha_to_one=False,
        steps_offset=1,
    )  # fmt: skip
    pipeline = kinds.StableDiffusionPipeline(
        vae, text_encoder, tokenizer, unet, scheduler, None, None, requires_safety_checker=False
    )
    pipeline.save_pretrained(folder)
    # The published tokenizer lies in CLIP's own two files.
    (folder / "tokenizer/tokenizer.json").unlink()
    (folder / "tokenizer/vocab.json").write_text(json.dumps(_vocabulary()), encoding="utf-8")
    (folder / "tokenizer/merges.txt").write_text("#version: 0.2\n", encoding="utf-8")


def save_tiny_controlnet(folder: Path, base: Path, seed: int = 1) -> None:
    """Write a ControlNet for the UNet in ``base``, whose answers are not zero as those of a new one are."""
    import diffusers

    kinds: Any = diffusers
    torch.manual_seed(seed)
    unet = kinds.UNet2DConditionModel.from_pretrained(base / "unet")
    controlnet = kinds.ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(4, 8, 8, 8))
    for name, parameter in controlnet.named_parameters():
        if not parameter.any() and name.endswith("weight"):
            torch.nn.init.normal_(parameter, std=0.5)
    controlnet.save_pretrained(folder)


def save_tiny_ip_adapter(folder: Path, base: Path, seed: int = 2) -> None:
    """Write an IP-Adapter for the UNet in ``base``, and its image encoder, as one flat folder: what is left of the
    published repository when only the files that are needed are taken."""
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    torch.manual_seed(seed)
    folder.mkdir(parents=True, exist_ok=True)
    shape: Any = {"num_hidden_layers": 1, "num_attention_heads": 2, "hidden_size": 16, "intermediate_size": 16}
    config = CLIPVisionConfig(**shape, image_size=32, patch_size=8, projection_dim=16)
    # random encoders see hardly any difference between pictures; the published one does
    encoder: Any = CLIPVisionModelWithProjection(config)
    for parameter in encoder.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.3)
    encoder.save_pretrained(folder)
    state = {
        "image_proj.proj.weight": torch.randn(4 * TEXT, 16), "image_proj.proj.bias": torch.zeros(4 * TEXT),
        "image_proj.norm.weight": torch.ones(TEXT), "image_proj.norm.bias": torch.zeros(TEXT),
    }  # fmt: skip
    for number, width in enumerate(_cross_attentions(base)):
        for name in ("k", "v"):
            state[f"ip_adapter.{2 * number + 1}.to_{name}_ip.weight"] = torch.randn(width, TEXT)
    save_file(state, folder / "ip-adapter_sd15.safetensors")


def save_tiny_update(folder: Path, base: Path, seed: int = 3) -> None:
    """Write a low-rank update of the UNet in ``base``, as diffusers does."""
    import diffusers
    from peft import LoraConfig, get_peft_model_state_dict

    kinds: Any = diffusers
    torch.manual_seed(seed)
    unet = kinds.UNet2DConditionModel.from_pretrained(base / "unet")
    unet.add_adapter(LoraConfig(r=2, lora_alpha=2, init_lora_weights=False, target_modules=["to_q", "to_v"]))
    kinds.StableDiffusionPipeline.save_lora_weights(folder, unet_lora_layers=get_peft_model_state_dict(unet))


def _cross_attentions(base: Path) -> list[int]:
    """The width of each cross-attention, in the order in which IP-Adapters number them: down, up, middle."""
    config = json.loads((base / "unet/config.json").read_text(encoding="utf-8"))
    widths, layers = config["block_out_channels"], config["layers_per_block"]
    down = [width for width in widths[:3] for _ in range(layers)]
    up = [width for width in widths[2::-1] for _ in range(layers + 1)]
    return [*down, *up, widths[-1]]


def _text_encoder() -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel

    shape: Any = {"num_hidden_layers": 1, "num_attention_heads": 2, "hidden_size": TEXT, "intermediate_size": TEXT}
    tokens = len(_vocabulary())
    config = CLIPTextConfig(**shape, vocab_size=tokens, bos_token_id=tokens - 2, eos_token_id=tokens - 1)
    return CLIPTextModel(config)


def _tokenizer() -> Any:
    """CLIP's byte-pair tokenizer that has learnt letters and no pairs."""
    from transformers import CLIPTokenizer

    return CLIPTokenizer(vocab=_vocabulary(), merges=[], model_max_length=77)


def _vocabulary() -> dict[str, int]:
    letters = [chr(code) for code in range(33, 127)]
    words = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    return {word: number for number, word in enumerate(words)}
