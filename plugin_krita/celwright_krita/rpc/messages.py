"""Requests → headers and named images, messages → events, status and models. Samples are not its business."""

from __future__ import annotations

from typing import Any, Collection, Iterable, Iterator, Mapping

from celwright_krita import domain
from celwright_krita.errors import UnreadableAnswerError, WrongUsageError
from celwright_krita.pixels import Pixels
from celwright_krita.rpc import images
from celwright_krita.rpc.generated import celwright_pb2 as pb

COMPANIONS = ("hints", "selection", "context", "lock")  # fields of ColorizeRequest and names of images alike
UPLOADS: dict = {
    domain.DecomposeRequest: pb.DecomposeUpload,
    domain.SegmentRequest: pb.SegmentUpload,
    domain.ColorizeRequest: pb.ColorizeUpload,
}
_FIDELITIES = {"clean": pb.FIDELITY_CLEAN, "exact": pb.FIDELITY_EXACT}
_TINTS = {"free": pb.SHADOW_TINT_FREE, "region": pb.SHADOW_TINT_REGION}
_BLENDS = {"multiply": pb.SHADOW_BLEND_MULTIPLY, "normal": pb.SHADOW_BLEND_NORMAL}
_UNHINTED = {"nearest": pb.UNHINTED_NEAREST, "transparent": pb.UNHINTED_TRANSPARENT}
_PALETTES = {"flatting": pb.AUTOMATIC_PALETTE_FLATTING, "auto": pb.AUTOMATIC_PALETTE_AUTO}


def method(request: domain.Request) -> str:
    """The method of the service that does ``request``."""
    return type(request).__name__[: -len("Request")]


def header(request: domain.Request, job_id: str, client_version: str) -> Any:
    """The header message of ``request``'s kind."""
    options = pb.JobOptions(job_id=job_id, client_version=client_version)
    if isinstance(request, domain.SegmentRequest):
        return pb.SegmentHeader(options=options, gap=request.gap, leaks=request.leaks)
    options.model = request.model
    if isinstance(request, domain.DecomposeRequest):
        return pb.DecomposeHeader(
            options=options,
            fidelity=_choice("fidelity", _FIDELITIES, request.fidelity),
            flat_colors=request.flat_colors,
            shadow_tones=request.shadow_tones,
            shadow_tint=_choice("shadow's tint", _TINTS, request.shadow_tint),
            merge_highlight=request.merge_highlight,
            shadow_blend=_choice("shadow's blend mode", _BLENDS, request.shadow_blend),
        )
    message = pb.ColorizeHeader(
        options=options,
        references=[_reference_names(place, reference) for place, reference in enumerate(request.references)],
        histogram=request.histogram,
        unhinted=_choice("treatment of unhinted regions", _UNHINTED, request.unhinted),
        gap=request.gap,
        shading=request.shading,
        light=request.light,
        seed=request.seed,
        variations=request.variations,
        steps=request.steps,
        stages=request.stages,
    )
    if isinstance(request.palette, domain.Palette):
        message.colors.CopyFrom(pb.Palette(name=request.palette.name, colors=request.palette.colors))
    elif request.palette is not None:
        message.automatic = _choice("palette", _PALETTES, request.palette)
    return message


def request_images(request: domain.Request) -> dict[str, Pixels]:
    """The request's images under their names on the wire."""
    if isinstance(request, domain.DecomposeRequest):
        return {"picture": request.picture}
    named: dict[str, Any] = {"line_art": request.line_art}
    if isinstance(request, domain.ColorizeRequest):
        named.update((name, getattr(request, name)) for name in COMPANIONS)
        for place, reference in enumerate(request.references):
            names = _reference_names(place, reference)
            named[names.image] = reference.image
            named.update({names.mask: reference.mask, names.region: reference.region})
    return {name: image for name, image in named.items() if image is not None}


def _reference_names(place: int, reference: domain.Reference) -> pb.Reference:
    name = f"reference/{place}"
    return pb.Reference(
        image=name,
        mask=f"{name}/mask" if reference.mask is not None else "",
        region=f"{name}/region" if reference.region is not None else "",
    )


def _choice(what: str, table: Mapping[str, int], value: str) -> int:
    if value not in table:
        raise WrongUsageError(f"The {what} {value!r} is not known; {' or '.join(map(repr, table))} is allowed.")
    return table[value]


def upload(
    part: Any, header: Any, named: Mapping[str, Pixels], hashes: Mapping[str, bytes], known: Collection[bytes]
) -> Iterator[tuple[bytes | memoryview, ...]]:
    """``header`` and the images as messages of the kind ``part``; of those whose hash is ``known`` only the start."""
    yield (part(header=header).SerializeToString(),)
    for name, image in named.items():
        reuse = hashes[name] in known
        yield (part(image=images.image_start(name, image, hashes[name], reuse)).SerializeToString(),)
        if not reuse:
            yield from images.chunk_messages(image)


def events(messages: Iterable[bytes]) -> Iterator[domain.Event]:
    """Events from JobEvents; what a newer daemon adds is skipped. UnreadableAnswerError unless it ends in Finished."""
    results: dict[str, Pixels] = {}
    finished = None
    stream = (parsed(pb.JobEvent, message) for message in messages)
    for message in stream:
        kind = message.WhichOneof("event")
        if kind == "queued":
            yield domain.Queued(message.queued.ahead)
        elif kind == "progress":
            progress = message.progress
            yield domain.Progress(progress.stage, progress.fraction, _optional(progress, "seconds_left"))
        elif kind == "preview":
            yield domain.Preview(_image_after(message.preview, stream))
        elif kind == "result":
            results[message.result.name] = _image_after(message.result, stream)
        elif kind == "finished":
            finished = domain.Finished(results, report(message.finished.report))
    if finished is None:
        raise UnreadableAnswerError(
            "The daemon ended the job without a result; try again, and update it if it stays so."
        )
    yield finished  # only now: the call has ended well


def _image_after(start: pb.ImageStart, stream: Iterator[Any]) -> Pixels:
    image = images.IncomingImage(start)
    while not image.complete:
        message = next(stream, None)
        if message is None or message.WhichOneof("event") != "chunk":
            break
        image.take(message.chunk)
    return image.pixels()


def report(message: pb.Report) -> domain.Report:
    error = message.recomposition
    return domain.Report(
        seconds={entry.stage: entry.seconds for entry in message.seconds},
        model=message.model,
        seed=_optional(message, "seed"),
        recomposition=domain.RecompositionError(error.max, error.mean, error.psnr)
        if message.HasField("recomposition")
        else None,
        regions=_optional(message, "regions"),
        leaks=tuple(
            domain.Leak(leak.x, leak.y, leak.width, (leak.first_region, leak.second_region)) for leak in message.leaks
        ),
        notices=tuple(message.notices),
        shadow_blend="normal" if message.shadow_blend == pb.SHADOW_BLEND_NORMAL else "multiply",
    )


def status(message: pb.Status) -> domain.DaemonStatus:
    values = {name: getattr(message, name) for name in domain.DaemonStatus.__dataclass_fields__}
    values["capabilities"], values["loaded"] = tuple(message.capabilities), tuple(message.loaded)
    values["memory_bytes"] = _optional(message, "memory_bytes")
    return domain.DaemonStatus(**values)


def model(message: pb.Model) -> domain.Model:
    values = {name: getattr(message, name) for name in domain.Model.__dataclass_fields__}
    values["tasks"] = tuple(message.tasks)
    return domain.Model(**values)


def parsed(kind: Any, data: bytes) -> Any:
    """``data`` as a message of ``kind``; UnreadableAnswerError when it is none."""
    try:
        return kind.FromString(data)
    except Exception:  # noqa: BLE001  # protobuf's implementations raise different ones
        raise UnreadableAnswerError(
            f"A {kind.__name__} that the daemon sent cannot be read; update daemon and plugin, or end the other "
            f"program that listens there."
        ) from None


def _optional(message: Any, name: str) -> Any:
    return getattr(message, name) if message.HasField(name) else None
