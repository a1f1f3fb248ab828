"""Puts the parts together that artists use; workshop.py does so for training and measuring. Nothing else knows every
part. Heavy imports stand inside the functions: loading this module loads nothing."""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

from celwright import installed
from celwright.domain import ColorizeRequest, DecomposeRequest, Event, Guidance, Pipeline, Request, SegmentRequest
from celwright.errors import ModelUnavailableError, WrongUsageError

if TYPE_CHECKING:
    from celwright.engine import Engine
    from celwright.pipelines.colorize.matched import MatchedProposer
    from celwright.pipelines.colorize.reference_view import Look
    from celwright.pipelines.colorize.sampled import SampledProposer
    from celwright.pipelines.line_completion import Complete
    from celwright.pipelines.network import Predictor
    from celwright.rpc.client import Client
    from celwright.settings import Settings

_Built = TypeVar("_Built")


def pipelines(
    device: str = "auto", full_size: Mapping[str, Any] | None = None
) -> Mapping[type, Callable[[], Pipeline[Any]]]:
    """What serves each kind of request, to be built on first use. ``full_size``: fields of
    pipelines/decompose/layered_loading.py's LayeredOptions, or of pipelines/colorize/sd15/loading.py's Sd15Options."""

    def decompose() -> Pipeline[Any]:
        from celwright.pipelines.decompose.decomposers import DecomposeByModel, located
        from celwright.pipelines.decompose.layered_loading import LayeredOptions
        from celwright.pipelines.decompose.pipeline import DecomposePipeline

        options = LayeredOptions(**{"device": device, **(full_size or {})})

        def full() -> Pipeline[Any]:
            from celwright.pipelines.decompose.layered import LayeredPipeline
            from celwright.pipelines.decompose.layered_loading import loaded

            return LayeredPipeline(lambda name: loaded(name, *located(installed.model_store(), name), options), options)

        embedded = DecomposePipeline(None if device == "auto" else lambda name: _predictor_on(device, name))
        return DecomposeByModel(embedded, full, fallback=options.fallback)

    def segment() -> Pipeline[Any]:
        from celwright.pipelines.segment import SegmentPipeline

        return SegmentPipeline()

    def colorize() -> Pipeline[Any]:
        from celwright.pipelines.colorize.pipeline import ColorizePipeline
        from celwright.pipelines.colorize.proposal import HintProposer
        from celwright.pipelines.colorize.proposers import ProposerByModel
        from celwright.pipelines.colorize.sd15.loading import Sd15Options

        on = None if device == "auto" else device
        options = Sd15Options(**{"device": device, **(full_size or {})})
        sees = installed.weights_are_here("decompose")

        def ours() -> Any:
            if installed.weights_are_here("colorize"):
                return sampled_proposer(on)
            return matched_proposer(on) if sees else HintProposer()

        def full() -> Any:
            from celwright.pipelines.colorize.sd15.proposer import full_size_proposer

            return full_size_proposer(installed.model_store(), options)

        chosen = ProposerByModel(ours, full, fallback=options.fallback)
        shade = (lambda: _predictor_on(on, "embedded")) if sees else None
        return ColorizePipeline(sampled=chosen, shade=shade, complete=line_completion(on))

    return {DecomposeRequest: decompose, SegmentRequest: segment, ColorizeRequest: colorize}


def sampled_proposer(device: str | None = None) -> "SampledProposer":
    from celwright.pipelines.colorize.region_network import region_network
    from celwright.pipelines.colorize.sampled import SampledProposer

    return SampledProposer(lambda name: region_network(name, device), lambda: reference_look(device))


def matched_proposer(device: str | None = None) -> "MatchedProposer":
    """References without a colour network: the decomposer finds their lines and flats, regions are matched."""
    from celwright.pipelines.colorize.matched import MatchedProposer

    return MatchedProposer(lambda: reference_look(device))


def line_completion(device: str | None = None) -> "Callable[[], Complete] | None":
    """Builds what completes worn lines; None where its weights are not."""
    if not installed.weights_are_here("complete"):
        return None

    def built() -> "Complete":
        from celwright.pipelines.line_completion import completer

        return _on(device, lambda: completer(device))

    return built


def reference_look(device: str | None = None) -> "Look":
    """What the decomposer sees in references."""
    from celwright.pipelines.colorize import reference_look
    from celwright.pipelines.network import predictor

    return reference_look.reference_look(predictor("embedded", device))


def colorizer() -> Pipeline[ColorizeRequest]:
    return pipelines()[ColorizeRequest]()


def capabilities() -> list[str]:
    """What a daemon of this installation can do; clients offer only that."""
    found = []
    if find_spec("celwright.pipelines.segment"):
        found += ["segment", "segment.leaks"]
    if find_spec("celwright.pipelines.decompose") and installed.weights_are_here("decompose"):
        found += ["decompose", "decompose.exact", "decompose.finish"]
    if find_spec("celwright.pipelines.colorize"):
        always = ("hints", "palette", "flatting", "selection", "context", "lock", "shading", "light")
        found += [f"colorize.{what}" for what in always]
        if installed.weights_are_here("decompose") or installed.weights_are_here("colorize"):
            found.append("colorize.references")
        if installed.weights_are_here("colorize"):
            found += [f"colorize.{what}" for what in ("auto", "variations", "histogram", "guidance")]
    if find_spec("celwright.psd"):
        found += ["write.psd", "write.openraster"]
    found.append("models")
    return found


def build_engine(settings: "Settings") -> "Engine":
    from celwright.engine import Engine

    return Engine(pipelines(settings.device), queue_limit=settings.queue_limit, idle_seconds=settings.idle_seconds)


def serve(settings: "Settings", owner_pid: int | None = None) -> int:
    """Run the daemon until SIGTERM or SIGINT, or until the process ``owner_pid`` has ended; one line, ``ready on
    ADDRESS``, tells on stdout that it listens."""
    import logging
    import signal

    from celwright import __version__
    from celwright.documents import write_document
    from celwright.owner import when_gone
    from celwright.rpc import server
    from celwright.rpc.servicer import Facts

    logging.getLogger("celwright").setLevel(logging.INFO)
    facts = Facts(
        version=__version__,
        queue_limit=settings.queue_limit,
        idle_seconds=settings.idle_seconds,
        upload_bytes=settings.upload_bytes,
        capabilities=capabilities,
        device=lambda: _device(settings),
        torch_loaded=lambda: "torch" in sys.modules,
        models=installed.Models(),
        documents=write_document,
    )

    def end_at_once() -> None:  # a second signal lets no job finish: nobody waits for it any more
        signals.put(signal.SIGTERM)
        signals.put(signal.SIGTERM)

    with server.end_signals() as signals:
        if owner_pid is not None:
            when_gone(owner_pid, end_at_once)
        server.serve(
            settings, build_engine(settings), facts, lambda address: print(f"ready on {address}", flush=True), signals
        )
    return 0


def run(request: Request, connect: str | None = None, full_size: Mapping[str, Any] | None = None) -> Iterator[Event]:
    """The events of ``request``, worked on here, or by the daemon at ``connect`` ("auto": this user's own).
    ``full_size``: how a full-size model is to run here."""
    if connect is None:
        yield from pipelines(full_size=full_size)[type(request)]().run(request)
        return
    if full_size:
        raise WrongUsageError(
            f"A daemon runs full-size models in its own way; leave {' and '.join(f'--{name}' for name in full_size)} "
            f"or --connect out."
        )
    with client(connect) as daemon:
        needed = _newer_than_some_daemons(request)
        if needed and needed[0] not in daemon.status().capabilities:
            raise WrongUsageError(
                f"The daemon at {connect} knows nothing of {needed[1]}; update and restart it, or leave --connect out."
            )
        yield from daemon.run(request)


def _newer_than_some_daemons(request: Request) -> tuple[str, str] | None:
    """The capability, and its name, without which an older daemon would leave a part undone without a word."""
    if isinstance(request, DecomposeRequest) and not request.is_plain():
        return "decompose.finish", "flat colours, shadows and highlights"
    if isinstance(request, ColorizeRequest) and request.guidance != Guidance():
        return "colorize.guidance", "guidance"
    if isinstance(request, ColorizeRequest) and request.light != ColorizeRequest.light:
        return "colorize.light", "the direction of the light"
    return None


def status(connect: str = "auto") -> dict[str, Any]:
    """What the daemon at ``connect`` tells about itself, as JSON can hold it."""
    with client(connect) as daemon:
        answer = asdict(daemon.status())
    return {name: list(value) if isinstance(value, tuple) else value for name, value in answer.items()}


def client(connect: str) -> "Client":
    """A client of the daemon at ``connect``; with the user's token where that is a port, over TLS where
    ``CELWRIGHT_TLS_CERT``, ``_KEY`` and ``_CLIENT_CA`` name this client's files."""
    from celwright.access_token import read_token
    from celwright.rpc.client import Client, TlsFiles
    from celwright.rpc.tls import read_file
    from celwright.settings import settings

    ours = settings()
    address = ours.address if connect == "auto" else connect
    if address.startswith("unix:"):
        return Client(address)
    tls = None
    if ours.tls_cert and ours.tls_key and ours.tls_client_ca:
        tls = TlsFiles(*(read_file(path) for path in (ours.tls_client_ca, ours.tls_cert, ours.tls_key)))
    return Client(address, read_token(ours.token_file), tls)


def _predictor_on(device: str | None, name: str) -> "Predictor":
    from celwright.pipelines.network import predictor

    return _on(device, lambda: predictor(name, device))


def _on(device: str | None, build: Callable[[], _Built]) -> _Built:
    try:
        return build()
    except (RuntimeError, AssertionError) as error:  # what torch raises for a device that is not there
        reason = str(error).partition("\n")[0].rstrip(".")
        raise ModelUnavailableError(
            f"The device {device!r} cannot be used here ({reason}); choose --device auto or cpu."
        ) from error


def _device(settings: "Settings") -> str:
    """What was asked for; what "auto" has become once a network was loaded. Loads nothing for the answer."""
    network = sys.modules.get("celwright.pipelines.network")
    return settings.device if network is None or settings.device != "auto" else str(network.best_device())


def device() -> str:
    """What the networks run on here, in words."""
    from celwright.pipelines.network import device_in_words

    return device_in_words()
