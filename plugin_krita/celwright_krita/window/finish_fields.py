"""How the layers of a decomposed picture are wanted: fields of their own, closed until somebody looks for them."""

from __future__ import annotations

from typing import Callable

from celwright_krita.state import DaemonState, DecomposeOptions
from celwright_krita.texts import tr
from celwright_krita.window.fields import Choice, Form, Number
from celwright_krita.window.offers import lacking
from celwright_krita.window.qt import QtGui
from celwright_krita.window.widgets import allow, check_box

DEFAULT = DecomposeOptions()
MAX_COLORS = 256  # the daemon's limit
TONES = {"continuous": 0, "one": 1, "two": 2}


class FinishFields(Form):
    """``changed`` is called when the artist has changed something."""

    def __init__(self, changed: Callable[[], None]) -> None:
        super().__init__()
        self._colors = self.add("decompose.flat_colors", Number(0, MAX_COLORS, DEFAULT.flat_colors))
        self._colors.setSpecialValueText(tr("decompose.flat_colors.any"))
        self._tones = self.add("decompose.shadow_tones", Choice())
        self._tones.offer((way, tr(f"decompose.shadow_tones.{way}"), QtGui.QIcon()) for way in TONES)
        self._tint = self.add("decompose.shadow_tint", Choice())
        self._tint.offer((way, tr(f"decompose.shadow_tint.{way}"), QtGui.QIcon()) for way in ("free", "region"))
        self._blend = self.add("decompose.shadow_blend", Choice())
        self._blend.offer((way, tr(f"decompose.shadow_blend.{way}"), QtGui.QIcon()) for way in ("multiply", "normal"))
        self._merge = check_box("decompose.merge_highlight")
        self.add_wide(self._merge)
        self._colors.valueChanged.connect(lambda _: changed())
        for choice in (self._tones, self._tint, self._blend):
            choice.currentIndexChanged.connect(lambda _: changed())
        self._merge.toggled.connect(lambda _: changed())

    def values(self) -> dict:
        """Fields of DecomposeOptions; the defaults where the daemon cannot do it."""
        if not self._colors.isEnabled():
            return {}
        return {
            "flat_colors": self._colors.value(),
            "shadow_tones": TONES[self._tones.value()],
            "shadow_tint": self._tint.value(),
            "merge_highlight": self._merge.isChecked(),
            "shadow_blend": self._blend.value(),
        }

    def draw(self, daemon: DaemonState) -> None:
        for widget in (self._colors, self._tones, self._tint, self._blend, self._merge):
            allow(widget, lacking(daemon, "decompose.finish"))


def contradiction(options: DecomposeOptions) -> str:
    """Why these options cannot go together: exact layers need some that take what is left over; else empty."""
    shadow = options.shadow_tones > 0 or options.shadow_tint == "region"
    bound = (options.flat_colors > 0) + shadow + options.merge_highlight
    return tr("decompose.contradiction") if options.fidelity == "exact" and bound > 1 else ""
