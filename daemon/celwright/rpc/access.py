"""Who may call: on TCP, whoever shows the token. Also turns unreadable messages into something that can be answered.

An interceptor, so that it stands before every method, health and reflection included.
"""

import hmac
from collections.abc import Callable
from typing import Any

import grpc

from celwright.errors import AccessDeniedError
from celwright.rpc import faults
from celwright.rpc.upload import Unreadable

SERVICE = "/celwright.v1.Celwright/"


class TokenInterceptor(grpc.ServerInterceptor):
    """Refuses calls without ``authorization: Bearer TOKEN``."""

    def __init__(self, token: str) -> None:
        self._expected = f"Bearer {token}".encode()
        self._refusal: Any = grpc.unary_unary_rpc_method_handler(_refuse)
        self._stream_refusal: Any = grpc.stream_stream_rpc_method_handler(_refuse)

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Any],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        shown = dict(handler_call_details.invocation_metadata or ()).get("authorization", "")
        if hmac.compare_digest(shown.encode() if isinstance(shown, str) else shown, self._expected):
            return continuation(handler_call_details)
        handler = continuation(handler_call_details)
        return self._stream_refusal if handler is not None and handler.response_streaming else self._refusal


class ReadableInterceptor(grpc.ServerInterceptor):
    """Hands over ``Unreadable`` where the bytes are no message, so that the service answers with its own sentence."""

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Any],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        handler = continuation(handler_call_details)
        if handler is None or not str(handler_call_details.method).startswith(SERVICE):
            return handler
        return handler._replace(request_deserializer=_tolerant(handler.request_deserializer))


def _tolerant(deserialize: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    def read(data: bytes) -> Any:
        try:
            return deserialize(data)
        except Exception:  # noqa: BLE001  # protobuf's implementations raise different ones
            return Unreadable()

    return read


def _refuse(_: Any, context: grpc.ServicerContext) -> Any:
    faults.abort(
        context,
        AccessDeniedError("The token is missing or not this daemon's; send the one in its token file as Bearer token."),
    )
