"""One request for a file and its answer: proxies, redirects, tokens, and what each refusal means in words.

Knows HTTP; does not know files on disk, sizes or hashes.
"""

import http.client
import ssl
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from celwright import __version__
from celwright.errors import ModelUnavailableError

BLOCK = 1 << 20  # bytes
SILENCE = 30.0  # seconds without a byte until a connection counts as dead
_PASSING = {408, 425, 429, 500, 502, 503, 504}  # RFC 9110: worth another try
_REFUSALS = {401, 403}


@dataclass(frozen=True)
class Address:
    """Where a file lies; ``token`` is shown to that host only, not to one it redirects to."""

    url: str
    token: str = ""


class PassingError(Exception):
    """What went wrong this time and may go well the next."""


class ShorterThereError(PassingError):
    """The file at the address ends before the byte asked for."""


@contextmanager
def answered(address: Address, start: int = 0, known: str = "") -> Iterator[Any]:
    """The server's answer (http.client's) to a request for the file from byte ``start``; from its first byte when the
    file's ``validator`` is not ``known`` any more. Proxies are those of the environment.

    Raises PassingError, or ModelUnavailableError when another try makes no sense.
    """
    url, identity = address.url, {"User-Agent": f"celwright/{__version__}", "Accept-Encoding": "identity"}
    request = urllib.request.Request(url, headers=identity)
    if address.token:
        request.add_unredirected_header("Authorization", f"Bearer {address.token}")
    if start:
        request.add_header("Range", f"bytes={start}-")
    if start and known:
        request.add_header("If-Range", known)
    try:
        answer = _opener().open(request, timeout=SILENCE)
    except HTTPError as fault:
        fault.close()
        if fault.code in _PASSING | {416}:
            kind = ShorterThereError if fault.code == 416 else PassingError
            raise kind(f"the server answered {_status(fault.code)}") from None
        remedy = "correct the catalogue"
        if fault.code in _REFUSALS:
            remedy = "accept the model's licence on its page and set HF_TOKEN, where it is kept on a hub"
        elif 300 <= fault.code < 400:
            remedy = "it redirects in a circle or to where no file can be fetched: correct the catalogue"
        raise ModelUnavailableError(f"The server answered {_status(fault.code)} for {url}; {remedy}.") from None
    except (OSError, http.client.HTTPException) as fault:
        reason = fault.reason if isinstance(fault, URLError) else fault
        if isinstance(reason, ssl.SSLCertVerificationError):
            raise ModelUnavailableError(
                f"The identity of {urlsplit(url).hostname} cannot be checked ({reason.verify_message}); install the "
                f"certificate of your network's proxy, or name it in SSL_CERT_FILE."
            ) from None
        raise PassingError(_in_words(reason)) from None
    with answer:
        if answer.status not in (200, 206):
            raise ModelUnavailableError(
                f"The server answered {_status(answer.status)} for {url}, where a file was expected; try another "
                f"mirror, or correct the catalogue."
            )
        yield answer


class _WebRedirects(urllib.request.HTTPRedirectHandler):
    """Follows to HTTP and HTTPS only, refuses all else as a circle is refused."""

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        if urlsplit(newurl).scheme not in ("http", "https"):
            raise HTTPError(req.full_url, code, msg, headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    """HTTP and HTTPS only: a redirect must not end in a local file."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        _WebRedirects(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def block(answer: Any) -> bytes:
    """Whatever has arrived, at most BLOCK bytes; empty at the end."""
    try:
        arrived: bytes = answer.read1(BLOCK)
    except (OSError, http.client.HTTPException) as fault:
        raise PassingError(_in_words(fault)) from None
    return arrived


def validator(answer: Any) -> str:
    """What names this version of the file: its strong ETag, else its date; empty when the server tells neither."""
    etag = answer.headers.get("ETag", "")
    text = etag if etag and not etag.startswith("W/") else answer.headers.get("Last-Modified", "")
    return text if text.isascii() and text.isprintable() else ""


def _status(code: int) -> str:
    return f"{code} {http.client.responses.get(code, 'Unknown')}"


def _in_words(fault: object) -> str:
    return (getattr(fault, "strerror", None) or str(fault) or type(fault).__name__).rstrip(".")
