"""The pictures to take colours from: where they come from, the instance in them, the place where it stands.

A reference is a copy: the layer, file or document that it came from may change or go. Placements belong to a document,
so that a character stays in the list from page to page. Knows no Qt and no wire.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Mapping

from celwright_krita.canvas import VISIBLE, Canvas, Program, Raw, Rect
from celwright_krita.errors import UnusableInputError
from celwright_krita.pixels import Pixels, check_size
from celwright_krita.session.areas import THUMBNAIL_SIDE, mask_pixels, nothing_selected, raw_thumbnail, thumbnail
from celwright_krita.state import ReferenceState
from celwright_krita.texts import tr


@dataclass(frozen=True, eq=False)
class Used:
    """A reference as a job takes it; ``region`` is a selection of the line art's document."""

    name: str
    image: Pixels | Raw
    mask: Pixels | None
    region: Raw | None


@dataclass(frozen=True, eq=False)
class _Item:
    id: int
    name: str
    image: Pixels | Raw
    thumbnail: Pixels
    key: str = ""  # of the canvas that it is from; empty for a picture from elsewhere
    rect: Rect | None = None  # in that canvas
    mask: Pixels | None = None
    regions: Mapping[str, Raw] = field(default_factory=dict)  # by the canvas's key


class References:
    """Main thread only. What cannot be done is an UnusableInputError."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._items: dict[int, _Item] = {}
        self._count = 0

    def add(self, name: str, image: Pixels, mask: Pixels | None = None) -> None:
        """A picture from a file, the clipboard or the library."""
        small = thumbnail(image, THUMBNAIL_SIDE)
        if image.channels != 4:
            raise UnusableInputError(tr("reference.layout"))
        self._keep(_Item(0, name, image, small, mask=mask))

    def add_layer(self, layer_id: str) -> None:
        """A layer as it is now, cut to the document."""
        canvas = self._front()
        layer = canvas.active() if not layer_id else canvas.layer(layer_id)
        if layer_id != VISIBLE and layer is None:
            raise UnusableInputError(tr("layer.gone.chosen"))
        id = VISIBLE if layer is None else layer.id
        rect = canvas.bounds(id).meet(canvas.frame().rect)
        if rect.empty:
            raise UnusableInputError(tr("layer.empty"))
        check_size(rect.width, rect.height)
        raw = canvas.read(id, rect)
        name = canvas.title if layer is None else layer.name
        self._keep(_Item(0, name, raw, raw_thumbnail(raw, THUMBNAIL_SIDE), canvas.key, rect))

    def remove(self, id: int) -> None:
        self._items.pop(id, None)

    def mask(self, id: int) -> None:
        """Take the selection as the instance in the reference. Of a picture from elsewhere that is possible where a
        document of its size is in front: the picture itself, opened."""
        item, canvas = self._item(id), self._front()
        selection = _selection(canvas)
        rect = item.rect if item.key == canvas.key else None
        if rect is None:
            frame, image = canvas.frame(), item.image
            size = image.size if isinstance(image, Pixels) else (image.rect.width, image.rect.height)
            if (frame.width, frame.height) != size:
                raise UnusableInputError(tr("reference.mask.elsewhere", width=size[0], height=size[1]))
            rect = frame.rect
        mask = mask_pixels(selection, rect)
        if not any(mask.samples()):
            raise UnusableInputError(tr("reference.mask.beside"))
        self._items[id] = dataclasses.replace(item, mask=mask)

    def place(self, id: int) -> None:
        """Take the selection as the place where the reference's instance stands in this document."""
        item, canvas = self._item(id), self._front()
        self._items[id] = dataclasses.replace(item, regions={**item.regions, canvas.key: _selection(canvas)})

    def show_placement(self, id: int) -> None:
        """Make the placement the selection, so that the canvas shows it."""
        item, canvas = self._item(id), self._front()
        region = item.regions.get(canvas.key)
        if region is None:
            raise UnusableInputError(tr("reference.not_placed"))
        canvas.select(region)

    def used(self, key: str) -> tuple[Used, ...]:
        """All references, for a job in the document with this key."""
        return tuple(Used(item.name, item.image, item.mask, item.regions.get(key)) for item in self._items.values())

    def one(self, id: int) -> Used:
        item = self._item(id)
        return Used(item.name, item.image, item.mask, None)

    def shown(self, key: str) -> tuple[ReferenceState, ...]:
        return tuple(
            ReferenceState(item.id, item.name, item.thumbnail, item.mask is not None, key in item.regions)
            for item in self._items.values()
        )

    def _keep(self, item: _Item) -> None:
        self._count += 1
        self._items[self._count] = dataclasses.replace(item, id=self._count)

    def _item(self, id: int) -> _Item:
        if id not in self._items:
            raise UnusableInputError(tr("reference.gone"))
        return self._items[id]

    def _front(self) -> Canvas:
        canvas = self._program.canvas()
        if canvas is None:
            raise UnusableInputError(tr("document.none"))
        return canvas


def _selection(canvas: Canvas) -> Raw:
    selection = canvas.selection()
    if selection is None or nothing_selected(selection):
        raise UnusableInputError(tr("selection.needed"))
    return selection
