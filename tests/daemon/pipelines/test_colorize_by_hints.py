"""Claims about colouring by hints: what is painted, and what stays as it was bit for bit."""

import cv2
import numpy as np
import pytest
from celwright.domain import ColorizeRequest, Finished, Palette, Pixels, Progress, Reference, Report
from celwright.errors import CelwrightError, ModelUnavailableError, UnusableInputError, WrongUsageError
from celwright.imaging.color import ciede2000, srgb_to_lab
from celwright.layers import LayerStack, compose
from celwright.pipelines.colorize.pipeline import ColorizePipeline
from celwright.pipelines.colorize.proposal import HintProposer, Proposal
from celwright.regions.show import labels_of
from numpy.typing import NDArray

HEIGHT, WIDTH = 80, 120
RED, BLUE, GREEN = (220, 30, 20, 255), (20, 40, 210, 255), (30, 160, 60, 255)
LEFT, RIGHT, OUTSIDE = (40, 35), (40, 85), (4, 4)  # y, x in the two rooms and in the open


def drawing(depth: int = 8) -> Pixels:
    """Two rooms side by side in anti-aliased dark blue line on transparency."""
    alpha = np.zeros((HEIGHT * 4, WIDTH * 4), np.uint8)
    cv2.rectangle(alpha, (60, 60), (420, 260), 255, 9)
    cv2.line(alpha, (240, 60), (246, 260), 255, 9)
    data = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    data[..., 3] = cv2.resize(alpha, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    data[data[..., 3] > 0, :3] = (10, 20, 60)
    return Pixels(data if depth == 8 else data.astype(np.uint16) * 257)


def scan() -> Pixels:
    """The same drawing as dark line on opaque, slightly yellow paper."""
    data = drawing().data.astype(np.float32)
    alpha = data[..., 3:] / 255
    return Pixels(np.rint(data[..., :3] * alpha + (250, 248, 235) * (1 - alpha)).astype(np.uint8))


def dots(*places: tuple[tuple[int, int], tuple[int, ...]]) -> Pixels:
    data = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    for (y, x), color in places:
        cv2.circle(data, (x, y), 3, color, -1)
    return Pixels(data)


def mask(*boxes: tuple[int, int, int, int], value: int = 255) -> Pixels:
    data = np.zeros((HEIGHT, WIDTH, 1), np.uint8)
    for top, bottom, left, right in boxes:
        data[top:bottom, left:right] = value
    return Pixels(data)


def noise(seed: int = 0, depth: int = 8) -> Pixels:
    kind = np.uint8 if depth == 8 else np.uint16
    top = np.iinfo(kind).max
    return Pixels(np.random.default_rng(seed).integers(0, top, (HEIGHT, WIDTH, 4), kind, endpoint=True))


def finished(request: ColorizeRequest) -> Finished:
    *earlier, last = ColorizePipeline().run(request)
    assert all(isinstance(event, Progress) for event in earlier)
    assert isinstance(last, Finished)
    return last


def flat(request: ColorizeRequest) -> NDArray[np.uint8]:
    return finished(request).images["flat"].data


def test_each_room_takes_the_colour_of_its_dot_and_the_open_stays_transparent() -> None:
    result = flat(ColorizeRequest(drawing(), hints=dots((LEFT, RED), (RIGHT, BLUE))))
    assert tuple(result[LEFT]) == RED
    assert tuple(result[RIGHT]) == BLUE
    assert tuple(result[OUTSIDE]) == (0, 0, 0, 0)
    assert {tuple(color) for color in result.reshape(-1, 4)} == {RED, BLUE, (0, 0, 0, 0)}


def test_colour_lies_under_the_whole_anti_aliased_line_between_two_rooms() -> None:
    result = flat(ColorizeRequest(drawing(), hints=dots((LEFT, RED), (RIGHT, BLUE))))
    assert (result[20:60, 20:100, 3] == 255).all()


def test_a_dot_in_the_open_colours_the_background() -> None:
    result = flat(ColorizeRequest(drawing(), hints=dots((OUTSIDE, GREEN), (LEFT, RED), (RIGHT, BLUE))))
    assert tuple(result[-3, -3]) == GREEN
    assert (result[..., 3] == 255).all()


def test_a_room_without_a_dot_takes_after_the_other_or_stays_transparent() -> None:
    hints = dots((LEFT, RED))
    assert tuple(flat(ColorizeRequest(drawing(), hints=hints))[RIGHT]) == RED
    assert tuple(flat(ColorizeRequest(drawing(), hints=hints, unhinted="transparent"))[RIGHT]) == (0, 0, 0, 0)


@pytest.mark.parametrize("depth", [8, 16])
def test_the_line_layer_is_the_line_art_bit_for_bit(depth: int) -> None:
    line_art = drawing(depth)
    line_art.data[0, 0] = (9, 8, 7, 0)  # colour under no coverage is kept, too
    line = finished(ColorizeRequest(line_art, hints=dots((LEFT, RED)))).images["line"]
    assert line.data.dtype == line_art.data.dtype
    assert np.array_equal(line.data, line_art.data)


def test_layers_keep_the_line_art_s_depth_offset_and_profile() -> None:
    line_art = Pixels(drawing(16).data, (-7, 30), b"profile")
    hints = Pixels(dots((LEFT, RED)).data, (-7, 30))
    images = finished(ColorizeRequest(line_art, hints=hints)).images
    for name in ("line", "flat", "shadow", "highlight", "composite"):
        assert (images[name].depth, images[name].offset, images[name].icc) == (16, (-7, 30), b"profile")
    assert tuple(images["flat"].data[LEFT]) == tuple(257 * part for part in RED)


@pytest.mark.parametrize("shading", [True, False])
def test_the_composite_is_the_layers_put_together(shading: bool) -> None:
    request = ColorizeRequest(drawing(), hints=dots((LEFT, RED), (RIGHT, BLUE)), shading=shading)
    images = finished(request).images
    assert images["shadow"].data.any() == shading
    layers = LayerStack(*(images[name] for name in ("line", "flat", "shadow", "highlight")))
    assert np.abs(compose(layers) * 255 - images["composite"].data).max() <= 0.51


def test_line_art_on_opaque_paper_is_coloured_as_well() -> None:
    images = finished(ColorizeRequest(scan(), hints=dots((LEFT, RED), (RIGHT, BLUE)))).images
    assert tuple(images["flat"].data[LEFT]) == RED
    assert tuple(images["composite"].data[LEFT]) == RED
    assert images["flat"].data[OUTSIDE][3] == 0
    assert images["line"].data[LEFT][3] <= 2


def test_two_colours_in_one_open_room_split_it() -> None:
    line_art = drawing()
    line_art.data[32:50, 55:67] = 0  # a door between the rooms
    hints = dots((LEFT, RED), (RIGHT, BLUE))
    result = flat(ColorizeRequest(line_art, hints=hints, gap=0))
    assert tuple(result[25, 30]) == RED
    assert tuple(result[25, 90]) == BLUE
    marked = hints.data[..., 3] > 0
    assert np.array_equal(result[marked], hints.data[marked])


def test_outside_the_selection_the_context_stays_bit_for_bit() -> None:
    context, selection = noise(), mask((0, 80, 0, 60))
    request = ColorizeRequest(drawing(), dots((LEFT, RED), (RIGHT, BLUE)), selection=selection, context=context)
    result = flat(request)
    outside = selection.data[..., 0] == 0
    assert np.array_equal(result[outside], context.data[outside])
    assert tuple(result[LEFT]) == RED
    assert tuple(result[OUTSIDE]) == (0, 0, 0, 0)


def test_without_a_context_the_outside_of_the_selection_is_transparent() -> None:
    result = flat(ColorizeRequest(drawing(), dots((LEFT, RED), (RIGHT, BLUE)), selection=mask((0, 80, 0, 60))))
    assert tuple(result[LEFT]) == RED
    assert not result[:, 60:].any()


@pytest.mark.parametrize("depth", [8, 16])
def test_locked_pixels_are_bit_equal_after_ten_passes(depth: int) -> None:
    first = noise(1, depth)
    lock = mask((20, 60, 30, 80))
    lock.data[20, 30:80] = 1  # a soft edge locks as well
    context = first
    for turn in range(10):
        hints = dots((LEFT, (20 * turn, 255 - 20 * turn, 128, 255)), (RIGHT, GREEN if turn % 2 else BLUE))
        request = ColorizeRequest(drawing(depth), hints, context=context, lock=lock, selection=mask((0, 70, 0, 110)))
        context = finished(request).images["flat"]
    locked = lock.data[..., 0] > 0
    assert np.array_equal(context.data[locked], first.data[locked])
    assert np.array_equal(context.data[70:], first.data[70:])
    assert not np.array_equal(context.data, first.data)


def test_a_partial_selection_mixes_the_context_and_the_new_colour() -> None:
    context = Pixels(np.full((HEIGHT, WIDTH, 4), (0, 100, 200, 255), np.uint8))
    request = ColorizeRequest(
        drawing(),
        dots((LEFT, (100, 0, 200, 255)), (RIGHT, BLUE)),
        selection=mask((0, 80, 0, 60), value=51),
        context=context,
    )
    result = flat(request)
    assert tuple(result[LEFT]) == (20, 80, 200, 255)
    assert tuple(result[OUTSIDE]) == (0, 100, 200, 204)  # mixed with transparency: the colour is the context's


def test_a_palette_gives_each_room_its_nearest_colour_by_ciede2000() -> None:
    random = np.random.default_rng(5)
    choice = random.integers(0, 256, (30, 3), np.uint8)
    for seed in range(4):
        first, second = np.random.default_rng(seed).integers(0, 256, (2, 3))
        hints = dots((LEFT, (*first.tolist(), 255)), (RIGHT, (*second.tolist(), 255)))
        result = flat(ColorizeRequest(drawing(), hints, palette=Palette("p", choice)))
        for place, wanted in ((LEFT, first), (RIGHT, second)):
            every = [float(ciede2000(srgb_to_lab(wanted / 255), srgb_to_lab(color / 255))) for color in choice]
            assert result[place][:3].tolist() == choice[int(np.argmin(every))].tolist()


def test_flatting_needs_no_hints_and_gives_every_region_its_own_colour() -> None:
    result = finished(ColorizeRequest(drawing(), palette="flatting"))
    image = result.images["flat"].data
    assert (image[..., 3] == 255).all()
    colors = {tuple(image[place]) for place in (LEFT, RIGHT, OUTSIDE)}
    assert len(colors) == 3 == len(np.unique(image.reshape(-1, 4), axis=0)) == result.report.regions
    assert np.array_equal(image, flat(ColorizeRequest(drawing(), palette="flatting")))


def test_hints_are_law_in_flatting_too() -> None:
    result = flat(ColorizeRequest(drawing(), dots((LEFT, RED)), palette="flatting"))
    assert tuple(result[LEFT]) == RED
    assert tuple(result[RIGHT]) != RED


def test_the_result_tells_regions_seconds_and_model() -> None:
    result = finished(ColorizeRequest(drawing(), hints=dots((LEFT, RED), (RIGHT, BLUE)), seed=7))
    report: Report = result.report
    assert report.regions == 3
    assert report.model == "hints"
    assert {"load", "segment", "fill"} <= set(report.seconds)
    labels = labels_of(result.images["regions"])
    assert len({labels[place] for place in (LEFT, RIGHT, OUTSIDE)}) == 3
    assert not [name for name in result.images if name.startswith("stages/")]


def test_progress_names_the_stages_in_order() -> None:
    stages = [
        e.stage
        for e in ColorizePipeline().run(ColorizeRequest(drawing(), dots((LEFT, RED))))
        if isinstance(e, Progress)
    ]
    assert list(dict.fromkeys(stages)) == ["segment", "hints", "fill"]


def test_stages_show_regions_hints_and_the_proposal_before_the_palette() -> None:
    palette = Palette("p", np.array([[0, 0, 0]], np.uint8))
    request = ColorizeRequest(drawing(), dots((LEFT, RED)), palette=palette, stages=True)
    images = finished(request).images
    assert tuple(images["stages/proposal"].data[LEFT]) == RED
    assert tuple(images["flat"].data[LEFT]) == (0, 0, 0, 255)
    assert tuple(images["stages/hints"].data[LEFT]) == RED
    assert images["stages/hints"].data[RIGHT][3] == 0
    shown = images["stages/regions"].data
    assert len({tuple(shown[place]) for place in (LEFT, RIGHT, OUTSIDE)}) == 3


def test_notices_tell_of_the_background_and_of_hints_that_cannot_act() -> None:
    hints = dots((LEFT, RED), (RIGHT, BLUE))
    background = "What reaches a corner of the canvas was taken for background and left transparent: paint a dot there."
    outside = (
        "1 of 2 hints lie outside the selection or on locked pixels: they colour only what their regions have inside."
    )
    assert finished(ColorizeRequest(drawing(), hints)).report.notices == (background,)
    assert finished(ColorizeRequest(drawing(), hints, selection=mask((0, 80, 0, 60)))).report.notices == (
        background,
        outside,
    )
    assert finished(ColorizeRequest(drawing(), hints, unhinted="transparent")).report.notices == ()


def test_line_art_without_a_closed_region_is_coloured_with_a_notice() -> None:
    line_art = Pixels(np.zeros((HEIGHT, WIDTH, 4), np.uint8))
    line_art.data[40, 20:100] = (0, 0, 0, 255)
    result = finished(ColorizeRequest(line_art, hints=dots((LEFT, RED))))
    assert result.report.notices == (
        "The line art encloses no region: every line is open; close the outlines or raise the gap.",
    )
    assert (result.images["flat"].data == RED).all()


def test_a_proposer_s_colours_fill_what_has_no_hint_and_never_what_has() -> None:
    class Green(HintProposer):
        def propose(self, request, regions, ink):
            yield Progress("sample", 0.5)
            colors = np.zeros_like(regions.colors)
            colors[1:] = (0, 1, 0, 1)
            yield Proposal(colors)

    events = list(ColorizePipeline(Green()).run(ColorizeRequest(drawing(), dots((LEFT, RED)))))
    assert Progress("sample", 0.5) in events
    result = events[-1].images["flat"].data
    assert tuple(result[LEFT]) == RED
    assert tuple(result[RIGHT]) == (0, 255, 0, 255)


OPTIONS = (
    " came, but this installation colours by hints, a palette to snap to, or the palette 'flatting' only: "
    "leave that option out."
)


@pytest.mark.parametrize(
    ("options", "kind", "sentence"),
    [
        ({"palette": "auto"}, WrongUsageError, "The palette 'auto'" + OPTIONS),
        ({"references": (Reference(noise()),)}, WrongUsageError, "References" + OPTIONS),
        ({"histogram": np.ones(4, np.float32) / 4}, WrongUsageError, "A histogram" + OPTIONS),
        ({"variations": 3}, WrongUsageError, "3 variations" + OPTIONS),
        (
            {"model": "dream"},
            ModelUnavailableError,
            "The model 'dream' is not installed; this installation colours by hints, which needs no model: "
            "leave that option out.",
        ),
        (
            {"hints": None},
            WrongUsageError,
            "No hints came, so there is no colour to begin with: paint at least one dot of colour on a transparent "
            "layer, or use the palette 'flatting'.",
        ),
        (
            {"context": noise(depth=16)},
            WrongUsageError,
            "The context has 16 bits a channel, the line art 8; both must match so that kept pixels stay as they are: "
            "convert one of them.",
        ),
        (
            {"hints": dots()},
            UnusableInputError,
            "The hints are fully transparent; paint at least one dot of colour or leave them out.",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_sentence(
    options: dict, kind: type[CelwrightError], sentence: str
) -> None:
    request = ColorizeRequest(drawing(), **{"hints": dots((LEFT, RED)), **options})
    with pytest.raises(kind) as raised:
        list(ColorizePipeline().run(request))
    assert str(raised.value) == sentence
