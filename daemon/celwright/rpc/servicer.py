"""celwright.v1 as a stock gRPC service over the engine: takes uploads, streams events, answers about the daemon.

Knows nothing of sockets, tokens or pipelines.
"""

import functools
import logging
import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

import grpc

from celwright import domain
from celwright.engine import Engine
from celwright.errors import CelwrightError, WrongUsageError
from celwright.rpc import events, faults, requests
from celwright.rpc.documents import DocumentWriter, written
from celwright.rpc.generated import celwright_pb2 as pb
from celwright.rpc.generated import celwright_pb2_grpc as pb_grpc
from celwright.rpc.image_cache import ImageCache
from celwright.rpc.upload import Unreadable, Upload

log = logging.getLogger(__name__)

API_VERSION = 5  # counts up with every addition to celwright.proto
MAX_ID = 64  # characters
MAX_HASHES = 1000


class ModelRegistry(Protocol):
    """What the service asks of the models on disk. Any method may raise CelwrightError."""

    def listed(self) -> Sequence[Mapping[str, Any]]:
        """One mapping for each model, with the fields of the message Model."""

    def pull(self, name: str) -> Iterator[tuple[int, int]]:
        """Fetch a model; (bytes done, bytes in all) again and again."""

    def remove(self, name: str) -> None: ...


@dataclass(frozen=True)
class Facts:
    """What the daemon tells about itself: constants, and questions whose answer changes."""

    version: str
    queue_limit: int
    idle_seconds: float
    upload_bytes: int
    capabilities: Callable[[], Sequence[str]]
    device: Callable[[], str]
    torch_loaded: Callable[[], bool]
    models: ModelRegistry | None = None  # None: this daemon manages no models
    documents: DocumentWriter | None = None  # None: this daemon writes no documents
    started: float = field(default_factory=time.monotonic)


_Self = TypeVar("_Self")
_Message = TypeVar("_Message")
_Reply = TypeVar("_Reply")


def _answering(
    method: Callable[[_Self, _Message], _Reply],
) -> Callable[[_Self, _Message, grpc.ServicerContext], _Reply]:
    """A unary method whose CelwrightErrors become the call's status."""

    @functools.wraps(method)
    def answered(self: _Self, message: _Message, context: grpc.ServicerContext) -> _Reply:
        try:
            _check_readable(message)
            return method(self, message)
        except CelwrightError as error:
            faults.abort(context, error)

    return answered


class Servicer(pb_grpc.CelwrightServicer):
    """The service's methods; their meaning stands in celwright.proto."""

    def __init__(self, engine: Engine, cache: ImageCache, facts: Facts) -> None:
        self._engine = engine
        self._cache = cache
        self._facts = facts

    def Colorize(self, uploads: Iterator[Any], context: grpc.ServicerContext) -> Iterator[pb.JobEvent]:
        return self._job(uploads, context)

    def Decompose(self, uploads: Iterator[Any], context: grpc.ServicerContext) -> Iterator[pb.JobEvent]:
        return self._job(uploads, context)

    def Segment(self, uploads: Iterator[Any], context: grpc.ServicerContext) -> Iterator[pb.JobEvent]:
        return self._job(uploads, context)

    def _job(self, uploads: Iterator[Any], context: grpc.ServicerContext) -> Iterator[pb.JobEvent]:
        with faults.told(context):
            header, named = self._upload(self._names).received(uploads)
            job_id = header.options.job_id or uuid.uuid4().hex
            job = self._engine.submit(requests.request(header, named), job_id)
            del named  # the job holds the images for as long as it needs them
            # Also when the client is gone already: then the callback is refused and the job ends here.
            if not context.add_callback(job.close):
                job.close()
            log.info("Job %s: %s for %s", job_id, type(header).__name__, header.options.client_version or "a client")
            yield pb.JobEvent(accepted=pb.Accepted(job_id=job_id))
            for event in job:
                yield from events.event_messages(event)

    def WriteDocument(self, uploads: Iterator[Any], context: grpc.ServicerContext) -> Iterator[pb.DocumentPart]:
        with faults.told(context):
            yield from written(uploads, self._facts.documents, self._upload, context.is_active)

    def _upload(self, names: Callable[[Any], frozenset[str]]) -> Upload:
        return Upload(names, self._cache, self._facts.upload_bytes)

    def _names(self, header: Any) -> frozenset[str]:
        """What may follow the header; also the moment to refuse a job before its images cross."""
        self._engine.check_room()
        if len(header.options.job_id) > MAX_ID:
            raise WrongUsageError(f"The job's id has {len(header.options.job_id)} characters; {MAX_ID} are allowed.")
        return requests.image_names(header)

    @_answering
    def FindImages(self, message: pb.FindImagesRequest) -> pb.FindImagesReply:
        if len(message.content_hashes) > MAX_HASHES:
            raise WrongUsageError(f"{len(message.content_hashes)} hashes came; at most {MAX_HASHES} are allowed.")
        return pb.FindImagesReply(content_hashes=self._cache.held(message.content_hashes))

    @_answering
    def Cancel(self, message: pb.CancelRequest) -> pb.CancelReply:
        return pb.CancelReply(cancelled=self._engine.cancel(message.job_id))

    @_answering
    def GetStatus(self, message: pb.GetStatusRequest) -> pb.Status:
        facts, engine = self._facts, self._engine.status()
        return pb.Status(
            version=facts.version,
            api_version=API_VERSION,
            uptime_seconds=time.monotonic() - facts.started,
            device=facts.device(),
            capabilities=facts.capabilities(),
            loaded=[kind.__name__.removesuffix("Request").lower() for kind in engine.loaded],
            waiting=engine.waiting,
            running=engine.running,
            queue_limit=facts.queue_limit,
            memory_bytes=_resident_bytes(),
            cached_bytes=self._cache.byte_count,
            cache_limit=self._cache.limit,
            idle_seconds=facts.idle_seconds,
            torch_loaded=facts.torch_loaded(),
            max_side=domain.MAX_SIDE,
            max_pixels=domain.MAX_PIXELS,
            upload_limit=facts.upload_bytes,
        )

    @_answering
    def ListModels(self, message: pb.ListModelsRequest) -> pb.ListModelsReply:
        return pb.ListModelsReply(models=[pb.Model(**model) for model in self._models().listed()])

    def PullModel(self, message: Any, context: grpc.ServicerContext) -> Iterator[pb.PullProgress]:
        try:
            _check_readable(message)
            for done, total in self._models().pull(message.name):
                yield pb.PullProgress(bytes_done=done, bytes_total=total)
        except CelwrightError as error:
            faults.abort(context, error)

    @_answering
    def RemoveModel(self, message: pb.RemoveModelRequest) -> pb.RemoveModelReply:
        self._models().remove(message.name)
        return pb.RemoveModelReply()

    def _models(self) -> ModelRegistry:
        if self._facts.models is None:
            raise WrongUsageError("This daemon manages no models; its capabilities do not name 'models'.")
        return self._facts.models


def _check_readable(message: Any) -> None:
    if isinstance(message, Unreadable):
        raise WrongUsageError("The message cannot be read; send what celwright.proto describes.")


def _resident_bytes() -> int | None:
    """Memory of this process that is in RAM; None where the system does not tell in a file."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
