"""A job on the worker's thread: convert, make sure of the daemon, send, hear, make groups. Knows no document.

Each function is a generator of what the main thread is to hear; the last that it yields is the result.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Generator, Iterator

from celwright_krita import saving
from celwright_krita.canvas import DocumentTree, NewGroup, Raw, Rect, TreeLayer
from celwright_krita.document import DocumentRequest, GroupNode, LayerNode, Node
from celwright_krita.domain import Finished, Progress
from celwright_krita.pixels import Pixels
from celwright_krita.rpc.channel import Cancellation
from celwright_krita.session import layouts
from celwright_krita.session.areas import large_enough, placed
from celwright_krita.session.blends import saved_blend
from celwright_krita.session.daemon_life import Daemon
from celwright_krita.session.held import Packed, unpack
from celwright_krita.session.outcome import outcome_of
from celwright_krita.session.reading import Reading
from celwright_krita.session.requests import request_of
from celwright_krita.session.worker import Stop

PIXEL_BYTES = {"U8": 4, "U16": 8}


@dataclass(frozen=True)
class Pulled:
    """A model is there."""

    name: str


def outcome(daemon: Daemon, reading: Reading, stop: Stop, suffix: str = "") -> Iterator[object]:
    """DaemonState, the daemon's own events, then an Outcome."""
    request = yield from request_of(reading)
    client = yield from daemon.connected(stop)
    yield Progress("send", 0.0)
    job = client.job(request)
    stop.also(job.cancel)
    images, report = {}, None
    with contextlib.closing(iter(job)) as events:
        for event in events:
            if isinstance(event, Finished):
                images, report = dict(event.images), event.report
            else:
                yield event
    assert report is not None  # messages.events has seen to it
    del event, request  # which hold images
    yield Progress("insert", 0.0)
    result = yield from outcome_of(reading, images, report, suffix)
    yield result


def unpacked(group: NewGroup | Packed, stop: Stop) -> Iterator[object]:
    """A NewGroup."""
    if isinstance(group, Packed):
        group = yield from unpack(group)
    yield group


def saved(daemon: Daemon, tree: DocumentTree, icc: bytes, path: str, replace: bool, stop: Stop) -> Iterator[object]:
    """DaemonState, Progress, then saving.Saved."""
    layers = yield from _nodes(tree.layers, tree.frame.depth)
    ending = path.lower().rpartition(".")[2]
    kind = {"ora": "openraster", "psb": "psb"}.get(ending, "psd")
    request = DocumentRequest(layers, layouts.pixels(tree.composite, icc), kind)
    client = yield from daemon.connected(stop)
    cancellation = Cancellation()
    stop.also(cancellation.request)
    with contextlib.closing(saving.save(path, client.write_document(request, cancellation), replace)) as parts:
        yield from parts


def pulled(daemon: Daemon, name: str, stop: Stop) -> Iterator[object]:
    """DaemonState, Progress, then Pulled."""
    client = yield from daemon.connected(stop)
    cancellation = Cancellation()
    stop.also(cancellation.request)
    for done, total in client.pull_model(name, cancellation):
        yield Progress("pull", min(1.0, done / max(total, 1)))
    yield from daemon.look()
    yield Pulled(name)


def _nodes(layers: tuple[TreeLayer, ...], depth: str) -> Generator[None, None, tuple[Node, ...]]:
    nodes: list[Node] = []
    for layer in layers:
        yield
        name, blend, opacity, visible = layer.name, saved_blend(layer.blend), layer.opacity, layer.visible
        if layer.raw is None:
            children = yield from _nodes(layer.children, depth)
            nodes.append(GroupNode(name, children, blend, opacity, visible))
        else:
            nodes.append(LayerNode(name, _padded(layer.raw, depth), blend, opacity, visible, layer.clipped))
    return tuple(nodes)


def _padded(raw: Raw, depth: str) -> Pixels:
    """The layer's pixels with transparency around where it is smaller than the daemon takes."""
    rect = large_enough(Rect(0, 0, 0, 0) if raw.rect.empty else raw.rect)
    if rect != raw.rect:
        size = PIXEL_BYTES[depth]
        raw = Raw(bytes(placed(raw, rect, size)), rect, "RGBA", depth) if raw.data else _clear(rect, depth)
    return layouts.pixels(raw)


def _clear(rect: Rect, depth: str) -> Raw:
    return Raw(bytes(rect.width * rect.height * PIXEL_BYTES[depth]), rect, "RGBA", depth)
