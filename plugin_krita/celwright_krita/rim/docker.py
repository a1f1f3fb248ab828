"""The docker as Krita wants it: one for each window, all with the one session."""

from __future__ import annotations

from typing import Any

from krita import DockWidget, DockWidgetFactory, DockWidgetFactoryBase, Krita

from celwright_krita.rim.extension import Celwright
from celwright_krita.texts import tr

NAME = "celwright_docker"


def register() -> None:
    """Tell Krita of extension and docker; once, when the plugin is loaded."""
    app = Krita.instance()
    celwright = Celwright(app)

    class CelwrightDocker(DockWidget):
        def __init__(self) -> None:
            super().__init__()
            self.setWindowTitle(tr("docker.title"))
            self.setWidget(celwright.make_panel())

        def canvasChanged(self, canvas: Any) -> None:
            celwright.session.refresh()

    app.addExtension(celwright)
    right = DockWidgetFactoryBase.DockPosition.DockRight  # Krita 6 knows it by its full name only
    app.addDockWidgetFactory(DockWidgetFactory(NAME, right, CelwrightDocker))
