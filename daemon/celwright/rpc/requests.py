"""Requests ↔ headers and named images of celwright.v1, both ways. Images' samples are not its business."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Literal

import numpy as np

from celwright.domain import (
    ColorizeRequest,
    DecomposeRequest,
    Guidance,
    Palette,
    Pixels,
    Reference,
    Request,
    SegmentRequest,
)
from celwright.errors import WrongUsageError
from celwright.rpc import choices
from celwright.rpc.generated import celwright_pb2 as pb

MAX_REFERENCES = 32
MAX_BINS = 4096
COMPANIONS = ("hints", "selection", "context", "lock")  # fields of ColorizeRequest and names of images alike


# ---- requests out


def header(request: Request, job_id: str, client_version: str) -> Any:
    """The header message of ``request``'s kind."""
    if isinstance(request, SegmentRequest):
        options = pb.JobOptions(job_id=job_id, client_version=client_version)
        return pb.SegmentHeader(options=options, gap=request.gap, leaks=request.leaks)
    options = pb.JobOptions(job_id=job_id, model=request.model, client_version=client_version)
    if isinstance(request, DecomposeRequest):
        return pb.DecomposeHeader(
            options=options,
            fidelity=choices.key(choices.FIDELITIES, request.fidelity),
            flat_colors=request.flat_colors,
            shadow_tones=request.shadow_tones,
            shadow_tint=choices.key(choices.TINTS, request.shadow_tint),
            merge_highlight=request.merge_highlight,
            shadow_blend=choices.key(choices.SHADOW_BLENDS, request.shadow_blend),
        )
    message = pb.ColorizeHeader(
        options=options,
        references=[_reference_names(place, reference) for place, reference in enumerate(request.references)],
        histogram=None if request.histogram is None else request.histogram.tolist(),
        unhinted=choices.key(choices.UNHINTED, request.unhinted),
        gap=request.gap,
        shading=request.shading,
        light=request.light,
        seed=request.seed,
        variations=request.variations,
        steps=request.steps,
        guidance=pb.Guidance(**asdict(request.guidance)),
        stages=request.stages,
    )
    if isinstance(request.palette, Palette):
        message.colors.CopyFrom(pb.Palette(name=request.palette.name, colors=request.palette.colors.tobytes()))
    elif request.palette is not None:
        message.automatic = choices.key(choices.PALETTES, request.palette)
    return message


def request_images(request: Request) -> dict[str, Pixels]:
    """The request's images under their names on the wire."""
    if isinstance(request, DecomposeRequest):
        return {"picture": request.picture}
    if isinstance(request, SegmentRequest):
        return {"line_art": request.line_art}
    named = {"line_art": request.line_art} | {name: getattr(request, name) for name in COMPANIONS}
    for place, reference in enumerate(request.references):
        names = _reference_names(place, reference)
        named |= {names.image: reference.image, names.mask: reference.mask, names.region: reference.region}
    return {name: image for name, image in named.items() if image is not None}


def _reference_names(place: int, reference: Reference) -> pb.Reference:
    name = f"reference/{place}"
    return pb.Reference(
        image=name,
        mask=f"{name}/mask" if reference.mask is not None else "",
        region=f"{name}/region" if reference.region is not None else "",
    )


# ---- requests in


def image_names(header: Any) -> frozenset[str]:
    """Names of the images that may follow ``header``; WrongUsageError for too many or doubled references."""
    if isinstance(header, pb.DecomposeHeader):
        return frozenset({"picture"})
    if isinstance(header, pb.SegmentHeader):
        return frozenset({"line_art"})
    if len(header.references) > MAX_REFERENCES:
        raise WrongUsageError(f"{len(header.references)} references came; at most {MAX_REFERENCES} are allowed.")
    names = ["line_art", *COMPANIONS]
    for reference in header.references:
        names += [name for name in (reference.image, reference.mask, reference.region) if name]
    if len(set(names)) < len(names):
        raise WrongUsageError("Two images of the job have the same name; give every reference its own names.")
    return frozenset(names)


def request(header: Any, named: Mapping[str, Pixels]) -> Request:
    """The request that ``header`` and its images make. Raises WrongUsageError or UnusableInputError."""
    if isinstance(header, pb.DecomposeHeader):
        return DecomposeRequest(
            _image(named, "picture"),
            fidelity=choices.value("fidelity", choices.FIDELITIES, header.fidelity),
            model=_model(header),
            flat_colors=header.flat_colors,
            shadow_tones=header.shadow_tones,
            shadow_tint=choices.value("shadow's tint", choices.TINTS, header.shadow_tint),
            merge_highlight=header.merge_highlight,
            shadow_blend=choices.value("shadow's blend mode", choices.SHADOW_BLENDS, header.shadow_blend),
        )
    if isinstance(header, pb.SegmentHeader):
        return SegmentRequest(_image(named, "line_art"), **_set_fields(header, "gap"), leaks=header.leaks)
    references = tuple(
        Reference(
            _image(named, reference.image),
            _image(named, reference.mask) if reference.mask else None,
            _image(named, reference.region) if reference.region else None,
        )
        for reference in header.references
    )
    return ColorizeRequest(
        _image(named, "line_art"),
        hints=named.get("hints"),
        selection=named.get("selection"),
        context=named.get("context"),
        lock=named.get("lock"),
        references=references,
        palette=_palette(header),
        histogram=_histogram(header.histogram),
        unhinted=choices.value("treatment of unhinted regions", choices.UNHINTED, header.unhinted),
        seed=header.seed,
        guidance=Guidance(**_set_fields(header.guidance, "references", "hints", "histogram")),
        stages=header.stages,
        model=_model(header),
        **_set_fields(header, "gap", "shading", "light", "variations", "steps"),
    )


def _model(header: Any) -> str:
    return str(header.options.model) or "embedded"


def _set_fields(header: Any, *names: str) -> dict[str, Any]:
    """Fields that the client has set; the others keep the request's own defaults."""
    return {name: getattr(header, name) for name in names if header.HasField(name)}


def _image(named: Mapping[str, Pixels], name: str) -> Pixels:
    if name not in named:
        raise WrongUsageError(f"The image {name!r} did not come; send it after the header.")
    return named[name]


def _palette(header: pb.ColorizeHeader) -> Palette | Literal["flatting", "auto"] | None:
    match header.WhichOneof("palette"):
        case "colors":
            if len(header.colors.colors) % 3:
                raise WrongUsageError(
                    f"The palette {header.colors.name!r} came with {len(header.colors.colors)} bytes; 3 for each "
                    f"colour are needed."
                )
            return Palette(header.colors.name, np.frombuffer(header.colors.colors, np.uint8).reshape(-1, 3))
        case "automatic":
            automatic: Literal["flatting", "auto"] | None = choices.value(
                "automatic palette", choices.PALETTES, header.automatic
            )
            return automatic
        case _:
            return None


def _histogram(bins: Any) -> np.ndarray[Any, np.dtype[np.float32]] | None:
    if not bins:
        return None
    values = np.fromiter(bins, np.float32, len(bins))
    if len(values) > MAX_BINS or not np.isfinite(values).all() or values.min() < 0 or abs(values.sum() - 1) > 1e-3:
        raise WrongUsageError(
            f"The histogram has {len(values)} bins with the sum {values.sum():g}; up to {MAX_BINS} bins, none "
            f"negative, with the sum 1 are allowed."
        )
    return values
