"""A layered document to be written, as the plugin asks the daemon for it. Knows neither the wire nor Krita."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

from celwright_krita.pixels import Pixels


@dataclass(frozen=True, eq=False)
class LayerNode:
    """One layer. ``blend`` is normal, multiply, screen, overlay, darken, lighten, color_dodge, color_burn, hard_light,
    soft_light, difference or linear_dodge; ``opacity`` 0..1; ``clipped`` bounds it by the nearest layer below that is
    not clipped. Transparent borders are not written: pad a layer of less than 8 pixels a side."""

    name: str
    image: Pixels
    blend: str = "normal"
    opacity: float = 1.0
    visible: bool = True
    clipped: bool = False


@dataclass(frozen=True, eq=False)
class GroupNode:
    """Layers and groups, bottom first, that blend among themselves before they blend with what is below."""

    name: str
    children: tuple[Node, ...]
    blend: str = "normal"
    opacity: float = 1.0
    visible: bool = True


Node = Union[LayerNode, GroupNode]


@dataclass(frozen=True, eq=False)
class DocumentRequest:
    """Layers, bottom first, and the visible picture, whose size, depth and ICC profile are the document's; every image
    must have that depth. ``format`` is psd (which becomes psb beyond 2 GB), psb or openraster."""

    layers: tuple[Node, ...]
    composite: Pixels
    format: str = "psd"


@dataclass(frozen=True)
class DocumentStart:
    """The file is made and its ``bytes`` follow; ``format`` is what it became."""

    bytes: int
    format: str


DocumentPart = Union[DocumentStart, bytes]
