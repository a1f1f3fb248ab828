"""Claims about colouring by sampling, with tiny networks of random weights."""

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
import torch
from celwright.domain import ColorizeRequest, Finished, FloatImage, Palette, Pixels, Preview, Progress, Reference
from celwright.errors import ModelUnavailableError
from celwright.models.presets import build_autoencoder, build_colorizer
from celwright.pipelines.colorize import sampled
from celwright.pipelines.colorize.conditions import ColorNetworks, conditions_of, shown_references
from celwright.pipelines.colorize.field import field_of
from celwright.pipelines.colorize.harmonies import harmony
from celwright.pipelines.colorize.pipeline import ColorizePipeline
from celwright.pipelines.colorize.sampled import SampledProposer
from numpy.typing import NDArray

SIDE = 96
RED, BLUE = (220, 30, 20), (20, 40, 210)


@pytest.fixture(autouse=True)
def small_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampled, "SIDE", SIDE)


@pytest.fixture(scope="module")
def networks() -> Iterator[ColorNetworks]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(3)
    colorizer = build_colorizer("tiny").eval()
    torch.nn.init.normal_(colorizer.head[-1].weight, std=0.2)  # what is asked for must show in the result

    def dark(picture: Pixels) -> FloatImage:
        return 1 - picture.data[..., :3].min(axis=2).astype(np.float32) / 255

    yield ColorNetworks(build_autoencoder("tiny").eval(), colorizer, dark, "cpu", half=False)
    torch.set_num_threads(threads)


def drawing(*circles: tuple[int, int, int]) -> Pixels:
    data = np.zeros((SIDE, 2 * SIDE, 4), np.uint8)
    for x, y, radius in circles:
        cv2.circle(data, (x, y), radius, (0, 0, 0, 255), 2)
    return Pixels(data)


TWO = ((40, 48, 24), (140, 48, 36))


def picture(color: tuple[int, int, int]) -> Pixels:
    return Pixels(np.full((40, 40, 3), color, np.uint8))


def left(color: int = 255) -> Pixels:
    data = np.zeros((SIDE, 2 * SIDE, 1), np.uint8)
    data[:, :SIDE] = color
    return Pixels(data)


def run(networks: ColorNetworks, request: ColorizeRequest) -> Finished:
    *_, last = ColorizePipeline(sampled=SampledProposer(lambda _: networks)).run(request)
    assert isinstance(last, Finished)
    return last


def brought(networks: ColorNetworks, references: list[Reference]) -> NDArray[np.float32]:
    """(4, h, w) colours and confidence that correspondence brings to a page."""
    ink = drawing(*TWO).data[..., 3]
    field = field_of(*ink.shape, None, SIDE)
    places = [np.ones((field.height, field.width), np.float32) for _ in references]
    request = ColorizeRequest(drawing(*TWO))
    with torch.inference_mode():
        shown = shown_references(networks, references)
        prepared = networks.colorizer.prepare(conditions_of(networks, request, field, ink, None, shown, places))
    return torch.cat([prepared.carried, prepared.confidence], 1)[0].numpy()


def test_progress_previews_and_one_result_come_in_order(networks: ColorNetworks) -> None:
    pipeline = ColorizePipeline(sampled=SampledProposer(lambda _: networks))
    *events, last = pipeline.run(ColorizeRequest(drawing(*TWO), references=(Reference(picture(RED)),), steps=3))
    assert isinstance(last, Finished)
    stages = [event.stage for event in events if isinstance(event, Progress)]
    assert list(dict.fromkeys(stages)) == ["segment", "hints", "load", "references", "match", "sample", "fill"]
    assert sum(isinstance(event, Preview) for event in events) == 2
    assert last.report.model == "embedded"
    assert last.report.seed == 0


def test_two_references_are_matched_to_two_figures_and_the_match_is_shown(networks: ColorNetworks) -> None:
    references = (Reference(picture(RED)), Reference(picture(BLUE)))
    finished = run(networks, ColorizeRequest(drawing(*TWO), references=references, steps=1, stages=True))
    assert finished.report.notices[0] == (
        "The line art shows 2 figures; by their drawing reference 1 was matched to 1 of them, reference 2 was matched "
        "to 1 of them: give a reference the region of its figure where that is wrong."
    )
    shown = finished.images["stages/instances"].data
    middle = shown.shape[0] // 2
    one, other = (tuple(shown[middle, x * shown.shape[1] // (2 * SIDE)]) for x in (40, 140))
    assert one != other
    assert {"stages/regions", "stages/proposal", "stages/sampled", "stages/categories"} <= finished.images.keys()
    assert len(np.unique(finished.images["stages/categories"].data.reshape(-1, 3), axis=0)) <= 6


def test_a_reference_with_a_region_needs_no_match_and_gives_no_notice_of_one(networks: ColorNetworks) -> None:
    references = (Reference(picture(RED), region=left()), Reference(picture(BLUE), region=left()))
    finished = run(networks, ColorizeRequest(drawing(*TWO), references=references, steps=1, stages=True))
    assert "stages/instances" not in finished.images
    assert not any("matched" in notice for notice in finished.report.notices)


def test_what_a_reference_shows_outside_its_mask_is_not_seen(networks: ColorNetworks) -> None:
    mask = np.zeros((40, 40, 1), np.uint8)
    mask[10:30, 10:30] = 255
    plain, other = picture(RED), picture(RED)
    other.data[:, :6] = BLUE
    inside = picture(RED)
    inside.data[15:25, 15:25] = BLUE
    first, second, third = (brought(networks, [Reference(p, Pixels(mask))]) for p in (plain, other, inside))
    assert np.array_equal(first, second)
    assert not np.allclose(first, third, atol=1e-3)


def test_a_figure_may_be_cut_out_by_the_picture_s_own_transparency(networks: ColorNetworks) -> None:
    data = np.zeros((40, 40, 4), np.uint8)
    data[..., :3] = BLUE
    data[10:30, 10:30] = (*RED, 255)
    mask = np.zeros((40, 40, 1), np.uint8)
    mask[10:30, 10:30] = 255
    on_paper = picture((255, 255, 255))
    on_paper.data[10:30, 10:30] = RED
    cut, masked = brought(networks, [Reference(Pixels(data))]), brought(networks, [Reference(on_paper, Pixels(mask))])
    assert np.allclose(cut, masked, atol=1e-5)


@pytest.mark.parametrize("size", [(40, 60), (300, 331), (700, 1100), (1100, 9)])
def test_a_reference_of_any_size_is_seen_whole_in_a_square(size: tuple[int, int], networks: ColorNetworks) -> None:
    data = np.full((*size, 4), (*RED, 255), np.uint8)
    seen = shown_references(networks, [Reference(Pixels(data))])[0].numpy()
    assert seen.shape == (5, 256, 256)
    inside = seen[4] > 0.99
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    assert max(len(rows), len(columns)) == 256
    assert len(rows) / len(columns) == pytest.approx(size[0] / size[1], rel=0.5 if 9 in size else 0.01)
    assert np.allclose(seen[:3, inside], np.array(RED)[:, None] / 255, atol=1e-6)
    assert (seen[:3, ~inside] == 1).all()


def test_references_are_looked_at_once_for_two_tries(networks: ColorNetworks) -> None:
    looked = []

    def ink(image: Pixels) -> FloatImage:
        looked.append(image)
        return networks.reference_ink(image)

    watched = ColorNetworks(networks.autoencoder, networks.colorizer, ink, "cpu", half=False)
    pipeline = ColorizePipeline(sampled=SampledProposer(lambda _: watched))
    for color, seen in ((RED, 1), (RED, 1), (BLUE, 2), (RED, 3)):
        list(pipeline.run(ColorizeRequest(drawing(*TWO), references=(Reference(picture(color)),), steps=1)))
        assert len(looked) == 2 * seen  # once for the network, once for the match


def test_the_same_seed_gives_the_same_result_and_another_seed_another(networks: ColorNetworks) -> None:
    first, again, other = (
        run(networks, ColorizeRequest(drawing(*TWO), palette="auto", seed=seed, steps=2, stages=True))
        for seed in (4, 4, 5)
    )
    for name, image in first.images.items():
        assert np.array_equal(image.data, again.images[name].data)
    assert not np.array_equal(first.images["stages/sampled"].data, other.images["stages/sampled"].data)


def test_variations_are_the_results_of_the_seeds_that_follow(networks: ColorNetworks) -> None:
    several = run(networks, ColorizeRequest(drawing(*TWO), palette="auto", seed=7, variations=3, steps=2, stages=True))
    for number in range(3):
        request = ColorizeRequest(drawing(*TWO), palette="auto", seed=7 + number, steps=2, stages=True)
        alone = run(networks, request).images["stages/sampled"].data.astype(int)
        prefix = f"{number}/" if number else ""
        assert np.abs(several.images[prefix + "stages/sampled"].data - alone).max() <= 1
        assert prefix + "flat" in several.images


def test_without_a_word_about_colours_a_palette_is_drawn(networks: ColorNetworks) -> None:
    silent, auto = (run(networks, ColorizeRequest(drawing(*TWO), palette=p, steps=2)) for p in (None, "auto"))
    assert np.array_equal(silent.images["composite"].data, auto.images["composite"].data)


def test_an_edited_proposal_comes_back_as_hints_and_is_law(networks: ColorNetworks) -> None:
    request = ColorizeRequest(drawing(*TWO), palette="auto", steps=1, stages=True)
    proposal = run(networks, request).images["stages/proposal"].data.copy()
    labels = run(networks, request).images["regions"].data
    figure = (labels == labels[48, 40]).all(axis=2) & (proposal[..., 3] > 0)
    proposal[figure] = (*RED, 255)
    flat = run(networks, ColorizeRequest(drawing(*TWO), hints=Pixels(proposal))).images["flat"].data
    assert tuple(flat[48, 40]) == (*RED, 255)
    assert np.array_equal(flat[48, 140], proposal[48, 140])


def test_a_histogram_is_what_the_palette_says_unless_one_is_given(networks: ColorNetworks) -> None:
    ink = drawing(*TWO).data[..., 3]
    field = field_of(*ink.shape, None, SIDE)
    palette = Palette("p", np.array([RED, BLUE], np.uint8))

    def wanted(request: ColorizeRequest) -> NDArray[np.float32]:
        given = conditions_of(networks, request, field, ink, None).histogram
        assert given is not None
        return given[0].numpy()

    assert wanted(ColorizeRequest(drawing(*TWO), palette=palette)).sum() == pytest.approx(1)
    told = ColorizeRequest(drawing(*TWO), palette=palette, histogram=harmony(3))
    assert np.array_equal(wanted(told), harmony(3))


def test_flatting_is_refused(networks: ColorNetworks) -> None:
    with pytest.raises(ModelUnavailableError) as raised:
        SampledProposer(lambda _: networks).check(ColorizeRequest(drawing(*TWO), palette="flatting"))
    assert str(raised.value) == "The palette 'flatting' needs no network; ask for it without references."
