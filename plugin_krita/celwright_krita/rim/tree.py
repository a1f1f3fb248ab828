"""Krita's layers for saving: first how they stand to each other, at once; then their pixels, some rows each turn.

No Node is kept over the turns: a layer that was removed meanwhile is told as such (LayerGoneError).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Generator

from celwright_krita.canvas import Canvas, Rect, TreeLayer
from celwright_krita.pixels import MIN_SIDE
from celwright_krita.rim.nodes import WITHOUT_PIXELS, id_of, is_layer, rect_of
from celwright_krita.session.turns import read_in_turns


@dataclass(frozen=True, eq=False)
class Branch:
    """A layer without its pixels, which lie in ``area``, or a group with its children, bottom to top."""

    id: str
    layer: TreeLayer
    area: Rect
    children: tuple[Branch, ...] | None = None


def branch_of(node: Any) -> Branch:
    """``node`` and what is below it. Whether a group passes through is not told: it is saved as one that does not."""
    layer = TreeLayer(
        node.name(), node.blendingMode(), node.opacity() / 255, bool(node.visible()), bool(node.inheritAlpha())
    )
    children = branches_of(node) if node.type() == "grouplayer" else None
    return Branch(id_of(node), layer, rect_of(node.bounds()), children)


def branches_of(parent: Any) -> tuple[Branch, ...]:
    """The children of ``parent``, bottom to top, those without pixels of their own left out."""
    nodes = [node for node in parent.childNodes() if is_layer(node) and node.type() not in WITHOUT_PIXELS]
    return tuple(branch_of(node) for node in nodes)


def with_pixels(
    canvas: Canvas, branches: tuple[Branch, ...], frame: Rect
) -> Generator[None, None, tuple[TreeLayer, ...]]:
    """The branches as layers, each read from ``canvas`` where it has pixels, with at least MIN_SIDE pixels a side."""
    layers: tuple[TreeLayer, ...] = ()
    for branch in branches:
        if branch.children is None:
            raw = yield from read_in_turns(canvas, branch.id, _at_least(branch.area, frame))
            layers += (replace(branch.layer, raw=raw),)
        else:
            children = yield from with_pixels(canvas, branch.children, frame)
            layers += (replace(branch.layer, children=children),)
        yield
    return layers


def _at_least(rect: Rect, frame: Rect) -> Rect:
    """``rect``, or enough around it for an image on the wire; the corner of ``frame`` where it is empty."""
    x, y = (frame.x, frame.y) if rect.empty else (rect.x, rect.y)
    return Rect(x, y, max(rect.width, MIN_SIDE), max(rect.height, MIN_SIDE))
