"""Regions of line art: finding them, splitting them, showing them. Knows numpy and OpenCV only."""
