"""Models appear whole, are checked to the last byte, and go without taking anything of the user's along."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from celwright.errors import CelwrightError, ModelUnavailableError, OutputError, UnusableInputError, WrongUsageError
from celwright.weights.intake import Pace, Transfer, import_model, pull
from celwright.weights.store import Store, store
from celwright.weights.transport import Address
from huggingface_hub import constants
from misbehaving_server import cut, refuse


def refused(kind, work) -> str:
    with pytest.raises(CelwrightError) as refusal:
        list(work() or [])
    assert type(refusal.value) is kind
    return str(refusal.value)


@pytest.fixture
def small(shelf, weights):
    """A model of two files in the catalogue."""
    shelf.name_model("small", {"unet/a.safetensors": weights, "model_index.json": b"{}"})
    return shelf


def changed(shelf, **changes) -> Store:
    return Store(shelf.store.folder, (shelf.catalog,), pause=shelf.pauses.append, **changes)


def test_a_pulled_model_is_there_whole_and_intact(small, weights):
    steps = list(pull(small.store, "small"))
    assert steps[-1].done == steps[-1].total == len(weights) + 2
    assert {"small/unet/a.safetensors", "small/model_index.json", "small/celwright.json"} == set(small.files())
    assert small.store.installed() == ["small"]
    assert small.store.faults("small") == []
    assert small.store.path("decompose", "small") == small.store.folder / "small"
    assert small.store.manifest("small") == small.store.available()["small"]


def test_an_installed_model_is_not_fetched_again(small):
    list(pull(small.store, "small"))
    small.server.requests.clear()
    assert [step.seconds_left for step in pull(changed(small, offline=True), "small")] == [0]
    assert small.server.requests == []


def test_a_stopped_pull_goes_on_and_is_no_model_before_its_end(small, weights):
    small.served("unet/a.safetensors").plan.append(cut(500))
    steps = pull(changed(small, clock=iter(range(10**6)).__next__), "small")
    assert next(step.done for step in steps if step.done) == 500
    steps.close()
    assert small.store.installed() == []
    small.server.requests.clear()
    list(pull(small.store, "small"))
    assert small.server.ranges() == ["bytes=500-", None]
    assert small.store.faults("small") == []


def test_what_an_older_catalogue_left_behind_does_not_become_part_of_the_model(small):
    partial = small.store.incoming("small")
    (partial / "vae").mkdir(parents=True)
    (partial / "vae/old.safetensors").write_bytes(b"old")
    list(pull(small.store, "small"))
    assert small.store.faults("small") == []
    assert "small/vae/old.safetensors" not in small.files()


def test_another_version_is_not_mixed_with_the_installed_one(small, weights):
    list(pull(small.store, "small"))
    small.catalog.unlink()
    small.name_model("small", {"b.safetensors": weights})
    assert refused(WrongUsageError, lambda: pull(small.store, "small")) == (
        "Another version of the model 'small' is installed; remove it first (celwright models remove small)."
    )


def test_unknown_models_are_refused_with_the_known_ones(shelf, weights):
    sentence = (
        f"The model 'big' is not in the catalogue, which names {{}}; add it to {shelf.catalog}, or use celwright "
        f"models import."
    )
    assert refused(ModelUnavailableError, lambda: pull(shelf.store, "big")) == sentence.format("no model yet")
    shelf.name_model("small", {"a.safetensors": weights})
    shelf.name_model("other", {"a.safetensors": weights})
    assert refused(ModelUnavailableError, lambda: pull(shelf.store, "big")) == sentence.format("'other', 'small'")
    assert shelf.files() == {}


def test_offline_fetches_nothing(small):
    assert refused(ModelUnavailableError, lambda: pull(changed(small, offline=True), "small")) == (
        "The model 'small' is not fetched, because Celwright is told to stay offline; leave out --offline and "
        "CELWRIGHT_OFFLINE, or use celwright models import."
    )
    assert small.server.requests == []


def test_a_full_disk_is_noticed_before_the_first_byte(small):
    store = changed(small, free_bytes=lambda path: 3 << 20)
    assert refused(OutputError, lambda: pull(store, "small")) == (
        f"0.06 GiB are needed in {store.folder}, 0.00 GiB are free: free some, or choose another place with "
        f"CELWRIGHT_MODELS."
    )
    assert small.server.requests == []


def test_what_is_here_already_needs_no_room(small):
    partial = small.store.incoming("small")
    partial.mkdir(parents=True)
    (partial / "model_index.json").write_bytes(b"{}")
    wanted = []
    store = changed(small, free_bytes=lambda path: wanted.append(path) or 1 << 40)
    list(pull(store, "small"))
    assert small.server.ranges() == [None]
    assert wanted == [store.folder]


def test_a_mirror_stands_in_for_the_hub(shelf, weights, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "secret")
    shelf.name_model("small", {"unet/a.safetensors": weights}, hub=True)
    list(pull(changed(shelf, mirror=shelf.server.address), "small"))
    assert shelf.store.faults("small") == []
    ((path, headers),) = shelf.server.requests
    assert path == "/studio/small/resolve/abc/unet/a.safetensors"
    assert "Authorization" not in headers


def test_the_hubs_own_files_are_asked_for_with_the_users_token(shelf, weights, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "secret")
    monkeypatch.setattr("celwright.weights.intake.fetch", lambda address, *_: asked.append(address) or iter(()))
    monkeypatch.setattr("celwright.weights.intake.check_contents", lambda path: None)
    monkeypatch.setattr(Store, "install", lambda *_: None)
    asked: list[Address] = []
    shelf.name_model("small", {"unet/a.safetensors": weights}, hub=True)
    list(pull(shelf.store, "small"))
    assert asked == [Address(f"{constants.ENDPOINT}/studio/small/resolve/abc/unet/a.safetensors", "secret")]
    asked.clear()
    shelf.name_model("other", {"a.safetensors": weights})
    list(pull(shelf.store, "other"))
    assert [address.token for address in asked] == [""]


def test_a_mirror_may_have_a_folder_and_keeps_the_query(shelf, weights):
    digest = hashlib.sha256(weights).hexdigest()
    shelf.catalog.write_text(
        f'[[model]]\nid = "small"\ntask = "colorize"\nlicence = "CC0-1.0"\ndescription = "s"\nmemory_gib = 1\n'
        f'files = [{{path = "a.safetensors", size = {len(weights)}, sha256 = "{digest}", '
        f'url = "https://models.example/v1/a?x=1"}}]',
        encoding="utf-8",
    )
    shelf.server.offer("mirror/v1/a?x=1", weights)
    list(pull(changed(shelf, mirror=f"{shelf.server.address}/mirror/"), "small"))
    assert shelf.store.faults("small") == []


@pytest.mark.parametrize("mirror", ["mirror.example", "ftp://mirror.example", "https://", "https://m.example/?a=b"])
def test_a_mirror_that_is_none_is_refused(tmp_path, mirror):
    assert refused(WrongUsageError, lambda: store(tmp_path, {"CELWRIGHT_MIRROR": mirror})) == (
        f"CELWRIGHT_MIRROR is {mirror!r}; https://HOST or http://HOST is needed: correct or remove it."
    )


def test_the_environment_sets_place_mirror_and_offline(tmp_path):
    environment = {"CELWRIGHT_MODELS": "/big/disk", "CELWRIGHT_MIRROR": "http://m:81/x/", "CELWRIGHT_OFFLINE": "1"}
    told, plain = store(tmp_path, environment), store(tmp_path, {"CELWRIGHT_OFFLINE": "no"})
    assert (told.folder, told.mirror, told.offline) == (Path("/big/disk"), "http://m:81/x/", True)
    assert (plain.folder, plain.mirror, plain.offline) == (tmp_path / "models", "", False)
    assert store(tmp_path, {}, offline=True).offline
    assert refused(WrongUsageError, lambda: store(tmp_path, {"CELWRIGHT_OFFLINE": "maybe"})) == (
        "CELWRIGHT_OFFLINE is 'maybe'; 1 or 0 is needed: correct or remove it."
    )


def test_two_processes_do_not_fetch_the_same_model(small):
    hold = (
        "import sys\nfrom pathlib import Path\nfrom celwright.weights.store import Store\n"
        "with Store(Path(sys.argv[1])).locked('small'):\n    print('held', flush=True)\n    sys.stdin.readline()\n"
    )
    command = [sys.executable, "-c", hold, str(small.store.folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        for work in (lambda: pull(small.store, "small"), lambda: small.store.remove("small")):
            assert refused(ModelUnavailableError, work) == (
                "The model 'small' is being fetched, imported or removed by another process; wait until it is done."
            )
        other.communicate("\n")
    list(pull(small.store, "small"))
    assert small.store.faults("small") == []


def test_a_pickle_under_a_safetensors_name_is_refused_even_when_its_hash_is_right(shelf):
    shelf.name_model("evil", {"a.safetensors": b"\x80\x04]\x94."})
    sentence = refused(UnusableInputError, lambda: pull(shelf.store, "evil"))
    assert "a.safetensors is not a safetensors file (" in sentence
    assert shelf.files() == {}


def test_a_refusing_server_leaves_no_model(small):
    small.served("model_index.json").plan.append(refuse(404))
    sentence = refused(ModelUnavailableError, lambda: pull(small.store, "small"))
    assert sentence.startswith("The server answered 404 Not Found for ")
    assert small.store.installed() == []


def test_a_folder_of_somebody_elses_is_left_alone(small):
    (small.store.folder / "small").mkdir(parents=True)
    assert refused(WrongUsageError, lambda: pull(small.store, "small")) == (
        f"The folder {small.store.folder / 'small'} is there already and not Celwright's; move it elsewhere."
    )


def test_every_fault_of_an_installed_model_is_told(small, weights):
    list(pull(small.store, "small"))
    folder = small.store.folder / "small"
    damaged = bytes([*weights[:-1], weights[-1] ^ 1])
    (folder / "unet/a.safetensors").write_bytes(damaged)
    assert small.store.faults("small", hashes=False) == []
    came, wanted = (hashlib.sha256(content).hexdigest() for content in (damaged, weights))
    (folder / "model_index.json").unlink()
    (folder / "unet/a.bin").write_bytes(b"?")
    assert small.store.faults("small") == [
        f"{folder / 'unet/a.safetensors'} is damaged (SHA-256 {came} instead of {wanted}).",
        f"{folder / 'model_index.json'} is missing.",
        f"{folder / 'unet/a.bin'} was not put there by Celwright.",
    ]
    (folder / "model_index.json").write_bytes(b"{ }")
    assert small.store.faults("small")[1] == f"{folder / 'model_index.json'} has 3 bytes instead of 2."
    assert refused(ModelUnavailableError, lambda: small.store.path("decompose", "small")) == (
        f"{folder / 'model_index.json'} has 3 bytes instead of 2; remove the model 'small' and get it again."
    )


def test_a_model_serves_its_own_task_only(small):
    list(pull(small.store, "small"))
    assert refused(WrongUsageError, lambda: small.store.path("colorize", "small")) == (
        "The model 'small' can decompose, not colorize; choose another with --model."
    )
    assert refused(WrongUsageError, lambda: small.store.path("colorize", "big")) == (
        "The model 'big' is not installed; installed are: 'small'."
    )


def test_a_spoilt_manifest_is_said_and_nothing_deleted(small):
    list(pull(small.store, "small"))
    manifest = small.store.folder / "small/celwright.json"
    text = manifest.read_text(encoding="utf-8")
    for spoilt in ("{", "{}", text.replace('"small"', '"other"', 1), text.replace("unet/a.", "../../a.")):
        manifest.write_text(spoilt, encoding="utf-8")
        before = small.files()
        sentence = refused(ModelUnavailableError, lambda: small.store.remove("small"))
        assert sentence.startswith(f"The list of files {manifest} cannot be used (")
        assert sentence.endswith(f"); delete the folder {manifest.parent} and get the model again.")
        assert small.store.faults("small") == [sentence]
        assert small.files() == before


def test_removing_leaves_nothing(small):
    list(pull(small.store, "small"))
    assert small.store.remove("small") == []
    assert small.files() == {}
    assert not (small.store.folder / "small").exists()
    assert refused(WrongUsageError, lambda: small.store.remove("small")) == (
        "The model 'small' is not installed; installed are: none."
    )


def test_removing_leaves_what_others_put_there(small):
    list(pull(small.store, "small"))
    notes = small.store.folder / "small/unet/notes.txt"
    notes.write_text("mine", encoding="utf-8")
    assert small.store.remove("small") == [notes]
    assert small.files() == {"small/unet/notes.txt": b"mine"}


def test_removing_does_not_follow_links_out_of_the_folder(small, tmp_path):
    list(pull(small.store, "small"))
    mine = tmp_path / "mine"
    (small.store.folder / "small/unet").rename(mine)
    (small.store.folder / "small/unet").symlink_to(mine)
    small.store.remove("small")
    assert (mine / "a.safetensors").is_file()


def test_removing_takes_a_half_fetched_model_away(small):
    small.served("unet/a.safetensors").plan.extend([cut(500), *[refuse(503)] * 9])
    refused(ModelUnavailableError, lambda: pull(small.store, "small"))
    assert ".incoming/small/unet/a.safetensors" in small.files()
    assert small.store.remove("small") == []
    assert small.files() == {}


def test_names_cannot_lead_out_of_the_store(small):
    for name in ("../small", "..", "", "/", ".locks", "A"):
        assert refused(WrongUsageError, lambda name=name: small.store.remove(name)) == (
            f"{name!r} cannot name a model; up to 64 of a-z, 0-9, dot, dash and underscore are allowed, with a letter "
            f"or digit in front and behind."
        )


@pytest.fixture
def diffusers_folder(tmp_path, weights) -> Path:
    folder = tmp_path / "mine"
    (folder / "unet").mkdir(parents=True)
    (folder / ".git").mkdir()
    (folder / "unet/a.safetensors").write_bytes(weights)
    (folder / "model_index.json").write_text("{}", encoding="utf-8")
    (folder / ".gitattributes").write_text("*", encoding="utf-8")
    (folder / ".git/config").write_text("x", encoding="utf-8")
    return folder


def test_a_diffusers_folder_is_imported_without_its_hidden_files(shelf, diffusers_folder, weights):
    steps = list(import_model(shelf.store, "mine", [diffusers_folder], "colorize", "CC-BY-4.0"))
    assert (steps[-1].done, steps[-1].total) == (len(weights) + 2, len(weights) + 2)
    assert set(shelf.files()) == {"mine/celwright.json", "mine/model_index.json", "mine/unet/a.safetensors"}
    assert shelf.store.faults("mine") == []
    told = json.loads(shelf.files()["mine/celwright.json"])
    assert (told["task"], told["licence"]) == ("colorize", "CC-BY-4.0")
    assert (diffusers_folder / "unet/a.safetensors").read_bytes() == weights
    again = [shelf.store.folder / "mine"]  # as on another machine
    list(import_model(shelf.store, "copy", again, "colorize", "CC-BY-4.0"))
    assert shelf.store.faults("copy") == []


def test_single_files_are_imported(shelf, diffusers_folder):
    paths = [diffusers_folder / "unet/a.safetensors", diffusers_folder / "model_index.json"]
    list(import_model(shelf.store, "mine", paths, "decompose", "MIT"))
    assert set(shelf.files()) == {"mine/celwright.json", "mine/model_index.json", "mine/a.safetensors"}


def imported(shelf, *paths, name="mine"):
    return lambda: import_model(shelf.store, name, paths, "decompose", "MIT")


def test_imports_that_make_no_sense_are_refused_and_leave_nothing(shelf, diffusers_folder, tmp_path, weights):
    shelf.name_model("known", {"a.safetensors": weights})
    file = diffusers_folder / "unet/a.safetensors"
    cases = [
        (imported(shelf, tmp_path / "none"), f"{tmp_path / 'none'} does not exist; check the name."),
        (imported(shelf, diffusers_folder, file),
         f"{diffusers_folder} cannot be imported beside the others; name one folder, or files with different names."),
        (imported(shelf, file, file),
         f"{file} cannot be imported beside the others; name one folder, or files with different names."),
        (imported(shelf, diffusers_folder / "model_index.json"),
         "The model 'mine' has no .safetensors file; at least one is needed."),
        (imported(shelf, file, name="known"),
         "'known' names a model of the catalogue; choose another name for your own."),
        (imported(shelf, tmp_path / "none", name="My Model"),
         "'My Model' cannot name a model; up to 64 of a-z, 0-9, dot, dash and underscore are allowed, with a letter or "
         "digit in front and behind."),
        (imported(shelf, file, name="embedded"),
         "'embedded' names a model that comes with Celwright; choose another name."),
    ]  # fmt: skip
    for work, sentence in cases:
        assert refused(WrongUsageError, work) == sentence
    assert shelf.files() == {}
    list(imported(shelf, file)())
    assert refused(WrongUsageError, imported(shelf, file)) == (
        "A model 'mine' is installed already; remove it first, or choose another name."
    )


def test_a_pickle_anywhere_in_a_folder_is_refused(shelf, diffusers_folder):
    (diffusers_folder / "unet/a.bin").write_bytes(b"\x80\x04")
    assert refused(UnusableInputError, imported(shelf, diffusers_folder)) == (
        "unet/a.bin may be a pickle, which can run programs when it is opened; only .safetensors weights are allowed: "
        "get or convert the model in that format."
    )
    assert shelf.files() == {}


def test_an_import_that_is_stopped_leaves_nothing(shelf, diffusers_folder):
    steps = imported(shelf, diffusers_folder)()
    next(steps)
    steps.close()
    assert shelf.files() == {}


def test_the_pace_is_that_of_the_last_seconds():
    ticks = iter([0, 1, 1.05, 2, 30, 31])
    pace = Pace(1000, lambda: float(next(ticks)))
    told = [list(pace.transfer(done)) for done in (0, 100, 105, 300, 300, 200)]
    assert told == [
        [Transfer(0, 1000)],
        [Transfer(100, 1000, 100.0, 9.0)],
        [],
        [Transfer(300, 1000, 150.0, 700 / 150)],
        [Transfer(300, 1000)],
        [Transfer(200, 1000)],
    ]
