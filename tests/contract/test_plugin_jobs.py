"""The plugin's client and the real server: everything that is asked arrives, everything that is told comes back."""

import dataclasses
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from celwright import domain as daemon_domain
from celwright import pixels as daemon_pixels
from celwright import settings as daemon_settings
from celwright.rpc import requests
from celwright.rpc.generated import celwright_pb2 as pb
from celwright.rpc.images import content_hash
from celwright.rpc.server import Server
from celwright_krita import domain, errors, pixels, settings
from celwright_krita.client import Client
from celwright_krita.pixels import Pixels
from celwright_krita.rpc import images
from daemon_under_test import Echo, Endless, Gated

PATIENCE = 30.0
Serve = Callable[..., Server]


def noise(width: int = 40, height: int = 24, channels: int = 4, depth: int = 8, **more: Any) -> Pixels:
    count = width * height * channels * depth // 8
    return Pixels(np.random.default_rng(width).bytes(count), width, height, channels, depth, **more)


def client_of(server: Server, token: str | None = None) -> Client:
    return Client(server.address, server.token if token is None else token)


def same(ours: Pixels, theirs: daemon_domain.Pixels) -> bool:
    layout = (ours.size, ours.channels, ours.depth, ours.offset, ours.icc)
    return bytes(ours.data) == theirs.data.tobytes() and layout == (
        (theirs.width, theirs.height),
        theirs.channels,
        theirs.depth,
        theirs.offset,
        theirs.icc,
    )


def test_every_field_of_a_decompose_request_arrives_and_the_blend_mode_comes_back(serve: Serve) -> None:
    echo = Echo()
    wishes = {
        "flat_colors": 12, "shadow_tones": 2, "shadow_tint": "region", "merge_highlight": True,
        "shadow_blend": "normal",
    }  # fmt: skip
    client = client_of(serve(echo))
    for asked in (domain.DecomposeRequest(noise(), model="other", **wishes), domain.DecomposeRequest(noise(), "exact")):  # type: ignore[arg-type]
        *_, end = client.job(asked)
        came = echo.requests[-1]
        assert isinstance(came, daemon_domain.DecomposeRequest)
        names = ("fidelity", *wishes)
        assert [getattr(came, name) for name in names] == [getattr(asked, name) for name in names]
        assert isinstance(end, domain.Finished)
        assert end.report.shadow_blend == asked.shadow_blend


def test_a_client_of_the_wire_before_wishes_gets_the_layers_as_they_are_found(serve: Serve) -> None:
    """What such a client sends: a header with nothing but options and fidelity."""
    old = pb.DecomposeHeader(options=pb.JobOptions(job_id="1"), fidelity=pb.FIDELITY_EXACT)
    assert old.SerializeToString() == b"\n\x03\n\x011\x10\x02"
    picture = daemon_domain.Pixels(np.full((8, 8, 3), 9, np.uint8))
    request = requests.request(pb.DecomposeHeader.FromString(old.SerializeToString()), {"picture": picture})
    assert isinstance(request, daemon_domain.DecomposeRequest)
    assert (request.fidelity, request.is_plain()) == ("exact", True)


def test_every_field_of_a_colorize_request_arrives(serve: Serve) -> None:
    echo = Echo()
    place = {"offset": (-7, 5), "icc": b"profile"}
    line_art, mask = noise(**place), noise(channels=1, **place)
    reference = domain.Reference(noise(16, 16, depth=16), noise(16, 16, 1), mask)
    request = domain.ColorizeRequest(
        line_art,
        hints=noise(**place),
        selection=mask,
        context=noise(channels=3, **place),
        lock=mask,
        references=(reference, domain.Reference(noise(8, 9))),
        palette=domain.Palette("skin", bytes(range(6))),
        histogram=(0.25, 0.75),
        unhinted="transparent",
        gap=3,
        shading=False,
        light=0,
        seed=2**32 - 1,
        variations=2,
        steps=5,
        stages=True,
        model="other",
    )
    list(client_of(serve(echo)).job(request))
    (came,) = echo.requests
    assert isinstance(came, daemon_domain.ColorizeRequest)
    for name in ("line_art", "hints", "selection", "context", "lock"):
        assert same(getattr(request, name), getattr(came, name))
    for ours, theirs in zip(request.references, came.references, strict=True):
        assert same(ours.image, theirs.image)
        for name in ("mask", "region"):
            assert getattr(ours, name) is getattr(theirs, name) or same(getattr(ours, name), getattr(theirs, name))
    assert isinstance(came.palette, daemon_domain.Palette)
    assert (came.palette.name, came.palette.colors.tolist()) == ("skin", [[0, 1, 2], [3, 4, 5]])
    assert came.histogram is not None
    assert came.histogram.tolist() == [0.25, 0.75]
    plain = ("unhinted", "gap", "shading", "light", "seed", "variations", "steps", "stages", "model")
    assert {name: getattr(came, name) for name in plain} == {name: getattr(request, name) for name in plain}


@pytest.mark.parametrize("palette", ["flatting", "auto", None])
def test_palettes_without_colours_and_defaults_arrive(serve: Serve, palette: str | None) -> None:
    echo = Echo()
    list(client_of(serve(echo)).job(domain.ColorizeRequest(noise(), palette=palette)))
    (came,) = echo.requests
    assert isinstance(came, daemon_domain.ColorizeRequest)
    assert (came.palette, came.model, came.histogram, came.hints) == (palette, "embedded", None, None)
    assert came.guidance == daemon_domain.Guidance()


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_picture_comes_back_as_it_went(serve: Serve, channels: int, depth: int) -> None:
    picture = noise(33, 21, channels, depth, offset=(-3, 70_000), icc=b"\0profile")
    server = serve(Echo())
    progress, preview, finished = client_of(server).job(domain.DecomposeRequest(picture, fidelity="exact"))
    assert progress == domain.Progress("echo", 0.5, 1.25)
    assert isinstance(preview, domain.Preview)
    assert preview.image.size == (8, 8)
    assert isinstance(finished, domain.Finished)
    assert finished.report == domain.Report(seconds={"echo": 0.5}, model="echo")
    assert finished.images.keys() == {"flat", "1/flat"}
    back = finished.images["1/flat"]
    layout = (back.size, back.channels, back.depth, back.offset, back.icc)
    assert (bytes(back.data), *layout) == (picture.data, (33, 21), channels, depth, (-3, 70_000), b"\0profile")


def test_a_big_picture_crosses_both_ways_on_tcp(serve: Serve) -> None:
    picture = noise(2048, 2053)
    job = client_of(serve(Echo(), host="127.0.0.1")).job(domain.DecomposeRequest(picture))
    finished = list(job)[-1]
    assert isinstance(finished, domain.Finished)
    assert finished.images["flat"].data == picture.data


def test_the_second_try_sends_no_pixels(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Pixels] = []
    chunk_messages = images.chunk_messages
    monkeypatch.setattr(images, "chunk_messages", lambda image: sent.append(image) or chunk_messages(image))
    client, picture, moved = client_of(serve(Echo())), noise(), noise(offset=(5, 5))
    for request in (picture, moved):
        finished = list(client.job(domain.DecomposeRequest(request)))[-1]
        assert isinstance(finished, domain.Finished)
        assert (finished.images["flat"].data, finished.images["flat"].offset) == (picture.data, request.offset)
    assert sent == [picture]


def test_a_picture_that_the_daemon_dropped_meanwhile_is_sent_in_full(serve: Serve) -> None:
    client = client_of(serve(Echo()))
    client.held = set  # type: ignore[method-assign,assignment]  # the daemon said that it has them all
    finished = list(client.job(domain.DecomposeRequest(noise())))[-1]
    assert isinstance(finished, domain.Finished)
    assert finished.images["flat"].data == noise().data


@pytest.mark.parametrize("token", ["", "wrong"])
def test_a_wrong_token_is_told(serve: Serve, token: str) -> None:
    server = serve(Echo(), host="127.0.0.1")
    for ask in (lambda client: client.status(), lambda client: list(client.job(domain.DecomposeRequest(noise())))):
        with pytest.raises(errors.AccessDeniedError) as told:
            ask(client_of(server, token))
        assert str(told.value) == (
            "The token is missing or not this daemon's; send the one in its token file as Bearer token."
        )


def test_the_plugin_finds_a_daemon_on_a_port_and_its_token(serve: Serve, folder: Path) -> None:
    server = serve(Echo(), host="127.0.0.1")
    host, _, port = server.address.rpartition(":")
    told = {"CELWRIGHT_HOST": host, "CELWRIGHT_PORT": port, "CELWRIGHT_TOKEN_FILE": str(folder / "own/token")}
    place = settings.daemon_place(told)
    assert place.address == server.address
    status = Client(place.address, place.token()).status()
    assert (status.version, status.capabilities, status.device) == ("9.8.7", ("segment",), "cpu")
    assert not Client(place.address, place.token()).cancel("no such job")


def test_cancelling_from_another_thread_ends_the_waiting_and_the_job(serve: Serve) -> None:
    gated = Gated()
    job = client_of(serve(gated)).job(domain.SegmentRequest(noise()))
    gated.gate.release()
    events = iter(job)
    assert next(events) == domain.Progress("step", 0.0)
    canceller = threading.Thread(target=job.cancel)
    canceller.start()
    with pytest.raises(errors.CancelledError) as told:
        list(events)
    canceller.join()
    assert str(told.value) == "The job was cancelled."
    gated.gate.release(3)
    assert gated.left.wait(PATIENCE)


def test_a_job_cancelled_before_it_began_sends_nothing(serve: Serve) -> None:
    echo = Echo()
    job = client_of(serve(echo)).job(domain.SegmentRequest(noise()))
    job.cancel()
    with pytest.raises(errors.CancelledError):
        list(job)
    assert echo.requests == []


def test_closing_the_iteration_ends_the_job(serve: Serve) -> None:
    endless = Endless()
    events = iter(client_of(serve(endless)).job(domain.SegmentRequest(noise(), gap=0)))
    assert next(events) == domain.Progress("step", 0.5)
    events.close()  # type: ignore[attr-defined]
    assert endless.left.wait(PATIENCE)


def test_a_full_queue_is_told(serve: Serve) -> None:
    gated = Gated()
    client = client_of(serve(gated, queue_limit=0))
    gated.gate.release()
    running = iter(client.job(domain.SegmentRequest(noise())))
    assert next(running) == domain.Progress("step", 0.0)
    with pytest.raises(errors.QueueFullError) as told:
        list(client.job(domain.SegmentRequest(noise())))
    assert str(told.value) == "0 jobs are waiting, as many as the daemon accepts; try again when one is done."
    gated.gate.release(3)
    assert isinstance(list(running)[-1], domain.Finished)


def test_a_refusal_of_the_daemon_comes_with_its_sentence(serve: Serve) -> None:
    client = client_of(serve(Echo()))
    with pytest.raises(errors.WrongUsageError) as told:
        list(client.job(domain.SegmentRequest(noise(), gap=999)))
    assert str(told.value) == "The gap is 999; 0 to 256 is allowed."
    with pytest.raises(errors.WrongUsageError) as told:
        client.models()
    assert str(told.value) == "This daemon manages no models; its capabilities do not name 'models'."


@pytest.mark.parametrize("name", ["DecomposeRequest", "SegmentRequest", "ColorizeRequest", "Report", "Leak"])
def test_both_sides_have_the_same_fields_and_defaults(name: str) -> None:
    def fields(module: Any) -> dict[str, Any]:
        return {field.name: field.default for field in dataclasses.fields(getattr(module, name))}

    ours, theirs = fields(domain), fields(daemon_domain)
    assert ours.keys() == theirs.keys() - {"guidance"}  # which the plugin leaves to the daemon
    empty = (None, (), "", "embedded")  # "" chooses the daemon's default
    assert not [key for key in ours if ours[key] != theirs[key] and not (ours[key] in empty and theirs[key] in empty)]


@pytest.mark.parametrize("name", ["MIN_SIDE", "MAX_SIDE", "MAX_PIXELS"])
def test_both_sides_have_the_same_limits(name: str) -> None:
    assert getattr(pixels, name) == getattr(daemon_pixels, name)


@pytest.mark.parametrize("depth", [8, 16])
def test_both_sides_hash_alike(depth: int) -> None:
    ours = noise(13, 11, 3, depth)
    theirs = np.frombuffer(ours.data, np.uint8 if depth == 8 else np.dtype("<u2")).reshape(11, 13, 3)
    assert ours.content_hash() == content_hash(theirs)


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"XDG_DATA_HOME": "/elsewhere"},
        {"CELWRIGHT_SOCKET": "/tmp/other.sock"},
        {"CELWRIGHT_SOCKET": "~/other.sock", "CELWRIGHT_TOKEN_FILE": "~/other token"},
        {"CELWRIGHT_HOST": "127.0.0.1"},
        {"CELWRIGHT_HOST": "::1", "CELWRIGHT_PORT": "7"},
    ],
)
@pytest.mark.skipif(os.name != "posix", reason="other variables elsewhere")
def test_both_sides_arrive_at_the_same_place(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_DATA_HOME", "CELWRIGHT_SOCKET", "CELWRIGHT_HOST", "CELWRIGHT_PORT", "CELWRIGHT_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    ours, theirs = settings.daemon_place(), daemon_settings.settings()
    assert (ours.address, ours.token_file) == (theirs.address, str(theirs.token_file))
