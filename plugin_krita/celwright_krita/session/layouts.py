"""The painting program's layouts of samples become images for the wire, and the daemon's images become its layouts.

Everything works a band of samples at a time, so that a worker thread lets the window run in between; slices with a
step do what numpy would. Knows neither Krita nor the wire.

Krita stores whole numbers as blue, green, red, alpha; grey and alpha; or one byte of coverage; little-endian.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Iterator, Sequence

from celwright_krita.canvas import Raw, Rect
from celwright_krita.errors import UnusableInputError, WrongUsageError
from celwright_krita.pixels import Pixels, Samples
from celwright_krita.texts import tr

BAND_BYTES = 1 << 20  # converted without a pause: about 1 ms
DEPTHS = {"U8": 8, "U16": 16}
_FROM_KRITA = {"RGBA": (2, 1, 0, 3), "GRAYA": (0, 1), "MASK": (0,)}  # Krita's channel for each of the wire's
_OPAQUE = -1
_TO_BGRA = {1: (0, 0, 0, _OPAQUE), 2: (0, 0, 0, 1), 3: (2, 1, 0, _OPAQUE), 4: (2, 1, 0, 3)}  # and the other way round


def pixels(raw: Raw, icc: bytes = b"") -> Pixels:
    """``raw`` as an image with its place as offset: RGBA, grey and alpha, or coverage. Grey and coverage are not
    copied. Raises UnusableInputError for other models and depths, and for sizes that the daemon does not take."""
    order, bits = _FROM_KRITA.get(raw.model), DEPTHS.get(raw.depth)
    if order is None or bits is None:
        raise UnusableInputError(tr("layer.layout", model=raw.model, depth=raw.depth))
    data: Samples = raw.data if raw.model != "RGBA" else _picked(raw.data, 4, order, bits // 8)
    return Pixels(data, raw.rect.width, raw.rect.height, len(order), bits, (raw.rect.x, raw.rect.y), icc)


def bgra(image: Pixels, depth: str) -> bytearray:
    """The samples of ``image`` (any channels and depth) for a layer of an RGBA document of ``depth`` "U8" or "U16";
    opaque where the image has no alpha. Raises WrongUsageError for another depth."""
    if depth not in DEPTHS:
        raise WrongUsageError(f"Samples of {depth} were asked for; U8 and U16 can be made.")
    image = with_depth(image, DEPTHS[depth])
    return _picked(image.samples(), image.channels, _TO_BGRA[image.channels], image.depth // 8)


def coverage(image: Pixels) -> Raw:
    """One-channel ``image`` as a selection, 0 to 255. Raises WrongUsageError for more channels."""
    if image.channels != 1:
        raise WrongUsageError(f"A selection of {image.channels} channels came; it must have 1.")
    rect = Rect(image.offset[0], image.offset[1], image.width, image.height)
    return Raw(bytes(with_depth(image, 8).samples()), rect, "MASK", "U8")


def with_depth(image: Pixels, depth: int) -> Pixels:
    """``image`` with ``depth`` (8 or 16) bits a sample: v * 257, or v / 257 to the nearest. Not copied if it has it."""
    if image.depth == depth:
        return image
    data, convert = bytearray(), _doubled if depth == 16 else _halved
    for band in _bands(image.samples(), image.depth // 8):
        data += convert(band)
    return replace(image, data=data, depth=depth)


def _bands(samples: memoryview, unit: int) -> Iterator[bytes]:
    """``samples`` copied in parts of at most BAND_BYTES, a whole number of ``unit`` bytes each."""
    step = BAND_BYTES // unit * unit
    for start in range(0, len(samples), step):
        yield bytes(samples[start : start + step])


def _picked(data: Samples, channels: int, order: Sequence[int], size: int) -> bytearray:
    """Samples of ``size`` bytes of an image with ``channels``, their channels taken in another ``order``.

    The result grows with the bands: to make it in one piece would hold the interpreter until all of it is zeroed.
    """
    result, wide = bytearray(), len(order) * size
    for band in _bands(memoryview(data).cast("B"), channels * size):
        count = len(band) // (channels * size)
        picked = bytearray(count * wide)
        for target, source in enumerate(order):
            for byte in range(size):
                samples = b"\xff" * count if source == _OPAQUE else band[source * size + byte :: channels * size]
                picked[target * size + byte :: wide] = samples
        result += picked
    return result


def _doubled(band: bytes) -> bytearray:
    result = bytearray(2 * len(band))
    result[0::2] = result[1::2] = band
    return result


def _halved(band: bytes) -> bytearray:
    """v / 257 rounded, as (255 * v + 32895) >> 16, which is exact for all 65536 values.

    Every second sample lies alone in 32 bits of one long number, so that no product reaches into its neighbour.
    """
    count = len(band) // 2
    pairs = -(-count // 2)
    number = int.from_bytes(band, "little")
    low = int.from_bytes(b"\xff\xff\0\0" * pairs, "little")
    half = int.from_bytes(b"\x7f\x80\0\0" * pairs, "little")  # 32895
    result = bytearray(count)
    for place in (0, 1):
        alone = (number >> 16 * place & low) * 255 + half
        result[place::2] = alone.to_bytes(4 * pairs, "little")[2::4][: (count + 1 - place) // 2]
    return result
