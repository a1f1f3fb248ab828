"""From what the autoencoder's and the colorizer's training wrote to what the package ships: weights and model cards."""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Tensor

from celwright.models.autoencoder import WEIGHTS
from celwright.training.export import fitting_size, written


def export_autoencoder(run: Path, folder: Path, date: str, note: str = "") -> Path:
    """Write ``autoencoder.safetensors`` and its card of the run that training/autoencoder.py made in ``run``."""
    state = load_file(run / "autoencoder" / WEIGHTS)
    return _exported(state, run, folder, "autoencoder", AUTOENCODER, date, note)


def export_colorizer(run: Path, folder: Path, date: str, note: str = "") -> Path:
    """Write ``colorizer.safetensors`` and its card of the run that training/colorizer.py made in ``run``."""
    state = torch.load(run / "checkpoint.pt", map_location="cpu", weights_only=True)
    return _exported(state["average"], run, folder, "colorizer", COLORIZER, date, note)


def _exported(state: dict[str, Tensor], run: Path, folder: Path, name: str, card: str, date: str, note: str) -> Path:
    data = save({key: value.half().contiguous() for key, value in state.items()}, metadata={"preset": "embedded"})
    fitting_size(data)
    figures: dict[str, Any] = json.loads((run / "log.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    rows = [f"| {key.replace('_', ' ')} | {value:.3f} |" for key, value in figures.items()]
    facts = {
        "digest": hashlib.sha256(data).hexdigest(),
        "parameters": f"{sum(value.numel() for value in state.values()) / 1e6:.1f} M",
        "table": "\n".join(["| figure | value |", "|---|---:|", *rows]),
        "note": f"\n{note}\n" if note else "",
        "date": date,
    }
    written(folder / f"{name}.safetensors", data)
    written(folder / f"{name}.md", card.format(**facts).encode())
    return folder / f"{name}.safetensors"


_HEAD = """
| | |
|---|---|
| File | fp16 safetensors, {parameters} parameters, SHA-256 `{digest}` |
| Licence | Apache-2.0 |
| Date | {date} |
"""

AUTOENCODER = (
    """# Embedded autoencoder

RGBA pictures to latents of 16 channels at an eighth of their side and back (`celwright.models.autoencoder`, preset
`embedded`). The colorizer paints in these latents.
"""
    + _HEAD
    + """
## Data and recipe
`celwright train autoencoder --out DIR [--pictures DIR]`: procedural scenes (`celwright.training.scenes`) as finished
drawings and as the lineless shaded pictures under them, with random cut-outs of alpha; a quarter of every batch are
crops of drawings in the public domain or CC0 (openclipart; renders of the KayKit characters). L1 of premultiplied
colour and alpha, L1 of differences between neighbours at three sizes, a small KL; averaged weights.
{note}
## Figures
Of the last checkpoint: PSNR in dB, decoded against original, on held-out scenes with and without lines, and on finished
drawings by others at 512 px that were only measured.

{table}

## Limits
Photographs and film grain are not in its world; text and hatching finer than two pixels blur.
"""
)

COLORIZER = (
    """# Embedded colorizer

Samples the colours under a line drawing from reference instances, hints, surroundings and a histogram
(`celwright.models.colorizer`, preset `embedded`): latent diffusion with structure guidance and instance features after
SC-MILC, hint blocks after Concatenated Spatial Attention, selection and context after StencilTorch.
"""
    + _HEAD
    + """
## Data and recipe
`celwright train colorizer --autoencoder DIR --out DIR`: procedural pairs only (`celwright.training.pairs`): characters,
animals, robots and things in two views of one identity, warped copies, distractors, recoloured at random; line art in
many hands; simulated hints and selections. Nobody's pictures were used. Loss: eq. 30-34 of SC-MILC on velocities, and
the colours that correspondence carries; T = 1000, AdamW, averaged weights.
{note}
## Figures
Of the last checkpoint, on 32 held-out pairs of 256 px, sampled in 8 steps: `all` from references, hints and histogram,
`reference` from references alone and judged where they reach, `brought` the colours that correspondence carried before
any sampling. Accuracy is the share of the area whose part has a median within CIEDE2000 10 of the true flat; PSNR in
dB. The rest are the training's own losses.

{table}

## Limits
Trained on generated figures for a short time: what is drawn unlike its reference, small or crowded gets a colour from
elsewhere in the reference; without references colours are plain and may repeat.
"""
)
