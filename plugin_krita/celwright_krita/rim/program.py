"""canvas.Program served by Krita: its documents, palettes and messages."""

from __future__ import annotations

from typing import Any, Callable

from krita import Krita, Palette

from celwright_krita.canvas import Canvas
from celwright_krita.rim.canvas import KritaCanvas

MESSAGE_MS = 4000
PRIORITY = 1  # 0 urgent, 1 as usual, 2 only in passing


class KritaProgram:
    """Keeps one canvas for each open document: Krita makes a new Python object for it at every call."""

    def __init__(self) -> None:
        self._canvases: list[KritaCanvas] = []
        self._count = 0

    def canvas(self) -> Canvas | None:
        document = Krita.instance().activeDocument()
        return None if document is None else self._of(document)

    def canvases(self) -> list[Canvas]:
        return [self._of(document) for document in Krita.instance().documents()]

    def palettes(self) -> dict[str, Callable[[], bytes]]:
        """Krita converts the colours to sRGB, whatever space they were mixed in."""
        found = Krita.instance().resources("palette")
        return {name: _Colors(found[name]) for name in sorted(found, key=str.casefold)}

    def show_message(self, text: str) -> None:
        """In the status bar, and over the canvas where the artist has not turned that off."""
        window = Krita.instance().activeWindow()
        if window is None:
            return
        window.qwindow().statusBar().showMessage(text, MESSAGE_MS)
        view = window.activeView()
        if view is not None:
            view.showFloatingMessage(text, Krita.instance().icon("dialog-information"), MESSAGE_MS, PRIORITY)

    def _of(self, document: Any) -> Canvas:
        self._canvases = [canvas for canvas in self._canvases if canvas.open]
        for canvas in self._canvases:
            if canvas.stands_for(document):
                return canvas
        self._count += 1
        self._canvases.append(KritaCanvas(document, str(self._count)))
        return self._canvases[-1]


class _Colors:
    """Reads a palette when it is asked for: some have many hundred colours."""

    def __init__(self, resource: Any) -> None:
        self._resource = resource

    def __call__(self) -> bytes:
        palette = Palette(self._resource)
        colors = bytearray()
        for index in range(palette.colorsCountTotal()):
            swatch = palette.colorSetEntryByIndex(index)
            if swatch is not None and swatch.isValid():
                color = swatch.color().colorForCanvas(None)
                colors += bytes((color.red(), color.green(), color.blue()))
        return bytes(colors)
