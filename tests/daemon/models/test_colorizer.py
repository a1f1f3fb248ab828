import math
import re
from dataclasses import replace

import pytest
import torch
from celwright.errors import ModelUnavailableError
from celwright.models.color_blocks import HintBlock, StructureAttention, StructureModulation, attend
from celwright.models.colorizer import CONDITIONS, Conditions, edge_map, time_embedding
from celwright.models.presets import build_colorizer

SIZE, LATENT = 64, 8
T = torch.tensor([500, 20])


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)
    torch.manual_seed(0)


def everything(batch=2, count=2):
    """All conditions at random; of the references, a half is masked out, and each instance stands in one half."""
    references = torch.rand(batch, count, 5, SIZE, SIZE)
    references[:, :, 4] = 0
    references[:, :, 4, :, : SIZE // 2] = 1
    regions = torch.zeros(batch, count, 1, SIZE, SIZE)
    regions[:, 0, :, : SIZE // 2] = 1
    regions[:, 1:, :, SIZE // 2 :] = 1
    selection = torch.ones(batch, 1, SIZE, SIZE)
    selection[..., : SIZE // 4] = 0
    histogram = torch.rand(batch, 256)
    hints = torch.rand(batch, 4, SIZE, SIZE)
    hints[:, 3] = (hints[:, 3] > 0.99).float()
    return Conditions(
        line=(torch.rand(batch, 1, SIZE, SIZE) > 0.9).float(),
        references=references,
        regions=regions,
        hints=hints,
        context=torch.randn(batch, 4, LATENT, LATENT),
        selection=selection,
        histogram=histogram / histogram.sum(1, keepdim=True),
    )


def lively(**switches):
    """A network whose branches, which start near zero, all have a say."""
    network = build_colorizer("tiny", **switches).eval()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if parameter.ndim == 0 and "sharpness" not in name:
                parameter.fill_(0.5)
            elif parameter.ndim > 1 and parameter.std() < 0.02:
                parameter.normal_(std=0.2)
    return network


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(1)
    return lively()


def clean(network, conditions, seed=0):
    noisy = torch.randn(len(conditions.line), 4, LATENT, LATENT, generator=torch.Generator().manual_seed(seed))
    with torch.inference_mode():
        return network(noisy, T[: len(noisy)], network.prepare(conditions))


def equal(one, other):
    torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


def test_the_estimate_has_the_latents_shape(network):
    assert clean(network, everything()).shape == (2, 4, LATENT, LATENT)


def test_line_art_alone_is_enough(network):
    assert clean(network, Conditions(everything().line)).isfinite().all()


@pytest.mark.parametrize("name", CONDITIONS)
def test_every_condition_changes_the_result_and_may_be_absent(network, name):
    given = everything()
    full, without = clean(network, given), clean(network, given.without(name))
    assert without.isfinite().all()
    assert (full - without).abs().amax() > 1e-3


@pytest.mark.parametrize("name", CONDITIONS)
def test_left_out_is_the_same_as_never_given(network, name):
    given = everything()
    absent = {"context": {"context": None, "selection": None}}.get(name, {name: None})
    equal(clean(network, given.without(name)), clean(network, replace(given, **absent)))


def test_a_condition_can_be_left_out_of_single_samples(network):
    given = everything()
    rows = torch.tensor([True, False])
    for name in CONDITIONS:
        some, none, full = (clean(network, c) for c in (given.without(name, rows), given.without(name), given))
        equal(some[0], none[0])
        equal(some[1], full[1])


def test_what_a_reference_shows_outside_its_mask_changes_nothing(network):
    given = everything()
    changed = given.references.clone()
    changed[:, :, :4, :, SIZE // 2 :] = torch.rand(2, 2, 4, SIZE, SIZE // 2)
    torch.testing.assert_close(
        clean(network, replace(given, references=changed)), clean(network, given), atol=0, rtol=0
    )


def test_a_masked_out_reference_counts_for_nothing(network):
    given = everything()
    silent = given.references.clone()
    silent[:, 1, 4] = 0
    one = replace(given, references=silent)
    only = replace(given, references=given.references[:, :1], regions=given.regions[:, :1])
    equal(clean(network, one), clean(network, only))


def test_outside_its_region_a_reference_brings_no_colour_and_no_confidence(network):
    given = everything()
    above = replace(given, references=given.references[:, :1], regions=given.regions[:, :1])
    prepared = network.prepare(above)
    assert (prepared.carried[:, :, LATENT // 2 :] == 0).all()
    assert (prepared.confidence[:, :, LATENT // 2 :] == 0).all()
    assert (prepared.carried[:, :, : LATENT // 2] > 0).all()


def test_brought_colours_are_those_inside_the_mask(network):
    given = everything()
    references = given.references.clone()
    references[:, :, 3] = 0
    color = torch.tensor([0.9, 0.3, 0.1]).view(3, 1, 1)
    references[:, :, :3, :, : SIZE // 2] = color
    prepared = network.prepare(replace(given, references=references))
    equal(prepared.carried, color.expand_as(prepared.carried))


def test_each_place_takes_the_colours_of_the_instance_that_stands_there(network):
    given = everything()
    references = given.references.clone()
    references[:, :, 3] = 0
    references[:, 0, :3], references[:, 1, :3] = 0.25, 0.75
    carried = network.prepare(replace(given, references=references)).carried
    equal(carried[:, :, : LATENT // 2], torch.full((2, 3, LATENT // 2, LATENT), 0.25))
    equal(carried[:, :, LATENT // 2 :], torch.full((2, 3, LATENT // 2, LATENT), 0.75))


def test_a_drawing_finds_itself(network):
    """With itself as reference, every cell is most like itself, whatever the weights: the similarity is 1 there."""
    given = everything(1, 1)
    ink = torch.rand(1, 1, SIZE, SIZE)
    one = torch.ones_like(ink)
    color = torch.rand(1, 3, LATENT, LATENT).repeat_interleave(8, 2).repeat_interleave(8, 3)
    reference = torch.cat([color, ink, one], 1)[:, None]
    reader = network.references
    with torch.no_grad():
        keys, bias = reader.key.weight, reader.key.bias
        before = keys.clone(), bias.clone(), reader.sharpness.clone()
        width = reader.query.weight.shape[1]
        keys.zero_()
        keys[:, :width] = reader.query.weight
        bias.copy_(reader.query.bias)
        reader.sharpness.fill_(math.log(100))
        prepared = network.prepare(replace(given, line=ink, references=reference, regions=None))
        keys.copy_(before[0])
        bias.copy_(before[1])
        reader.sharpness.copy_(before[2])
    inner = (slice(None), slice(None), slice(2, 6), slice(2, 6))
    error = (prepared.carried - color[:, :, ::8, ::8])[inner].abs().mean()
    mean = (color.mean((2, 3), keepdim=True) - color[:, :, ::8, ::8])[inner].abs().mean()
    assert error < 0.5 * mean


def test_gates_lie_between_local_and_global_and_without_references_the_null_feature_stands_in(network):
    prepared = network.prepare(everything())
    assert ((prepared.gates > 0) & (prepared.gates < 1)).all()
    assert prepared.present.eq(1).all()
    assert network.prepare(everything().without("references")).present.eq(0).all()


def test_variations_share_what_was_prepared(network):
    given = everything(1)
    noisy = torch.randn(3, 4, LATENT, LATENT)
    t = torch.full((3,), 300)
    with torch.inference_mode():
        prepared = network.prepare(given)
        together = network(noisy, t, prepared.repeated(3))
        for row in range(3):
            equal(together[row : row + 1], network(noisy[row : row + 1], t[:1], prepared))


def test_context_inside_the_selection_is_not_seen(network):
    given = everything()
    changed = given.context.clone()
    changed[..., LATENT // 4 :] += 1
    torch.testing.assert_close(clean(network, replace(given, context=changed)), clean(network, given), atol=0, rtol=0)


def test_one_hint_pixel_counts_as_much_as_its_colour(network):
    given = everything().without("hints")
    hints = torch.zeros(2, 4, SIZE, SIZE)
    hints[:, 0, 33, 33] = hints[:, 3, 33, 33] = 1
    dot = torch.zeros(2, 4, SIZE, SIZE)
    dot[:, 0, 32:36, 32:36] = dot[:, 3, 32:36, 32:36] = 1
    equal(clean(network, replace(given, hints=hints)), clean(network, replace(given, hints=dot)))


def test_gradients_reach_every_parameter():
    network = lively().train()
    given = everything().without("references", torch.tensor([True, False]))
    prepared = network.prepare(given)
    out = network(torch.randn(2, 4, LATENT, LATENT), T, prepared)
    (out.square().mean() + prepared.carried.square().mean()).backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


@pytest.mark.parametrize("switch", ["sgm", "ismff", "correspondence", "lgb"])
def test_every_part_can_be_left_out_and_makes_a_difference(network, switch):
    smaller = lively(**{switch: False})
    assert clean(smaller, everything()).isfinite().all()
    count = [sum(p.numel() for p in net.parameters()) for net in (network, smaller)]
    assert count[1] < count[0]
    unused = smaller.prepare(everything())
    if switch == "correspondence":
        assert unused.confidence.eq(0).all()
    if switch == "ismff":
        assert unused.gates.eq(0).all()


def test_without_diffusion_the_noise_does_not_matter():
    network, given = lively(lgb=False), everything()
    equal(clean(network, given, 0), clean(network, given, 1))


def test_without_diffusion_the_time_does_not_matter():
    network = lively(lgb=False)
    prepared, noisy = network.prepare(everything()), torch.randn(2, 4, LATENT, LATENT)
    equal(network(noisy, T, prepared), network(noisy, T + 100, prepared))


def test_gamma_zero_is_plain_attention_and_gamma_draws_it_to_edges():
    guided, plain = StructureAttention(8, 2), StructureAttention(8, 2, structure=False)
    plain.load_state_dict({k: v for k, v in guided.state_dict().items() if k != "gamma"})
    x, edges = torch.randn(1, 8, 4, 4), torch.rand(1, 1, 4, 4)
    torch.testing.assert_close(guided(x, edges), plain(x, edges), atol=0, rtol=0)
    torch.nn.init.normal_(guided.out.weight)
    with torch.no_grad():
        before = guided(x, edges)
        guided.gamma.fill_(2.0)
        assert (guided(x, edges) - before).abs().amax() > 1e-3


def test_attention_is_softmax_with_a_bias_for_each_key():
    q, k, v = torch.randn(2, 3, 5, 4), torch.randn(2, 3, 7, 4), torch.randn(2, 3, 7, 6)
    bias = torch.randn(2, 7)
    wanted = torch.softmax(0.5 * q @ k.transpose(2, 3) + bias[:, None, None], -1) @ v
    equal(attend(q, k, v, bias, 0.5), wanted)


def test_alpha_zero_leaves_features_and_alpha_one_doubles_them_on_full_edges():
    modulation, x = StructureModulation(), torch.randn(1, 3, 4, 4)
    edges = torch.zeros(1, 1, 4, 4)
    edges[..., 0] = 1
    torch.testing.assert_close(modulation(x, edges), x, atol=0, rtol=0)
    torch.nn.init.ones_(modulation.alpha)
    torch.testing.assert_close(modulation(x, edges)[..., 0], 2 * x[..., 0])
    torch.testing.assert_close(modulation(x, edges)[..., 1:], x[..., 1:])


def test_a_hint_block_adds_no_more_than_its_processed_features():
    block = HintBlock(6, 4)
    torch.nn.init.normal_(block.process[-1].weight)
    x, hints = torch.randn(1, 6, 5, 5), torch.randn(1, 4, 5, 5)
    with torch.no_grad():
        change, processed = block(x, hints) - x, block.process(x)
    assert (change * processed >= -1e-6).all()
    assert (change.abs() <= processed.abs() + 1e-5).all()


def test_edges_are_full_beside_a_black_area_and_none_on_paper():
    ink = torch.zeros(1, 1, 8, 8)
    ink[..., 4:] = 1
    edges = edge_map(ink)
    torch.testing.assert_close(edges[0, 0, 3], torch.tensor([0, 0, 0, 1, 1, 0, 0, 0.0]))


def test_timesteps_have_different_embeddings():
    rows = time_embedding(torch.arange(1000), 32)
    assert rows.shape == (1000, 32)
    assert torch.pdist(rows[::50]).amin() > 0.1


def test_the_embedded_network_fits_sixteen_mebibytes_in_half_precision():
    assert sum(p.numel() for p in build_colorizer("embedded").parameters()) <= 7.5e6


def test_an_unknown_preset_is_refused():
    sentence = "There is no colorizer preset 'vast'; known are embedded, tiny: choose one of them."
    with pytest.raises(ModelUnavailableError, match=f"^{re.escape(sentence)}$"):
        build_colorizer("vast")
