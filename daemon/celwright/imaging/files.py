"""Picture files become pixels as they stand in the document: 8 and 16 bit, alpha and ICC profile kept, upright.

The kind is told by the content, never by the name; sizes are judged from the header, before anything is decoded.
Pillow reads, except 16 bit, which it would reduce to 8: that is OpenCV's. Knows no layers but their names.
"""

import zipfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from celwright.domain import Pixels, check_size
from celwright.errors import CelwrightError, UnusableInputError, WrongUsageError

if TYPE_CHECKING:
    from PIL import ImageFile

KINDS = "PNG, JPEG, WebP, TIFF, BMP, GIF, PSD, PSB, ORA or KRA"

_ARCHIVES = (b"image/openraster", b"application/x-krita")
_MERGED = "mergedimage.png"
_ORIENTATION = 0x0112  # EXIF
_BITS, _EXTRA_SAMPLES, _PREMULTIPLIED = 258, 338, 1  # TIFF


def read_picture(path: Path, layer: str | None = None) -> tuple[Pixels, tuple[str, ...]]:
    """The picture at ``path`` and, where something of the file was left out, sentences that say so.

    1 to 4 channels as stored (palettes become RGB or RGBA). ``layer`` names a layer or group of a PSD or PSB. Raises
    WrongUsageError for a path or layer that is not there, UnusableInputError for a file that cannot serve.
    """
    head = _head(path)
    if head.startswith(b"8BPS"):
        from celwright.imaging.photoshop import read_psd

        return read_psd(path, layer), ()
    if layer is not None:
        raise WrongUsageError(f"{path} has no layers to choose {layer!r} from; name a PSD or PSB file, or no layer.")
    if head.startswith(b"PK\3\4"):
        return _read_archive(path)
    with open(path, "rb") as stream:
        return _read_image(stream, path)


def _head(path: Path) -> bytes:
    """The first bytes of a file that is there, can be read and is not empty."""
    if not path.exists():
        raise WrongUsageError(f"{path} does not exist; check the name.")
    if path.is_dir():
        raise WrongUsageError(f"{path} is a folder; name a picture file in it.")
    try:
        with open(path, "rb") as stream:
            head = stream.read(32)
    except OSError as fault:
        raise UnusableInputError(f"{path} cannot be read ({fault.strerror}); check its permissions.") from fault
    if not head:
        raise UnusableInputError(f"{path} is empty (0 bytes); save or copy it again.")
    return head


def _read_archive(path: Path) -> tuple[Pixels, tuple[str, ...]]:
    """The merged image of an OpenRaster or Krita file."""
    try:
        with zipfile.ZipFile(path) as archive:
            with archive.open("mimetype") as kind:
                if kind.read(64).strip() not in _ARCHIVES:
                    raise _unknown(path)
            with archive.open(_MERGED) as stream:
                return _read_image(stream, path)
    except (zipfile.BadZipFile, KeyError, NotImplementedError, OSError, EOFError, RuntimeError) as fault:
        raise _undecodable(path) from fault


def _read_image(stream: IO[bytes], path: Path) -> tuple[Pixels, tuple[str, ...]]:
    try:
        image = _opened(stream, path)
        check_size(*image.size)
        bits = _bits(image, stream)
        _check_kind(image, bits, path)
        image.load()
        data = _decoded_16_bit(image, stream) if bits > 8 else _decoded(image)
        data = _upright(data, image.getexif().get(_ORIENTATION, 1))
        profile, frames = image.info.get("icc_profile") or b"", getattr(image, "n_frames", 1)
    except CelwrightError:
        raise
    except Exception as fault:  # decoders meet damaged bytes with any of a dozen exceptions
        raise _undecodable(path) from fault
    notices = []
    if frames > 1 and image.format != "MPO":  # a JPEG's second image is a preview or a depth map
        notices.append(f"{path} has {frames} frames; the first was used.")
    if profile and profile[16:20] != b"RGB ":
        notices.append(f"The colour profile of {path} is not for RGB and was left out.")
        profile = b""
    return Pixels(np.ascontiguousarray(data), icc=profile), tuple(notices)


def _opened(stream: IO[bytes], path: Path) -> "ImageFile.ImageFile":
    """The image with nothing but its header read.

    Not by ``Image.open``, which warns or fails above a limit of its own without naming the size.
    """
    from PIL import BmpImagePlugin, GifImagePlugin, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin

    head = stream.read(16)
    stream.seek(0)
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PngImagePlugin.PngImageFile(stream)
    if head.startswith(b"\xff\xd8\xff"):
        return JpegImagePlugin.jpeg_factory(stream)
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return WebPImagePlugin.WebPImageFile(stream)
    if head.startswith((b"II*\0", b"MM\0*")):
        return TiffImagePlugin.TiffImageFile(stream)
    if head.startswith((b"GIF87a", b"GIF89a")):
        return GifImagePlugin.GifImageFile(stream)
    if head.startswith(b"BM"):
        return BmpImagePlugin.BmpImageFile(stream)
    raise _unknown(path)


def _bits(image: "ImageFile.ImageFile", stream: IO[bytes]) -> int:
    """Bits a channel as stored."""
    if image.format == "PNG":
        stream.seek(24)  # PNG, 11.2.1: the bit depth stands there
        return stream.read(1)[0]
    return int(max(getattr(image, "tag_v2", {}).get(_BITS, (8,))))


def _check_kind(image: "ImageFile.ImageFile", bits: int, path: Path) -> None:
    if image.mode in ("CMYK", "LAB"):
        raise UnusableInputError(
            f"{path} is in {'Lab' if image.mode == 'LAB' else 'CMYK'}; RGB or greyscale is needed: convert it to sRGB."
        )
    if bits > 16:
        raise UnusableInputError(f"{path} has {bits} bits a channel; 8 or 16 are allowed: convert it to 16.")


def _decoded(image: "ImageFile.ImageFile") -> NDArray[Any]:
    """(H, W, C) uint8 of the first frame."""
    mode = image.mode
    if "transparency" in image.info or mode in ("PA", "La", "RGBa"):
        mode = "RGBA"
    elif mode == "1":
        mode = "L"
    elif mode not in ("L", "LA", "RGB", "RGBA"):
        mode = "RGB"
    data = np.asarray(image.convert(mode))
    return data[..., None] if data.ndim == 2 else data


def _decoded_16_bit(image: "ImageFile.ImageFile", stream: IO[bytes]) -> NDArray[Any]:
    """(H, W, C) uint16; Pillow has read the file before, so it is whole."""
    import cv2

    stream.seek(0)
    data: NDArray[Any] | None = cv2.imdecode(np.frombuffer(stream.read(), np.uint8), cv2.IMREAD_UNCHANGED)
    if data is None or data.dtype != np.uint16:
        raise ValueError("not decoded at 16 bit")
    if data.ndim == 2:
        return data[..., None]
    data = cv2.cvtColor(data, cv2.COLOR_BGR2RGB if data.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)
    if _PREMULTIPLIED in getattr(image, "tag_v2", {}).get(_EXTRA_SAMPLES, ()):
        color = data[..., :3] * np.float32(65535) / np.maximum(data[..., 3:], 1)
        data[..., :3] = np.minimum(color + np.float32(0.5), 65535)
    return data


def _upright(data: NDArray[Any], orientation: int) -> NDArray[Any]:
    """The picture as its camera says it is to be seen (EXIF 2.3, 4.6.4: 1 to 8)."""
    if orientation in (5, 6, 7, 8):
        data = data.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        data = data[:, ::-1]
    if orientation in (3, 4, 7, 8):
        data = data[::-1]
    return data


def _unknown(path: Path) -> UnusableInputError:
    return UnusableInputError(f"{path} is not a picture of a known kind; {KINDS} is needed: convert it first.")


def _undecodable(path: Path) -> UnusableInputError:
    return UnusableInputError(
        f"{path} could not be decoded, it is truncated, damaged or of a rare kind: save it again as PNG."
    )
