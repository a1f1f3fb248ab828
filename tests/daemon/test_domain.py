"""Requests refuse nonsense in their constructor, each with one sentence."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from celwright.domain import (
    ColorizeRequest,
    DecomposeRequest,
    Guidance,
    Palette,
    Pixels,
    Reference,
    SegmentRequest,
    check_size,
)
from celwright.errors import CelwrightError, UnusableInputError, WrongUsageError
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays


def _rgba(width: int = 16, height: int = 8, value: int = 255) -> Pixels:
    return Pixels(np.full((height, width, 4), value, np.uint8))


REFUSALS: list[tuple[Callable[[], Any], type[CelwrightError], str]] = [
    (lambda: Pixels(np.zeros((8, 8), np.uint8)), WrongUsageError,
     "An image of shape (8, 8) came; height x width x 1 to 4 channels is allowed: reshape it."),
    (lambda: Pixels(np.zeros((8, 8, 4), np.float32)), WrongUsageError,
     "An image of type float32 came; 8 or 16 bits a channel are allowed: convert it."),
    (lambda: check_size(1, 1), UnusableInputError,
     "The image is 1x1 pixels; each side must have at least 8: use a larger picture."),
    (lambda: check_size(8, 100_000), UnusableInputError,
     "The image is 8x100000 pixels; no side may exceed 30000, the most a PSD can hold: cut it."),
    (lambda: check_size(9000, 9000), UnusableInputError,
     "The image is 9000x9000 pixels (81 million); at most 67 million (8192x8192) are allowed: "
     "scale it down or cut it."),
    (lambda: DecomposeRequest(_rgba(value=0)), UnusableInputError,
     "The picture is fully transparent; at least one visible pixel is needed: check the layer's visibility."),
    (lambda: DecomposeRequest(_rgba(), fidelity="good"), WrongUsageError,  # type: ignore[arg-type]
     "The fidelity 'good' is not known; 'clean' or 'exact' is allowed."),
    (lambda: DecomposeRequest(_rgba(), flat_colors=300), WrongUsageError,
     "The number of flat colours is 300; 0 to 256 is allowed."),
    (lambda: DecomposeRequest(_rgba(), shadow_tones=3), WrongUsageError,
     "The number of shadow tones is 3; 0 to 2 is allowed."),
    (lambda: DecomposeRequest(_rgba(), shadow_tint="pink"), WrongUsageError,  # type: ignore[arg-type]
     "The shadow's tint 'pink' is not known; 'free' or 'region' is allowed."),
    (lambda: DecomposeRequest(_rgba(), shadow_blend="burn"), WrongUsageError,  # type: ignore[arg-type]
     "The shadow's blend mode 'burn' is not known; 'multiply' or 'normal' is allowed."),
    (lambda: DecomposeRequest(_rgba(), "exact", flat_colors=8, shadow_tones=1), WrongUsageError,
     "The fidelity 'exact' came with limited flat colours and stepped or tinted shadows, which leave no layer for the "
     "rest of the picture; it goes with one of them: leave the others out, or take the fidelity 'clean'."),
    (lambda: DecomposeRequest(_rgba(), "exact", shadow_tint="region", merge_highlight=True), WrongUsageError,
     "The fidelity 'exact' came with stepped or tinted shadows and merged highlights, which leave no layer for the "
     "rest of the picture; it goes with one of them: leave the others out, or take the fidelity 'clean'."),
    (lambda: SegmentRequest(_rgba(), gap=-1), WrongUsageError, "The gap is -1; 0 to 256 is allowed."),
    (lambda: ColorizeRequest(_rgba(), hints=_rgba(8)), WrongUsageError,
     "The hints image is 8x8 pixels at (0, 0), the line art 16x8 at (0, 0); both must match: "
     "export it with the whole canvas."),
    (lambda: ColorizeRequest(_rgba(), selection=_rgba(8)), WrongUsageError,
     "The selection image is 8x8 pixels at (0, 0), the line art 16x8 at (0, 0); both must match: "
     "export it with the whole canvas."),
    (lambda: ColorizeRequest(_rgba(), selection=_rgba(value=0)), UnusableInputError,
     "The selection is empty; select at least one pixel or select nothing at all."),
    (lambda: ColorizeRequest(_rgba(), lock=_rgba()), WrongUsageError,
     "A lock came without a context; name the picture whose colours are to be kept."),
    (lambda: ColorizeRequest(_rgba(), variations=0), WrongUsageError,
     "The number of variations is 0; 1 to 16 is allowed."),
    (lambda: ColorizeRequest(_rgba(), light=360), WrongUsageError,
     "The direction of the light is 360; 0 to 359 is allowed."),
    (lambda: ColorizeRequest(_rgba(), steps=101), WrongUsageError, "The number of steps is 101; 1 to 100 is allowed."),
    (lambda: Guidance(references=-0.5), WrongUsageError,
     "The guidance of references is -0.5; 0 to 10 is allowed: choose 1 to take it as it was learnt, more to exaggerate "
     "it."),
    (lambda: Guidance(hints=float("nan")), WrongUsageError,
     "The guidance of hints is nan; 0 to 10 is allowed: choose 1 to take it as it was learnt, more to exaggerate it."),
    (lambda: Guidance(histogram=float("inf")), WrongUsageError,
     "The guidance of histogram is inf; 0 to 10 is allowed: choose 1 to take it as it was learnt, more to exaggerate "
     "it."),
    (lambda: ColorizeRequest(_rgba(), seed=-1), WrongUsageError, "The seed is -1; 0 to 4294967295 is allowed."),
    (lambda: ColorizeRequest(_rgba(), palette="warm"), WrongUsageError,  # type: ignore[arg-type]
     "The palette 'warm' is not known; 'flatting' or 'auto' is allowed."),
    (lambda: ColorizeRequest(_rgba(), unhinted="guess"), WrongUsageError,  # type: ignore[arg-type]
     "The treatment of unhinted regions 'guess' is not known; 'nearest' or 'transparent' is allowed."),
    (lambda: ColorizeRequest(_rgba(), references=(Reference(_rgba(), region=_rgba(8)),)), WrongUsageError,
     "The reference region image is 8x8 pixels at (0, 0), the line art 16x8 at (0, 0); both must match: "
     "export it with the whole canvas."),
    (lambda: Reference(_rgba(), mask=_rgba(8)), WrongUsageError,
     "A reference mask is 8x8 pixels, its picture 16x8; both must match: export the mask with the whole picture."),
    (lambda: Palette("none", np.zeros((0, 3), np.uint8)), WrongUsageError,
     "The palette 'none' holds 0 colours; 1 to 4096 RGB colours are allowed."),
]  # fmt: skip


@pytest.mark.parametrize(("make", "kind", "sentence"), REFUSALS, ids=[r[2][:50] for r in REFUSALS])
def test_nonsense_is_refused_with_its_sentence(
    make: Callable[[], Any], kind: type[CelwrightError], sentence: str
) -> None:
    with pytest.raises(kind) as refusal:
        make()
    assert str(refusal.value) == sentence


@pytest.mark.parametrize(
    "wish", [{"flat_colors": 8}, {"shadow_tones": 2, "shadow_tint": "region"}, {"merge_highlight": True}]
)
def test_exact_goes_with_any_one_wish_and_a_blend_mode(wish: dict[str, Any]) -> None:
    assert not DecomposeRequest(_rgba(), "exact", **wish, shadow_blend="normal").is_plain()
    assert DecomposeRequest(_rgba(), "exact").is_plain()


images = arrays.arrays(
    st.sampled_from([np.uint8, np.uint16]), st.tuples(st.just(8), st.just(9), st.integers(1, 4)), fill=st.nothing()
)


@given(images)
def test_four_channels_keep_every_value_and_add_full_opacity(data: np.ndarray) -> None:
    pixels = Pixels(data, (-1, 2), b"p").rgba()
    assert (pixels.offset, pixels.icc, pixels.channels, pixels.data.dtype) == ((-1, 2), b"p", 4, data.dtype)
    channels = data.shape[2]
    np.testing.assert_array_equal(pixels.data[..., 0], data[..., 0])
    if channels >= 3:
        np.testing.assert_array_equal(pixels.data[..., :channels], data)
    expected = data[..., -1] if channels in (2, 4) else np.full((8, 9), pixels.top)
    np.testing.assert_array_equal(pixels.data[..., 3], expected)


def test_a_mask_is_brightness_weighed_by_alpha() -> None:
    def coverage(*color: int, kind: type = np.uint8) -> int:
        return int(Pixels(np.full((8, 8, len(color)), color, kind)).coverage()[0, 0])

    assert coverage(200) == 200
    assert coverage(65535, kind=np.uint16) == 255
    assert coverage(255, 255, 255, 128) == 128
    assert coverage(0, 0, 0, 255) == 0
    assert coverage(100, 200, 50) == 200
    assert coverage(100, 51) == 20
