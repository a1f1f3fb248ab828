"""What the daemon tells about itself: status, models, health, reflection."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import grpc
import pytest
from celwright.domain import MAX_PIXELS, MAX_SIDE, Finished, Pixels, SegmentRequest
from celwright.errors import ModelUnavailableError
from celwright.rpc.generated import celwright_pb2 as pb
from celwright.rpc.generated import celwright_pb2_grpc as pb_grpc
from daemon_under_test import Daemon, Echo, Gated, StartDaemon
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

Noise = Callable[..., Pixels]


def stub(daemon: Daemon) -> Any:
    return pb_grpc.CelwrightStub(daemon.client()._channel)


def test_status_tells_what_this_daemon_can_and_does(start_daemon: StartDaemon, noise: Noise) -> None:
    gated = Gated()
    daemon = start_daemon(gated, queue_limit=3, cache_bytes=1 << 20, idle_seconds=60, upload_bytes=1 << 25)
    client = daemon.client()
    fresh = client.status()
    assert (fresh.version, fresh.api_version, fresh.device) == ("9.8.7", 5, "cpu")
    assert fresh.capabilities == ("segment", "colorize.hints")
    assert (fresh.loaded, fresh.running, fresh.waiting, fresh.queue_limit) == ((), 0, 0, 3)
    assert (fresh.cached_bytes, fresh.cache_limit, fresh.upload_limit) == (0, 1 << 20, 1 << 25)
    assert (fresh.max_side, fresh.max_pixels, fresh.idle_seconds) == (MAX_SIDE, MAX_PIXELS, 60)
    assert fresh.torch_loaded is False
    assert 0 <= fresh.uptime_seconds < 3600
    assert fresh.memory_bytes is None or fresh.memory_bytes > 1 << 20
    first, second = (client.run(SegmentRequest(noise())) for _ in range(2))
    gated.gate.release()
    next(first)
    next(second)
    busy = client.status()
    assert (busy.loaded, busy.running, busy.waiting) == (("segment",), 1, 1)
    assert busy.cached_bytes == noise().data.nbytes
    gated.gate.release(100)
    assert isinstance(list(first)[-1], Finished)
    assert isinstance(list(second)[-1], Finished)


class Shelf:
    """Two models; the registry's seam."""

    def __init__(self) -> None:
        self.names = ["embedded", "large"]

    def listed(self) -> Sequence[Mapping[str, Any]]:
        return [{"name": name, "tasks": ["decompose"], "bytes": 7, "installed": True} for name in self.names]

    def pull(self, name: str) -> Iterator[tuple[int, int]]:
        if name not in self.names:
            raise ModelUnavailableError(f"There is no model {name!r}.")
        yield from ((3, 7), (7, 7))

    def remove(self, name: str) -> None:
        self.names.remove(name)


def test_models_are_listed_pulled_and_removed(start_daemon: StartDaemon) -> None:
    models = stub(start_daemon(Echo(), facts={"models": Shelf()}))
    listed = models.ListModels(pb.ListModelsRequest()).models
    assert [(model.name, list(model.tasks), model.bytes) for model in listed] == [
        ("embedded", ["decompose"], 7),
        ("large", ["decompose"], 7),
    ]
    steps = list(models.PullModel(pb.PullModelRequest(name="large")))
    assert [(step.bytes_done, step.bytes_total) for step in steps] == [(3, 7), (7, 7)]
    models.RemoveModel(pb.RemoveModelRequest(name="large"))
    assert [model.name for model in models.ListModels(pb.ListModelsRequest()).models] == ["embedded"]
    with pytest.raises(grpc.RpcError) as refused:
        list(models.PullModel(pb.PullModelRequest(name="none")))
    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert refused.value.details() == "There is no model 'none'."


def test_a_daemon_without_models_to_manage_says_so(start_daemon: StartDaemon) -> None:
    models = stub(start_daemon(Echo()))
    for call in (
        lambda: models.ListModels(pb.ListModelsRequest()),
        lambda: list(models.PullModel(pb.PullModelRequest())),
        lambda: models.RemoveModel(pb.RemoveModelRequest()),
    ):
        with pytest.raises(grpc.RpcError) as refused:
            call()
        assert refused.value.details() == "This daemon manages no models; its capabilities do not name 'models'."


def test_standard_health_answers(start_daemon: StartDaemon) -> None:
    health = health_pb2_grpc.HealthStub(start_daemon(Echo()).client()._channel)
    for service in ("", "celwright.v1.Celwright"):
        answer = health.Check(health_pb2.HealthCheckRequest(service=service))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_standard_reflection_shows_every_method(start_daemon: StartDaemon) -> None:
    database = ProtoReflectionDescriptorDatabase(start_daemon(Echo()).client()._channel)
    assert "celwright.v1.Celwright" in database.get_services()
    shown = DescriptorPool(database).FindServiceByName("celwright.v1.Celwright")
    ours = pb.DESCRIPTOR.services_by_name["Celwright"]
    assert [method.name for method in shown.methods] == [method.name for method in ours.methods]
