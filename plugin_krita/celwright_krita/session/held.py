"""Results that are kept for inserting them again, packed: flat colours and transparency take little room so.

Packing and unpacking are work for the worker's thread, a band at a time.
"""

from __future__ import annotations

import dataclasses
import zlib
from dataclasses import dataclass
from typing import Generator

from celwright_krita.canvas import NewGroup, NewLayer

BAND_BYTES = 1 << 20
_LEVEL = 1  # zlib's fastest


@dataclass(frozen=True, eq=False)
class Packed:
    """A NewGroup whose layers' samples are compressed in bands."""

    group: NewGroup  # its layers have no data
    bands: tuple[tuple[bytes, ...], ...]  # for each layer

    @property
    def bytes(self) -> int:
        return sum(len(band) for layer in self.bands for band in layer)


def size_of(group: NewGroup | Packed) -> int:
    """Bytes of samples held."""
    return group.bytes if isinstance(group, Packed) else sum(len(layer.data) for layer in group.layers)


def pack(group: NewGroup) -> Generator[None, None, Packed]:
    bands = []
    for layer in group.layers:
        samples, parts = memoryview(layer.data), []
        for start in range(0, len(samples), BAND_BYTES):
            parts.append(zlib.compress(samples[start : start + BAND_BYTES], _LEVEL))
            yield
        bands.append(tuple(parts))
    layers = tuple(dataclasses.replace(layer, data=b"") for layer in group.layers)
    return Packed(dataclasses.replace(group, layers=layers), tuple(bands))


def unpack(packed: Packed) -> Generator[None, None, NewGroup]:
    layers: list[NewLayer] = []
    for layer, bands in zip(packed.group.layers, packed.bands):
        data = bytearray()
        for band in bands:
            data += zlib.decompress(band)
            yield
        layers.append(dataclasses.replace(layer, data=data))
    return dataclasses.replace(packed.group, layers=tuple(layers))
