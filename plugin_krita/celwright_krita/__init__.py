"""Celwright inside Krita: a docker and menu entries that let the daemon colour line art and take pictures apart.

Importing it outside of Krita gives the seam to the daemon alone.
"""

import logging
import sys

__version__ = "0.1.0"

if "krita" in sys.modules:  # loaded by Krita before any plugin
    try:
        from celwright_krita.rim.docker import register

        register()
    except Exception:  # Krita would skip the plugin without a word
        logging.getLogger(__name__).exception("Celwright cannot be used in this Krita")
        raise
