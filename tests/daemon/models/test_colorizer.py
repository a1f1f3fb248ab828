"""Claims about the diffusion over the colours of regions, with tiny networks of random weights."""

from dataclasses import replace

import pytest
import torch
from celwright.errors import ModelUnavailableError
from celwright.models.colorizer import Asked, RegionColorizer, chosen_colors, colors_of, latents
from celwright.models.presets import build_colorizer
from celwright.models.region_tokens import areas, geometry, membership, touching

SIDE, REGIONS, PATCHES = 64, 5, 4

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def network() -> RegionColorizer:
    made = build_colorizer("tiny").eval()
    with torch.no_grad():  # branches that start near nothing must show
        for parameter in made.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    return made


def bars(count: int) -> torch.Tensor:
    """(SIDE, SIDE) regions 1..count from top to bottom, of different heights, with 0 at the sides."""
    labels = torch.zeros(SIDE, SIDE, dtype=torch.long)
    edges = torch.linspace(0, 1, count + 1).square() * SIDE
    for number in range(count):
        labels[int(edges[number]) : int(edges[number + 1]), 4:-4] = number + 1
    return labels


def asked(batch: int = 2) -> Asked:
    generator = torch.Generator().manual_seed(1)

    def some(*shape: int) -> torch.Tensor:
        return torch.rand(*shape, generator=generator)

    return Asked(
        line=some(batch, 2, SIDE, SIDE), labels=bars(REGIONS).expand(batch, -1, -1).clone(),
        hints=torch.zeros(batch, REGIONS, 4), histogram=torch.zeros(batch, 256),
        references=some(batch, 2, 2, SIDE, SIDE), patches=bars(PATCHES).expand(batch, 2, -1, -1).clone(),
        colors=some(batch, 2, PATCHES, 3),
    )  # fmt: skip


def answered(
    network: RegionColorizer, given: Asked, noise: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    noise = torch.zeros(len(given.line), REGIONS, 3) if noise is None else noise
    with torch.inference_mode():
        read = network.prepare(given)
        return network(noise, torch.full((len(noise),), 500), read), network.pointing(read)[0]


def test_every_region_gets_a_colour_and_a_chance_for_every_source_and_none(network: RegionColorizer) -> None:
    clean, logits = answered(network, asked())
    assert clean.shape == (2, REGIONS, 3)
    assert logits.shape == (2, REGIONS, REGIONS + 2 * PATCHES + 1)
    chances = torch.softmax(logits, 2)
    assert chances[..., :REGIONS].max() == 0  # no region has a hint
    assert (chances[..., REGIONS:] > 0).all()


def test_a_hinted_region_can_be_pointed_at_and_its_colour_is_the_hint(network: RegionColorizer) -> None:
    given = asked()
    given.hints[:, 2] = torch.tensor([0.9, 0.1, 0.2, 1.0])
    with torch.inference_mode():
        read = network.prepare(given)
    chances = torch.softmax(answered(network, given)[1], 2)
    assert (chances[:, :, 2] > 0).all()
    assert chances[..., [0, 1, 3, 4]].max() == 0
    assert torch.equal(read.sources[:, 2], given.hints[:, 2, :3])


def test_an_absent_reference_changes_nothing_whatever_is_drawn_in_it(network: RegionColorizer) -> None:
    given = asked()
    patches = given.patches.clone()
    patches[:, 1] = 0
    one = replace(given, patches=patches)
    drawn, colors = given.references.clone(), given.colors.clone()
    drawn[:, 1], colors[:, 1] = 0.3, 0.7
    other = replace(one, references=drawn, colors=colors)
    for first, second in zip(answered(network, one), answered(network, other), strict=True):
        torch.testing.assert_close(first, second)
    assert not torch.allclose(answered(network, given)[0], answered(network, one)[0])


def test_without_any_reference_there_is_only_none_to_point_at(network: RegionColorizer) -> None:
    given = asked()
    _, logits = answered(network, replace(given, patches=torch.zeros_like(given.patches)))
    assert torch.softmax(logits, 2)[..., -1].min() == 1


def test_what_was_read_without_its_references_is_what_is_read_where_none_were_given(network: RegionColorizer) -> None:
    given = asked()
    given.hints[:, 2] = torch.tensor([0.9, 0.1, 0.2, 1.0])
    clean, logits = answered(network, replace(given, patches=torch.zeros_like(given.patches)))
    with torch.inference_mode():
        alone = network.prepare(given).alone()
        found, pointed = network(torch.zeros_like(clean), torch.full((2,), 500), alone), network.pointing(alone)[0]
    torch.testing.assert_close(found, clean)
    torch.testing.assert_close(pointed, logits[..., [*range(REGIONS), -1]])
    assert torch.equal(alone.sources, given.hints[..., :3])
    assert not torch.allclose(found, answered(network, given)[0])


def test_the_order_of_regions_changes_nothing_but_the_order(network: RegionColorizer) -> None:
    """A region has no number of its own: what is drawn in it and around it says who it is."""
    given = asked()
    order = torch.tensor([3, 0, 4, 1, 2])
    numbers = torch.cat([torch.zeros(1, dtype=torch.long), torch.argsort(order) + 1])
    noise = torch.randn(2, REGIONS, 3)
    clean, logits = answered(network, given, noise)
    moved, turned = answered(network, replace(given, labels=numbers[given.labels]), noise[:, order])
    torch.testing.assert_close(moved, clean[:, order], atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(turned[..., REGIONS:], logits[:, order][..., REGIONS:], atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("condition", ["histogram", "hints", "colors", "line"])
def test_every_condition_is_heard(condition: str, network: RegionColorizer) -> None:
    given = asked()
    value = torch.rand_like(getattr(given, condition))
    first, second = (answered(network, one)[0] for one in (given, replace(given, **{condition: value})))
    assert not torch.allclose(first, second, atol=1e-4)


def test_a_wish_may_be_changed_without_reading_the_drawing_again(network: RegionColorizer) -> None:
    given, wish = asked(), torch.rand(2, 256)
    with torch.inference_mode():
        read = network.wished(network.prepare(given), wish)
    whole = answered(network, replace(given, histogram=wish))[0]
    with torch.inference_mode():
        torch.testing.assert_close(network(torch.zeros(2, REGIONS, 3), torch.full((2,), 500), read), whole)


@pytest.mark.parametrize("part", ["sgm", "ismff", "lgb"])
def test_a_part_that_is_left_out_has_no_say(part: str) -> None:
    """Without structure guidance neighbours do not matter, without instance features what the reference draws does not,
    without the diffusion the noise does not."""
    network = build_colorizer("tiny", **{part: False}).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    given = asked()
    if part == "lgb":
        one, other = (answered(network, given, torch.randn(2, REGIONS, 3))[0] for _ in range(2))
    elif part == "ismff":
        one, other = (answered(network, replace(given, references=r))[0]
                      for r in (given.references, torch.rand_like(given.references)))  # fmt: skip
    else:
        read = network.prepare(given)
        assert network._guided(torch.rand(2, REGIONS, REGIONS), 0).abs().max() == 0
        one = other = read.target
    assert torch.equal(one, other)


def test_a_tie_of_colours_is_broken_by_what_they_say_together() -> None:
    sources = torch.tensor([[[1.0, 0, 0], [0, 0, 1.0], [0, 0.01, 1.0]]])
    logits = torch.tensor([[[1.0, 0.7, 0.7, -3.0]]])
    colors, chances = chosen_colors(logits, sources)
    assert colors[0, 0].tolist() == pytest.approx([0, 0, 1], abs=0.02)
    assert 0.5 < chances[0, 0] < 0.6


def test_latents_and_colours_are_each_other_s_inverse() -> None:
    colors = torch.rand(3, 4, 3)
    torch.testing.assert_close(colors_of(latents(colors)), colors)


def test_what_regions_are_like_is_measured_on_the_labels() -> None:
    labels = bars(2)[None]
    shares, area = membership(labels, 2), areas(labels, 2)
    torch.testing.assert_close(shares.sum(2), torch.ones(1, 2))
    assert area.tolist() == [[16 * 56, 48 * 56]]
    upper, lower = geometry(shares, area, SIDE // 4)[0]
    assert upper[1].item() == pytest.approx(-0.75, abs=0.01)  # middle, y
    assert lower[1].item() == pytest.approx(0.25, abs=0.01)
    assert upper[2].item() == pytest.approx(0, abs=0.01)
    touch = touching(labels, 2)
    assert touch[0].tolist() == [[0, 1], [1, 0]]


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(ModelUnavailableError) as raised:
        build_colorizer("big")
    assert str(raised.value) == ("There is no colorizer preset 'big'; known are embedded, tiny: choose one of them.")
