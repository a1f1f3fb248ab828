"""The plugin's seam by itself: no daemon, no Krita."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "plugin_krita"))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Makes sessions on a fake program and a scripted daemon; closes them."""
    from session_bench import Bench

    made = []

    def make(*canvases: Any, **more: Any) -> Any:
        made.append(Bench(tmp_path, *canvases, **more))
        return made[-1]

    yield make
    for one in made:
        one.session.close()
