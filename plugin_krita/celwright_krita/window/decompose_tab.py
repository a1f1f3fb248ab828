"""The tab "Decompose": what to take apart and how. Draws State and reads DecomposeOptions from the widgets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from celwright_krita.canvas import ACTIVE, VISIBLE
from celwright_krita.state import DecomposeOptions, State
from celwright_krita.texts import tr
from celwright_krita.window import layer_choices
from celwright_krita.window.fields import Choice, Form
from celwright_krita.window.finish_fields import FinishFields, contradiction
from celwright_krita.window.offers import blocked, differs, lacking, models_for
from celwright_krita.window.qt import QtGui, QtWidgets
from celwright_krita.window.widgets import Group, allow, check_box, push_button

if TYPE_CHECKING:
    from celwright_krita.session.session import Session


class DecomposeTab(QtWidgets.QWidget):
    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._state = State()
        form = Form()
        self._source = form.add("decompose.source", Choice())
        self._model = form.add("decompose.model", Choice())
        self._fidelity = form.add("decompose.fidelity", Choice())
        self._fidelity.offer((way, tr(f"decompose.fidelity.{way}"), QtGui.QIcon()) for way in ("clean", "exact"))
        self._fidelity.currentIndexChanged.connect(lambda _: self._allow())
        self._frames = check_box("decompose.frames")
        form.add_wide(self._frames)
        self.button = push_button("decompose.run")
        self.button.clicked.connect(self.run)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(form)
        self._finish = FinishFields(self._allow)
        layout.addWidget(Group("group.finish", self._finish, opened=False))

    def options(self) -> DecomposeOptions:
        frames = self._frames.isChecked() and not self._frames.isHidden()
        source, model, fidelity = self._source.value(), self._model.value(), self._fidelity.value()
        return DecomposeOptions(source, model, fidelity, frames, **self._finish.values())

    def run(self) -> None:
        self._session.decompose(self.options())

    def _allow(self) -> None:
        allow(self.button, blocked(self._state, "decompose") or contradiction(self.options()))

    def draw(self, state: State, before: State | None) -> None:
        self._state = state
        if differs(state, before, "layers"):
            first = (ACTIVE, tr("source.active")), (VISIBLE, tr("source.visible"))
            self._source.offer(layer_choices.entries(*first, layers=state.layers))
        if differs(state, before, "daemon"):
            models = models_for(state.daemon, "decompose")
            self._model.offer((model.name, model.name, QtGui.QIcon()) for model in models)
            Form.show_row(self._model, len(models) > 1)
            self._fidelity.forbid("exact", lacking(state.daemon, "decompose.exact"))
            self._finish.draw(state.daemon)
        if differs(state, before, "animated"):
            self._frames.setVisible(state.animated)
        if differs(state, before, "document", "refusal", "job", "daemon"):
            self._allow()
