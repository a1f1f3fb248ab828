"""What the plugin says to the daemon: run a job and hear its events, ask for status and models. Knows no threads' ways.

All calls block; a worker thread makes them. Cancelling works from any thread.
"""

from __future__ import annotations

import uuid
from typing import Any, Iterator

from celwright_krita import __version__, domain
from celwright_krita.errors import ImagesMissingError
from celwright_krita.pixels import Pixels
from celwright_krita.rpc import images, messages
from celwright_krita.rpc.channel import Cancellation, Channel
from celwright_krita.rpc.framing import Buffer
from celwright_krita.rpc.generated import celwright_pb2 as pb

SERVICE = "/celwright.v1.Celwright/"
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
        named = messages.request_images(self._request)
        hashes = {name: image.content_hash() for name, image in named.items()}
        known = self._client.held(list(hashes.values()))
        try:
            yield from self._events(named, hashes, known)
        except ImagesMissingError:  # dropped between the question and the upload
            yield from self._events(named, hashes, set())

    def _events(self, named: dict[str, Pixels], hashes: dict[str, bytes], known: set[bytes]) -> Iterator[domain.Event]:
        uploads = self._uploads(named, hashes, known)
        path = SERVICE + messages.method(self._request)
        stream = self._client.channel.messages(path, uploads, self._cancellation, SILENCE_SECONDS)
        try:
            yield from messages.events(self._heard(stream))
        finally:
            stream.close()

    def _uploads(
        self, named: dict[str, Pixels], hashes: dict[str, bytes], known: set[bytes]
    ) -> Iterator[tuple[Buffer, ...]]:
        part = messages.UPLOADS[type(self._request)]
        header = messages.header(self._request, self.id, f"celwright_krita {__version__}")
        yield (part(header=header).SerializeToString(),)
        for name, image in named.items():
            reuse = hashes[name] in known
            yield (part(image=images.image_start(name, image, hashes[name], reuse)).SerializeToString(),)
            if not reuse:
                yield from images.chunk_messages(image)

    def _heard(self, stream: Iterator[bytes | None]) -> Iterator[bytes]:
        """A long silence is well as long as the daemon answers another call."""
        for message in stream:
            if message is None:
                self._client.status()
            else:
                yield message


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
        reply = self._answer("FindImages", pb.FindImagesRequest(content_hashes=hashes), pb.FindImagesReply)
        return set(reply.content_hashes)

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

    def _answer(self, method: str, message: Any, kind: Any) -> Any:
        return messages.parsed(kind, self.channel.answer(SERVICE + method, message.SerializeToString(), ANSWER_SECONDS))
