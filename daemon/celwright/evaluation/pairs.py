"""Colouring by references on figures that no training run sees, drawn anew in another view than their reference shows.

Judged are the flats, where a figure stands that a reference shows. The product stands beside the plain ways to use a
reference, or trained networks beside each other, such as those that leave a part out (SC-MILC, table III): these are
asked alone, without the lines' own likeness that the product adds. Knows generated pairs.
"""

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from celwright.domain import ColorizeRequest, FloatImage, Pipeline, Pixels, Reference
from celwright.errors import UnusableInputError
from celwright.evaluation import lpips
from celwright.evaluation.colorize import flat_of
from celwright.evaluation.references import CLOSE, by_area, by_position
from celwright.imaging.color import ciede2000, srgb_to_lab
from celwright.models.presets import build_colorizer
from celwright.pipelines.colorize.figures import figure_of, owners
from celwright.pipelines.colorize.reference_view import Look, reference_view
from celwright.pipelines.colorize.region_network import RegionNetwork, unknown
from celwright.pipelines.network import best_device
from celwright.regions.fill import painted
from celwright.regions.trapped_ball import segment
from celwright.training.pairs import HELD_OUT, ColorSample, pair

SMALLEST = 12  # pixels; smaller patches of a part are anti-aliasing
_LEAST = 0.01  # of the picture; figures that show less are not judged
_GAP = 8  # px
_NAMES = {"sgm": "SGM", "ismff": "ISMFF", "lgb": "LGB"}


@dataclass(frozen=True, eq=False)
class Way:
    """A way to colour a sample: its flat (S, S, 4) uint8."""

    name: str
    paint: Callable[[ColorSample], NDArray[np.uint8]]


@dataclass(frozen=True)
class PairScore:
    """Means over ``count`` pairs: ``psnr`` (dB), ``ssim`` and ``lpips`` (None where its weights are not installed) of
    the judged pixels' flats, and the share of their area whose part has its true colour within CIEDE2000 10."""

    name: str
    count: int
    psnr: float
    ssim: float
    accuracy: float
    lpips: float | None


def installed(colorize: Pipeline[ColorizeRequest]) -> list[Way]:
    """The product's own way, and the plain ones."""

    def ours(made: ColorSample) -> NDArray[np.uint8]:
        return flat_of(colorize, ColorizeRequest(_line_art(made), references=_given(made), gap=_GAP, shading=False))

    def position(made: ColorSample) -> NDArray[np.uint8]:
        return by_position(segment(made.line, _GAP).grown, made.line, _shown_flat(made))

    def area(made: ColorSample) -> NDArray[np.uint8]:
        return by_area(segment(made.line, _GAP).grown, _shown_flat(made))

    return [Way("celwright", ours), Way("by position", position), Way("by area", area)]


def trained(run: Path, look: Look) -> Way:
    """The averaged weights of a training's last checkpoint in the folder ``run``, named after what it leaves out.
    Raises UnusableInputError when there is none."""
    device = best_device()
    try:
        state = torch.load(run / "checkpoint.pt", map_location=device, weights_only=True)
    except OSError as fault:
        raise UnusableInputError(
            f"{run} holds no checkpoint.pt ({fault.strerror}); name the folder that a colorizer's training wrote."
        ) from fault
    left_out = ast.literal_eval(state["options"]["left_out"])
    network = build_colorizer(state["options"]["preset"], **dict.fromkeys(left_out, False))
    network.load_state_dict(state["average"])
    asked = RegionNetwork(network.eval().to(device), device, half=False)

    def paint(made: ColorSample) -> NDArray[np.uint8]:
        labels = segment(made.line, _GAP).grown
        colors = np.zeros((int(labels.max(initial=0)) + 1, 4), np.float32)
        owner = owners(labels, made.instance, int(made.instance.max()))
        for number in np.unique([one.instance for one in made.references if one.instance]).tolist():
            given = zip(made.references, _given(made), strict=True)
            views = [reference_view(reference, look) for one, reference in given if one.instance == number]
            views = [view for view in views if len(view.colors)]
            own = np.flatnonzero(owner == number)
            if views and len(own):
                figure = figure_of(labels, made.line, made.instance == number, own)
                colors[own, :3], colors[own, 3] = asked.taken(unknown(figure, views))[0], 1
        return painted(labels, colors, 8)

    name = f"w/o {', '.join(_NAMES[part] for part in left_out)}" if left_out else "full"
    return Way(name, paint)


def evaluate(ways: Sequence[Way], count: int = 48, size: int = 512) -> list[PairScore]:
    """The same ``count`` pairs, ``size`` pixels square, for every way."""
    figures: dict[str, list[tuple[float, float, float, float]]] = {way.name: [] for way in ways}
    for made, judged in shown_pairs(count, size):
        for way in ways:
            figures[way.name].append(_figures(_over_white(way.paint(made)), made, judged))
    scores = []
    for name, rows in figures.items():
        psnr, ssim, accuracy, distance = np.mean(rows, axis=0).tolist()
        scores.append(PairScore(name, count, psnr, ssim, accuracy, None if np.isnan(distance) else distance))
    return scores


def table(scores: Sequence[PairScore]) -> str:
    """The scores as Markdown."""
    lines = ["| way | pairs | PSNR | SSIM | area accuracy | LPIPS |", "|---|---|---|---|---|---|"]
    for s in scores:
        distance = "-" if s.lpips is None else f"{s.lpips:.3f}"
        lines.append(f"| {s.name} | {s.count} | {s.psnr:.2f} | {s.ssim:.3f} | {s.accuracy:.3f} | {distance} |")
    return "\n".join(lines)


def shown_pairs(count: int, size: int) -> Iterator[tuple[ColorSample, NDArray[np.bool_]]]:
    """Held-out samples with at least one figure that a reference shows, and where such figures are seen (S, S)."""
    number, found = HELD_OUT, 0
    while found < count:
        made = pair(number, size)
        number += 1
        shown = [reference.instance for reference in made.references if reference.instance]
        judged = np.isin(made.instance, shown) & (made.alpha > 127)
        if judged.mean() >= _LEAST:
            found += 1
            yield made, judged


def _line_art(made: ColorSample) -> Pixels:
    black = np.zeros((*made.line.shape, 4), np.uint8)
    black[..., 3] = made.line
    return Pixels(black)


def _given(made: ColorSample) -> tuple[Reference, ...]:
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


def _figures(picture: FloatImage, made: ColorSample, judged: NDArray[np.bool_]) -> tuple[float, float, float, float]:
    """PSNR, SSIM, area accuracy and LPIPS of flats (S, S, 3), 0..1, where they are judged."""
    from skimage.metrics import structural_similarity

    flat = made.flat.astype(np.float32) / np.float32(255)
    seen, wanted = (np.where(judged[..., None], image, np.float32(1)) for image in (picture, flat))
    error = float(np.square(seen - wanted, dtype=np.float64)[judged].mean())
    _, likeness = structural_similarity(  # type: ignore[no-untyped-call]
        seen, wanted, channel_axis=2, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
        full=True,
    )  # fmt: skip
    part = np.where(judged, made.part.astype(np.int16), np.int16(-1))
    psnr = -10 * np.log10(max(error, 1e-10))
    return psnr, float(likeness[judged].mean()), area_accuracy(picture, flat, part), _lpips(seen, wanted)


def _lpips(seen: FloatImage, wanted: FloatImage) -> float:
    weights = lpips.installed()
    if weights is None:
        return float("nan")
    one, other = (torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None] for image in (seen, wanted))
    return float(lpips.lpips(weights, one, other))
