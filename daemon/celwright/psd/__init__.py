"""Layered documents, written: a tree of layers as PSD, PSB or OpenRaster. What reads pictures is imaging's."""
