"""Celwright inside Krita. So far the seam to the daemon: what to ask it and how; nothing here knows Krita or Qt."""

__version__ = "0.1.0"
