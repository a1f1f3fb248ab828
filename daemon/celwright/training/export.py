"""From a training checkpoint to what the package ships: half-precision weights and their model card."""

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

import torch
from safetensors.torch import save

from celwright.errors import OutputError
from celwright.models.presets import build_decomposer
from celwright.training.held_out import compared, table

CARD_WIDTH = 120  # characters
LARGEST = 16 * 1024 * 1024  # bytes a weights file may have in the package


def half_precision(state: Mapping[str, Any]) -> bytes:
    """The averaged weights of a checkpoint as fp16 safetensors."""
    weights = {key: value.half().contiguous() for key, value in state["average"].items()}
    return save(weights, metadata={"preset": state["options"]["preset"], "step": str(state["step"])})


def fitting_size(data: bytes) -> None:
    """OutputError when the weights are larger than a file in the package may be."""
    if len(data) > LARGEST:
        raise OutputError(
            f"The weights have {len(data)} bytes; at most {LARGEST} are allowed in the package: "
            f"choose a smaller preset."
        )


def written(path: Path, content: bytes) -> None:
    """Write beside and rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    os.replace(part, path)


def export(
    checkpoint: Path, folder: Path, name: str = "decomposer", date: str = "", held_out: int = 48, note: str = ""
) -> str:
    """Write ``name.safetensors`` and ``name.md`` into ``folder``; gives the weights' SHA-256. The card's figures are
    measured on the exported weights; ``note`` is added to its recipe. Raises OutputError when they are too large."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    options: dict[str, str] = state["options"]
    data = half_precision(state)
    fitting_size(data)
    network = build_decomposer(options["preset"])
    network.load_state_dict({key: value.half().float() for key, value in state["average"].items()})
    network.eval()
    figures = compared(network, held_out, int(options["size"]))
    early = options["early_crop"]
    learnt = learnt_from(options)
    facts = {
        "step": state["step"],
        "minutes": round(state["seconds"] / 60),
        "parameters": f"{sum(value.numel() for value in state['average'].values()) / 1e6:.1f} M",
        "digest": hashlib.sha256(data).hexdigest(),
        "date": date,
        "held_out": held_out,
        "table": table(figures),
        "crops": options["crop"] if early == options["crop"] else f"{early}, later {options['crop']}",
        "note": f"\n{note}\n" if note else "",
        "architecture": f"{type(network).__module__}.{type(network).__name__}",
        "data": learnt,
        "flags": recipe_flags(options),
    }
    written(folder / f"{name}.safetensors", data)
    written(folder / f"{name}.md", CARD.format(**(options | facts)).encode())
    return str(facts["digest"])


def export_with_log(run: Path, folder: Path, name: str, card: str, date: str, note: str = "", **facts: str) -> Path:
    """Write ``name.safetensors`` and its ``card``, filled with what the training in ``run`` logged last and with
    ``facts``, into ``folder``; gives where the weights are. Raises OutputError when they are too large."""
    state = torch.load(run / "checkpoint.pt", map_location="cpu", weights_only=True)
    data = half_precision(state)
    fitting_size(data)
    figures: dict[str, float] = json.loads((run / "log.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    rows = [f"| {key.replace('_', ' ')} | {value:.3f} |" for key, value in figures.items()]
    filled = card.format(
        digest=hashlib.sha256(data).hexdigest(),
        parameters=f"{sum(value.numel() for value in state['average'].values()) / 1e6:.1f} M",
        table="\n".join(["| figure | value |", "|---|---:|", *rows]),
        note=f"\n{note}\n" if note else "",
        seed=state["options"]["seed"],
        minutes=f"{state['seconds'] / 60:.0f}",
        date=date,
        options=state["options"],
        **facts,
    )
    written(folder / f"{name}.safetensors", data)
    written(folder / f"{name}.md", filled.encode())
    return folder / f"{name}.safetensors"


def corpora_of(options: Mapping[str, str]) -> list[str]:
    """The names of the folders of drawings that a run learnt from; their places are nobody's business."""
    return [Path(place).name for place in re.findall(r"Path\('([^']*)'\)", options.get("corpora", ""))]


def recipe_flags(options: Mapping[str, str]) -> str:
    """What was chosen, as arguments of ``celwright train decomposer``."""
    chosen = ("preset", "seed", "learning_rate", "rich", "painted", "drawn")
    flags = [f"--{name.replace('_', '-')} {options[name]}" for name in chosen if name in options]
    folders = corpora_of(options)
    return " ".join([*flags, f"--corpora {' '.join(folders)}"] if folders else flags)


def learnt_from(options: Mapping[str, str]) -> str:
    """The card's paragraph about data."""
    rich, painted, drawn = (float(options.get(name, 0)) for name in ("rich", "painted", "drawn"))
    kinds = [
        (rich, "rich (characters, soft light, glints, patterns, coloured and missing lines, damage by compression)"),
        (painted, "painted (the looks of finished illustrations, soft shading, textures)"),
        (drawn, "cut from drawings that came as layers"),
        (1 - rich - painted - drawn, "standard (shapes under one hard light)"),
    ]
    shares = "; ".join(f"{share:.0%} {words}" for share, words in kinds if share > 0.004)
    scenes = fill(f"Scenes whose four layers are known exactly (`celwright.training.scenes`): {shares}.", CARD_WIDTH)
    return f"{scenes}\n{drawings_from(corpora_of(options))}"


def drawings_from(folders: Sequence[str]) -> str:
    """The card's sentence about drawings by people."""
    if not folders:
        return "No picture by anybody was used, so nobody else's licence applies."
    counted = Counter(folders)
    names = ", ".join(f"`{name}`" if count == 1 else f"`{name}` ({count} times)" for name, count in counted.items())
    drawings = f"The drawings came from {names}, each folder equally often; their authors' licences apply to them."
    return fill(drawings, CARD_WIDTH)


CARD = """# Embedded decomposer

Takes a finished drawing apart into line (alpha and colour), flat, shadow (multiply) and highlight (screen).

| | |
|---|---|
| Task | decompose |
| Architecture | `{architecture}`, preset `{preset}`, {parameters} parameters |
| File | fp16 safetensors, SHA-256 `{digest}` |
| Licence | Apache-2.0 |
| Date | {date} |

## Data
{data}

## Recipe
```
celwright train decomposer --minutes {minutes} {flags} --out DIR
```
{step} steps of {batch} crops of {crops} px in {minutes} minutes on two shared CPU cores, seed {seed}; every scene seen
about {replays} times in different crops; AdamW {learning_rate}, cosine decay by the wall clock, averaged weights
(EMA 0.999), bfloat16. Losses: `celwright.training.losses`, after the layer-wise losses of the layer-decomposition
paper. How far a run gets depends on what else the machine does, so the same command gives similar, not identical,
weights.
{note}
## Figures
{held_out} held-out scenes of each kind, {size} px, never trained on. PSNR is of the mean squared error over all
pixels and scenes (RGB, 0..1); the line layer is compared on white; strength above 0.05 counts for IoU. The baseline
takes the picture itself for the flat and finds no line and no light.

{table}

## Limits
Trained on generated drawings in the look of cel-shaded illustration. Photographs, painterly pictures without lines,
screen tone and hatching are outside of what it knows; faint airbrush shading may stay in the flat, and dark thin
details (lashes, pupils) may be taken for line. It cannot know which of two readings an artist had in mind where colour
alone does not tell: a dark stripe may be pattern or shadow.
"""
