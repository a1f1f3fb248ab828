"""From what a network guesses of a picture to four stored layers that give the picture back.

Looks hardly further than one pixel, so callers may work in bands. Knows the formula's layers, no networks and no
files.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from celwright.domain import Fidelity, FloatImage, Pixels
from celwright.layers import LayerStack, as_float, quantized, top_value, under_line

_FAINT_LINE = 0.04  # alpha; below it an estimated line is noise
_CONTRAST = 0.02  # squared distance of base and line colour from which their mixture can be measured
_RIM = 0.1  # how much darker than its flat the rim of a cut-out figure is where it has an outline
_FAINT_SHADING = 5 / 255  # change of colour; `clean` drops shading that nobody would have painted
_SPECK = 24  # px; `clean` lets the flat take smaller spots of shading that the estimate knows nothing of
_EDGE = 0.2  # of a line's estimated alpha is believed one pixel beside it: how much its soft edge may be off
_ROOM = 20 / 255  # to black or white, below which a channel follows the others in `clean`
_GRAIN = 16 / 255  # change of colour; up to it `clean` takes a difference for paint texture, not for shading


@dataclass(frozen=True, eq=False)
class Estimate:
    """What a network or a rule says about a picture, float32 0..1.

    ``line_alpha`` (H, W); ``line_color``, ``flat`` (H, W, 3); ``shadow`` (H, W, 3) factor, 1 = none;
    ``highlight`` (H, W, 3) screen, 0 = none.
    """

    line_alpha: FloatImage
    line_color: FloatImage
    flat: FloatImage
    shadow: FloatImage
    highlight: FloatImage


def fit(picture: Pixels, estimate: Estimate, fidelity: Fidelity) -> LayerStack:
    """Turn an estimate into four stored layers that give the picture back.

    What the estimate leaves unexplained goes to the line where there is line, else to shadow where the picture is
    darker than the flat and to highlight where it is lighter. ``clean`` first lets the flat take paint grain, specks
    and what is left of the hue where shading goes the other way, and drops shading too faint to have been painted;
    ``exact`` drops nothing: at most 2/255 a channel where the picture is opaque. The alpha of the composite is the
    picture's.
    """
    depth = picture.depth
    pixels = as_float(picture.rgba())
    color, alpha = pixels[..., :3], pixels[..., 3:]

    flat, shadow, highlight = estimate.flat, estimate.shadow, estimate.highlight
    base = 1 - (1 - flat * shadow) * (1 - highlight)
    line_alpha, is_line = _line_alpha(color, alpha, base, estimate)
    line_alpha = snapped(line_alpha, depth)
    # The flat's alpha that makes the composite's alpha the picture's; full under an opaque line.
    flat_alpha = np.where(alpha >= 1, 1, (alpha - line_alpha) / np.maximum(1 - line_alpha, 1e-6))
    flat_alpha = snapped(flat_alpha, depth)
    seen = (1 - line_alpha) * flat_alpha  # how much of the base shows

    wanted = np.clip((color * alpha - estimate.line_color * line_alpha) / np.maximum(seen, 1e-6), 0, 1)
    # Under a nearly opaque line the picture says nothing about the base: trust the estimate there.
    trust = np.clip(seen / np.maximum(alpha, 1e-6) * 4, 0, 1) * ~is_line
    wanted = base + (wanted - base) * trust
    if fidelity == "clean":
        wanted = np.where((line_alpha > 0) & (_sum(wanted - base) > 0), base, wanted)  # lines have no bright rim
        flat = flat + _grain(wanted, flat, np.abs(base - flat)) * (line_alpha == 0)
        flat = np.where(_specks(wanted, flat, base), wanted, _of_one_sign(wanted, flat))
    flat = snapped(flat, depth)

    shadow = np.minimum(1, wanted / np.maximum(flat, 1e-6))
    highlight = np.maximum(0, 1 - (1 - wanted) / np.maximum(1 - flat, 1e-6))
    if fidelity == "clean":
        shadow = np.where(largest(flat * (1 - shadow)) < _FAINT_SHADING, 1, 1 - _steady(1 - shadow, flat))
        faint = largest((1 - flat) * highlight) < _FAINT_SHADING
        highlight = np.where(faint, 0, _steady(highlight, 1 - flat))
    hidden = flat_alpha == 0
    shadow_layer = stored_shadow(np.where(hidden, 1, shadow), depth)
    highlight_layer = stored_highlight(np.where(hidden, 0, highlight), depth)
    base = under_line(flat, shadow_layer, highlight_layer)

    line_alpha, line_color = solved_line(color, base, line_alpha, alpha, estimate.line_color, depth)

    def layer(values: FloatImage, coverage: FloatImage) -> Pixels:
        data = quantized(np.concatenate([values, coverage], axis=2), depth)
        data[data[..., 3] == 0] = 0
        return Pixels(data, picture.offset, picture.icc)

    return LayerStack(
        line=layer(line_color, line_alpha),
        flat=layer(flat, flat_alpha),
        shadow=layer(shadow_layer[..., :3], shadow_layer[..., 3:]),
        highlight=layer(highlight_layer[..., :3], highlight_layer[..., 3:]),
    )


def _line_alpha(
    color: FloatImage, alpha: FloatImage, base: FloatImage, estimate: Estimate
) -> tuple[FloatImage, NDArray[np.bool_]]:
    """(H, W, 1) the line's alpha, and where the line alone explains what the base does not.

    Between the colours of base and line, the picture itself tells how much line there is, sharper than any estimate;
    up to three times the estimated alpha is believed to be line, what asks for more is something else.
    """
    beside = cv2.dilate(estimate.line_alpha, np.ones((3, 3), np.uint8))
    guess = np.minimum(np.maximum(estimate.line_alpha, _EDGE * beside)[..., None], alpha)
    contrast = base - estimate.line_color
    size = (contrast * contrast).sum(axis=2, keepdims=True)
    measured = alpha * np.clip((contrast * (base - color)).sum(axis=2, keepdims=True) / np.maximum(size, 1e-6), 0, 1)
    is_line = (guess >= _FAINT_LINE) & (measured <= 3 * guess) & (size > _CONTRAST)
    # Where the picture is not opaque the line's alpha cannot grow later: some line colour must do.
    solved = base + (color - base) * alpha / np.maximum(measured, 1e-6)
    is_line &= (alpha >= 1) | (largest(np.abs(solved - 0.5)) < 0.51)
    line_alpha = np.where(is_line, measured, np.minimum(estimate.line_alpha[..., None], alpha))
    line_alpha = np.where(line_alpha < _FAINT_LINE, 0, line_alpha)
    # A soft rim darker than its flat is an outline's own: on paper it looked too pale for the estimate to be sure.
    darker = (base - color).mean(axis=2, keepdims=True) > _RIM
    unsure = (alpha < 0.5) | (estimate.line_alpha[..., None] > _FAINT_LINE / 4)
    rim = (alpha > 0) & (alpha < 1) & darker & unsure
    line_alpha = np.where(rim, alpha, line_alpha)
    return line_alpha, (is_line | rim) & (line_alpha > 0)


def largest(image: FloatImage) -> FloatImage:
    """(H, W, 1) the largest of three channels; numpy's own reduction over so short an axis is five times slower."""
    return np.maximum(np.maximum(image[..., 0:1], image[..., 1:2]), image[..., 2:3])


def _grain(wanted: FloatImage, flat: FloatImage, shading: FloatImage) -> FloatImage:
    """The difference that belongs into the flat: small ones, where the estimate sees no shading."""
    difference = wanted - flat
    size = largest(np.abs(difference))
    unshaded = 1 - np.clip(largest(shading) / (2 * _FAINT_SHADING) - 0.5, 0, 1)
    grain: FloatImage = difference * unshaded * np.clip(2 - size / _GRAIN, 0, 1)
    return grain


def _of_one_sign(wanted: FloatImage, flat: FloatImage) -> FloatImage:
    """The flat from which ``wanted`` is darker or lighter in all channels, so that no pixel needs shadow in one and
    highlight in another: red specks of light in the shadow of hair are no artist's."""
    change = wanted - flat
    lighter = _sum(change) > 0
    return np.where((change > 0) == lighter, flat, wanted)


def _steady(amount: FloatImage, room: FloatImage) -> FloatImage:
    """``amount`` of shading with those channels like the others that have hardly ``room`` to change, so that a touch
    of light on red cloth is not pure red light."""
    mean = _sum(amount * room) / np.maximum(_sum(room), 1e-6)
    return np.where(room < _ROOM, mean, amount)


def _sum(image: FloatImage) -> FloatImage:
    return image[..., 0:1] + image[..., 1:2] + image[..., 2:3]


def _specks(wanted: FloatImage, flat: FloatImage, base: FloatImage) -> NDArray[np.bool_]:
    """(H, W, 1) spots of unforeseen shading too small to have been painted; those cut by the border may be larger."""
    unforeseen = (largest(np.abs(wanted - flat)) >= _FAINT_SHADING)[..., 0]
    _, labels, found, _ = cv2.connectedComponentsWithStats(unforeseen.astype(np.uint8))
    left, top, width, height, size = found.T
    inner = (left > 0) & (top > 0) & (left + width < labels.shape[1]) & (top + height < labels.shape[0])
    small = (size < _SPECK) & inner
    small[0] = False
    if not small.any():
        return np.zeros((*labels.shape, 1), np.bool_)
    foreseen = (largest(np.abs(base - flat)) > 2 * _FAINT_SHADING)[..., 0] & small[labels]
    small[np.unique(labels[foreseen])] = False
    return np.asarray(small[labels][..., None])


def stored_shadow(factor: FloatImage, depth: int) -> FloatImage:
    """RGBA that multiplies by ``factor``; no shadow becomes transparency, the rest as transparent as possible."""
    return _stored(1 - factor, depth, invert=True)


def stored_highlight(amount: FloatImage, depth: int) -> FloatImage:
    """RGBA that screens by ``amount``; no highlight becomes transparency."""
    return _stored(amount, depth, invert=False)


def _stored(amount: FloatImage, depth: int, *, invert: bool) -> FloatImage:
    alpha = raised(largest(amount), depth)
    color: FloatImage = np.clip(amount / np.maximum(alpha, 1e-6), 0, 1)
    return np.concatenate([snapped(1 - color if invert else color, depth), alpha], axis=2)


def solved_line(
    color: FloatImage, base: FloatImage, alpha: FloatImage, picture_alpha: FloatImage, guess: FloatImage, depth: int
) -> tuple[FloatImage, FloatImage]:
    """Line alpha and colour that give ``color`` over ``base``; alpha grows where no colour could do it.

    Only where the picture is opaque may alpha grow: elsewhere it is bound to the flat's.
    """
    difference = color - base
    room = np.where(difference > 0, 1 - base, base)
    needed = largest(np.abs(difference) / np.maximum(room, 1e-6))
    alpha = np.where((alpha > 0) & (picture_alpha >= 1), np.maximum(alpha, raised(needed, depth)), alpha)
    share = alpha / np.maximum(picture_alpha, 1e-6)
    solved = np.clip(base + difference / np.maximum(share, 1e-6), 0, 1)
    return alpha, np.where(alpha > 0, solved, guess)


def snapped(image: FloatImage, depth: int) -> FloatImage:
    """The float value that the stored integer will stand for."""
    top = top_value(depth)
    nearest: FloatImage = np.floor(np.clip(image, 0, 1) * top + np.float32(0.5)) / top
    return nearest


def raised(image: FloatImage, depth: int) -> FloatImage:
    """The next storable value that is not smaller, so that a colour divided by it stays within 0..1."""
    next_up: FloatImage = np.ceil(np.clip(image, 0, 1) * top_value(depth) - np.float32(1e-3)) / top_value(depth)
    return next_up
