"""Files that an optional package carries, such as the weights of a network by which pictures are judged."""

from importlib.util import find_spec
from pathlib import Path


def carried(package: str, file: str) -> Path | None:
    """Where the ``file`` of a package lies, None where the package is not installed. The package is not run."""
    found = find_spec(package)
    return None if found is None or found.origin is None else Path(found.origin).parent / file
