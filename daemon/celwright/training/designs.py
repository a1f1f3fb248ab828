"""Decomposers of different designs, trained for equal time, on the same held-out scenes.

Knows what the decomposer's recipe leaves behind and what is measured; not how it is trained.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from celwright.errors import ModelUnavailableError, UnusableInputError
from celwright.models.presets import LayerNetwork, build_decomposer
from celwright.training.held_out import KINDS, SHOWN, held_out_figures
from celwright.training.samples import held_out
from celwright.training.scenes import Kind


@dataclass(frozen=True)
class Design:
    """A trained design: its preset, parameters, the minutes and steps of its training, and its ``figures`` by kind of
    scene, named as ``held_out_figures`` names them."""

    preset: str
    run: str
    parameters: int
    minutes: float
    steps: int
    figures: Mapping[Kind, Mapping[str, float]]


def compared(runs: Sequence[Path], count: int = 48, size: int = 256, device: str = "cpu") -> list[Design]:
    """The averaged weights of the last checkpoint in each of the folders ``runs``, on ``count`` scenes of each kind,
    ``size`` pixels square. Raises UnusableInputError before anything is measured."""
    trained = [_trained(run) for run in runs]
    tests = {kind: held_out(kind, count, size) for kind in KINDS}
    designs = []
    for run, (network, preset, minutes, steps) in zip(runs, trained, strict=True):
        network.eval().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        figures = {kind: held_out_figures(network, samples, device) for kind, samples in tests.items()}
        parameters = sum(parameter.numel() for parameter in network.parameters())
        designs.append(Design(preset, run.name, parameters, minutes, steps, figures))
    return designs


def _trained(run: Path) -> tuple[LayerNetwork, str, float, int]:
    path = run / "checkpoint.pt"
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as fault:
        raise UnusableInputError(
            f"{run} holds no checkpoint.pt ({fault.strerror}); name the folder that a decomposer's training wrote."
        ) from fault
    try:
        preset = state["options"]["preset"]
        network = build_decomposer(preset)
        network.load_state_dict(state["average"])
    except (KeyError, RuntimeError, ModelUnavailableError) as fault:
        raise UnusableInputError(
            f"{path} is no checkpoint of a decomposer that is known here; name the folder that a decomposer's training "
            f"wrote."
        ) from fault
    return network, preset, state["seconds"] / 60, state["step"]


def table(designs: Sequence[Design]) -> str:
    """The designs as a Markdown table, a row for each kind of scene."""
    titles = ["design", "run", "parameters", "minutes", "steps", "scenes", *(title for title, _, _ in SHOWN)]
    lines = [f"| {' | '.join(titles)} |", "|---|---|" + "---:|" * 3 + "---|" + "---:|" * len(SHOWN)]
    for design in designs:
        facts = [design.preset, design.run, f"{design.parameters / 1e6:.1f} M", f"{design.minutes:.0f}", design.steps]
        for kind, figures in design.figures.items():
            cells = [*facts, kind, *(form.format(figures[key]) for _, key, form in SHOWN)]
            lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)
