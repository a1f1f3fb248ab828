"""Every kind of picture comes in as it is meant to be seen; every kind of nonsense gets its own sentence."""

import io
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from celwright.domain import Pixels
from celwright.errors import CelwrightError, UnusableInputError, WrongUsageError
from celwright.imaging.files import read_picture
from celwright.psd.tree import Layer
from celwright.psd.write import write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def noise(channels: int, kind: Any = np.uint8, size: tuple[int, int] = (13, 11)) -> NDArray[Any]:
    """(H, W, channels) of the full range; the same every time."""
    shape = (size[1], size[0], channels)
    return np.random.default_rng(0).integers(0, np.iinfo(kind).max, shape, dtype=kind, endpoint=True)


def picture(data: NDArray[Any]) -> Image.Image:
    return Image.fromarray(data[..., 0] if data.shape[2] == 1 else data)


def fault_of(path: Path, kind: type[CelwrightError], layer: str | None = None) -> str:
    with pytest.raises(kind) as fault:
        read_picture(path, layer)
    return str(fault.value)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("ending", ["png", "tif"])
def test_eight_bits_are_kept(tmp_path: Path, channels: int, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    picture(noise(channels)).save(path)
    pixels, notices = read_picture(path)
    np.testing.assert_array_equal(pixels.data, noise(channels))
    assert notices == ()


@pytest.mark.parametrize("ending", ["bmp", "webp", "gif"])
def test_other_lossless_kinds_are_read(tmp_path: Path, ending: str) -> None:
    data = np.repeat(noise(1), 3, axis=2)
    Image.fromarray(data).save(tmp_path / f"a.{ending}", lossless=True)
    pixels, notices = read_picture(tmp_path / f"a.{ending}")
    np.testing.assert_array_equal(pixels.rgba().data[..., :3], data)
    assert notices == ()


def test_jpeg_is_read(tmp_path: Path) -> None:
    data = np.full((16, 24, 3), (200, 100, 50), np.uint8)
    Image.fromarray(data).save(tmp_path / "a.jpg", quality=95)
    assert np.abs(read_picture(tmp_path / "a.jpg")[0].data.astype(int) - data).max() <= 3


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("ending", ["png", "tiff"])
def test_sixteen_bits_are_kept(tmp_path: Path, channels: int, ending: str) -> None:
    data = noise(channels, np.uint16)
    swapped = data[..., [2, 1, 0, 3][:channels]] if channels > 1 else data
    (tmp_path / f"a.{ending}").write_bytes(cv2.imencode(f".{ending}", swapped)[1].tobytes())
    pixels, _ = read_picture(tmp_path / f"a.{ending}")
    assert pixels.depth == 16
    np.testing.assert_array_equal(pixels.data, data)


def png(header: bytes, rows: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG file by hand, for kinds that no writer here makes."""
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    packed = [
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def test_sixteen_bit_grey_with_alpha_is_read(tmp_path: Path) -> None:
    data = noise(2, np.uint16, (9, 8))
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in data)
    (tmp_path / "a.png").write_bytes(png(struct.pack(">IIBBBBB", 9, 8, 16, 4, 0, 0, 0), rows))
    pixels, _ = read_picture(tmp_path / "a.png")
    np.testing.assert_array_equal(pixels.rgba().data, Pixels(data).rgba().data)


def test_premultiplied_sixteen_bit_tiff_is_freed_from_its_alpha(tmp_path: Path) -> None:
    data = np.full((9, 8, 4), (10_000, 20_000, 5_000, 32_768), np.uint16)
    tags = {256: 8, 257: 9, 258: 16, 259: 1, 262: 2, 273: 200, 277: 4, 278: 9, 279: data.nbytes, 338: 1}
    entries = b"".join(
        struct.pack("<HHII", tag, 4 if tag in (256, 257, 273, 278, 279) else 3, 4 if tag == 258 else 1, value)
        for tag, value in (tags | {258: 150}).items()
    )
    body = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + b"\0\0\0\0"
    body = body.ljust(150, b"\0") + struct.pack("<4H", 16, 16, 16, 16)
    (tmp_path / "a.tif").write_bytes(body.ljust(200, b"\0") + data.tobytes())
    pixels, _ = read_picture(tmp_path / "a.tif")
    np.testing.assert_allclose(pixels.data[0, 0], (20_000, 40_000, 10_000, 32_768), atol=1)


@pytest.mark.parametrize("transparent", [True, False])
def test_a_palette_becomes_colours_and_its_transparency_alpha(tmp_path: Path, transparent: bool) -> None:
    image = Image.new("P", (9, 8), 1)
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putpixel((0, 0), 0)
    image.save(tmp_path / "a.png", **({"transparency": bytes([0, 128])} if transparent else {}))
    pixels, _ = read_picture(tmp_path / "a.png")
    assert pixels.data[1, 1].tolist() == [200, 100, 50, 128][: pixels.channels]
    assert pixels.data[0, 0].tolist() == [10, 20, 30, 0][: pixels.channels]
    assert pixels.channels == (4 if transparent else 3)


def test_one_colour_declared_transparent_becomes_alpha(tmp_path: Path) -> None:
    data = noise(3)
    Image.fromarray(data).save(tmp_path / "a.png", transparency=tuple(int(value) for value in data[4, 5]))
    pixels, _ = read_picture(tmp_path / "a.png")
    assert pixels.data[4, 5, 3] == 0
    assert (pixels.data[..., 3] == 0).sum() == 1


def test_black_and_white_becomes_grey(tmp_path: Path) -> None:
    bits = noise(1)[..., 0] > 127
    Image.fromarray(bits).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png")[0].data[..., 0], np.where(bits, 255, 0))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["png", "tif"])
def test_pictures_stand_upright(tmp_path: Path, orientation: int, ending: str) -> None:
    image = Image.fromarray(noise(3))
    exif = image.getexif()
    exif[0x0112] = orientation
    image.save(tmp_path / f"a.{ending}", exif=exif)
    with Image.open(tmp_path / f"a.{ending}") as stored:
        wanted = np.asarray(ImageOps.exif_transpose(stored))
    assert (orientation in (1, 2, 3, 4)) == (wanted.shape == noise(3).shape)
    np.testing.assert_array_equal(read_picture(tmp_path / f"a.{ending}")[0].data, wanted)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["png", "tif"])
def test_sixteen_bit_pictures_stand_as_their_eight_bit_twins(tmp_path: Path, orientation: int, ending: str) -> None:
    eight, sixteen = io.BytesIO(), io.BytesIO()
    image = Image.fromarray(noise(1)[..., 0])
    exif = image.getexif()
    exif[0x0112] = orientation
    image.save(eight, "PNG" if ending == "png" else "TIFF", exif=exif)
    Image.fromarray(noise(1)[..., 0].astype(np.uint16) * 257).save(
        sixteen, "PNG" if ending == "png" else "TIFF", exif=exif
    )
    for name, stream in (("8", eight), ("16", sixteen)):
        (tmp_path / f"{name}.{ending}").write_bytes(stream.getvalue())
    twin, pixels = read_picture(tmp_path / f"8.{ending}")[0], read_picture(tmp_path / f"16.{ending}")[0]
    assert pixels.depth == 16
    np.testing.assert_array_equal(pixels.data // 257, twin.data)


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "tif"])
def test_the_icc_profile_is_kept(tmp_path: Path, ending: str) -> None:
    Image.fromarray(noise(3)).save(tmp_path / f"a.{ending}", icc_profile=SRGB)
    pixels, notices = read_picture(tmp_path / f"a.{ending}")
    assert (pixels.icc, notices) == (SRGB, ())


def test_a_profile_that_is_not_for_rgb_is_left_out_with_a_notice(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(noise(1)[..., 0]).save(path, icc_profile=LAB)
    pixels, notices = read_picture(path)
    assert pixels.icc == b""
    assert notices == (f"The colour profile of {path} is not for RGB and was left out.",)


@pytest.mark.parametrize("ending", ["gif", "webp", "png", "tif"])
def test_of_an_animation_the_first_frame_is_used_and_said_so(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    frames = [Image.new("RGB", (16, 9), color) for color in ("red", "lime", "blue")]
    frames[0].save(path, save_all=True, append_images=frames[1:], lossless=True)
    pixels, notices = read_picture(path)
    assert (pixels.rgba().data == (255, 0, 0, 255)).all()
    assert notices == (f"{path} has 3 frames; the first was used.",)


@pytest.mark.parametrize("kind", ["image/openraster", "application/x-krita"])
def test_the_merged_image_of_a_layered_archive_is_read(tmp_path: Path, kind: str) -> None:
    stream = io.BytesIO()
    Image.fromarray(noise(4)).save(stream, "PNG", icc_profile=SRGB)
    with zipfile.ZipFile(tmp_path / "a.ora", "w") as archive:
        archive.writestr("mimetype", kind)
        archive.writestr("mergedimage.png", stream.getvalue(), zipfile.ZIP_DEFLATED)
    pixels, _ = read_picture(tmp_path / "a.ora")
    np.testing.assert_array_equal(pixels.data, noise(4))
    assert pixels.icc == SRGB


def test_a_psd_is_read_with_or_without_a_layers_name(tmp_path: Path) -> None:
    one, two = Pixels(noise(4)), Pixels(np.full((11, 13, 4), 255, np.uint8))
    write(tmp_path / "named.png", (Layer("one", one), Layer("two", two)), two)  # content counts, not the name
    np.testing.assert_array_equal(read_picture(tmp_path / "named.png")[0].data, two.data)
    np.testing.assert_array_equal(read_picture(tmp_path / "named.png", "one")[0].data, one.data)


def test_a_layer_of_a_flat_picture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(noise(3)).save(path)
    assert fault_of(path, WrongUsageError, "line") == (
        f"{path} has no layers to choose 'line' from; name a PSD or PSB file, or no layer."
    )


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    assert fault_of(path, WrongUsageError) == f"{path} does not exist; check the name."


def test_a_folder_is_no_picture(tmp_path: Path) -> None:
    assert fault_of(tmp_path, WrongUsageError) == f"{tmp_path} is a folder; name a picture file in it."


def test_an_empty_file_is_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.touch()
    assert fault_of(path, UnusableInputError) == f"{path} is empty (0 bytes); save or copy it again."


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "a.png"
    path.touch()
    monkeypatch.setattr("builtins.open", refuse)
    assert fault_of(path, UnusableInputError) == f"{path} cannot be read (Permission denied); check its permissions."


@pytest.mark.parametrize("content", [b"not a picture", b"%PDF-1.7", b"\0" * 100])
def test_what_is_no_picture_is_answered_with_the_kinds_there_are(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content)
    assert fault_of(path, UnusableInputError) == (
        f"{path} is not a picture of a known kind; PNG, JPEG, WebP, TIFF, BMP, GIF, PSD, PSB, ORA or KRA is needed: "
        "convert it first."
    )


def test_an_archive_of_another_kind_is_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
    assert "is not a picture of a known kind" in fault_of(path, UnusableInputError)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("letter.txt", "hello")
    assert fault_of(path, UnusableInputError) == undecodable(path)


def undecodable(path: Path) -> str:
    return f"{path} could not be decoded, it is truncated, damaged or of a rare kind: save it again as PNG."


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0.02, 0.98), kind=st.sampled_from(["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "PNG16", "ORA"]))
def test_a_truncated_picture_is_refused_wherever_it_is_cut(tmp_path: Path, share: float, kind: str) -> None:
    stream, path = io.BytesIO(), tmp_path / "a.png"
    if kind == "PNG16":
        stream.write(cv2.imencode(".png", noise(3, np.uint16, (60, 50)))[1].tobytes())
    elif kind == "ORA":
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr("mimetype", "image/openraster")
            archive.writestr("mergedimage.png", cv2.imencode(".png", noise(3))[1].tobytes())
    else:
        Image.fromarray(noise(3, size=(60, 50))).save(stream, kind)
    path.write_bytes(stream.getvalue()[: max(12, int(len(stream.getvalue()) * share))])
    assert fault_of(path, UnusableInputError) == undecodable(path)


@pytest.mark.parametrize("size", [(1, 1), (1, 100_000), (100_000, 7)])
def test_a_picture_too_small_is_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    Image.new("L", size).save(tmp_path / "a.png")
    assert fault_of(tmp_path / "a.png", UnusableInputError) == (
        f"The image is {size[0]}x{size[1]} pixels; each side must have at least 8: use a larger picture."
    )


def test_a_picture_too_large_is_refused_by_its_header_alone(tmp_path: Path) -> None:
    # 400 megapixels, far beyond where Pillow itself warns or fails; nothing of it is there to be decoded.
    (tmp_path / "a.png").write_bytes(png(struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0), b""))
    assert fault_of(tmp_path / "a.png", UnusableInputError) == (
        "The image is 20000x20000 pixels (400 million); at most 67 million (8192x8192) are allowed: "
        "scale it down or cut it."
    )
    (tmp_path / "b.png").write_bytes(png(struct.pack(">IIBBBBB", 100_000, 100, 8, 2, 0, 0, 0), b""))
    assert fault_of(tmp_path / "b.png", UnusableInputError) == (
        "The image is 100000x100 pixels; no side may exceed 30000, the most a PSD can hold: cut it."
    )


@pytest.mark.parametrize(
    ("mode", "ending", "name"), [("CMYK", "jpg", "CMYK"), ("CMYK", "tif", "CMYK"), ("LAB", "tif", "Lab")]
)
def test_colours_that_are_not_rgb_are_refused(tmp_path: Path, mode: str, ending: str, name: str) -> None:
    path = tmp_path / f"a.{ending}"
    Image.new(mode, (16, 16)).save(path)
    assert fault_of(path, UnusableInputError) == (
        f"{path} is in {name}; RGB or greyscale is needed: convert it to sRGB."
    )


def test_32_bits_a_channel_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    Image.new("F", (16, 16)).save(path)
    assert fault_of(path, UnusableInputError) == (
        f"{path} has 32 bits a channel; 8 or 16 are allowed: convert it to 16."
    )
