"""The tab "Colorize": line art, hints, colours and the rest. Draws State and reads ColorizeOptions.

A part that the daemon cannot do is disabled with the reason as its tooltip, and its default is what is asked for.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Callable

from celwright_krita.canvas import ACTIVE
from celwright_krita.state import ColorizeOptions, State
from celwright_krita.texts import tr
from celwright_krita.window import layer_choices
from celwright_krita.window.fields import Choice, Form, Number
from celwright_krita.window.offers import blocked, differs, lacking, models_for
from celwright_krita.window.palette_dialog import PaletteDialog
from celwright_krita.window.qt import QtGui, QtWidgets
from celwright_krita.window.reference_list import ReferenceList
from celwright_krita.window.widgets import Group, allow, check_box, push_button, tool_button

if TYPE_CHECKING:
    from celwright_krita.session.session import Session

PALETTES = {"auto": "colorize.auto", "flatting": "colorize.flatting"}  # what each needs; others: colorize.palette
DEFAULT = ColorizeOptions()
MAX_SEED = 2**31 - 1  # of a spin box
MAX_GAP, MAX_STEPS, MAX_VARIATIONS = 256, 100, 16  # the daemon's limits


class ColorizeTab(QtWidgets.QWidget):
    def __init__(self, session: Session, show_why: Callable[[str], None]) -> None:
        super().__init__()
        self._session = session
        self._state = State()
        self.references = ReferenceList(session, show_why)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(self._first())
        layout.addWidget(Group("group.references", self.references.layout_inside))
        layout.addWidget(Group("group.regions", self._regions(), opened=False))
        layout.addWidget(Group("group.variation", self._variation(), opened=False))
        self.button = push_button("colorize.run")
        self.button.clicked.connect(self.run)

    def _first(self) -> Form:
        form = Form()
        self._line_art = form.add("colorize.line_art", Choice())
        self._hints = form.add("colorize.hints", Choice())
        save = tool_button("colorize.palette.save", "keep")
        save.clicked.connect(self._save_palette)
        self._save = save
        self._palette = form.add("colorize.palette", Choice(), save)
        self._model = form.add("colorize.model", Choice())
        return form

    def _regions(self) -> Form:
        form = Form()
        self._lock = form.add("colorize.lock", Choice())
        self._gap = form.add("colorize.gap", Number(0, MAX_GAP, DEFAULT.gap))
        self._gap.setSuffix(tr("colorize.gap.unit"))
        self._unhinted = form.add("colorize.unhinted", Choice())
        self._unhinted.offer((way, tr(f"colorize.unhinted.{way}"), QtGui.QIcon()) for way in ("nearest", "transparent"))
        self._leaks = push_button("colorize.leaks")
        self._leaks.clicked.connect(lambda: self._session.show_leaks(self.options(leaks=True)))
        form.add_wide(self._leaks)
        return form

    def _variation(self) -> Form:
        form = Form()
        self._shading = check_box("colorize.shading")
        self._shading.setChecked(DEFAULT.shading)
        form.add_wide(self._shading)
        self._light = form.add("colorize.light", Number(0, 359, DEFAULT.light))
        self._light.setSuffix("°")
        self._light.setWrapping(True)
        self._shading.toggled.connect(lambda _: self._offer_light())
        dice = tool_button("colorize.seed.random", "again")
        dice.clicked.connect(lambda: self._seed.setValue(random.randint(0, MAX_SEED)))
        self._seed = form.add("colorize.seed", Number(0, MAX_SEED, DEFAULT.seed), dice)
        self._dice = dice
        self._steps = form.add("colorize.steps", Number(1, MAX_STEPS, DEFAULT.steps))
        self._variations = form.add("colorize.variations", Number(1, MAX_VARIATIONS, DEFAULT.variations))
        return form

    def options(self, leaks: bool = False) -> ColorizeOptions:
        return ColorizeOptions(
            line_art=self._line_art.value(),
            hints=self._hints.value(),
            lock=self._lock.value(),
            palette=self._palette.value(),
            unhinted=self._unhinted.value(),
            gap=self._gap.value(),
            shading=self._shading.isChecked() if self._shading.isEnabled() else DEFAULT.shading,
            light=self._light.value() if self._light.isEnabled() else DEFAULT.light,
            seed=self._seed.value() if self._seed.isEnabled() else DEFAULT.seed,
            variations=self._variations.value() if self._variations.isEnabled() else DEFAULT.variations,
            steps=self._steps.value() if self._steps.isEnabled() else DEFAULT.steps,
            leaks=leaks,
            model=self._model.value(),
        )

    def run(self) -> None:
        self._session.colorize(self.options())

    def draw(self, state: State, before: State | None) -> None:
        self._state = state
        if differs(state, before, "layers"):
            none = ("", tr("layer.none"))
            self._line_art.offer(layer_choices.entries((ACTIVE, tr("source.active")), layers=state.layers))
            self._hints.offer(layer_choices.entries(none, layers=state.layers))
            self._lock.offer(layer_choices.entries(none, layers=state.layers))
        if differs(state, before, "palettes"):
            own = [("", tr("palette.none")), *((name, tr(f"palette.{name}")) for name in PALETTES), ("", "")]
            listed = [*own, *((name, name) for name in state.palettes)] if state.palettes else own[:-1]
            self._palette.offer((value, text, QtGui.QIcon()) for value, text in listed)
        if differs(state, before, "daemon", "palettes"):
            self._offer(state)
        if differs(state, before, "document", "refusal", "job", "daemon", "selected"):
            allow(self.button, blocked(state, "colorize.hints"))
            self.button.setText(tr("colorize.run.selection" if state.selected else "colorize.run"))
            self.button.setShortcut(QtGui.QKeySequence())
            allow(self._leaks, blocked(state, "segment.leaks"))
        if differs(state, before, "overview", "references"):
            something = state.overview is not None or state.references
            allow(self._save, "" if something else tr("offer.no_colors"))
        self.references.draw(state, before)

    def _offer(self, state: State) -> None:
        """Enable what the daemon can do."""
        daemon = state.daemon
        for name, needed in PALETTES.items():
            self._palette.forbid(name, lacking(daemon, needed))
        for name in state.palettes:
            self._palette.forbid(name, lacking(daemon, "colorize.palette"))
        for widget, needed in (
            (self._hints, "hints"), (self._lock, "lock"), (self._shading, "shading"), (self._variations, "variations"),
        ):  # fmt: skip
            allow(widget, lacking(daemon, f"colorize.{needed}"))
        self._offer_light()
        sampling = lacking(daemon, "colorize.auto")  # what samples needs chance and steps; references alone may not
        for widget in (self._seed, self._dice, self._steps):
            allow(widget, sampling)
        models = models_for(daemon, "colorize")
        self._model.offer((model.name, model.name, QtGui.QIcon()) for model in models)
        Form.show_row(self._model, len(models) > 1)

    def _offer_light(self) -> None:
        unlit = "" if self._shading.isChecked() else tr("offer.no_shading")
        allow(self._light, lacking(self._state.daemon, "colorize.light") or unlit)

    def _save_palette(self) -> None:
        sources = [] if self._state.overview is None else [(tr("palette.from.result"), self._state.overview)]
        sources += [(reference.name, reference.thumbnail) for reference in self._state.references]
        dialog = PaletteDialog(self, sources)
        if dialog.exec():
            self._session.save_palette(dialog.name(), dialog.colors())
