"""Claims about regions that take their colours from a reference's."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest
from celwright.domain import ColorizeRequest, Finished, FloatImage, Palette, Pixels, Reference
from celwright.errors import ModelUnavailableError, WrongUsageError
from celwright.pipelines.colorize.figures import Figure
from celwright.pipelines.colorize.matched import MatchedProposer, matched_by_references
from celwright.pipelines.colorize.matching import Matched, matched_regions
from celwright.pipelines.colorize.pipeline import ColorizePipeline
from celwright.pipelines.colorize.reference_view import ReferenceView, on_ground, reference_view
from celwright.regions.trapped_ball import segment
from numpy.typing import NDArray

HEIGHT, WIDTH = 240, 200
SKIN, HAT, COAT, BOOT = (240, 200, 170), (40, 60, 200), (30, 140, 60), (90, 50, 30)
Rgba = NDArray[np.uint8]
# Where each part is looked at, and its colour.
PARTS = {(60, 100): SKIN, (30, 100): HAT, (120, 100): COAT, (205, 80): BOOT, (205, 120): BOOT, (104, 153): SKIN}


def figure(bend: int = 0) -> tuple[Rgba, Rgba]:
    """Line art and finished picture, both on transparency, of a figure that waves; ``bend`` px leans it over."""
    line, picture = np.zeros((HEIGHT, WIDTH, 4), np.uint8), np.zeros((HEIGHT, WIDTH, 4), np.uint8)

    def part(color: tuple[int, int, int], *corners: tuple[int, int]) -> None:
        points = np.array([(x + bend * (HEIGHT - y) // HEIGHT, y) for x, y in corners], np.int32)
        for image in (line, picture):
            cv2.fillPoly(image, [points], (0, 0, 0, 0))
        cv2.fillPoly(picture, [points], (*color, 255))
        for image in (line, picture):
            cv2.polylines(image, [points], True, (0, 0, 0, 255), 2)

    part(BOOT, (66, 170), (94, 170), (92, 225), (60, 225))
    part(BOOT, (106, 170), (134, 170), (138, 215), (108, 215))
    part(COAT, (72, 82), (128, 82), (140, 176), (60, 176))
    part(SKIN, (128, 92), (172, 100), (172, 112), (130, 118))
    part(SKIN, (78, 42), (122, 42), (118, 84), (82, 84))
    part(HAT, (64, 44), (136, 44), (110, 14), (86, 20))
    return line, picture


def look(picture: Pixels) -> FloatImage:
    """Lines are what is dark, flats what is seen beside them."""
    ink = (picture.data[..., :3].max(axis=2) < 25).astype(np.float32)
    return np.dstack([ink, picture.data[..., :3] / np.float32(255)])


def view(image: Rgba) -> ReferenceView:
    return reference_view(Reference(Pixels(image)), look)


def match(line: Rgba, references: list[Rgba]) -> tuple[NDArray[np.int32], Matched]:
    shown = [Reference(Pixels(image)) for image in references]
    ink = line[..., 3]
    return matched_by_references(segment(ink, 8).grown, ink, shown, [reference_view(one, look) for one in shown])


def seen(labels: NDArray[np.int32], matched: Matched, y: int, x: int) -> tuple[int, ...]:
    return tuple(np.round(matched.colors[labels[y, x]] * 255).astype(int))


def right(labels: NDArray[np.int32], matched: Matched) -> bool:
    return all(np.abs(np.subtract(seen(labels, matched, *at), color)).max() < 12 for at, color in PARTS.items())


@pytest.mark.parametrize("change", [lambda image: image, lambda image: np.ascontiguousarray(image[:, ::-1])])
def test_a_drawing_takes_its_own_colours_back_from_itself_also_mirrored(change: Callable[[Rgba], Rgba]) -> None:
    line, picture = figure()
    labels, matched = match(line, [change(picture)])
    assert right(labels, matched)
    assert not matched.reached[labels[0, 0]]
    assert matched.reached[np.unique(labels[(picture[..., 3] > 0) & (line[..., 3] == 0)])].all()


@pytest.mark.parametrize(
    "change",
    [
        lambda image: np.pad(image, ((0, 300), (260, 0), (0, 0))),
        lambda image: cv2.resize(image, None, fx=1.7, fy=1.7, interpolation=cv2.INTER_NEAREST),
        lambda image: np.where(image[..., 3:] > 0, image, np.uint8(255)),
        lambda image: figure(bend=25)[1],
    ],
    ids=["elsewhere on a larger page", "larger", "on opaque paper", "leaning over"],
)
def test_it_takes_them_from_another_picture_of_the_figure(change: Callable[[Rgba], Rgba]) -> None:
    assert right(*match(figure()[0], [change(figure()[1])]))


def test_numbering_regions_anew_numbers_the_colours_anew() -> None:
    line, picture = figure()
    ink = line[..., 3]
    labels = segment(ink, 8).grown
    inside = (picture[..., 3] > 0).view(np.uint8)
    number = np.concatenate([[0], np.random.default_rng(4).permutation(labels.max()) + 1]).astype(np.int32)
    one = matched_regions(labels, ink, inside, [[view(picture)]])
    other = matched_regions(number[labels], ink, inside, [[view(picture)]])
    assert np.array_equal(other.colors[number], one.colors)
    assert np.array_equal(other.reached[number], one.reached)
    assert other.sure[number] == pytest.approx(one.sure, abs=1e-4)


def test_a_likeness_that_is_handed_in_counts() -> None:
    line, picture = figure()
    ink = line[..., 3]
    labels = segment(ink, 8).grown
    shown = view(picture)
    hat = np.flatnonzero(np.abs(shown.colors * 255 - HAT).max(axis=1) < 12)

    def everything_is_hat(drawn: Figure, views: Sequence[ReferenceView]) -> list[FloatImage]:
        logits = np.zeros((len(drawn.own), len(views[0].colors)), np.float32)
        logits[:, hat] = 50
        return [logits]

    found = matched_regions(labels, ink, (picture[..., 3] > 0).view(np.uint8), [[shown]], everything_is_hat)
    assert np.abs(found.colors[labels[120, 100]] * 255 - HAT).max() < 12


def test_where_drawings_cannot_be_laid_upon_each_other_the_likeness_is_heard() -> None:
    """A head alone, beside a whole figure."""
    line, picture = (cv2.resize(image[:82, 50:150], None, fx=2.5, fy=2.5) for image in figure())
    shown, ink = view(figure()[1]), line[..., 3]
    labels = segment(ink, 8).grown
    truth = {labels[30 * 5 // 2, 50 * 5 // 2]: HAT, labels[60 * 5 // 2, 50 * 5 // 2]: SKIN}

    def faint(drawn: Figure, views: Sequence[ReferenceView]) -> list[FloatImage]:
        logits = np.zeros((len(drawn.own), len(shown.colors)), np.float32)
        for region, color in truth.items():
            alike = np.abs(shown.colors * 255 - color).max(axis=1) < 12
            logits[drawn.own == region] = np.where(alike, 0, -5)
        return [logits]

    inside = (picture[..., 3] > 0).view(np.uint8)
    by_lines, found = (matched_regions(labels, ink, inside, [[shown]], likeness).colors for likeness in (None, faint))
    assert any(np.abs(by_lines[region] * 255 - color).max() > 12 for region, color in truth.items())
    assert all(np.abs(found[region] * 255 - color).max() < 12 for region, color in truth.items())


def test_two_figures_with_a_region_each_take_from_their_own_reference() -> None:
    line, picture = figure()
    page = np.hstack([line, line])
    night = picture.copy()
    night[(picture == (*COAT, 255)).all(axis=2)] = (200, 20, 120, 255)
    regions = [Pixels(np.full((HEIGHT, 2 * WIDTH, 1), 0, np.uint8)) for _ in range(2)]
    regions[0].data[:, :WIDTH], regions[1].data[:, WIDTH:] = 255, 255
    images = zip((picture, night), regions, strict=True)
    references = [Reference(Pixels(image), region=region) for image, region in images]
    ink = page[..., 3]
    views = [reference_view(one, look) for one in references]
    labels, matched = matched_by_references(segment(ink, 8).grown, ink, references, views)
    assert right(labels, matched)
    assert np.abs(np.subtract(seen(labels, matched, 120, 100 + WIDTH), (200, 20, 120))).max() < 12
    assert np.abs(np.subtract(seen(labels, matched, 60, 100 + WIDTH), SKIN)).max() < 12


def test_an_empty_reference_says_nothing() -> None:
    line, picture = figure()
    labels, matched = match(line, [np.zeros_like(picture)])
    assert not matched.reached[labels[120, 100]]


def test_ground_is_what_hangs_together_with_an_even_border() -> None:
    picture = np.full((60, 60, 3), 250, np.uint8)
    picture[20:40, 20:40] = (10, 120, 40)
    picture[28:32, 28:32] = 250
    inside = on_ground(picture, (120, 120))
    assert inside[60, 60] == inside[44, 44] == 1
    assert not inside[:38].any()
    uneven = np.random.default_rng(1).integers(0, 255, (60, 60, 3)).astype(np.uint8)
    assert on_ground(uneven, (60, 60)).all()
    assert on_ground(np.full((60, 60, 3), 7, np.uint8), (60, 60)).all()


def pipeline() -> ColorizePipeline:
    return ColorizePipeline(sampled=MatchedProposer(lambda: look))


def run(request: ColorizeRequest) -> Finished:
    *_, last = pipeline().run(request)
    assert isinstance(last, Finished)
    return last


def test_a_page_is_coloured_by_references_without_a_colour_network_and_hints_are_law() -> None:
    line, picture = figure()
    hints = np.zeros_like(line)
    hints[115:125, 95:105] = (250, 250, 0, 255)
    request = ColorizeRequest(Pixels(line), hints=Pixels(hints), references=(Reference(Pixels(picture)),))
    finished = run(request)
    flat = finished.images["flat"].data
    assert finished.report.model == "matching"
    assert tuple(flat[120, 100]) == (250, 250, 0, 255)
    assert np.abs(np.subtract(flat[60, 100, :3].astype(int), SKIN)).max() < 12
    assert flat[5, 5, 3] == 0


def test_matched_colours_snap_to_a_palette() -> None:
    line, picture = figure()
    palette = Palette("two", np.array([(0, 160, 60), (250, 190, 160)], np.uint8))
    request = ColorizeRequest(Pixels(line), references=(Reference(Pixels(picture)),), palette=palette)
    flat = run(request).images["flat"].data
    assert tuple(flat[120, 100]) == (0, 160, 60, 255)
    assert tuple(flat[60, 100]) == (250, 190, 160, 255)


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        ({"palette": "auto"}, "The palette 'auto'"),
        ({"variations": 3}, "3 variations"),
        ({"histogram": np.full(256, 1 / 256, np.float32)}, "A histogram"),
    ],
)
def test_what_needs_a_colour_network_is_refused(asked: dict[str, object], what: str) -> None:
    line, picture = figure()
    request = ColorizeRequest(Pixels(line), references=(Reference(Pixels(picture)),), **asked)  # type: ignore[arg-type]
    with pytest.raises(WrongUsageError) as raised:
        run(request)
    assert str(raised.value) == (
        f"{what} came, but this installation colours by hints, references, a palette to snap to, or the palette "
        f"'flatting' only: leave that option out."
    )


def test_another_model_is_refused() -> None:
    line, picture = figure()
    request = ColorizeRequest(Pixels(line), references=(Reference(Pixels(picture)),), model="other")
    with pytest.raises(ModelUnavailableError) as raised:
        run(request)
    assert str(raised.value) == (
        "The model 'other' is not installed; this installation colours by hints and references, which needs no such "
        "model: leave that option out."
    )
