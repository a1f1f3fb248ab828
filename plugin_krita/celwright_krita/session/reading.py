"""What a job needs of a document, read on the main thread some rows a turn. Knows not what is made of it.

A Reading is kept until its job has succeeded: the artist may paint on, select something else or close the document.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Generator, Mapping

from celwright_krita.canvas import ACTIVE, VISIBLE, Canvas, Frame, Raw, Rect
from celwright_krita.domain import Palette
from celwright_krita.errors import UnusableInputError
from celwright_krita.session.areas import grown, large_enough, nothing_selected
from celwright_krita.session.references import Used
from celwright_krita.session.turns import read_in_turns
from celwright_krita.state import ColorizeOptions, DecomposeOptions
from celwright_krita.texts import tr

MODELS, DEPTHS = ("RGBA",), ("U8", "U16")
MARGIN = 64  # px around a selection that the decomposer sees as well


@dataclass(frozen=True, eq=False)
class Reading:
    """``raws`` by the names of the request's fields, all in ``rect``; ``above`` is the layer to insert above, empty for
    on top of all; ``parameters`` are what has to be stored to make the result again."""

    task: str
    options: DecomposeOptions | ColorizeOptions
    frame: Frame
    rect: Rect
    above: str
    raws: Mapping[str, Raw]
    selection: Raw | None = None
    icc: bytes = b""
    references: tuple[Used, ...] = ()
    palette: Palette | str | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)


def refusal(frame: Frame) -> str:
    """Why a document cannot be worked on; empty when it can."""
    if frame.model == "GRAYA":
        return tr("document.grey")
    if frame.model not in MODELS:
        return tr("document.model", model=frame.model)
    if frame.depth not in DEPTHS:
        return tr("document.float", depth=frame.depth)
    return ""


def decompose_reading(
    canvas: Canvas, options: DecomposeOptions, selection: Raw | None, parameters: Mapping[str, object]
) -> Generator[None, None, Reading]:
    """What the layer or picture has on the canvas, near the selection if there is one. ``parameters`` are stored with
    the result, besides the options."""
    frame, source = _frame(canvas), _source(canvas, options.source)
    rect = canvas.bounds(source).meet(frame.rect)
    if rect.empty:
        raise UnusableInputError(tr("layer.empty"))
    if selection is not None:
        rect = rect.meet(grown(selection.rect, MARGIN))
        if rect.meet(selection.rect).empty:
            raise UnusableInputError(tr("selection.elsewhere"))
    rect = large_enough(rect)
    yield
    picture = yield from read_in_turns(canvas, source, rect)
    yield
    above = "" if source == VISIBLE else source
    icc = canvas.icc_profile()
    stored = {"task": "decompose", "options": asdict(replace(options, source=source, all_frames=False)), **parameters}
    return Reading("decompose", options, frame, rect, above, {"picture": picture}, selection, icc, (), None, stored)


def colorize_reading(
    canvas: Canvas,
    options: ColorizeOptions,
    references: tuple[Used, ...],
    palette: Palette | str | None,
    parameters: Mapping[str, object],
    task: str = "colorize",
) -> Generator[None, None, Reading]:
    """The whole canvas, whatever is selected: regions may reach beyond the selection. With the ``task`` "leaks" only
    the line art is read."""
    frame, source = _frame(canvas), _source(canvas, options.line_art)
    selection = selected(canvas) if task == "colorize" else None
    if canvas.bounds(source).meet(frame.rect).empty:
        raise UnusableInputError(tr("layer.empty"))
    wanted = {"line_art": source}
    if task == "colorize":
        wanted.update({name: id for name, id in (("hints", options.hints), ("lock", options.lock)) if id})
        if options.lock:
            wanted["context"] = _colors_so_far(canvas)
    raws = {}
    for name, id in wanted.items():
        yield
        if id != VISIBLE and canvas.layer(id) is None:
            raise UnusableInputError(tr("layer.gone.chosen"))
        raws[name] = yield from read_in_turns(canvas, id, frame.rect)
    yield
    above = "" if source == VISIBLE else source
    icc = canvas.icc_profile()
    stored = {"task": task, "options": asdict(replace(options, line_art=source)), **parameters}
    return Reading(task, options, frame, frame.rect, above, raws, selection, icc, references, palette, stored)


def _frame(canvas: Canvas) -> Frame:
    frame = canvas.frame()
    reason = refusal(frame)
    if reason:
        raise UnusableInputError(reason)
    return frame


def _source(canvas: Canvas, id: str) -> str:
    """The layer's id, of the active layer where that is meant."""
    if id == VISIBLE:
        return id
    layer = canvas.active() if id == ACTIVE else canvas.layer(id)
    if layer is None:
        raise UnusableInputError(tr("layer.no_active" if id == ACTIVE else "layer.gone.chosen"))
    return layer.id


def selected(canvas: Canvas) -> Raw | None:
    """What is selected. UnusableInputError when that is nothing at all."""
    selection = canvas.selection()
    if selection is not None and nothing_selected(selection):
        raise UnusableInputError(tr("selection.empty"))
    return selection


def _colors_so_far(canvas: Canvas) -> str:
    """The flat layer of the newest colorized group, which a lock keeps; the visible picture where there is none."""
    layers = canvas.layers()
    stored = {id: made for id, made in canvas.remembered().items() if made.get("task") == "colorize"}
    for group in sorted(stored, key=lambda id: str(stored[id].get("made")), reverse=True):
        name = stored[group].get("flat")
        place = next((place for place, layer in enumerate(layers) if layer.id == group), None)
        if place is None:
            continue
        for layer in layers[place + 1 :]:
            if layer.level <= layers[place].level:
                break
            if layer.name == name:
                return layer.id
    return VISIBLE
