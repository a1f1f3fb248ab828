"""How much of a page comes out in the artist's colours when true regions got one dot of their colour each.

Folders with ``line.png`` and ``flat.png`` are measured: the artist's flat says which regions there are and what they
are called for; the dots are set on the line art as an artist would, far from lines. Two simple ways to use the same
dots stand beside the pipeline's figures: the nearest hint for every pixel, and connected components of what is not
line; and what the dots allow at most. Does not judge references or shading.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from celwright.domain import ColorizeRequest, Finished, Labels, Palette, Pipeline, Pixels
from celwright.errors import UnusableInputError
from celwright.imaging import lineart
from celwright.imaging.color import ciede2000, nearest_colors, srgb_to_lab
from celwright.pipelines.colorize.pipeline import ColorizePipeline
from celwright.pipelines.colorize.proposal import Proposer
from celwright.regions.trapped_ball import LINE_FROM

CLOSE = 5.0  # CIEDE2000; up to it a colour counts as the artist's
_SMALLEST = 9  # px; smaller patches of colour are anti-aliasing, not regions
_DOT = 4  # px; radius of a dot where there is room for it

Rgba: TypeAlias = NDArray[np.uint8]  # (H, W, 4)


@dataclass(frozen=True)
class HintScore:
    """One page: ``dots`` set, and for each way of filling the share of the visible flat area in the right colour."""

    page: str
    dots: int
    shares: dict[str, float]
    seconds: float


def evaluate_hints(
    directory: Path,
    largest: float = 1.0,
    gap: int = 8,
    across_lines: bool = False,
    sampled: Proposer | None = None,
) -> Iterator[HintScore]:
    """Scores of every page below ``directory``; dots go to the ``largest`` share (0..1) of the true regions.

    A true region is a patch of one colour between lines, or, ``across_lines``, wherever the flat's colour goes on
    under them: then the parts that lines cut off get no dot of their own. With ``sampled``, colours for regions without
    a dot are also asked of a network that sees the dots, as they come ("sampled") and with the nearest of the dots'
    colours in their place ("sampled, dots' colours"). Raises UnusableInputError when no folder holds ``line.png`` and
    ``flat.png``.
    """
    asked = None if sampled is None else ColorizePipeline(hints=sampled)
    pages = sorted(path.parent for path in directory.rglob("line.png") if path.with_name("flat.png").is_file())
    if not pages:
        raise UnusableInputError(
            f"No folder below {directory} holds line.png and flat.png; both are needed to measure colouring by hints."
        )
    for page in pages:
        line = np.asarray(Image.open(page / "line.png").convert("RGBA"))
        flat = np.asarray(Image.open(page / "flat.png").convert("RGBA"))
        ink = lineart.ink(Pixels(line))
        regions = true_regions(flat if across_lines else np.where(ink[..., None] < LINE_FROM, flat, 0).astype(np.uint8))
        if not regions.any():
            continue
        dots, hints = one_dot_per_region(regions, flat, ink, largest)
        request = ColorizeRequest(Pixels(line), hints=Pixels(hints), gap=gap, shading=False)
        start = perf_counter()
        ours = flat_of(ColorizePipeline(), request)
        seconds = perf_counter() - start
        visible = (flat[..., 3] == 255) & (ink < 128)
        ways: dict[str, Callable[[], Rgba]] = {
            "celwright": lambda ours=ours: ours,  # type: ignore[misc]
            "nearest hint": lambda hints=hints: by_nearest_hint(hints),  # type: ignore[misc]
            "components": lambda hints=hints, ink=ink: by_components(hints, ink),  # type: ignore[misc]
            "at most": lambda hints=hints, flat=flat: by_nearest_color(hints, flat),  # type: ignore[misc]
        }
        if asked is not None:
            dotted = Palette("dots", np.unique(hints[hints[..., 3] > 0][:, :3], axis=0)[:4096])
            ways |= {
                "sampled": lambda request=request: flat_of(asked, request),  # type: ignore[misc]
                "sampled, dots' colours": lambda request=request, dotted=dotted: (  # type: ignore[misc]
                    flat_of(asked, replace(request, palette=dotted))
                ),
            }
        shares = {way: close_share(fill(), flat, visible) for way, fill in ways.items()}
        yield HintScore(str(page.relative_to(directory)), dots, shares, seconds)


def table(scores: list[HintScore]) -> str:
    """The scores as Markdown, with their mean in the last row."""
    ways = list(scores[0].shares)
    rows = [f"| page | dots | {' | '.join(ways)} | s |", "|---" * (len(ways) + 3) + "|"]
    rows += [_row(score.page, str(score.dots), [score.shares[way] for way in ways], score.seconds) for score in scores]
    means = [float(np.mean([score.shares[way] for score in scores])) for way in ways]
    rows.append(_row("mean", "", means, float(np.mean([score.seconds for score in scores]))))
    return "\n".join(rows)


def _row(page: str, dots: str, shares: list[float], seconds: float) -> str:
    return f"| {page} | {dots} | {' | '.join(f'{share:.3f}' for share in shares)} | {seconds:.2f} |"


def true_regions(flat: Rgba) -> Labels:
    """(H, W) IDs from 1 of the artist's regions: touching opaque pixels of one colour, wider than anti-aliasing."""
    from skimage.measure import label

    packed = flat[..., 0].astype(np.int32) << 16 | flat[..., 1].astype(np.int32) << 8 | flat[..., 2]
    opaque = np.where(flat[..., 3] == 255, packed + 1, 0)
    patches = np.asarray(label(opaque, background=0, connectivity=1), np.int32)  # type: ignore[no-untyped-call]
    numbers, square = patches.astype(np.float32), np.ones((3, 3), np.uint8)
    inner = (patches > 0) & (cv2.erode(numbers, square) == cv2.dilate(numbers, square))
    real = np.bincount(patches.reshape(-1)) >= _SMALLEST
    real &= np.bincount(patches[inner], minlength=len(real)) > 0
    real[0] = False
    numbers_of = np.where(real, np.cumsum(real), 0).astype(np.int32)
    return numbers_of[patches]


def one_dot_per_region(regions: Labels, flat: Rgba, ink: NDArray[np.uint8], largest: float = 1.0) -> tuple[int, Rgba]:
    """The number of dots and the hint picture: a disc of the region's colour where it is farthest from lines."""
    numbers, square = regions.astype(np.float32), np.ones((3, 3), np.uint8)
    seam = cv2.erode(numbers, square) != cv2.dilate(numbers, square)
    room = cv2.distanceTransform(((regions > 0) & ~seam & (ink < 64)).view(np.uint8), cv2.DIST_L2, 5)
    areas = np.bincount(regions.reshape(-1))[1:]
    wanted = np.argsort(-areas, kind="stable")[: max(1, round(largest * len(areas)))] + 1
    places = np.flatnonzero(regions)
    order = np.lexsort((places, -room.reshape(-1)[places], regions.reshape(-1)[places]))
    _, first = np.unique(regions.reshape(-1)[places[order]], return_index=True)
    deepest = places[order][first]
    hints = np.zeros_like(flat)
    for region in wanted:
        y, x = divmod(int(deepest[region - 1]), regions.shape[1])
        radius = min(_DOT, max(0, int(room[y, x]) - 1))
        cv2.circle(hints, (x, y), radius, [int(part) for part in flat[y, x]], -1)
    return len(wanted), hints


def by_nearest_hint(hints: Rgba) -> Rgba:
    """Every pixel in the colour of the hint pixel nearest to it."""
    return _spread_over(hints, hints[..., 3] > 0)


def by_components(hints: Rgba, ink: NDArray[np.uint8]) -> Rgba:
    """Connected components of what is not line, each in its commonest hint colour; the rest by the nearest of these."""
    count, labels = cv2.connectedComponents((ink < 128).view(np.uint8), connectivity=4)
    places = np.flatnonzero((hints[..., 3] > 0) & (labels > 0))
    packed = np.ascontiguousarray(hints).view(np.uint32).reshape(-1)[places].astype(np.int64)
    pairs, counts = np.unique(labels.reshape(-1)[places].astype(np.int64) << 32 | packed, return_counts=True)
    colors = np.zeros(count, np.uint32)
    order = np.argsort(counts, kind="stable")
    colors[pairs[order] >> 32] = (pairs[order] & 0xFFFFFFFF).astype(np.uint32)
    filled = np.ascontiguousarray(colors[labels])[..., None].view(np.uint8)
    return _spread_over(filled, filled[..., 3] > 0)


def by_nearest_color(hints: Rgba, flat: Rgba) -> Rgba:
    """Every pixel in that hint's colour which is nearest to the artist's: no way to use the hints can do better."""
    dots = np.unique(hints[hints[..., 3] > 0], axis=0)
    colors, which = np.unique(flat.reshape(-1, 4), axis=0, return_inverse=True)
    seen, shown = (part[:, :3].astype(np.float32) / np.float32(255) for part in (colors, dots))
    best = nearest_colors(seen, shown)
    return np.ascontiguousarray(dots[best][which.reshape(-1)].reshape(flat.shape))


def close_share(filled: Rgba, flat: Rgba, visible: NDArray[np.bool_], within: float = CLOSE) -> float:
    """The share of the visible pixels in which ``filled`` is opaque and ``within`` a CIEDE2000 difference of the
    artist's flat."""
    pairs, index = np.unique(np.concatenate([filled[visible], flat[visible]], axis=1), axis=0, return_inverse=True)
    colors = srgb_to_lab(pairs[:, [0, 1, 2, 4, 5, 6]].reshape(-1, 2, 3) / 255)
    close = (ciede2000(colors[:, 0], colors[:, 1]) <= within) & (pairs[:, 3] == 255)
    return float(close[index.reshape(-1)].mean())


def _spread_over(image: Rgba, known: NDArray[np.bool_]) -> Rgba:
    """Unknown pixels take the value of the nearest known one."""
    _, nearest = cv2.distanceTransformWithLabels(
        (~known).view(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    values = np.zeros((int(nearest.max()) + 1, image.shape[2]), image.dtype)
    values[nearest[known]] = image[known]
    spread: Rgba = values[nearest]
    return spread


def flat_of(pipeline: Pipeline[ColorizeRequest], request: ColorizeRequest) -> Rgba:
    """(H, W, 4) the first variation's flat."""
    *_, last = pipeline.run(request)
    assert isinstance(last, Finished)
    flat: Rgba = last.images["flat"].data
    return flat
