"""Qt as Krita brings it, PyQt5 or PyQt6; the wrong one would end Krita."""

import sys

if getattr(sys.modules.get("pykrita"), "qt_major_version", lambda: 5)() >= 6:
    from PyQt6.QtCore import QObject, QPoint, QPointF, QRectF, Qt, QTimer
    from PyQt6.QtGui import QBrush, QColor, QImage, QPainter, QPen, QRadialGradient
    from PyQt6.QtTest import QTest
    from PyQt6.QtWidgets import (
        QApplication,
        QDialogButtonBox,
        QDockWidget,
        QLineEdit,
        QMenu,
        QMessageBox,
        QToolButton,
        QWidget,
    )
else:
    from PyQt5.QtCore import QObject, QPoint, QPointF, QRectF, Qt, QTimer
    from PyQt5.QtGui import QBrush, QColor, QImage, QPainter, QPen, QRadialGradient
    from PyQt5.QtTest import QTest
    from PyQt5.QtWidgets import (
        QApplication,
        QDialogButtonBox,
        QDockWidget,
        QLineEdit,
        QMenu,
        QMessageBox,
        QToolButton,
        QWidget,
    )

__all__ = [
    "QApplication", "QBrush", "QColor", "QDialogButtonBox", "QDockWidget", "QImage", "QLineEdit", "QMenu",
    "QMessageBox", "QObject", "QPainter", "QPen", "QPoint", "QPointF", "QRadialGradient", "QRectF", "QTest",
    "QTimer", "QToolButton", "QWidget", "Qt",
]  # fmt: skip
