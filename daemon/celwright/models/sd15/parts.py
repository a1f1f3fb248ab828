"""What of a Stable Diffusion 1.5 lies in some folders: the base, a ControlNet, an IP-Adapter, adapters of ours.

Everything is known by what it says of itself, not by its name: folders by their config.json, weights by their tensors'
names. So one folder may hold all, or each part a folder of its own. Loads nothing.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from safetensors import SafetensorError, safe_open

from celwright.errors import ModelUnavailableError, WrongUsageError

SCMILC_FACTS = "scmilc.json"
_BASE = ("text_encoder", "unet", "vae")
_WORDS = {
    "base": "base", "controlnet": "ControlNet", "image_encoder": "image encoder", "ip_adapter": "IP-Adapter",
    "update": "low-rank update", "scmilc": "SC-MILC adapter",
}  # fmt: skip
_CLASSES = {"ControlNetModel": "controlnet", "CLIPVisionModelWithProjection": "image_encoder"}


@dataclass(frozen=True)
class Parts:
    """``base``, ``controlnet``, ``image_encoder`` and ``scmilc`` are folders, ``ip_adapter`` and ``update`` files."""

    base: Path
    controlnet: Path | None = None
    image_encoder: Path | None = None
    ip_adapter: Path | None = None
    update: Path | None = None
    scmilc: Path | None = None

    def weights(self) -> dict[str, list[Path]]:
        """The weights' files of each component that will be loaded. Raises ModelUnavailableError for one without."""
        folders = {name: self.base / name for name in _BASE}
        if self.scmilc is not None and (self.scmilc / "unet").is_dir():
            folders["unet"] = self.scmilc / "unet"
        for name in ("controlnet", "image_encoder", "scmilc"):
            folder = getattr(self, name)
            if folder is not None:
                folders[name] = folder
        found = {name: weight_files(folder) for name, folder in folders.items()}
        files = {name: [path] for name in ("ip_adapter", "update") if (path := getattr(self, name)) is not None}
        return found | files


def weight_files(folder: Path) -> list[Path]:
    """The safetensors of one component: those of full precision, else those of half. What else lies there (an
    IP-Adapter beside its image encoder) does not count. Raises ModelUnavailableError when there are none."""
    paths = [path for path in sorted(folder.glob("*.safetensors")) if _kind_of_file(path) is None]
    whole = [path for path in paths if ".fp16." not in path.name and ".non_ema." not in path.name]
    if not paths:
        raise ModelUnavailableError(
            f"{folder} holds no safetensors file; get the whole model again with celwright models pull or import."
        )
    return whole or [path for path in paths if ".non_ema." not in path.name] or paths


def variant(folder: Path) -> str | None:
    """What diffusers calls the kind of file that ``weight_files`` chooses."""
    return "fp16" if all(".fp16." in path.name for path in weight_files(folder)) else None


def parts_in(name: str, folders: Sequence[Path]) -> Parts:
    """The parts in ``folders``, which together are the model ``name``. Raises WrongUsageError for a part that is there
    twice, and when there is no base."""
    found: dict[str, Path] = {}
    for folder in folders:
        for kind, path in _kinds(folder):
            if kind in found:
                raise WrongUsageError(
                    f"The model {name!r} has two {_WORDS[kind]}s, {found[kind]} and {path}; leave one out."
                )
            found[kind] = path
    if "base" not in found:
        there = ", ".join(_WORDS[field.name] for field in fields(Parts) if field.name in found) or "nothing known"
        raise WrongUsageError(
            f"The model {name!r} has no base (a diffusers folder with model_index.json), only: {there}; put the name "
            f"of a Stable Diffusion 1.5 in front: BASE+{name}."
        )
    return Parts(**found)


def _kinds(folder: Path) -> Iterator[tuple[str, Path]]:
    if (folder / "model_index.json").is_file():
        yield "base", folder
    for path in sorted(folder.rglob("config.json")):
        if (kind := _kind_of_config(path)) is not None:
            yield kind, path.parent
    for path in sorted(folder.rglob(SCMILC_FACTS)):
        yield "scmilc", path.parent
    for path in sorted(folder.rglob("*.safetensors")):
        if (kind := _kind_of_file(path)) is not None:
            yield kind, path


def _kind_of_config(path: Path) -> str | None:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        said = config.get("_class_name") or next(iter(config.get("architectures") or ()), "")
    except (OSError, ValueError, AttributeError) as fault:
        raise ModelUnavailableError(f"{path} is damaged ({fault}); get the model again.") from fault
    return _CLASSES.get(said)


def _kind_of_file(path: Path) -> str | None:
    try:
        with safe_open(path, "pt") as weights:
            names = list(weights.keys())
    except (OSError, SafetensorError) as fault:
        raise ModelUnavailableError(f"{path} is damaged ({fault}); get the model again.") from fault
    if any(name.startswith("ip_adapter.") for name in names):
        return "ip_adapter"
    return "update" if any("lora" in name for name in names) else None
