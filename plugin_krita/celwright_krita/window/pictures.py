"""Pixels on the screen and from it: QImage, icons, a view that keeps the proportions. Knows no session."""

from __future__ import annotations

from collections import Counter

from celwright_krita.pixels import Pixels
from celwright_krita.window.qt import Qt, QtCore, QtGui, QtWidgets

CHECK = 8  # px, side of a square of the pattern behind what is transparent
Format = QtGui.QImage.Format


def image_of(pixels: Pixels) -> QtGui.QImage:
    """A QImage with its own copy of the samples; of 16 bits the upper 8 are shown."""
    samples = bytes(pixels.samples())
    if pixels.depth == 16:
        samples = samples[1::2]
    if pixels.channels == 2:
        grey, samples = samples[0::2], bytearray(2 * len(samples))
        samples[0::4] = samples[1::4] = samples[2::4] = grey
        samples[3::4] = bytes(pixels.samples())[pixels.depth // 4 - 1 :: pixels.depth // 4]
        samples = bytes(samples)
    channels = 4 if pixels.channels == 2 else pixels.channels
    layout = {1: Format.Format_Grayscale8, 3: Format.Format_RGB888, 4: Format.Format_RGBA8888}[channels]
    return QtGui.QImage(samples, pixels.width, pixels.height, pixels.width * channels, layout).copy()


def pixels_of(image: QtGui.QImage) -> Pixels:
    """8-bit RGBA. UnusableInputError for sizes that the daemon does not take."""
    rgba = image.convertToFormat(Format.Format_RGBA8888)
    size = rgba.bytesPerLine() * rgba.height()
    return Pixels(rgba.constBits().asstring(size) if size else b"", rgba.width(), rgba.height())


def frequent_colors(pixels: Pixels, limit: int = 24) -> list[bytes]:
    """The opaque colours (red, green, blue) that cover most, the most frequent first; mixed edge colours left out."""
    image = image_of(pixels).convertToFormat(Format.Format_RGBA8888)
    found = Counter(memoryview(image.constBits().asstring(image.bytesPerLine() * image.height())).cast("I"))
    enough = max(2, sum(found.values()) // 500)
    opaque = [(value.to_bytes(4, "little"), count) for value, count in found.most_common() if count >= enough]
    return [color[:3] for color, _ in opaque if color[3] == 255][:limit]


def pixmap_of(pixels: Pixels, side: int, ratio: float) -> QtGui.QPixmap:
    """A square of ``side`` logical pixels with the picture in its middle, over checks where it is transparent; sharp
    on a screen with ``ratio`` device pixels to a logical one."""
    full = round(side * ratio)
    canvas = QtGui.QPixmap(full, full)
    canvas.fill(Qt.GlobalColor.transparent)
    keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    scaled = image_of(pixels).scaled(full, full, keep, smooth)
    corner = QtCore.QPoint((full - scaled.width()) // 2, (full - scaled.height()) // 2)
    painter = QtGui.QPainter(canvas)
    paint_checks(painter, QtCore.QRect(corner, scaled.size()))
    painter.drawImage(corner, scaled)
    painter.end()
    canvas.setDevicePixelRatio(ratio)
    return canvas


def picture_icon(pixels: Pixels, side: int, ratio: float) -> QtGui.QIcon:
    """``pixmap_of`` for a list, with its own colours where its row is selected, too."""
    pixmap = pixmap_of(pixels, side, ratio)
    made = QtGui.QIcon(pixmap)
    made.addPixmap(pixmap, QtGui.QIcon.Mode.Selected)
    return made


def paint_checks(painter: QtGui.QPainter, area: QtCore.QRect) -> None:
    """The pattern that stands for transparent, in two greys of the theme."""
    palette = QtWidgets.QApplication.palette()
    painter.save()
    painter.setClipRect(area)
    painter.fillRect(area, palette.color(QtGui.QPalette.ColorRole.Midlight))
    tile = QtGui.QPixmap(2 * CHECK, 2 * CHECK)
    tile.fill(palette.color(QtGui.QPalette.ColorRole.Midlight))
    inner, dark = QtGui.QPainter(tile), palette.color(QtGui.QPalette.ColorRole.Mid)
    inner.fillRect(0, 0, CHECK, CHECK, dark)
    inner.fillRect(CHECK, CHECK, CHECK, CHECK, dark)
    inner.end()
    painter.drawTiledPixmap(area, tile)
    painter.restore()


class PictureView(QtWidgets.QWidget):
    """Shows one picture as wide as there is room, at most ``tallest`` logical pixels high; hidden without a picture."""

    def __init__(self, tallest: int = 260) -> None:
        super().__init__()
        self._pixels: Pixels | None = None
        self._image = QtGui.QImage()
        self._scaled = QtGui.QPixmap()
        self._tallest = tallest
        policy = QtWidgets.QSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.hide()

    def show_picture(self, pixels: Pixels | None) -> None:
        if pixels is self._pixels:
            return
        self._pixels = pixels
        self._image = image_of(pixels) if pixels is not None else QtGui.QImage()
        self._scaled = QtGui.QPixmap()
        self.setVisible(pixels is not None)
        self.updateGeometry()
        self.update()

    def changeEvent(self, event: QtCore.QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QtCore.QEvent.Type.PaletteChange:
            self._scaled = QtGui.QPixmap()  # its checks are the theme's

    def sizeHint(self) -> QtCore.QSize:
        return QtCore.QSize(200, self.heightForWidth(200))

    def minimumSizeHint(self) -> QtCore.QSize:
        return QtCore.QSize(40, 40)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        if self._image.isNull():
            return 0
        return max(40, min(self._tallest, round(width * self._image.height() / self._image.width())))

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        if self._image.isNull():
            return
        ratio = self.devicePixelRatioF()
        room = self.size() * ratio
        keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        wanted = self._image.size().scaled(room, keep)
        if self._scaled.size() != wanted:
            scaled = self._image.scaled(wanted, keep, smooth)
            self._scaled = QtGui.QPixmap(scaled.size())
            painter = QtGui.QPainter(self._scaled)
            paint_checks(painter, self._scaled.rect())
            painter.drawImage(0, 0, scaled)
            painter.end()
            self._scaled.setDevicePixelRatio(ratio)
        painter = QtGui.QPainter(self)
        size = QtCore.QSizeF(wanted) / ratio
        painter.drawPixmap(
            QtCore.QPointF((self.width() - size.width()) / 2, (self.height() - size.height()) / 2), self._scaled
        )
        painter.end()
