"""A job's upload, message by message: a header, then images, everything checked before memory is taken for it.

Works for every kind of job, for their upload messages have the same parts. Knows nothing of what the images mean.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Any, TypeAlias

from celwright.domain import Pixels
from celwright.errors import UnusableInputError, WrongUsageError
from celwright.rpc.faults import ImagesMissingError
from celwright.rpc.generated import celwright_pb2 as pb
from celwright.rpc.image_cache import ImageCache
from celwright.rpc.images import IncomingImage, byte_count, placed

Header: TypeAlias = Any  # DecomposeHeader | SegmentHeader | ColorizeHeader


class Unreadable:
    """Stands for a message whose bytes are no message of the kind that was due."""


class Upload:
    """Takes one job's messages. ``names`` tells from the header which images may come, and raises what is wrong
    with the header; ``limit`` is the most bytes that all images may take."""

    def __init__(self, names: Callable[[Header], Collection[str]], cache: ImageCache, limit: int) -> None:
        self._names_of = names
        self._cache = cache
        self._limit = limit
        self._total = 0
        self._header: Header | None = None
        self._names: Collection[str] = ()
        self._images: dict[str, Pixels] = {}
        self._incoming: IncomingImage | None = None
        self._missing: list[str] = []

    def received(self, messages: Iterable[Any]) -> tuple[Header, dict[str, Pixels]]:
        """The header and the images by name, when ``messages`` has ended. Raises one sentence for every fault;
        ImagesMissingError names all images that were to be reused and are not there."""
        for message in messages:
            if isinstance(message, Unreadable):
                raise WrongUsageError("A message of the upload cannot be read; send what celwright.proto describes.")
            match message.WhichOneof("part"):
                case "header":
                    self._take_header(message.header)
                case "image":
                    self._start_image(message.image)
                case "chunk":
                    self._take_chunk(message.chunk)
                case _:
                    raise WrongUsageError("An empty message came; a header, an image or a chunk is allowed.")
        if self._header is None:
            raise WrongUsageError("The upload ended without a header; send the header first.")
        self._finish_image()
        if self._missing:
            raise ImagesMissingError(self._missing)
        return self._header, self._images

    def _take_header(self, header: Header) -> None:
        if self._header is not None:
            raise WrongUsageError("A second header came; one header at the beginning is allowed.")
        self._names = self._names_of(header)
        self._header = header

    def _start_image(self, start: pb.ImageStart) -> None:
        if self._header is None:
            raise WrongUsageError(f"The image {start.name!r} came before the header; send the header first.")
        self._finish_image()
        if start.name not in self._names:
            raise WrongUsageError(
                f"The image {start.name!r} is not known here; allowed: {', '.join(sorted(self._names))}."
            )
        if start.name in self._images or start.name in self._missing:
            raise WrongUsageError(f"The image {start.name!r} came twice; send it once.")
        self._total += byte_count(start)
        if self._total > self._limit:
            raise UnusableInputError(
                f"The images of this job take {self._total / 2**20:.0f} MiB with {start.name!r}; at most "
                f"{self._limit / 2**20:.0f} MiB are allowed: use smaller pictures, or start the daemon with a higher "
                f"CELWRIGHT_UPLOAD_BYTES."
            )
        if start.reuse:
            self._reuse(start)
        else:
            self._incoming = IncomingImage(start)

    def _reuse(self, start: pb.ImageStart) -> None:
        data = self._cache.get(start.content_hash)
        if data is None:
            self._missing.append(start.name)
        elif (*data.shape, 8 * data.dtype.itemsize) != (start.height, start.width, start.channels, start.depth):
            raise WrongUsageError(f"The image {start.name!r} has the content hash of another layout; hash it again.")
        else:
            self._images[start.name] = placed(data, start)

    def _take_chunk(self, chunk: bytes) -> None:
        if self._incoming is None:
            raise WrongUsageError(f"A chunk of {len(chunk)} bytes came before any image; send the image's start first.")
        self._incoming.take(chunk)

    def _finish_image(self) -> None:
        if self._incoming is None:
            return
        start, image = self._incoming.start, self._incoming.pixels()
        self._incoming = None
        self._images[start.name] = image
        if start.content_hash:
            self._cache.offer(start.content_hash, image.data)
