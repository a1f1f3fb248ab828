"""The arguments of every command. Knows the commands by name only; imports them when one is run."""

import argparse
import importlib
from collections.abc import Callable
from pathlib import Path

from celwright import __version__

Command = Callable[[argparse.Namespace], int | None]
_MEASURED = (
    "regions", "decompose", "colorize", "references", "variations", "scenes", "designs", "pairs", "ablations",
    "balance", "layered-ablation",
)  # fmt: skip


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="celwright", description="Colour line art and take illustrations apart into line, flat, shadow, highlight."
    )
    parser.add_argument("--version", action="version", version=f"celwright {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_decompose(commands)
    _add_colorize(commands)
    _add_segment(commands)
    _add_serve(commands)
    _add_models(commands)
    _add_library(commands)
    _add_train(commands)
    _add_evaluate(commands)
    bench = _command(commands, "bench", "measurements:bench", "measure speed and memory on this machine")
    bench.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    bench.add_argument("--only", metavar="WORD", help="measure only what has WORD in its name")
    doctor = _command(commands, "doctor", "upkeep:doctor", "say what works on this machine and what does not")
    doctor.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, function: str, summary: str
) -> argparse.ArgumentParser:
    """A subcommand that calls ``celwright.cli.MODULE:FUNCTION``, imported on use."""
    module, _, attribute = function.partition(":")

    def run(options: argparse.Namespace) -> int | None:
        command: Command = getattr(importlib.import_module(f"celwright.cli.{module}"), attribute)
        return command(options)

    parser = commands.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
    parser.set_defaults(command=run)
    return parser


def _add_work_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--layer", metavar="NAME", help="read this layer of a layered PSD instead of its composite")
    parser.add_argument("--connect", metavar="ADDRESS", help="let a running daemon do it (auto, unix:PATH, HOST:PORT)")
    parser.add_argument("--force", action="store_true", help="replace files that exist")
    parser.add_argument("--json", action="store_true", help="print one JSON object about the result")
    parser.add_argument("--quiet", action="store_true", help="show no progress")


def _add_layer_outputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help=".psd or .ora (default: NAME-layers.psd)")
    parser.add_argument("--layers-dir", type=Path, metavar="DIR", help="also write each layer as a PNG")
    parser.add_argument("--contact-sheet", type=Path, metavar="PNG", help="also write all layers side by side")


def _add_decompose(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = _command(commands, "decompose", "pictures:decompose", "take a finished picture apart into four layers")
    parser.add_argument("picture", type=Path, metavar="PICTURE")
    _add_layer_outputs(parser)
    parser.add_argument(
        "--fidelity", choices=("clean", "exact"), default="clean",
        help="clean: sparse shading; exact: the layers give every opaque pixel back within 2/255 (default: clean)",
    )  # fmt: skip
    parser.add_argument(
        "--model", default="embedded", metavar="NAME", help="or NAME+ADAPTER, of the models here (default: embedded)"
    )
    layers = parser.add_argument_group(
        "layers as you want them",
        "--fidelity exact goes with flat colours, with shadow tones or tint, or with merged highlights, not with two",
    )
    layers.add_argument("--flat-colors", type=int, default=0, metavar="N", help="at most N colours in the flat, to 256")
    layers.add_argument(
        "--shadow-tones", choices=("continuous", "1", "2"), default="continuous", help="hard steps of shadow"
    )
    layers.add_argument(
        "--shadow-tint", choices=("free", "region"), default="free", help="region: one hue of shadow a flat colour"
    )
    layers.add_argument("--merge-highlight", action="store_true", help="into the flat; the highlight layer is empty")
    layers.add_argument(
        "--shadow-blend", choices=("multiply", "normal"), default="multiply",
        help="normal: the colours of the result, with alpha, over the flat (default: multiply)",
    )  # fmt: skip
    full = parser.add_argument_group("full-size models", argument_default=argparse.SUPPRESS)
    full.add_argument("--resolution", type=int, choices=(640, 1024), help="as many pixels as its square has (640)")
    full.add_argument("--steps", type=int, metavar="N", help="sampling steps (50)")
    full.add_argument("--seed", type=int, metavar="N")
    full.add_argument("--quantize", choices=("none", "8bit", "4bit"), help="smaller weights, by bitsandbytes")
    full.add_argument("--offload", choices=("none", "cpu", "disk"), help="keep what is not in use elsewhere")
    full.add_argument("--fallback", action="store_true", help="let the embedded model do it when this one cannot")
    _add_work_options(parser)


def _add_colorize(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = _command(commands, "colorize", "pictures:colorize", "colour a line drawing")
    parser.add_argument("line_art", type=Path, metavar="LINEART")
    _add_layer_outputs(parser)
    parser.add_argument("--hints", type=Path, metavar="PNG", help="dots or strokes of colour on transparency")
    parser.add_argument(
        "--palette", metavar="FILE|NAME|flatting|auto",
        help="colours to snap to, a GPL, ASE, JSON or hex file or one of the library; every region its own; or drawn",
    )  # fmt: skip
    parser.add_argument("--selection", type=Path, metavar="PNG", help="white: may change, black: stays")
    parser.add_argument("--context", type=Path, metavar="IMAGE", help="the colours so far")
    parser.add_argument("--lock", type=Path, metavar="PNG", help="white: stays as in the context")
    parser.add_argument(
        "--reference", action="append", default=[], metavar="IMAGE[@MASK[@REGION]]|@NAME[@REGION]",
        help="take colours from a picture or from a character of the library; may be given many times",
    )  # fmt: skip
    parser.add_argument("--unhinted", choices=("nearest", "transparent"), default="nearest")
    parser.add_argument(
        "--gap", type=int, default=8, metavar="PX", help="widest opening in a line to close (default: 8)"
    )
    parser.add_argument("--shading", choices=("on", "off"), default="on")
    parser.add_argument(
        "--light", type=int, default=130, metavar="DEGREES",
        help="where light comes from: 0 the right, 90 above, 180 the left, 270 below (default: 130)",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--variations", type=int, default=1, metavar="N")
    parser.add_argument("--steps", type=int, default=8, metavar="N")
    parser.add_argument(
        "--guidance", nargs="+", action="extend", default=[], metavar="CONDITION=SCALE",
        help="how much references, hints and histogram are exaggerated where colours are sampled, 0 to 10 (default: "
        "references=1 hints=1 histogram=1.5; 1: as learnt); of the embedded model, others have their own",
    )  # fmt: skip
    parser.add_argument("--stages-dir", type=Path, metavar="DIR", help="also write what happened on the way")
    parser.add_argument(
        "--model", default="embedded", metavar="NAME", help="or NAME+NAME+…, of the models here (default: embedded)"
    )
    full = parser.add_argument_group("full-size models", argument_default=argparse.SUPPRESS)
    full.add_argument("--precision", choices=("auto", "fp16", "bf16", "fp32"), help="of weights (fp16 on a GPU)")
    full.add_argument(
        "--offload", choices=("auto", "none", "cpu"), help="keep what is not in use off the GPU (auto: where it must)"
    )
    full.add_argument("--fallback", action="store_true", help="let what comes with Celwright do it when this cannot")
    _add_work_options(parser)


def _add_segment(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = _command(commands, "segment", "pictures:segment", "find the regions that lines enclose")
    parser.add_argument("line_art", type=Path, metavar="LINEART")
    parser.add_argument("-o", "--output", type=Path, metavar="PNG", help="region IDs (default: NAME-regions.png)")
    parser.add_argument("--preview", type=Path, metavar="PNG", help="also write the regions in well-separated colours")
    parser.add_argument("--leaks", type=Path, metavar="PNG", help="also write the line art with closed openings marked")
    parser.add_argument(
        "--gap", type=int, default=8, metavar="PX", help="widest opening in a line to close (default: 8)"
    )
    _add_work_options(parser)


def _add_serve(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = _command(commands, "serve", "upkeep:serve", "run the daemon")
    parser.add_argument("--socket", metavar="PATH", help="Unix socket to listen on (default: one per user)")
    parser.add_argument("--host", metavar="H", help="listen on TCP instead; loopback unless TLS files are given")
    parser.add_argument("--port", type=int, metavar="N", help="TCP port; 0 takes a free one")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto")
    parser.add_argument("--idle", type=float, metavar="SECONDS", help="free the models after so long without work")
    parser.add_argument("--queue", type=int, metavar="N", help="how many jobs may wait")
    parser.add_argument("--tls-cert", type=Path, metavar="PEM")
    parser.add_argument("--tls-key", type=Path, metavar="PEM")
    parser.add_argument("--tls-client-ca", type=Path, metavar="PEM")
    parser.add_argument("--owner-pid", type=int, metavar="N", help="end when the process with this number has ended")
    status = _command(commands, "status", "upkeep:status", "ask a running daemon how it is")
    status.add_argument("--connect", metavar="ADDRESS", default="auto")
    status.add_argument("--json", action="store_true", help="print one JSON object")


def _add_models(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    summary = "list, fetch, check, import and remove models"
    parser = commands.add_parser("models", help=summary, description=summary[0].upper() + summary[1:] + ".")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    listing = _command(actions, "list", "models:list_models", "list the models here and those that can be fetched")
    pull = _command(actions, "pull", "models:pull", "fetch a model of the catalogue, or go on fetching it")
    pull.add_argument("name", metavar="NAME")
    pull.add_argument("--offline", action="store_true", help="fetch nothing; as CELWRIGHT_OFFLINE=1")
    verify = _command(actions, "verify", "models:verify", "check every byte of the models here")
    verify.add_argument("names", metavar="NAME", nargs="*", help="only these (default: all)")
    importing = _command(actions, "import", "models:import_model", "copy a model from files or a diffusers folder")
    importing.add_argument("name", metavar="NAME")
    importing.add_argument("paths", type=Path, metavar="PATH", nargs="+")
    importing.add_argument("--task", required=True, choices=("decompose", "colorize"))
    importing.add_argument("--licence", required=True, metavar="L", help="as SPDX writes it, such as Apache-2.0")
    remove = _command(actions, "remove", "models:remove", "delete what pull or import put there")
    remove.add_argument("name", metavar="NAME")
    for action in (listing, verify):
        action.add_argument("--json", action="store_true", help="print one JSON object")
    for action in (pull, importing):
        action.add_argument("--quiet", action="store_true", help="show no progress")


def _add_train(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = _command(commands, "train", "upkeep:train", "train a model from procedural scenes")
    parser.add_argument("model", choices=("decomposer", "colorizer", "lines"))
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="checkpoints and the exported weights")
    parser.add_argument("--minutes", type=float, default=90, metavar="M", help="train for so long (default: 90)")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--resume", action="store_true", help="go on from DIR's newest checkpoint")
    recipe = parser.add_argument_group("recipe", argument_default=argparse.SUPPRESS)
    recipe.add_argument("--learning-rate", type=float, metavar="RATE", help="at its highest")
    recipe.add_argument("--steps", type=int, metavar="N", help="train for at most so many steps")
    recipe.add_argument(
        "--left-out", nargs="+", choices=("sgm", "ismff", "lgb"), metavar="PART",
        help="colorizer: build it without sgm, ismff or lgb, for an ablation",
    )  # fmt: skip
    recipe.add_argument("--structure", type=float, metavar="WEIGHT", help="colorizer: of its loss (1)")
    recipe.add_argument("--pointing", type=float, metavar="WEIGHT", help="colorizer: of its loss (3)")
    recipe.add_argument(
        "--curriculum", type=float, metavar="SHARE", help="colorizer: of the regions, known at first (0.9)"
    )
    recipe.add_argument(
        "--preset", choices=("embedded", "identities", "two-stage", "qwen-layered", "sd15-scmilc"),
        help="decomposer: the one that comes with Celwright, another design, or an adapter for Qwen-Image-Layered; "
        "colorizer: an adapter for Stable Diffusion 1.5",
    )  # fmt: skip
    recipe.add_argument("--rich", type=float, metavar="SHARE", help="decomposer: of rich scenes (0.6)")
    recipe.add_argument("--painted", type=float, metavar="SHARE", help="decomposer: of painted scenes (0)")
    recipe.add_argument("--drawn", type=float, metavar="SHARE", help="decomposer: of scenes cut from drawings (0)")
    recipe.add_argument(
        "--corpora",
        type=Path,
        nargs="+",
        metavar="DIR",
        help="those drawings, as layers; every DIR equally often; also for lines",
    )
    full = parser.add_argument_group("qwen-layered, sd15-scmilc")
    full.add_argument("--data", type=Path, nargs="+", metavar="DIR", help="pictures with their layers, folders or PSD")
    full.add_argument("--base", metavar="MODEL", help="a diffusers folder, or a model that is here")
    full.add_argument("--size", metavar="WxH", help="pixels to train at (768x1152; sd15-scmilc: 512x512)")
    full.add_argument(
        "--freeze-base", choices=("on", "off"), default="on",
        help="sd15-scmilc: learn the adapter alone, or the UNet too (default: on)",
    )  # fmt: skip


def _add_evaluate(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = _command(commands, "evaluate", "measurements:evaluate", "measure quality on a folder of layered pictures")
    parser.add_argument("task", choices=_MEASURED, metavar="TASK", help=", ".join(_MEASURED))
    parser.add_argument(
        "directory", type=Path, metavar="DIR", nargs="?", help="of layered pictures; not for what is generated"
    )
    parser.add_argument("--peer-labels", type=Path, metavar="DIR", help="regions: another tool's IDs, PAGE.png each")
    parser.add_argument("--worn", action="store_true", help="regions: of lines that are broken and faded first")
    parser.add_argument("--solids", action="store_true", help="pairs: of characters of solids, turned in space")
    parser.add_argument(
        "--largest", type=float, default=1.0, metavar="SHARE", help="colorize: of the regions, that get a dot (1)"
    )
    parser.add_argument(
        "--count", type=int, metavar="N",
        help="scenes of each kind, pairs (48), variations of each page (4), or steps of layered-ablation (1200)",
    )  # fmt: skip
    parser.add_argument(
        "--runs", type=Path, metavar="DIR", nargs="+", default=[],
        help="designs, ablations, balance: folders of the decomposer's or the colorizer's training",
    )  # fmt: skip
    parser.add_argument(
        "--against", type=Path, metavar="FILE", nargs="+", default=[], help="decompose: other weights to stand beside"
    )
    parser.add_argument("--sheet", type=Path, metavar="PNG", help="ablations: the first 8 pairs; balance: the heat map")
    parser.add_argument("--force", action="store_true", help="replace a sheet that exists")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")


def _add_library(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    summary = "keep characters to use as --reference @NAME"
    parser = commands.add_parser("library", help=summary, description=summary[0].upper() + summary[1:] + ".")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    add = _command(actions, "add", "library:add", "keep a picture of a character")
    add.add_argument("name", metavar="NAME")
    add.add_argument("image", type=Path, metavar="IMAGE")
    add.add_argument("--mask", type=Path, metavar="PNG", help="white: the character")
    add.add_argument("--palette", type=Path, metavar="FILE", help="its colours, to use as --palette @NAME")
    add.add_argument("--force", action="store_true", help="replace the character of that name")
    listing = _command(actions, "list", "library:list_characters", "list the characters")
    listing.add_argument("--json", action="store_true", help="print one JSON object")
    remove = _command(actions, "remove", "library:remove", "delete a character")
    remove.add_argument("name", metavar="NAME")
