"""Pixels in, pixels out: picture files, colour, line art, palettes, tiles. Knows no network and no layers."""
