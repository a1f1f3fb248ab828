"""Colour that reaches under the lines, so that hiding, thinning or recolouring them shows no pale fringe.

Knows flats and coverage; not where they come from.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright.domain import FloatImage

REACH = 8  # px; colour further away than this is not pulled under a line
_CLEAR, _COVERED = 0.05, 0.4  # line alpha up to which a flat is trusted, and from which it is replaced


def underpainted(flat: FloatImage, line_alpha: FloatImage, opaque: NDArray[np.bool_]) -> FloatImage:
    """``flat`` (H, W, C), a colour or more planes that go together, with the nearest clear one under lines and along
    the figure's soft rim.

    ``line_alpha`` (H, W); ``opaque`` (H, W) where the picture is: what lies beyond, paper that only filled up
    transparency, is no colour to take. A pixel depends on nothing further away than REACH.
    """
    kernel = np.ones((3, 3), np.uint8)
    clear = cv2.erode(((line_alpha < _CLEAR) & opaque).astype(np.uint8), kernel, borderType=cv2.BORDER_REPLICATE)
    if not clear.any():
        return flat
    distance, labels = cv2.distanceTransformWithLabels(1 - clear, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    source = np.zeros(int(labels.max()) + 1, np.intp)
    source[labels[clear > 0]] = np.flatnonzero(clear)
    share = np.clip((line_alpha - _CLEAR) / (_COVERED - _CLEAR), 0, 1)
    share = np.where(opaque, share, 1) * (distance <= REACH)
    replaced = np.flatnonzero(share > 0)
    result = flat.reshape(-1, flat.shape[2]).copy()
    weight = share.reshape(-1)[replaced, None]
    result[replaced] += (result[source[labels.reshape(-1)[replaced]]] - result[replaced]) * weight
    return np.asarray(result.reshape(flat.shape), np.float32)
