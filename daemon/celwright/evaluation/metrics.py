"""How far a decomposition is from the artist's own layers, in the project's definitions.

All pictures are (H, W, C) float32, 0..1, straight alpha. The artist's shadow and highlight are result colours laid
normally, so only their alpha is compared; ours are a multiply and a screen layer. Knows no files and no networks.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright.domain import FloatImage
from celwright.imaging.color import ciede2000, srgb_to_lab

INK = 0.35  # coverage times darkness from which a pixel counts as line
EFFECTIVE = 0.05  # strength from which our shadow or highlight counts
PAINTED = 0.2  # alpha from which the artist's counts
CLEAR_OF_LINES = 2  # px


def over_white(image: FloatImage) -> FloatImage:
    """(H, W, 3) of RGBA on white paper."""
    return np.asarray(image[..., :3] * image[..., 3:] + 1 - image[..., 3:], np.float32)


def recomposition(picture: FloatImage, composite: FloatImage) -> tuple[float, float]:
    """PSNR in dB (100 at most) and SSIM (Wang et al. 2004, Gaussian window, sigma 1.5) of two RGBA pictures, both on
    white."""
    from skimage.metrics import structural_similarity

    a, b = over_white(picture), over_white(composite)
    error = float(np.mean(np.square(a - b, dtype=np.float64)))
    similar = structural_similarity(  # type: ignore[no-untyped-call]
        a, b, channel_axis=2, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    return float(-10 * np.log10(max(error, 1e-10))), float(similar)


def ink(line: FloatImage) -> NDArray[np.bool_]:
    """(H, W) where an RGBA line layer has dark line."""
    return np.asarray(line[..., 3] * (1 - line[..., :3].mean(2)) > INK)


def line_f1(found: FloatImage, true: FloatImage) -> float | None:
    """Harmonic mean of precision and recall of ink, with a tolerance of one pixel; None where neither has ink."""
    ours, theirs = ink(found), ink(true)
    if not ours.any() and not theirs.any():
        return None
    precision = (ours & _grown(theirs, 1)).sum() / max(ours.sum(), 1)
    recall = (theirs & _grown(ours, 1)).sum() / max(theirs.sum(), 1)
    return float(2 * precision * recall / max(precision + recall, 1e-9))


def flat_difference(found: FloatImage, true: FloatImage, true_line: FloatImage) -> float | None:
    """Mean CIEDE2000 where the artist's flat is opaque and at least two pixels from lines; None if nowhere."""
    where = (true[..., 3] > 0.99) & ~_grown(true_line[..., 3] > 0.1, CLEAR_OF_LINES)
    if not where.any():
        return None
    ours, theirs = srgb_to_lab(over_white(found)[where][None]), srgb_to_lab(true[..., :3][where][None])
    return float(ciede2000(ours, theirs).mean())


def shadow_iou(found: FloatImage, true: FloatImage, true_flat: FloatImage) -> float | None:
    """Overlap of where the multiply layer darkens and where the artist shaded, inside the flat."""
    return _overlap((found[..., 3:] * (1 - found[..., :3])).max(2) > EFFECTIVE, true[..., 3] > PAINTED, true_flat)


def highlight_iou(found: FloatImage, true: FloatImage, true_flat: FloatImage) -> float | None:
    """Overlap of where the screen layer brightens and where the artist lit, inside the flat."""
    return _overlap((found[..., 3:] * found[..., :3]).max(2) > EFFECTIVE, true[..., 3] > PAINTED, true_flat)


def _overlap(ours: NDArray[np.bool_], theirs: NDArray[np.bool_], flat: FloatImage) -> float | None:
    inside = flat[..., 3] > 0.5
    ours, theirs = ours & inside, theirs & inside
    if not theirs.any():
        return None  # nothing to find
    return float((ours & theirs).sum() / (ours | theirs).sum())


def _grown(mask: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    kernel = np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)
    return np.asarray(cv2.dilate(mask.astype(np.uint8), kernel) > 0)
