import json

import numpy as np
import pytest
from celwright.errors import ModelUnavailableError
from celwright.pipelines.decompose.layered_memory import GIB, Need, Room, check_fits, needed, weights
from safetensors.numpy import save_file


@pytest.fixture
def model(tmp_path):
    """1000 numbers of text encoder in two files, 2000 of transformer, 100 of autoencoder."""
    for part, counts in {"text_encoder": (400, 600), "transformer": (2000,), "vae": (100,)}.items():
        (tmp_path / part).mkdir()
        for number, count in enumerate(counts):
            save_file({"a": np.zeros((count // 10, 10), np.float16)}, tmp_path / part / f"model-{number}.safetensors")
    (tmp_path / "transformer/config.json").write_text(json.dumps({"num_attention_heads": 2, "attention_head_dim": 16}))
    (tmp_path / "vae/config.json").write_text(json.dumps({"temperal_downsample": [False] * 3, "base_dim": 8}))
    return tmp_path


WORK = 640 * 640 * 4 * 8 * 4 * 2  # the autoencoder's widest level is more than 6 * 40 * 40 tokens of 32 channels


def test_numbers_are_counted_from_headers_alone(model):
    assert weights(model) == {"text_encoder": 1000, "transformer": 2000, "vae": 100}


def test_without_a_gpu_all_is_in_memory(model):
    assert needed(model, 640, "none", "none", gpu=False) == Need(3100 * 2 + WORK, 0)


def test_a_gpu_takes_it_all_but_what_is_on_its_way(model):
    assert needed(model, 640, "none", "none", gpu=True) == Need(2000 * 2, 3100 * 2 + WORK)


def test_offloading_leaves_one_component_on_the_gpu(model):
    assert needed(model, 640, "none", "cpu", gpu=True) == Need(3100 * 2, 2000 * 2 + WORK)
    assert needed(model, 640, "none", "disk", gpu=True) == Need(2000 * 2, WORK)
    assert needed(model, 640, "none", "disk", gpu=False) == Need(2000 * 2 + WORK, 0)


@pytest.mark.parametrize(("quantize", "size"), [("8bit", 1.1), ("4bit", 0.6)])
def test_quantising_shrinks_all_but_the_autoencoder(model, quantize, size):
    assert needed(model, 640, quantize, "none", gpu=False).ram == pytest.approx(3000 * size + 200 + WORK)


def test_a_higher_resolution_needs_more(model):
    assert needed(model, 1024, "none", "none", gpu=False).ram == pytest.approx(6200 + WORK * (1024 / 640) ** 2)


def test_what_does_not_fit_is_refused_with_what_would_help():
    with pytest.raises(ModelUnavailableError) as fault:
        check_fits("big", Need(60 * GIB, 0), Room(8.25 * GIB, 0), "none", "none")
    assert str(fault.value) == (
        "The model 'big' needs about 60.0 GiB of memory and 8.2 GiB are free; try --quantize 8bit, --quantize 4bit, "
        "--offload disk or the embedded model (--fallback takes it by itself)."
    )
    with pytest.raises(ModelUnavailableError) as fault:
        check_fits("big", Need(1 * GIB, 30 * GIB), Room(8 * GIB, 24 * GIB), "8bit", "none")
    assert str(fault.value) == (
        "The model 'big' needs about 30.0 GiB of GPU memory and 24.0 GiB are free; try --quantize 4bit, --offload cpu, "
        "--offload disk or the embedded model (--fallback takes it by itself)."
    )
    with pytest.raises(ModelUnavailableError) as fault:
        check_fits("big", Need(9 * GIB, 0), Room(8 * GIB, 0), "4bit", "disk")
    assert str(fault.value) == (
        "The model 'big' needs about 9.0 GiB of memory and 8.0 GiB are free; try the embedded model (--fallback takes "
        "it by itself)."
    )


def test_what_fits_is_accepted():
    check_fits("small", Need(GIB, GIB), Room(GIB, GIB), "none", "none")


def test_a_model_without_weights_is_refused(model):
    for path in (model / "vae").glob("*.safetensors"):
        path.unlink()
    with pytest.raises(ModelUnavailableError) as fault:
        weights(model)
    assert str(fault.value) == (
        f"{model / 'vae'} holds no safetensors file; get the whole model again with celwright models pull or import."
    )


def test_a_damaged_header_is_refused(model):
    path = model / "vae/model-0.safetensors"
    path.write_bytes(b"\x05\0\0\0\0\0\0\0nonsense")
    with pytest.raises(ModelUnavailableError) as fault:
        weights(model)
    assert str(fault.value) == (f"{path} is damaged (Expecting value: line 1 column 1 (char 0)); get the model again.")
