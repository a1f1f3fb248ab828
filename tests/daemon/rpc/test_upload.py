"""An upload is checked message by message; every fault has its own sentence, and no memory is taken for nonsense."""

import logging
import tracemalloc
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from celwright.domain import Pixels
from celwright.errors import CelwrightError, UnusableInputError, WrongUsageError
from celwright.rpc import requests
from celwright.rpc.faults import ImagesMissingError
from celwright.rpc.generated import celwright_pb2 as pb
from celwright.rpc.image_cache import ImageCache
from celwright.rpc.images import chunks, content_hash, image_start
from celwright.rpc.upload import Unreadable, Upload

Noise = Callable[..., Pixels]
HEADER = pb.SegmentUpload(header=pb.SegmentHeader())


def started(**changes: Any) -> pb.SegmentUpload:
    values = {"name": "line_art", "width": 8, "height": 8, "channels": 4, "depth": 8}
    return pb.SegmentUpload(image=pb.ImageStart(**{**values, **changes}))


def chunk(size: int) -> pb.SegmentUpload:
    return pb.SegmentUpload(chunk=b"\x01" * size)


def received(
    messages: Iterable[Any], cache: ImageCache | None = None, limit: int = 1 << 20
) -> tuple[Any, dict[str, Pixels]]:
    return Upload(requests.image_names, cache or ImageCache(1 << 20), limit).received(messages)


MALFORMED: dict[str, tuple[list[Any], str]] = {
    "nothing": ([], "The upload ended without a header; send the header first."),
    "unreadable": (
        [Unreadable()],
        "A message of the upload cannot be read; send what celwright.proto describes.",
    ),
    "empty message": (
        [HEADER, pb.SegmentUpload()],
        "An empty message came; a header, an image or a chunk is allowed.",
    ),
    "two headers": ([HEADER, HEADER], "A second header came; one header at the beginning is allowed."),
    "image first": ([started()], "The image 'line_art' came before the header; send the header first."),
    "chunk first": ([chunk(3)], "A chunk of 3 bytes came before any image; send the image's start first."),
    "chunk after header": (
        [HEADER, chunk(3)],
        "A chunk of 3 bytes came before any image; send the image's start first.",
    ),
    "unknown name": ([HEADER, started(name="hat")], "The image 'hat' is not known here; allowed: line_art."),
    "same name twice": ([HEADER, started(), chunk(256), started()], "The image 'line_art' came twice; send it once."),
    "too few bytes": (
        [HEADER, started(), chunk(200)],
        "The image 'line_art' ended after 200 bytes; its layout needs 256.",
    ),
    "too few bytes before another": (
        [HEADER, started(), chunk(200), started()],
        "The image 'line_art' ended after 200 bytes; its layout needs 256.",
    ),
    "too many bytes": (
        [HEADER, started(), chunk(200), chunk(100)],
        "The image 'line_art' came with 300 bytes or more; its layout needs 256.",
    ),
    "empty chunk": (
        [HEADER, started(), chunk(0)],
        "The image 'line_art' got a chunk of 0 bytes; 1 to 1048576 are allowed.",
    ),
    "large chunk": (
        [HEADER, started(), chunk(1048577)],
        "The image 'line_art' got a chunk of 1048577 bytes; 1 to 1048576 are allowed.",
    ),
    "five channels": ([HEADER, started(channels=5)], "The image 'line_art' has 5 channels; 1 to 4 are allowed."),
    "no channels": ([HEADER, started(channels=0)], "The image 'line_art' has 0 channels; 1 to 4 are allowed."),
    "float samples": (
        [HEADER, started(depth=32)],
        "The image 'line_art' has 32 bits a channel; 8 or 16 are allowed.",
    ),
    "unknown encoding": (
        [HEADER, started(encoding=4)],
        "The image 'line_art' has the encoding 4; 0 (raw samples) is allowed.",
    ),
    "large profile": (
        [HEADER, started(icc=b"p" * 1048577)],
        "The image 'line_art' has an ICC profile of 1048577 bytes; at most 1048576 are allowed.",
    ),
    "short hash": (
        [HEADER, started(content_hash=b"abc")],
        "The image 'line_art' has a content hash of 3 bytes; 32 are needed.",
    ),
    "reuse without hash": (
        [HEADER, started(reuse=True)],
        "The image 'line_art' is to be reused but has no content hash; send the hash or the image.",
    ),
    "one pixel": (
        [HEADER, started(width=1, height=1)],
        "The image is 1x1 pixels; each side must have at least 8: use a larger picture.",
    ),
    "absurd size": (
        [HEADER, started(width=2**32 - 1, height=2**32 - 1)],
        "The image is 4294967295x4294967295 pixels; no side may exceed 30000, the most a PSD can hold: cut it.",
    ),
    "too many pixels": (
        [HEADER, started(width=30_000, height=30_000)],
        "The image is 30000x30000 pixels (900 million); at most 67 million (8192x8192) are allowed: "
        "scale it down or cut it.",
    ),
    "over the job's limit": (
        [HEADER, started(width=1024, height=1024)],
        "The images of this job take 4 MiB with 'line_art'; at most 1 MiB are allowed: use smaller pictures, or start "
        "the daemon with a higher CELWRIGHT_UPLOAD_BYTES.",
    ),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_upload_is_told_in_a_sentence(case: str) -> None:
    messages, sentence = MALFORMED[case]
    with pytest.raises(CelwrightError) as refused:
        received(messages)
    assert str(refused.value) == sentence
    assert type(refused.value) in (WrongUsageError, UnusableInputError)


def test_memory_is_taken_only_for_what_is_allowed() -> None:
    tracemalloc.start()
    with pytest.raises(UnusableInputError):
        received([HEADER, started(width=8192, height=8192)])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 20


def test_the_limit_counts_all_images_together() -> None:
    header = pb.ColorizeUpload(header=pb.ColorizeHeader())
    start = pb.ImageStart(name="line_art", width=512, height=512, channels=4, depth=8)
    rest = pb.ImageStart(name="hints", width=512, height=512, channels=4, depth=8)
    line = [pb.ColorizeUpload(image=start), pb.ColorizeUpload(chunk=b"1" * (1 << 20))]
    assert set(received([header, *line])[1]) == {"line_art"}
    with pytest.raises(UnusableInputError, match=r"^The images of this job take 2 MiB with 'hints'; at most 1 MiB "):
        received([header, *line, pb.ColorizeUpload(image=rest)])


def upload(image: Pixels, *, reuse: bool = False, claimed: bytes | None = None) -> list[pb.SegmentUpload]:
    known = content_hash(image.data) if claimed is None else claimed
    start = pb.SegmentUpload(image=image_start("line_art", image, content_hash=known, reuse=reuse))
    sent = [] if reuse else [pb.SegmentUpload(chunk=piece) for piece in chunks(image)]
    return [HEADER, start, *sent]


def test_a_held_image_needs_no_bytes(noise: Noise) -> None:
    cache, image = ImageCache(1 << 20), noise(depth=16)
    received(upload(image), cache)
    moved = Pixels(image.data, (-5, 7), b"profile")
    _, named = received(upload(moved, reuse=True), cache)
    assert (named["line_art"].data == image.data).all()
    assert (named["line_art"].offset, named["line_art"].icc) == ((-5, 7), b"profile")


def test_all_images_that_are_not_held_are_named() -> None:
    start = {"width": 8, "height": 8, "channels": 4, "depth": 8, "content_hash": b"h" * 32, "reuse": True}
    messages = [pb.ColorizeUpload(image=pb.ImageStart(name=name, **start)) for name in ("line_art", "hints")]
    with pytest.raises(ImagesMissingError) as refused:
        received([pb.ColorizeUpload(header=pb.ColorizeHeader()), *messages])
    assert refused.value.names == ["line_art", "hints"]
    assert str(refused.value) == "The daemon no longer holds the image 'line_art', 'hints'; send it in full."


def test_a_held_image_of_another_layout_is_refused(noise: Noise) -> None:
    cache, image = ImageCache(1 << 20), noise(40, 24)
    received(upload(image), cache)
    other = noise(24, 40)
    with pytest.raises(WrongUsageError) as refused:
        received(upload(other, reuse=True, claimed=content_hash(image.data)), cache)
    assert str(refused.value) == "The image 'line_art' has the content hash of another layout; hash it again."


def test_a_false_hash_is_not_believed(noise: Noise, caplog: pytest.LogCaptureFixture) -> None:
    cache, image, other = ImageCache(1 << 20), noise(), noise(seed=1)
    with caplog.at_level(logging.WARNING):
        received(upload(image, claimed=content_hash(other.data)), cache)
        assert cache.held([content_hash(image.data), content_hash(other.data)]) == []
    assert caplog.messages == ["An image came with the content hash of another one; it is not kept."]


def test_the_least_recently_used_image_is_dropped_first(noise: Noise) -> None:
    pictures = [noise(seed=seed) for seed in range(3)]
    hashes = [content_hash(image.data) for image in pictures]
    cache = ImageCache(2 * pictures[0].data.nbytes)
    received(upload(pictures[0]), cache)
    received(upload(pictures[1]), cache)
    assert cache.held([hashes[0]]) == [hashes[0]]  # used again
    received(upload(pictures[2]), cache)
    assert cache.held(hashes) == [hashes[0], hashes[2]]
    assert cache.byte_count == 2 * pictures[0].data.nbytes


def test_an_image_larger_than_the_cache_is_not_kept(noise: Noise) -> None:
    cache, image = ImageCache(100), noise()
    received(upload(image), cache)
    assert cache.held([content_hash(image.data)]) == []
    assert cache.byte_count == 0
