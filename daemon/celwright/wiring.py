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
    from celwright.library import Library
    from celwright.pipelines.network import Predictor
    from celwright.pipelines.sampled import SampledProposer
    from celwright.rpc.client import Client
    from celwright.settings import Settings
    from celwright.weights.store import Store


def pipelines(
    device: str = "auto", full_size: Mapping[str, Any] | None = None
) -> Mapping[type, Callable[[], Pipeline[Any]]]:
    """What serves each kind of request, to be built on first use. ``full_size``: fields of
    pipelines/layered_loading.py's LayeredOptions."""

    def decompose() -> Pipeline[Any]:
        from celwright.pipelines.decompose import DecomposePipeline
        from celwright.pipelines.decomposers import DecomposeByModel, located
        from celwright.pipelines.layered_loading import LayeredOptions

        options = LayeredOptions(**{"device": device, **(full_size or {})})

        def full() -> Pipeline[Any]:
            from celwright.pipelines.layered import LayeredPipeline
            from celwright.pipelines.layered_loading import loaded

            return LayeredPipeline(lambda name: loaded(name, *located(model_store(), name), options), options)

        embedded = DecomposePipeline(None if device == "auto" else lambda name: _predictor_on(device, name))
        return DecomposeByModel(embedded, full, fallback=options.fallback)

    def segment() -> Pipeline[Any]:
        from celwright.pipelines.segment import SegmentPipeline

        return SegmentPipeline()

    def colorize() -> Pipeline[Any]:
        from celwright.pipelines.colorize import ColorizePipeline

        if not weights_are_here("colorize"):
            return ColorizePipeline()
        from celwright.pipelines.network import predictor

        on = None if device == "auto" else device
        return ColorizePipeline(sampled=_sampled_proposer(on), shade=lambda: predictor("embedded", on))

    return {DecomposeRequest: decompose, SegmentRequest: segment, ColorizeRequest: colorize}


def _sampled_proposer(device: str | None = None) -> "SampledProposer":
    from celwright.pipelines.color_networks import color_networks
    from celwright.pipelines.sampled import SampledProposer

    return SampledProposer(lambda name: color_networks(name, device))


def _colorize() -> Pipeline[ColorizeRequest]:
    return pipelines()[ColorizeRequest]()


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


def library() -> "Library":
    """The user's characters and palettes."""
    from celwright.library import Library
    from celwright.settings import user_folder

    return Library(user_folder())


def evaluate(
    task: str,
    directory: Path | None = None,
    *,
    peer_labels: Path | None = None,
    count: int | None = None,
    largest: float = 1.0,
    runs: Sequence[Path] = (),
) -> tuple[list[Any], str]:
    """The figures of a task as rows (dataclasses) and as a table to read.

    ``regions``, ``decompose``, ``colorize`` (hints on the ``largest`` regions), ``references`` and ``variations`` need
    a folder of layered pictures; ``scenes`` and ``pairs`` are generated, ``count`` of them, and so are those on which
    ``ablations`` compares ``runs`` of the colorizer's training.
    """
    if task == "scenes":
        from celwright.pipelines.network import predictor
        from celwright.training import held_out

        ours = predictor("embedded")
        compared = held_out.compared(ours.network, count or 48, device=ours.device)
        return compared, held_out.table(compared)
    if task == "layered-ablation":
        from celwright.training import layered_ablation

        variants = layered_ablation.evaluate(count or 300)
        return variants, layered_ablation.table(variants)
    if task in ("pairs", "ablations"):
        from celwright.evaluation import pairs

        painters = [pairs.trained(run) for run in runs] if task == "ablations" else [pairs.installed()]
        painted = pairs.evaluate(painters, count or 48)
        return painted, pairs.table(painted)
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
    if task == "references":
        from celwright.evaluation import references

        transferred = references.evaluate(directory, _colorize())
        return transferred, references.table(transferred)
    if task == "variations":
        from celwright.evaluation import variations

        varied = variations.evaluate(directory, _colorize(), count or 4)
        return varied, variations.table(varied)
    from celwright.evaluation import colorize

    proposer = _sampled_proposer() if weights_are_here("colorize") else None
    hints = list(colorize.evaluate_hints(directory, largest, sampled=proposer))
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
    where the weights are. The colorizer may paint in a trained ``autoencoder``'s latents; ``pictures`` are folders of
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

        folder = None if autoencoder is None else autoencoder / "autoencoder"
        train_colorizer(ColorizerOptions(out, folder, minutes, resume=resume, seed=seed))
        return export_colorizer(out, out, date)
    from celwright.training.decomposer import TrainingOptions
    from celwright.training.decomposer import train as train_decomposer
    from celwright.training.export import export

    export(train_decomposer(TrainingOptions(out, minutes, resume=resume, seed=seed)), out, date=date)
    return out / "decomposer.safetensors"


def train_layered(
    out: Path, minutes: float, seed: int, *, resume: bool, data: Path | None, base: str | None, size: str
) -> Path:
    """Train an adapter for the Qwen-Image-Layered at or called ``base`` on the five-tuples in ``data``; its folder."""
    if data is None or base is None:
        raise WrongUsageError("The preset qwen-layered needs pictures and a model; name them with --data and --base.")
    width, _, height = size.partition("x")
    if not (width.isdecimal() and height.isdecimal() and all(0 < int(side) <= 4096 for side in (width, height))):
        raise WrongUsageError(f"The size is {size!r}; WxH in pixels, up to 4096x4096, is allowed, such as 768x1152.")
    from celwright.training.layered import LayeredOptions, train

    folder = Path(base) if Path(base).is_dir() else model_store().path("decompose", base)
    return train(LayeredOptions(data, folder, out, minutes, resume, seed, width=int(width), height=int(height)))


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
