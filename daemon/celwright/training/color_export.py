"""From what the colorizer's training wrote to what the package ships: weights and model card."""

from pathlib import Path

from celwright.training.export import export_with_log


def export_colorizer(run: Path, folder: Path, date: str, note: str = "") -> Path:
    """Write ``colorizer.safetensors`` and its card of the run that training/colorizer.py made in ``run``."""
    return export_with_log(run, folder, "colorizer", _CARD, date, note)


_CARD = """# Embedded colorizer

A diffusion over the colours of a drawing's regions, told by reference instances, hints and a palette
(`celwright.models.colorizer`, preset `embedded`).

| | |
|---|---|
| File | fp16 safetensors, {parameters} parameters, SHA-256 `{digest}` |
| Licence | Apache-2.0 |
| Date | {date} |

## Data
Procedural figures only (`celwright.training.region_pairs`): characters, animals, robots and things in two views of one
identity, some made of solids and turned in space, in scenes of one to six, warped copies and strangers, recoloured at
random; line art in many hands, by xDoG and from the shipped decomposer, which also sees most references; regions found
as for an artist. Nobody's pictures were used.

## Recipe
```
celwright train colorizer --minutes {minutes} --seed {seed} --structure {options[structure]} \\
    --pointing {options[pointing]} --curriculum {options[curriculum]} --out DIR
```
Loss: the clean colours (SC-MILC eq. 30, T = 1000) and, by these weights, their differences across borders (eq. 31) and
the likelihood of pointing at regions of the same part (for eq. 32); Muon for what multiplies, AdamW for the rest,
averaged weights.
{note}
## Figures
Of the last checkpoint, on held-out figures, by what the network alone points at: the share of the area whose colour
lies within CIEDE2000 10 of the true flat, from references alone, and from a hint on every fourth region. The rest are
the training's own losses.

{table}

## Limits
Trained on generated figures: what is drawn unlike its reference, small or crowded gets a colour from elsewhere in it.
Without references the colours of a palette are dealt out plausibly for people; other things get them as they come.
"""
