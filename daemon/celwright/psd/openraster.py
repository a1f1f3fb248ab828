"""OpenRaster (.ora): a zip of PNG files and one XML file, which Krita, GIMP and MyPaint read and write.

Source: openraster.org, "File Layout" and "Layer Stack" of its baseline specification. The format has blend modes and
groups but no clipping; a layer that clips is marked with ``alpha-preserve``, which Krita and Drawpile know.
"""

import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO
from xml.etree import ElementTree

import numpy as np

from celwright.domain import Pixels
from celwright.imaging.saving import encoded_png, write_atomically
from celwright.psd.tree import Group, Node, check_depth

_THUMBNAIL_SIDE = 256
_OPERATORS = {"normal": "src-over", "linear_dodge": "plus"}  # the others have the names of the specification


def write(path: Path, nodes: Iterable[Node], composite: Pixels, *, force: bool = False) -> None:
    """Write the tree (bottom first) and its composite; the same input gives the same bytes.

    Layers that clip must look the same without, as those of ``four_layers`` do. Faults as ``write_atomically``.
    """
    with write_atomically(path, force=force) as stream:
        write_stream(stream, nodes, composite)


def write_stream(
    stream: BinaryIO, nodes: Iterable[Node], composite: Pixels, *, before_layer: Callable[[], None] = lambda: None
) -> None:
    """Write the same bytes as ``write`` to a seekable stream. What ``before_layer`` raises ends the work."""
    nodes = tuple(nodes)
    check_depth(nodes, composite)
    with zipfile.ZipFile(stream, "w") as archive:
        _add(archive, "mimetype", b"image/openraster")  # first and uncompressed, so that it stands at byte 38
        image = ElementTree.Element("image", version="0.0.5", w=str(composite.width), h=str(composite.height))
        _add_nodes(archive, ElementTree.SubElement(image, "stack"), nodes, before_layer)
        _add(archive, "stack.xml", ElementTree.tostring(image, encoding="UTF-8", xml_declaration=True))
        _add(archive, "mergedimage.png", encoded_png(composite.rgba().data, composite.icc))
        _add(archive, "Thumbnails/thumbnail.png", _thumbnail(composite))


def _add_nodes(
    archive: zipfile.ZipFile, parent: ElementTree.Element, nodes: tuple[Node, ...], before_layer: Callable[[], None]
) -> None:
    """Describe the nodes, topmost first as the format wants it, and store their pixels."""
    for node in reversed(nodes):
        before_layer()
        attributes = {
            "name": node.name,
            "composite-op": "svg:" + _OPERATORS.get(node.blend, node.blend.replace("_", "-")),
            "opacity": f"{node.opacity:.4g}",
            "visibility": "visible" if node.visible else "hidden",
        }
        if isinstance(node, Group):
            group = ElementTree.SubElement(parent, "stack", attributes, isolation="isolate")
            _add_nodes(archive, group, node.children, before_layer)
            continue
        part, (x, y) = node.visible_part()
        source = f"data/layer{sum(name.startswith('data/') for name in archive.namelist())}.png"
        _add(archive, source, encoded_png(part, node.pixels.icc))
        layer = ElementTree.SubElement(parent, "layer", attributes, src=source, x=str(x), y=str(y))
        if node.clipping:
            layer.set("alpha-preserve", "true")


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    """Store a file as it is: PNG files are compressed already. The date is fixed, so that bytes do not differ."""
    archive.writestr(zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0)), data)


def _thumbnail(composite: Pixels) -> bytes:
    """PNG of at most 256 pixels a side, 8 bit RGBA."""
    import cv2

    data = composite.rgba().data
    data = data if composite.depth == 8 else (data // 257).astype(np.uint8)
    scale = min(1, _THUMBNAIL_SIDE / max(composite.size))
    size = (max(1, round(composite.width * scale)), max(1, round(composite.height * scale)))
    # Colours weighed by alpha while they are mixed, so that hidden ones do not show at the rim.
    small = cv2.resize(data[..., :3] * (data[..., 3:] / np.float32(255)), size, interpolation=cv2.INTER_AREA)
    alpha = cv2.resize(data[..., 3].astype(np.float32), size, interpolation=cv2.INTER_AREA)[..., None]
    color = small * 255 / np.maximum(alpha, 1e-3)
    return encoded_png(np.concatenate([np.clip(color, 0, 255), alpha], axis=2).round().astype(np.uint8), composite.icc)
