"""The commands that make layers and regions: decompose, colorize, segment.

Each reads its files, makes one request, runs it here or in a daemon, and writes what was asked for.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Literal

from celwright import installed
from celwright.cli.picture_job import PictureJob, beside, check_layered_format, files_in, numbered
from celwright.domain import (
    MAX_GUIDANCE,
    ColorizeRequest,
    DecomposeRequest,
    Finished,
    Guidance,
    Palette,
    Pixels,
    Reference,
    SegmentRequest,
)
from celwright.errors import WrongUsageError
from celwright.imaging.palettes import read_palette
from celwright.layers import NAMES

_LAYERS = (*NAMES, "composite")
_STAGES = ("regions", "hints", "proposal", "sampled", "categories", "instances")


def decompose(options: argparse.Namespace) -> None:
    """A finished picture into line, flat, shadow and highlight."""
    job = PictureJob(options)
    output = options.output or beside(options.picture, "-layers.psd")
    check_layered_format(output)
    job.check(output, options.contact_sheet, *files_in(options.layers_dir, _LAYERS))
    picture = job.must_read(options.picture, options.layer)
    request = DecomposeRequest(
        picture,
        options.fidelity,
        options.model,
        flat_colors=options.flat_colors,
        shadow_tones=0 if options.shadow_tones == "continuous" else int(options.shadow_tones),
        shadow_tint=options.shadow_tint,
        merge_highlight=options.merge_highlight,
        shadow_blend=options.shadow_blend,
    )
    finished = job.run(request)
    _write_layered(job, options, output, picture, finished)
    job.summary(finished)


def colorize(options: argparse.Namespace) -> None:
    """Line art and hints into line, flat, shadow and highlight."""
    job = PictureJob(options)
    output = options.output or beside(options.line_art, "-layers.psd")
    check_layered_format(output)
    for number in range(options.variations):
        files = [output, *files_in(options.layers_dir, _LAYERS), *files_in(options.stages_dir, _STAGES)]
        files += [] if options.contact_sheet is None else [options.contact_sheet]
        job.check(*(numbered(path, number) for path in files))
    palette, guidance = _palette(options.palette), _guidance(options.guidance)
    line_art = job.must_read(options.line_art, options.layer)
    request = ColorizeRequest(
        line_art,
        hints=job.read(options.hints),
        selection=job.read(options.selection),
        context=job.read(options.context),
        lock=job.read(options.lock),
        references=tuple(_reference(job, text) for text in options.reference),
        palette=palette,
        unhinted=options.unhinted,
        gap=options.gap,
        shading=options.shading == "on",
        light=options.light,
        seed=options.seed,
        variations=options.variations,
        steps=options.steps,
        guidance=guidance,
        stages=options.stages_dir is not None,
        model=options.model,
    )
    finished = job.run(request)
    for number in range(request.variations):
        stages = _of_variation(finished.images, number, "stages/")
        job.write_folder("stages_dir", options.stages_dir, stages, number)
        _write_layered(job, options, output, line_art, finished, number)
    job.summary(finished)


def segment(options: argparse.Namespace) -> None:
    """The regions that the lines of a drawing enclose."""
    job = PictureJob(options)
    output = options.output or beside(options.line_art, "-regions.png")
    job.check(output, options.preview, options.leaks)
    request = SegmentRequest(job.must_read(options.line_art, options.layer), options.gap, options.leaks is not None)
    finished = job.run(request)
    job.write_png("output", output, finished.images["regions"])
    job.write_png("preview", options.preview, finished.images["preview"])
    if options.leaks is not None:
        job.write_png("leaks", options.leaks, finished.images["leaks"])
    job.summary(finished)


def _write_layered(
    job: PictureJob, options: argparse.Namespace, output: Path, picture: Pixels, finished: Finished, number: int = 0
) -> None:
    """All files of one variation; those after the first are numbered from 2."""
    images = {name: image for name, image in _of_variation(finished.images, number).items() if name in _LAYERS}
    job.write_layers(output, images, number, finished.report.shadow_blend)
    job.write_folder("layers_dir", options.layers_dir, images, number)
    if options.contact_sheet is not None:
        from celwright.evaluation.contact_sheet import coloring_sheet, contact_sheet

        sheet = contact_sheet if finished.report.recomposition else coloring_sheet
        job.write_png("contact_sheet", options.contact_sheet, sheet(picture, images), number)


def _of_variation(images: Mapping[str, Pixels], number: int, kind: str = "") -> dict[str, Pixels]:
    """The images of one variation, of the ``kind`` that stands before their names."""
    start = (f"{number}/" if number else "") + kind
    return {name[len(start) :]: image for name, image in images.items() if name.startswith(start)}


def _palette(text: str | None) -> Palette | Literal["flatting", "auto"] | None:
    if text == "flatting":
        return "flatting"
    if text == "auto":
        return "auto"
    if text is None:
        return None
    if Path(text).is_file():
        return read_palette(Path(text))
    library = installed.library()
    if text.startswith("@"):
        return library.palette(text[1:])
    # What looks like a file is one that is missing.
    return read_palette(Path(text)) if Path(text).name != text or Path(text).suffix else library.palette(text)


def _guidance(texts: Sequence[str]) -> Guidance:
    """Of ``CONDITION=SCALE`` each; the others keep their own."""
    known = [field.name for field in fields(Guidance)]
    scales: dict[str, float] = {}
    for text in texts:
        name, _, scale = text.partition("=")
        try:
            value = float(scale)
        except ValueError:
            value = None
        if name not in known or value is None:
            raise WrongUsageError(
                f"The guidance {text!r} is not understood; {', '.join(known[:-1])} or {known[-1]}, an equals sign and "
                f"a number from 0 to {MAX_GUIDANCE} are allowed: write hints=1.5, say."
            )
        if name in scales:
            raise WrongUsageError(f"The guidance of {name} came twice; one for each condition is allowed: keep one.")
        scales[name] = value
    return Guidance(**scales)


def _reference(job: PictureJob, text: str) -> Reference:
    """``IMAGE[@MASK[@REGION]]``, an empty MASK leaves it out; or ``@NAME[@REGION]`` for a character of the library."""
    if text.startswith("@"):
        library = installed.library()
        name, _, region = (text[1:], "", "") if text[1:] in library.names() else text[1:].partition("@")
        with job.stage("read"):
            reference = library.reference(name)
        return replace(reference, region=job.read(region or None))
    image, mask, region = (*text.split("@", 2), "", "")[:3]
    return Reference(job.must_read(image), job.read(mask or None), job.read(region or None))
