"""The recipe of SC-MILC on a Stable Diffusion 1.5: finished pictures with their layers in, an adapter out.

The base is frozen unless it is to be trained too. Stops by the wall clock, resumes, and runs on whatever devices
``accelerate`` finds.
"""

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from celwright.errors import WrongUsageError
from celwright.models.layered import require_full
from celwright.models.sd15.adapters import WIDTH, Denoiser, ScMilc, Told, load_adapter, save_adapter
from celwright.models.sd15.base import encoded, encoded_prompts, loaded_base
from celwright.models.sd15.parts import SCMILC_FACTS, Parts
from celwright.training.five_tuples import FiveTuple
from celwright.training.sd15.losses import Probe, color_loss, fitted_probe, gate_loss, structure_loss
from celwright.training.sd15.samples import batch_of, examples, sample

STATE = ".optimizer.pt"  # hidden, so that models import takes the adapter out of the folder and leaves this
STRUCTURE, COLOR, GATE = 0.05, 1.0, 0.05  # lambda_s, lambda_c, lambda_g of eq. 34: section III.E gives their order
ALONE = 0.15  # share of the samples without any reference, for guidance to compare with
_PROBED = 8  # pictures that the probe is fitted on

Batch = dict[str, Tensor]


@dataclass(frozen=True)
class ScMilcOptions:
    """``data``: folders of five-tuples (training/five_tuples.py); ``base`` a diffusers folder; ``minutes`` of wall
    clock in all, resumed runs included; ``size`` in pixels, a multiple of 64."""

    data: tuple[Path, ...]
    base: Path
    out: Path
    minutes: float = 24 * 60
    resume: bool = False
    seed: int = 0
    steps: int = 100_000
    learning_rate: float = 1e-4
    batch: int = 1
    size: int = 512
    width: int = WIDTH
    freeze_base: bool = True
    half: bool = True  # bfloat16
    checkpointing: bool = True
    save_minutes: float = 10.0

    def __post_init__(self) -> None:
        if self.size < 64 or self.size % 64:
            raise WrongUsageError(f"The size of a training came as {self.size}; a multiple of 64 pixels is needed.")


def train(options: ScMilcOptions) -> Path:
    """Train until the clock runs out; the adapter's folder, which is ``options.out``. Prints a line of JSON whenever it
    saves. Raises WrongUsageError and ModelUnavailableError."""
    require_full()
    if not options.resume and (options.out / SCMILC_FACTS).exists():
        raise WrongUsageError(
            f"{options.out} holds an adapter already; go on with it by --resume, or name another folder by --out."
        )
    if not (options.base / "model_index.json").is_file():
        raise WrongUsageError(
            f"{options.base} holds no diffusers model (it has no model_index.json); name the folder of a Stable "
            f"Diffusion 1.5."
        )
    from accelerate import Accelerator  # type: ignore[import-untyped]

    accelerator = Accelerator()
    going_on = options.resume and (options.out / SCMILC_FACTS).is_file()
    if going_on and (options.out / "unet").is_dir() is options.freeze_base:
        before, flag = ("a trained", "off") if options.freeze_base else ("a frozen", "on")
        raise WrongUsageError(
            f"{options.out} was trained with {before} base; go on with --freeze-base {flag}, or name another folder by "
            f"--out."
        )
    parts = Parts(options.base, scmilc=options.out if going_on else None)
    # What learns must be float32; a frozen base need not.
    half = options.half and options.freeze_base
    pipeline = loaded_base(parts, torch.bfloat16 if half else torch.float32)
    unet = pipeline.unet
    adapter = load_adapter(options.out, unet) if going_on else new_adapter(unet, options)
    Trainer(pipeline, adapter, options, accelerator).run()
    return options.out


def new_adapter(unet: Any, options: ScMilcOptions) -> ScMilc:
    """With random weights that depend on the seed alone."""
    torch.manual_seed(options.seed)
    return ScMilc(unet, options.width)


class Trainer:
    """One training of ``adapter`` on ``pipeline``, and of its UNet where that is not frozen."""

    def __init__(self, pipeline: Any, adapter: ScMilc, options: ScMilcOptions, accelerator: Any) -> None:
        self.began = time.monotonic()
        self.pipeline, self.adapter, self.options, self.accelerator = pipeline, adapter, options, accelerator
        self.alpha_bar = pipeline.scheduler.alphas_cumprod
        device = accelerator.device
        pipeline.text_encoder.to(device)
        self.prompt = encoded_prompts(pipeline, device)[0]
        pipeline.register_modules(text_encoder=None)
        pipeline.vae.to(device).requires_grad_(False)
        pipeline.unet.requires_grad_(not options.freeze_base)
        if options.checkpointing:
            pipeline.unet.enable_gradient_checkpointing()
        self.network = Denoiser(pipeline.unet, adapter.float())
        self.learnt = [parameter for parameter in self.network.parameters() if parameter.requires_grad]
        optimizer = torch.optim.AdamW(self.learnt, lr=options.learning_rate, betas=(0.9, 0.999))
        self.step, self.before = 0, 0.0
        if options.resume and (options.out / STATE).is_file():
            state = torch.load(options.out / STATE, map_location="cpu", weights_only=True)
            optimizer.load_state_dict(state["optimizer"])
            for group in optimizer.param_groups:
                group["lr"] = options.learning_rate  # what is asked for now
            self.step, self.before = state["step"], state["seconds"]
        self.model, self.optimizer = accelerator.prepare(self.network, optimizer)
        self.examples = examples(options.data)
        self.probe = self._probe()

    def seconds(self) -> float:
        return self.before + time.monotonic() - self.began

    def run(self) -> None:
        options, recent, saved = self.options, 0.0, time.monotonic()
        with ThreadPoolExecutor(1) as reader:  # the next batch is read while this one is learnt from
            coming = reader.submit(self.batch, self.step)
            while self.step < options.steps and not self._timed_out():
                batch = coming.result()
                coming = reader.submit(self.batch, self.step + 1)
                loss = self.loss(batch, self.step)
                self.accelerator.backward(loss)
                self.accelerator.clip_grad_norm_(self.learnt, 1.0)
                self.optimizer.step()
                self.optimizer.zero_grad(set_to_none=True)
                self.step += 1
                recent = 0.95 * recent + 0.05 * loss.item() if recent else loss.item()
                if time.monotonic() - saved > options.save_minutes * 60:
                    self.save(recent)
                    saved = time.monotonic()
        self.save(recent)

    def _timed_out(self) -> bool:
        """By the mean of all clocks: devices that work together must stop together."""
        seconds = torch.tensor(self.seconds(), device=self.accelerator.device)
        return bool(self.accelerator.reduce(seconds, "mean") >= self.options.minutes * 60)

    def batch(self, step: int) -> Batch:
        """The samples of a step, by its number alone: a resumed run goes on as if it had never stopped."""
        random = self._random(step)
        chosen = random.integers(len(self.examples), size=self.options.batch)
        return batch_of([self._sample(self.examples[i], random) for i in chosen])

    def _sample(self, example: FiveTuple, random: np.random.Generator) -> dict[str, Any]:
        made = sample(example, random, self.options.size)
        if random.random() < ALONE:
            made["masks"] = np.zeros_like(made["masks"])
        return made

    def _random(self, step: int) -> np.random.Generator:
        number = step * self.accelerator.num_processes + self.accelerator.process_index
        return np.random.default_rng((self.options.seed, number))

    def loss(self, batch: Batch, step: int) -> Tensor:
        """L of eq. 34 at a random timestep. Structure and colour are read off the clean latents that the estimate of
        the noise stands for, and count by the share of signal in what was seen: out of pure noise they say nothing."""
        device = self.accelerator.device
        batch = {name: value.to(device) for name, value in batch.items()}
        x0 = encoded(self.pipeline, batch["picture"]).float()
        random = torch.Generator().manual_seed((self.options.seed << 32) + int(self._random(step).integers(1 << 31)))
        eps = torch.randn(x0.shape, generator=random).to(device)
        t = torch.randint(len(self.alpha_bar), (len(x0),), generator=random)
        share = self.alpha_bar[t].to(device)
        wide = share.view(-1, 1, 1, 1)
        noisy = wide.sqrt() * x0 + (1 - wide).sqrt() * eps  # eq. 11, with the checkpoint's own noise levels
        with torch.autocast(device.type, torch.bfloat16, enabled=self.options.half):
            found, instances = self.model(noisy.to(self.pipeline.unet.dtype), t.to(device), self.told(batch))
        found = found.float()
        clean = (noisy - (1 - wide).sqrt() * found) / wide.sqrt()
        total = F.mse_loss(found, eps) + GATE * gate_loss(instances)  # eq. 30 and 33
        for b, weight in enumerate(share):
            picture, truth = (self.probe(latents[b : b + 1]) for latents in (clean, x0))
            figures = F.interpolate(batch["figures"][b : b + 1], picture.shape[-2:])
            terms = STRUCTURE * structure_loss(picture, truth) + COLOR * color_loss(picture, truth, figures)
            total = total + weight * terms / len(share)  # eq. 31 and 32
        return total

    def told(self, batch: Batch) -> Told:
        """What the adapter is told of a batch on its device."""
        count = batch["references"].shape[1]
        line = encoded(self.pipeline, (1 - batch["ink"]).expand(-1, 3, -1, -1))
        references = encoded(self.pipeline, batch["references"].flatten(0, 1))
        references = references.view(-1, count, *references.shape[1:])
        return Told(batch["ink"], line, references, batch["masks"], batch["regions"], self.prompt)

    def _probe(self) -> Probe:
        """A linear reading of colours off latents, instead of the decoder."""
        some = batch_of([sample(each, np.random.default_rng(0), self.options.size) for each in self.examples[:_PROBED]])
        pictures = some["picture"].to(self.accelerator.device)
        return fitted_probe(encoded(self.pipeline, pictures).float().cpu(), pictures.cpu())

    def save(self, loss: float) -> None:
        seconds, out = self.seconds(), self.options.out
        if not self.accelerator.is_main_process:
            return
        save_adapter(out, self.adapter, None if self.options.freeze_base else self.pipeline.unet)
        part = out / f".part{STATE}"
        torch.save({"optimizer": self.optimizer.state_dict(), "step": self.step, "seconds": seconds}, part)
        os.replace(part, out / STATE)
        print(json.dumps({"step": self.step, "minutes": round(seconds / 60, 2), "loss": round(loss, 4)}), flush=True)
