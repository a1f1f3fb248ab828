"""The product's own parts together: a job has the same outcome here and in the daemon."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import pytest
from celwright import installed, wiring
from celwright.domain import (
    ColorizeRequest,
    DecomposeRequest,
    Event,
    Finished,
    Guidance,
    Pixels,
    Reference,
    Request,
    SegmentRequest,
)
from celwright.errors import (
    AccessDeniedError,
    CelwrightError,
    DaemonUnreachableError,
    WrongUsageError,
)
from celwright.rpc.client import Client, DaemonStatus
from celwright.rpc.generated import celwright_pb2 as pb
from celwright.rpc.server import Server
from celwright.rpc.servicer import Facts
from celwright.settings import settings


def line_art() -> Pixels:
    """Two boxes, drawn in black on transparency."""
    ink = np.zeros((96, 128), np.uint8)
    for left in (8, 68):
        cv2.rectangle(ink, (left, 10), (left + 50, 84), 255, 2, cv2.LINE_AA)
    return Pixels(np.dstack([np.zeros((96, 128, 3), np.uint8), ink]))


def painting() -> Pixels:
    """The boxes, filled, on white."""
    line, canvas = line_art(), np.full((96, 128, 3), 255, np.uint8)
    canvas[12:84, 10:58], canvas[12:84, 70:118] = (200, 60, 40), (40, 90, 200)
    canvas[line.data[..., 3] > 127] = 0
    return Pixels(canvas)


def dots() -> Pixels:
    hints = np.zeros((96, 128, 4), np.uint8)
    hints[40:44, 30:34], hints[40:44, 90:94] = (200, 60, 40, 255), (40, 90, 200, 255)
    return Pixels(hints)


REQUESTS: dict[str, Request] = {
    "segment": SegmentRequest(line_art(), leaks=True),
    "colorize": ColorizeRequest(line_art(), hints=dots(), stages=True),
    "flatting": ColorizeRequest(line_art(), palette="flatting"),
    "decompose": DecomposeRequest(painting()),
}


@pytest.fixture
def daemon(folder: Path) -> Iterator[str]:
    """The address of a daemon with the product's own pipelines."""
    ours = settings({}, socket=folder / "d.sock")
    engine = wiring.build_engine(ours)
    facts = Facts("1", 8, 300.0, ours.upload_bytes, wiring.capabilities, lambda: "cpu", lambda: "torch" in sys.modules)
    server = Server(ours, engine, facts)
    server.start()
    yield server.address
    server.stop()


def outcome(events: Iterator[Event]) -> Any:
    """Images by name as bytes, and what does not differ from run to run; or class and sentence of the fault."""
    try:
        *_, end = events
    except CelwrightError as error:
        return type(error).__name__, str(error)
    assert isinstance(end, Finished)
    images = {name: (image.data.tobytes(), image.data.shape, image.offset) for name, image in end.images.items()}
    return images, end.report.regions, end.report.notices, end.report.recomposition, set(end.report.seconds)


@pytest.mark.parametrize("kind", REQUESTS)
def test_a_job_has_the_same_outcome_here_and_in_the_daemon(daemon: str, kind: str) -> None:
    assert outcome(wiring.run(REQUESTS[kind], daemon)) == outcome(wiring.run(REQUESTS[kind]))


@pytest.mark.skipif(not installed.weights_are_here("decompose"), reason="no embedded model here")
def test_wished_layers_have_the_same_outcome_here_and_in_the_daemon(daemon: str) -> None:
    picture = cast(DecomposeRequest, REQUESTS["decompose"]).picture
    request = DecomposeRequest(picture, flat_colors=3, shadow_tones=1, shadow_blend="normal")
    assert outcome(wiring.run(request, daemon)) == outcome(wiring.run(request))
    *_, end = wiring.run(request, daemon)
    assert isinstance(end, Finished)
    assert end.report.shadow_blend == "normal"


def test_a_daemon_that_knows_no_wishes_is_not_asked_for_them(daemon: str, monkeypatch: pytest.MonkeyPatch) -> None:
    able = wiring.capabilities()
    old = DaemonStatus(*[None] * 4, (), *[None] * 12)  # type: ignore[arg-type]
    monkeypatch.setattr(Client, "status", lambda self: old)
    picture = cast(DecomposeRequest, REQUESTS["decompose"]).picture
    plain = cast(ColorizeRequest, REQUESTS["colorize"])
    unknown = {
        "flat colours, shadows and highlights": DecomposeRequest(picture, flat_colors=3),
        "guidance": replace(plain, guidance=Guidance(hints=2)),
        "the direction of the light": replace(plain, light=0),
    }
    for wish, request in unknown.items():
        with pytest.raises(WrongUsageError) as refused:
            list(wiring.run(request, daemon))
        assert str(refused.value) == (
            f"The daemon at {daemon} knows nothing of {wish}; update and restart it, or leave --connect out."
        )
    if "decompose" in able:
        assert "composite" in outcome(wiring.run(DecomposeRequest(picture), daemon))[0]


def test_the_daemon_lists_only_what_it_can_do(daemon: str) -> None:
    listed = wiring.status(daemon)["capabilities"]
    assert {"segment", "colorize.hints", "colorize.flatting"} <= set(listed)
    drawn = cast(DecomposeRequest, REQUESTS["decompose"]).picture
    referred = replace(cast(ColorizeRequest, REQUESTS["colorize"]), hints=None, references=(Reference(drawn),))
    if "decompose" in listed:
        assert "composite" in outcome(wiring.run(REQUESTS["decompose"], daemon))[0]
    else:
        assert outcome(wiring.run(REQUESTS["decompose"], daemon))[0] == "ModelUnavailableError"
    if "colorize.references" in listed:
        assert "flat" in outcome(wiring.run(referred, daemon))[0]
    else:
        assert outcome(wiring.run(referred, daemon))[0] == "WrongUsageError"
    if "colorize.variations" in listed:
        assert (
            "2/flat" in outcome(wiring.run(replace(referred, references=(), palette="auto", variations=3), daemon))[0]
        )
    else:
        assert outcome(wiring.run(replace(referred, variations=3), daemon))[0] == "WrongUsageError"


def test_the_embedded_models_are_listed_and_stay(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELWRIGHT_MODELS", str(folder / "models"))
    models = installed.Models()
    listed = [model for row in models.listed() if (model := pb.Model(**row)).embedded]
    tasks = [("embedded", [task]) for task in ("decompose", "colorize", "complete")]
    assert [(model.name, list(model.tasks)) for model in listed] == tasks
    assert [model.installed for model in listed] == [installed.weights_are_here(task) for _, (task,) in tasks]
    with pytest.raises(WrongUsageError) as needless:
        list(models.pull("embedded"))
    assert str(needless.value) == "The model 'embedded' comes with Celwright; it is not fetched."
    with pytest.raises(WrongUsageError) as kept:
        models.remove("embedded")
    assert str(kept.value) == "The model 'embedded' cannot be removed; models that come with Celwright stay with it."


def test_status_holds_only_what_json_can(daemon: str) -> None:
    import json

    assert json.loads(json.dumps(wiring.status(daemon)))["version"] == "1"


def test_a_port_without_a_token_file_is_refused_before_the_call(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELWRIGHT_TOKEN_FILE", str(folder / "token"))
    with pytest.raises(AccessDeniedError, match=r"^No token can be read from "):
        wiring.status("127.0.0.1:9")


def test_auto_is_the_users_own_daemon(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELWRIGHT_SOCKET", str(folder / "mine.sock"))
    with pytest.raises(DaemonUnreachableError, match=r"^No daemon answers at unix:.*/mine\.sock,"):
        wiring.status("auto")
