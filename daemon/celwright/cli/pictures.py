"""The commands that make layers and regions: decompose, colorize, segment.

Each reads its files, makes one request, runs it here or in a daemon, and writes what was asked for. All targets are
checked before the work begins, so that nobody waits for a result that cannot be written.
"""

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

from celwright import wiring
from celwright.cli.progress import finish
from celwright.domain import ColorizeRequest, DecomposeRequest, Finished, Palette, Pixels, Reference, SegmentRequest
from celwright.errors import WrongUsageError
from celwright.imaging.files import read_picture
from celwright.imaging.palettes import read_palette
from celwright.imaging.saving import check_output, write_png
from celwright.layers import NAMES, LayerStack
from celwright.psd import openraster, write
from celwright.psd.tree import four_layers

_FULL_SIZE = ("resolution", "steps", "seed", "quantize", "offload", "fallback")  # decompose's, where given
_LAYERED = (".psd", ".psb", ".ora")
_LAYERS = (*NAMES, "composite")
_STAGES = ("regions", "hints", "proposal", "sampled", "categories", "instances")


class _Job:
    """One command's files, times and notices, from the first check to the printed summary."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._seconds: dict[str, float] = {}
        self._notices: list[str] = []
        self._written: dict[str, Any] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self._seconds[name] = self._seconds.get(name, 0.0) + time.perf_counter() - started

    def check(self, *targets: Path | None) -> None:
        for target in targets:
            if target is not None:
                check_output(target, force=self._options.force)

    def read(self, path: Path | str | None, layer: str | None = None) -> Pixels | None:
        if path is None:
            return None
        with self.stage("read"):
            pixels, notices = read_picture(Path(path), layer)
        self._notices += notices
        return pixels

    def must_read(self, path: Path | str, layer: str | None = None) -> Pixels:
        pixels = self.read(path, layer)
        assert pixels is not None
        return pixels

    def run(self, request: DecomposeRequest | ColorizeRequest | SegmentRequest) -> Finished:
        events = wiring.run(request, self._options.connect, **self._full_size(request))
        finished = finish(events, quiet=self._options.quiet or self._options.json)
        self._seconds |= finished.report.seconds
        self._notices += finished.report.notices
        return finished

    def _full_size(self, request: DecomposeRequest | ColorizeRequest | SegmentRequest) -> dict[str, Any]:
        """How a full-size model is to run, where anything was said of it."""
        said = {name: getattr(self._options, name) for name in _FULL_SIZE if hasattr(self._options, name)}
        return {"full_size": said} if said and isinstance(request, DecomposeRequest) else {}

    def write_png(self, name: str, target: Path | None, image: Pixels, number: int = 0) -> None:
        if target is not None:
            with self.stage("write"):
                write_png(_numbered(target, number), image, force=self._options.force)
            self._written[_title(name, number)] = str(_numbered(target, number))

    def write_layers(self, target: Path, images: Mapping[str, Pixels], number: int = 0) -> None:
        with self.stage("write"):
            _write_layered_file(_numbered(target, number), images, force=self._options.force)
        self._written[_title("output", number)] = str(_numbered(target, number))

    def write_folder(self, name: str, folder: Path | None, images: Mapping[str, Pixels], number: int = 0) -> None:
        if folder is not None:
            with self.stage("write"):
                for key, image in images.items():
                    write_png(_numbered(folder / f"{key}.png", number), image, force=self._options.force)
            self._written[name] = str(folder)

    def summary(self, finished: Finished) -> None:
        """Print what was made: one JSON object, or lines for people."""
        report = finished.report
        seconds = {name: round(value, 3) for name, value in self._seconds.items()}
        if self._options.json:
            facts = asdict(report) | {"seconds": seconds, "notices": self._notices, **self._written}
            print(json.dumps(_finite(facts)))
            return
        for notice in self._notices:
            print(f"Note: {notice}")
        for name, path in self._written.items():
            print(f"{name.replace('_', ' ')}: {path}")
        if report.recomposition is not None:
            error = report.recomposition
            print(f"recomposition: {error.psnr:.1f} dB, mean error {error.mean:.2f}/255, at most {error.max:.0f}/255")
        if report.regions is not None:
            print(f"regions: {report.regions}, openings closed: {len(report.leaks)}")
        print("seconds: " + ", ".join(f"{name} {value:.2f}" for name, value in seconds.items()))


def decompose(options: argparse.Namespace) -> None:
    """A finished picture into line, flat, shadow and highlight."""
    job = _Job(options)
    output = options.output or _beside(options.picture, "-layers.psd")
    _check_layered_format(output)
    job.check(output, options.contact_sheet, *_files(options.layers_dir, _LAYERS))
    picture = job.must_read(options.picture, options.layer)
    finished = job.run(DecomposeRequest(picture, options.fidelity, options.model))
    _write_layered(job, options, output, picture, finished)
    job.summary(finished)


def colorize(options: argparse.Namespace) -> None:
    """Line art and hints into line, flat, shadow and highlight."""
    job = _Job(options)
    output = options.output or _beside(options.line_art, "-layers.psd")
    _check_layered_format(output)
    for number in range(options.variations):
        files = [output, *_files(options.layers_dir, _LAYERS), *_files(options.stages_dir, _STAGES)]
        files += [] if options.contact_sheet is None else [options.contact_sheet]
        job.check(*(_numbered(path, number) for path in files))
    palette = _palette(options.palette)
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
        seed=options.seed,
        variations=options.variations,
        steps=options.steps,
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
    job = _Job(options)
    output = options.output or _beside(options.line_art, "-regions.png")
    job.check(output, options.preview, options.leaks)
    request = SegmentRequest(job.must_read(options.line_art, options.layer), options.gap, options.leaks is not None)
    finished = job.run(request)
    job.write_png("output", output, finished.images["regions"])
    job.write_png("preview", options.preview, finished.images["preview"])
    if options.leaks is not None:
        job.write_png("leaks", options.leaks, finished.images["leaks"])
    job.summary(finished)


def _write_layered(
    job: _Job, options: argparse.Namespace, output: Path, picture: Pixels, finished: Finished, number: int = 0
) -> None:
    """All files of one variation; those after the first are numbered from 2."""
    images = {name: image for name, image in _of_variation(finished.images, number).items() if name in _LAYERS}
    job.write_layers(output, images, number)
    job.write_folder("layers_dir", options.layers_dir, images, number)
    if options.contact_sheet is not None:
        from celwright.evaluation.contact_sheet import coloring_sheet, contact_sheet

        sheet = contact_sheet if finished.report.recomposition else coloring_sheet
        job.write_png("contact_sheet", options.contact_sheet, sheet(picture, images), number)


def _of_variation(images: Mapping[str, Pixels], number: int, kind: str = "") -> dict[str, Pixels]:
    """The images of one variation, of the ``kind`` that stands before their names."""
    start = (f"{number}/" if number else "") + kind
    return {name[len(start) :]: image for name, image in images.items() if name.startswith(start)}


def _check_layered_format(path: Path) -> None:
    if path.suffix.lower() not in _LAYERED:
        raise WrongUsageError(f"{path} names no layered format; {', '.join(_LAYERED)} are allowed: change the ending.")


def _write_layered_file(path: Path, images: Mapping[str, Pixels], *, force: bool) -> None:
    nodes = four_layers(LayerStack(*(images[name] for name in NAMES)))
    if path.suffix.lower() == ".ora":
        openraster.write(path, nodes, images["composite"], force=force)
    else:
        write.write(path, nodes, images["composite"], force=force)


def _files(folder: Path | None, names: Sequence[str]) -> list[Path]:
    """The files that will stand in ``folder``, which is made when only itself is missing."""
    if folder is None:
        return []
    if not folder.exists():
        check_output(folder)
        folder.mkdir()
    return [folder / f"{name}.png" for name in names]


def _numbered(path: Path, number: int) -> Path:
    """Where variation ``number`` goes, of which the first, 0, has the name that was asked for: a.png, a-2.png, …"""
    return path.with_name(f"{path.stem}-{number + 1}{path.suffix}") if number else path


def _title(name: str, number: int) -> str:
    return f"{name}_{number + 1}" if number else name


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.stem + ending)


def _palette(text: str | None) -> Palette | Literal["flatting", "auto"] | None:
    if text == "flatting":
        return "flatting"
    if text == "auto":
        return "auto"
    if text is None:
        return None
    if Path(text).is_file():
        return read_palette(Path(text))
    library = wiring.library()
    if text.startswith("@"):
        return library.palette(text[1:])
    # What looks like a file is one that is missing.
    return read_palette(Path(text)) if Path(text).name != text or Path(text).suffix else library.palette(text)


def _reference(job: _Job, text: str) -> Reference:
    """``IMAGE[@MASK[@REGION]]``, an empty MASK leaves it out; or ``@NAME[@REGION]`` for a character of the library."""
    if text.startswith("@"):
        library = wiring.library()
        name, _, region = (text[1:], "", "") if text[1:] in library.names() else text[1:].partition("@")
        with job.stage("read"):
            reference = library.reference(name)
        return replace(reference, region=job.read(region or None))
    image, mask, region = (*text.split("@", 2), "", "")[:3]
    return Reference(job.must_read(image), job.read(mask or None), job.read(region or None))


def _finite(value: Any) -> Any:
    """JSON has no infinity: an infinite PSNR (no error at all) becomes null."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and value in (float("inf"), float("-inf")) else value
