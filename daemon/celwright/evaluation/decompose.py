"""Decomposition measured on folders of artists' own layers: a row of figures a picture and way, and their means.

A layer folder holds ``composite.png`` and some of ``line.png flat.png shadow.png highlight.png``; figures without a
layer to compare with stay empty. The embedded model stands beside plain filters and beside other weights. Knows files
and metrics, not how a picture is decomposed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from celwright.domain import DecomposeRequest, Finished, FloatImage, Pixels
from celwright.errors import UnusableInputError
from celwright.evaluation import metrics
from celwright.evaluation.plain import layers_by_filters
from celwright.layers import as_float

Decompose = Callable[[Pixels], Mapping[str, Pixels]]
FIGURES = (
    "psnr", "ssim", "lmse", "line_f1", "line_leak", "flat_ciede2000", "shadow_iou", "shadow_cover", "highlight_iou",
    "highlight_cover",
)  # fmt: skip
EMBEDDED, PLAIN = "embedded", "plain filters"


@dataclass(frozen=True)
class Row:
    """``figures`` by the names in FIGURES of what ``by`` made of ``picture``; None where there was nothing to compare
    with."""

    picture: str
    by: str
    figures: Mapping[str, float | None]


def evaluate(directory: Path, ways: Mapping[str, Decompose] | None = None, against: Sequence[Path] = ()) -> list[Row]:
    """Decompose every layer folder in ``directory`` (or itself being one) in each of the ``ways``: by default the
    embedded model, the weights ``against`` it and plain filters.

    Rows of "mean" follow, over pictures in one folder of folders where there are several such, and over those means.
    Covers are medians. Raises UnusableInputError when there is no layer folder or weights cannot be read.
    """
    folders = sorted(path.parent for path in directory.rglob("composite.png"))
    if not folders:
        raise UnusableInputError(
            f"There is no composite.png in {directory} or below; folders with composite.png and line.png, flat.png, "
            f"shadow.png or highlight.png are needed: name the folder that holds them."
        )
    if ways is None:
        others = {str(path): with_weights(path) for path in against}
        ways = {EMBEDDED: embedded(), **others, PLAIN: layers_by_filters}
    rows: list[Row] = []
    groups: dict[str, dict[str, list[Row]]] = {}
    for folder in folders:
        group = "" if folder == directory else str(folder.parent.relative_to(directory))
        for by, decompose in ways.items():
            row = Row(str(folder.relative_to(directory)), by, _figures(folder, decompose))
            rows.append(row)
            groups.setdefault(group, {}).setdefault(by, []).append(row)
    means = {group: [_mean(f"mean of {group}", found) for found in by.values()] for group, by in groups.items()}
    if len(means) > 1:
        rows += [row for group in means.values() for row in group]
    return rows + [_mean("mean", list(same)) for same in zip(*means.values(), strict=True)]


def _mean(name: str, rows: list[Row]) -> Row:
    figures: dict[str, float | None] = {}
    for figure in FIGURES:
        values = [value for row in rows if (value := row.figures[figure]) is not None]
        middle = np.median if figure.endswith("cover") else np.mean
        figures[figure] = float(middle(values)) if values else None
    return Row(name, rows[0].by, figures)


def table(rows: list[Row]) -> str:
    """The rows as text in columns."""
    first, second = (max(len(getattr(row, name)) for row in rows) for name in ("picture", "by"))
    lines = [" ".join([" " * first, " " * second, *(f"{name:>15}" for name in FIGURES)])]
    for row in rows:
        cells = [f"{_cell(name, row.figures[name]):>15}" for name in FIGURES]
        lines.append(" ".join([row.picture.ljust(first), row.by.ljust(second), *cells]))
    return "\n".join(lines)


def _cell(name: str, value: float | None) -> str:
    return "-" if value is None else format(value, ".6f" if name == "lmse" else ".3f")


def embedded() -> Decompose:
    """What the embedded model and its pipeline make of a picture."""
    return _through_the_pipeline(None)


def with_weights(path: Path) -> Decompose:
    """The same with other weights, as ``celwright train decomposer`` exports them. Raises UnusableInputError when they
    cannot be read."""
    from celwright.pipelines.network import predictor_of

    predict = predictor_of(path)
    return _through_the_pipeline(lambda name: predict)


def _through_the_pipeline(load: Callable[[str], Callable[[NDArray[Any]], FloatImage]] | None) -> Decompose:
    from celwright.pipelines.decompose.pipeline import DecomposePipeline

    pipeline = DecomposePipeline(load)

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
    figures: dict[str, float | None] = dict.fromkeys(FIGURES)
    figures["psnr"], figures["ssim"] = metrics.recomposition(as_float(picture), found["composite"])
    white, ours = metrics.over_white(as_float(picture)), metrics.over_white(found["composite"])
    figures["lmse"] = metrics.local_mean_squared_error(white, ours)
    if line is not None:
        figures["line_f1"] = metrics.line_f1(found["line"], line)
    if flat is not None:
        blank = np.zeros_like(flat)
        figures["flat_ciede2000"] = metrics.flat_difference(found["flat"], flat, blank if line is None else line)
        if line is not None:
            figures["line_leak"] = metrics.line_leak(found["flat"], flat, line)
        if shadow is not None:
            figures["shadow_iou"] = metrics.shadow_iou(found["shadow"], shadow, flat)
            figures["shadow_cover"] = metrics.shadow_cover(found["shadow"], shadow, flat)
        if highlight is not None:
            figures["highlight_iou"] = metrics.highlight_iou(found["highlight"], highlight, flat)
            figures["highlight_cover"] = metrics.highlight_cover(found["highlight"], highlight, flat)
    return figures


def _read(path: Path) -> Pixels:
    with Image.open(path) as image:
        return Pixels(np.asarray(image.convert("RGBA")))
