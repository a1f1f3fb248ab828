"""Pixels become pictures on the screen and come back unchanged."""

from __future__ import annotations

from pathlib import Path

import pytest
from celwright_krita.errors import UnusableInputError
from celwright_krita.pixels import Pixels
from celwright_krita.window.picture_files import read_picture, write_picture
from celwright_krita.window.pictures import frequent_colors, image_of, picture_icon, pixels_of, pixmap_of
from celwright_krita.window.qt import QtGui, QtWidgets
from conftest import picture


@pytest.mark.parametrize(
    ("samples", "channels", "depth", "shown"),
    [
        (b"\x40", 1, 8, (64, 64, 64, 255)),
        (b"\x40\x80", 2, 8, (64, 64, 64, 128)),
        (b"\x01\x02\x03", 3, 8, (1, 2, 3, 255)),
        (b"\x01\x02\x03\x04", 4, 8, (1, 2, 3, 4)),
        (b"\xff\x40", 1, 16, (64, 64, 64, 255)),
        (b"\xff\x40\xff\x80", 2, 16, (64, 64, 64, 128)),
        (b"\xff\x01\xff\x02\xff\x03\xff\x04", 4, 16, (1, 2, 3, 4)),
    ],
)
def test_every_layout_is_shown_as_it_is_meant(
    samples: bytes, channels: int, depth: int, shown: tuple[int, ...]
) -> None:
    image = image_of(Pixels(samples * 9 * 9, 9, 9, channels, depth))
    assert image.pixelColor(8, 8).getRgb() == shown


def test_a_picture_comes_back_from_the_screen_bit_for_bit() -> None:
    data = bytes(range(256)) * 4
    given = Pixels(data, 16, 16)
    assert bytes(pixels_of(image_of(given)).data) == data


def test_the_image_owns_its_samples() -> None:
    data = bytearray(b"\x01\x02\x03\x04" * 81)
    image = image_of(Pixels(data, 9, 9))
    data[:] = bytes(len(data))
    assert image.pixelColor(0, 0).getRgb() == (1, 2, 3, 4)


def test_frequent_colours_leave_out_transparent_and_mixed_edges() -> None:
    edge = bytes(channel for shade in range(10) for channel in (shade, 9, 9, 255))
    given = Pixels(b"\xff\x00\x00\xff" * 6000 + b"\x00\xff\x00\xff" * 3000 + bytes(4 * 990) + edge, 100, 100)
    assert frequent_colors(given) == [b"\xff\x00\x00", b"\x00\xff\x00"]
    assert frequent_colors(given, limit=1) == [b"\xff\x00\x00"]


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
def test_thumbnails_are_as_sharp_as_the_screen(application: QtWidgets.QApplication, ratio: float) -> None:
    pixmap = pixmap_of(picture(), 40, ratio)
    assert (pixmap.width(), pixmap.height(), pixmap.devicePixelRatio()) == (round(40 * ratio), round(40 * ratio), ratio)
    assert pixmap.toImage().pixelColor(round(20 * ratio), round(20 * ratio)).getRgb() == (0x20, 0x60, 0xA0, 255)
    assert pixmap.toImage().pixelColor(0, 0).alpha() == 0  # beside the picture


def test_a_picture_keeps_its_colours_in_a_row_that_is_selected(application: QtWidgets.QApplication) -> None:
    icon = picture_icon(picture(), 40, 1.0)
    for mode in (QtGui.QIcon.Mode.Normal, QtGui.QIcon.Mode.Selected):
        assert icon.pixmap(40, 40, mode).toImage().pixelColor(20, 20).getRgb() == (0x20, 0x60, 0xA0, 255)


def test_files_keep_every_pixel(tmp_path: Path) -> None:
    given = Pixels(bytes(range(256)), 8, 8)
    write_picture(str(tmp_path / "a.png"), given)
    assert bytes(read_picture(str(tmp_path / "a.png")).data) == bytes(given.data)


def test_what_cannot_be_read_or_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnusableInputError) as unread:
        read_picture("/nowhere/a.png")
    assert str(unread.value) == "/nowhere/a.png holds no picture that can be read; use PNG, JPEG or WebP."
    with pytest.raises(OSError, match="could not be written") as unwritten:
        write_picture("/nowhere/a.png", picture())
    assert str(unwritten.value) == (
        "/nowhere/a.png could not be written; see whether the disk is full or the folder is protected."
    )


def test_an_image_of_the_program_with_padded_rows_is_read_right() -> None:
    image = QtGui.QImage(9, 9, QtGui.QImage.Format.Format_RGB888)  # rows of 27 bytes, padded to 28
    image.fill(QtGui.QColor(1, 2, 3))
    assert bytes(pixels_of(image).data) == b"\x01\x02\x03\xff" * 81
