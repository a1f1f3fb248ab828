"""A file server on this machine that fails in whatever way a test asks for, one request at a time."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Served:
    """A file, and what to do with the next requests for it; after those it is served well."""

    content: bytes
    etag: str | None = '"1"'
    plan: deque[Callable[["Handler", "Served"], None]] = field(default_factory=deque)


class Handler(BaseHTTPRequestHandler):
    """Serves ``server.files`` by path, whoever's host is asked for (as a proxy does)."""

    server: "FileServer"

    def do_GET(self) -> None:
        path = self.path.partition("://")[2].partition("/")[2] if "://" in self.path else self.path[1:]
        self.server.requests.append((self.path, dict(self.headers)))
        served = self.server.files.get(path)
        if served is None:
            self.send_error(404)
        elif served.plan:
            served.plan.popleft()(self, served)
        else:
            well(self, served)

    def log_message(self, *_: Any) -> None:
        """Quiet."""

    def head(self, status: int, **headers: str | int | None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if value is not None:
                self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()


class FileServer(ThreadingHTTPServer):
    """``files`` by path without the leading slash; ``requests`` as (path or address, headers)."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, Served] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.address = f"http://127.0.0.1:{self.server_port}"
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.005})
        self._thread.start()

    def offer(self, path: str, content: bytes, *plan: Callable[[Handler, Served], None], **about: Any) -> str:
        """Serve ``content`` at ``path``, first as planned; where it is."""
        self.files[path] = Served(content, plan=deque(plan), **about)
        return f"{self.address}/{path}"

    def ranges(self) -> list[str | None]:
        """What part each request has asked for."""
        return [headers.get("Range") for _, headers in self.requests]

    def stop(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


def well(handler: Handler, served: Served, *, most: int | None = None) -> None:
    """As RFC 9110 wants it; sends at most ``most`` bytes of the body."""
    wanted, condition = handler.headers.get("Range"), handler.headers.get("If-Range")
    start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
    if wanted and condition in (None, served.etag):
        if start >= len(served.content):
            handler.head(416, Content_Length=0)
            return
        span = f"bytes {start}-{len(served.content) - 1}/{len(served.content)}"
        handler.head(206, Content_Length=len(served.content) - start, Content_Range=span, ETag=served.etag)
    else:
        start = 0
        handler.head(200, Content_Length=len(served.content), ETag=served.etag)
    handler.wfile.write(served.content[start:][:most])


def cut(after: int) -> Callable[[Handler, Served], None]:
    """Announce everything, send ``after`` bytes, close."""
    return lambda handler, served: well(handler, served, most=after)


def refuse(status: int) -> Callable[[Handler, Served], None]:
    return lambda handler, served: handler.head(status, Content_Length=0)


def announce(length: int) -> Callable[[Handler, Served], None]:
    """Tell another length than there is."""

    def lie(handler: Handler, served: Served) -> None:
        handler.head(200, Content_Length=length, ETag=served.etag)
        handler.wfile.write(served.content)

    return lie


def unannounced(body: bytes) -> Callable[[Handler, Served], None]:
    """Send ``body`` without telling how long it is."""

    def send(handler: Handler, served: Served) -> None:
        handler.head(200, ETag=served.etag)
        handler.wfile.write(body)

    return send


def whole(handler: Handler, served: Served) -> None:
    """Know nothing of ranges."""
    handler.head(200, Content_Length=len(served.content), ETag=served.etag)
    handler.wfile.write(served.content)


def replaced_by(content: bytes, etag: str | None) -> Callable[[Handler, Served], None]:
    """From now on the file is another."""

    def swap(handler: Handler, served: Served) -> None:
        served.content, served.etag = content, etag
        well(handler, served)

    return swap


def partial(span: str, body: bytes, etag: str | None = '"1"') -> Callable[[Handler, Served], None]:
    """Answer with this part, whatever was asked for."""

    def send(handler: Handler, served: Served) -> None:
        handler.head(206, Content_Length=len(body), Content_Range=span, ETag=etag)
        handler.wfile.write(body)

    return send


def redirect(to: str) -> Callable[[Handler, Served], None]:
    return lambda handler, served: handler.head(302, Location=to, Content_Length=0)
