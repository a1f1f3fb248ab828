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
WINDOW = 20  # px, of the local error
NEAR = 4  # px, from which a line's surroundings give the flat that may lie under it
CONTRAST = 0.1  # lightness, between a line and the flat under it, from which a leak can be told


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


def local_mean_squared_error(picture: FloatImage, found: FloatImage, window: int = WINDOW) -> float:
    """LMSE (Grosse et al. 2009) of (H, W, 3) pictures: in windows that overlap by half, the squared error that is left
    when each is scaled to fit best, as a share of what an empty picture would have."""
    left = whole = 0.0
    step = window // 2
    for y in range(0, picture.shape[0] - window + 1, step):
        for x in range(0, picture.shape[1] - window + 1, step):
            a, b = (image[y : y + window, x : x + window].astype(np.float64) for image in (picture, found))
            energy = (b * b).sum()
            scale = (a * b).sum() / energy if energy > 1e-5 else 0.0
            left += np.square(a - scale * b).sum()
            whole += np.square(a).sum()
    return float(left / max(whole, 1e-12))


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


def line_leak(found: FloatImage, true: FloatImage, true_line: FloatImage) -> float | None:
    """Share of the artist's ink that shows in our flat: where that is nearer in lightness to the ink than to the
    darkest of the artist's flats within a few pixels. None where no ink is darker than its surroundings."""
    clear = (true[..., 3] > 0.99) & ~_grown(true_line[..., 3] > 0.1, 1)
    around = np.where(clear, true[..., :3].mean(2), 2).astype(np.float32)
    darkest = cv2.erode(around, np.ones((2 * NEAR + 1, 2 * NEAR + 1), np.uint8))
    stroke = true_line[..., :3].mean(2)
    where = ink(true_line) & (darkest < 2) & (darkest - stroke > CONTRAST)
    if not where.any():
        return None
    leaks = (over_white(found).mean(2) < (darkest + stroke) / 2) & (found[..., 3] > 0)
    return float(leaks[where].mean())


def flat_difference(found: FloatImage, true: FloatImage, true_line: FloatImage) -> float | None:
    """Mean CIEDE2000 where the artist's flat is opaque and at least two pixels from lines; None if nowhere."""
    where = (true[..., 3] > 0.99) & ~_grown(true_line[..., 3] > 0.1, CLEAR_OF_LINES)
    if not where.any():
        return None
    ours, theirs = srgb_to_lab(over_white(found)[where][None]), srgb_to_lab(true[..., :3][where][None])
    return float(ciede2000(ours, theirs).mean())


def shadow_iou(found: FloatImage, true: FloatImage, true_flat: FloatImage) -> float | None:
    """Overlap of where the multiply layer darkens and where the artist shaded, inside the flat."""
    return _overlap(_darkened(found), true, true_flat)


def shadow_cover(found: FloatImage, true: FloatImage, true_flat: FloatImage) -> float | None:
    """How many times the artist's shaded area the multiply layer darkens, inside the flat."""
    return _cover(_darkened(found), true, true_flat)


def highlight_iou(found: FloatImage, true: FloatImage, true_flat: FloatImage) -> float | None:
    """Overlap of where the screen layer brightens and where the artist lit, inside the flat."""
    return _overlap(_brightened(found), true, true_flat)


def highlight_cover(found: FloatImage, true: FloatImage, true_flat: FloatImage) -> float | None:
    """How many times the artist's lit area the screen layer brightens, inside the flat."""
    return _cover(_brightened(found), true, true_flat)


def _darkened(shadow: FloatImage) -> NDArray[np.bool_]:
    return np.asarray((shadow[..., 3:] * (1 - shadow[..., :3])).max(2) > EFFECTIVE)


def _brightened(highlight: FloatImage) -> NDArray[np.bool_]:
    return np.asarray((highlight[..., 3:] * highlight[..., :3]).max(2) > EFFECTIVE)


def _overlap(ours: NDArray[np.bool_], true: FloatImage, flat: FloatImage) -> float | None:
    inside = flat[..., 3] > 0.5
    ours, theirs = ours & inside, (true[..., 3] > PAINTED) & inside
    return float((ours & theirs).sum() / (ours | theirs).sum()) if theirs.any() else None  # nothing to find


def _cover(ours: NDArray[np.bool_], true: FloatImage, flat: FloatImage) -> float | None:
    inside = flat[..., 3] > 0.5
    painted = ((true[..., 3] > PAINTED) & inside).sum()
    return float((ours & inside).sum() / painted) if painted else None


def _grown(mask: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    kernel = np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)
    return np.asarray(cv2.dilate(mask.astype(np.uint8), kernel) > 0)
