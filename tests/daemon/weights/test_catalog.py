"""A catalogue says all that is needed, or is refused with the place and the remedy."""

import re
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from celwright.errors import CelwrightError, UnusableInputError, WrongUsageError
from celwright.weights.catalog import SHIPPED, catalog, check_path, entry
from hypothesis import given
from hypothesis import strategies as st

FILE = {"path": "a.safetensors", "size": 9, "sha256": "0" * 64, "url": "https://models.example/a.safetensors"}
MODEL = {
    "id": "big", "task": "decompose", "licence": "Apache-2.0", "description": "big", "memory_gib": 24.5,
    "files": [FILE],
}  # fmt: skip
TOML = """
[[model]]
id = "{id}"
task = "decompose"
licence = "CC0-1.0"
description = "{text}"
memory_gib = 8
repo = "owner/name"
revision = "abc"
[[model.files]]
path = "unet/a.safetensors"
size = 12
sha256 = "{digest}"
"""


def toml(name="big", text="big", digest="0" * 64) -> str:
    return TOML.format(id=name, text=text, digest=digest)


def test_the_shipped_catalogue_can_be_read_and_every_entry_is_complete():
    assert SHIPPED.is_file()
    for model in catalog([SHIPPED]).values():
        assert model.size > 0


def test_the_users_entries_join_and_win(tmp_path):
    (tmp_path / "ours.toml").write_text(toml("a") + toml("b"), encoding="utf-8")
    (tmp_path / "users.toml").write_text(toml("b", "other") + toml("c"), encoding="utf-8")
    models = catalog([tmp_path / "ours.toml", tmp_path / "users.toml", tmp_path / "none.toml"])
    assert {name: model.description for name, model in models.items()} == {"a": "big", "b": "other", "c": "big"}
    assert (models["a"].size, models["a"].memory_gib, models["a"].repo) == (12, 8.0, "owner/name")


WRONG = [
    ({"id": "Big Model"}, "'Big Model' cannot name a model; up to 64 of a-z, 0-9, dot, dash and underscore are "
     "allowed, with a letter or digit in front and behind."),
    ({"id": "nul"}, "'nul' cannot name a model; up to 64 of a-z, 0-9, dot, dash and underscore are allowed, "
     "with a letter or digit in front and behind."),
    ({"id": "embedded"}, "'embedded' names a model that comes with Celwright; choose another name."),
    ({"task": "paint"}, "The task 'paint' is not known; 'decompose' or 'colorize' is allowed."),
    ({"licence": " "}, "The model 'big' names no licence; find it out before using the model."),
    ({"licence": 3}, "'licence' is 3; text is needed."),
    ({"memory_gib": True}, "'memory_gib' is True; a number is needed."),
    ({"memory_gib": None}, "The model 'big' needs a description and memory_gib."),
    ({"description": ""}, "The model 'big' needs a description and memory_gib."),
    ({"repo": "name", "revision": "1"}, "The repo of 'big' is 'name'; OWNER/NAME is needed."),
    ({"repo": "owner/name"}, "The model 'big' needs both repo and revision, or neither."),
    ({"licens": "x"}, "'licens' is not known in a model; description, files, id, licence, memory_gib, repo, revision, "
     "task are."),
    ({"files": []}, "The model 'big' has no .safetensors file; at least one is needed."),
    ({"files": [3]}, "A file is given as 3; a table is needed."),
    ({"files": [FILE, FILE]}, "The model 'big' has two files 'a.safetensors', or one that is kept for Celwright."),
    ({"files": [FILE, {**FILE, "path": "A.safetensors"}]},
     "The model 'big' has two files 'A.safetensors', or one that is kept for Celwright."),
    ({"files": [FILE, {**FILE, "path": "celwright.json"}]},
     "The model 'big' has two files 'celwright.json', or one that is kept for Celwright."),
    ({"files": [{**FILE, "size": 0}]}, "The size of 'a.safetensors' is 0; at least 1 byte is needed."),
    ({"files": [{**FILE, "size": "9"}]}, "'size' is '9'; a whole number is needed."),
    ({"files": [{**FILE, "sha256": "ab"}]},
     "The sha256 of 'a.safetensors' is 'ab'; 64 hexadecimal digits in lower case are needed."),
    ({"files": [{key: FILE[key] for key in ("path", "size", "url")}]}, "'sha256' is missing; text is needed."),
    ({"files": [{key: FILE[key] for key in ("path", "size", "sha256")}]},
     "Nothing tells where 'a.safetensors' of 'big' lies; name its url, or repo and revision."),
    ({"files": [{**FILE, "url": "http://models.example/a"}]},
     "The url 'http://models.example/a' is not allowed; https://HOST/… in plain ASCII is needed."),
    ({"files": [{**FILE, "url": "file:///etc/hostname"}]},
     "The url 'file:///etc/hostname' is not allowed; https://HOST/… in plain ASCII is needed."),
    ({"files": [{**FILE, "url": "https://models.example/a b"}]},
     "The url 'https://models.example/a b' is not allowed; https://HOST/… in plain ASCII is needed."),
    ({"files": [{**FILE, "path": "unet/a.ckpt"}]},
     "unet/a.ckpt may be a pickle, which can run programs when it is opened; only .safetensors weights are allowed: "
     "get or convert the model in that format."),
]  # fmt: skip


@pytest.mark.parametrize(("change", "sentence"), WRONG, ids=[sentence[:50] for _, sentence in WRONG])
def test_a_wrong_entry_is_refused(change, sentence):
    from celwright.weights import catalog as module

    table = {key: value for key, value in (MODEL | change).items() if value is not None}
    with pytest.raises(CelwrightError) as refusal:
        module._fetchable(entry(table))
    assert str(refusal.value) == sentence


def test_the_entry_itself_is_right():
    assert entry(MODEL).size == 9


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (toml(digest="xyz"),
         "The sha256 of 'unet/a.safetensors' is 'xyz'; 64 hexadecimal digits in lower case are needed."),
        ("[[models]]", "'models' is not known in a catalogue; model are."),
        ("model = 3", "'model' is 3; a list of tables is needed."),
        ("model = [3]", "A model is given as 3; a table is needed."),
        ("model = ", "Invalid value (at end of document)"),
    ],
)  # fmt: skip
def test_a_catalogue_that_cannot_be_used_is_named_with_the_reason(tmp_path, text, reason):
    path = tmp_path / "catalog.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UnusableInputError) as refusal:
        catalog([path])
    assert str(refusal.value) == f"The catalogue {path} cannot be used: {reason}"


@pytest.mark.parametrize("ending", ["bin", "pt", "pth", "ckpt", "pkl", "pickle", "BIN"])
def test_pickles_are_refused(ending):
    sentence = (
        f"unet/a.{ending} may be a pickle, which can run programs when it is opened; only .safetensors weights are "
        f"allowed: get or convert the model in that format."
    )
    with pytest.raises(UnusableInputError, match=f"^{re.escape(sentence)}$"):
        check_path(f"unet/a.{ending}")


@pytest.mark.parametrize("path", ["run.py", "unet/a.SAFETENSORS", "picture.png", "safetensors"])
def test_other_kinds_of_files_are_refused(path):
    sentence = f"{path} does not belong in a model; .safetensors, .json, .txt, .md files are allowed."
    with pytest.raises(UnusableInputError, match=f"^{re.escape(sentence)}$"):
        check_path(path)


BAD_PATHS = ["", "/a.txt", "../a.txt", "a/../b.txt", "a//b.txt", "./a.txt", ".a.txt", "a\\b.txt", "c:a.txt", "con.txt",
             "a/nul.json", "a\n.txt", "a./b.txt", "x" * 200 + ".txt"]  # fmt: skip


@pytest.mark.parametrize("path", BAD_PATHS)
def test_names_that_leave_the_folder_or_break_a_system_are_refused(path):
    sentence = (
        f"The file name {path!r} is not allowed in a model; use letters, digits and . _ + ( ) - with slashes between "
        f"folders."
    )
    with pytest.raises(WrongUsageError, match=f"^{re.escape(sentence)}$"):
        check_path(path)


@given(st.text(alphabet="abc./\\: ~-_Aé\0\n", max_size=12).map(lambda text: text + ".json"))
def test_no_allowed_name_leaves_its_folder(path):
    try:
        check_path(path)
    except WrongUsageError:
        return
    for kind in (PurePosixPath, PureWindowsPath):
        parts = kind(path).parts
        assert not kind(path).is_absolute()
        assert not kind(path).drive
        assert ".." not in parts
        assert len(parts) == path.count("/") + 1
