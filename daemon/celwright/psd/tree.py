"""A document is a tree of layers and groups, bottom first. Knows no file format.

Both writers (PSD and OpenRaster) take this tree. Positions are the layers' ``Pixels.offset`` in the document.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from celwright.domain import MIN_SIDE, Pixels
from celwright.errors import WrongUsageError
from celwright.layers import NAMES, LayerStack, compose, quantized

Blend: TypeAlias = Literal[
    "normal",
    "multiply",
    "screen",
    "overlay",
    "darken",
    "lighten",
    "color_dodge",
    "color_burn",
    "hard_light",
    "soft_light",
    "difference",
    "linear_dodge",
]

_BAND = 256  # rows composed at a time


@dataclass(frozen=True, eq=False)
class Layer:
    """Pixels with a place in the stack. ``clipping`` bounds it by the nearest layer below that does not clip.

    ``opacity`` is 0..1. Raises WrongUsageError outside of it.
    """

    name: str
    pixels: Pixels
    blend: Blend = "normal"
    opacity: float = 1.0
    clipping: bool = False
    visible: bool = True

    def __post_init__(self) -> None:
        _check_opacity(self.name, self.opacity)

    def visible_part(self) -> tuple[NDArray[Any], tuple[int, int]]:
        """(h, w, 4) view without the transparent border, and (x, y) of its corner in the document.

        One transparent pixel of a layer that shows nothing: Krita refuses layers without any.
        """
        data = self.pixels.rgba().data
        rows = np.flatnonzero(data[..., 3].any(axis=1))
        columns = np.flatnonzero(data[..., 3].any(axis=0))
        if not rows.size:
            return np.zeros_like(data[:1, :1]), self.pixels.offset
        top, left = int(rows[0]), int(columns[0])
        x, y = self.pixels.offset
        return data[top : rows[-1] + 1, left : columns[-1] + 1], (x + left, y + top)


@dataclass(frozen=True, eq=False)
class Group:
    """Layers and groups, bottom first, that blend among themselves before they blend with what is below.

    Krita ignores a group's opacity when it opens a PSD.
    """

    name: str
    children: "tuple[Node, ...]"
    blend: Blend = "normal"
    opacity: float = 1.0
    visible: bool = True

    def __post_init__(self) -> None:
        _check_opacity(self.name, self.opacity)


Node: TypeAlias = Layer | Group


def four_layers(stack: LayerStack) -> tuple[Layer, ...]:
    """The stack as an artist works with it, bottom first: flat, shadow, highlight, line.

    They are meant to stand at the top level of a document of one picture, where every program shows them as they are;
    put each variation or figure into a ``Group`` of its own, which keeps their clipping apart.

    Photoshop clips shadow and highlight to the flat. Krita does not when it opens a PSD, and OpenRaster knows no
    clipping, so the layers look the same without: where the flat is half-transparent and they would add to its
    coverage, their colour goes into the flat; where it is transparent they go. Under an opaque flat nothing changes.
    """
    flat, shadow, highlight = stack.flat, stack.shadow, stack.highlight
    rim = flat.data[..., 3] < flat.top
    if rim.any():
        flat, shadow, highlight = (
            Pixels(layer.data.copy(), layer.offset, layer.icc) for layer in (flat, shadow, highlight)
        )
        shadow.data[rim] = 0
        highlight.data[rim] = 0
        for top in range(0, len(rim), _BAND):
            rows = slice(max(min(top, len(rim) - MIN_SIDE), 0), top + _BAND)
            if rim[rows].any():
                flat.data[rows][rim[rows], :3] = _shaded_flat(stack, rows)[rim[rows]]
    return (
        Layer("flat", flat),
        Layer("shadow", shadow, stack.shadow_blend, clipping=True),
        Layer("highlight", highlight, "screen", clipping=True),
        Layer("line", stack.line),
    )


def _shaded_flat(stack: LayerStack, rows: slice) -> NDArray[Any]:
    """(h, W, 3) colour of these rows without the line."""
    line, flat, shadow, highlight = (Pixels(getattr(stack, name).data[rows]) for name in NAMES)
    unlined = LayerStack(Pixels(np.zeros_like(line.data)), flat, shadow, highlight, shadow_blend=stack.shadow_blend)
    return quantized(compose(unlined)[..., :3], stack.line.depth)


def walk(nodes: tuple[Node, ...]) -> Iterator[Layer]:
    """Every layer of the tree, bottom first."""
    for node in nodes:
        if isinstance(node, Group):
            yield from walk(node.children)
        else:
            yield node


def check_depth(nodes: tuple[Node, ...], composite: Pixels) -> None:
    """Refuse layers of another depth than the document's (WrongUsageError)."""
    for layer in walk(nodes):
        if layer.pixels.depth != composite.depth:
            raise WrongUsageError(
                f"The layer {layer.name!r} has {layer.pixels.depth} bits a channel, the document {composite.depth}; "
                "all must have the same: convert the layer."
            )


def _check_opacity(name: str, opacity: float) -> None:
    if not 0 <= opacity <= 1:
        raise WrongUsageError(f"The opacity of {name!r} is {opacity:g}; 0 to 1 is allowed.")
