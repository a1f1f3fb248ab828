"""A PSD's integers as they stand in the file: of the merged image and of layers that are nothing but pixels.

psd-tools gives both as floats, and fills cut-off data with black without a word. Knows no file names and composes
nothing.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from psd_tools import PSDImage
    from psd_tools.api.layers import Layer


def merged_pixels(document: "PSDImage") -> NDArray[Any]:
    """(H, W, C) merged image as it stands in the file; colours mixed with white are freed from it."""
    from psd_tools.api.utils import has_transparency

    header = document._record.header
    image = document._record.image_data
    _check_length(image.data, image.compression, header.width, header.height * header.channels, header)
    colors = 3 if header.color_mode.name == "RGB" else 1
    stored = bytes(image.get_data(header, split=False))  # type: ignore[arg-type]
    planes = _plane(stored, header.width, header.depth).reshape(header.channels, header.height, header.width)
    transparent = has_transparency(document) and header.channels > colors
    data: NDArray[Any] = np.moveaxis(planes[: colors + transparent], 0, 2).copy()
    if transparent:
        _free_from_white(data)
        data[data[..., -1] == 0] = 0
    return data


def _free_from_white(data: NDArray[Any]) -> None:
    """Undo the white that Photoshop mixes into merged colours by 1 - alpha; leave Krita's, which are unmixed.

    Mixed colours cannot be darker than 1 - alpha.
    """
    top = np.iinfo(data.dtype).max
    rim = (data[..., -1] > 0) & (data[..., -1] < top)
    color, alpha = data[rim, :-1].astype(np.float32), data[rim, -1:].astype(np.float32)
    if (color + alpha < top - 2 * (top // 255)).any():
        return
    data[rim, :-1] = np.clip(top - (top - color) * top / alpha + np.float32(0.5), 0, top)


def plain_pixels(document: "PSDImage", layer: "Layer") -> NDArray[Any]:
    """(H, W, C) integers of a plain layer, moved to its place on the canvas."""
    header, record = document._record.header, layer._record
    colors = 3 if header.color_mode.name == "RGB" else 1
    canvas = np.zeros((header.height, header.width, colors + 1), np.uint8 if header.depth == 8 else np.uint16)
    left, top, right, bottom = layer.bbox
    x, y = max(left, 0), max(top, 0)
    inside = canvas[y : max(bottom, y), x : max(right, x)]
    if not inside.size:
        return canvas
    inside[..., -1] = 2**header.depth - 1  # a layer without transparency is opaque
    for info, channel in zip(record.channel_info, layer._channels, strict=True):
        if -1 <= info.id < colors:
            _check_length(channel.data, channel.compression, layer.width, layer.height, header)
            stored = channel.get_data(layer.width, layer.height, header.depth, header.version)
            plane = _plane(stored, layer.width, header.depth)
            inside[..., info.id] = plane[y - top :, x - left :][: inside.shape[0], : inside.shape[1]]
    return canvas


def _check_length(data: bytes, compression: Any, width: int, rows: int, header: Any) -> None:
    """Refuse cut-off data, which psd-tools would fill with black without a word."""
    count_size = 2 * header.version
    if compression.name == "RLE":
        counts = np.frombuffer(data[: rows * count_size], f">u{count_size}", count=rows)
        needed = rows * count_size + int(counts.sum(dtype=np.int64))
    else:
        needed = rows * width * header.depth // 8 if compression.name == "RAW" else 0
    if len(data) < needed:
        raise ValueError(f"{len(data)} of {needed} bytes")


def _plane(data: bytes, width: int, depth: int) -> NDArray[Any]:
    """(h, w) of big-endian samples."""
    return np.frombuffer(data, ">u2" if depth == 16 else np.uint8).reshape(-1, width)
