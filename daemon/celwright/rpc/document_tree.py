"""A layered document as it comes over the wire: header and images → a tree of layers, checked before images cross.

Knows no file format.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from celwright.domain import Pixels, check_size
from celwright.errors import WrongUsageError
from celwright.rpc.generated import celwright_pb2 as pb
from celwright.rpc.images import ICC_BYTES

DocumentFormat: TypeAlias = Literal["psd", "psb", "openraster"]

MAX_NODES = 1000
MAX_NESTING = 32  # groups inside one another; protobuf reads some 50
MAX_OFFSET = 1 << 20  # px; far beyond every canvas, far below what the formats' numbers hold

FORMATS: dict[int, DocumentFormat] = {
    pb.DOCUMENT_FORMAT_UNSPECIFIED: "psd",
    pb.DOCUMENT_FORMAT_PSD: "psd",
    pb.DOCUMENT_FORMAT_PSB: "psb",
    pb.DOCUMENT_FORMAT_OPENRASTER: "openraster",
}
_BLENDS = {
    number: name.removeprefix("BLEND_MODE_").lower() if number else "normal" for name, number in pb.BlendMode.items()
}
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f\ufffe\uffff]")  # which XML cannot hold; Krita ends names with NUL


@dataclass(frozen=True, eq=False)
class LayerNode:
    """One layer; ``blend`` is a name of psd.tree's Blend, ``clipped`` bounds it by the layer below."""

    name: str
    image: Pixels
    blend: str
    opacity: float
    visible: bool
    clipped: bool


@dataclass(frozen=True, eq=False)
class GroupNode:
    """Layers and groups, bottom first."""

    name: str
    children: "tuple[Node, ...]"
    blend: str
    opacity: float
    visible: bool


Node: TypeAlias = LayerNode | GroupNode


@dataclass(frozen=True, eq=False)
class Document:
    """What is to be written. ``composite`` has the canvas's size and every image its depth and ICC profile."""

    format: DocumentFormat
    nodes: tuple[Node, ...]
    composite: Pixels


def image_names(header: pb.DocumentHeader) -> frozenset[str]:
    """Names of the images that may follow ``header``; WrongUsageError for what is wrong with it, before they come."""
    if header.format not in FORMATS:
        raise WrongUsageError(f"The format {header.format} is not known to this daemon; update it, or choose another.")
    if header.depth not in (8, 16):
        raise WrongUsageError(f"The document has {header.depth} bits a channel; 8 or 16 are allowed: convert it.")
    if len(header.icc) > ICC_BYTES:
        raise WrongUsageError(
            f"The document has an ICC profile of {len(header.icc)} bytes; at most {ICC_BYTES} are allowed."
        )
    check_size(header.width, header.height)
    if not header.layers:
        raise WrongUsageError("The document has no layers; at least one is needed.")
    if not header.composite:
        raise WrongUsageError(
            "The document came without a composite, which this daemon does not make from layers; send the visible "
            "picture as one image and name it in the header."
        )
    nodes = list(_checked(header.layers, 0))
    if len(nodes) > MAX_NODES:
        raise WrongUsageError(
            f"The document has {len(nodes)} layers and groups; at most {MAX_NODES} are allowed: merge some."
        )
    names = [header.composite, *(node.image for node in nodes if node.HasField("image"))]
    if len(set(names)) < len(names):
        raise WrongUsageError("Two images of the document have the same name; give every layer's image its own.")
    return frozenset(names)


def _checked(nodes: Iterable[pb.LayerNode], nesting: int) -> Iterator[pb.LayerNode]:
    if nesting > MAX_NESTING:
        raise WrongUsageError(
            f"More than {MAX_NESTING} groups are inside one another; at most {MAX_NESTING} are allowed: merge some."
        )
    for node in nodes:
        kind = node.WhichOneof("content")
        if kind is None:
            raise WrongUsageError(f"The layer {node.name!r} has neither an image nor children; give it one of both.")
        if node.blend not in _BLENDS:
            raise WrongUsageError(
                f"The blend mode {node.blend} of {node.name!r} is not known to this daemon; update it, or choose "
                f"another."
            )
        if node.HasField("opacity") and not 0 <= node.opacity <= 1:
            raise WrongUsageError(f"The opacity of {node.name!r} is {node.opacity:g}; 0 to 1 is allowed.")
        if kind == "group" and node.clipped:
            raise WrongUsageError(
                f"The group {node.name!r} is clipped, which only layers can be; merge it into one layer, or do not "
                f"clip it."
            )
        yield node
        if kind == "group":
            yield from _checked(node.group.children, nesting + 1)


def document(header: pb.DocumentHeader, named: Mapping[str, Pixels]) -> Document:
    """What a header that ``image_names`` has accepted and its images make; WrongUsageError where they do not fit."""
    composite = _image(header, named, header.composite)
    if composite.size != (header.width, header.height) or composite.offset != (0, 0):
        raise WrongUsageError(
            f"The composite is {composite.width}x{composite.height} pixels at {composite.offset}, the canvas "
            f"{header.width}x{header.height} at (0, 0); both must match."
        )
    return Document(FORMATS[header.format], _nodes(header, header.layers, named), composite)


def _nodes(header: pb.DocumentHeader, nodes: Iterable[pb.LayerNode], named: Mapping[str, Pixels]) -> tuple[Node, ...]:
    found: list[Node] = []
    for node in nodes:
        shown: dict[str, Any] = {
            "name": _UNPRINTABLE.sub("", node.name),
            "blend": _BLENDS[node.blend],
            "opacity": node.opacity if node.HasField("opacity") else 1.0,
            "visible": node.visible if node.HasField("visible") else True,
        }
        if node.HasField("group"):
            found.append(GroupNode(children=_nodes(header, node.group.children, named), **shown))
        else:
            found.append(LayerNode(image=_image(header, named, node.image), clipped=node.clipped, **shown))
    return tuple(found)


def _image(header: pb.DocumentHeader, named: Mapping[str, Pixels], name: str) -> Pixels:
    """The image as part of the document, with its ICC profile."""
    if name not in named:
        raise WrongUsageError(f"The image {name!r} did not come; send it after the header.")
    image = named[name]
    if image.depth != header.depth:
        raise WrongUsageError(
            f"The image {name!r} has {image.depth} bits a channel, the document {header.depth}; all must have the "
            f"same: convert it."
        )
    if max(map(abs, image.offset)) > MAX_OFFSET:
        raise WrongUsageError(
            f"The image {name!r} lies at {image.offset}; at most {MAX_OFFSET} pixels from the canvas's corner are "
            f"allowed: crop or move it."
        )
    return replace(image, icc=header.icc)
