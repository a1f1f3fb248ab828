"""Whether a model's file is inside what its ending says, before anything opens it in earnest.

Knows formats; does not know models.
"""

import json
from pathlib import Path

from celwright.errors import UnusableInputError


def check_contents(path: Path) -> None:
    """Raises UnusableInputError unless a .safetensors file has a header whose tensors fill the file exactly, a .json
    file is JSON and every other file UTF-8 text. Reads no weights."""
    try:
        if path.suffix == ".safetensors":
            _check_safetensors(path)
        elif path.suffix == ".json":
            json.loads(path.read_text(encoding="utf-8"))
        else:
            path.read_text(encoding="utf-8")
    except (ValueError, RecursionError) as fault:
        kind = "JSON" if path.suffix == ".json" else "UTF-8 text"
        raise UnusableInputError(f"{path} is not {kind} ({fault}); get the file again.") from fault
    except OSError as fault:
        raise UnusableInputError(
            f"{path} cannot be read ({fault.strerror or fault}); check its permissions."
        ) from fault


def _check_safetensors(path: Path) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy"):
            pass
    except SafetensorError as fault:
        raise UnusableInputError(
            f"{path} is not a safetensors file ({fault}); it may be cut short or a pickle by another name: "
            f"get the file again."
        ) from fault
