"""A layered document on the wire: header and named images out, the finished file's bytes in, proved by their digest."""

from __future__ import annotations

import hashlib
from typing import Iterable, Iterator

from celwright_krita.document import DocumentPart, DocumentRequest, DocumentStart, LayerNode, Node
from celwright_krita.errors import UnreadableAnswerError, WrongUsageError
from celwright_krita.pixels import Pixels
from celwright_krita.rpc.generated import celwright_pb2 as pb
from celwright_krita.rpc.messages import parsed

COMPOSITE = "composite"
FORMATS = {
    "psd": pb.DOCUMENT_FORMAT_PSD,
    "psb": pb.DOCUMENT_FORMAT_PSB,
    "openraster": pb.DOCUMENT_FORMAT_OPENRASTER,
}
BLENDS = {name[len("BLEND_MODE_") :].lower(): number for name, number in pb.BlendMode.items() if number}


def upload(request: DocumentRequest, client_version: str) -> tuple[pb.DocumentHeader, dict[str, Pixels]]:
    """The header and the images by name; WrongUsageError for a format or blend mode that has no name there."""
    if request.format not in FORMATS:
        raise WrongUsageError(
            f"The format {request.format!r} is not known; {' or '.join(map(repr, FORMATS))} is allowed."
        )
    images = {COMPOSITE: request.composite}
    header = pb.DocumentHeader(
        client_version=client_version,
        format=FORMATS[request.format],
        width=request.composite.width,
        height=request.composite.height,
        depth=request.composite.depth,
        icc=request.composite.icc,
        layers=[_node(node, images) for node in request.layers],
        composite=COMPOSITE,
    )
    return header, images


def _node(node: Node, images: dict[str, Pixels]) -> pb.LayerNode:
    """The message for ``node``; its images are added to ``images``."""
    if node.blend not in BLENDS:
        raise WrongUsageError(
            f"The blend mode {node.blend!r} of {node.name!r} has no name in the file; {', '.join(BLENDS)} are allowed: "
            f"choose one of them or merge the layer."
        )
    message = pb.LayerNode(name=node.name, blend=BLENDS[node.blend], opacity=node.opacity, visible=node.visible)
    if isinstance(node, LayerNode):
        message.clipped, message.image = node.clipped, f"layer/{len(images)}"
        images[message.image] = node.image
    else:
        message.group.SetInParent()  # also where it is empty
        message.group.children.extend([_node(child, images) for child in node.children])
    return message


def parts(stream: Iterable[bytes]) -> Iterator[DocumentPart]:
    """A DocumentStart, then the file's bytes piece by piece; UnreadableAnswerError at the end when they are not what
    was announced. What a newer daemon adds is skipped."""
    start, end, count, digest = None, None, 0, hashlib.sha256()
    for data in stream:
        message = parsed(pb.DocumentPart, data)
        kind = message.WhichOneof("part")
        if kind == "start" and start is None:
            names = {number: name for name, number in FORMATS.items()}
            start = DocumentStart(message.start.bytes, names.get(message.start.format, ""))
            yield start
        elif kind == "chunk" and start is not None:
            digest.update(message.chunk)
            count += len(message.chunk)
            yield message.chunk
        elif kind == "end":
            end = message.end
    if start is None or end is None or count != start.bytes or digest.digest() != end.sha256:
        raise UnreadableAnswerError(
            f"The daemon sent {count} bytes that are not the whole document; try again, and update daemon and plugin "
            f"if it stays so."
        )
