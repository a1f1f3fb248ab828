import hashlib
import re

import pytest
from celwright.errors import ModelUnavailableError
from celwright.weights.registry import EMBEDDED, EMBEDDED_DIR, EmbeddedModel, find, verified_path


def model(content: bytes) -> EmbeddedModel:
    return EmbeddedModel("decompose", "small", "tiny", "small.safetensors", hashlib.sha256(content).hexdigest())


def test_undamaged_weights_are_found(tmp_path):
    (tmp_path / "small.safetensors").write_bytes(b"weights")
    assert verified_path(model(b"weights"), tmp_path) == tmp_path / "small.safetensors"


def test_damaged_weights_are_refused(tmp_path):
    path = tmp_path / "small.safetensors"
    path.write_bytes(b"weighty")
    got, wanted = (hashlib.sha256(content).hexdigest()[:12] for content in (b"weighty", b"weights"))
    sentence = f"The weights {path} are damaged (SHA-256 {got}… instead of {wanted}…): install the package again."
    with pytest.raises(ModelUnavailableError, match=f"^{re.escape(sentence)}$"):
        verified_path(model(b"weights"), tmp_path)


def test_missing_weights_are_refused(tmp_path):
    sentence = (
        f"The weights {tmp_path / 'small.safetensors'} cannot be read (No such file or directory); "
        f"they come with the package: install it again."
    )
    with pytest.raises(ModelUnavailableError, match=f"^{re.escape(sentence)}$"):
        verified_path(model(b"weights"), tmp_path)


def test_an_unknown_model_is_refused_with_the_known_ones():
    sentence = "The model 'huge' is not installed; 'embedded' can decompose: choose one of them."
    with pytest.raises(ModelUnavailableError, match=f"^{re.escape(sentence)}$"):
        find("decompose", "huge")


@pytest.mark.parametrize("embedded", EMBEDDED, ids=lambda m: m.file)
def test_every_embedded_model_is_whole_has_a_card_and_fits(embedded):
    path = verified_path(embedded)
    assert path.stat().st_size <= 16 * 1024 * 1024
    card = (EMBEDDED_DIR / embedded.card).read_text(encoding="utf-8")
    assert embedded.sha256 in card
    assert all(heading in card for heading in ("## Data", "## Recipe", "## Figures", "## Limits", "Licence"))
