"""A Reading becomes the request that is sent; on the worker's thread. Knows neither documents nor the wire."""

from __future__ import annotations

from typing import Generator

from celwright_krita.domain import ColorizeRequest, DecomposeRequest, Reference, Request, SegmentRequest
from celwright_krita.pixels import Pixels
from celwright_krita.session import layouts
from celwright_krita.session.areas import alpha_pixels, mask_pixels
from celwright_krita.session.reading import Reading
from celwright_krita.state import DecomposeOptions


def request_of(reading: Reading) -> Generator[None, None, Request]:
    """Yields between its images, so that it can be stopped there. Raises UnusableInputError for sizes that the daemon
    does not take."""
    images = {}
    for name, raw in reading.raws.items():
        images[name] = alpha_pixels(raw) if name == "lock" else layouts.pixels(raw, reading.icc)
        yield
    options = reading.options
    if isinstance(options, DecomposeOptions):
        return DecomposeRequest(
            images["picture"],
            options.fidelity,
            options.model,
            flat_colors=options.flat_colors,
            shadow_tones=options.shadow_tones,
            shadow_tint=options.shadow_tint,
            merge_highlight=options.merge_highlight,
            shadow_blend=options.shadow_blend,
        )
    if reading.task == "leaks":
        return SegmentRequest(images["line_art"], options.gap, leaks=True)
    references = []
    for used in reading.references:
        image = used.image if isinstance(used.image, Pixels) else layouts.pixels(used.image)
        region = mask_pixels(used.region, reading.rect) if used.region is not None else None
        references.append(Reference(image, used.mask, region))
        yield
    selection = reading.selection
    return ColorizeRequest(
        images["line_art"],
        hints=images.get("hints"),
        selection=mask_pixels(selection, reading.rect) if selection is not None else None,
        context=images.get("context"),
        lock=images.get("lock"),
        references=tuple(references),
        palette=reading.palette,
        unhinted=options.unhinted,
        gap=options.gap,
        shading=options.shading,
        light=options.light,
        seed=options.seed,
        variations=options.variations,
        steps=options.steps,
        model=options.model,
    )
