"""What the plugin says to the daemon: run a job and hear its events, ask for status and models. Knows no threads' ways.

All calls block; a worker thread makes them. Cancelling works from any thread.
"""

from __future__ import annotations

import contextlib
import uuid
from typing import Any, Generator, Iterator

from celwright_krita import __version__, domain
from celwright_krita.document import DocumentPart, DocumentRequest
from celwright_krita.errors import ImagesMissingError
from celwright_krita.pixels import Pixels
from celwright_krita.rpc import documents, messages
from celwright_krita.rpc.channel import Cancellation, Channel
from celwright_krita.rpc.framing import Buffer
from celwright_krita.rpc.generated import celwright_pb2 as pb

SERVICE = "/celwright.v1.Celwright/"
VERSION = f"celwright_krita {__version__}"  # for the daemon's log
MAX_HASHES = 1000  # that the daemon looks up at a time
ANSWER_SECONDS = 10.0  # for calls that only ask or tell
SILENCE_SECONDS = 20.0  # of a job, until the daemon is asked whether it lives
PULL_SECONDS = 120.0  # without a byte of a model that is fetched


class Job:
    """One job: iterate over its events, the last one Finished, once. ``cancel`` ends it from any thread; the
    iteration then raises CancelledError."""

    def __init__(self, client: Client, request: domain.Request) -> None:
        self.id = uuid.uuid4().hex
        self._client = client
        self._request = request
        self._cancellation = Cancellation()

    def cancel(self) -> None:
        self._cancellation.request()

    def __iter__(self) -> Iterator[domain.Event]:
        """Images that the daemon still holds are not sent. Closing the iterator cancels the job."""
        request = self._request
        header = messages.header(request, self.id, VERSION)
        part, named = messages.UPLOADS[type(request)], messages.request_images(request)
        stream = self._client.answers(messages.method(request), part, header, named, self._cancellation)
        with contextlib.closing(stream):
            yield from messages.events(stream)


class Client:
    """Talks to the daemon at ``address`` (``unix:/path`` or ``host:port``), showing ``token`` where it is not empty.

    Every method raises the daemon's own errors (errors.py), DaemonUnreachableError when none answers,
    AccessDeniedError when the token is wrong, UnreadableAnswerError when another program answers.
    """

    def __init__(self, address: str, token: str = "") -> None:
        self.channel = Channel(address, token)

    def job(self, request: domain.Request) -> Job:
        """A job; nothing is sent before its first event is asked for."""
        return Job(self, request)

    def status(self) -> domain.DaemonStatus:
        return messages.status(self._answer("GetStatus", pb.GetStatusRequest(), pb.Status))

    def held(self, hashes: list[bytes]) -> set[bytes]:
        """Those of the content ``hashes`` whose images the daemon holds."""
        known: set[bytes] = set()
        for start in range(0, len(hashes), MAX_HASHES):
            asked = pb.FindImagesRequest(content_hashes=hashes[start : start + MAX_HASHES])
            known.update(self._answer("FindImages", asked, pb.FindImagesReply).content_hashes)
        return known

    def cancel(self, job_id: str) -> bool:
        """Cancel a job that waits or runs; False when there is none with this id."""
        return bool(self._answer("Cancel", pb.CancelRequest(job_id=job_id), pb.CancelReply).cancelled)

    def models(self) -> list[domain.Model]:
        reply = self._answer("ListModels", pb.ListModelsRequest(), pb.ListModelsReply)
        return [messages.model(message) for message in reply.models]

    def pull_model(self, name: str, cancellation: Cancellation | None = None) -> Iterator[tuple[int, int]]:
        """Have the daemon fetch a model; (bytes done, bytes in all) again and again."""
        request = pb.PullModelRequest(name=name).SerializeToString()
        stream = self.channel.messages(
            f"{SERVICE}PullModel", [(request,)], cancellation or Cancellation(), PULL_SECONDS
        )
        for message in stream:
            if message is None:
                self.status()
            else:
                progress = messages.parsed(pb.PullProgress, message)
                yield progress.bytes_done, progress.bytes_total

    def remove_model(self, name: str) -> None:
        self._answer("RemoveModel", pb.RemoveModelRequest(name=name), pb.RemoveModelReply)

    def write_document(
        self, request: DocumentRequest, cancellation: Cancellation | None = None
    ) -> Generator[DocumentPart, None, None]:
        """Have the daemon make a layered file: a DocumentStart, then its bytes piece by piece. They are the file's only
        when the iteration has ended well. Closing the iterator ends the work."""
        header, named = documents.upload(request, VERSION)
        stream = self.answers("WriteDocument", pb.DocumentUpload, header, named, cancellation or Cancellation())
        with contextlib.closing(stream):
            yield from documents.parts(stream)

    def answers(
        self, method: str, part: Any, header: Any, named: dict[str, Pixels], cancellation: Cancellation
    ) -> Generator[bytes, None, None]:
        """What the daemon says to an upload (messages of the kind ``part``) of ``header`` and images, of which those
        that it holds are not sent. Closing the iterator hangs up."""
        hashes = {name: image.content_hash() for name, image in named.items()}
        known = self.held(list(hashes.values()))
        try:
            yield from self._heard(method, messages.upload(part, header, named, hashes, known), cancellation)
        except ImagesMissingError:  # dropped between the question and the upload
            yield from self._heard(method, messages.upload(part, header, named, hashes, ()), cancellation)

    def _heard(
        self, method: str, uploads: Iterator[tuple[Buffer, ...]], cancellation: Cancellation
    ) -> Generator[bytes, None, None]:
        """A long silence is well as long as the daemon answers another call."""
        stream = self.channel.messages(SERVICE + method, uploads, cancellation, SILENCE_SECONDS)
        with contextlib.closing(stream):
            for message in stream:
                if message is None:
                    self.status()
                else:
                    yield message

    def _answer(self, method: str, message: Any, kind: Any) -> Any:
        return messages.parsed(kind, self.channel.answer(SERVICE + method, message.SerializeToString(), ANSWER_SECONDS))
