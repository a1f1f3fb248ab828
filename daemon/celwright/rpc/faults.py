"""The same fault on both ends of the wire: CelwrightError ↔ gRPC status, sentence and class kept."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import grpc

from celwright import errors
from celwright.errors import (
    AccessDeniedError,
    CancelledError,
    CelwrightError,
    DaemonUnreachableError,
    ModelUnavailableError,
    QueueFullError,
    UnusableInputError,
    WrongUsageError,
)

log = logging.getLogger(__name__)

ERROR_KEY = "celwright-error"  # trailing metadata: the class of the fault
MISSING_KEY = "celwright-missing"  # trailing metadata: names of images to send in full


class ImagesMissingError(CelwrightError):
    """The daemon no longer holds images that the client wanted it to reuse; ``names`` are to be sent in full."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(f"The daemon no longer holds the image {', '.join(map(repr, names))}; send it in full.")
        self.names = names


_CODES: dict[type[CelwrightError], grpc.StatusCode] = {
    WrongUsageError: grpc.StatusCode.INVALID_ARGUMENT,
    UnusableInputError: grpc.StatusCode.INVALID_ARGUMENT,
    ModelUnavailableError: grpc.StatusCode.FAILED_PRECONDITION,
    ImagesMissingError: grpc.StatusCode.FAILED_PRECONDITION,
    QueueFullError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    DaemonUnreachableError: grpc.StatusCode.UNAVAILABLE,
    AccessDeniedError: grpc.StatusCode.UNAUTHENTICATED,
    CancelledError: grpc.StatusCode.CANCELLED,
}


def abort(context: grpc.ServicerContext, error: CelwrightError) -> NoReturn:
    """End the call with ``error``'s status; raises, as grpc's own abort does."""
    metadata = [(ERROR_KEY, type(error).__name__)]
    if isinstance(error, ImagesMissingError):
        metadata.append((MISSING_KEY, ",".join(error.names)))
    context.set_trailing_metadata(tuple(metadata))
    context.abort(_CODES.get(type(error), grpc.StatusCode.INTERNAL), str(error))


@contextmanager
def told(context: grpc.ServicerContext) -> Iterator[None]:
    """Whatever goes wrong while an upload is taken and served ends the call with a sentence."""
    try:
        yield
    except CelwrightError as error:
        abort(context, error)
    except MemoryError:
        log.exception("An upload")
        abort(context, CelwrightError("The daemon has no memory left for these images; use smaller ones."))
    except grpc.RpcError:
        log.info("A client left while it sent its images.")


def fault(error: grpc.RpcError, address: str) -> CelwrightError:
    """What a failed call to the daemon at ``address`` means, as the class that the daemon raised."""
    assert isinstance(error, grpc.Call)  # every error of a call is the call itself
    sentence = error.details() or "The daemon gave no reason."
    told = {str(key): str(value) for key, value in error.trailing_metadata() or ()}
    if MISSING_KEY in told:
        return ImagesMissingError(told[MISSING_KEY].split(","))
    if ERROR_KEY in told:
        kind = getattr(errors, told[ERROR_KEY], CelwrightError)
        return (
            kind(sentence) if isinstance(kind, type) and issubclass(kind, CelwrightError) else CelwrightError(sentence)
        )
    match error.code():
        case grpc.StatusCode.UNAVAILABLE | grpc.StatusCode.CANCELLED:  # without our class: a server that is ending
            return DaemonUnreachableError(
                f"No daemon answers at {address}, or it ended at work; start it with 'celwright serve' and try again."
            )
        case grpc.StatusCode.UNIMPLEMENTED:
            return CelwrightError(f"The daemon at {address} cannot do this; its version is another: update it.")
        case _:
            return CelwrightError(f"The daemon at {address} refused the call: {sentence}")
