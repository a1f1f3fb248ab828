"""SALAC's six colour categories, by which a person can judge at a glance what a colouring proposes (section 3.3.1).

Knows colours; nothing of regions or networks.
"""

import numpy as np
from numpy.typing import NDArray

from celwright.domain import FloatImage
from celwright.imaging.color import nearest_colors

# The paper names the spectra, not their colours. What a category is shown in stands first.
CATEGORIES = {
    "black": ("#141414", "#3c3c42"),
    "white": ("#ffffff", "#d8d8dc"),
    "brown": ("#7b4a2a", "#4a2c1a", "#a8794a"),
    "red": ("#e03020", "#a01828", "#f0841e", "#f8d028"),
    "blue": ("#2860d8", "#1c2c78", "#38b8e0", "#3aa04a", "#1e6030", "#a0d860", "#8038c0"),
    "pink": ("#fcd8c4", "#f8b4a8", "#f490b8"),
}
_SHADES = np.array([list(bytes.fromhex(text[1:])) for shades in CATEGORIES.values() for text in shades], np.uint8)
_OF_COLOR = np.repeat(np.arange(len(CATEGORIES)), [len(shades) for shades in CATEGORIES.values()])
_SHOWN = np.array([list(bytes.fromhex(shades[0][1:])) for shades in CATEGORIES.values()], np.uint8)


def color_categories(srgb: FloatImage) -> NDArray[np.intp]:
    """(...) the category, as a place in CATEGORIES, of (..., 3) sRGB colours 0..1: that of the nearest shade by
    CIEDE2000 (Algorithm 1). Colours are told apart to 1/63."""
    coarse = (np.round(srgb * 63) / 63).astype(np.float32)
    shades = _SHADES.astype(np.float32) / np.float32(255)
    return np.asarray(_OF_COLOR[nearest_colors(coarse.reshape(-1, 3), shades)].reshape(srgb.shape[:-1]))


def shown(categories: NDArray[np.intp]) -> NDArray[np.uint8]:
    """(..., 3) each category in its first shade."""
    return np.asarray(_SHOWN[categories])
