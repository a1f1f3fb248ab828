"""Krita's selections made from samples. Knows no document of the artist's."""

from __future__ import annotations

from typing import Any

from krita import Krita, Selection

from celwright_krita.canvas import Frame, Raw


def selection_of(mask: Raw, frame: Frame) -> Any:
    """A Selection with the samples of ``mask``, which lies within ``frame``.

    Krita draws a selection's outline from one that it keeps, and does not hear of samples that were written: it would
    show none. Cropping a document makes it look again, so this takes off a row in one that nobody sees.
    """
    selection, area = Selection(), mask.rect
    if area.empty:
        return selection
    selection.setPixelData(bytes(mask.data), area.x, area.y, area.width, area.height)
    workshop = Krita.instance().createDocument(frame.width, frame.height + 1, "", "RGBA", "U8", "", 72.0)
    try:
        workshop.setBatchmode(True)
        workshop.setSelection(selection)
        workshop.crop(0, 0, frame.width, frame.height)
        workshop.waitForDone()
        return workshop.selection().duplicate()
    finally:
        workshop.setModified(False)
        workshop.close()
