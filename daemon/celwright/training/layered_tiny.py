"""A checkpoint of Qwen-Image-Layered's kind, on disk as the real one is, but so small that a CPU trains it in seconds.

Its weights are random. Serves the tests and the ablation; knows diffusers' and transformers' classes, no pictures.
"""

import json
from pathlib import Path
from typing import Any

import torch


def save_tiny(folder: Path, seed: int = 0, reductions: int = 1, width: int = 64, blocks: int = 2) -> None:
    """Write a random checkpoint into ``folder``: an autoencoder that halves sides ``reductions`` times, a transformer
    of ``width`` channels (a multiple of 32) and ``blocks``, a text encoder and a tokenizer that knows the prompt.

    There is no processor, which needs torchvision and would only caption pictures that come without a prompt.
    """
    from diffusers import (
        AutoencoderKLQwenImage,
        FlowMatchEulerDiscreteScheduler,
        QwenImageLayeredPipeline,
        QwenImageTransformer2DModel,
    )

    torch.manual_seed(seed)
    channels = 8
    vae = AutoencoderKLQwenImage(
        base_dim=8, z_dim=channels, dim_mult=[1, *[2] * reductions], num_res_blocks=1,
        temperal_downsample=[False] * reductions, input_channels=4,
        latents_mean=[0.0] * channels, latents_std=[1.0] * channels,
    )  # fmt: skip
    transformer = QwenImageTransformer2DModel(
        in_channels=channels * 4, out_channels=channels, num_layers=blocks, attention_head_dim=32,
        num_attention_heads=width // 32, joint_attention_dim=32, axes_dims_rope=(8, 12, 12),
        use_additional_t_cond=True, use_layer3d_rope=True,
    )  # fmt: skip
    # The published scheduler's settings: sigmas moved by the picture's size, the last one 0.02.
    scheduler = FlowMatchEulerDiscreteScheduler(
        use_dynamic_shifting=True, base_shift=0.5, max_shift=0.9, base_image_seq_len=256, max_image_seq_len=8192,
        shift_terminal=0.02, shift=1.0, time_shift_type="exponential",
    )  # fmt: skip
    pipeline = QwenImageLayeredPipeline(scheduler, vae, None, None, None, transformer)
    tokenizer = _tokenizer(pipeline.prompt_template_encode)
    pipeline.register_modules(text_encoder=_text_encoder(len(tokenizer)), tokenizer=tokenizer)
    pipeline.save_pretrained(folder)


def _text_encoder(vocabulary: int) -> Any:
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    text = {
        "vocab_size": vocabulary, "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1,
        "num_attention_heads": 2, "num_key_value_heads": 1, "bos_token_id": 0, "eos_token_id": 0,
        "rope_parameters": {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 1e6},
    }  # fmt: skip
    vision = {
        "depth": 1, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2, "out_hidden_size": 32,
        "fullatt_block_indexes": [0],
    }  # fmt: skip
    config = Qwen2_5_VLConfig(text_config=text, vision_config=vision)
    return Qwen2_5_VLForConditionalGeneration(config)


def _tokenizer(template: str) -> Any:
    """A byte-level BPE tokenizer that has learnt the words of the prompt and of the pipeline's template."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import Qwen2Tokenizer

    from celwright.models.layered import PROMPT

    learnt = Tokenizer(models.BPE())
    learnt.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=700, show_progress=False, special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )  # fmt: skip
    learnt.train_from_iterator([template.format(PROMPT)], trainer)
    model = json.loads(learnt.to_str())["model"]
    merges = [tuple(pair) for pair in model["merges"]]
    return Qwen2Tokenizer(
        vocab=model["vocab"], merges=merges, additional_special_tokens=["<|im_start|>", "<|im_end|>"]
    )
