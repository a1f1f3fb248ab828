"""Any layered PSD or PSB as pixels: its composite, or one named layer on the whole canvas.

Plain pixels are taken over bit by bit; what has masks, opacity, effects or children goes through psd-tools'
compositor. RGB and greyscale at 8 and 16 bit are read. Knows nothing of what the layers mean.
"""

import logging
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from celwright.domain import MAX_PIXELS, Pixels, check_size
from celwright.errors import CelwrightError, UnusableInputError, WrongUsageError
from celwright.imaging.psd_planes import merged_pixels, plain_pixels

if TYPE_CHECKING:
    from psd_tools import PSDImage
    from psd_tools.api.layers import Layer

# What psd-tools would say on stderr becomes our one sentence.
logging.getLogger("psd_tools").addHandler(logging.NullHandler())

_MODES = {0: "bitmap", 1: "greyscale", 2: "indexed", 3: "RGB", 4: "CMYK", 7: "multichannel", 8: "duotone", 9: "Lab"}
_LISTED_NAMES = 20


def read_psd(path: Path, layer: str | None = None) -> Pixels:
    """The composite, or the layer or group called ``layer`` (a name, or a path such as ``Girl/line``), as RGBA.

    A hidden layer is read all the same, its blend mode is not applied, and what clips to it is left out. Raises
    UnusableInputError for another kind of PSD or a damaged one, WrongUsageError for a name that is not there.
    """
    width, height, depth = _read_header(path)
    check_size(width, height)
    with _parsing(path):
        from psd_tools import PSDImage
        from psd_tools.constants import Resource

        document = PSDImage.open(path)
        profile = document.image_resources.get_data(Resource.ICC_PROFILE)
        target = document if layer is None else _find(document, layer, path)
        whole = layer is None and _says_all(document)
        data = merged_pixels(document) if whole else _layer_pixels(document, target)
    icc = bytes(profile) if isinstance(profile, bytes) and profile[16:20] == b"RGB " else b""
    return Pixels(_as_depth(data, depth), icc=icc).rgba()


def _read_header(path: Path) -> tuple[int, int, int]:
    """(width, height, bits a channel) of a kind of document that can be read."""
    with open(path, "rb") as stream:
        header = stream.read(26)
    if len(header) < 26 or header[:4] != b"8BPS":
        raise _damaged(path)
    height, width, depth, mode = struct.unpack(">IIHH", header[14:])
    if mode not in (1, 3):
        raise UnusableInputError(
            f"{path} is a PSD in {_MODES.get(mode, 'an unknown')} mode; RGB or greyscale is needed: "
            "convert its mode and save it again."
        )
    if depth not in (8, 16):
        raise UnusableInputError(
            f"{path} has {depth} bits a channel; 8 or 16 are allowed: convert its mode and save it again."
        )
    return width, height, depth


@contextmanager
def _parsing(path: Path) -> Iterator[None]:
    """One sentence for whatever a damaged file does to the parser."""
    from psd_tools import PSDDecompressionWarning, PSDLargeImageWarning

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PSDLargeImageWarning)  # check_size has judged it
            warnings.simplefilter("error", PSDDecompressionWarning)  # else a damaged channel turns black
            yield
    except CelwrightError:
        raise
    except Exception as fault:
        raise _damaged(path) from fault


def _damaged(path: Path) -> UnusableInputError:
    return UnusableInputError(f"{path} could not be decoded, it is a truncated or damaged PSD: save or copy it again.")


def _find(document: "PSDImage", wanted: str, path: Path) -> "Layer":
    """The layer or group of that path or, failing that, of that name."""
    by_path: dict[str, Layer] = {}
    for layer in document.descendants():
        names = [_name(layer)]
        parent: Any = layer.parent
        while parent is not None and parent is not document:
            names.insert(0, _name(parent))
            parent = parent.parent
        by_path.setdefault("/".join(names), layer)
    if wanted in by_path:
        return by_path[wanted]
    matches = {found: layer for found, layer in by_path.items() if _name(layer) == wanted}
    if len(matches) == 1:
        return next(iter(matches.values()))
    if matches:
        raise WrongUsageError(
            f"{path} has {len(matches)} layers named {wanted!r}; name one by its path: {_listed(matches)}."
        )
    raise WrongUsageError(f"{path} has no layer {wanted!r}; it has {_listed(by_path) or 'no layers at all'}.")


def _name(layer: Any) -> str:
    return str(layer.name).rstrip("\0")  # Krita ends names so


def _listed(names: dict[str, Any]) -> str:
    shown = [repr(name) for name in list(names)[:_LISTED_NAMES]]
    return ", ".join(shown) + (f" and {len(names) - _LISTED_NAMES} more" if len(names) > _LISTED_NAMES else "")


def _says_all(document: "PSDImage") -> bool:
    """Whether the merged image is there and knows of the picture's transparency, which not all programs give it."""
    from psd_tools.api.utils import has_transparency

    if not document.has_preview() or not document._record.image_data.data:
        return False
    return has_transparency(document) or not len(document) or any(_covers(document, layer) for layer in document)


def _covers(document: "PSDImage", layer: "Layer") -> bool:
    """Whether this layer alone makes the document opaque."""
    left, top, right, bottom = layer.bbox
    if not (layer.visible and _is_plain(layer) and layer.blend_mode.name == "NORMAL" and not layer.clipping):
        return False
    if left > 0 or top > 0 or right < document.width or bottom < document.height:
        return False
    return bool((plain_pixels(document, layer)[..., -1] == 2**document.depth - 1).all())


def _layer_pixels(document: "PSDImage", target: Any) -> NDArray[Any]:
    """(H, W, C) of a layer, group or the whole document on the canvas: stored integers or floats 0..1."""
    if target is not document:
        if target.width * target.height > MAX_PIXELS:
            raise UnusableInputError(
                f"The layer {_name(target)!r} is {target.width}x{target.height} pixels; at most "
                f"{MAX_PIXELS / 1e6:.0f} million are allowed: crop it to the canvas."
            )
        if _is_plain(target):
            return plain_pixels(document, target)
        target.visible = True
        if target.is_group():
            target.blend_mode = "norm"  # not pass-through
        else:
            target.clipping = False  # alone there is nothing to be clipped to
    from psd_tools.composite import composite

    left_out = [] if target is document else target.clip_layers
    color, _, alpha = composite(
        target,
        viewport=document.viewbox,
        layer_filter=lambda layer: layer is target or (layer.visible and layer not in left_out),
        force=True,
        as_layer=target is not document,
    )
    return np.concatenate([color, alpha], axis=2)


def _is_plain(layer: "Layer") -> bool:
    """Whether the layer is nothing but its pixels."""
    return (
        layer.kind == "pixel"
        and layer.opacity == 255
        and layer.fill_opacity == 255
        and not (layer.has_mask() or layer.has_vector_mask() or layer.has_effects())
    )


def _as_depth(data: NDArray[Any], depth: int) -> NDArray[Any]:
    """uint8 or uint16 in the machine's own byte order."""
    kind = np.uint8 if depth == 8 else np.uint16
    if data.dtype.kind == "f":
        data = np.clip(data, 0, 1) * np.float32(2**depth - 1) + np.float32(0.5)
    return data.astype(kind, copy=False)
