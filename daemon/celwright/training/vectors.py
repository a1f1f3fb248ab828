"""Vector drawings become layer folders: strokes are line, fills are flat, known shadow fills are shadow.

Only styles that draw their outlines as SVG strokes can be read so; where outlines are filled shapes, nothing tells them
from black flats. Strokes that a later fill hides stay hidden. Needs the package resvg_py, which the product itself
does not. ``python -m celwright.training.vectors OUT SVG...`` writes OUT/NAME/{line,flat,shadow}.png for each.
"""

import re
import sys
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from celwright.errors import WrongUsageError
from celwright.training.painting.canvas import Plane

SIDE = 640
FEWEST_STROKED = 0.004  # share of the picture that strokes must cover
# The shadow colours of the BigHeads set by their base colours: every garment, hair and skin has one pair.
BIGHEADS = {
    "#f3ab98": "#fdd2b2", "#edd494": "#fbe8b3", "#c6854e": "#d8985d", "#8d5638": "#a56941", "#b56241": "#cc734c",
    "#6b3d34": "#754437", "#edbf2e": "#fedc58", "#c65c22": "#d96e27", "#e2e2e2": "#ffffff", "#67b7d6": "#85c5e5",
    "#c683b4": "#d69ac7", "#5e3244": "#633749", "#7dc462": "#89d86f", "#c46565": "#d67070", "#c43333": "#dd3e3e",
    "#9c4490": "#b256a1", "#49b5cd": "#5ccbf1", "#3ca047": "#4ab749",
}  # fmt: skip

_PAINT = re.compile(r'\b(fill|stroke)(="|:\s*)(?!none|url|transparent|inherit)([^";]+)')
_MASK = re.compile(r"(<(mask|clipPath)\b.*?</\2>)", re.DOTALL)


def repainted(svg: str, fill: str | None, stroke: str | None) -> str:
    """The drawing with every fill and stroke that is painted at all in these colours (None: as it was)."""

    def paint(match: re.Match[str]) -> str:
        color = fill if match[1] == "fill" else stroke
        return match[0] if color is None else f"{match[1]}{match[2]}{color}"

    pieces = _MASK.split(svg)  # text, whole mask, its tag's name, text, ...
    return "".join(
        _PAINT.sub(paint, piece) if index % 3 == 0 else piece if index % 3 == 1 else ""
        for index, piece in enumerate(pieces)
    )


def rendered(svg: str, side: int = SIDE) -> Plane:
    """(H, W, 4) RGBA 0..1, ``side`` pixels wide. Raises WrongUsageError without resvg_py."""
    try:
        import resvg_py
    except ImportError as error:
        raise WrongUsageError(
            "Reading vector drawings needs the package resvg_py, which is not installed; run 'pip install resvg_py'."
        ) from error
    raw = np.frombuffer(bytes(resvg_py.svg_to_bytes(svg_string=svg, width=side, skip_system_fonts=True)), np.uint8)
    picture = np.asarray(cv2.imdecode(raw, cv2.IMREAD_UNCHANGED), np.uint8)
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGRA2RGBA).astype(np.float32) / 255)


def layers(svg: str, shadows: Mapping[str, str], side: int = SIDE) -> dict[str, Plane] | None:
    """Line, flat and, when there is any, shadow (laid normally), each (H, W, 4) RGBA; None for too few strokes."""
    stroked = rendered(repainted(svg, "#000000", "#ffffff"), side)
    alpha = stroked[..., :1] * stroked[..., 3:]
    if alpha.mean() < FEWEST_STROKED:
        return None
    unstroked = repainted(svg, None, "none")
    shaded, whole = rendered(unstroked, side), rendered(svg, side)
    below = shaded[..., :3] * shaded[..., 3:]
    ink = np.clip((whole[..., :3] * whole[..., 3:] - below * (1 - alpha)) / np.maximum(alpha, 0.05), 0, 1)
    for dark, base in shadows.items():
        unstroked = re.sub(re.escape(dark), base, unstroked, flags=re.IGNORECASE)
    flat = rendered(unstroked, side)
    found = {"line": np.concatenate([ink, alpha], 2), "flat": flat}
    changed = np.abs(flat[..., :3] - shaded[..., :3]).max(2, keepdims=True) > 1 / 255
    if changed.any():
        found["shadow"] = np.concatenate([shaded[..., :3], changed * shaded[..., 3:]], 2)
    return found


def write_layers(drawings: list[Path], out: Path, shadows: Mapping[str, str] = BIGHEADS) -> int:
    """Writes a layer folder for each drawing that has strokes and gives their number."""
    written = 0
    for drawing in drawings:
        found = layers(drawing.read_text(encoding="utf-8"), shadows if "bigheads" in str(drawing) else {})
        if found is None:
            continue
        folder = out / f"{drawing.parent.name}-{drawing.stem}"
        folder.mkdir(parents=True, exist_ok=True)
        for name, layer in found.items():
            pixels = np.round(np.clip(layer, 0, 1) * 255).astype(np.uint8)
            cv2.imwrite(str(folder / f"{name}.png"), cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGRA))
        written += 1
    return written


if __name__ == "__main__":
    print(write_layers([Path(name) for name in sys.argv[2:]], Path(sys.argv[1])))
