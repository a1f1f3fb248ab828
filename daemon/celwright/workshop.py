"""Puts the parts together that make and measure models. Heavy imports stand inside the functions."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from celwright import wiring
from celwright.errors import WrongUsageError


def evaluate(
    task: str,
    directory: Path | None = None,
    *,
    peer_labels: Path | None = None,
    count: int | None = None,
    largest: float = 1.0,
    runs: Sequence[Path] = (),
) -> tuple[list[Any], str]:
    """The figures of a task as rows (dataclasses) and as a table to read.

    ``regions``, ``decompose``, ``colorize`` (hints on the ``largest`` regions), ``references`` and ``variations`` need
    a folder of layered pictures; ``scenes`` and ``pairs`` are generated, ``count`` of them, and so are those on which
    ``ablations`` compares ``runs`` of the colorizer's training.
    """
    if task == "scenes":
        from celwright.pipelines.network import predictor
        from celwright.training import held_out

        ours = predictor("embedded")
        compared = held_out.compared(ours.network, count or 48, device=ours.device)
        return compared, held_out.table(compared)
    if task == "layered-ablation":
        from celwright.training import layered_ablation

        variants = layered_ablation.evaluate(count or 300)
        return variants, layered_ablation.table(variants)
    if task in ("pairs", "ablations"):
        from celwright.evaluation import pairs

        painters = [pairs.trained(run) for run in runs] if task == "ablations" else [pairs.installed()]
        painted = pairs.evaluate(painters, count or 48)
        return painted, pairs.table(painted)
    if directory is None:
        raise WrongUsageError(f"No folder came to evaluate {task} on; name one that holds layered pictures.")
    if task == "regions":
        from celwright.evaluation import regions

        scores = regions.evaluate(directory, peer_labels=peer_labels)
        return scores, regions.table(scores)
    if task == "decompose":
        from celwright.evaluation import decompose

        rows = decompose.evaluate(directory)
        return rows, decompose.table(rows)
    if task == "references":
        from celwright.evaluation import references

        transferred = references.evaluate(directory, wiring.colorizer())
        return transferred, references.table(transferred)
    if task == "variations":
        from celwright.evaluation import variations

        varied = variations.evaluate(directory, wiring.colorizer(), count or 4)
        return varied, variations.table(varied)
    from celwright.evaluation import colorize

    proposer = wiring.sampled_proposer() if wiring.weights_are_here("colorize") else None
    hints = list(colorize.evaluate_hints(directory, largest, sampled=proposer))
    return hints, colorize.table(hints)


def train(
    model: str,
    out: Path,
    minutes: float,
    seed: int,
    *,
    resume: bool,
    date: str,
    autoencoder: Path | None = None,
    pictures: Sequence[Path] = (),
) -> Path:
    """Train ``model`` (decomposer, autoencoder, colorizer) in ``out`` and export its weights and model card there;
    where the weights are. The colorizer may paint in a trained ``autoencoder``'s latents; ``pictures`` are folders of
    drawings that it may learn from."""
    if model == "autoencoder":
        from celwright.training.autoencoder import AutoencoderOptions
        from celwright.training.autoencoder import train as train_autoencoder
        from celwright.training.color_export import export_autoencoder

        train_autoencoder(AutoencoderOptions(out, minutes, resume=resume, seed=seed, pictures=tuple(pictures)))
        return export_autoencoder(out, out, date)
    if model == "colorizer":
        from celwright.training.color_export import export_colorizer
        from celwright.training.colorizer import ColorizerOptions
        from celwright.training.colorizer import train as train_colorizer

        folder = None if autoencoder is None else autoencoder / "autoencoder"
        train_colorizer(ColorizerOptions(out, folder, minutes, resume=resume, seed=seed))
        return export_colorizer(out, out, date)
    from celwright.training.decomposer import TrainingOptions
    from celwright.training.decomposer import train as train_decomposer
    from celwright.training.export import export

    export(train_decomposer(TrainingOptions(out, minutes, resume=resume, seed=seed)), out, date=date)
    return out / "decomposer.safetensors"


def train_layered(
    out: Path, minutes: float, seed: int, *, resume: bool, data: Path | None, base: str | None, size: str
) -> Path:
    """Train an adapter for the Qwen-Image-Layered at or called ``base`` on the five-tuples in ``data``; its folder."""
    if data is None or base is None:
        raise WrongUsageError("The preset qwen-layered needs pictures and a model; name them with --data and --base.")
    width, _, height = size.partition("x")
    if not (width.isdecimal() and height.isdecimal() and all(0 < int(side) <= 4096 for side in (width, height))):
        raise WrongUsageError(f"The size is {size!r}; WxH in pixels, up to 4096x4096, is allowed, such as 768x1152.")
    from celwright.training.layered import LayeredOptions, train

    folder = Path(base) if Path(base).is_dir() else wiring.model_store().path("decompose", base)
    return train(LayeredOptions(data, folder, out, minutes, resume, seed, width=int(width), height=int(height)))
