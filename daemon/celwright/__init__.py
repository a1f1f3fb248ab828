"""Celwright colours line art and takes illustrations apart into line, flat, shadow and highlight layers."""

__version__ = "0.1.0"
