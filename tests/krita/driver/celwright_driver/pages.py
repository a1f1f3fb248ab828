"""Documents that the tests draw: line art with hints, a shaded picture; and their layers as plain values."""

from krita import Krita, Selection

from celwright_driver import hand
from celwright_driver.qt import QBrush, QColor, QImage, QPainter, QPen, QPointF, QRadialGradient, QRectF, Qt

SRGB = "sRGB-elle-V2-srgbtrc.icc"
DOTS = {(0.3, 0.4): "#d04030", (0.7, 0.4): "#3060c0", (0.5, 0.85): "#40a040"}  # where, as a part of the page


def page(width, height, name="page", model="RGBA", depth="U8"):
    """A document in a view of its own, in front, with nothing but Krita's first layer."""
    profile = SRGB if model == "RGBA" else ""
    document = Krita.instance().createDocument(width, height, name, model, depth, profile, 72.0)
    document.setBatchmode(True)
    view = Krita.instance().activeWindow().addView(document)
    view.setVisible()
    Krita.instance().setActiveDocument(document)
    document.waitForDone()
    return document


def painted(width, height, paint, depth="U8"):
    """What ``paint`` draws, as Krita wants it: BGRA, straight alpha."""
    image = QImage(width, height, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(width, height)
    paint(painter)
    painter.end()
    data = image.constBits().asstring(width * height * 4)
    if depth == "U8":
        return data
    wide = bytearray(2 * len(data))
    wide[0::2] = wide[1::2] = data
    return bytes(wide)


def layer(document, name, paint):
    """A layer on top with what ``paint`` draws; the active one."""
    node = document.createNode(name, "paintlayer")
    size = document.width(), document.height()
    node.setPixelData(painted(*size, paint, document.colorDepth()), 0, 0, *size)
    document.rootNode().addChildNode(node, None)
    document.refreshProjection()
    document.waitForDone()
    # Krita's window hears of a layer when the event that added it is over, and has no place for an active one before.
    yield from hand.turns()
    document.setActiveNode(node)
    yield from hand.until(lambda: _is_active(document, node), f"the layer {name} to be the active one")
    return node


def _is_active(document, node):
    active = document.activeNode()
    return active is not None and active.uniqueId() == node.uniqueId()


def lines(painter):
    """Two rings on a ground that is closed by a frame."""
    painter.setPen(QPen(QColor(20, 10, 30), 0.012))
    for middle in ((0.3, 0.4), (0.7, 0.4)):
        painter.drawEllipse(QPointF(*middle), 0.17, 0.22)
    painter.drawLine(QPointF(0, 0.7), QPointF(1, 0.7))


def dots(painter):
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    for place, color in DOTS.items():
        painter.setBrush(QColor(color))
        painter.drawEllipse(QPointF(*place), 0.03, 0.03)


def shaded(painter):
    """Flat colours under a shadow and a highlight, with lines."""
    painter.fillRect(QRectF(0, 0, 1, 1), QColor("#e8dcc0"))
    painter.fillRect(QRectF(0, 0.7, 1, 0.3), QColor("#86a05c"))
    for x, color in ((0.3, "#d04030"), (0.7, "#3060c0")):
        light = QRadialGradient(QPointF(x - 0.06, 0.32), 0.2)
        light.setColorAt(0, QColor(color).lighter(150))
        light.setColorAt(0.4, QColor(color))
        light.setColorAt(1, QColor(color).darker(170))
        painter.setBrush(QBrush(light))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawEllipse(QPointF(x, 0.4), 0.17, 0.22)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    lines(painter)


def line_page(width=400, height=300, depth="U8", name="page"):
    """(document, lines, hints): line art with dots of colour on a layer under it; the lines are active."""
    document = page(width, height, name, depth=depth)
    hints = yield from layer(document, "Hints", dots)
    return document, (yield from layer(document, "Lines", lines)), hints


def shaded_page(width=600, height=450, depth="U8", name="page"):
    """(document, picture)"""
    document = page(width, height, name, depth=depth)
    return document, (yield from layer(document, "Picture", shaded))


def select(document, x, y, width, height):
    """With no size: an empty selection."""
    selection = Selection()
    if width and height:
        selection.select(x, y, width, height, 255)
    document.setSelection(selection)
    document.waitForDone()


# ---- layers as values


def pixels(document, node):
    """The layer's own pixels on the canvas."""
    return bytes(node.pixelData(0, 0, document.width(), document.height()))


def seen(document, node):
    """A layer as it looks, with what is in it."""
    return bytes(node.projectionPixelData(0, 0, document.width(), document.height()))


def names(document):
    """Bottom to top, without what stands for the selection."""
    return [node.name() for node in document.topLevelNodes() if node.type() != "selectionmask"]


def group_of(document, beginning):
    """The only group whose name begins so."""
    found = [node for node in document.topLevelNodes() if node.name().startswith(beginning)]
    assert len(found) == 1, [node.name() for node in document.topLevelNodes()]
    assert found[0].type() == "grouplayer", found[0].type()
    return found[0]


def facts(node):
    return node.name(), node.blendingMode(), node.inheritAlpha(), node.visible(), node.opacity()


FOUR = [
    ("flat", "normal", False, True, 255),
    ("shadow", "multiply", True, True, 255),
    ("highlight", "screen", True, True, 255),
    ("line", "normal", False, True, 255),
]


def of(group, name):
    return next(node for node in group.childNodes() if node.name() == name)


def whole(document):
    """All top layers with their pixels, to see whether anything of the artist's has changed."""
    return [
        (node.name(), node.visible(), node.locked(), node.opacity(), pixels(document, node))
        for node in document.topLevelNodes()
        if node.type() == "paintlayer"
    ]


def outside(data, width, area, size):
    """The samples beside ``area`` (x, y, width, height) of a picture with ``size`` bytes a pixel."""
    x, y, w, h = area
    rows = [data[at : at + width * size] for at in range(0, len(data), width * size)]
    cut = [row[: x * size] + row[(x + w) * size :] if y <= number < y + h else row for number, row in enumerate(rows)]
    return b"".join(cut)


def inside(data, width, area, size):
    x, y, w, h = area
    return b"".join(data[((y + row) * width + x) * size : ((y + row) * width + x + w) * size] for row in range(h))
