"""A document that came over the wire becomes a file: the one place that knows the wire's tree and the writers'."""

from collections.abc import Callable
from typing import BinaryIO, cast

from celwright.psd import openraster, write
from celwright.psd.tree import Blend, Group, Layer
from celwright.psd.tree import Node as Written
from celwright.rpc.document_tree import Document, DocumentFormat, GroupNode, Node


def write_document(document: Document, stream: BinaryIO, before_layer: Callable[[], None]) -> DocumentFormat:
    """Write to the seekable ``stream``; what the file became. The ``DocumentWriter`` of the service."""
    nodes = [_tree(node) for node in document.nodes]
    if document.format == "openraster":
        openraster.write_stream(stream, nodes, document.composite, before_layer=before_layer)
        return "openraster"
    psb = document.format == "psb"
    became_psb = write.write_stream(stream, nodes, document.composite, psb=psb, before_layer=before_layer)
    return "psb" if became_psb else "psd"


def _tree(node: Node) -> Written:
    blend = cast("Blend", node.blend)  # the wire's enumeration has the same names
    if isinstance(node, GroupNode):
        return Group(node.name, tuple(map(_tree, node.children)), blend, node.opacity, node.visible)
    return Layer(node.name, node.image, blend, node.opacity, node.clipped, node.visible)
