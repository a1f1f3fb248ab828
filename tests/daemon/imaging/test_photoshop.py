"""Layered documents as input: made here by psd-tools or by our own writer, and damaged by hand."""

import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from celwright.domain import Pixels
from celwright.errors import CelwrightError, UnusableInputError, WrongUsageError
from celwright.imaging import photoshop
from celwright.imaging.photoshop import read_psd
from celwright.psd.tree import Group, Layer
from celwright.psd.write import write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from psd_tools import PSDImage
from psd_tools.constants import Compression, Resource


def noise(seed: int, size: tuple[int, int] = (20, 16), depth: int = 8) -> Pixels:
    kind = np.uint8 if depth == 8 else np.uint16
    top = np.iinfo(kind).max
    data = np.random.default_rng(seed).integers(0, top, (size[1], size[0], 4), dtype=kind, endpoint=True)
    return Pixels(data)


def opaque(pixels: Pixels) -> Pixels:
    data = pixels.data.copy()
    data[..., 3] = pixels.top
    return Pixels(data)


def filled(color: tuple[int, ...], size: tuple[int, int] = (20, 16)) -> NDArray[Any]:
    return np.full((size[1], size[0], len(color)), color, np.uint8)


def small_psd(path: Path) -> None:
    layers = (Layer("flat", opaque(noise(1))), Group("Girl", (Layer("line", noise(2)), Layer("eyes", noise(3)))))
    write(path, (*layers, Layer("line", noise(4))), opaque(noise(5)), force=True)


@pytest.mark.parametrize("depth", [8, 16])
def test_a_layer_is_found_by_path_or_by_name(tmp_path: Path, depth: int) -> None:
    girl, eyes, flat = noise(2, depth=depth), noise(3, depth=depth), opaque(noise(1, depth=depth))
    write(tmp_path / "a.psd", (Layer("flat", flat), Group("Girl", (Layer("line", girl), Layer("eyes", eyes)))), flat)
    np.testing.assert_array_equal(read_psd(tmp_path / "a.psd", "Girl/line").data, girl.data)
    np.testing.assert_array_equal(read_psd(tmp_path / "a.psd", "eyes").data, eyes.data)
    np.testing.assert_array_equal(read_psd(tmp_path / "a.psd", "flat").data, flat.data)


def test_a_path_goes_before_a_name(tmp_path: Path) -> None:
    small_psd(tmp_path / "a.psd")
    np.testing.assert_array_equal(read_psd(tmp_path / "a.psd", "line").data, noise(4).data)
    np.testing.assert_array_equal(read_psd(tmp_path / "a.psd", "Girl/line").data, noise(2).data)


def test_an_unknown_layer_is_answered_with_those_there_are(tmp_path: Path) -> None:
    path = tmp_path / "a.psd"
    small_psd(path)
    with pytest.raises(WrongUsageError) as fault:
        read_psd(path, "lines")
    assert str(fault.value) == (
        f"{path} has no layer 'lines'; it has 'flat', 'Girl', 'Girl/line', 'Girl/eyes', 'line'."
    )


def test_a_name_borne_by_two_layers_is_answered_with_their_paths(tmp_path: Path) -> None:
    path, pixels = tmp_path / "a.psd", noise(1)
    write(path, (Group("a", (Layer("line", pixels),)), Group("b", (Layer("line", pixels),))), pixels)
    with pytest.raises(WrongUsageError) as fault:
        read_psd(path, "line")
    assert str(fault.value) == f"{path} has 2 layers named 'line'; name one by its path: 'a/line', 'b/line'."


def test_long_lists_of_names_are_cut_short_and_none_are_said_to_be_none(tmp_path: Path) -> None:
    path, pixels = tmp_path / "a.psd", noise(1)
    write(path, [Layer(f"L{number}", pixels) for number in range(23)], pixels)
    with pytest.raises(WrongUsageError, match=r"'L18', 'L19' and 3 more\.$"):
        read_psd(path, "line")
    PSDImage.frompil(Image.fromarray(filled((1, 2, 3)))).save(path)
    with pytest.raises(WrongUsageError) as fault:
        read_psd(path, "line")
    assert str(fault.value) == f"{path} has no layer 'line'; it has no layers at all."


def test_names_that_end_in_nul_as_kritas_do_are_found(tmp_path: Path) -> None:
    document = PSDImage.new("RGBA", (20, 16))
    layer = document.create_pixel_layer(Image.fromarray(noise(1).data), "x")
    layer.name = "Lineart\0"
    document.save(tmp_path / "a.psd")
    np.testing.assert_array_equal(read_psd(tmp_path / "a.psd", "Lineart").data, noise(1).data)


def test_a_hidden_layer_in_a_hidden_group_is_read_all_the_same(tmp_path: Path) -> None:
    group = Group("g", (Layer("line", noise(1), visible=False, opacity=0.6),), visible=False)
    write(tmp_path / "a.psd", (group,), noise(2))
    back = read_psd(tmp_path / "a.psd", "g/line").data.astype(int)
    np.testing.assert_allclose(back[..., 3], noise(1).data[..., 3] * 0.6, atol=1)


def test_opacity_and_mask_are_applied_and_clipped_layers_left_out(tmp_path: Path) -> None:
    document = PSDImage.new("RGBA", (20, 16))
    base = document.create_pixel_layer(Image.fromarray(filled((200, 100, 50, 255))), "base", opacity=102)
    base.create_mask(Image.fromarray(np.repeat(np.arange(20, dtype=np.uint8)[None] * 10, 16, axis=0)))
    document.create_pixel_layer(Image.fromarray(filled((0, 0, 0, 255))), "ink").clipping = True
    document.save(tmp_path / "a.psd")
    back = read_psd(tmp_path / "a.psd", "base").data
    np.testing.assert_allclose(back[0, :, 3], np.arange(20) * 10 * 0.4, atol=1)
    assert back[0, 19, :3].tolist() == [200, 100, 50]
    ink = read_psd(tmp_path / "a.psd", "ink").data
    assert ink[3, 3].tolist() == [0, 0, 0, 255]  # what bounds it does not belong to it


def test_a_group_is_its_layers_together_without_what_is_below(tmp_path: Path) -> None:
    paper = Layer("paper", Pixels(filled((255, 255, 255, 255))))
    ink = Pixels(filled((0, 0, 0, 128)))
    group = Group("ink", (Layer("a", ink), Layer("b", ink), Layer("off", paper.pixels, visible=False)), "multiply")
    write(tmp_path / "a.psd", (paper, group), paper.pixels)
    assert read_psd(tmp_path / "a.psd", "ink").data[5, 5].tolist() == [0, 0, 0, 192]


@pytest.mark.parametrize("compression", list(Compression))
@pytest.mark.parametrize("depth", [8, 16])
def test_every_compression_is_read(tmp_path: Path, compression: Compression, depth: Any) -> None:
    pixels = noise(6, depth=depth)
    document = PSDImage.new("RGBA", (20, 16), depth=depth, compression=compression)
    document.background_color = None
    document.create_pixel_layer_from_array(pixels.data, "line", compression=compression)
    document._record.layer_and_mask_information.layer_info.layer_count = -1  # the merged alpha is transparency
    document.save(tmp_path / "a.psd")
    np.testing.assert_array_equal(read_psd(tmp_path / "a.psd", "line").data, pixels.data)
    back = read_psd(tmp_path / "a.psd")
    weighed = pixels.data[..., :3] / pixels.top * pixels.data[..., 3:] / pixels.top
    assert np.abs(back.data[..., :3] / back.top * back.data[..., 3:] / back.top - weighed).max() <= 1 / 255


@pytest.mark.parametrize("depth", [8, 16])
def test_greyscale_becomes_rgb_without_the_grey_profile(tmp_path: Path, depth: Any) -> None:
    grey = noise(7, depth=depth).data[..., :1]
    document = PSDImage.new("L", (20, 16), depth=depth)
    document.create_pixel_layer_from_array(grey[..., 0], "scan")
    document.save(tmp_path / "a.psd")
    for layer in (None, "scan"):
        back = read_psd(tmp_path / "a.psd", layer)
        np.testing.assert_array_equal(back.data[..., :3], np.repeat(grey, 3, axis=2))
        assert (back.data[..., 3] == back.top).all()


def test_a_psd_without_a_merged_image_is_composed_from_its_layers(tmp_path: Path) -> None:
    pixels = opaque(noise(8))
    write(tmp_path / "a.psd", (Layer("one", pixels),), Pixels(filled((255, 255, 255, 255))))
    assert (read_psd(tmp_path / "a.psd").data == 255).all()
    document = PSDImage.open(tmp_path / "a.psd")
    document.image_resources.get_data(Resource.VERSION_INFO).has_composite = False
    document.save(tmp_path / "b.psd")
    np.testing.assert_array_equal(read_psd(tmp_path / "b.psd").data, pixels.data)


def test_transparency_that_the_merged_image_does_not_know_comes_from_the_layers(tmp_path: Path) -> None:
    document = PSDImage.new("RGB", (20, 16), color=1.0)
    document.create_pixel_layer(Image.fromarray(noise(1).data[..., :3]), "ink", left=4)
    document.save(tmp_path / "a.psd")  # three channels and a layer that leaves 4 columns free
    back = read_psd(tmp_path / "a.psd").data
    assert not back[:, :4, 3].any()
    np.testing.assert_array_equal(back[:, 4:, :3], noise(1).data[:, :-4, :3])
    assert (back[:, 4:, 3] == 255).all()


def test_a_merged_image_over_an_opaque_layer_is_taken_as_it_is(tmp_path: Path) -> None:
    shown = opaque(noise(2))
    write(tmp_path / "a.psd", (Layer("paper", opaque(noise(1))), Layer("text", noise(3))), shown)
    np.testing.assert_array_equal(read_psd(tmp_path / "a.psd").data, shown.data)


@pytest.mark.parametrize("depth", [8, 16])
def test_merged_colours_that_are_not_mixed_with_white_as_kritas_are_taken_as_they_are(
    tmp_path: Path, depth: int
) -> None:
    pixels = noise(1, depth=depth)
    write(tmp_path / "a.psd", (Layer("one", pixels),), pixels)
    document = PSDImage.open(tmp_path / "a.psd")
    planes = [plane.astype(">u2" if depth == 16 else "u1").tobytes() for plane in np.moveaxis(pixels.data, 2, 0)]
    document._record.image_data.set_data(planes, document._record.header)
    document.save(tmp_path / "b.psd")
    visible = pixels.data[..., 3] > 0
    np.testing.assert_array_equal(read_psd(tmp_path / "b.psd").data[visible], pixels.data[visible])


def test_a_layer_outside_the_canvas_shows_nothing(tmp_path: Path) -> None:
    far = Pixels(noise(9).data, offset=(500, -300))
    write(tmp_path / "a.psd", (Layer("far", far),), noise(1))
    assert not read_psd(tmp_path / "a.psd", "far").data.any()


@pytest.mark.parametrize(
    ("mode", "name"), [(0, "bitmap"), (2, "indexed"), (4, "CMYK"), (8, "duotone"), (9, "Lab"), (77, "an unknown")]
)
def test_other_colour_modes_are_refused(tmp_path: Path, mode: int, name: str) -> None:
    path = tmp_path / "a.psd"
    path.write_bytes(b"8BPS" + struct.pack(">H6xHIIHH", 1, 4, 16, 20, 8, mode))
    with pytest.raises(UnusableInputError) as fault:
        read_psd(path)
    assert str(fault.value) == (
        f"{path} is a PSD in {name} mode; RGB or greyscale is needed: convert its mode and save it again."
    )


def test_32_bits_a_channel_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.psd"
    PSDImage.new("RGB", (20, 16), depth=32).save(path)
    with pytest.raises(UnusableInputError) as fault:
        read_psd(path)
    assert str(fault.value) == (
        f"{path} has 32 bits a channel; 8 or 16 are allowed: convert its mode and save it again."
    )


def test_sizes_are_judged_by_the_header_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.psd"
    path.write_bytes(b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, 20_000, 20_000, 8, 3))
    with pytest.raises(UnusableInputError) as fault:
        read_psd(path)
    assert str(fault.value) == (
        "The image is 20000x20000 pixels (400 million); at most 67 million (8192x8192) are allowed: "
        "scale it down or cut it."
    )


def test_a_layer_far_larger_than_any_canvas_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photoshop, "MAX_PIXELS", 300)
    write(tmp_path / "a.psd", (Layer("big", opaque(noise(1))),), noise(1))
    with pytest.raises(UnusableInputError) as fault:
        read_psd(tmp_path / "a.psd", "big")
    assert str(fault.value) == (
        "The layer 'big' is 20x16 pixels; at most 0 million are allowed: crop it to the canvas."
    )


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0.001, 0.999), layer=st.sampled_from([None, "flat", "Girl/line", "Girl"]))
def test_a_truncated_psd_is_refused_wherever_it_is_cut(tmp_path: Path, share: float, layer: str | None) -> None:
    whole, cut = tmp_path / "whole.psd", tmp_path / "cut.psd"
    if not whole.exists():
        small_psd(whole)
    data = whole.read_bytes()
    cut.write_bytes(data[: int(len(data) * share)])
    merged_starts = len(data) - len(PSDImage.open(whole)._record.image_data.data) - 2
    if layer is not None and len(data) * share >= merged_starts + 2:
        read_psd(cut, layer)  # only the preview is damaged, which nobody asked for
        return
    with pytest.raises(UnusableInputError) as fault:
        read_psd(cut, layer)
    assert str(fault.value) == (f"{cut} could not be decoded, it is a truncated or damaged PSD: save or copy it again.")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1), layer=st.sampled_from([None, "flat", "Girl"]))
def test_a_damaged_psd_never_ends_in_anything_but_pixels_or_one_of_our_faults(
    tmp_path: Path, seed: int, layer: str | None
) -> None:
    whole, damaged = tmp_path / "whole.psd", tmp_path / "damaged.psd"
    if not whole.exists():
        small_psd(whole)
    data = bytearray(whole.read_bytes())
    rng = np.random.default_rng(seed)
    for at in rng.integers(26, min(len(data), 3000), 4):
        data[at] = rng.integers(0, 256)
    damaged.write_bytes(data)
    with suppress(CelwrightError):
        assert read_psd(damaged, layer).size == (20, 16)
