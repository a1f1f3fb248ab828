"""OpenRaster files are composed here by the specification's own rules, from nothing but their bytes."""

import io
import zipfile
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree

import numpy as np
import pytest
from celwright.domain import Pixels
from celwright.errors import WrongUsageError
from celwright.imaging.files import read_picture
from celwright.layers import LayerStack, compose
from celwright.psd.openraster import write
from celwright.psd.tree import Group, Layer, four_layers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageCms

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def random_pixels(seed: int, size: tuple[int, int] = (20, 16)) -> Pixels:
    rng = np.random.default_rng(seed)
    data = rng.integers(0, 256, (size[1], size[0], 4), dtype=np.uint8)
    data[..., 3] = np.choose(rng.integers(0, 3, size[::-1]), [0, data[..., 3], 255])
    return Pixels(data)


def composed(path: Path) -> NDArray[Any]:
    """(H, W, 4) premultiplied, by "Compositing and Blending Level 1" and without any clipping."""
    blends = {
        "svg:src-over": lambda below, above: above,
        "svg:multiply": lambda below, above: below * above,
        "svg:screen": lambda below, above: below + above - below * above,
    }
    with zipfile.ZipFile(path) as archive:
        image = ElementTree.fromstring(archive.read("stack.xml"))
        width, height = int(image.attrib["w"]), int(image.attrib["h"])
        color, alpha = np.zeros((height, width, 3)), np.zeros((height, width, 1))
        for layer in reversed(image.findall("./stack/layer")):
            part = np.asarray(Image.open(io.BytesIO(archive.read(layer.attrib["src"])))) / 255
            above = np.zeros((height, width, 4))
            x, y = int(layer.attrib["x"]), int(layer.attrib["y"])
            above[y : y + part.shape[0], x : x + part.shape[1]] = part
            source, share = above[..., :3], above[..., 3:]
            mixed = (1 - alpha) * source + alpha * blends[layer.attrib["composite-op"]](color, source)
            union = share + alpha * (1 - share)
            color = (share * mixed + (1 - share) * alpha * color) / np.maximum(union, 1e-9)
            alpha = union
    return np.concatenate([color * alpha, alpha], axis=2)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32 - 9), width=st.integers(8, 24), height=st.integers(8, 24),
    blend=st.sampled_from(["multiply", "normal"]),
)  # fmt: skip
def test_four_layers_look_as_the_formula_wants_it(
    tmp_path: Path, seed: int, width: int, height: int, blend: Literal["multiply", "normal"]
) -> None:
    stack = LayerStack(*(random_pixels(seed + number, (width, height)) for number in range(4)), shadow_blend=blend)
    write(tmp_path / "a.ora", four_layers(stack), stack.images()["composite"], force=True)
    wanted = compose(stack)
    wanted[..., :3] *= wanted[..., 3:]
    assert np.abs(composed(tmp_path / "a.ora") - wanted).max() <= 2 / 255


def test_the_archive_is_laid_out_as_the_specification_says(tmp_path: Path) -> None:
    composite = random_pixels(1, (600, 300))
    write(tmp_path / "a.ora", (Layer("one", composite),), composite)
    data = (tmp_path / "a.ora").read_bytes()
    assert data[30:54] == b"mimetypeimage/openraster"
    with zipfile.ZipFile(tmp_path / "a.ora") as archive:
        assert archive.testzip() is None
        assert archive.infolist()[0].compress_type == zipfile.ZIP_STORED
        assert archive.namelist() == [
            "mimetype", "data/layer0.png", "stack.xml", "mergedimage.png", "Thumbnails/thumbnail.png",
        ]  # fmt: skip
        thumbnail = Image.open(io.BytesIO(archive.read("Thumbnails/thumbnail.png")))
    assert (thumbnail.size, thumbnail.mode) == ((256, 128), "RGBA")


def test_the_merged_image_is_the_composite_with_its_profile(tmp_path: Path) -> None:
    composite = Pixels(random_pixels(1).data, icc=SRGB)
    write(tmp_path / "a.ora", (Layer("one", random_pixels(2)),), composite)
    back, _ = read_picture(tmp_path / "a.ora")
    np.testing.assert_array_equal(back.data, composite.data)
    assert back.icc == SRGB


def test_the_thumbnail_has_no_fringe_of_hidden_colours(tmp_path: Path) -> None:
    data = np.zeros((16, 512, 4), np.uint8)
    data[:, ::2] = (255, 0, 0, 255)
    data[:, 1::2] = (0, 255, 0, 0)
    write(tmp_path / "a.ora", (), Pixels(data))
    with zipfile.ZipFile(tmp_path / "a.ora") as archive:
        thumbnail = np.asarray(Image.open(io.BytesIO(archive.read("Thumbnails/thumbnail.png"))))
    assert (thumbnail[..., :3] == (255, 0, 0)).all()
    assert (np.abs(thumbnail[..., 3].astype(int) - 128) <= 1).all()


def test_groups_names_modes_and_places_are_described(tmp_path: Path) -> None:
    placed = Pixels(np.full((8, 8, 4), 255, np.uint8), offset=(-4, 30))
    shadow = Layer('紙 "<&>"', placed, "color_dodge", opacity=0.5, clipping=True)
    write(tmp_path / "a.ora", (Group("Figur", (Layer("base", placed), shadow), "multiply", 0.25, False),), placed)
    with zipfile.ZipFile(tmp_path / "a.ora") as archive:
        image = ElementTree.fromstring(archive.read("stack.xml"))
    assert image.attrib == {"version": "0.0.5", "w": "8", "h": "8"}
    (group,) = image.findall("./stack/stack")
    assert group.attrib == {
        "name": "Figur", "composite-op": "svg:multiply", "opacity": "0.25", "visibility": "hidden",
        "isolation": "isolate",
    }  # fmt: skip
    top, base = group.findall("layer")  # topmost first
    assert top.attrib == {
        "name": '紙 "<&>"', "composite-op": "svg:color-dodge", "opacity": "0.5", "visibility": "visible",
        "src": "data/layer0.png", "x": "-4", "y": "30", "alpha-preserve": "true",
    }  # fmt: skip
    assert (base.attrib["name"], base.attrib["composite-op"]) == ("base", "svg:src-over")


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.ora", "b.ora"):
        write(tmp_path / name, (Layer("one", random_pixels(1)),), random_pixels(2))
    assert (tmp_path / "a.ora").read_bytes() == (tmp_path / "b.ora").read_bytes()


def test_a_layer_of_another_depth_is_refused(tmp_path: Path) -> None:
    deep = Pixels(random_pixels(1).data.astype(np.uint16))
    with pytest.raises(WrongUsageError, match="The layer 'one' has 16 bits a channel, the document 8"):
        write(tmp_path / "a.ora", (Layer("one", deep),), random_pixels(1))
    assert list(tmp_path.iterdir()) == []
