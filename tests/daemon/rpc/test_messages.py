"""Requests, events and images keep every value on their way through messages."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from celwright.domain import (
    ColorizeRequest,
    DecomposeRequest,
    Finished,
    Guidance,
    Leak,
    Palette,
    Pixels,
    Preview,
    Progress,
    Queued,
    RecompositionError,
    Reference,
    Report,
    SegmentRequest,
)
from celwright.errors import WrongUsageError
from celwright.rpc import events, images, requests
from celwright.rpc.generated import celwright_pb2 as pb
from hypothesis import given
from hypothesis import strategies as st

Noise = Callable[..., Pixels]

side = st.integers(8, 40)
coordinate = st.integers(-(2**31), 2**31 - 1)
picture = st.builds(
    lambda width, height, channels, depth, seed, offset, icc: Pixels(
        np.random.default_rng(seed).integers(
            0, 2**depth, (height, width, channels), np.uint8 if depth == 8 else np.uint16
        ),
        offset,
        icc,
    ),
    side,
    side,
    st.integers(1, 4),
    st.sampled_from([8, 16]),
    st.integers(0, 999),
    st.tuples(coordinate, coordinate),
    st.binary(max_size=50),
)
name = st.text(st.characters(codec="utf-8"), max_size=12)
amount = st.floats(0, 1e6)
report = st.builds(
    Report,
    seconds=st.dictionaries(name, amount, max_size=3),
    model=name,
    seed=st.none() | st.integers(0, 2**32 - 1),
    recomposition=st.none() | st.builds(RecompositionError, amount, amount, amount | st.just(float("inf"))),
    regions=st.none() | st.integers(0, 2**31),
    leaks=st.lists(
        st.builds(
            Leak,
            st.integers(0, 30_000),
            st.integers(0, 30_000),
            st.floats(0, 256, width=32),
            st.tuples(st.integers(1, 2**31), st.integers(1, 2**31)),
        ),
        max_size=3,
    ).map(tuple),
    notices=st.lists(name, max_size=3).map(tuple),
    shadow_blend=st.sampled_from(["multiply", "normal"]),
)


def same(one: Pixels | None, other: Pixels | None) -> bool:
    if one is None or other is None:
        return one is other
    equal = one.data.dtype == other.data.dtype and np.array_equal(one.data, other.data)
    return equal and (one.offset, one.icc) == (other.offset, other.icc)


def crossed(message: Any) -> Any:
    """The message as it comes out at the other end of a wire."""
    return type(message).FromString(message.SerializeToString())


def over_the_wire(request: Any, job_id: str = "j") -> Any:
    header = crossed(requests.header(request, job_id, "test"))
    named = requests.request_images(request)
    assert set(named) <= requests.image_names(header)
    return requests.request(header, named)


@given(picture)
def test_an_image_keeps_samples_depth_offset_and_profile(image: Pixels) -> None:
    start = crossed(images.image_start("flat", image))
    incoming = images.IncomingImage(start)
    for chunk in images.chunks(image):
        incoming.take(chunk)
    assert same(incoming.pixels(), image)


@given(picture)
def test_the_content_hash_tells_layouts_and_samples_apart(image: Pixels) -> None:
    known = images.content_hash(image.data)
    assert known == images.content_hash(image.data.copy(order="F"))
    other = image.data.copy()
    other[-1, -1, -1] ^= 1
    assert images.content_hash(other) != known
    if image.width != image.height:
        assert images.content_hash(image.data.reshape(image.width, image.height, -1)) != known
    if image.depth == 16:
        assert images.content_hash(image.data.view(np.uint8).reshape(image.height, image.width, -1)) != known


def test_the_content_hash_is_the_one_that_the_wire_describes() -> None:
    import hashlib

    data = np.arange(8 * 9 * 2, dtype=np.uint16).reshape(9, 8, 2)
    told = hashlib.blake2b(b"8x9x2x16\n" + data.astype("<u2").tobytes(), digest_size=32).digest()
    assert images.content_hash(data) == told


def test_samples_are_little_endian_rows_from_the_top() -> None:
    data = np.zeros((8, 8, 1), np.uint16)
    data[0, 0, 0], data[0, 1, 0], data[1, 0, 0] = 0x0102, 0x0304, 0x0506
    sent = b"".join(images.chunks(Pixels(data)))
    assert sent[:4] == b"\x02\x01\x04\x03"
    assert sent[16:18] == b"\x06\x05"


def test_a_received_image_cannot_be_written_to(noise: Noise) -> None:
    image = noise()
    incoming = images.IncomingImage(images.image_start("flat", image))
    for chunk in images.chunks(image):
        incoming.take(chunk)
    with pytest.raises(ValueError, match="read-only"):
        incoming.pixels().data[0, 0, 0] = 1


@given(report)
def test_a_report_keeps_every_value(sent: Report) -> None:
    got = events.report(crossed(events.report_message(sent)))
    assert got == sent
    assert list(got.seconds) == list(sent.seconds)


def test_events_keep_their_values_and_order(noise: Noise) -> None:
    large, small = noise(700, 600, 4), noise(8, 8, 1, 16)
    sent = [
        Queued(3),
        Progress("flats", 0.25, 2.5),
        Progress("flats", 0.5),
        Preview(small),
        Finished({"flat": large, "1/flat": small, "stages/regions": large}, Report(seed=0, regions=0)),
    ]
    messages = [crossed(message) for event in sent for message in events.event_messages(event)]
    messages.insert(2, pb.JobEvent())  # as an event of a newer daemon reads here
    messages.insert(0, pb.JobEvent(accepted=pb.Accepted(job_id="1")))
    got = list(events.events(iter(messages)))
    assert got[:3] == sent[:3]
    assert same(got[3].image, small)
    assert list(got[4].images) == list(sent[4].images)
    assert all(same(got[4].images[key], image) for key, image in sent[4].images.items())
    assert got[4].report == sent[4].report
    assert max(len(message.chunk) for message in messages) == images.CHUNK_BYTES


@pytest.mark.parametrize("fidelity", ["clean", "exact"])
def test_a_decompose_request_keeps_every_value(noise: Noise, fidelity: Any) -> None:
    sent = DecomposeRequest(noise(), fidelity=fidelity, model="big")
    got = over_the_wire(sent)
    assert (got.fidelity, got.model) == (fidelity, "big")
    assert same(got.picture, sent.picture)
    assert got.is_plain()


WISHES = {
    "flat_colors": 256, "shadow_tones": 2, "shadow_tint": "region", "merge_highlight": True, "shadow_blend": "normal",
}  # fmt: skip


@pytest.mark.parametrize("names", [list(WISHES), *([name] for name in WISHES)])
def test_how_the_layers_are_wanted_keeps_every_value(noise: Noise, names: list[str]) -> None:
    sent = DecomposeRequest(noise(), **{name: WISHES[name] for name in names})  # type: ignore[arg-type]
    got = over_the_wire(sent)
    assert [getattr(got, name) for name in WISHES] == [getattr(sent, name) for name in WISHES]


@pytest.mark.parametrize(("gap", "leaks"), [(0, True), (8, False), (256, True)])
def test_a_segment_request_keeps_every_value(noise: Noise, gap: int, leaks: bool) -> None:
    got = over_the_wire(SegmentRequest(noise(), gap=gap, leaks=leaks))
    assert (got.gap, got.leaks) == (gap, leaks)


PLAIN = ("unhinted", "gap", "shading", "light", "seed", "variations", "steps", "guidance", "stages", "model")
PALETTE = Palette("Spring", np.array([[1, 2, 3], [255, 0, 128]], np.uint8))


@pytest.mark.parametrize("palette", [None, "flatting", "auto", PALETTE])
@pytest.mark.parametrize("unhinted", ["nearest", "transparent"])
def test_a_colorize_request_keeps_every_value(noise: Noise, palette: Any, unhinted: Any) -> None:
    image, face = noise(), noise(16, 16, 3)
    sent = ColorizeRequest(
        image,
        hints=noise(seed=1),
        selection=noise(channels=1),
        context=noise(seed=2),
        lock=noise(channels=1, seed=3),
        references=(
            Reference(face),
            Reference(face, mask=noise(16, 16, 1)),
            Reference(face, region=noise(channels=1, seed=4)),
        ),
        palette=palette,
        histogram=np.array([0.25, 0.75], np.float32),
        unhinted=unhinted,
        gap=0,
        shading=False,
        light=0,
        seed=2**32 - 1,
        variations=16,
        steps=1,
        guidance=Guidance(references=1.3, hints=0, histogram=10),
        stages=True,
        model="big",
    )
    got = over_the_wire(sent)
    for field in ("line_art", "hints", "selection", "context", "lock"):
        assert same(getattr(got, field), getattr(sent, field)), field
    assert len(got.references) == 3
    for one, other in zip(got.references, sent.references, strict=True):
        assert all(same(getattr(one, part), getattr(other, part)) for part in ("image", "mask", "region"))
    if isinstance(palette, Palette):
        assert got.palette.name == "Spring"
        assert np.array_equal(got.palette.colors, palette.colors)
    else:
        assert got.palette == palette
    assert np.array_equal(got.histogram, sent.histogram)
    for field in PLAIN:
        assert getattr(got, field) == getattr(sent, field), field


def test_what_a_client_leaves_out_keeps_the_requests_own_defaults(noise: Noise) -> None:
    image = noise()
    got, own = requests.request(pb.ColorizeHeader(), {"line_art": image}), ColorizeRequest(image)
    for field in ("palette", "histogram", *PLAIN):
        assert getattr(got, field) == getattr(own, field), field
    one = requests.request(pb.ColorizeHeader(guidance=pb.Guidance(hints=2)), {"line_art": image})
    assert one.guidance == Guidance(hints=2)
    assert requests.request(pb.SegmentHeader(), {"line_art": image}).gap == SegmentRequest(image).gap
    plain = requests.request(pb.DecomposeHeader(), {"picture": image})
    assert isinstance(plain, DecomposeRequest)
    assert plain.fidelity == "clean"
    assert plain.is_plain()
    assert events.report(pb.Report()).shadow_blend == "multiply"


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        (
            pb.DecomposeHeader(fidelity=7),
            "The fidelity 7 is not known to this daemon; update it, or choose another.",
        ),
        (
            pb.DecomposeHeader(shadow_tint=7),
            "The shadow's tint 7 is not known to this daemon; update it, or choose another.",
        ),
        (
            pb.DecomposeHeader(shadow_blend=7),
            "The shadow's blend mode 7 is not known to this daemon; update it, or choose another.",
        ),
        (pb.DecomposeHeader(flat_colors=2**31), "The number of flat colours is 2147483648; 0 to 256 is allowed."),
        (
            pb.ColorizeHeader(unhinted=7),
            "The treatment of unhinted regions 7 is not known to this daemon; update it, or choose another.",
        ),
        (
            pb.ColorizeHeader(automatic=7),
            "The automatic palette 7 is not known to this daemon; update it, or choose another.",
        ),
        (
            pb.ColorizeHeader(colors=pb.Palette(name="Fall", colors=b"1234")),
            "The palette 'Fall' came with 4 bytes; 3 for each colour are needed.",
        ),
        (
            pb.ColorizeHeader(colors=pb.Palette(name="Fall")),
            "The palette 'Fall' holds 0 colours; 1 to 4096 RGB colours are allowed.",
        ),
        (
            pb.ColorizeHeader(histogram=[0.5, 0.25]),
            "The histogram has 2 bins with the sum 0.75; up to 4096 bins, none negative, with the sum 1 are allowed.",
        ),
        (
            pb.ColorizeHeader(histogram=[1.5, -0.5]),
            "The histogram has 2 bins with the sum 1; up to 4096 bins, none negative, with the sum 1 are allowed.",
        ),
        (
            pb.ColorizeHeader(histogram=[float("nan")]),
            "The histogram has 1 bins with the sum nan; up to 4096 bins, none negative, with the sum 1 are allowed.",
        ),
        (pb.ColorizeHeader(steps=0), "The number of steps is 0; 1 to 100 is allowed."),
        (
            pb.ColorizeHeader(guidance=pb.Guidance(histogram=11)),
            "The guidance of histogram is 11.0; 0 to 10 is allowed: choose 1 to take it as it was learnt, more to "
            "exaggerate it.",
        ),
        (
            pb.ColorizeHeader(references=[pb.Reference(image="reference/0")]),
            "The image 'reference/0' did not come; send it after the header.",
        ),
    ],
)
def test_nonsense_in_a_header_is_told_in_a_sentence(noise: Noise, header: Any, sentence: str) -> None:
    with pytest.raises(WrongUsageError) as refused:
        requests.request(header, {"line_art": noise(), "picture": noise()})
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("references", "sentence"),
    [
        ([pb.Reference(image="a")] * 33, "33 references came; at most 32 are allowed."),
        (
            [pb.Reference(image="a", mask="a")],
            "Two images of the job have the same name; give every reference its own names.",
        ),
        (
            [pb.Reference(image="line_art")],
            "Two images of the job have the same name; give every reference its own names.",
        ),
    ],
)
def test_references_need_names_of_their_own(references: Any, sentence: str) -> None:
    with pytest.raises(WrongUsageError) as refused:
        requests.image_names(pb.ColorizeHeader(references=references))
    assert str(refused.value) == sentence
