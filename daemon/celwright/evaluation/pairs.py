"""Colouring by references on figures that no training run sees, drawn anew in another view than their reference shows.

Judged is where a figure stands that a reference shows; all else is white. The picture as it is seen, the flat with the
line art over it, is judged by SC-MILC's figures (eq. 35-37, table III), and the flat by the share of its area that has
its true colour. PSNR over the page, as in the paper, counts the white too; over the figures it does not. The product
stands beside the plain ways to use a reference. Knows generated pairs.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from celwright.domain import ColorizeRequest, FloatImage, Pipeline, Pixels, Reference
from celwright.evaluation import efficientnet, lpips
from celwright.evaluation.colorize import flat_of
from celwright.evaluation.frechet import Features, frechet
from celwright.evaluation.references import CLOSE, by_area, by_position
from celwright.imaging.color import ciede2000, srgb_to_lab
from celwright.imaging.lineart import drawn
from celwright.regions.trapped_ball import segment
from celwright.training.drawing.identity import Kind
from celwright.training.pairs import HELD_OUT, ColorSample, pair

SMALLEST = 12  # pixels; smaller patches of a part are anti-aliasing
_LEAST = 0.01  # of the picture; figures that show less are not judged
GAP = 8  # px


@dataclass(frozen=True, eq=False)
class Way:
    """A way to colour a sample: its flat (S, S, 4) uint8."""

    name: str
    paint: Callable[[ColorSample], NDArray[np.uint8]]


@dataclass(frozen=True)
class PairScore:
    """Over ``count`` pairs, means: of the page ``page_psnr`` (dB) and ``lpips``; of what is judged of it
    ``figure_psnr`` (dB), ``ssim``, and the share of the area whose part has its true colour within CIEDE2000 10. And
    the ``frechet`` distance of all these pages to the true ones. None where a figure's weights are not installed."""

    name: str
    count: int
    page_psnr: float
    figure_psnr: float
    ssim: float
    accuracy: float
    lpips: float | None
    frechet: float | None


Shown = Callable[[ColorSample, FloatImage, Sequence[FloatImage]], None]
"""Told of a sample, its true picture (S, S, 3), 0..1, white where nothing is judged, and each way's like it."""


def installed(colorize: Pipeline[ColorizeRequest]) -> list[Way]:
    """The product's own way, and the plain ones."""

    def ours(made: ColorSample) -> NDArray[np.uint8]:
        return flat_of(colorize, ColorizeRequest(drawn(made.line), references=given(made), gap=GAP, shading=False))

    def position(made: ColorSample) -> NDArray[np.uint8]:
        return by_position(segment(made.line, GAP).grown, made.line, _shown_flat(made))

    def area(made: ColorSample) -> NDArray[np.uint8]:
        return by_area(segment(made.line, GAP).grown, _shown_flat(made))

    return [Way("celwright", ours), Way("by position", position), Way("by area", area)]


def evaluate(
    ways: Sequence[Way], count: int = 48, size: int = 512, show: Shown | None = None, kind: Kind | None = None
) -> list[PairScore]:
    """The same ``count`` pairs, ``size`` pixels square, of one ``kind`` of figure or all, for every way; ``show`` is
    told of each pair."""
    figures: list[list[tuple[float, ...]]] = [[] for _ in ways]
    features: list[list[Features]] = [[] for _ in range(len(ways) + 1)]
    network = efficientnet.installed()
    for made, judged in shown_pairs(count, size, kind):
        true, *flats = _truth(made), *(_over_white(way.paint(made)) for way in ways)
        truth, *seen = (_seen(made, judged, flat) for flat in (true, *flats))
        part = np.where(judged, made.part.astype(np.int16), np.int16(-1))
        for rows, flat, page in zip(figures, flats, seen, strict=True):
            rows.append((*_figures(page, truth, judged), area_accuracy(flat, true, part)))
        if network is not None:
            for found, flat in zip(features, (truth, *seen), strict=True):
                found.append(_features(network, flat))
        if show is not None:
            show(made, truth, seen)
    scores = []
    for way, rows, found in zip(ways, figures, features[1:], strict=True):
        page_psnr, figure_psnr, ssim, unlike, accuracy = np.mean(rows, axis=0).tolist()
        apart = frechet(np.stack(found), np.stack(features[0])) if found else None
        unlike = None if np.isnan(unlike) else unlike
        scores.append(PairScore(way.name, count, page_psnr, figure_psnr, ssim, accuracy, unlike, apart))
    return scores


def table(scores: Sequence[PairScore]) -> str:
    """The scores as Markdown."""
    lines = [
        "| way | pairs | PSNR, page | PSNR, figures | SSIM | area accuracy | LPIPS | Fréchet |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for s in scores:
        unlike, apart = ("-" if value is None else f"{value:.3f}" for value in (s.lpips, s.frechet))
        ratios = f"{s.page_psnr:.2f} | {s.figure_psnr:.2f} | {s.ssim:.3f} | {s.accuracy:.3f}"
        lines.append(f"| {s.name} | {s.count} | {ratios} | {unlike} | {apart} |")
    return "\n".join(lines)


def shown_pairs(count: int, size: int, kind: Kind | None = None) -> Iterator[tuple[ColorSample, NDArray[np.bool_]]]:
    """Held-out samples with at least one figure that a reference shows, and where such figures are seen (S, S)."""
    number, found = HELD_OUT, 0
    while found < count:
        made = pair(number, size, kind)
        number += 1
        shown = [reference.instance for reference in made.references if reference.instance]
        judged = np.isin(made.instance, shown) & (made.alpha > 127)
        if judged.mean() >= _LEAST:
            found += 1
            yield made, judged


def given(made: ColorSample) -> tuple[Reference, ...]:
    """The sample's references as an artist hands them in."""

    def region(instance: int) -> Pixels:
        return Pixels(np.where(made.instance == instance, np.uint8(255), np.uint8(0))[..., None])

    return tuple(
        Reference(Pixels(one.picture), Pixels(one.mask[..., None]), region(one.instance) if one.assigned else None)
        for one in made.references
    )


def _shown_flat(made: ColorSample) -> NDArray[np.uint8]:
    """(S, S, 4) the flat of the first reference that shows a figure of the sample."""
    shown = next(one for one in made.references if one.instance)
    return np.dstack([shown.flat, shown.mask])


def _truth(made: ColorSample) -> FloatImage:
    return made.flat.astype(np.float32) / np.float32(255)


def _seen(made: ColorSample, judged: NDArray[np.bool_], flat: FloatImage) -> FloatImage:
    """A flat (S, S, 3) under the line art where it is judged, on white: what hides under lines cannot be seen."""
    lit = 1 - made.line[..., None].astype(np.float32) / np.float32(255)
    return np.where(judged[..., None], flat * lit, np.float32(1))


def _over_white(flat: NDArray[np.uint8]) -> FloatImage:
    seen = flat.astype(np.float32) / np.float32(255)
    return np.asarray(seen[..., :3] * seen[..., 3:] + 1 - seen[..., 3:], np.float32)


def area_accuracy(picture: FloatImage, flat: FloatImage, part: NDArray[np.int16]) -> float:
    """Share of the pixels whose part has, by its median, a colour within ``CLOSE`` of the true flat's. Pictures are
    (S, S, 3), 0..1, ``part`` (S, S), negative where nothing is to be judged."""
    right = counted = 0
    for number in np.unique(part[part >= 0]):
        inside = part == number
        area = int(inside.sum())
        if area < SMALLEST:
            continue
        colors = np.stack([np.median(image[inside], 0) for image in (picture, flat)])
        right += area * bool(ciede2000(*srgb_to_lab(colors)) <= CLOSE)
        counted += area
    return right / max(counted, 1)


def _figures(seen: FloatImage, wanted: FloatImage, judged: NDArray[np.bool_]) -> tuple[float, float, float, float]:
    """PSNR of the page and of what is judged, SSIM of the latter and LPIPS of the page: (S, S, 3), 0..1, alike where
    nothing is judged."""
    from skimage.metrics import structural_similarity

    error = np.square(seen - wanted, dtype=np.float64)
    _, likeness = structural_similarity(  # type: ignore[no-untyped-call]
        seen, wanted, channel_axis=2, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
        full=True,
    )  # fmt: skip
    page, figures = (-10 * float(np.log10(max(mean, 1e-10))) for mean in (error.mean(), error[judged].mean()))
    return page, figures, float(likeness[judged].mean()), _lpips(seen, wanted)


def _lpips(seen: FloatImage, wanted: FloatImage) -> float:
    weights = lpips.installed()
    if weights is None:
        return float("nan")
    return float(lpips.lpips(weights, _tensor(seen), _tensor(wanted)))


def _features(network: efficientnet.EfficientNetLite0, picture: FloatImage) -> Features:
    with torch.inference_mode():
        return np.asarray(network(_tensor(picture))[0].numpy(), np.float64)


def _tensor(picture: FloatImage) -> Tensor:
    """(1, 3, S, S) of (S, S, 3)."""
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))[None]
