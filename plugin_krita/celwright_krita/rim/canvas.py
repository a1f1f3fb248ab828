"""canvas.Canvas served by one of Krita's open documents. Which documents there are is krita_program.py's business.

Everything is looked up anew for each call: Krita's Python objects outlive what they stand for, and a call to some of
them then ends the program.
"""

from __future__ import annotations

import json
import os
from typing import Any, Generator, Iterator

from krita import Krita

from celwright_krita.canvas import VISIBLE, DocumentTree, Frame, Layer, NewFolder, NewGroup, Raw, Rect
from celwright_krita.errors import DocumentClosedError, LayerGoneError
from celwright_krita.rim.insertion import inserting
from celwright_krita.rim.nodes import (
    WITHOUT_PIXELS,
    found,
    id_of,
    is_layer,
    last_keyframe,
    layer_of,
    projection,
    rect_of,
    walk,
)
from celwright_krita.rim.profiles import profile_bytes
from celwright_krita.rim.selections import selection_of
from celwright_krita.rim.tree import branch_of, branches_of, with_pixels
from celwright_krita.session.turns import finished, read_in_turns
from celwright_krita.texts import tr

ANNOTATION = "celwright"  # group id → parameters, as JSON


class KritaCanvas:
    """``document`` is a wrapper that does not own the document, as Krita.documents() gives it."""

    def __init__(self, document: Any, key: str) -> None:
        self.key = key
        self._document = document
        self._title = ""

    def stands_for(self, document: Any) -> bool:
        """Two wrappers are equal when their document is the same, or when both are closed."""
        return self.open and bool(self._document == document)

    @property
    def open(self) -> bool:
        if self._document.rootNode() is None:
            return False
        return any(self._document == other for other in Krita.instance().documents())

    @property
    def title(self) -> str:
        document = self.living()
        self._title = os.path.basename(document.fileName()) or document.name() or tr("document.untitled")
        return self._title

    def living(self) -> Any:
        """Krita's Document, while it is open (else DocumentClosedError); not to be kept."""
        if not self.open:
            raise DocumentClosedError(tr("document.closed", title=self._title or tr("document.untitled")))
        return self._document

    def frame(self) -> Frame:
        document = self.living()
        size = document.width(), document.height()
        color = document.colorModel(), document.colorDepth(), document.colorProfile()
        now, first = document.currentTime(), document.fullClipRangeStartTime()
        last = last_keyframe(document.rootNode(), first, document.fullClipRangeEndTime())
        if last is None:
            return Frame(*size, *color, time=now, first=now, last=now)
        return Frame(*size, *color, time=now, first=first, last=last)

    def layers(self) -> list[Layer]:
        nodes = walk(self.living().rootNode())
        return [layer_of(node, level) for node, level in nodes if node.type() not in WITHOUT_PIXELS]

    def active(self) -> Layer | None:
        """The active layer, or the one that the active mask belongs to."""
        node = self.living().activeNode()
        while node is not None and not is_layer(node):
            node = node.parentNode()
        return None if node is None else self.layer(id_of(node))

    def layer(self, id: str) -> Layer | None:
        match = found(self.living().rootNode(), id)
        return None if match is None else layer_of(*match)

    def bounds(self, id: str) -> Rect:
        document = self.living()
        return rect_of(document.bounds() if id == VISIBLE else self._node(id).bounds())

    def read(self, id: str, rect: Rect) -> Raw:
        """LayerGoneError when the layer is not there. A hidden layer is read as it would look; what Krita still
        computes is waited for."""
        document = self.living()
        document.waitForDone()
        if id != VISIBLE:
            return projection(self._node(id), rect)
        data = b"" if rect.empty else bytes(document.pixelData(rect.x, rect.y, rect.width, rect.height))
        return Raw(data, rect, document.colorModel(), document.colorDepth())

    def selected(self) -> bool:
        return self.living().selection() is not None

    def selection(self) -> Raw | None:
        """With an empty ``rect`` when what is selected lies off the canvas, or nothing is."""
        document = self.living()
        selected = document.selection()
        if selected is None:
            return None
        rect = Rect(selected.x(), selected.y(), selected.width(), selected.height())
        rect = rect.meet(Rect(0, 0, document.width(), document.height()))
        data = b"" if rect.empty else bytes(selected.pixelData(rect.x, rect.y, rect.width, rect.height))
        return Raw(data, rect, "MASK", "U8")

    def select(self, mask: Raw) -> None:
        selection = selection_of(mask, self.frame())
        document = self.living()
        document.setSelection(selection)
        document.waitForDone()

    def insert(self, group: NewGroup | NewFolder, above: str) -> Generator[None, None, str]:
        """DocumentClosedError when the document is closed between two turns, UnusableInputError when its colours are
        others than those of ``group``; nothing is inserted then."""
        id = yield from inserting(self.living, group, above)
        document = self.living()
        stored = self._stored()
        stored[id] = dict(group.parameters)
        text = json.dumps(stored, ensure_ascii=False)
        document.setAnnotation(ANNOTATION, "Celwright: parameters of its groups", text.encode("utf-8"))
        return id

    def remembered(self) -> dict[str, dict[str, object]]:
        stored = self._stored()
        there = {id_of(node) for node, _ in walk(self.living().rootNode())} if stored else set()
        return {id: parameters for id, parameters in stored.items() if id in there}

    def icc_profile(self) -> bytes:
        return profile_bytes(self.living())

    def at_time(self, time: int) -> Iterator[None]:
        """Krita makes the picture in the background; each turn only asks whether it is done."""
        if self.living().currentTime() != time:
            self.living().setCurrentTime(time)
        while not self.living().tryBarrierLock():
            yield
        self.living().unlock()

    def tree(self, id: str) -> DocumentTree:
        """At once; ``tree_in_turns`` keeps the window alive where the document is large."""
        tree: DocumentTree = finished(self.tree_in_turns(id))
        return tree

    def tree_in_turns(self, id: str) -> Generator[None, None, DocumentTree]:
        """The group ``id``, or with VISIBLE the whole document, a few rows read each turn. Blend modes have
        Krita's names (blends.saved_blend gives the file's). DocumentClosedError when the document is closed between two
        turns."""
        frame = self.frame()
        composite = yield from read_in_turns(self, id, frame.rect)
        root = self.living().rootNode()
        branches = branches_of(root) if id == VISIBLE else (branch_of(self._node(id)),)
        layers = yield from with_pixels(self, branches, frame.rect)
        return DocumentTree(frame, layers, composite)

    def _node(self, id: str) -> Any:
        match = found(self.living().rootNode(), id)
        if match is None:
            raise LayerGoneError(tr("layer.gone"))
        return match[0]

    def _stored(self) -> dict[str, dict[str, object]]:
        """What the annotation says; nothing where there is none or another program wrote it."""
        try:
            stored = json.loads(bytes(self.living().annotation(ANNOTATION)).decode("utf-8") or "{}")
        except ValueError:
            return {}
        if not isinstance(stored, dict):
            return {}
        return {id: parameters for id, parameters in stored.items() if isinstance(parameters, dict)}
