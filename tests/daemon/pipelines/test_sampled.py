"""Claims about colouring by sampling, with a tiny network of random weights."""

from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from celwright.domain import (
    ColorizeRequest,
    Finished,
    FloatImage,
    Guidance,
    Palette,
    Pixels,
    Preview,
    Progress,
    Reference,
)
from celwright.errors import ModelUnavailableError
from celwright.models.presets import build_colorizer
from celwright.pipelines.colorize.figures import figure_of
from celwright.pipelines.colorize.harmonies import harmony
from celwright.pipelines.colorize.pipeline import ColorizePipeline
from celwright.pipelines.colorize.reference_view import reference_view
from celwright.pipelines.colorize.region_network import RegionNetwork, Told
from celwright.pipelines.colorize.sampled import SampledProposer
from celwright.regions.trapped_ball import segment
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SIDE = 96
RED, BLUE = (220, 30, 20), (20, 40, 210)
TWO = ((40, 48, 24), (140, 48, 36))


@pytest.fixture(scope="module")
def network() -> Iterator[RegionNetwork]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(3)
    made = build_colorizer("tiny").eval()
    torch.nn.init.normal_(made.head.weight, std=0.3)  # what is asked for must show in the result,
    torch.nn.init.constant_(made.none.bias, 5)  # so no region may take a colour that the page has already
    yield RegionNetwork(made, "cpu", half=False)
    torch.set_num_threads(threads)


def look(picture: Pixels) -> FloatImage:
    """Lines are what is dark, flats what is seen beside them."""
    ink = (picture.data[..., :3].max(axis=2) < 25).astype(np.float32)
    return np.dstack([ink, picture.data[..., :3] / np.float32(255)])


def drawing(*circles: tuple[int, int, int]) -> Pixels:
    data = np.zeros((SIDE, 2 * SIDE, 4), np.uint8)
    for x, y, radius in circles:
        cv2.circle(data, (x, y), radius, (0, 0, 0, 255), 2)
    return Pixels(data)


def picture(*colors: tuple[int, int, int]) -> Pixels:
    data = np.zeros((60, 60, 4), np.uint8)
    for i, color in enumerate(colors):
        cv2.circle(data, (30, 30), 26 - 8 * i, (*color, 255), -1)
        cv2.circle(data, (30, 30), 26 - 8 * i, (0, 0, 0, 255), 1)
    return Pixels(data)


def left(color: int = 255) -> Pixels:
    data = np.zeros((SIDE, 2 * SIDE, 1), np.uint8)
    data[:, :SIDE] = color
    return Pixels(data)


def pipeline(network: RegionNetwork) -> ColorizePipeline:
    return ColorizePipeline(sampled=SampledProposer(lambda _: network, lambda: look))


def run(network: RegionNetwork, request: ColorizeRequest) -> Finished:
    *_, last = pipeline(network).run(request)
    assert isinstance(last, Finished)
    return last


def test_progress_previews_and_one_result_come_in_order(network: RegionNetwork) -> None:
    *events, last = pipeline(network).run(ColorizeRequest(drawing(*TWO), palette="auto", steps=3))
    assert isinstance(last, Finished)
    stages = [event.stage for event in events if isinstance(event, Progress)]
    assert list(dict.fromkeys(stages)) == ["segment", "hints", "load", "sample", "fill"]
    previews = [event.image.data for event in events if isinstance(event, Preview)]
    assert [image.shape for image in previews] == [(SIDE, 2 * SIDE, 3)] * 2
    assert last.report.model == "embedded"
    assert last.report.seed == 0


def test_what_references_say_is_taken_as_it_is(network: RegionNetwork) -> None:
    flat = run(network, ColorizeRequest(drawing(*TWO), references=(Reference(picture(RED)),))).images["flat"].data
    for x in (40, 140):
        assert np.abs(flat[48, x].astype(int) - (*RED, 255)).max() <= 6
    assert flat[2, 2, 3] == 0


def test_two_references_are_matched_to_two_figures_and_the_match_is_shown(network: RegionNetwork) -> None:
    references = (Reference(picture(RED)), Reference(picture(BLUE)))
    finished = run(network, ColorizeRequest(drawing(*TWO), references=references, stages=True))
    assert finished.report.notices[0] == (
        "The line art shows 2 figures; by their drawing reference 1 was matched to 1 of them, reference 2 was matched "
        "to 1 of them: give a reference the region of its figure where that is wrong."
    )
    shown = finished.images["stages/instances"].data
    middle = shown.shape[0] // 2
    one, other = (tuple(shown[middle, x * shown.shape[1] // (2 * SIDE)]) for x in (40, 140))
    assert one != other
    assert {"stages/regions", "stages/proposal"} <= finished.images.keys()


def test_where_a_reference_has_a_region_the_rest_is_sampled(network: RegionNetwork) -> None:
    references = (Reference(picture(RED), region=left()),)
    finished = run(network, ColorizeRequest(drawing(*TWO), references=references, steps=1, stages=True))
    assert "stages/instances" not in finished.images
    assert not any("matched" in notice for notice in finished.report.notices)
    flat = finished.images["flat"].data
    assert np.abs(flat[48, 40].astype(int) - (*RED, 255)).max() <= 6
    assert flat[48, 140, 3] == 255
    assert np.abs(flat[48, 140, :3].astype(int) - RED).max() > 6
    assert len(np.unique(finished.images["stages/categories"].data.reshape(-1, 3), axis=0)) <= 6


def test_references_are_looked_at_once_for_two_tries(network: RegionNetwork) -> None:
    looked = []

    def watched(image: Pixels) -> FloatImage:
        looked.append(image)
        return look(image)

    proposing = ColorizePipeline(sampled=SampledProposer(lambda _: network, lambda: watched))
    for color, seen in ((RED, 1), (RED, 1), (BLUE, 2), (RED, 3)):
        list(proposing.run(ColorizeRequest(drawing(*TWO), references=(Reference(picture(color)),), steps=1)))
        assert len(looked) == seen


def test_the_same_seed_gives_the_same_result_and_another_seed_another(network: RegionNetwork) -> None:
    first, again, other = (
        run(network, ColorizeRequest(drawing(*TWO), palette="auto", seed=seed, steps=2)) for seed in (4, 4, 5)
    )
    for name, image in first.images.items():
        assert np.array_equal(image.data, again.images[name].data)
    assert not np.array_equal(first.images["flat"].data, other.images["flat"].data)


def test_variations_are_the_results_of_the_seeds_that_follow(network: RegionNetwork) -> None:
    several = run(network, ColorizeRequest(drawing(*TWO), palette="auto", seed=7, variations=3, steps=2))
    for number in range(3):
        alone = run(network, ColorizeRequest(drawing(*TWO), palette="auto", seed=7 + number, steps=2))
        prefix = f"{number}/" if number else ""
        assert np.array_equal(several.images[prefix + "flat"].data, alone.images["flat"].data)


def test_automatic_colours_are_those_of_the_palette_that_was_drawn(network: RegionNetwork) -> None:
    for seed in range(3):
        flat = run(network, ColorizeRequest(drawing(*TWO), palette="auto", seed=seed, steps=2)).images["flat"].data
        drawn = {tuple(color) for color in np.round(harmony(seed).colors * 255).astype(int).tolist()}
        assert {tuple(flat[48, x, :3].tolist()) for x in (40, 140)} <= drawn


def test_without_a_word_about_colours_a_palette_is_drawn(network: RegionNetwork) -> None:
    silent, auto = (run(network, ColorizeRequest(drawing(*TWO), palette=p, steps=2)) for p in (None, "auto"))
    assert np.array_equal(silent.images["composite"].data, auto.images["composite"].data)


def test_an_edited_proposal_comes_back_as_hints_and_is_law(network: RegionNetwork) -> None:
    request = ColorizeRequest(drawing(*TWO), palette="auto", steps=1, stages=True)
    finished = run(network, request)
    proposal, labels = finished.images["stages/proposal"].data.copy(), finished.images["regions"].data
    figure = (labels == labels[48, 40]).all(axis=2) & (proposal[..., 3] > 0)
    proposal[figure] = (*RED, 255)
    flat = run(network, ColorizeRequest(drawing(*TWO), hints=Pixels(proposal))).images["flat"].data
    assert tuple(flat[48, 40]) == (*RED, 255)
    assert np.array_equal(flat[48, 140], proposal[48, 140])


def test_what_the_context_shows_outside_the_selection_is_a_condition(network: RegionNetwork) -> None:
    """The sampled region answers to the colours around it, and these stay."""

    def other_half(color: tuple[int, int, int]) -> tuple[int, ...]:
        context = Pixels(np.zeros((SIDE, 2 * SIDE, 4), np.uint8))
        context.data[:, SIDE:] = (*color, 255)
        request = ColorizeRequest(drawing((60, 48, 30), (125, 48, 34)), selection=left(), context=context, steps=2)
        images = run(network, request).images
        assert np.array_equal(images["flat"].data[:, SIDE:], context.data[:, SIDE:])
        return tuple(images["flat"].data[48, 60].tolist())

    assert other_half(RED) != other_half(BLUE)


def test_a_wish_for_colours_is_heard(network: RegionNetwork) -> None:
    palette = Palette("p", np.array([RED, BLUE], np.uint8))
    flats = [
        run(network, ColorizeRequest(drawing(*TWO), histogram=wish, palette=chosen, steps=2)).images["flat"].data
        for wish, chosen in ((harmony(3).histogram, None), (harmony(4).histogram, None), (None, palette))
    ]
    assert not np.array_equal(flats[0], flats[1])
    assert {tuple(flats[2][48, x, :3]) for x in (40, 140)} <= {RED, BLUE}


def test_a_face_whose_outline_stays_open_at_the_neck_is_coloured_too(network: RegionNetwork) -> None:
    head = drawing((90, 48, 40))
    head.data[30:32, 55:126] = (0, 0, 0, 255)  # a cap
    head.data[80:, 84:96] = 0
    flat = run(network, ColorizeRequest(head, palette="auto")).images["flat"].data
    assert flat[20, 90, 3] == flat[55, 90, 3] == 255
    assert not flat[93, 5].any()


def scribbled(rng: np.random.Generator) -> Pixels:
    """A few strokes and arcs, open ones too, some of which touch."""
    data = np.zeros((SIDE, 2 * SIDE, 4), np.uint8)
    for _ in range(rng.integers(1, 9)):
        middle, axes = rng.integers(0, (2 * SIDE, SIDE)).tolist(), rng.integers(2, 60, 2).tolist()
        cv2.ellipse(data, middle, axes, 0, 0, int(rng.integers(120, 400)), (0, 0, 0, 255), int(rng.integers(1, 5)))
    return Pixels(data)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), references=st.integers(0, 3))
def test_any_scribble_is_coloured_from_any_references_and_its_lines_stay(
    network: RegionNetwork, seed: int, references: int
) -> None:
    """Also where nothing is enclosed, a reference is empty or a region of the artist's holds no figure."""
    rng = np.random.default_rng(seed)
    page = scribbled(rng)
    shown = [picture(), picture(RED), picture(RED, BLUE), scribbled(rng)]
    handed = tuple(
        Reference(shown[rng.integers(len(shown))], region=left() if rng.random() < 0.3 else None)
        for _ in range(references)
    )
    images = run(network, ColorizeRequest(page, references=handed, steps=1, shading=False)).images
    assert images["flat"].data.shape == page.data.shape
    np.testing.assert_array_equal(images["line"].data, page.data)


def test_a_page_without_a_figure_comes_back_empty(network: RegionNetwork) -> None:
    stroke = drawing()
    stroke.data[40, 20:30] = (0, 0, 0, 255)
    assert not run(network, ColorizeRequest(stroke, palette="auto")).images["flat"].data.any()


def test_flatting_is_refused(network: RegionNetwork) -> None:
    with pytest.raises(ModelUnavailableError) as raised:
        SampledProposer(lambda _: network, lambda: look).check(ColorizeRequest(drawing(*TWO), palette="flatting"))
    assert str(raised.value) == "The palette 'flatting' needs no network; ask for it without references."


def test_parts_that_agree_keep_hints_and_take_no_new_colours(network: RegionNetwork) -> None:
    line_art = drawing((40, 48, 24), (40, 48, 12), (140, 48, 36), (140, 48, 20))
    ink = line_art.data[..., 3]
    labels = segment(ink, 8).grown
    own = np.setdiff1d(np.unique(labels), [0, labels[0, 0]])
    figure = figure_of(labels, ink, np.isin(labels, own), own)
    hints, colors = np.zeros((len(own), 4), np.float32), np.eye(4, 3, dtype=np.float32)
    hints[1] = (0.5, 0.6, 0.7, 1)
    for seed in range(4):
        found = network.settled(Told(figure, hints), colors, seed)
        assert np.array_equal(found[1], hints[1, :3])
        given = np.concatenate([colors, hints[1:2, :3]])
        assert all((np.abs(given - color).max(axis=1) < 1e-6).any() for color in found)


def test_a_figure_s_own_drawing_is_evidence_between_0_and_1(network: RegionNetwork) -> None:
    ink = drawing(*TWO).data[..., 3]
    labels = segment(ink, 8).grown
    own = np.setdiff1d(np.unique(labels), [0, labels[0, 0]])
    shown = reference_view(Reference(picture(RED, BLUE)), look)
    assert 0 <= network.evidence(figure_of(labels, ink, np.isin(labels, own), own), shown) <= 1


def told(hints: FloatImage | None = None, *, seen: bool = False, said: bool = False) -> Told:
    """A figure of four regions with ``hints`` (4, 4), and a reference where one is ``seen``; ``said`` by one."""
    ink = drawing((40, 48, 24), (40, 48, 12), (140, 48, 36), (140, 48, 20)).data[..., 3]
    labels = segment(ink, 8).grown
    own = np.setdiff1d(np.unique(labels), [0, labels[0, 0]])
    figure = figure_of(labels, ink, np.isin(labels, own), own)
    views = (reference_view(Reference(picture(RED, BLUE)), look),) if seen else ()
    given = np.zeros((len(own), 4), np.float32) if hints is None else hints
    return Told(figure, given, views, np.full(len(own), said))


HINTS = np.array([[0.9, 0.1, 0.1, 1], [0, 0, 0, 0], [0.1, 0.2, 0.8, 1], [0, 0, 0, 0]], np.float32)
WISHES = np.stack([harmony(3).histogram, harmony(4).histogram])


def colors(network: RegionNetwork, one: Told, guidance: Guidance, wishes: FloatImage | None = None) -> FloatImage:
    *_, (found,) = network.sampled([one], wishes, 2, (1, 2), guidance)
    return found


GUIDED = {
    "references": (told(seen=True), None, told()),
    "hints": (told(HINTS), None, told()),
    "what a reference said": (told(HINTS, said=True), None, told()),
    "histogram": (told(), WISHES, told()),
    "references beside hints": (told(HINTS, seen=True), None, told(HINTS)),
    "hints beside references": (told(HINTS, seen=True), None, told(seen=True)),
}


@pytest.mark.parametrize("what", GUIDED)
def test_scale_0_ignores_a_condition_and_more_than_1_exaggerates_it(network: RegionNetwork, what: str) -> None:
    given, wishes, without = GUIDED[what]
    name = "references" if what == "what a reference said" else what.split(maxsplit=1)[0]
    least, learnt, most = (
        colors(network, given, replace(Guidance(histogram=1), **{name: scale}), wishes) for scale in (0, 1, 4)
    )
    np.testing.assert_allclose(least, colors(network, without, Guidance()), atol=1e-5)
    assert not np.allclose(learnt, least, atol=1e-3)
    assert not np.allclose(most, learnt, atol=1e-3)


@pytest.mark.parametrize(
    ("one", "wishes", "guidance", "calls"),
    [
        (told(), None, Guidance(3, 3, 3), 1),
        (told(HINTS, seen=True), WISHES, Guidance(1, 1, 1), 1),
        (told(HINTS, seen=True), WISHES, Guidance(), 2),
        (told(HINTS, said=True), None, Guidance(1, 3, 3), 1),
        (told(HINTS, seen=True), WISHES, Guidance(2, 2, 2), 4),
    ],
)
def test_what_is_absent_or_taken_as_it_was_learnt_costs_no_call(
    network: RegionNetwork, one: Told, wishes: FloatImage | None, guidance: Guidance, calls: int
) -> None:
    counted = []
    watching = network.network.register_forward_hook(lambda *_: counted.append(1))
    colors(network, one, guidance, wishes)
    watching.remove()
    assert len(counted) == calls * 2  # steps


@pytest.mark.parametrize("name", ["references", "hints", "histogram"])
def test_the_guidance_of_a_request_reaches_what_is_sampled(network: RegionNetwork, name: str) -> None:
    """On one figure of two parts, of which a reference or a hint colours the left one."""
    hint = Pixels(np.zeros((SIDE, 2 * SIDE, 4), np.uint8))
    hint.data[46:51, 58:63] = (*BLUE, 255)
    conditions = {
        "references": {"references": (Reference(picture(RED), region=left()),)},
        "hints": {"hints": hint, "variations": 4},
        "histogram": {"histogram": harmony(3).histogram},
    }
    page = drawing((60, 48, 30), (125, 48, 34), (125, 48, 24), (125, 48, 14))
    flats = [
        run(network, ColorizeRequest(page, **conditions[name], guidance=guidance, steps=2)).images["flat"].data
        for guidance in (Guidance(), Guidance(), replace(Guidance(), **{name: 0}))
    ]
    assert np.array_equal(flats[0], flats[1])
    assert not np.array_equal(flats[0][:, SIDE:], flats[2][:, SIDE:])
