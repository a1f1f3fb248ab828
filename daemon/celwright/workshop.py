"""Puts the parts together that make and measure models. Heavy imports stand inside the functions."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from celwright import installed, wiring
from celwright.errors import WrongUsageError

# What may be chosen of a recipe, and which models' recipes have it.
RECIPE = {
    **dict.fromkeys(("learning_rate", "steps"), ("decomposer", "colorizer", "lines")),
    **dict.fromkeys(("left_out", "structure", "pointing", "curriculum"), ("colorizer",)),
    **dict.fromkeys(("preset", "rich", "painted", "drawn"), ("decomposer",)),
    "corpora": ("decomposer", "lines"),
}


def evaluate(
    task: str,
    directory: Path | None = None,
    *,
    peer_labels: Path | None = None,
    count: int | None = None,
    largest: float = 1.0,
    runs: Sequence[Path] = (),
    against: Sequence[Path] = (),
    sheet: Path | None = None,
    force: bool = False,
    worn: bool = False,
    solids: bool = False,
) -> tuple[list[Any], str]:
    """The figures of a task as rows (dataclasses) and as a table to read.

    ``regions`` (of ``worn`` lines), ``decompose`` (``against`` other weights), ``colorize`` (hints on the ``largest``
    regions), ``references`` and ``variations`` need a folder of layered pictures; ``scenes`` and ``pairs`` (all of
    ``solids``, if so) are generated, ``count`` of them, and so are those on which ``designs`` compares ``runs`` of the
    decomposer's training and ``ablations`` and ``balance`` runs of the colorizer's; of these a ``sheet`` shows the
    first eight pairs or the heat map, as a PNG that replaces another by ``force`` only.
    """
    if task == "scenes":
        from celwright.pipelines.network import predictor
        from celwright.training import held_out

        ours = predictor("embedded")
        compared = held_out.compared(ours.network, count or 48, device=ours.device)
        return compared, held_out.table(compared)
    if task == "designs":
        from celwright.training import designs

        trained = designs.compared(runs, count or 48)
        return trained, designs.table(trained)
    if task == "layered-ablation":
        from celwright.training import layered_ablation

        variants = layered_ablation.evaluate(count or 1200)
        return variants, layered_ablation.table(variants)
    if task == "pairs":
        from celwright.evaluation import pairs

        painted = pairs.evaluate(pairs.installed(wiring.colorizer()), count or 48, kind="doll" if solids else None)
        return painted, pairs.table(painted)
    if task in ("ablations", "balance"):
        return _trained_colorizers(task, runs, count or 48, sheet, force=force)
    if directory is None:
        raise WrongUsageError(f"No folder came to evaluate {task} on; name one that holds layered pictures.")
    if task == "regions":
        from celwright.evaluation import regions

        complete = wiring.line_completion()
        scores = regions.evaluate(
            directory, peer_labels=peer_labels, complete=complete() if complete is not None else None, worn=worn
        )
        return scores, regions.table(scores)
    if task == "decompose":
        from celwright.evaluation import decompose

        rows = decompose.evaluate(directory, against=against)
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

    proposer = wiring.sampled_proposer() if installed.weights_are_here("colorize") else None
    hints = list(colorize.evaluate_hints(directory, largest, sampled=proposer))
    return hints, colorize.table(hints)


def _trained_colorizers(
    task: str, runs: Sequence[Path], count: int, sheet: Path | None, *, force: bool
) -> tuple[list[Any], str]:
    from celwright.evaluation import ablations, balance, pairs
    from celwright.imaging.saving import check_output, write_png

    if sheet is not None:
        check_output(sheet, force=force)  # before long work
    weights = [ablations.weights(run) for run in runs] if task == "balance" else []
    balance.check(weights)
    ways = ablations.ways(runs, wiring.reference_look())
    shown = ablations.Sheet([way.name for way in ways])
    scores = pairs.evaluate(ways, count, show=shown)
    cells = balance.balances(weights, scores)
    if sheet is not None:
        write_png(sheet, balance.heat_map(cells) if cells else shown.drawn(), force=force)
    return (cells, balance.table(cells)) if cells else (scores, pairs.table(scores))


def train(
    model: str,
    out: Path,
    minutes: float,
    seed: int,
    *,
    resume: bool,
    date: str,
    recipe: Mapping[str, Any],
) -> Path:
    """Train ``model`` (decomposer, colorizer, lines) in ``out`` and export its weights and model card there;
    where the weights are. ``recipe`` are choices among ``RECIPE``, whose values the recipes' options describe.
    Raises WrongUsageError."""
    foreign = [name for name in recipe if model not in RECIPE[name]]
    if foreign:
        flag, known = foreign[0], [name for name, models in RECIPE.items() if model in models]
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in known)
        raise WrongUsageError(
            f"--{flag.replace('_', '-')} is not for training the {model}, which has {flags}; leave it out."
        )
    chosen: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in recipe.items()
    }
    if model == "colorizer":
        from celwright.training.color_export import export_colorizer
        from celwright.training.colorizer import ColorizerOptions
        from celwright.training.colorizer import train as train_colorizer

        train_colorizer(ColorizerOptions(out=out, minutes=minutes, resume=resume, seed=seed, **chosen))
        return export_colorizer(out, out, date)
    if model == "lines":
        from celwright.training.line_completion import LineOptions
        from celwright.training.line_completion import train as train_lines
        from celwright.training.line_export import export_lines

        train_lines(LineOptions(out=out, minutes=minutes, resume=resume, seed=seed, **chosen))
        return export_lines(out, out, date)
    from celwright.training.decomposer import TrainingOptions
    from celwright.training.decomposer import train as train_decomposer
    from celwright.training.export import export

    options = TrainingOptions(out=out, minutes=minutes, resume=resume, seed=seed, **chosen)
    export(train_decomposer(options), out, date=date)
    return out / "decomposer.safetensors"


def train_layered(
    out: Path, minutes: float, seed: int, *, resume: bool, data: Sequence[Path] | None, base: str | None, size: str
) -> Path:
    """Train an adapter for the Qwen-Image-Layered at or called ``base`` on the five-tuples in ``data``; its folder."""
    if data is None or base is None:
        raise WrongUsageError("The preset qwen-layered needs pictures and a model; name them with --data and --base.")
    if len(data) != 1:
        raise WrongUsageError(f"The preset qwen-layered takes one --data folder and {len(data)} came; name one.")
    width, height = _sides(size, "768x1152")
    from celwright.training.layered import LayeredOptions, train

    folder = Path(base) if Path(base).is_dir() else installed.model_store().path("decompose", base)
    return train(LayeredOptions(data[0], folder, out, minutes, resume, seed, width=width, height=height))


def train_scmilc(
    out: Path, minutes: float, seed: int, *, resume: bool, data: Sequence[Path] | None, base: str | None, size: str,
    freeze_base: bool, recipe: Mapping[str, Any],
) -> Path:  # fmt: skip
    """Train SC-MILC's adapter for the Stable Diffusion 1.5 at or called ``base`` on the five-tuples in the folders
    ``data``; its folder. Of a ``recipe`` it has the learning rate alone."""
    foreign = [name for name in recipe if name not in ("preset", "learning_rate")]
    if foreign:
        raise WrongUsageError(
            f"--{foreign[0].replace('_', '-')} is not for the preset sd15-scmilc, which has --learning-rate; leave it "
            f"out."
        )
    if data is None or base is None:
        raise WrongUsageError("The preset sd15-scmilc needs pictures and a model; name them with --data and --base.")
    width, height = _sides(size, "512x512")
    if width != height:
        raise WrongUsageError(f"The size is {size!r}; the preset sd15-scmilc learns on squares, such as 512x512.")
    from celwright.training.sd15.recipe import ScMilcOptions, train

    folder = Path(base) if Path(base).is_dir() else installed.model_store().path("colorize", base)
    chosen: dict[str, Any] = {name: value for name, value in recipe.items() if name != "preset"}
    return train(
        ScMilcOptions(tuple(data), folder, out, minutes, resume, seed, size=width, freeze_base=freeze_base, **chosen)
    )


def _sides(size: str, example: str) -> tuple[int, int]:
    """Width and height of WxH. Raises WrongUsageError."""
    width, _, height = size.partition("x")
    if not (width.isdecimal() and height.isdecimal() and all(0 < int(side) <= 4096 for side in (width, height))):
        raise WrongUsageError(f"The size is {size!r}; WxH in pixels, up to 4096x4096, is allowed, such as {example}.")
    return int(width), int(height)
