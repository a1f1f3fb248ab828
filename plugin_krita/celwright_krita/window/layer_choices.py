"""A document's layers as entries of a drop-down, indented as they lie in groups. Knows no session."""

from __future__ import annotations

from typing import Iterator

from celwright_krita.canvas import Layer
from celwright_krita.window.icons import layer_icon
from celwright_krita.window.qt import QtGui

INDENT = "\N{EM SPACE}"  # plain spaces at the front are lost on some styles


def entries(*first: tuple[str, str], layers: tuple[Layer, ...]) -> Iterator[tuple[str, str, QtGui.QIcon]]:
    """(value, text, icon): ``first`` of (value, text), then every layer by its id, from top to bottom."""
    for value, text in first:
        yield value, text, QtGui.QIcon()
    for layer in layers:
        yield layer.id, INDENT * layer.level + layer.name, layer_icon(layer.kind)
