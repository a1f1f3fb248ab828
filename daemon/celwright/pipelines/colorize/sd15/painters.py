"""How a Stable Diffusion 1.5 is told about a page: by ControlNet and IP-Adapter, or by SC-MILC's adapter.

Each painter turns a page into a function that estimates noise; what is done with it is sampling's matter. Knows
pictures and networks; neither requests nor files.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from celwright.domain import FloatImage
from celwright.errors import WrongUsageError
from celwright.models.sd15.adapters import ScMilc, Told, both_ways
from celwright.models.sd15.base import encoded, encoded_prompts
from celwright.models.sd15.references import unet_features
from celwright.pipelines.colorize.sd15.page import SeenPage
from celwright.pipelines.colorize.sd15.sampling import Predict

TEXT_GUIDANCE = 6.0  # of prompt and references against the negative prompt and none
FEW_STEP_GUIDANCE = 1.5  # few-step updates have guidance built in
REFERENCE_GUIDANCE = 2.0  # of references against none
_MEAN, _DEVIATION = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)  # CLIP's


class Painter(Protocol):
    """``pipeline`` is diffusers', ``device`` where it works, ``side`` that of framed references in pixels."""

    pipeline: Any
    device: Any
    side: int
    few_steps: bool

    def likeness(self, figures: Sequence[FloatImage], references: Sequence[FloatImage]) -> FloatImage:
        """(F, R) how alike framed figures and framed references (s, s, 4) are, up to 1."""

    def predictor(self, page: SeenPage) -> Predict:
        """The noise estimate, guided, for this page."""


class LineArtPainter:
    """The ControlNet is told the lines, the IP-Adapter what each reference shows and where it counts."""

    def __init__(self, pipeline: Any, device: Any, *, few_steps: bool) -> None:
        self.pipeline, self.device, self.few_steps = pipeline, device, few_steps
        encoder = pipeline.image_encoder
        self.side = encoder.config.image_size if encoder is not None else 224

    @torch.no_grad()
    def likeness(self, figures: Sequence[FloatImage], references: Sequence[FloatImage]) -> FloatImage:
        """The cosine of what the image encoder makes of both."""
        encoder = self.pipeline.image_encoder
        if encoder is None:
            return np.zeros((len(figures), len(references)), np.float32)
        seen = (self._for_encoder(squares).to(encoder.dtype) for squares in (figures, references))
        one, other = (F.normalize(encoder(squares).image_embeds.float(), dim=1) for squares in seen)
        return np.asarray((one @ other.T).cpu().numpy(), np.float32)

    @torch.no_grad()
    def predictor(self, page: SeenPage) -> Predict:
        pipeline, scale = self.pipeline, FEW_STEP_GUIDANCE if self.few_steps else TEXT_GUIDANCE
        prompt, negative = encoded_prompts(pipeline, self.device)
        prompts = torch.cat([negative, prompt])
        dtype = prompts.dtype
        lines = tensor(page.ink, self.device).expand(2, 3, -1, -1).to(dtype)
        shown = self._shown(page)

        @torch.no_grad()
        def predict(latents: Tensor, t: Tensor) -> Tensor:
            two = latents.to(dtype).repeat(2, 1, 1, 1)
            down, middle = pipeline.controlnet(two, t, prompts, controlnet_cond=lines, return_dict=False)
            found = pipeline.unet(
                two, t, prompts, return_dict=False, down_block_additional_residuals=down,
                mid_block_additional_residual=middle, **shown,
            )[0].float()  # fmt: skip
            without, full = found.chunk(2)
            guided: Tensor = without + scale * (full - without)
            return guided

        return predict

    def _shown(self, page: SeenPage) -> dict[str, Any]:
        """What diffusers' UNet takes of an IP-Adapter: embeddings (2, R, ...), nothing's first, and masks (1, R, h, w).
        Where several references count they share; without any, a white picture counts nowhere."""
        if self.pipeline.unet.encoder_hid_proj is None:
            if page.references:
                raise WrongUsageError(
                    "References came, but this model has no IP-Adapter to see them with; leave them out, or name the "
                    "model with one behind it: BASE+CONTROLNET+IPADAPTER."
                )
            return {}
        references = page.references or [np.ones((self.side, self.side, 4), np.float32)]
        places = page.places or [np.zeros_like(page.ink)]
        embeddings = self.pipeline.prepare_ip_adapter_image_embeds(
            [self._for_encoder(references)], None, self.device, 1, True
        )
        counts = torch.cat([tensor(place, self.device) for place in places], 1)
        counts = counts / counts.sum(1, keepdim=True).clamp(min=1)
        return {
            "added_cond_kwargs": {"image_embeds": embeddings},
            "cross_attention_kwargs": {"ip_adapter_masks": [counts.to(embeddings[0].dtype)]},
        }

    def _for_encoder(self, squares: Sequence[FloatImage]) -> Tensor:
        """(N, 3, s, s) as CLIP's preprocessing gives them."""
        colors = torch.cat([tensor(square[..., :3], self.device) for square in squares])
        mean, deviation = (colors.new_tensor(values).view(1, 3, 1, 1) for values in (_MEAN, _DEVIATION))
        return (colors - mean) / deviation


class ScMilcPainter:
    """The adapter is told lines, references and regions; see models/sd15/adapters.py."""

    few_steps = False

    def __init__(self, pipeline: Any, adapter: ScMilc, device: Any, side: int) -> None:
        self.pipeline, self.adapter, self.device, self.side = pipeline, adapter, device, side
        adapter.attach(pipeline.unet)

    @torch.no_grad()
    def likeness(self, figures: Sequence[FloatImage], references: Sequence[FloatImage]) -> FloatImage:
        """The cosine of the UNet's mean features inside the masks."""
        prompt, _ = encoded_prompts(self.pipeline, self.device)
        one, other = (self._mean_features(squares, prompt) for squares in (figures, references))
        return np.asarray((one @ other.T).cpu().numpy(), np.float32)

    def _mean_features(self, squares: Sequence[FloatImage], prompt: Tensor) -> Tensor:
        planes = torch.cat([tensor(square, self.device) for square in squares])
        latents = encoded(self.pipeline, planes[:, :3])
        self._wake()
        self.adapter.tell({})
        features = unet_features(self.pipeline.unet, latents, prompt)
        share = F.adaptive_avg_pool2d(planes[:, 3:], (features.shape[-2], features.shape[-1]))
        return F.normalize((features * share).sum((2, 3)), dim=1)

    @torch.no_grad()
    def predictor(self, page: SeenPage) -> Predict:
        pipeline, adapter = self.pipeline, self.adapter
        prompt, _ = encoded_prompts(pipeline, self.device)
        told = told_of(pipeline, page, prompt, self.device, self.side)
        self._wake()
        levels = both_ways(adapter, pipeline.unet, told)
        prompts = prompt.expand(2, -1, -1)

        @torch.no_grad()
        def predict(latents: Tensor, t: Tensor) -> Tensor:
            adapter.tell(levels)
            found = pipeline.unet(latents.to(prompt.dtype).repeat(2, 1, 1, 1), t, prompts, return_dict=False)[0].float()
            without, full = found.chunk(2)
            guided: Tensor = without + REFERENCE_GUIDANCE * (full - without)
            return guided

        return predict

    def _wake(self) -> None:
        """Have an offloaded UNet come to the device: parts of it are called before it is called as a whole."""
        hook = getattr(self.pipeline.unet, "_hf_hook", None)
        if hook is not None:
            hook.pre_forward(self.pipeline.unet)


def told_of(pipeline: Any, page: SeenPage, prompt: Tensor, device: Any, side: int) -> Told:
    """A page as the adapter is told of it; a page without references has an empty one."""
    line = tensor(page.ink, device)
    references = page.references or [np.zeros((side, side, 4), np.float32)]
    planes = torch.cat([tensor(square, device) for square in references])
    places = page.places or [np.zeros_like(page.ink)]
    return Told(
        line,
        encoded(pipeline, (1 - line).expand(-1, 3, -1, -1)),
        encoded(pipeline, planes[:, :3])[None],
        planes[None, :, 3:],
        torch.cat([tensor(place, device) for place in places])[None],
        prompt,
    )


def tensor(image: FloatImage, device: Any) -> Tensor:
    """(1, C, H, W) of (H, W) or (H, W, C)."""
    planes = image[None] if image.ndim == 2 else image.transpose(2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(planes, np.float32))[None].to(device)
