"""A group enters a document in one undo step: made in a copy of it, which nobody sees, then handed over.

Krita notes every layer added to a group and every blend mode as a step of its own, even while the group is not in the
document yet; so all of that is done where its undo history does not matter, and the artist's document changes with the
one addChildNode at the end. Krita's own copies between documents move layers the same way.
"""

from __future__ import annotations

import contextlib
from typing import Any, Callable, Generator

from celwright_krita.canvas import NewFolder, NewGroup, NewLayer
from celwright_krita.errors import CelwrightError, UnusableInputError
from celwright_krita.rim.nodes import found, id_of, place_above
from celwright_krita.texts import tr

TURN_BYTES = 8 << 20  # 10 to 60 ms
_SAMPLES = {"RGBA": 4, "GRAYA": 2}
_BYTES = {"U8": 1, "U16": 2}


def inserting(living: Callable[[], Any], group: NewGroup | NewFolder, above: str) -> Generator[None, None, str]:
    """Add ``group`` above the layer with the id ``above``; the group's id. ``living`` gives the document or raises.

    Each turn writes at most TURN_BYTES; then one adds the group, unseen, and the last has Krita compute the picture
    (its own time: about 0.1 s for 4000x4000 and layer). Given up before that, the document is as it was."""
    layers = [layer for one in (group.groups if isinstance(group, NewFolder) else (group,)) for layer in one.layers]
    for layer in layers:
        _check(living(), layer)
    workshop = living().clone()  # shares its pixels, stands in no list; a new document costs a tenth of a second
    try:
        parent = yield from _made(workshop, group)
        document = living()
        for layer in layers:
            _check(document, layer)  # the artist may have converted the document meanwhile
        document.waitForDone()
        active = document.activeNode()
        before = None if active is None else id_of(active)
        place, below = place_above(document.rootNode(), above)
        parent.setVisible(False)  # or Krita computes the picture twice, the first time without the group
        if not place.addChildNode(parent, below):
            raise CelwrightError(tr("document.refused", name=group.name))
        id = id_of(parent)
    finally:
        workshop.close()
    del active, place, below, parent  # nodes live for a turn
    try:
        yield  # Krita's window hears of the group after this turn, and makes it the active layer
    except GeneratorExit:
        with contextlib.suppress(CelwrightError):  # the document may be gone
            for node in _node(living(), id):
                node.remove()
        raise
    document = living()
    for node in _node(document, id):
        node.setVisible(group.visible)
    document.refreshProjection()
    for node in _node(document, before):
        document.setActiveNode(node)  # the artist goes on where they were
    return id


def _node(document: Any, id: str | None) -> list[Any]:
    """None or one: the artist may have undone what added it."""
    match = None if id is None else found(document.rootNode(), id)
    return [] if match is None else [match[0]]


def _made(workshop: Any, group: NewGroup | NewFolder) -> Generator[None, None, Any]:
    parent = workshop.createGroupLayer(group.name)
    if isinstance(group, NewFolder):
        for one in group.groups:
            inner = yield from _made(workshop, one)
            parent.addChildNode(inner, None)
            inner.setVisible(one.visible)
        return parent
    for layer in group.layers:
        node = workshop.createNode(layer.name, "paintlayer")
        parent.addChildNode(node, None)
        node.setBlendingMode(layer.blend)
        node.setInheritAlpha(layer.clipped)
        yield from _writing(node, layer)
        node.setVisible(layer.visible)
        node.setLocked(layer.locked)
    workshop.waitForDone()
    return parent


def _writing(node: Any, layer: NewLayer) -> Generator[None, None, None]:
    rect = layer.rect
    if rect.empty:
        return
    stride = len(layer.data) // rect.height
    rows = max(1, TURN_BYTES // stride)
    view = memoryview(layer.data)
    for top in range(0, rect.height, rows):
        count = min(rows, rect.height - top)
        band = bytes(view[top * stride : (top + count) * stride])
        node.setPixelData(band, rect.x, rect.y + top, rect.width, count)
        yield


def _check(document: Any, layer: NewLayer) -> None:
    """Krita takes samples of the wrong length without a word and shows nonsense, or nothing."""
    model, depth = document.colorModel(), document.colorDepth()
    needed = layer.rect.width * layer.rect.height * _SAMPLES.get(model, 0) * _BYTES.get(depth, 0)
    if len(layer.data) != needed or (not needed and not layer.rect.empty):
        raise UnusableInputError(tr("document.converted", model=model, depth=depth))
