"""The listening daemon: binds one address, serves until a signal comes, ends without dropping work. Loads no torch."""

import contextlib
import logging
import os
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from celwright.access_token import created_token
from celwright.engine import Engine
from celwright.errors import WrongUsageError
from celwright.rpc.access import ReadableInterceptor, TokenInterceptor
from celwright.rpc.endpoint import claimed_socket
from celwright.rpc.generated import celwright_pb2 as pb
from celwright.rpc.generated import celwright_pb2_grpc as pb_grpc
from celwright.rpc.image_cache import ImageCache
from celwright.rpc.servicer import Facts, Servicer
from celwright.rpc.tls import read_file
from celwright.settings import Settings

log = logging.getLogger(__name__)

SERVICE_NAME = pb.DESCRIPTOR.services_by_name["Celwright"].full_name
SPARE_THREADS = 16  # for status, cancelling, health and uploads under way
OPTIONS = (
    ("grpc.so_reuseport", 0),  # else a second daemon could share the port, and half of the calls
    ("grpc.max_receive_message_length", 16 << 20),  # larger than allowed, so that we can say what is wrong
    ("grpc.http2.max_frame_size", 1 << 20),
)
FAREWELL_SECONDS = 2.0  # for the last messages, after the jobs have ended


class Server:
    """The service on one address. ``address`` is where clients connect; ``token`` what they show, empty on a Unix
    socket, whose file permission (0600) is the authentication."""

    def __init__(self, settings: Settings, engine: Engine, facts: Facts) -> None:
        self._engine = engine
        self._cache = ImageCache(settings.cache_bytes)
        engine.also_unload(self._cache.clear)
        self._health = health.HealthServicer()
        self._resources = contextlib.ExitStack()
        self.token = created_token(settings.token_file) if settings.host else ""
        interceptors: list[grpc.ServerInterceptor] = [ReadableInterceptor()]
        if self.token:
            interceptors.insert(0, TokenInterceptor(self.token))
        self._server = grpc.server(
            ThreadPoolExecutor(settings.queue_limit + 1 + SPARE_THREADS, thread_name_prefix="celwright-rpc"),
            interceptors=interceptors,
            options=OPTIONS,
        )
        pb_grpc.add_CelwrightServicer_to_server(Servicer(engine, self._cache, facts), self._server)  # type: ignore[no-untyped-call]
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection((SERVICE_NAME, health.SERVICE_NAME, reflection.SERVICE_NAME), self._server)
        try:
            self.address = self._bind(settings)
        except BaseException:
            self._resources.close()
            raise

    def start(self) -> None:
        self._server.start()
        for name in ("", SERVICE_NAME):
            self._health.set(name, health_pb2.HealthCheckResponse.SERVING)

    def stop(self, grace_seconds: float = 0.0) -> None:
        """Take no more calls, let the running job finish within ``grace_seconds``, then cancel it; returns when all
        has ended. May be called again from another thread with less grace."""
        ended = self.refuse(grace_seconds)
        self._engine.close(grace_seconds)
        ended.wait()
        self._cache.close()
        self._resources.close()

    def refuse(self, grace_seconds: float) -> threading.Event:
        """Take no more calls from now on; those under way may go on for ``grace_seconds``. Set when all have ended."""
        self._health.enter_graceful_shutdown()
        return self._server.stop(grace_seconds + FAREWELL_SECONDS)

    def hurry(self) -> None:
        """Cancel whatever ``stop`` still waits for."""
        self._engine.close()
        self._server.stop(FAREWELL_SECONDS / 4)

    def _bind(self, settings: Settings) -> str:
        if not settings.host:
            self._resources.enter_context(claimed_socket(settings.socket))
        credentials = _tls_credentials(settings) if settings.host and settings.tls else None
        before = os.umask(0o177)  # a Unix socket is 0600 from its first moment
        try:
            if credentials is not None:
                port = self._server.add_secure_port(settings.address, credentials)
            else:
                port = self._server.add_insecure_port(settings.address)
        except RuntimeError:
            raise WrongUsageError(
                f"The daemon cannot listen on {settings.address}; it is in use or not this machine's: end the other "
                f"program, or choose another with --socket, or --host and --port."
            ) from None
        finally:
            os.umask(before)
        return replace(settings, port=port).address if settings.host else settings.address


def serve(
    settings: Settings, engine: Engine, facts: Facts, ready: Callable[[str], None], signals: "queue.SimpleQueue[int]"
) -> None:
    """Serve until a signal number comes out of ``signals``. The first lets the running job finish within the grace
    time, the second cancels it. ``ready`` is told the address."""
    server = Server(settings, engine, facts)
    server.start()
    ready(server.address)
    number = awaited(signals)
    server.refuse(settings.grace_seconds)  # before anybody reads that it ends
    log.info("Signal %d: ending", number)
    stopping = threading.Thread(target=server.stop, args=(settings.grace_seconds,), name="celwright-stop")
    stopping.start()
    while stopping.is_alive():
        with contextlib.suppress(queue.Empty):
            log.info("Signal %d: ending at once", signals.get(timeout=0.05))
            server.hurry()
    stopping.join()


def awaited(signals: "queue.SimpleQueue[int]") -> int:
    """The next signal, waited for in short turns: Python calls a handler between two of its own steps, and one whose
    signal came just as an endless wait began would never be called."""
    while True:
        with contextlib.suppress(queue.Empty):
            return signals.get(timeout=0.2)


@contextlib.contextmanager
def end_signals() -> Iterator["queue.SimpleQueue[int]"]:
    """SIGTERM and SIGINT as a queue, whose put is safe inside a signal handler; the old handlers at the end."""
    arrived: queue.SimpleQueue[int] = queue.SimpleQueue()
    before = {
        number: signal.signal(number, lambda number, frame: arrived.put(number))
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield arrived
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tls_credentials(settings: Settings) -> grpc.ServerCredentials:
    assert settings.tls_cert is not None  # Settings has seen to all three
    assert settings.tls_key is not None
    assert settings.tls_client_ca is not None
    return grpc.ssl_server_credentials(
        [(read_file(settings.tls_key), read_file(settings.tls_cert))],
        root_certificates=read_file(settings.tls_client_ca),
        require_client_auth=True,
    )
