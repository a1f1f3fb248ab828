"""Krita's layouts of samples and the wire's: equal to what numpy says, band by band, there and back."""

from __future__ import annotations

import numpy as np
import pytest
from celwright_krita.canvas import Raw, Rect
from celwright_krita.errors import UnusableInputError, WrongUsageError
from celwright_krita.pixels import Pixels
from celwright_krita.session import layouts
from celwright_krita.session.blends import has_saved_blend, saved_blend
from celwright_krita.session.layouts import bgra, coverage, pixels, with_depth
from celwright_krita.session.turns import finished, read_in_turns
from hypothesis import given
from hypothesis import strategies as st

KINDS = {8: np.dtype("u1"), 16: np.dtype("<u2")}


def samples(width: int, height: int, channels: int, depth: int) -> np.ndarray:
    top = 1 << depth
    return np.random.default_rng(width * height).integers(0, top, (height, width, channels)).astype(KINDS[depth])


@pytest.fixture(params=[17, 1 << 20], ids=["small bands", "one band"])
def bands(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layouts, "BAND_BYTES", request.param)


@pytest.mark.usefixtures("bands")
@pytest.mark.parametrize("depth", [8, 16])
def test_a_color_layer_comes_as_rgba_in_its_place(depth: int) -> None:
    layer = samples(9, 11, 4, depth)
    image = pixels(Raw(layer.tobytes(), Rect(-3, 7, 9, 11), "RGBA", f"U{depth}"), b"profile")
    assert bytes(image.samples()) == layer[..., [2, 1, 0, 3]].tobytes()
    assert (image.size, image.channels, image.depth) == ((9, 11), 4, depth)
    assert (image.offset, image.icc) == ((-3, 7), b"profile")


@pytest.mark.parametrize(("model", "channels"), [("GRAYA", 2), ("MASK", 1)])
@pytest.mark.parametrize("depth", [8, 16])
def test_grey_and_coverage_are_not_copied(model: str, channels: int, depth: int) -> None:
    data = samples(9, 11, channels, depth).tobytes()
    image = pixels(Raw(data, Rect(0, 0, 9, 11), model, f"U{depth}"))
    assert image.data is data
    assert (image.channels, image.depth) == (channels, depth)


@pytest.mark.parametrize(("model", "depth"), [("CMYKA", "U8"), ("RGBA", "F32"), ("LABA", "U16"), ("GRAYA", "F16")])
def test_what_the_wire_has_no_layout_for_is_refused(model: str, depth: str) -> None:
    with pytest.raises(UnusableInputError) as told:
        pixels(Raw(b"", Rect(0, 0, 8, 8), model, depth))
    assert str(told.value) == (
        f"The layer’s colours are {model} with {depth}; RGBA or GRAYA with 8 or 16 bits can be read: convert it with "
        "Layer > Convert > Convert Layer Color Space."
    )


@pytest.mark.usefixtures("bands")
@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_every_image_of_the_daemon_becomes_blue_green_red_alpha(channels: int, depth: int) -> None:
    image = samples(8, 13, channels, depth)
    opaque = np.full((13, 8, 1), (1 << depth) - 1, KINDS[depth])
    red, green, blue = (0, 0, 0) if channels < 3 else (0, 1, 2)
    alpha = image[..., channels - 1 :] if channels in (2, 4) else opaque
    wanted = np.concatenate([image[..., [blue, green, red]], alpha], axis=2)
    made = bgra(Pixels(image.tobytes(), 8, 13, channels, depth), f"U{depth}")
    assert bytes(made) == wanted.tobytes()


@pytest.mark.usefixtures("bands")
def test_a_layer_comes_back_bit_for_bit() -> None:
    for depth in (8, 16):
        layer = samples(12, 8, 4, depth).tobytes()
        there = pixels(Raw(layer, Rect(0, 0, 12, 8), "RGBA", f"U{depth}"))
        assert bytes(bgra(there, f"U{depth}")) == layer


def test_a_layer_of_another_depth_cannot_be_made() -> None:
    with pytest.raises(WrongUsageError) as told:
        bgra(Pixels(bytes(64), 8, 8, 1), "F32")
    assert str(told.value) == "Samples of F32 were asked for; U8 and U16 can be made."


def test_all_16_bit_samples_become_the_nearest_8_bit_ones_and_8_bit_ones_come_back() -> None:
    every = np.arange(65536, dtype="<u2")
    narrow = np.frombuffer(with_depth(Pixels(every.tobytes(), 256, 256, 1, 16), 8).samples(), np.uint8)
    assert np.array_equal(narrow, np.round(every / 257).astype(np.uint8))
    wide = with_depth(Pixels(bytes(range(256)), 16, 16, 1), 16)
    assert np.array_equal(np.frombuffer(wide.samples(), "<u2"), np.arange(256) * 257)
    assert bytes(with_depth(wide, 8).samples()) == bytes(range(256))


@given(st.lists(st.integers(0, 65535), min_size=64, max_size=64), st.integers(2, 50))
def test_samples_do_not_reach_into_their_neighbours_when_they_are_narrowed(values: list[int], band: int) -> None:
    data = np.array(values, "<u2").tobytes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layouts, "BAND_BYTES", band)
        narrow = with_depth(Pixels(data, 8, 8, 1, 16), 8)
    assert list(narrow.samples()) == [round(value / 257) for value in values]


def test_an_image_of_the_right_depth_is_left_alone() -> None:
    image = Pixels(bytes(64), 8, 8, 1)
    assert with_depth(image, 8) is image


def test_a_mask_becomes_a_selection_of_0_to_255() -> None:
    raw = coverage(Pixels(np.arange(64, dtype="<u2").tobytes(), 8, 8, 1, 16, (4, -5)))
    assert (raw.rect, raw.model, raw.depth) == (Rect(4, -5, 8, 8), "MASK", "U8")
    assert raw.data == bytes(64)
    with pytest.raises(WrongUsageError) as told:
        coverage(Pixels(bytes(256), 8, 8))
    assert str(told.value) == "A selection of 4 channels came; it must have 1."


class Rows:
    """A canvas that gives out rows, and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Rect] = []

    def read(self, id: str, rect: Rect) -> Raw:
        self.asked.append(rect)
        data = b"".join(bytes([y % 251]) * 4 * rect.width for y in range(rect.y, rect.y + rect.height))
        return Raw(data, rect, "RGBA", "U8")


def test_a_large_layer_is_read_some_rows_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("celwright_krita.session.turns.TURN_BYTES", 8 * 10 * 3)  # three rows of ten pixels
    canvas, whole = Rows(), Rect(-1, 4, 10, 8)
    raw = finished(read_in_turns(canvas, "layer", whole))
    assert canvas.asked == [Rect(-1, 4, 10, 3), Rect(-1, 7, 10, 3), Rect(-1, 10, 10, 2)]
    assert (bytes(raw.data), raw.rect) == (canvas.read("layer", whole).data, whole)
    turns = read_in_turns(Rows(), "layer", whole)
    assert sum(1 for _ in turns) == 3
    small = Rows()
    assert list(read_in_turns(small, "layer", Rect(0, 0, 10, 3))) == []
    assert small.asked == [Rect(0, 0, 10, 3)]


def test_blend_modes_have_the_file_s_names() -> None:
    names = ["normal", "multiply", "screen", "add", "dodge", "burn", "diff", "soft_light_svg", "grain_merge"]
    assert [saved_blend(name) for name in names] == [
        "normal", "multiply", "screen", "linear_dodge", "color_dodge", "color_burn", "difference", "soft_light",
        "normal",
    ]  # fmt: skip
    assert [name for name in names if not has_saved_blend(name)] == ["grain_merge"]
