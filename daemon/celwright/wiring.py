"""The only place that knows every part. Heavy imports stand inside the functions: loading this module loads nothing."""

import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from celwright.domain import ColorizeRequest, DecomposeRequest, Event, Pipeline, Request, SegmentRequest
from celwright.errors import ModelUnavailableError, WrongUsageError

if TYPE_CHECKING:
    from celwright.engine import Engine
    from celwright.pipelines.network import Predictor
    from celwright.rpc.client import Client
    from celwright.settings import Settings
    from celwright.weights.store import Store


def pipelines(device: str = "auto") -> Mapping[type, Callable[[], Pipeline[Any]]]:
    """What serves each kind of request, to be built on first use."""

    def decompose() -> Pipeline[Any]:
        from celwright.pipelines.decompose import DecomposePipeline

        return DecomposePipeline(None if device == "auto" else lambda name: _predictor_on(device, name))

    def segment() -> Pipeline[Any]:
        from celwright.pipelines.segment import SegmentPipeline

        return SegmentPipeline()

    def colorize() -> Pipeline[Any]:
        from celwright.pipelines.colorize import ColorizePipeline

        if not weights_are_here("colorize"):
            return ColorizePipeline()
        from celwright.pipelines.color_networks import color_networks
        from celwright.pipelines.network import predictor
        from celwright.pipelines.sampled import SampledProposer

        on = None if device == "auto" else device
        sampled = SampledProposer(lambda name: color_networks(name, on))
        return ColorizePipeline(sampled=sampled, shade=lambda: predictor("embedded", on))

    return {DecomposeRequest: decompose, SegmentRequest: segment, ColorizeRequest: colorize}


def capabilities() -> list[str]:
    """What a daemon of this installation can do; clients offer only that."""
    found = []
    if find_spec("celwright.pipelines.segment"):
        found += ["segment", "segment.leaks"]
    if find_spec("celwright.pipelines.decompose") and weights_are_here("decompose"):
        found += ["decompose", "decompose.exact"]
    if find_spec("celwright.pipelines.colorize"):
        found += [f"colorize.{what}" for what in ("hints", "palette", "flatting", "selection", "context", "lock")]
        if weights_are_here("colorize"):
            found += [f"colorize.{what}" for what in ("references", "auto", "variations", "histogram", "shading")]
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
        models=Models(),
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


def run(request: Request, connect: str | None = None) -> Iterator[Event]:
    """The events of ``request``, worked on here, or by the daemon at ``connect`` ("auto": this user's own)."""
    if connect is None:
        yield from pipelines()[type(request)]().run(request)
        return
    with client(connect) as daemon:
        yield from daemon.run(request)


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


def _predictor_on(device: str, name: str) -> "Predictor":
    from celwright.pipelines.network import predictor

    try:
        return predictor(name, device)
    except (RuntimeError, AssertionError) as error:  # what torch raises for a device that is not there
        reason = str(error).partition("\n")[0].rstrip(".")
        raise ModelUnavailableError(
            f"The device {device!r} cannot be used here ({reason}); choose --device auto or cpu."
        ) from error


def _device(settings: "Settings") -> str:
    """What was asked for; what "auto" has become once a network was loaded. Loads nothing for the answer."""
    network = sys.modules.get("celwright.pipelines.network")
    return settings.device if network is None or settings.device != "auto" else str(network.best_device())


def weights_are_here(task: str) -> bool:
    """Whether an embedded model for ``task`` lies where it belongs; its bytes are checked when it is loaded."""
    from celwright.weights import registry

    return any(model.task == task and (registry.EMBEDDED_DIR / model.file).is_file() for model in registry.EMBEDDED)


class Models:
    """Every model, here or to be fetched, as the daemon shows and manages them."""

    def listed(self) -> Sequence[Mapping[str, Any]]:
        from celwright.weights.inventory import described

        return described(model_store())

    def pull(self, name: str) -> Iterator[tuple[int, int]]:
        from celwright.weights.intake import pull

        for step in pull(model_store(), name):
            yield step.done, step.total

    def remove(self, name: str) -> None:
        model_store().remove(name)


def model_store(*, offline: bool = False) -> "Store":
    """The user's models; where they lie and how they are fetched is told by ``CELWRIGHT_*`` variables."""
    from celwright.settings import user_folder
    from celwright.weights.store import store

    return store(user_folder(), offline=offline)


def evaluate(
    task: str, directory: Path | None, peer_labels: Path | None = None, scenes: int = 48
) -> tuple[list[Any], str]:
    """The figures of ``regions``, ``decompose`` or ``colorize`` on a folder of layered pictures, or of the embedded
    decomposer on held-out ``scenes``, which need no folder: as rows (dataclasses) and as a table to read."""
    if task == "scenes":
        from celwright.pipelines.network import predictor
        from celwright.training import held_out

        ours = predictor("embedded")
        compared = held_out.compared(ours.network, scenes, device=ours.device)
        return compared, held_out.table(compared)
    if directory is None:
        raise WrongUsageError(f"No folder came to evaluate {task} on; name one that holds layered pictures.")
    if task == "regions":
        from celwright.evaluation import regions

        scores = regions.evaluate(directory, peer_labels=peer_labels)
        return scores, regions.table(scores)
    if task == "decompose":
        from celwright.evaluation import decompose

        rows = decompose.evaluate(directory)
        return rows, decompose.table(rows)
    from celwright.evaluation import colorize

    hints = list(colorize.evaluate_hints(directory))
    return hints, colorize.table(hints)


def train(
    model: str,
    out: Path,
    minutes: float,
    seed: int,
    *,
    resume: bool,
    date: str,
    autoencoder: Path | None = None,
    pictures: Sequence[Path] = (),
) -> Path:
    """Train ``model`` (decomposer, autoencoder, colorizer) in ``out`` and export its weights and model card there;
    where the weights are. The colorizer needs the folder of a trained ``autoencoder``; ``pictures`` are folders of
    drawings that it may learn from."""
    if model == "autoencoder":
        from celwright.training.autoencoder import AutoencoderOptions
        from celwright.training.autoencoder import train as train_autoencoder
        from celwright.training.color_export import export_autoencoder

        train_autoencoder(AutoencoderOptions(out, minutes, resume=resume, seed=seed, pictures=tuple(pictures)))
        return export_autoencoder(out, out, date)
    if model == "colorizer":
        from celwright.training.color_export import export_colorizer
        from celwright.training.colorizer import ColorizerOptions
        from celwright.training.colorizer import train as train_colorizer

        if autoencoder is None:
            raise WrongUsageError(
                "A colorizer paints in an autoencoder's latents; name its run with --autoencoder DIR."
            )
        folder = autoencoder / "autoencoder"
        train_colorizer(ColorizerOptions(out, folder, minutes, resume=resume, seed=seed))
        return export_colorizer(out, out, date)
    from celwright.training.decomposer import TrainingOptions
    from celwright.training.decomposer import train as train_decomposer
    from celwright.training.export import export

    export(train_decomposer(TrainingOptions(out, minutes, resume=resume, seed=seed)), out, date=date)
    return out / "decomposer.safetensors"


def models(only: Collection[str] = (), *, hashes: bool = False) -> list[dict[str, Any]]:
    """Every model here, or those with a name in ``only``: ``id``, ``bytes``, ``licence`` and ``state``, which is "ok"
    or what is wrong. Embedded ones are checked to the last byte, others by names and sizes, with ``hashes`` in full."""
    from celwright.weights.inventory import checked

    return checked(model_store(), only, hashes=hashes)


def models_to_fetch() -> list[dict[str, Any]]:
    """The catalogue's models that are not here, as ``models`` tells them; their ``state`` is "not installed"."""
    from celwright.weights.inventory import missing

    return missing(model_store())


def device() -> str:
    """What the networks run on here, in words."""
    from celwright.pipelines.network import device_in_words

    return device_in_words()
