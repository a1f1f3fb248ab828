"""A checkpoint of Qwen-Image-Layered's kind, on disk as the real one is, but so small that a CPU trains it in seconds.

Its weights are random; none has seen a picture. An autoencoder without reductions is arranged to be the identity, so
that its latents are the pixels, and the transformer to lead noise to grey. Serves the tests and the ablation; knows
diffusers' and transformers' classes, no pictures.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

# How far, in standard deviations, the flow leaves a noise from grey at best, and so the accuracy that a picture learnt
# upon it is bound to: at 0.2, four sampling steps leave a tenth of the noise (26 dB) and many a fifth (21 dB); at this,
# 39 and 34 dB.
RESIDUE = 0.05
CONSTANT = 6.0  # length of the constant among a token's channels, whose own length is about 4


def save_tiny(folder: Path, seed: int = 0, reductions: int = 0, width: int = 64, blocks: int = 2) -> None:
    """Write a random checkpoint into ``folder``: an autoencoder that halves sides ``reductions`` times, a transformer
    of ``width`` channels (a multiple of 32) and ``blocks``, a text encoder and a tokenizer that knows the prompt.

    There is no processor, which needs torchvision and would only caption pictures that come without a prompt.
    """
    import diffusers

    kinds: Any = diffusers  # whose classes are untyped
    torch.manual_seed(seed)
    channels = 4 if reductions == 0 else 8  # with 4, the pipeline takes an RGBA picture for latents
    vae = kinds.AutoencoderKLQwenImage(
        base_dim=16 if reductions == 0 else 2, z_dim=channels, dim_mult=[1] * (reductions + 1), num_res_blocks=1,
        temperal_downsample=[False] * reductions, input_channels=4,
        latents_mean=[0.0] * channels, latents_std=[1.0] * channels,
    )  # fmt: skip
    if reductions == 0:
        _hand_through(vae)
    transformer = kinds.QwenImageTransformer2DModel(
        in_channels=channels * 4, out_channels=channels, num_layers=blocks, attention_head_dim=32,
        num_attention_heads=width // 32, joint_attention_dim=32, axes_dims_rope=(8, 12, 12),
        use_additional_t_cond=True, use_layer3d_rope=True,
    )  # fmt: skip
    _lead_to_grey(transformer)
    # The published scheduler's settings: sigmas moved by the picture's size, the last one 0.02.
    scheduler = kinds.FlowMatchEulerDiscreteScheduler(
        use_dynamic_shifting=True, base_shift=0.5, max_shift=0.9, base_image_seq_len=256, max_image_seq_len=8192,
        shift_terminal=0.02, shift=1.0, time_shift_type="exponential",
    )  # fmt: skip
    pipeline = kinds.QwenImageLayeredPipeline(scheduler, vae, None, None, None, transformer)
    tokenizer = _tokenizer(pipeline.prompt_template_encode)
    pipeline.register_modules(text_encoder=_text_encoder(len(tokenizer)), tokenizer=tokenizer)
    pipeline.save_pretrained(folder)


@torch.no_grad()
def _hand_through(vae: Any) -> None:
    """Make the autoencoder without reductions the identity, so that samples can be looked at without training it.

    x = silu(x) - silu(-x) carries values through the activation; a channel of a large constant makes the norm before it
    a constant too.
    """
    large = 100.0
    for name, parameter in vae.named_parameters():
        if ".conv2." in name or ".proj." in name:
            parameter.zero_()  # what would change the residual stream
    for half in (vae.encoder, vae.decoder):
        for conv in (half.conv_in, half.conv_out):
            conv.weight.zero_()
            conv.bias.zero_()
        for channel in range(4):
            half.conv_in.weight[2 * channel, channel, -1, 1, 1] = 1  # the newest frame's own pixel
            half.conv_in.weight[2 * channel + 1, channel, -1, 1, 1] = -1
            half.conv_out.weight[channel, 2 * channel, -1, 1, 1] = 1
            half.conv_out.weight[channel, 2 * channel + 1, -1, 1, 1] = -1
        half.conv_in.bias[8] = large
        half.norm_out.gamma.fill_(large / half.norm_out.scale)
    for conv in (vae.quant_conv, vae.post_quant_conv):
        conv.weight.zero_()
        conv.bias.zero_()
        for channel in range(conv.weight.shape[0]):
            conv.weight[channel, channel] = 1


@torch.no_grad()
def _lead_to_grey(transformer: Any) -> None:
    """Arrange the random weights so that the transformer does what a rectified flow can without knowing any picture:
    its velocity is c x_t, c = sigma / (sigma^2 + RESIDUE^2), which leads every noise towards 0. Updates of the
    attention alone (all that the paper trains) can then say the rest, -c x_0. Four things a trained base has learnt and
    random weights have not:

    - tokens come in and velocities go out by the same random directions, at right angles to all that blocks add;
    - a constant among the channels makes the norms nearly linear;
    - gates are open, and heads of 32 numbers can be as decisive as the real model's of 128;
    - the last norm's scale is fitted to c.
    """
    width, channels = transformer.inner_dim, transformer.config.in_channels
    basis = torch.randn(width, channels + 2)
    basis[:, 0] = 1  # the norm takes the mean away: all others stand at right angles to it
    basis = torch.linalg.qr(basis)[0]
    inward = basis[:, 1:-1]
    transformer.img_in.weight.copy_(inward)
    transformer.img_in.bias.copy_(basis[:, -1] * CONSTANT)
    length = (CONSTANT**2 + channels) ** 0.5  # of a token of unit variance
    transformer.proj_out.weight.copy_(inward.T * (length / width**0.5))
    transformer.proj_out.bias.zero_()
    for block in transformer.transformer_blocks:
        for name, part in block.attn.named_modules():
            if isinstance(part, torch.nn.Linear):
                part.weight.normal_(std=0.02)
                part.bias.zero_()
            elif name.startswith("norm"):
                part.weight.fill_(2)
        for last in (block.attn.to_out[0], block.img_mlp.net[2]):
            last.weight.sub_(inward @ (inward.T @ last.weight))
            last.bias.zero_()
        for modulation in (block.img_mod[1], block.txt_mod[1]):
            modulation.bias.view(6, width)[[2, 5]] += 1  # the gates
    _fit_scale(transformer, lambda sigma: sigma / (sigma**2 + RESIDUE**2))


def _fit_scale(transformer: Any, wanted: Callable[[Tensor], Tensor]) -> None:
    """Make the last norm scale by ``wanted`` of sigma, by least squares on the random embedding of time."""
    width = transformer.inner_dim
    first = transformer.time_text_embed.timestep_embedder.linear_1
    first.weight.view(width, 2, 128)[..., :80] = 0  # sines and cosines too quick for a smooth function of sigma
    first.weight.mul_(4)
    sigma = torch.logspace(-1.8, 0, 400)
    embedded = transformer.time_text_embed(sigma, sigma, torch.zeros(len(sigma), dtype=torch.long))
    known = torch.cat([torch.nn.functional.silu(embedded), torch.ones(len(sigma), 1)], dim=1).double()
    scale = wanted(sigma).double()[:, None]  # an error counts by its share of it
    ridge = 1e-4 * torch.eye(width + 1, dtype=torch.float64)
    target = torch.cat([(scale - 1) / scale, torch.zeros(width + 1, 1, dtype=torch.float64)])
    found = torch.linalg.lstsq(torch.cat([known / scale, ridge]), target).solution[:, 0].float()
    last = transformer.norm_out.linear
    last.weight.zero_()
    last.bias.zero_()
    last.weight[:width] = found[:-1]
    last.bias[:width] = found[-1]


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
    merges: Any = [tuple(pair) for pair in model["merges"]]
    return Qwen2Tokenizer(vocab=model["vocab"], merges=merges, additional_special_tokens=["<|im_start|>", "<|im_end|>"])
