"""Qt as the painting program brings it, PyQt5 or PyQt6, and the little that differs. Knows nothing of Celwright.

Which of the two is Krita's to say: both may be installed, and loading the wrong one ends the program.
"""

from __future__ import annotations

import sys

MAJOR = getattr(sys.modules.get("pykrita"), "qt_major_version", lambda: 5)()

if MAJOR >= 6:
    from PyQt6 import QtCore, QtGui, QtWidgets

    QAction = QtGui.QAction
else:
    from PyQt5 import QtCore, QtGui, QtWidgets

    QAction = QtWidgets.QAction

Qt = QtCore.Qt
Signal = QtCore.pyqtSignal

__all__ = ["MAJOR", "QAction", "Qt", "QtCore", "QtGui", "QtWidgets", "Signal"]
