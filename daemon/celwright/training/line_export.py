"""From what the line completion's training wrote to what the package ships: weights and model card."""

from pathlib import Path

import torch

from celwright.training.export import corpora_of, drawings_from, export_with_log


def export_lines(run: Path, folder: Path, date: str, note: str = "") -> Path:
    """Write ``lines.safetensors`` and its card of the run that training/line_completion.py made in ``run``."""
    options = torch.load(run / "checkpoint.pt", map_location="cpu", weights_only=True)["options"]
    drawings = corpora_of(options)
    flags = f"--corpora {' '.join(drawings)} " if drawings else ""
    return export_with_log(run, folder, "lines", _CARD, date, note, drawings=drawings_from(drawings), flags=flags)


_CARD = """# Embedded line completion

Puts back what is missing in worn line art: gaps where a pen was lifted, strokes that faded, pencil grain
(`celwright.models.line_completion`, preset `embedded`). Regions are found by its lines; the line layer stays as drawn.

| | |
|---|---|
| File | fp16 safetensors, {parameters} parameters, SHA-256 `{digest}` |
| Licence | Apache-2.0 |
| Date | {date} |

## Data
Lines of procedural figures and scenes (`celwright.training.broken_lines`) and of drawings by people, broken and worn at
random; what was there before is the truth.
{drawings}

## Recipe
```
celwright train lines {flags}--out DIR --minutes {minutes} --seed {seed}
```
Loss: cross entropy, lost ink counting five times; AdamW, averaged weights.
{note}
## Figures
Of the last checkpoint, on held-out procedural lines: `found` is the share of lost line pixels that come back, `true`
the share of the pixels that come on blank paper which lie within 2 pixels of a whole line. The rest are the training's.

{table}

## Limits
Strokes that an artist left open on purpose may be closed where they look like an outline; lines that were never drawn,
such as the border between two colours without ink, are not invented.
"""
