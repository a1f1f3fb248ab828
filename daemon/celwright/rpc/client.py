"""A client of the daemon that looks like a pipeline: a request in, an iterator of events out. Knows no command line."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NamedTuple

import grpc

from celwright import __version__
from celwright.domain import ColorizeRequest, DecomposeRequest, Event, Pixels, Request, SegmentRequest
from celwright.rpc import events, faults, requests
from celwright.rpc.generated import celwright_pb2 as pb
from celwright.rpc.generated import celwright_pb2_grpc as pb_grpc
from celwright.rpc.images import chunks, content_hash, image_start

OPTIONS = (
    ("grpc.enable_http_proxy", 0),  # the daemon is on this machine or named outright
    ("grpc.max_receive_message_length", 16 << 20),
    ("grpc.http2.max_frame_size", 1 << 20),
)
ANSWER_SECONDS = 10.0  # for calls that only ask or tell
_UPLOADS: dict[type, Any] = {
    DecomposeRequest: pb.DecomposeUpload,
    SegmentRequest: pb.SegmentUpload,
    ColorizeRequest: pb.ColorizeUpload,
}


class TlsFiles(NamedTuple):
    """Contents of PEM files: who the daemon must be, and who we are."""

    ca: bytes
    cert: bytes
    key: bytes


@dataclass(frozen=True)
class DaemonStatus:
    """What a daemon tells about itself; fields as in celwright.proto's Status."""

    version: str
    api_version: int
    uptime_seconds: float
    device: str
    capabilities: tuple[str, ...]
    loaded: tuple[str, ...]
    waiting: int
    running: int
    queue_limit: int
    memory_bytes: int | None
    cached_bytes: int
    cache_limit: int
    idle_seconds: float
    torch_loaded: bool
    max_side: int
    max_pixels: int
    upload_limit: int


class Client:
    """Talks to the daemon at ``address`` (``unix:/path`` or ``host:port``), showing ``token`` where it is not empty.

    Every method raises the daemon's own CelwrightErrors, DaemonUnreachableError when none answers, AccessDeniedError
    when the token is wrong.
    """

    def __init__(self, address: str, token: str = "", tls: TlsFiles | None = None) -> None:
        self.address = address
        self._metadata = (("authorization", f"Bearer {token}"),) if token else ()
        if tls is None:
            self._channel = grpc.insecure_channel(address, options=OPTIONS)
        else:
            credentials = grpc.ssl_channel_credentials(tls.ca, tls.key, tls.cert)
            self._channel = grpc.secure_channel(address, credentials, options=OPTIONS)
        self._stub: Any = pb_grpc.CelwrightStub(self._channel)  # type: ignore[no-untyped-call]

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._channel.close()

    def run(self, request: Request, job_id: str = "") -> Iterator[Event]:
        """The events of ``request``, the last one Finished. Nothing is sent before the first ``next``; images that
        the daemon still holds are not sent at all. Closing the iterator cancels the job."""
        images = requests.request_images(request)
        hashes = {name: content_hash(image.data) for name, image in images.items()}
        known = set(self._call("FindImages", pb.FindImagesRequest(content_hashes=hashes.values())).content_hashes)
        try:
            yield from self._job(request, job_id, images, hashes, known)
        except faults.ImagesMissingError:  # dropped between the question and the upload
            yield from self._job(request, job_id, images, hashes, set())

    def status(self) -> DaemonStatus:
        message = self._call("GetStatus", pb.GetStatusRequest())
        values = {name: getattr(message, name) for name in DaemonStatus.__dataclass_fields__}
        values["capabilities"], values["loaded"] = tuple(message.capabilities), tuple(message.loaded)
        values["memory_bytes"] = message.memory_bytes if message.HasField("memory_bytes") else None
        return DaemonStatus(**values)

    def cancel(self, job_id: str) -> bool:
        """Cancel a job that waits or runs; False when there is none with this id."""
        return bool(self._call("Cancel", pb.CancelRequest(job_id=job_id)).cancelled)

    def _call(self, method: str, message: Any) -> Any:
        try:
            return getattr(self._stub, method)(message, metadata=self._metadata, timeout=ANSWER_SECONDS)
        except grpc.RpcError as error:
            raise faults.fault(error, self.address) from None

    def _job(
        self, request: Request, job_id: str, images: dict[str, Pixels], hashes: dict[str, bytes], known: set[bytes]
    ) -> Iterator[Event]:
        method = getattr(self._stub, type(request).__name__.removesuffix("Request"))
        call = method(_upload(request, job_id, images, hashes, known), metadata=self._metadata)
        try:
            yield from events.events(call)
        except grpc.RpcError as error:
            raise faults.fault(error, self.address) from None
        finally:
            call.cancel()


def _upload(
    request: Request, job_id: str, images: dict[str, Pixels], hashes: dict[str, bytes], known: set[bytes]
) -> Iterator[Any]:
    part = _UPLOADS[type(request)]
    yield part(header=requests.header(request, job_id, f"celwright {__version__}"))
    for name, image in images.items():
        reuse = hashes[name] in known
        yield part(image=image_start(name, image, content_hash=hashes[name], reuse=reuse))
        if not reuse:
            for chunk in chunks(image):
                yield part(chunk=chunk)
