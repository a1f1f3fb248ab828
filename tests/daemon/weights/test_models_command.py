"""`celwright models` and the daemon's own calls, from the catalogue on disk to the sentence on the terminal."""

import json
import re
import time
from contextlib import suppress
from pathlib import Path

import grpc
import pytest
from celwright import installed
from celwright.cli import main
from celwright.engine import Engine
from celwright.rpc.generated import celwright_pb2 as pb
from celwright.rpc.generated import celwright_pb2_grpc as pb_grpc
from celwright.rpc.server import Server
from celwright.rpc.servicer import Facts
from celwright.settings import Settings
from misbehaving_server import cut


@pytest.fixture
def small(shelf, weights, monkeypatch):
    """A model in the catalogue of this process's user, and no other to fetch."""
    monkeypatch.setattr("celwright.settings.user_folder", lambda: shelf.folder)
    monkeypatch.setattr("celwright.weights.store.SHIPPED", shelf.folder / "shipped.toml")
    for name in ("CELWRIGHT_MODELS", "CELWRIGHT_MIRROR", "CELWRIGHT_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    shelf.name_model("small", {"a.safetensors": weights})
    return shelf


@pytest.fixture
def said(capsys):
    """Run a command; its exit code, and what it printed."""

    def run(*arguments: object) -> tuple[int, str, str]:
        code = main(["models", *map(str, arguments)])
        return code, *capsys.readouterr()

    return run


def test_a_model_is_listed_pulled_verified_and_removed(small, said, weights):
    size = f"{len(weights) / 2**20:8.1f} MiB"
    row = f"decompose/small          {size}  CC0-1.0      "
    to_fetch = f"{row}not installed\n{'':<24} small; takes about 1 GiB of memory\n"
    assert said("list")[1].endswith(to_fetch)
    assert said("pull", "small") == (
        0,
        f"{small.store.folder / 'small'}\n",
        "small 0% of 0.0 MiB\nsmall 100% of 0.0 MiB\n",
    )
    assert said("list")[1].endswith(f"{row}ok\n")
    assert said("verify", "small") == (0, f"{row}ok\n", "")
    assert said("remove", "small") == (0, "", "")
    assert said("list")[1].endswith(to_fetch)


def test_json_tells_the_same(small, said, weights):
    row = {"id": "decompose/small", "bytes": len(weights), "licence": "CC0-1.0", "state": "ok"}
    to_fetch = row | {"state": "not installed", "description": "small", "memory_gib": 1.0}
    assert json.loads(said("list", "--json")[1])[-1] == to_fetch
    said("pull", "small", "--quiet")
    assert json.loads(said("list", "--json")[1])[-1] == row
    code, out, err = said("verify", "small", "--json")
    assert (code, json.loads(out), err) == (0, [row], "")


def test_the_embedded_models_are_listed_and_verified(small, said):
    code, out, _ = said("verify", "embedded")
    assert code == 0
    assert re.match(r"decompose/embedded +\d+\.\d MiB  Apache-2\.0   ok\n", out)


def test_damage_is_told_and_sets_the_exit_code(small, said, weights):
    said("pull", "small", "--quiet")
    path = small.store.folder / "small/a.safetensors"
    path.write_bytes(bytes(len(weights)))
    assert said("list")[0] == 0
    code, out, _ = said("verify")
    assert code == 1
    assert re.search(
        rf"{re.escape(str(path))} is damaged \(SHA-256 [0-9a-f]{{64}} instead of [0-9a-f]{{64}}\)\.\n$", out
    )
    path.unlink()
    assert said("list")[0] == 1
    (small.store.folder / "small/celwright.json").write_text("{", encoding="utf-8")
    code, out, _ = said("list")
    assert code == 1
    assert "cannot be used (" in out


def test_faults_are_one_sentence(small, said, tmp_path):
    code, out, err = said("verify", "big")
    assert (code, out) == (2, "")
    assert err.startswith("celwright: The model 'big' is not installed; here are: decompose/embedded")
    assert said("remove", "embedded") == (
        2, "", "celwright: The model 'embedded' cannot be removed; models that come with Celwright stay with it.\n",
    )  # fmt: skip
    assert said("pull", "small", "--offline") == (
        1, "", "celwright: The model 'small' is not fetched, because Celwright is told to stay offline; leave out "
        "--offline and CELWRIGHT_OFFLINE, or use celwright models import.\n",
    )  # fmt: skip
    assert said("import", "mine", tmp_path / "none", "--task", "decompose", "--licence", "MIT") == (
        2, "", f"celwright: {tmp_path / 'none'} does not exist; check the name.\n",
    )  # fmt: skip


def test_files_are_imported(small, said, tmp_path, weights):
    (tmp_path / "b.safetensors").write_bytes(weights)
    code, out, _ = said("import", "mine", tmp_path / "b.safetensors", "--task", "colorize", "--licence", "MIT")
    assert (code, out) == (0, f"{small.store.folder / 'mine'}\n")
    assert "colorize/mine " in said("list")[1]


def test_removing_names_what_stays(small, said):
    said("pull", "small", "--quiet")
    notes = small.store.folder / "small/notes.txt"
    notes.write_text("mine", encoding="utf-8")
    assert said("remove", "small") == (0, "", f"celwright: {notes} stays; Celwright did not put it there.\n")


def test_an_interrupted_pull_says_how_to_go_on(small, said, monkeypatch):
    def interrupted(*_):
        yield from ()
        raise KeyboardInterrupt

    monkeypatch.setattr("celwright.weights.intake.fetch", interrupted)
    assert said("pull", "small") == (
        130, "", "celwright: Cancelled; 'celwright models pull small' goes on from here, 'celwright models remove "
        "small' deletes what has come.\n",
    )  # fmt: skip


def test_every_action_explains_itself(capsys):
    for action in ("list", "pull", "verify", "import", "remove"):
        with pytest.raises(SystemExit) as ending:
            main(["models", action, "--help"])
        assert ending.value.code == 0
        assert capsys.readouterr().out.startswith(f"usage: celwright models {action}")


@pytest.fixture
def daemon(small, tmp_path_factory):
    """A stub of a daemon that manages this user's models."""
    # A socket's path is limited to some hundred bytes; a loopback port with its token is as good here.
    settings = Settings(host="127.0.0.1", port=0, token_file=tmp_path_factory.mktemp("own") / "token")
    facts = Facts("1", 8, 300.0, 1 << 20, lambda: ["models"], lambda: "cpu", lambda: False, installed.Models())
    server = Server(settings, Engine({}, queue_limit=1), facts)
    server.start()
    with grpc.insecure_channel(server.address, options=(("grpc.enable_http_proxy", 0),)) as channel:
        stub = pb_grpc.CelwrightStub(channel)
        metadata = (("authorization", f"Bearer {server.token}"),)
        yield lambda method, message: getattr(stub, method)(message, metadata=metadata)
    server.stop()


def listed(daemon) -> dict[str, pb.Model]:
    return {model.name: model for model in daemon("ListModels", pb.ListModelsRequest()).models}


def test_the_daemon_lists_pulls_with_progress_and_removes(small, daemon, weights):
    before = listed(daemon)["small"]
    assert (before.installed, before.embedded, before.bytes, before.license) == (False, False, len(weights), "CC0-1.0")
    assert before.sha256 == small.store.available()["small"].files[0].sha256
    steps = list(daemon("PullModel", pb.PullModelRequest(name="small")))
    assert {step.bytes_total for step in steps} == {len(weights)}
    assert [step.bytes_done for step in steps][:: len(steps) - 1] == [0, len(weights)]
    assert listed(daemon)["small"].installed
    daemon("RemoveModel", pb.RemoveModelRequest(name="small"))
    assert not listed(daemon)["small"].installed
    assert listed(daemon)["embedded"].embedded


def test_a_client_that_leaves_stops_its_pull_and_the_next_goes_on(small, daemon, weights):
    small.served("a.safetensors").plan.append(cut(500))
    call = daemon("PullModel", pb.PullModelRequest(name="small"))
    next(call)
    call.cancel()
    steps, patience = [], time.monotonic() + 30
    while not steps and time.monotonic() < patience:  # the lock is free once the daemon has noticed
        with suppress(grpc.RpcError):
            steps = list(daemon("PullModel", pb.PullModelRequest(name="small")))
    assert steps[-1].bytes_done == len(weights)
    assert small.store.faults("small") == []


def test_the_daemon_passes_the_sentence_on(small, daemon):
    with pytest.raises(grpc.RpcError) as refused:
        list(daemon("PullModel", pb.PullModelRequest(name="big")))
    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert refused.value.details() == (
        f"The model 'big' is not in the catalogue, which names 'small'; add it to {Path(small.catalog)}, or use "
        f"celwright models import."
    )
