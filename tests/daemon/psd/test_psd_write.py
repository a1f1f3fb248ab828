"""What other programs find in the PSDs we write; psd-tools' own compositor is the judge of their look."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from celwright.domain import Pixels
from celwright.errors import OutputError, WrongUsageError
from celwright.imaging.photoshop import read_psd
from celwright.layers import LayerStack, compose
from celwright.psd import write as psd_write
from celwright.psd.tree import Group, Layer, four_layers
from celwright.psd.write import write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import ImageCms
from psd_tools import PSDImage
from psd_tools.composite import composite as psd_tools_composite
from psd_tools.constants import BlendMode

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def random_pixels(rng: np.random.Generator, size: tuple[int, int], depth: int, alphas: str = "any") -> Pixels:
    """RGBA noise; alpha is 0, full or anything between, in equal shares."""
    kind, top = (np.uint8, 255) if depth == 8 else (np.uint16, 65535)
    data = rng.integers(0, top, (size[1], size[0], 4), dtype=kind, endpoint=True)
    choice = rng.integers(0, 3, size[::-1])
    data[..., 3] = np.where(choice == 0, 0, np.where(choice == 1, top, data[..., 3]))
    if alphas == "opaque":
        data[..., 3] = top
    return Pixels(data)


@st.composite
def stacks(draw: st.DrawFn) -> LayerStack:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size = draw(st.integers(8, 24)), draw(st.integers(8, 24))
    depth = draw(st.sampled_from([8, 16]))
    flat = draw(st.sampled_from(["any", "opaque"]))
    return LayerStack(
        **{name: random_pixels(rng, size, depth) for name in ("line", "shadow", "highlight")},
        flat=random_pixels(rng, size, depth, flat),
        shadow_blend=draw(st.sampled_from(["multiply", "normal"])),
    )


def premultiplied(rgba: NDArray[Any]) -> NDArray[Any]:
    return np.concatenate([rgba[..., :3] * rgba[..., 3:], rgba[..., 3:]], axis=2)


def recomposed(document: PSDImage) -> NDArray[Any]:
    color, _, alpha = psd_tools_composite(document, force=True)
    return premultiplied(np.concatenate([color, alpha], axis=2))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stack=stacks())
def test_the_layers_put_together_by_psd_tools_are_the_formula(tmp_path: Path, stack: LayerStack) -> None:
    path, wanted = tmp_path / "a.psd", premultiplied(compose(stack))
    write(path, four_layers(stack), stack.images()["composite"], force=True)
    document = PSDImage.open(path)
    assert np.abs(recomposed(document) - wanted).max() <= 2 / 255
    picture = np.asarray(document.composite(force=True).convert("RGBA")) / 255
    assert np.abs(premultiplied(picture) - wanted).max() <= 2 / 255


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stack=stacks())
def test_programs_that_do_not_clip_show_the_same_picture(tmp_path: Path, stack: LayerStack) -> None:
    write(tmp_path / "a.psd", four_layers(stack), stack.images()["composite"], force=True)
    document = PSDImage.open(tmp_path / "a.psd")
    assert [layer.clipping for layer in document] == [False, True, True, False]
    assert [layer.blend_mode.name.lower() for layer in document] == ["normal", stack.shadow_blend, "screen", "normal"]
    for layer in document:
        layer.clipping = False
    assert np.abs(recomposed(document) - premultiplied(compose(stack))).max() <= 2 / 255


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stack=stacks())
def test_layers_come_back_bit_by_bit(tmp_path: Path, stack: LayerStack) -> None:
    layers = four_layers(stack)
    write(tmp_path / "a.psd", layers, stack.images()["composite"], force=True)
    for layer in layers:
        back = read_psd(tmp_path / "a.psd", layer.name).data
        seen = layer.pixels.data[..., 3] > 0
        np.testing.assert_array_equal(back[seen], layer.pixels.data[seen])
        assert not back[~seen, 3].any()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stack=stacks())
def test_the_merged_image_is_the_composite(tmp_path: Path, stack: LayerStack) -> None:
    composite = stack.images()["composite"]
    write(tmp_path / "a.psd", four_layers(stack), composite, force=True)
    back = read_psd(tmp_path / "a.psd")
    assert back.depth == composite.depth
    opaque = composite.data[..., 3] == composite.top
    np.testing.assert_array_equal(back.data[opaque], composite.data[opaque])
    np.testing.assert_array_equal(back.data[..., 3], composite.data[..., 3])
    difference = premultiplied(back.data / back.top) - premultiplied(composite.data / composite.top)
    assert np.abs(difference).max() <= 1 / 255


def test_the_flat_changes_only_where_it_is_half_transparent() -> None:
    rng = np.random.default_rng(0)
    flat, other = random_pixels(rng, (40, 600), 8), random_pixels(rng, (40, 600), 8)
    stack = LayerStack(line=other, flat=flat, shadow=other, highlight=other)
    new_flat, shadow, highlight, line = (layer.pixels.data for layer in four_layers(stack))
    opaque = flat.data[..., 3] == 255
    np.testing.assert_array_equal(new_flat[opaque], flat.data[opaque])
    np.testing.assert_array_equal(shadow[opaque], other.data[opaque])
    np.testing.assert_array_equal(highlight[opaque], other.data[opaque])
    np.testing.assert_array_equal(new_flat[..., 3], flat.data[..., 3])
    assert not shadow[~opaque].any()
    assert not highlight[~opaque].any()
    assert line is other.data
    assert stack.flat is flat  # the stack itself is left as it was


def opaque_stack(depth: int = 8) -> LayerStack:
    rng = np.random.default_rng(7)
    flat = random_pixels(rng, (20, 16), depth, "opaque")
    return LayerStack(random_pixels(rng, (20, 16), depth), flat, flat, flat)


def header_and_layer_count(path: Path) -> tuple[int, int]:
    """(channels of the merged image, layer count), read from the bytes as the specification has them."""
    data = path.read_bytes()
    channels = struct.unpack(">H", data[12:14])[0]
    at = 26
    at += 4 + struct.unpack(">I", data[at : at + 4])[0]  # colour mode data
    at += 4 + struct.unpack(">I", data[at : at + 4])[0]  # image resources
    return channels, struct.unpack(">h", data[at + 8 : at + 10])[0]


def test_an_opaque_picture_has_three_merged_channels_and_a_positive_layer_count(tmp_path: Path) -> None:
    stack = opaque_stack()
    write(tmp_path / "a.psd", four_layers(stack), stack.images()["composite"])
    assert header_and_layer_count(tmp_path / "a.psd") == (3, 4)


def test_a_transparent_picture_has_four_and_says_that_the_fourth_is_transparency(tmp_path: Path) -> None:
    pixels = random_pixels(np.random.default_rng(1), (20, 16), 8)
    write(tmp_path / "a.psd", (Layer("one", pixels),), pixels)
    assert header_and_layer_count(tmp_path / "a.psd") == (4, -1)


def test_merged_colours_lie_over_white_as_photoshop_keeps_them(tmp_path: Path) -> None:
    data = np.zeros((8, 8, 4), np.uint8)
    data[:4] = (200, 100, 0, 51)
    write(tmp_path / "a.psd", (Layer("one", Pixels(data)),), Pixels(data))
    document = PSDImage.open(tmp_path / "a.psd")
    planes = document._record.image_data.get_data(document._record.header)
    assert [plane[0] for plane in planes] == [244, 224, 204, 51]
    assert [plane[-1] for plane in planes] == [255, 255, 255, 0]


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("ending", [".psd", ".psb"])
def test_groups_names_modes_opacity_places_and_visibility_come_back(tmp_path: Path, depth: int, ending: str) -> None:
    rng = np.random.default_rng(2)
    path = tmp_path / f"a{ending}"
    left = Pixels(random_pixels(rng, (12, 9), depth, "opaque").data, offset=(-5, -3))
    canvas = random_pixels(rng, (20, 16), depth, "opaque")
    write(
        path,
        [
            Layer("紙 paper 🎨", canvas, opacity=0.5),
            Group(
                "Fräulein/1",
                (Layer("lineart", left, "linear_dodge", clipping=False), Group("leer", ())),
                blend="multiply",
                opacity=0.4,
                visible=False,
            ),
            Layer("hidden " + "x" * 200, left, "color_dodge", visible=False),
        ],
        canvas,
    )
    document = PSDImage.open(path)
    assert (document.version, document.depth, document.size) == (2 if ending == ".psb" else 1, depth, (20, 16))
    paper, group, hidden = document
    assert [layer.name for layer in (paper, group, *group, hidden)] == [
        "紙 paper 🎨", "Fräulein/1", "lineart", "leer", "hidden " + "x" * 200,
    ]  # fmt: skip
    assert [layer.opacity for layer in (paper, group, hidden)] == [128, 102, 255]
    assert [layer.visible for layer in (paper, group, hidden)] == [True, False, False]
    assert [layer.blend_mode for layer in (paper, group, group[0], hidden)] == [
        BlendMode.NORMAL, BlendMode.MULTIPLY, BlendMode.LINEAR_DODGE, BlendMode.COLOR_DODGE,
    ]  # fmt: skip
    assert group.is_group()
    assert group[0].bbox == (-5, -3, 7, 6)
    np.testing.assert_array_equal(read_psd(path, "lineart").data[:6, :7], left.data[3:, 5:])
    assert not read_psd(path, "lineart").data[6:].any()


def test_transparent_borders_are_left_out_and_an_empty_layer_keeps_one_pixel(tmp_path: Path) -> None:
    spot, empty = np.zeros((16, 20, 4), np.uint8), np.zeros((16, 20, 4), np.uint8)
    spot[4:9, 6:13] = 255
    canvas = Pixels(np.full((16, 20, 4), 255, np.uint8))
    layers = (Layer("spot", Pixels(spot, offset=(2, -1))), Layer("empty", Pixels(empty, offset=(3, 4))))
    write(tmp_path / "a.psd", layers, canvas)
    document = PSDImage.open(tmp_path / "a.psd")
    assert [layer.bbox for layer in document] == [(8, 3, 15, 8), (3, 4, 4, 5)]
    assert not read_psd(tmp_path / "a.psd", "empty").data.any()


def test_every_channel_even_a_groups_holds_at_least_its_compression_code(tmp_path: Path) -> None:
    pixels = random_pixels(np.random.default_rng(3), (9, 9), 8)
    write(tmp_path / "a.psd", (Group("group", (Layer("one", pixels),)),), pixels)
    records = PSDImage.open(tmp_path / "a.psd")._record.layer_and_mask_information.layer_info.layer_records
    assert len(records) == 3
    assert min(channel.length for record in records for channel in record.channel_info) >= 2


@pytest.mark.parametrize("depth", [8, 16])
def test_the_icc_profile_is_kept(tmp_path: Path, depth: int) -> None:
    stack = opaque_stack(depth)
    composite = Pixels(stack.images()["composite"].data, icc=SRGB)
    write(tmp_path / "a.psd", four_layers(stack), composite)
    assert read_psd(tmp_path / "a.psd").icc == SRGB


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    stack = opaque_stack()
    for name in ("a.psd", "b.psd"):
        write(tmp_path / name, four_layers(stack), stack.images()["composite"])
    assert (tmp_path / "a.psd").read_bytes() == (tmp_path / "b.psd").read_bytes()


def test_a_layer_of_another_depth_is_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    with pytest.raises(WrongUsageError) as fault:
        write(tmp_path / "a.psd", [Layer("one", random_pixels(rng, (9, 9), 16))], random_pixels(rng, (9, 9), 8))
    assert str(fault.value) == (
        "The layer 'one' has 16 bits a channel, the document 8; all must have the same: convert the layer."
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("opacity", [-0.1, 1.5])
def test_an_opacity_out_of_range_is_refused(opacity: float) -> None:
    with pytest.raises(WrongUsageError) as fault:
        Layer("one", random_pixels(np.random.default_rng(5), (9, 9), 8), opacity=opacity)
    assert str(fault.value) == f"The opacity of 'one' is {opacity:g}; 0 to 1 is allowed."
    with pytest.raises(WrongUsageError):
        Group("all", (), opacity=opacity)


def test_a_psd_beyond_two_gigabytes_is_refused_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = opaque_stack()
    monkeypatch.setattr(psd_write, "_MAX_PSD_BYTES", 1000)
    composite = stack.images()["composite"]
    with pytest.raises(OutputError) as fault:
        write(tmp_path / "a.psd", four_layers(stack), composite)
    assert str(fault.value) == (
        f"{tmp_path / 'a.psd'} would take 0.0 GB; a PSD may take at most 2 GB: give it a name ending in .psb."
    )
    assert list(tmp_path.iterdir()) == []
    write(tmp_path / "a.psb", four_layers(stack), composite)
    assert read_psd(tmp_path / "a.psb").size == (20, 16)
