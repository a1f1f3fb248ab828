"""One command that makes pictures, from the first check of its files to the printed summary.

All targets are checked before the work begins, so that nobody waits for a result that cannot be written. Knows how
files are read and written and where requests run, not what is asked for.
"""

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from celwright import wiring
from celwright.cli.progress import finish
from celwright.domain import ColorizeRequest, DecomposeRequest, Finished, Pixels, SegmentRequest, ShadowBlend
from celwright.errors import WrongUsageError
from celwright.imaging.files import read_picture
from celwright.imaging.saving import check_output, write_png
from celwright.layers import NAMES, LayerStack
from celwright.psd import openraster, write
from celwright.psd.tree import four_layers

_FULL_SIZE = {  # what may be said of how a full-size model is to run
    DecomposeRequest: ("resolution", "steps", "seed", "quantize", "offload", "fallback"),
    ColorizeRequest: ("precision", "offload", "fallback"),
    SegmentRequest: (),
}
_LAYERED = (".psd", ".psb", ".ora")


class PictureJob:
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
        known = (name for name in _FULL_SIZE[type(request)] if hasattr(self._options, name))
        said = {name: getattr(self._options, name) for name in known}
        return {"full_size": said} if said else {}

    def write_png(self, name: str, target: Path | None, image: Pixels, number: int = 0) -> None:
        if target is not None:
            with self.stage("write"):
                write_png(numbered(target, number), image, force=self._options.force)
            self._written[_title(name, number)] = str(numbered(target, number))

    def write_layers(
        self, target: Path, images: Mapping[str, Pixels], number: int = 0, shadow_blend: ShadowBlend = "multiply"
    ) -> None:
        with self.stage("write"):
            _write_layered_file(numbered(target, number), images, shadow_blend, force=self._options.force)
        self._written[_title("output", number)] = str(numbered(target, number))

    def write_folder(self, name: str, folder: Path | None, images: Mapping[str, Pixels], number: int = 0) -> None:
        if folder is not None:
            with self.stage("write"):
                for key, image in images.items():
                    write_png(numbered(folder / f"{key}.png", number), image, force=self._options.force)
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


def check_layered_format(path: Path) -> None:
    if path.suffix.lower() not in _LAYERED:
        raise WrongUsageError(f"{path} names no layered format; {', '.join(_LAYERED)} are allowed: change the ending.")


def _write_layered_file(path: Path, images: Mapping[str, Pixels], shadow_blend: ShadowBlend, *, force: bool) -> None:
    nodes = four_layers(LayerStack(*(images[name] for name in NAMES), shadow_blend=shadow_blend))
    if path.suffix.lower() == ".ora":
        openraster.write(path, nodes, images["composite"], force=force)
    else:
        write.write(path, nodes, images["composite"], force=force)


def files_in(folder: Path | None, names: Sequence[str]) -> list[Path]:
    """The files that will stand in ``folder``, which is made when only itself is missing."""
    if folder is None:
        return []
    if not folder.exists():
        check_output(folder)
        folder.mkdir()
    return [folder / f"{name}.png" for name in names]


def numbered(path: Path, number: int) -> Path:
    """Where variation ``number`` goes, of which the first, 0, has the name that was asked for: a.png, a-2.png, …"""
    return path.with_name(f"{path.stem}-{number + 1}{path.suffix}") if number else path


def _title(name: str, number: int) -> str:
    return f"{name}_{number + 1}" if number else name


def beside(path: Path, ending: str) -> Path:
    return path.with_name(path.stem + ending)


def _finite(value: Any) -> Any:
    """JSON has no infinity: an infinite PSNR (no error at all) becomes null."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and value in (float("inf"), float("-inf")) else value
