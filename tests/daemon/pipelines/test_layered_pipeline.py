"""The full-size decomposer's way from picture to layers, on a tiny random checkpoint in the real layout on disk.

Its autoencoder reduces sides by 32, so that a square of 640 pixels is only a hundred tokens.
"""

import json
import threading

import numpy as np
import pytest
import torch
from celwright.cli import main
from celwright.domain import DecomposeRequest, Finished, Pixels, Preview, Progress
from celwright.errors import ModelUnavailableError, WrongUsageError
from celwright.imaging.saving import write_png
from celwright.layers import LayerStack
from celwright.models import layered_tokens
from celwright.models.layered import LayerSemanticEmbedding, add_updates, save_adapter
from celwright.pipelines.decompose import layered_loading
from celwright.pipelines.decompose.decomposers import DecomposeByModel, located
from celwright.pipelines.decompose.layered import LayeredPipeline
from celwright.pipelines.decompose.layered_loading import LayeredOptions, loaded
from celwright.pipelines.decompose.layered_memory import Room
from celwright.psd.tree import four_layers
from celwright.psd.write import write as write_layers
from celwright.training.layered_tiny import save_tiny
from celwright.weights.intake import import_model
from celwright.weights.store import Store

STEPS = 4


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Two models of the user's: a base, and an adapter for it."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("tiny")
    save_tiny(folder / "base", reductions=5)
    from diffusers import QwenImageTransformer2DModel

    transformer = QwenImageTransformer2DModel.from_pretrained(folder / "base/transformer")
    add_updates(transformer, 2)
    for name, parameter in transformer.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(parameter, std=0.5)
    save_adapter(folder / "anime", transformer, LayerSemanticEmbedding(transformer.inner_dim))
    models = Store(tmp_path_factory.mktemp("models"))
    for name in ("base", "anime"):
        list(import_model(models, name, [folder / name], "decompose", "Apache-2.0"))
    return models


@pytest.fixture(scope="module")
def model(store):
    return loaded("base", *located(store, "base"), LayeredOptions(steps=STEPS, device="cpu"))


def picture(side=40):
    rng = np.random.default_rng(0)
    return Pixels(np.kron(rng.integers(0, 255, (side // 8, side // 8, 4)), np.ones((8, 8, 1))).astype(np.uint8))


def full_size(store, **options):
    chosen = LayeredOptions(**{"steps": STEPS, "device": "cpu", **options})
    return LayeredPipeline(lambda name: loaded(name, *located(store, name), chosen), chosen)


@pytest.fixture(scope="module")
def events(store, model):
    pipeline = LayeredPipeline(lambda name: model, LayeredOptions(steps=STEPS, device="cpu"))
    return list(pipeline.run(DecomposeRequest(picture(), "exact", "base")))


def test_every_step_is_told_and_the_flat_shown_on_the_way(events):
    fractions = [event.fraction for event in events if isinstance(event, Progress)]
    assert fractions == sorted(fractions)
    assert sum(0 < fraction <= 0.9 for fraction in fractions) == STEPS
    assert fractions[-1] == 1
    previews = [event for event in events if isinstance(event, Preview)]
    assert [preview.image.size for preview in previews] == [(640, 640)] * 2
    assert [isinstance(event, Finished) for event in events].count(True) == 1


def test_layers_are_finished_by_the_same_fitting_as_the_embedded_models(events):
    finished = events[-1]
    assert {name: image.size for name, image in finished.images.items()} == dict.fromkeys(
        ("line", "flat", "shadow", "highlight", "composite"), (40, 40)
    )
    assert finished.report.model == "base"
    assert set(finished.report.seconds) == {"load", "infer", "fit"}
    np.testing.assert_allclose(finished.images["composite"].data[..., 3], picture().data[..., 3], atol=1)


def test_the_sampler_for_any_size_is_the_pipelines_own(model):
    """At a size that both can do, the loop that training looks through gives the pipeline's layers."""
    from PIL import Image

    image = Image.fromarray(picture(640).data)
    random = torch.Generator().manual_seed(3)
    chosen = {"true_cfg_scale": 1.0, "num_inference_steps": 2, "generator": random, "output_type": "pt"}
    theirs = model([image], layered_tokens.PROMPT, **chosen).images[0]
    tensor = model.image_processor.preprocess(image, 640, 640)[0]
    ours = layered_tokens.sampled(model, layered_tokens.encoded_prompt(model), tensor, 2, 3)
    torch.testing.assert_close(ours / 2 + 0.5, theirs, rtol=0, atol=1e-2)


def test_ceasing_to_iterate_ends_the_work_at_the_next_step(model):
    pipeline = LayeredPipeline(lambda name: model, LayeredOptions(steps=STEPS, device="cpu"))
    running = pipeline.run(DecomposeRequest(picture(), model="base"))
    for event in running:
        if isinstance(event, Progress) and event.stage == "decompose":
            break
    assert any(thread.name == "qwen-layered" for thread in threading.enumerate())
    running.close()
    assert not any(thread.name == "qwen-layered" for thread in threading.enumerate())


def test_an_adapter_is_put_on_its_base(store):
    base, adapter = located(store, "base+anime")
    assert (base.name, adapter.name) == ("base", "anime")
    model = loaded("base+anime", base, adapter, LayeredOptions(device="cpu"))
    assert "lora_A" in dict.fromkeys(part for name, _ in model.transformer.named_modules() for part in name.split("."))
    tokens = torch.zeros(1, 6, model.transformer.config.in_channels, dtype=model.transformer.dtype)
    rows = model.transformer.img_in(tokens)[0]
    assert torch.equal(rows[0], rows[5])  # composite and condition
    assert len({tuple(row.tolist()) for row in rows}) == 5  # and each layer another


def test_offloading_to_disk_gives_the_same_layers(store, model):
    width = model.transformer.config.in_channels
    tokens = torch.randn(1, 6 * 4, width, generator=torch.Generator().manual_seed(0)).bfloat16()
    prompt = layered_tokens.encoded_prompt(model)

    def velocity(pipeline):
        with torch.no_grad():
            noisy, condition = tokens[:, :20], tokens[:, 20:]
            return layered_tokens.velocity(
                pipeline.transformer, noisy, condition, torch.tensor([0.5]), prompt, (4, 4)
            )  # fmt: skip

    offloaded = loaded("base", *located(store, "base"), LayeredOptions(offload="disk", device="cpu"))
    torch.testing.assert_close(velocity(offloaded), velocity(model), rtol=0, atol=0)


def test_models_that_are_not_here_are_named(store):
    for name, missing in (("huge", "huge"), ("base+huge", "huge")):
        with pytest.raises(ModelUnavailableError) as fault:
            located(store, name)
        assert str(fault.value) == (
            f"The model {missing!r} is not installed; 'embedded', 'anime', 'base' can decompose: choose one of them."
        )


def test_an_adapter_alone_is_refused(store):
    with pytest.raises(WrongUsageError) as fault:
        located(store, "anime")
    assert str(fault.value) == (
        "The model 'anime' is no diffusers model (it has no model_index.json); name an adapter behind its base: "
        "BASE+anime."
    )


REFUSAL = (
    "The model 'base' needs about 0.0 GiB of memory and 0.0 GiB are free; try --quantize 8bit, --quantize 4bit, "
    "--offload disk or the embedded model (--fallback takes it by itself)."
)


def test_a_model_that_does_not_fit_is_refused_before_it_is_loaded(store, monkeypatch):
    monkeypatch.setattr(layered_loading, "room", lambda: Room(0, 0))
    monkeypatch.setattr(layered_loading, "_from_folder", lambda *_: pytest.fail("it was loaded"))
    with pytest.raises(ModelUnavailableError) as fault:
        list(full_size(store).run(DecomposeRequest(picture(), model="base")))
    assert str(fault.value) == REFUSAL


def test_the_embedded_model_takes_over_only_when_asked_and_it_is_said(store, monkeypatch):
    monkeypatch.setattr(layered_loading, "room", lambda: Room(0, 0))
    from celwright.pipelines.decompose.pipeline import DecomposePipeline

    request = DecomposeRequest(picture(), model="base")
    with pytest.raises(ModelUnavailableError):
        list(DecomposeByModel(DecomposePipeline(), lambda: full_size(store), fallback=False).run(request))
    *_, last = DecomposeByModel(DecomposePipeline(), lambda: full_size(store), fallback=True).run(request)
    assert last.report.model == "embedded"
    assert last.report.notices == (f"{REFUSAL} The embedded model did it instead, as was asked for.",)


def test_what_cannot_be_had_here_is_said(store):
    place = located(store, "base")
    if not torch.cuda.is_available():
        with pytest.raises(WrongUsageError) as fault:
            loaded("base", *place, LayeredOptions(offload="cpu"))
        assert str(fault.value) == (
            "Offloading to the CPU frees the memory of a GPU, and 'cpu' works here: choose --offload disk."
        )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layered_loading, "find_spec", lambda name: None)
        with pytest.raises(ModelUnavailableError) as missing:
            loaded("base", *place, LayeredOptions(quantize="4bit", device="cpu"))
    assert str(missing.value) == (
        "Quantising to 4bit needs bitsandbytes, which is not installed; install it, or leave --quantize out."
    )
    with pytest.raises(WrongUsageError, match=r"^The number of steps is 1; 2 to 200 is allowed\.$"):
        LayeredOptions(steps=1)


def test_the_command_takes_a_picture_apart_with_a_model_of_the_users(store, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CELWRIGHT_MODELS", str(store.folder))
    write_png(tmp_path / "page.png", picture())
    code = main(["decompose", str(tmp_path / "page.png"), "--model", "base+anime", "--steps", "2", "--json"])
    assert code == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["model"] == "base+anime"
    assert (tmp_path / "page-layers.psd").is_file()
    code = main(["decompose", str(tmp_path / "page.png"), "--force", "--steps", "1", "--connect", "unix:/x"])
    assert code == 2
    assert capsys.readouterr().err == (
        "celwright: A daemon runs full-size models in its own way; leave --steps or --connect out.\n"
    )


def test_what_was_trained_on_folders_and_psd_files_is_imported_and_used_by_the_same_names(store, tmp_path, monkeypatch):
    """train, train --resume, models import and decompose --model BASE+ADAPTER, one after the other: bfloat16 and
    gradient checkpointing, as they are set."""
    monkeypatch.setenv("CELWRIGHT_MODELS", str(store.folder))
    paper = picture(64).data | np.array([0, 0, 0, 255], np.uint8)
    clear = paper & np.array([255, 255, 255, 0], np.uint8)
    (tmp_path / "data/one").mkdir(parents=True)
    for name, layer in {"composite": paper, "line": clear, "flat": paper}.items():
        write_png(tmp_path / f"data/one/{name}.png", Pixels(layer))
    stack = LayerStack(line=Pixels(clear), flat=Pixels(paper), shadow=Pixels(clear), highlight=Pixels(clear))
    write_layers(tmp_path / "data/two.psd", four_layers(stack), Pixels(paper))
    out = tmp_path / "out"
    training = ["train", "decomposer", "--preset", "qwen-layered", "--base", "base", "--size", "64x64"]
    training += ["--data", str(tmp_path / "data"), "--out", str(out)]
    assert main([*training, "--minutes", "0.01"]) == 0
    assert main([*training, "--minutes", "0.02", "--resume"]) == 0
    assert main(["models", "import", "ours", str(out), "--task", "decompose", "--licence", "Apache-2.0"]) == 0
    write_png(tmp_path / "page.png", picture())
    assert main(["decompose", str(tmp_path / "page.png"), "--model", "base+ours", "--steps", "2"]) == 0
    assert (tmp_path / "page-layers.psd").is_file()
