"""A tree of layers becomes a PSD (or PSB) that Photoshop, Krita, GIMP and Clip Studio open alike.

psd-tools' structures describe the file; the planes are compressed here straight from the integers, since its layer
API goes through float images and composes the preview anew. Choices, and why:

- RLE at 8 and 16 bit: every reader knows it, and drawings shrink well. 16-bit layers stand where 8-bit layers do,
  as Krita writes them.
- A layer's transparency is its channel -1, never a mask. Layers are trimmed to what is visible.
- The merged image has three channels when the picture is opaque. Otherwise it has four and the layer count is
  negative, which names the fourth as transparency; without the sign programs take it for a saved selection.
  Photoshop keeps merged colours over white.
- Groups are isolated ("normal"), not pass-through, which Krita shows as nothing where it stands alone.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from celwright.domain import Pixels
from celwright.errors import OutputError
from celwright.imaging.saving import write_atomically
from celwright.psd.tree import Group, Layer, Node, check_depth

if TYPE_CHECKING:
    from psd_tools.psd.document import PSD
    from psd_tools.psd.image_data import ImageData
    from psd_tools.psd.layer_and_mask import ChannelData, LayerRecord

_MAX_PSD_BYTES = 2**31 - 1


def write(path: Path, nodes: Iterable[Node], composite: Pixels, *, force: bool = False) -> None:
    """Write the tree (bottom first) and its composite to ``path``; a name ending in ``.psb`` makes a PSB.

    ``composite`` gives the document's size, depth and ICC profile, and the picture that programs show which do not
    read layers. Raises WrongUsageError and OutputError as ``write_atomically`` does, OutputError beyond 2 GB of PSD.
    """
    nodes = tuple(nodes)
    check_depth(nodes, composite)
    with write_atomically(path, force=force) as stream:
        document = _document(nodes, composite, version=2 if path.suffix.lower() == ".psb" else 1)
        if _too_large(document):
            raise OutputError(
                f"{path} would take {_compressed_size(document) / 1e9:.1f} GB; a PSD may take at most 2 GB: give it a "
                "name ending in .psb."
            )
        document.write(stream)


def write_stream(
    stream: BinaryIO,
    nodes: Iterable[Node],
    composite: Pixels,
    *,
    psb: bool = False,
    before_layer: Callable[[], None] = lambda: None,
) -> bool:
    """Write the same bytes as ``write`` to a seekable stream, as PSB where ``psb`` wants it or a PSD would be too
    large; whether it became one. What ``before_layer`` raises ends the work."""
    nodes = tuple(nodes)
    check_depth(nodes, composite)
    document = _document(nodes, composite, 2 if psb else 1, before_layer)
    if _too_large(document):
        psb, document = True, _document(nodes, composite, 2, before_layer)
    document.write(stream)
    return psb


def _document(
    nodes: tuple[Node, ...], composite: Pixels, version: int, before_layer: Callable[[], None] = lambda: None
) -> "PSD":
    from psd_tools.constants import ColorMode, Resource
    from psd_tools.psd.document import PSD
    from psd_tools.psd.header import FileHeader
    from psd_tools.psd.image_resources import ImageResource, ImageResources
    from psd_tools.psd.layer_and_mask import (
        ChannelDataList,
        ChannelImageData,
        GlobalLayerMaskInfo,
        LayerAndMaskInformation,
        LayerInfo,
        LayerRecords,
    )
    from psd_tools.psd.tagged_blocks import TaggedBlocks

    opaque = bool((composite.alpha() == composite.top).all())
    header = FileHeader(
        version=version,
        channels=3 if opaque else 4,
        height=composite.height,
        width=composite.width,
        depth=composite.depth,
        color_mode=ColorMode.RGB,
    )
    resources = ImageResources.new()
    if composite.icc:
        resources[Resource.ICC_PROFILE] = ImageResource(key=Resource.ICC_PROFILE.value, data=composite.icc)
    entries = list(_entries(nodes, version, before_layer))
    layer_info = LayerInfo(len(entries) if opaque else -len(entries), LayerRecords(), ChannelImageData())
    for record, channels in entries:
        layer_info.layer_records.append(record)
        layer_info.channel_image_data.append(ChannelDataList())
        layer_info.channel_image_data[-1].extend(channels)
    return PSD(
        header=header,
        image_resources=resources,
        layer_and_mask_information=LayerAndMaskInformation(layer_info, GlobalLayerMaskInfo(), TaggedBlocks()),
        image_data=_merged(composite, opaque, version),
    )


def _entries(
    nodes: Iterable[Node], version: int, before_layer: Callable[[], None]
) -> Iterator[tuple["LayerRecord", list["ChannelData"]]]:
    """The flat list of a PSD, bottom first: a group is its children between two empty layers."""
    from psd_tools.constants import SectionDivider

    for node in nodes:
        before_layer()
        if isinstance(node, Layer):
            yield _pixel_layer(node, version)
        else:
            yield _divider(Group("</Layer group>", ()), SectionDivider.BOUNDING_SECTION_DIVIDER)
            yield from _entries(node.children, version, before_layer)
            yield _divider(node, SectionDivider.OPEN_FOLDER)


def _pixel_layer(layer: Layer, version: int) -> tuple["LayerRecord", list["ChannelData"]]:
    from psd_tools.constants import ChannelID, Clipping
    from psd_tools.psd.layer_and_mask import ChannelData, ChannelInfo

    part, (left, top) = layer.visible_part()
    height, width = part.shape[:2]
    record = _record(layer)
    record.top, record.left, record.bottom, record.right = top, left, top + height, left + width
    record.clipping = Clipping.NON_BASE if layer.clipping else Clipping.BASE
    channels = []
    for channel, plane in zip((3, 0, 1, 2), (-1, 0, 1, 2), strict=True):
        record.channel_info.append(ChannelInfo(id=ChannelID(plane)))
        channels.append(ChannelData(*_compressed(part[..., channel], version)))
    return record, channels


def _divider(group: Group, kind: Any) -> tuple["LayerRecord", list["ChannelData"]]:
    from psd_tools.constants import ChannelID, Tag
    from psd_tools.psd.layer_and_mask import ChannelData, ChannelInfo

    record = _record(group)
    record.tagged_blocks.set_data(Tag.SECTION_DIVIDER_SETTING, kind=kind)
    setting = record.tagged_blocks.get_data(Tag.SECTION_DIVIDER_SETTING)
    setting.signature, setting.blend_mode = b"8BIM", record.blend_mode
    # Four channels of a compression code and no pixels: Krita refuses channels without even that.
    record.channel_info = [ChannelInfo(id=ChannelID(plane)) for plane in (-1, 0, 1, 2)]
    return record, [ChannelData() for _ in record.channel_info]


def _record(node: Node) -> "LayerRecord":
    from psd_tools.constants import BlendMode, Tag
    from psd_tools.psd.layer_and_mask import LayerFlags, LayerRecord

    record = LayerRecord(
        blend_mode=BlendMode[node.blend.upper()],
        opacity=round(node.opacity * 255),
        flags=LayerFlags(visible=node.visible),
        # The old name field knows MacRoman only; what counts is the Unicode block.
        name=node.name.encode("macroman", "replace").decode("macroman")[:63],
    )
    record.tagged_blocks.set_data(Tag.UNICODE_LAYER_NAME, node.name)
    return record


def _merged(composite: Pixels, opaque: bool, version: int) -> "ImageData":
    from psd_tools.psd.image_data import ImageData

    data, top = composite.rgba().data, np.float32(composite.top)
    planes = []
    for channel in range(3):
        plane = data[..., channel]
        if not opaque:
            share = data[..., 3] / top
            plane = (plane * share + (1 - share) * top + np.float32(0.5)).astype(data.dtype)
        planes.append(plane)
    if not opaque:
        planes.append(data[..., 3])
    return ImageData(*_compressed(np.concatenate(planes), version))


def _compressed(plane: NDArray[Any], version: int) -> tuple[Any, bytes]:
    """The compression code and the compressed bytes of a (h, w) plane."""
    from psd_tools.compression import compress
    from psd_tools.constants import Compression

    height, width = plane.shape
    depth = 8 * plane.dtype.itemsize
    data = plane.astype(plane.dtype.newbyteorder(">"), copy=False).tobytes()
    return Compression.RLE, compress(data, Compression.RLE, width, height, depth, version)


def _too_large(document: "PSD") -> bool:
    return document.header.version == 1 and _compressed_size(document) > _MAX_PSD_BYTES


def _compressed_size(document: "PSD") -> int:
    layer_info = document.layer_and_mask_information.layer_info
    layers: Any = layer_info.channel_image_data if layer_info else ()
    return len(document.image_data.data) + sum(len(channel.data) for layer in layers for channel in layer)
