"""Line art coloured by a Stable Diffusion 1.5: tiny random checkpoints in the files that the real ones come in."""

import json
import tempfile
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from celwright import installed, wiring
from celwright.cli import main
from celwright.documents import write_document
from celwright.domain import ColorizeRequest, Finished, Guidance, Palette, Pixels, Preview, Progress, Reference
from celwright.engine import Engine
from celwright.errors import ModelUnavailableError, WrongUsageError
from celwright.imaging.saving import write_png
from celwright.models.sd15.adapters import ScMilc, save_adapter
from celwright.models.sd15.base import loaded_base
from celwright.models.sd15.parts import parts_in
from celwright.pipelines.colorize.field import field_of
from celwright.pipelines.colorize.pipeline import ColorizePipeline
from celwright.pipelines.colorize.proposal import HintProposer
from celwright.pipelines.colorize.proposers import ProposerByModel
from celwright.pipelines.colorize.sd15 import loading as sd15_loading
from celwright.pipelines.colorize.sd15 import proposer as sd15
from celwright.pipelines.colorize.sd15.loading import Sd15Options, check_fits, loaded, located, needed, placed
from celwright.pipelines.colorize.sd15.page import SeenPage, framed, known_colors
from celwright.pipelines.colorize.sd15.proposer import Sd15Proposer, full_size_proposer
from celwright.pipelines.colorize.sd15.sampling import CheckpointSchedule, Known, sampled
from celwright.pipelines.decompose.layered_memory import GIB, Need, Room, numbers
from celwright.regions.hinted import HintedRegions
from celwright.rpc.client import Client
from celwright.rpc.server import Server
from celwright.rpc.servicer import Facts
from celwright.settings import Settings
from celwright.training.sd15.tiny import save_tiny_base, save_tiny_controlnet, save_tiny_ip_adapter, save_tiny_update
from celwright.weights.catalog import SHIPPED, catalog
from celwright.weights.intake import import_model
from celwright.weights.store import Store

SIDE = 64
RED, BLUE, GREEN = (220, 30, 20), (20, 40, 210), (20, 160, 60)
OPTIONS = Sd15Options(device="cpu", precision="fp32")


@pytest.fixture(autouse=True)
def one_thread_and_small_pictures(monkeypatch):
    torch.set_num_threads(1)
    for module in (sd15, sd15_loading):
        monkeypatch.setattr(module, "SIDE", SIDE)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """The parts as models of their own, and ``sd15-lineart``: one folder that holds base, ControlNet and IP-Adapter."""
    torch.set_num_threads(1)
    place = tmp_path_factory.mktemp("tiny")
    base = place / "base"
    save_tiny_base(base)
    save_tiny_controlnet(place / "lines", base)
    save_tiny_ip_adapter(place / "looks", base)
    save_tiny_update(place / "quick", base)
    unet = loaded_base(parts_in("base", [base]), torch.float32).unet
    torch.manual_seed(4)
    adapter = ScMilc(unet, 8)
    for parameter in adapter.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    save_adapter(place / "milc", adapter)
    models = Store(tmp_path_factory.mktemp("models"), catalogs=())
    for name in ("base", "lines", "looks", "quick", "milc"):
        list(import_model(models, name, [place / name], "colorize", "CreativeML-OpenRAIL-M"))
    save_tiny_controlnet(base / "controlnet", base)
    save_tiny_ip_adapter(base / "ip_adapter", base)
    list(import_model(models, "sd15-lineart", [base], "colorize", "CreativeML-OpenRAIL-M"))
    return models


@pytest.fixture(scope="module")
def painters(store):
    """Each model is loaded once for all tests."""
    kept = {}

    def painter(name):
        if name not in kept:
            kept[name] = loaded(name, located(store, name), OPTIONS)
        return kept[name]

    return painter


@pytest.fixture
def pipeline(painters):
    return ColorizePipeline(sampled=Sd15Proposer(painters))


def drawing(*circles):
    data = np.zeros((SIDE, 2 * SIDE, 4), np.uint8)
    for x, y, radius in circles:
        cv2.circle(data, (x, y), radius, (0, 0, 0, 255), 2)
    return Pixels(data)


TWO = ((28, 32, 18), (96, 32, 24))


def picture(color):
    return Pixels(np.full((40, 40, 3), color, np.uint8))


def half(side):
    """A selection of the left or the right half of the page."""
    data = np.zeros((SIDE, 2 * SIDE, 1), np.uint8)
    data[:, slice(None, SIDE) if side == "left" else slice(SIDE, None)] = 255
    return Pixels(data)


def request(model="sd15-lineart", **more):
    return ColorizeRequest(
        drawing(*TWO), **{"model": model, "steps": 2, "references": (Reference(picture(RED)),), **more}
    )


def run(pipeline, request):
    *_, last = pipeline.run(request)
    assert isinstance(last, Finished)
    return last


@pytest.mark.parametrize("model", ["sd15-lineart", "base+milc"])
def test_line_art_becomes_four_layers_with_every_step_told(pipeline, model):
    references = (Reference(picture(RED)), Reference(picture(BLUE)))
    *events, last = pipeline.run(request(model, references=references, steps=4, stages=True))
    stages = [event.stage for event in events if isinstance(event, Progress)]
    assert list(dict.fromkeys(stages)) == ["segment", "hints", "load", "references", "sample", "fill"]
    assert stages.count("sample") == 4
    assert [event.image.size for event in events if isinstance(event, Preview)] == [(64, 64)] * 2
    assert last.report.model == model
    assert last.report.notices[0].startswith("The line art shows 2 figures; by their drawing reference 1 was matched")
    assert {"line", "flat", "shadow", "highlight", "composite", "regions"} <= last.images.keys()
    assert {"stages/sampled", "stages/proposal", "stages/instances", "stages/categories"} <= last.images.keys()
    assert last.images["line"].data.tobytes() == drawing(*TWO).data.tobytes()
    flat = last.images["flat"].data
    assert flat[32, 28, 3] == flat[32, 96, 3] == 255


@pytest.mark.parametrize("model", ["sd15-lineart", "base+milc"])
def test_a_model_that_is_loaded_again_gives_the_same_picture(pipeline, store, model):
    fresh = ColorizePipeline(sampled=full_size_proposer(store, OPTIONS))
    one, other = (run(each, request(model, seed=5)).images for each in (pipeline, fresh))
    assert one.keys() == other.keys()
    assert all(np.array_equal(one[name].data, other[name].data) for name in one)


def test_one_folder_with_everything_is_the_same_model_as_its_parts(pipeline):
    one, other = (run(pipeline, request(model, stages=True)) for model in ("sd15-lineart", "base+lines+looks"))
    np.testing.assert_array_equal(one.images["stages/sampled"].data, other.images["stages/sampled"].data)


def test_what_the_shipped_catalogue_calls_sd15_lineart_is_a_whole_model(tmp_path):
    """In half precision, and with a safety checker that is named but not fetched, as the published files are."""
    save_tiny_base(tmp_path)
    save_tiny_controlnet(tmp_path / "controlnet", tmp_path)
    save_tiny_ip_adapter(tmp_path / "ip_adapter", tmp_path)
    save_tiny_update(tmp_path / "update", tmp_path)
    index = json.loads((tmp_path / "model_index.json").read_text())
    index |= {"safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"], "image_encoder": None}
    (tmp_path / "model_index.json").write_text(json.dumps({key: part for key, part in index.items() if part}))
    (tmp_path / "tokenizer/special_tokens_map.json").write_text("{}")
    (tmp_path / "image_encoder").mkdir()
    for name in ("config.json", "model.safetensors"):
        (tmp_path / "ip_adapter" / name).rename(tmp_path / "image_encoder" / name)
    for folder in ("text_encoder", "unet", "vae", "controlnet"):
        (weights,) = (tmp_path / folder).glob("*.safetensors")
        weights.rename(weights.with_suffix(".fp16.safetensors"))
    few = tmp_path.parent / "few"
    (tmp_path / "update").rename(few)
    entries = catalog([SHIPPED])
    for entry, folder in ((entries["sd15-lineart"], tmp_path), (entries["sd15-lcm"], few)):
        there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        assert {file.path for file in entry.files} == there
    painter = loaded("sd15-lineart+sd15-lcm", [tmp_path, few], OPTIONS)
    seeing = ColorizePipeline(sampled=Sd15Proposer(lambda _: painter))
    assert run(seeing, request(steps=1)).images["flat"].data[32, 28, 3] == 255


def test_variations_are_different_pictures_and_the_second_is_the_first_of_the_next_seed(pipeline):
    both = run(pipeline, request(variations=2, stages=True)).images
    second = run(pipeline, request(seed=1, stages=True)).images
    assert not np.array_equal(both["stages/sampled"].data, both["1/stages/sampled"].data)
    np.testing.assert_array_equal(both["1/stages/sampled"].data, second["stages/sampled"].data)


def test_hints_are_law_and_what_is_locked_stays_bit_for_bit(pipeline):
    hints = np.zeros((SIDE, 2 * SIDE, 4), np.uint8)
    hints[30:34, 26:30] = (*GREEN, 255)
    context = np.random.default_rng(0).integers(0, 256, (SIDE, 2 * SIDE, 4), np.uint8)
    asked = request(hints=Pixels(hints), context=Pixels(context), lock=half("right"))
    flat = run(pipeline, asked).images["flat"].data
    assert tuple(flat[32, 28]) == (*GREEN, 255)
    np.testing.assert_array_equal(flat[:, SIDE:], context[:, SIDE:])


def test_a_palette_is_kept_to(pipeline):
    colors = np.array([RED, BLUE, GREEN], np.uint8)
    flat = run(pipeline, request(palette=Palette("three", colors))).images["flat"].data
    painted = {tuple(color) for color in flat[flat[..., 3] > 0][:, :3].tolist()}
    assert painted <= {RED, BLUE, GREEN}


def test_shadows_are_looked_for_in_the_picture_that_was_sampled(painters):
    seen = []

    def half_dark(pixels):
        seen.append(pixels)
        planes = np.ones((*pixels.shape[:2], 13), np.float32)
        planes[..., 7:10], planes[..., 10:] = 0.5, 0
        return planes

    finished = run(ColorizePipeline(sampled=Sd15Proposer(painters), shade=lambda: half_dark), request(stages=True))
    assert seen[0].shape == (64, 64, 3)
    inside = finished.images["shadow"].data[32, 28]
    assert inside[3] > 0
    assert not finished.images["highlight"].data[32, 28].any()


def test_a_few_step_update_changes_the_model_and_takes_at_most_the_steps_it_was_made_for(pipeline, painters):
    assert painters("sd15-lineart+quick").few_steps
    one, other = (run(pipeline, request(model, stages=True)) for model in ("sd15-lineart", "sd15-lineart+quick"))
    assert not np.array_equal(one.images["stages/sampled"].data, other.images["stages/sampled"].data)
    assert not painters("sd15-lineart").few_steps
    with pytest.raises(WrongUsageError) as fault:
        run(pipeline, request("sd15-lineart+quick", steps=51))
    assert str(fault.value) == "The number of steps is 51; a model with a few-step update takes 1 to 50."


def test_half_precision_runs_on_a_cpu_too(store):
    chosen = Sd15Options(device="cpu", precision="bf16")
    pipeline = ColorizePipeline(sampled=full_size_proposer(store, chosen))
    for model in ("sd15-lineart", "base+milc"):
        assert run(pipeline, request(model, steps=1)).report.model == model


def page(references):
    """A field of 64 x 128 whose halves are the places of two references."""
    places = [half(side).data[..., 0].astype(np.float32) / 255 for side in ("left", "right")]
    ink = drawing(*TWO).data[..., 3].astype(np.float32) / 255
    return SeenPage(ink, references, places, np.zeros((SIDE, 2 * SIDE, 5), np.float32))


def attended(painter, references, module):
    """What a module of the UNet answers while it looks at noise, the half with references."""
    predict, seen = painter.predictor(page(references)), []
    handle = module.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    predict(torch.randn(1, 4, 8, 16, generator=torch.Generator().manual_seed(0)), torch.tensor(500))
    handle.remove()
    return seen[0].chunk(2)[1][0]


def test_in_the_ip_adapters_attention_a_reference_counts_inside_its_place_alone(painters):
    painter = painters("sd15-lineart")
    red, blue, green = (framed(Reference(picture(color)), painter.side) for color in (RED, BLUE, GREEN))
    attention = painter.pipeline.unet.down_blocks[0].attentions[0].transformer_blocks[0].attn2
    before, after = (attended(painter, shown, attention) for shown in ([red, blue], [red, green]))
    change = (before - after).abs().amax(1).view(8, 16)
    assert change[:, :8].max() < 1e-5
    assert change[:, 8:].min() > 1e-3


def test_in_scmilcs_condition_a_reference_counts_inside_its_place_alone(painters):
    painter = painters("base+milc")
    red, blue, green = (framed(Reference(picture(color)), painter.side) for color in (RED, BLUE, GREEN))
    inward = painter.adapter.inward[0]
    before, after = (attended(painter, shown, inward) for shown in ([red, blue], [red, green]))
    change = (before - after).abs().amax(0)
    assert change[:, :8].max() < 1e-5
    assert change[:, 8:].max() > 1e-3


def test_a_page_without_references_is_painted_whatever_the_ip_adapter_would_have_seen(painters):
    painter = painters("sd15-lineart")
    attention = painter.pipeline.unet.down_blocks[0].attentions[0].transformer_blocks[0].attn2
    alone = SeenPage(page([]).ink, [], [], page([]).known)
    predict, seen = painter.predictor(alone), []
    handle = attention.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    predict(torch.zeros(1, 4, 8, 16), torch.tensor(500))
    painter.pipeline.set_ip_adapter_scale(0)
    predict(torch.zeros(1, 4, 8, 16), torch.tensor(500))
    painter.pipeline.set_ip_adapter_scale(1)
    handle.remove()
    torch.testing.assert_close(seen[0], seen[1], rtol=0, atol=0)


def test_what_lies_outside_a_references_mask_is_white_to_every_model():
    mask = np.zeros((40, 40, 1), np.uint8)
    mask[10:30, 10:30] = 255
    plain, other = picture(RED), picture(RED)
    other.data[:8] = BLUE
    one, two = (framed(Reference(each, Pixels(mask)), 32) for each in (plain, other))
    np.testing.assert_array_equal(one, two)
    assert set(np.unique(one[..., 3])) == {0, 1}
    np.testing.assert_allclose(one[16, 16, :3], np.array(RED) / 255, atol=0.01)
    assert (one[one[..., 3] == 0][:, :3] == 1).all()


def test_kept_context_is_finished_and_hinted_regions_are_begun_and_nothing_else():
    labels = np.ones((SIDE, 2 * SIDE), np.int32)
    labels[:, SIDE:] = 2
    colors = np.array([[0, 0, 0, 0], [0.2, 0.4, 0.6, 1], [0, 0, 0, 0]], np.float32)
    field = field_of(SIDE, 2 * SIDE, None, 2 * SIDE, 64)
    ink = np.zeros((field.height, field.width), np.float32)
    ink[20, :] = 1
    regions = HintedRegions(labels, colors, ())
    known = known_colors(ColorizeRequest(drawing(*TWO)), regions, field, ink, None)
    assert not known[..., 3].any()
    assert (known[:, :SIDE, 4] == 1).all()
    assert not known[:, SIDE + 2 :, 4].any()  # but for a line that goes on beside it
    np.testing.assert_allclose(known[5, 5, :3], [0.2, 0.4, 0.6])
    assert not known[20, :, :3].any()
    change = half("left").data[..., 0]
    context = Pixels(np.full((SIDE, 2 * SIDE, 4), (0, 255, 0, 255), np.uint8))
    asked = ColorizeRequest(drawing(*TWO), context=context, selection=half("left"))
    known = known_colors(asked, regions, field, ink, change)
    assert known[..., 4].all()
    assert known[:, SIDE:, 3].all()
    assert not known[:, : SIDE - 2, 3].any()
    np.testing.assert_allclose(known[5, SIDE + 5, :3], [0, 1, 0])


@pytest.mark.parametrize("few_steps", [False, True])
def test_finished_latents_come_out_as_they_went_in_and_begun_ones_are_held_while_there_is_much_noise(
    painters, few_steps
):
    finished, begun = torch.zeros(2, 1, 1, 4, 4, dtype=torch.bool)
    finished[..., :1], begun[..., 1:2] = True, True
    known = Known(torch.full((1, 4, 4, 4), 0.75), finished, begun)
    pipeline = painters("sd15-lineart").pipeline
    estimates = list(
        sampled(pipeline, lambda x, t: 0.1 * x, (4, 4), 0, 4, few_steps=few_steps, device="cpu", known=known)
    )
    assert [(estimate.step, estimate.steps) for estimate in estimates] == [(step, 4) for step in range(1, 5)]
    for estimate in estimates:
        assert (estimate.latents[..., 0] == 0.75).all()
        assert not (estimate.latents[..., 2:] == 0.75).any()
        assert (estimate.latents[..., 1] == 0.75).all() == (estimate.step <= 2)


@pytest.mark.parametrize(("few_steps", "steps"), [(False, 1), (False, 6), (True, 1), (True, 4), (True, 50)])
def test_a_perfect_estimate_of_the_noise_leads_to_the_picture_at_every_step(painters, few_steps, steps):
    """Whatever noise it starts from, and at every noise level that is asked for: between the pure noise at the start
    and the next the estimate is asked what is really in it."""
    pipeline = painters("sd15-lineart").pipeline
    truth = torch.randn(1, 4, 4, 4, generator=torch.Generator().manual_seed(1))
    schedule, asked = CheckpointSchedule(pipeline.scheduler.alphas_cumprod), []

    def predict(x, t):
        asked.append(int(t))
        return schedule.noise(x, truth, t)

    estimates = list(sampled(pipeline, predict, (4, 4), 3, steps, few_steps=few_steps, device="cpu"))
    assert asked[0] == 999
    assert asked == sorted(asked, reverse=True)
    assert len(set(asked)) == steps
    for estimate in estimates:
        torch.testing.assert_close(estimate.latents, truth, rtol=0, atol=1e-3)


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"palette": "auto"}, "The palette 'auto'"),
        ({"palette": "flatting"}, "The palette 'flatting'"),
        ({"histogram": np.full(256, 1 / 256, np.float32)}, "A histogram"),
        ({"guidance": Guidance(references=2)}, "A guidance"),
        ({"light": 90}, "A direction of the light"),
    ],
)
def test_what_stable_diffusion_was_never_taught_is_refused(pipeline, changed, what):
    with pytest.raises(WrongUsageError) as fault:
        run(pipeline, request(**changed))
    assert str(fault.value) == (
        f"{what} came, which the model 'sd15-lineart' knows nothing of: leave that option or the model out."
    )


def test_models_that_are_not_here_or_lack_a_part_are_named(store):
    with pytest.raises(ModelUnavailableError) as fault:
        located(store, "sd15-lineart+huge")
    assert str(fault.value) == (
        "The model 'huge' is not installed; 'embedded', 'base', 'lines', 'looks', 'milc', 'quick', 'sd15-lineart' can "
        "colorize: choose one of them, or get it with celwright models pull or import."
    )
    with pytest.raises(WrongUsageError) as fault:
        loaded("base+looks", located(store, "base+looks"), OPTIONS)
    assert str(fault.value) == (
        "The model 'base+looks' cannot see line art: it has neither a line-art ControlNet nor an SC-MILC adapter; name "
        "one behind it: base+looks+CONTROLNET."
    )


def test_an_ip_adapter_without_its_image_encoder_and_references_without_an_ip_adapter_are_refused(store, tmp_path):
    bare = tmp_path / "ip-adapter_sd15.safetensors"
    bare.write_bytes((store.folder / "looks/ip-adapter_sd15.safetensors").read_bytes())
    with pytest.raises(WrongUsageError) as fault:
        loaded("x", [*located(store, "base+lines"), tmp_path], OPTIONS)
    assert str(fault.value) == (
        f"The IP-Adapter {bare} of the model 'x' has no image encoder; import the config.json and model.safetensors of "
        f"its image_encoder folder together with it."
    )
    without = ColorizePipeline(sampled=full_size_proposer(store, OPTIONS))
    with pytest.raises(WrongUsageError) as fault:
        run(without, request("base+lines"))
    assert str(fault.value) == (
        "References came, but this model has no IP-Adapter to see them with; leave them out, or name the model with "
        "one behind it: BASE+CONTROLNET+IPADAPTER."
    )


def test_offloading_without_a_gpu_is_refused(store):
    with pytest.raises(WrongUsageError) as fault:
        loaded("sd15-lineart", located(store, "sd15-lineart"), Sd15Options(device="cpu", offload="cpu"))
    assert str(fault.value) == (
        "Offloading to the CPU frees the memory of a GPU, and 'cpu' works here: leave --offload out."
    )


def test_memory_is_told_from_the_files_before_anything_is_loaded(store):
    parts = parts_in("sd15-lineart", located(store, "sd15-lineart"))
    sizes = {name: sum(map(numbers, files)) for name, files in parts.weights().items()}
    assert set(sizes) == {"text_encoder", "unet", "vae", "controlnet", "image_encoder", "ip_adapter"}
    work, everything = 64 * 64 * 256 * 6, sum(sizes.values())
    assert needed(parts, "fp32", "none", gpu=False) == Need(4 * (everything + work), 0)
    assert needed(parts, "fp16", "none", gpu=True) == Need(2 * everything, 2 * (everything + work))
    step = sizes["unet"] + sizes["controlnet"] + sizes["ip_adapter"]
    assert needed(parts, "bf16", "cpu", gpu=True) == Need(2 * everything, 2 * (step + work))


def test_what_does_not_fit_is_refused_with_what_would_help(store, monkeypatch):
    with pytest.raises(ModelUnavailableError) as fault:
        check_fits("sd15", Need(2 * GIB, 7 * GIB), Room(8 * GIB, 6 * GIB), "fp32", "none", gpu=True)
    assert str(fault.value) == (
        "The model 'sd15' needs about 7.0 GiB of GPU memory and 6.0 GiB are free; try --precision fp16, --offload cpu "
        "or what comes with Celwright (--fallback takes it by itself)."
    )
    with pytest.raises(ModelUnavailableError) as fault:
        check_fits("sd15", Need(9 * GIB, 0), Room(8.25 * GIB, 0), "bf16", "none", gpu=False)
    assert str(fault.value) == (
        "The model 'sd15' needs about 9.0 GiB of memory and 8.2 GiB are free; try what comes with Celwright "
        "(--fallback takes it by itself)."
    )
    monkeypatch.setattr(sd15_loading, "room", lambda: Room(1000, 0))
    monkeypatch.setattr(sd15_loading, "placed", lambda *_: pytest.fail("it was loaded"))
    with pytest.raises(ModelUnavailableError, match=r"^The model 'sd15-lineart' needs about 0\.0 GiB of memory and "):
        loaded("sd15-lineart", located(store, "sd15-lineart"), OPTIONS)


def test_a_model_is_offloaded_by_itself_where_the_gpu_is_too_small_for_all_of_it_and_only_there(store, monkeypatch):
    folders, chosen = located(store, "sd15-lineart"), []
    parts = parts_in("sd15-lineart", folders)
    whole, step = (needed(parts, "fp16", offload, gpu=True).gpu for offload in ("none", "cpu"))
    assert step < whole
    monkeypatch.setattr(sd15_loading, "placed", lambda _parts, _dtype, _device, offload: chosen.append(offload))
    for free in (whole, whole - 1):
        monkeypatch.setattr(sd15_loading, "room", lambda free=free: Room(8 * GIB, free))
        loaded("sd15-lineart", folders, Sd15Options(device="cuda"))
    assert chosen == ["none", "cpu"]
    monkeypatch.setattr(sd15_loading, "room", lambda: Room(8 * GIB, step - 1))
    with pytest.raises(ModelUnavailableError, match=r"of GPU memory and .* try what comes with Celwright"):
        loaded("sd15-lineart", folders, Sd15Options(device="cuda"))
    loaded("sd15-lineart", folders, Sd15Options(device="cpu"))
    assert chosen[-1] == "none"


@pytest.mark.parametrize("model", ["sd15-lineart", "base+milc"])
def test_an_offloaded_model_paints_the_same_picture_again_and_again(pipeline, store, model):
    """Its parts come when they are called and go when others are; here from the CPU to the CPU."""
    parts = parts_in(model, located(store, model))
    offloaded = ColorizePipeline(sampled=Sd15Proposer(lambda _: placed(parts, torch.float32, "cpu", "cpu")))
    wanted = run(pipeline, request(model, stages=True)).images["stages/sampled"].data
    for _ in range(2):
        *events, last = offloaded.run(request(model, stages=True))
        assert not any(isinstance(event, Preview) for event in events)  # each would push the UNet off the GPU
        np.testing.assert_allclose(last.images["stages/sampled"].data.astype(int), wanted, atol=1)


def test_memory_that_runs_out_while_it_works_is_told_in_words(painters):
    painter = painters("sd15-lineart")
    faults = iter([torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB"), RuntimeError("a bug")])

    class Failing:
        def __getattr__(self, name):
            return getattr(painter, name)

        def predictor(self, page):
            raise next(faults)

    pipeline = ColorizePipeline(sampled=Sd15Proposer(lambda name: Failing()))
    with pytest.raises(ModelUnavailableError) as fault:
        run(pipeline, request())
    assert str(fault.value) == (
        "The memory ran out while the model 'sd15-lineart' worked (CUDA out of memory. Tried to allocate 9 GiB); try "
        "--precision fp16 or --offload cpu."
    )
    with pytest.raises(RuntimeError, match=r"^a bug$"):
        run(pipeline, request())


def test_with_fallback_what_comes_with_celwright_does_it_and_says_why(store):
    hints = np.zeros((SIDE, 2 * SIDE, 4), np.uint8)
    hints[30:34, 26:30] = (*GREEN, 255)

    def full():
        return full_size_proposer(store, OPTIONS)

    asked = request("gone", references=(), hints=Pixels(hints))
    strict = ColorizePipeline(sampled=ProposerByModel(HintProposer, full, fallback=False))
    with pytest.raises(ModelUnavailableError, match=r"^The model 'gone' is not installed; "):
        run(strict, asked)
    report = run(ColorizePipeline(sampled=ProposerByModel(HintProposer, full, fallback=True)), asked).report
    assert report.model == "hints"
    assert report.notices[0].startswith("The model 'gone' is not installed; ")
    assert report.notices[0].endswith(" What comes with Celwright did it instead, as was asked for.")


def test_the_command_colours_with_a_model_of_the_users(store, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("CELWRIGHT_MODELS", str(store.folder))
    write_png(tmp_path / "page.png", drawing(*TWO))
    write_png(tmp_path / "red.png", picture(RED))
    arguments = ["colorize", str(tmp_path / "page.png"), "--reference", str(tmp_path / "red.png"), "--json"]
    arguments += ["--model", "sd15-lineart", "--precision", "fp32", "--steps", "2", "--shading", "off", "--seed", "3"]
    assert main(arguments) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (told["model"], told["seed"]) == ("sd15-lineart", 3)
    assert (tmp_path / "page-layers.psd").is_file()


def test_a_daemon_colours_with_the_model_that_a_request_names(store, monkeypatch, tmp_path):
    monkeypatch.setenv("CELWRIGHT_MODELS", str(store.folder))
    with tempfile.TemporaryDirectory(prefix="cw") as place:  # short: a socket's path is limited
        settings = Settings(socket=Path(place) / "d.sock", host="", port=0, token_file=tmp_path / "own/token")
        engine = Engine(wiring.pipelines("cpu"), queue_limit=2)
        facts = Facts("1", 2, 60.0, 2**30, list, lambda: "cpu", lambda: True, installed.Models(), write_document)
        server = Server(settings, engine, facts)
        server.start()
        try:
            with Client(server.address, server.token) as client:
                *_, last = client.run(request(shading=False))
                with pytest.raises(ModelUnavailableError, match=r"^The model 'gone' is not installed; "):
                    list(client.run(request("gone")))
        finally:
            server.stop()
    assert last.report.model == "sd15-lineart"
    assert {"line", "flat", "composite"} <= last.images.keys()
