"""A painting program made of lists and bytes, at the seam that canvas.py describes. The plugin's only fake."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass

from celwright_krita.canvas import VISIBLE, DocumentTree, Frame, Layer, NewFolder, NewGroup, Raw, Rect, TreeLayer
from celwright_krita.errors import DocumentClosedError, LayerGoneError

BYTES = {"RGBA": 4, "GRAYA": 2, "CMYKA": 5, "MASK": 1}
DEPTHS = {"U8": 1, "U16": 2, "F16": 2, "F32": 4}
NOWHERE = Rect(0, 0, 0, 0)
_ids = itertools.count(1)


def ids() -> str:
    return f"{{{next(_ids)}}}"


@dataclass(eq=False)
class FakeLayer:
    """``children`` is None for a layer with pixels of its own."""

    name: str
    data: bytes = b""
    rect: Rect = NOWHERE
    id: str = ""
    visible: bool = True
    locked: bool = False
    blend: str = "normal"
    clipped: bool = False
    children: list[FakeLayer] | None = None
    frames: Mapping[int, bytes] | None = None  # other data at other times

    def __post_init__(self) -> None:
        self.id = self.id or ids()


class FakeCanvas:
    """``top`` holds layers top to bottom. ``steps`` counts the undo steps, ``turns`` those an insertion took."""

    def __init__(
        self, width: int = 24, height: int = 16, layers: tuple = (), model: str = "RGBA", depth: str = "U8"
    ) -> None:
        self.key = ids()
        self.open = True
        self.name = "page one.kra"
        self.top: list[FakeLayer] = list(layers)
        self.current = self.top[0].id if self.top else ""
        self.mask: Raw | None = None
        self.stored: dict = {}
        self.icc = b""
        self.steps = 0
        self.reads: list[str] = []
        self.times = (0, 0, 0)  # now, first, last
        self._size = width, height, model, depth

    def close(self) -> None:
        self.open = False

    def remove(self, id: str) -> None:
        self.top = [layer for layer in self.top if layer.id != id]

    def named(self, name: str) -> FakeLayer:
        return next(layer for layer, _ in self._walk(self.top) if layer.name == name)

    # ---- the seam

    @property
    def title(self) -> str:
        self._living()
        return self.name

    def frame(self) -> Frame:
        self._living()
        width, height, model, depth = self._size
        return Frame(width, height, model, depth, "sRGB", *self.times)

    def layers(self) -> list[Layer]:
        self._living()
        return [
            Layer(
                layer.id,
                layer.name,
                "paintlayer" if layer.children is None else "grouplayer",
                level,
                layer.visible,
                layer.locked,
            )
            for layer, level in self._walk(self.top)
        ]

    def active(self) -> Layer | None:
        return self.layer(self.current)

    def layer(self, id: str) -> Layer | None:
        return next((layer for layer in self.layers() if layer.id == id), None)

    def bounds(self, id: str) -> Rect:
        self._living()
        if id == VISIBLE:
            return self.frame().rect
        layer = self._found(id)
        return layer.rect if layer.children is None else self.frame().rect

    def read(self, id: str, rect: Rect) -> Raw:
        self._living()
        self.reads.append(id)
        _, _, model, depth = self._size
        layer = (
            next((layer for layer, _ in self._walk(self.top) if layer.data), None) if id == VISIBLE else self._found(id)
        )
        if layer is not None and layer.children:
            layer = layer.children[-1]
        data, area = (layer.data, layer.rect) if layer is not None else (b"", Rect(0, 0, 0, 0))
        if layer is not None and layer.frames is not None:
            data = layer.frames.get(self.times[0], data)
        return Raw(cut(data, area, rect, BYTES[model] * DEPTHS[depth]), rect, model, depth)

    def selected(self) -> bool:
        self._living()
        return self.mask is not None

    def selection(self) -> Raw | None:
        self._living()
        if self.mask is None:
            return None
        rect = self.mask.rect.meet(self.frame().rect)
        return Raw(cut(self.mask.data, self.mask.rect, rect, 1), rect, "MASK", "U8")

    def select(self, mask: Raw) -> None:
        self._living()
        self.mask = mask

    def insert(self, group: NewGroup | NewFolder, above: str) -> Generator[None, None, str]:
        made = yield from self._made(group)
        place = next((place for place, layer in enumerate(self.top) if layer.id == above), 0)
        self.top.insert(place, made)
        self.stored[made.id] = dict(group.parameters)
        self.steps += 1
        return made.id

    def _made(self, group: NewGroup | NewFolder) -> Generator[None, None, FakeLayer]:
        children: list[FakeLayer] = []
        for one in group.groups if isinstance(group, NewFolder) else ():
            children.insert(0, (yield from self._made(one)))
        for layer in () if isinstance(group, NewFolder) else group.layers:
            self._living()
            _, _, model, depth = self._size
            assert len(layer.data) == layer.rect.width * layer.rect.height * BYTES[model] * DEPTHS[depth]
            children.insert(
                0,
                FakeLayer(
                    layer.name, bytes(layer.data), layer.rect,
                    visible=layer.visible, locked=layer.locked, blend=layer.blend, clipped=layer.clipped,
                ),
            )  # fmt: skip
            yield
        self._living()
        return FakeLayer(group.name, visible=group.visible, children=children)

    def remembered(self) -> dict:
        self._living()
        there = {layer.id for layer, _ in self._walk(self.top)}
        return {id: stored for id, stored in self.stored.items() if id in there}

    def icc_profile(self) -> bytes:
        self._living()
        return self.icc

    def at_time(self, time: int) -> Iterator[None]:
        self._living()
        self.times = (time, *self.times[1:])
        yield

    def tree_in_turns(self, id: str) -> Generator[None, None, DocumentTree]:
        frame = self.frame()
        composite = self.read(VISIBLE if id == VISIBLE else id, frame.rect)
        yield
        chosen = self.top if id == VISIBLE else [self._found(id)]
        return DocumentTree(frame, tuple(map(self._tree, reversed(chosen))), composite)

    # ---- inside

    def _tree(self, layer: FakeLayer) -> TreeLayer:
        if layer.children is not None:
            children = tuple(map(self._tree, reversed(layer.children)))
            return TreeLayer(layer.name, layer.blend, 1.0, layer.visible, False, None, children)
        raw = Raw(layer.data, layer.rect, self._size[2], self._size[3])
        return TreeLayer(layer.name, layer.blend, 1.0, layer.visible, layer.clipped, raw)

    def _walk(self, layers: list, level: int = 0) -> Iterator[tuple[FakeLayer, int]]:
        for layer in layers:
            yield layer, level
            yield from self._walk(layer.children or [], level + 1)

    def _found(self, id: str) -> FakeLayer:
        for layer, _ in self._walk(self.top):
            if layer.id == id:
                return layer
        raise LayerGoneError("The layer is no longer in the document: choose another one.")

    def _living(self) -> None:
        if not self.open:
            raise DocumentClosedError(f"The document “{self.name}” is closed.")


class FakeProgram:
    """The first of ``open`` is in front."""

    def __init__(self, *canvases: FakeCanvas) -> None:
        self.documents = list(canvases)
        self.messages: list[str] = []
        self.colors: dict[str, bytes] = {"Sunset": bytes(range(6))}

    def canvas(self) -> FakeCanvas | None:
        return next((canvas for canvas in self.documents if canvas.open), None)

    def canvases(self) -> list:
        return [canvas for canvas in self.documents if canvas.open]

    def palettes(self) -> Mapping[str, Callable[[], bytes]]:
        return {name: (lambda colors=colors: colors) for name, colors in self.colors.items()}

    def show_message(self, text: str) -> None:
        self.messages.append(text)


def cut(data: bytes, area: Rect, rect: Rect, pixel: int) -> bytes:
    """The pixels of ``data`` (in ``area``) that lie in ``rect``, zero elsewhere: pixel by pixel, to compare with."""
    result = bytearray(rect.width * rect.height * pixel)
    shared = area.meet(rect)
    for y in range(shared.y, shared.y + shared.height):
        for x in range(shared.x, shared.x + shared.width):
            source = ((y - area.y) * area.width + x - area.x) * pixel
            target = ((y - rect.y) * rect.width + x - rect.x) * pixel
            result[target : target + pixel] = data[source : source + pixel]
    return bytes(result)


def painted(
    name: str, width: int = 24, height: int = 16, depth: str = "U8", x: int = 0, y: int = 0, seed: int = 1
) -> FakeLayer:
    """A layer whose pixels all differ, a fifth of them transparent."""
    size = DEPTHS[depth]
    data = bytearray((place * 37 + seed * 101) % 251 for place in range(width * height * 4 * size))
    for pixel in range(0, width * height, 5):
        data[(pixel * 4 + 3) * size : (pixel * 4 + 4) * size] = bytes(size)
    return FakeLayer(name, bytes(data), Rect(x, y, width, height))


def mask(x: int, y: int, width: int, height: int, value: int = 255) -> Raw:
    return Raw(bytes([value]) * (width * height), Rect(x, y, width, height), "MASK", "U8")
