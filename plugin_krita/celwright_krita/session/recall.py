"""The parameters that are stored with a group, and what was asked for to get it. Knows no document.

They may come from a file that somebody else wrote: what makes no sense is left at its default.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Mapping, TypeVar

from celwright_krita.domain import Palette
from celwright_krita.session.library import MAX_COLORS
from celwright_krita.state import ColorizeOptions, DecomposeOptions

Options = TypeVar("Options", DecomposeOptions, ColorizeOptions)


def colorize_parameters(palette: Palette | str | None, references: list[str]) -> dict[str, object]:
    """What has to be stored besides the options; of a palette its colours, since the artist may change it."""
    stored: dict[str, object] = {"references": references}
    if isinstance(palette, Palette):
        stored["palette"] = {"name": palette.name, "colors": palette.colors.hex()}
    return stored


def options(parameters: Mapping[str, object]) -> DecomposeOptions | ColorizeOptions | None:
    """With the seed that was used; None for parameters that this plugin does not know."""
    stored = parameters.get("options")
    if not isinstance(stored, Mapping):
        return None
    if parameters.get("task") in ("decompose", "frames"):
        return _filled(DecomposeOptions(), stored)
    if parameters.get("task") != "colorize":
        return None
    found = _filled(ColorizeOptions(), stored)
    report = parameters.get("report")
    seed = report.get("seed") if isinstance(report, Mapping) else None
    return replace(found, seed=seed) if isinstance(seed, int) else found


def palette(parameters: Mapping[str, object]) -> Palette | None:
    """The colours that were used, where a palette of colours was."""
    stored = parameters.get("palette")
    if not isinstance(stored, Mapping):
        return None
    name, colors = stored.get("name"), stored.get("colors")
    if not isinstance(name, str) or not isinstance(colors, str):
        return None
    try:
        known = bytes.fromhex(colors)
    except ValueError:
        return None
    return Palette(name, known) if 3 <= len(known) <= 3 * MAX_COLORS and len(known) % 3 == 0 else None


def reference_names(parameters: Mapping[str, object]) -> list[str]:
    stored = parameters.get("references")
    return [name for name in stored if isinstance(name, str)] if isinstance(stored, list) else []


def _filled(default: Options, stored: Mapping[str, object]) -> Options:
    known = {field.name: getattr(default, field.name) for field in fields(default)}
    values = {name: stored[name] for name, value in known.items() if type(stored.get(name)) is type(value)}
    return replace(default, **values)
