"""What the daemon gave becomes groups to insert and small pictures to show; on the worker's thread.

Knows the order and blending of the four layers, not where they go.
"""

from __future__ import annotations

import re
import time
from dataclasses import asdict, dataclass
from typing import Generator, Mapping

from celwright_krita.canvas import Frame, NewGroup, NewLayer
from celwright_krita.domain import Report
from celwright_krita.errors import UnreadableAnswerError
from celwright_krita.pixels import Pixels
from celwright_krita.session import layouts
from celwright_krita.session.areas import THUMBNAIL_SIDE, clear_outside, thumbnail
from celwright_krita.session.reading import Reading
from celwright_krita.texts import tr

# bottom to top: image, blend mode (the shadow's is the report's), clipped to what is below
LAYERS = (
    ("flat", "normal", False),
    ("shadow", "multiply", True),
    ("highlight", "screen", True),
    ("line", "normal", False),
)
OVERVIEW_SIDE, VARIATION_SIDE = 768, 512  # px; of several variations the chosen one is shown large, too


@dataclass(frozen=True, eq=False)
class Outcome:
    """One group for each variation, with its thumbnail; ``overview`` shows the first, or the leaks."""

    task: str
    frame: Frame
    above: str
    groups: tuple[NewGroup, ...]
    thumbnails: tuple[Pixels, ...]
    overview: Pixels
    report: Report


def outcome_of(
    reading: Reading, images: dict[str, Pixels], report: Report, suffix: str = ""
) -> Generator[None, None, Outcome]:
    """Yields between its steps, so that it can be stopped there. ``images`` are taken out as they are used: to free
    hundreds of megabytes at once would stall the window. ``suffix`` is added to the groups' names."""
    if reading.task == "leaks":
        overview = thumbnail(_image(images, "leaks"), OVERVIEW_SIDE)
        return Outcome("leaks", reading.frame, reading.above, (), (), overview, report)
    prefixes = ["", *sorted({found.group() for found in map(_VARIATION.match, images) if found}, key=_number)]
    title = tr(f"made.{reading.task}", time=time.strftime("%H:%M:%S")) + suffix
    parameters = {
        **reading.parameters,
        "made": time.strftime("%Y-%m-%d %H:%M:%S"),
        "flat": tr("made.flat"),
        "report": _stored(report),
    }
    overview = thumbnail(_image(images, "composite"), OVERVIEW_SIDE)
    groups, thumbnails, side = [], [], VARIATION_SIDE if prefixes[1:] else THUMBNAIL_SIDE
    for number, prefix in enumerate(prefixes):
        thumbnails.append(thumbnail(_taken(images, f"{prefix}composite"), side))
        name = f"{title} ({number + 1})" if number else title
        layers = yield from _layers(reading, images, prefix, report.shadow_blend)
        groups.append(NewGroup(name, layers, {**parameters, "variation": number}))
    while images:
        images.popitem()
        yield
    return Outcome(reading.task, reading.frame, reading.above, tuple(groups), tuple(thumbnails), overview, report)


_VARIATION = re.compile(r"\d+/(?=flat$)")


def _number(prefix: str) -> int:
    return int(prefix[:-1])


def _layers(
    reading: Reading, images: dict[str, Pixels], prefix: str, shadow_blend: str
) -> Generator[None, None, tuple[NewLayer, ...]]:
    layers = []
    pixel_bytes = 4 if reading.frame.depth == "U8" else 8
    for name, blend, clipped in LAYERS:
        image = _taken(images, prefix + name)
        if image.size != (reading.rect.width, reading.rect.height):
            raise UnreadableAnswerError(tr("daemon.wrong_size"))
        data = layouts.bgra(image, reading.frame.depth)
        if reading.selection is not None:
            yield from clear_outside(data, reading.rect, pixel_bytes, reading.selection)
        yield
        blend = shadow_blend if name == "shadow" else blend
        layers.append(NewLayer(tr(f"made.{name}"), data, reading.rect, blend, clipped))
    return tuple(layers)


def _taken(images: dict[str, Pixels], name: str) -> Pixels:
    image = _image(images, name)
    del images[name]
    return image


def _image(images: Mapping[str, Pixels], name: str) -> Pixels:
    if name not in images:
        raise UnreadableAnswerError(tr("daemon.image_missing", name=name))
    return images[name]


def _stored(report: Report) -> dict[str, object]:
    error = report.recomposition
    recomposition = None if error is None else {name: str(value) for name, value in asdict(error).items()}
    return {"model": report.model, "seed": report.seed, "recomposition": recomposition}
