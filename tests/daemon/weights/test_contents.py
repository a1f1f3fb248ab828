"""Files are what their endings say before anything opens them in earnest."""

import json
import pickle
import struct

import numpy as np
import pytest
from celwright.errors import UnusableInputError
from celwright.weights.contents import check_contents
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save


def header(tensors: object, data: bytes = b"") -> bytes:
    text = json.dumps(tensors).encode()
    return struct.pack("<Q", len(text)) + text + data


TENSOR = {"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}
GOOD = {
    "a.safetensors": save({"w": np.zeros(2, np.float32)}),
    "b.safetensors": header(TENSOR, bytes(8)),
    "a.json": b'{"sample_size": 64}',
    "a.txt": "Größe".encode(),
    "a.md": b"",
}
BAD_WEIGHTS = {
    "a pickle": pickle.dumps({"w": list(range(99))}),
    "nothing": b"",
    "an error page": b"<!DOCTYPE html><html>not found</html>",
    "a header longer than the file": struct.pack("<Q", 10**12) + b"{}",
    "a header that is not JSON": struct.pack("<Q", 4) + b"{{{{",
    "too little data": header(TENSOR, bytes(7)),
    "too much data": header(TENSOR, bytes(9)),
    "a shape that does not fit": header({"w": TENSOR["w"] | {"shape": [3]}}, bytes(8)),
    "an unknown type": header({"w": TENSOR["w"] | {"dtype": "PICKLE"}}, bytes(8)),
    "overlapping tensors": header(TENSOR | {"v": TENSOR["w"]}, bytes(8)),
    "a hole": header({"w": TENSOR["w"] | {"data_offsets": [8, 16]}}, bytes(16)),
}


@pytest.mark.parametrize("name", GOOD)
def test_sane_files_pass(tmp_path, name):
    (tmp_path / name).write_bytes(GOOD[name])
    check_contents(tmp_path / name)


@pytest.mark.parametrize("fault", BAD_WEIGHTS)
def test_weights_with_a_wrong_header_are_refused(tmp_path, fault):
    path = tmp_path / "a.safetensors"
    path.write_bytes(BAD_WEIGHTS[fault])
    with pytest.raises(UnusableInputError) as refusal:
        check_contents(path)
    sentence = str(refusal.value)
    assert sentence.startswith(f"{path} is not a safetensors file (")
    assert sentence.endswith("); it may be cut short or a pickle by another name: get the file again.")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.integers(0, len(GOOD["a.safetensors"]) - 1))
def test_weights_cut_anywhere_are_refused(tmp_path, length):
    path = tmp_path / "a.safetensors"
    path.write_bytes(GOOD["a.safetensors"][:length])
    with pytest.raises(UnusableInputError):
        check_contents(path)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.json", b"{", "JSON (Expecting property name enclosed in double quotes: line 1 column 2 (char 1))"),
        ("a.txt", b"\x80\x04", "UTF-8 text ('utf-8' codec can't decode byte 0x80 in position 0: invalid start byte)"),
    ],
)
def test_texts_that_are_none_are_refused(tmp_path, name, content, reason):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UnusableInputError) as refusal:
        check_contents(path)
    assert str(refusal.value) == f"{path} is not {reason}; get the file again."


def test_json_nested_without_end_is_refused(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b"[" * 200_000)
    with pytest.raises(UnusableInputError, match=r"is not JSON \(maximum recursion depth exceeded"):
        check_contents(path)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(UnusableInputError) as refusal:
        check_contents(tmp_path / "a.txt")
    assert (
        str(refusal.value) == f"{tmp_path / 'a.txt'} cannot be read (No such file or directory); check its permissions."
    )
