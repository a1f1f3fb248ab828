"""Krita's layers as the seam shows them: found by id each time, never kept. Knows Node's methods, but not Krita itself.

A Node of a document that is closed, or that was removed, answers with old or empty values and may end the program;
so it lives only as long as the method that looked it up.
"""

from __future__ import annotations

from typing import Any, Iterator

from celwright_krita.canvas import Layer, Raw, Rect

WITHOUT_PIXELS = ("filterlayer",)  # shows what lies below it


def is_layer(node: Any) -> bool:
    """Masks, the selection's among them, are children of what they cover."""
    return not node.type().endswith("mask")


def id_of(node: Any) -> str:
    """Unique in its document, and the same after saving and opening; the same too in a copy of the document."""
    return str(node.uniqueId().toString())


def walk(parent: Any, level: int = 0) -> Iterator[tuple[Any, int]]:
    """All layers under ``parent`` with their levels, top to bottom, a group before its children."""
    for node in reversed(parent.childNodes()):
        if is_layer(node):
            yield node, level
            yield from walk(node, level + 1)


def found(root: Any, id: str) -> tuple[Any, int] | None:
    """The layer with this id and its level."""
    return next(((node, level) for node, level in walk(root) if id_of(node) == id), None)


def layer_of(node: Any, level: int) -> Layer:
    return Layer(id_of(node), node.name(), node.type(), level, node.visible(), node.locked())


def rect_of(area: Any) -> Rect:
    """A QRect; Krita's empty ones have odd corners."""
    if area.isEmpty():
        return Rect(0, 0, 0, 0)
    return Rect(area.x(), area.y(), area.width(), area.height())


def projection(node: Any, rect: Rect) -> Raw:
    """The layer with its masks and children, without its opacity; a layer may have a model and depth of its own."""
    data = b"" if rect.empty else bytes(node.projectionPixelData(rect.x, rect.y, rect.width, rect.height))
    return Raw(data, rect, node.colorModel(), node.colorDepth())


def top_layer(root: Any) -> Any:
    """The uppermost layer; None without any."""
    return next((node for node in reversed(root.childNodes()) if is_layer(node)), None)


def place_above(root: Any, id: str) -> tuple[Any, Any]:
    """(parent, sibling below) for a new layer above that with this ``id``, on top of all where there is none."""
    match = found(root, id)
    if match is None:
        return root, top_layer(root)
    return match[0].parentNode(), match[0]


def last_keyframe(root: Any, first: int, last: int) -> int | None:
    """The time of the last keyframe from ``first`` to ``last``; None when nothing is animated."""
    animated = [node for node, _ in walk(root) if node.animated()]
    if not animated:
        return None
    return next((t for t in range(last, first, -1) if any(node.hasKeyframeAtTime(t) for node in animated)), first)
