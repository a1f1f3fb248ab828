"""Uploaded images by content hash, the least recently used dropped first, so that a second try sends only what changed.

A hash is believed only after it was computed here: a client's mistake must not become another client's picture. That
happens on a thread of its own, while the job that brought the image already runs.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from numpy.typing import NDArray

from celwright.rpc.images import content_hash

log = logging.getLogger(__name__)


class ImageCache:
    """Keeps at most ``limit`` bytes of (H, W, C) arrays, which must not be written to any more."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._images: OrderedDict[bytes, NDArray[Any]] = OrderedDict()
        self._byte_count = 0
        self._lock = threading.Lock()
        self._verifier = ThreadPoolExecutor(1, thread_name_prefix="celwright-hash")
        self._last_offer: Future[None] | None = None

    @property
    def byte_count(self) -> int:
        """Bytes kept, those just offered included."""
        self._settle()
        return self._byte_count

    def offer(self, claimed: bytes, data: NDArray[Any]) -> None:
        """Keep ``data`` under ``claimed`` once it proves to be its hash."""
        if data.nbytes <= self.limit:
            self._last_offer = self._verifier.submit(self._verify, claimed, data)

    def held(self, hashes: Iterable[bytes]) -> list[bytes]:
        """Those of ``hashes`` that are here; they become the last to be dropped."""
        return [one for one in hashes if self.get(one) is not None]

    def get(self, hash_: bytes) -> NDArray[Any] | None:
        self._settle()
        with self._lock:
            if hash_ in self._images:
                self._images.move_to_end(hash_)
            return self._images.get(hash_)

    def clear(self) -> None:
        with self._lock:
            self._images.clear()
            self._byte_count = 0

    def close(self) -> None:
        self._verifier.shutdown()
        self.clear()

    def _settle(self) -> None:
        if (offer := self._last_offer) is not None:
            offer.result()  # one thread, in order: all earlier ones are done as well

    def _verify(self, claimed: bytes, data: NDArray[Any]) -> None:
        if content_hash(data) != claimed:
            log.warning("An image came with the content hash of another one; it is not kept.")
            return
        with self._lock:
            if claimed not in self._images:
                self._images[claimed] = data
                self._byte_count += data.nbytes
            self._images.move_to_end(claimed)
            while self._byte_count > self.limit:
                self._byte_count -= self._images.popitem(last=False)[1].nbytes
