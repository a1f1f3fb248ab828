"""A real Krita opens what we write and shows the same picture."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import window
from celwright.domain import Pixels
from celwright.fitting import Estimate, fit
from celwright.layers import LayerStack
from celwright.psd import openraster, write
from celwright.psd.tree import four_layers

pytestmark = pytest.mark.skipif(shutil.which(window.RUNNER) is None, reason="Krita is not installed")


def _opened(run_in_krita: Callable[..., Any], document: Path) -> tuple[dict[str, Any], np.ndarray]:
    answer = document.with_suffix(".json")
    done = run_in_krita("open_document", DOCUMENT=document, ANSWER=answer)
    assert done.returncode == 0, done.stderr
    facts = json.loads(answer.read_text(encoding="utf-8"))
    kind = np.uint8 if facts["depth"] == "U8" else np.uint16
    pixels = np.fromfile(f"{answer}.pixels", kind).reshape(facts["size"][1], facts["size"][0], 4)
    return facts, pixels[..., [2, 1, 0, 3]]


def _stack(depth: int) -> tuple[LayerStack, Pixels]:
    """A smooth picture with a transparent corner, its shadow, highlight and line."""
    top, kind = (255, np.uint8) if depth == 8 else (65535, np.uint16)
    x, y = np.meshgrid(np.linspace(0, 1, 90, dtype=np.float32), np.linspace(0, 1, 70, dtype=np.float32))
    flat = np.stack([0.3 + 0.4 * x, 0.8 - 0.5 * y, 0.5 + 0 * x], axis=2)
    shadow = np.where(((x - 0.3) ** 2 + (y - 0.5) ** 2 < 0.04)[..., None], np.float32(0.6), np.float32(1))
    highlight = np.where(((x - 0.7) ** 2 + (y - 0.4) ** 2 < 0.02)[..., None], np.float32(0.5), np.float32(0))
    line = (np.abs(x - y) < 0.02).astype(np.float32)
    base = 1 - (1 - flat * shadow) * (1 - highlight)
    alpha = (x + y > 0.3).astype(np.float32)
    picture = np.dstack([base * (1 - line[..., None]), alpha])
    pixels = Pixels(np.round(picture * top).astype(kind))
    flat, shadow, highlight = (np.broadcast_to(a, (70, 90, 3)) for a in (flat, shadow, highlight))
    stack = fit(pixels, Estimate(line, np.zeros_like(flat), flat, shadow, highlight), "exact")
    return stack, stack.images()["composite"]


@pytest.mark.parametrize("depth", [8, 16])
def test_a_psd_opens_with_four_layers_and_the_same_picture(
    tmp_path: Path, run_in_krita: Callable[..., Any], depth: int
) -> None:
    stack, composite = _stack(depth)
    write.write(tmp_path / "page.psd", four_layers(stack), composite)
    facts, shown = _opened(run_in_krita, tmp_path / "page.psd")
    assert (facts["size"], facts["depth"]) == ([90, 70], f"U{depth}")
    assert [
        (node["name"], node["blend"], node["opacity"], node["visible"], node["type"]) for node in facts["nodes"]
    ] == [
        ("flat", "normal", 255, True, "paintlayer"),
        ("shadow", "multiply", 255, True, "paintlayer"),
        ("highlight", "screen", 255, True, "paintlayer"),
        ("line", "normal", 255, True, "paintlayer"),
    ]
    _assert_same_picture(shown, composite)


def test_an_openraster_file_opens_with_the_same_picture(tmp_path: Path, run_in_krita: Callable[..., Any]) -> None:
    stack, composite = _stack(8)
    openraster.write(tmp_path / "page.ora", four_layers(stack), composite)
    facts, shown = _opened(run_in_krita, tmp_path / "page.ora")
    assert facts["size"] == [90, 70]
    _assert_same_picture(shown, composite)


def _assert_same_picture(shown: np.ndarray, composite: Pixels) -> None:
    wanted = composite.data.astype(np.int64)
    assert np.abs(shown[..., 3].astype(np.int64) - wanted[..., 3]).max() <= 1
    visible = wanted[..., 3] > 0
    assert np.abs(shown.astype(np.int64) - wanted)[visible].max() <= 2 * composite.top // 255
