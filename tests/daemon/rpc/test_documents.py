"""Layered documents over a real server; psd-tools, zipfile and Pillow read what came back."""

import errno
import hashlib
import io
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args
from xml.etree import ElementTree

import grpc
import numpy as np
import pytest
from celwright import wiring
from celwright.documents import write_document
from celwright.domain import Pixels
from celwright.errors import CelwrightError, OutputError, WrongUsageError
from celwright.psd import write as psd_write
from celwright.psd.tree import Blend
from celwright.rpc import documents
from celwright.rpc.document_tree import document, image_names
from celwright.rpc.generated import celwright_pb2 as pb
from celwright.rpc.generated import celwright_pb2_grpc as pb_grpc
from celwright.rpc.image_cache import ImageCache
from celwright.rpc.images import CHUNK_BYTES, chunks, content_hash, image_start
from celwright.rpc.upload import Upload
from daemon_under_test import PATIENCE, Daemon, Echo, StartDaemon
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from psd_tools import PSDImage
from psd_tools.constants import Resource

Noise = Callable[..., Pixels]
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
BLENDS = get_args(Blend)


@pytest.fixture
def daemon(start_daemon: StartDaemon) -> Daemon:
    return start_daemon(Echo(), facts={"documents": write_document})


def layer(name: str, image: str, **more: Any) -> pb.LayerNode:
    return pb.LayerNode(name=name, image=image, **more)


def group(name: str, *children: pb.LayerNode, **more: Any) -> pb.LayerNode:
    return pb.LayerNode(name=name, group=pb.LayerGroup(children=children), **more)


def header(*layers: pb.LayerNode, **changes: Any) -> pb.DocumentHeader:
    told: dict[str, Any] = {"width": 40, "height": 24, "depth": 8, "composite": "composite"}
    return pb.DocumentHeader(layers=layers, **{**told, **changes})


def placed(image: Pixels, x: int, y: int) -> Pixels:
    return Pixels(image.data, (x, y), image.icc)


def upload(
    start: pb.DocumentHeader, images: Mapping[str, Pixels], *, hashed: bool = False, reused: Iterable[str] = ()
) -> Iterator[pb.DocumentUpload]:
    yield pb.DocumentUpload(header=start)
    for name, image in images.items():
        digest = content_hash(image.data) if hashed or name in reused else b""
        yield pb.DocumentUpload(image=image_start(name, image, content_hash=digest, reuse=name in reused))
        if name not in reused:
            yield from (pb.DocumentUpload(chunk=chunk) for chunk in chunks(image))


def stub(daemon: Daemon) -> Any:
    return pb_grpc.CelwrightStub(daemon.client()._channel)


def file_of(parts: Iterable[pb.DocumentPart]) -> tuple[bytes, int]:
    """The file's bytes and its format; start, chunks and end are where and what they must be."""
    first, *middle, last = parts
    assert first.WhichOneof("part") == "start"
    assert {part.WhichOneof("part") for part in middle} == {"chunk"}
    assert all(1 <= len(part.chunk) <= CHUNK_BYTES for part in middle)
    file = b"".join(part.chunk for part in middle)
    assert (first.start.bytes, last.end.sha256) == (len(file), hashlib.sha256(file).digest())
    return file, first.start.format


def written(daemon: Daemon, messages: Iterator[pb.DocumentUpload]) -> tuple[bytes, int]:
    return file_of(stub(daemon).WriteDocument(messages))


def integers(psd: PSDImage, found: Any) -> np.ndarray[Any, Any]:
    """(h, w, 4) of a psd-tools layer, RGBA as stored."""
    top = 255 if psd.depth == 8 else 65535
    return np.rint(found.numpy() * top).astype(np.uint8 if psd.depth == 8 else np.uint16)


@pytest.mark.parametrize("depth", [8, 16])
def test_psd_tools_finds_the_tree_that_was_sent(daemon: Daemon, noise: Noise, depth: int) -> None:
    images = {
        "composite": noise(depth=depth),
        "a": noise(depth=depth, seed=1),
        "b": placed(noise(12, 9, depth=depth, seed=2), -5, 20),
        "c": placed(noise(10, 8, 3, depth, seed=3), 31, -2),
        "d": noise(40, 24, 1, depth, seed=4),
    }
    tree = (
        layer("紙 paper 🎨", "a", opacity=0.5),
        group(
            "Fräulein",
            layer("inner", "b", blend=pb.BLEND_MODE_LINEAR_DODGE),
            group("empty", visible=False),
            blend=pb.BLEND_MODE_MULTIPLY,
            opacity=0.4,
            visible=False,
        ),
        layer("clips", "c", blend=pb.BLEND_MODE_SCREEN, clipped=True, opacity=0.0),
        layer("grey", "d", visible=True),
    )
    file, became = written(daemon, upload(header(*tree, depth=depth, icc=SRGB), images))
    assert became == pb.DOCUMENT_FORMAT_PSD
    psd = PSDImage.open(io.BytesIO(file))
    assert (psd.version, psd.depth, psd.size, len(psd)) == (1, depth, (40, 24), 4)
    assert psd.image_resources.get_data(Resource.ICC_PROFILE) == SRGB
    paper, fraeulein, clips, grey = psd
    inner, empty = fraeulein
    every = (paper, fraeulein, inner, empty, clips, grey)
    assert [one.name for one in every] == ["紙 paper 🎨", "Fräulein", "inner", "empty", "clips", "grey"]
    assert [one.opacity for one in every] == [128, 102, 255, 255, 0, 255]
    assert [one.visible for one in every] == [True, False, True, False, True, True]
    assert [one.clipping for one in every] == [False, False, False, False, True, False]
    assert [one.blend_mode.name.lower() for one in every] == [
        "normal", "multiply", "linear_dodge", "normal", "screen", "normal",
    ]  # fmt: skip
    assert (empty.is_group(), len(empty)) == (True, 0)
    for found, name in ((paper, "a"), (inner, "b"), (clips, "c"), (grey, "d")):
        assert found.offset == images[name].offset
        np.testing.assert_array_equal(integers(psd, found), images[name].rgba().data)


def test_an_openraster_file_holds_names_places_and_pixels(daemon: Daemon, noise: Noise) -> None:
    images = {"composite": noise(channels=3), "a": noise(seed=1), "b": placed(noise(12, 9, seed=2), -5, 3)}
    tree = (layer("below", "a"), group("g", layer("ab\0ove\x07", "b", blend=pb.BLEND_MODE_COLOR_BURN, opacity=0.25)))
    start = header(*tree, format=pb.DOCUMENT_FORMAT_OPENRASTER)
    file, became = written(daemon, upload(start, images))
    assert became == pb.DOCUMENT_FORMAT_OPENRASTER
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        xml = ElementTree.fromstring(archive.read("stack.xml"))
        stack, below = xml[0]
        assert (xml.get("w"), xml.get("h"), stack.get("name"), below.get("name")) == ("40", "24", "g", "below")
        told = {"name": "above", "composite-op": "svg:color-burn", "opacity": "0.25", "x": "-5", "y": "3"}
        assert told.items() <= stack[0].attrib.items()
        pixels = np.asarray(Image.open(io.BytesIO(archive.read(stack[0].attrib["src"]))))
        merged = np.asarray(Image.open(io.BytesIO(archive.read("mergedimage.png"))))
    np.testing.assert_array_equal(pixels, images["b"].data)
    np.testing.assert_array_equal(merged, images["composite"].rgba().data)


def test_a_psd_that_would_be_too_large_becomes_a_psb(
    daemon: Daemon, noise: Noise, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = {"composite": noise(), "a": noise(seed=1)}
    wanted, became = written(daemon, upload(header(layer("a", "a"), format=pb.DOCUMENT_FORMAT_PSB), images))
    assert became == pb.DOCUMENT_FORMAT_PSB
    assert PSDImage.open(io.BytesIO(wanted)).version == 2
    monkeypatch.setattr(psd_write, "_MAX_PSD_BYTES", 1000)
    assert written(daemon, upload(header(layer("a", "a")), images)) == (wanted, pb.DOCUMENT_FORMAT_PSB)


def test_a_file_of_many_chunks_comes_whole(daemon: Daemon, noise: Noise) -> None:
    image = noise(1024, 700)
    start = header(layer("a", "a"), width=1024, height=700)
    file, _ = written(daemon, upload(start, {"composite": image, "a": image}))
    assert len(file) > 2 * CHUNK_BYTES
    np.testing.assert_array_equal(PSDImage.open(io.BytesIO(file))[0].numpy() * 255, image.data)


def trees() -> st.SearchStrategy[list[Any]]:
    """Nested lists: a number is a layer, a list a group."""
    return st.lists(
        st.recursive(st.integers(0, 9), lambda inner: st.lists(inner, max_size=3), max_leaves=8), min_size=1, max_size=4
    )


@settings(max_examples=40, deadline=None)
@given(tree=trees(), choices=st.randoms(use_true_random=False), name=st.text(st.characters(codec="utf-8"), max_size=9))
def test_every_tree_comes_back_with_its_names_modes_and_opacities(tree: Any, choices: Any, name: str) -> None:
    images = {"composite": Pixels(np.full((8, 8, 4), 255, np.uint8))}

    def node(shape: Any) -> pb.LayerNode:
        shown = {
            "name": name + str(choices.randrange(100)),
            "blend": choices.choice([number for number in pb.BlendMode.values() if number]),
            "opacity": choices.random(),
            "visible": choices.random() < 0.5,
        }
        if isinstance(shape, list):
            return pb.LayerNode(group=pb.LayerGroup(children=[node(child) for child in shape]), **shown)
        place = f"layer/{len(images)}"
        images[place] = placed(images["composite"], shape, -shape)
        return layer(image=place, clipped=choices.random() < 0.5, **shown)

    def sent(nodes: Iterable[pb.LayerNode]) -> list[Any]:
        return [
            (
                "".join(sign for sign in one.name if sign >= " " and sign not in "\x7f\ufffe\uffff"),
                pb.BlendMode.Name(one.blend).removeprefix("BLEND_MODE_"),
                round(one.opacity * 255),
                one.visible,
                one.clipped,
                sent(one.group.children) if one.HasField("group") else images[one.image].offset,
            )
            for one in nodes
        ]

    def found(layers: Iterable[Any]) -> list[Any]:
        return [
            (
                one.name,
                one.blend_mode.name,
                one.opacity,
                one.visible,
                one.clipping,
                found(one) if one.is_group() else one.offset,
            )
            for one in layers
        ]

    start = header(*(node(shape) for shape in tree), width=8, height=8)
    stream = io.BytesIO()
    assert write_document(document(start, images), stream, lambda: None) == "psd"
    assert image_names(start) == images.keys()
    stream.seek(0)
    assert found(PSDImage.open(stream)) == sent(start.layers)


def test_the_wire_and_the_writers_know_the_same_blend_modes() -> None:
    names = [name.removeprefix("BLEND_MODE_").lower() for name, number in pb.BlendMode.items() if number]
    assert sorted(names) == sorted(BLENDS)


def test_the_daemon_says_that_it_writes_documents() -> None:
    assert {"write.psd", "write.openraster"} <= set(wiring.capabilities())


def nested(count: int) -> pb.LayerNode:
    node = layer("a", "a")
    for _ in range(count):
        node = group("g", node)
    return node


REFUSED_HEADERS: dict[str, tuple[pb.DocumentHeader, str]] = {
    "unknown format": (
        header(layer("a", "a"), format=77),
        "The format 77 is not known to this daemon; update it, or choose another.",
    ),
    "float": (
        header(layer("a", "a"), depth=32),
        "The document has 32 bits a channel; 8 or 16 are allowed: convert it.",
    ),
    "large profile": (
        header(layer("a", "a"), icc=b"p" * 1048577),
        "The document has an ICC profile of 1048577 bytes; at most 1048576 are allowed.",
    ),
    "small canvas": (
        header(layer("a", "a"), width=7),
        "The image is 7x24 pixels; each side must have at least 8: use a larger picture.",
    ),
    "no layers": (header(), "The document has no layers; at least one is needed."),
    "no composite": (
        header(layer("a", "a"), composite=""),
        "The document came without a composite, which this daemon does not make from layers; send the visible picture "
        "as one image and name it in the header.",
    ),
    "neither image nor group": (
        header(pb.LayerNode(name="a")),
        "The layer 'a' has neither an image nor children; give it one of both.",
    ),
    "unknown blend mode": (
        header(layer("a", "a", blend=99)),
        "The blend mode 99 of 'a' is not known to this daemon; update it, or choose another.",
    ),
    "opacity": (header(layer("a", "a", opacity=1.5)), "The opacity of 'a' is 1.5; 0 to 1 is allowed."),
    "no number": (header(layer("a", "a", opacity=float("nan"))), "The opacity of 'a' is nan; 0 to 1 is allowed."),
    "clipped group": (
        header(group("g", layer("a", "a"), clipped=True)),
        "The group 'g' is clipped, which only layers can be; merge it into one layer, or do not clip it.",
    ),
    "one image for two layers": (
        header(layer("a", "a"), layer("b", "a")),
        "Two images of the document have the same name; give every layer's image its own.",
    ),
    "too deep": (
        header(nested(33)),
        "More than 32 groups are inside one another; at most 32 are allowed: merge some.",
    ),
    "too many": (
        header(*(group("g") for _ in range(1001))),
        "The document has 1001 layers and groups; at most 1000 are allowed: merge some.",
    ),
}


@pytest.mark.parametrize("case", REFUSED_HEADERS)
def test_a_header_that_makes_no_sense_is_refused_before_the_images(case: str) -> None:
    start, sentence = REFUSED_HEADERS[case]
    with pytest.raises(CelwrightError) as refused:
        image_names(start)
    assert str(refused.value) == sentence


def test_the_deepest_nesting_and_the_most_layers_cross_the_wire(daemon: Daemon, noise: Noise) -> None:
    images = {"composite": noise(), "a": noise(seed=1)}
    tree = (nested(32), *(group("g") for _ in range(1000 - 33)))
    file, _ = written(daemon, upload(header(*tree), images))
    assert len(list(PSDImage.open(io.BytesIO(file)).descendants())) == 1000


def test_nesting_that_protobuf_does_not_read_is_told_in_a_sentence(daemon: Daemon) -> None:
    """A message of 60 groups inside one another, put together by hand: protobuf would not make it either."""

    def field(number: int, content: bytes) -> bytes:
        length, digits = len(content), bytearray()
        while length > 0x7F:
            digits.append(length & 0x7F | 0x80)
            length >>= 7
        return bytes([number << 3 | 2, *digits, length]) + content

    node = b""
    for _ in range(60):
        node = field(3, field(1, node))
    send = daemon.client()._channel.stream_stream("/celwright.v1.Celwright/WriteDocument")
    with pytest.raises(grpc.RpcError) as refused:
        list(send(iter([field(1, field(7, node))])))
    assert refused.value.details() == "A message of the upload cannot be read; send what celwright.proto describes."


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"a": None}, "The image 'a' did not come; send it after the header."),
        ({"hat": (0, 0)}, "The image 'hat' is not known here; allowed: a, composite."),
        (
            {"a": 16},
            "The image 'a' has 16 bits a channel, the document 8; all must have the same: convert it.",
        ),
        (
            {"a": (0, -1048577)},
            "The image 'a' lies at (0, -1048577); at most 1048576 pixels from the canvas's corner are allowed: crop or "
            "move it.",
        ),
        (
            {"composite": (1, 0)},
            "The composite is 40x24 pixels at (1, 0), the canvas 40x24 at (0, 0); both must match.",
        ),
    ],
)
def test_images_that_do_not_fit_are_refused(
    daemon: Daemon, noise: Noise, changes: dict[str, Any], sentence: str
) -> None:
    images = {"composite": noise(), "a": noise(seed=1)}
    for name, change in changes.items():
        if change is None:
            del images[name]
        else:
            images[name] = noise(depth=change) if isinstance(change, int) else placed(noise(), *change)
    with pytest.raises(grpc.RpcError) as refused:
        list(stub(daemon).WriteDocument(upload(header(layer("a", "a")), images)))
    assert refused.value.details() == sentence
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_a_layer_that_only_moved_is_not_sent_again(daemon: Daemon, noise: Noise) -> None:
    images, start = {"composite": noise(), "a": noise(16, 16, seed=1)}, header(layer("a", "a"), icc=SRGB)
    written(daemon, upload(start, images, hashed=True))
    images["a"] = placed(images["a"], 7, -3)
    file, _ = written(daemon, upload(start, images, reused=images))
    assert written(daemon, upload(start, images)) == (file, pb.DOCUMENT_FORMAT_PSD)
    assert PSDImage.open(io.BytesIO(file))[0].offset == (7, -3)
    images["a"] = noise(16, 16, seed=9)
    with pytest.raises(grpc.RpcError) as refused:
        written(daemon, upload(start, images, reused=["a"]))
    assert ("celwright-missing", "a") in [tuple(entry) for entry in refused.value.trailing_metadata()]


def test_a_daemon_that_writes_no_documents_says_so(start_daemon: StartDaemon, noise: Noise) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        written(start_daemon(Echo()), upload(header(layer("a", "a")), {"composite": noise(), "a": noise()}))
    assert refused.value.details() == "This daemon writes no documents; its capabilities do not name 'write.psd'."


def test_a_client_that_leaves_ends_the_writing_before_the_next_layer(start_daemon: StartDaemon, noise: Noise) -> None:
    begun, left, refusal = threading.Event(), threading.Event(), []

    def endless(document: Any, stream: Any, before_layer: Callable[[], None]) -> Any:
        begun.set()
        try:
            while True:
                before_layer()
        except CelwrightError as error:
            refusal.append(str(error))
            left.set()
            raise

    daemon = start_daemon(Echo(), facts={"documents": endless})
    call = stub(daemon).WriteDocument(upload(header(layer("a", "a")), {"composite": noise(), "a": noise()}))
    assert begun.wait(PATIENCE)
    call.cancel()
    assert left.wait(PATIENCE)
    assert refusal == ["The client left before its document was written."]


@pytest.mark.parametrize("raised", [OSError(errno.ENOSPC, "No space left on device"), WrongUsageError("No.")])
def test_a_file_that_cannot_be_finished_is_told_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, noise: Noise, raised: Exception
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def full(document: Any, stream: Any, before_layer: Any) -> Any:
        stream.write(b"half")
        raise raised

    messages = upload(header(layer("a", "a")), {"composite": noise(), "a": noise()})
    made = lambda names: Upload(names, ImageCache(0), 1 << 20)  # noqa: E731
    with pytest.raises(CelwrightError) as told:
        list(documents.written(messages, full, made, lambda: True))
    if isinstance(raised, OSError):
        assert type(told.value) is OutputError
        assert str(told.value) == (
            f"The document could not be kept while it was written (No space left on device); free some space in the "
            f"daemon's folder for temporary files, {str(tmp_path)!r}."
        )
    else:
        assert told.value is raised
    assert list(tmp_path.iterdir()) == []


def test_no_file_with_a_name_is_ever_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, noise: Noise) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    messages = upload(header(layer("a", "a")), {"composite": noise(), "a": noise()})
    made = lambda names: Upload(names, ImageCache(0), 1 << 20)  # noqa: E731
    parts = []
    for part in documents.written(messages, write_document, made, lambda: True):
        parts.append(part)
        assert list(tmp_path.iterdir()) == []
    assert file_of(parts)[0].startswith(b"8BPS")
