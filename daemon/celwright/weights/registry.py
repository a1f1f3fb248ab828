"""The models that travel with the package: what they are, where they lie, and that they are undamaged.

Knows files and hashes; does not know torch or what a model computes.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from celwright.errors import ModelUnavailableError

Task = Literal["decompose", "colorize", "complete"]
EMBEDDED_DIR = Path(__file__).parent / "embedded"


@dataclass(frozen=True)
class EmbeddedModel:
    """``name`` is what a request asks for, ``preset`` the network's in models/presets.py; ``license`` in SPDX."""

    task: Task
    name: str
    preset: str
    file: str
    sha256: str
    license: str = "Apache-2.0"

    @property
    def card(self) -> str:
        """File name of the model card: data, recipe, figures, limits."""
        return str(Path(self.file).with_suffix(".md"))


EMBEDDED = (
    EmbeddedModel(
        task="decompose",
        name="embedded",
        preset="embedded",
        file="decomposer.safetensors",
        sha256="221fb4e8d095417834caa2051e358aeef16a91cd93b99075352199e5f3ac8616",
    ),
    EmbeddedModel(
        task="colorize",
        name="embedded",
        preset="embedded",
        file="colorizer.safetensors",
        sha256="0d3ac8ceff20bde860e5b9f8192f603df5156620d2f4d9960c1d4d5cd1af8f01",
    ),
    EmbeddedModel(
        task="complete",
        name="embedded",
        preset="embedded",
        file="lines.safetensors",
        sha256="5582b2744c63d9af76a53584b1ec63e32d16c0b69cf6fe2707b1b42e273efcac",
    ),
)


def find(task: Task, name: str, among: tuple[EmbeddedModel, ...] = EMBEDDED) -> EmbeddedModel:
    """The model of that name. Raises ModelUnavailableError for an unknown one."""
    known = [model for model in among if model.task == task]
    for model in known:
        if model.name == name:
            return model
    names = ", ".join(repr(model.name) for model in known)
    raise ModelUnavailableError(f"The model {name!r} is not installed; {names} can {task}: choose one of them.")


def verified_path(model: EmbeddedModel, folder: Path = EMBEDDED_DIR) -> Path:
    """Where the model's weights lie, after checking their hash. Raises ModelUnavailableError when they are missing
    or damaged."""
    path = folder / model.file
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as fault:
        raise ModelUnavailableError(
            f"The weights {path} cannot be read ({fault.strerror}); they come with the package: install it again."
        ) from fault
    if digest != model.sha256:
        raise ModelUnavailableError(
            f"The weights {path} are damaged (SHA-256 {digest[:12]}… instead of {model.sha256[:12]}…): "
            f"install the package again."
        )
    return path
