"""The call that writes a layered document: the upload becomes a tree, a writer's file goes back in pieces.

The bytes of a file are made by a ``DocumentWriter``; neither PSD nor OpenRaster is known here, and nothing is written
to the user's folders.
"""

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO, Protocol

from celwright.errors import CancelledError, OutputError, WrongUsageError
from celwright.rpc.document_tree import FORMATS, Document, DocumentFormat, document, image_names
from celwright.rpc.generated import celwright_pb2 as pb
from celwright.rpc.images import CHUNK_BYTES
from celwright.rpc.upload import Upload


class DocumentWriter(Protocol):
    """Makes the file. Calls ``before_layer`` before each layer and lets pass what that raises; may raise
    CelwrightErrors of its own."""

    def __call__(self, document: Document, stream: BinaryIO, before_layer: Callable[[], None]) -> DocumentFormat:
        """Write to the seekable ``stream``; what the file became (a PSD too large becomes a PSB)."""


def written(
    uploads: Iterable[Any], writer: DocumentWriter | None, upload: Callable[..., Upload], wanted: Callable[[], bool]
) -> Iterator[pb.DocumentPart]:
    """The finished file of an upload. ``upload`` makes its reader; the work ends when nobody has ``wanted`` it.

    The file has no name while it is written, so that nothing of it stays whatever happens to the daemon."""

    def before_layer() -> None:
        if not wanted():
            raise CancelledError("The client left before its document was written.")

    if writer is None:
        raise WrongUsageError("This daemon writes no documents; its capabilities do not name 'write.psd'.")
    received = document(*upload(image_names).received(uploads))
    try:
        with tempfile.TemporaryFile(prefix="celwright") as file:
            became = writer(received, file, before_layer)
            del received  # the images' memory, while the file is sent
            yield from _parts(file, became)
    except OSError as error:
        raise OutputError(
            f"The document could not be kept while it was written ({error.strerror or error}); free some space in the "
            f"daemon's folder for temporary files, {tempfile.gettempdir()!r}."
        ) from error


def _parts(file: BinaryIO, became: DocumentFormat) -> Iterator[pb.DocumentPart]:
    size = file.seek(0, 2)
    file.seek(0)
    number: Any = max(number for number, name in FORMATS.items() if name == became)
    yield pb.DocumentPart(start=pb.DocumentStart(bytes=size, format=number))
    digest = hashlib.sha256()
    while chunk := file.read(CHUNK_BYTES):
        digest.update(chunk)
        yield pb.DocumentPart(chunk=chunk)
    yield pb.DocumentPart(end=pb.DocumentEnd(sha256=digest.digest()))
