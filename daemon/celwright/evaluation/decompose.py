"""Decomposition measured on folders of artists' own layers: one row of figures a picture, and their means.

A layer folder holds ``composite.png`` and some of ``line.png flat.png shadow.png highlight.png``; figures without a
layer to compare with stay empty. Knows files and metrics, not how a picture is decomposed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from celwright.domain import DecomposeRequest, Finished, FloatImage, Pixels
from celwright.errors import UnusableInputError
from celwright.evaluation import metrics
from celwright.layers import as_float

Decompose = Callable[[Pixels], Mapping[str, Pixels]]
FIGURES = ("psnr", "ssim", "line_f1", "flat_ciede2000", "shadow_iou", "highlight_iou")


@dataclass(frozen=True)
class Row:
    """``figures`` by the names in FIGURES; None where there was nothing to compare with."""

    picture: str
    figures: Mapping[str, float | None]


def evaluate(directory: Path, decompose: Decompose | None = None) -> list[Row]:
    """Decompose every layer folder in ``directory`` (or itself being one); the last row, "mean", averages each figure
    over the pictures that have it. ``decompose`` is the embedded model's pipeline by default. Raises
    UnusableInputError when there is no layer folder."""
    folders = sorted(path.parent for path in directory.rglob("composite.png"))
    if not folders:
        raise UnusableInputError(
            f"There is no composite.png in {directory} or below; folders with composite.png and line.png, flat.png, "
            f"shadow.png or highlight.png are needed: name the folder that holds them."
        )
    decompose = decompose or embedded()
    rows = [Row(str(folder.relative_to(directory)), _figures(folder, decompose)) for folder in folders]
    means: dict[str, float | None] = {}
    for name in FIGURES:
        values = [value for row in rows if (value := row.figures[name]) is not None]
        means[name] = float(np.mean(values)) if values else None
    return [*rows, Row("mean", means)]


def table(rows: list[Row]) -> str:
    """The rows as text in columns."""
    width = max(len(row.picture) for row in rows)
    lines = [" ".join([" " * width, *(f"{name:>14}" for name in FIGURES)])]
    for row in rows:
        cells = (f"{'-' if row.figures[name] is None else format(row.figures[name], '.3f'):>14}" for name in FIGURES)
        lines.append(" ".join([row.picture.ljust(width), *cells]))
    return "\n".join(lines)


def embedded() -> Decompose:
    from celwright.pipelines.decompose import DecomposePipeline

    pipeline = DecomposePipeline()

    def decompose(picture: Pixels) -> Mapping[str, Pixels]:
        *_, last = pipeline.run(DecomposeRequest(picture))
        assert isinstance(last, Finished)
        return last.images

    return decompose


def _figures(folder: Path, decompose: Decompose) -> dict[str, float | None]:
    def layer(name: str) -> FloatImage | None:
        path = folder / f"{name}.png"
        return as_float(_read(path)) if path.exists() else None

    picture = _read(folder / "composite.png")
    found = {name: as_float(image) for name, image in decompose(picture).items()}
    line, flat, shadow, highlight = (layer(name) for name in ("line", "flat", "shadow", "highlight"))
    blank = np.zeros((*picture.data.shape[:2], 4), np.float32)
    psnr, ssim = metrics.recomposition(as_float(picture), found["composite"])
    return {
        "psnr": psnr,
        "ssim": ssim,
        "line_f1": metrics.line_f1(found["line"], line) if line is not None else None,
        "flat_ciede2000": (
            metrics.flat_difference(found["flat"], flat, line if line is not None else blank)
            if flat is not None
            else None
        ),
        "shadow_iou": (
            metrics.shadow_iou(found["shadow"], shadow, flat) if shadow is not None and flat is not None else None
        ),
        "highlight_iou": (
            metrics.highlight_iou(found["highlight"], highlight, flat)
            if highlight is not None and flat is not None
            else None
        ),
    }


def _read(path: Path) -> Pixels:
    with Image.open(path) as image:
        return Pixels(np.asarray(image.convert("RGBA")))
