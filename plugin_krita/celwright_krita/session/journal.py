"""The plugin's log: plugin.log in the user's folder, small and rotated. Knows nothing of what is logged.

Names of files and layers are not written: see diagnosis.py, which shows the last lines to others.
"""

from __future__ import annotations

import logging
import os
from logging.handlers import RotatingFileHandler

FILE = "plugin.log"
BYTES = 200_000
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class _Handler(RotatingFileHandler):
    def handleError(self, record: logging.LogRecord) -> None:
        """A full disk is no reason to bother the artist."""


def opened(folder: str) -> logging.Handler:
    """Have the plugin's messages written to ``folder`` until the handler is closed; none where that is impossible."""
    handler: logging.Handler
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        handler = _Handler(os.path.join(folder, FILE), maxBytes=BYTES, backupCount=1, encoding="utf-8")
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(logging.Formatter(_FORMAT))
    logger = logging.getLogger("celwright_krita")
    for old in list(logger.handlers):
        logger.removeHandler(old)
        old.close()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return handler


def last_lines(folder: str, count: int) -> list[str]:
    """The newest last; none where there is no log."""
    try:
        with open(os.path.join(folder, FILE), encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()[-count:]
    except OSError:
        return []
