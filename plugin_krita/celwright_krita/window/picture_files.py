"""Picture files to Pixels and back, by what Qt reads and writes. Usable on any thread; knows nothing of the library."""

from __future__ import annotations

from celwright_krita.errors import UnusableInputError
from celwright_krita.pixels import Pixels
from celwright_krita.texts import tr
from celwright_krita.window.pictures import image_of, pixels_of
from celwright_krita.window.qt import QtGui


def read_picture(path: str) -> Pixels:
    """8-bit RGBA, turned as its metadata says. UnusableInputError when the file holds no picture."""
    reader = QtGui.QImageReader(path)
    reader.setAutoTransform(True)
    image = reader.read()
    if image.isNull():
        raise UnusableInputError(tr("references.unreadable", name=path))
    return pixels_of(image)


def write_picture(path: str, pixels: Pixels) -> None:
    """As PNG; OSError when it cannot be written."""
    if not image_of(pixels).save(path, "PNG"):
        raise OSError(tr("picture.unwritten", path=path))
