"""Finished pictures with the four layers that an artist kept of them: the paper's five-tuples (section 5.1).

Read from folders (composite.png, line.png, flat.png, highlight.png, shadow.png) and from layered PSD files, whose
Multiply shadows and Screen lights are turned into result colours. Knows files; nothing of networks.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from celwright.domain import FloatImage, Pixels
from celwright.errors import WrongUsageError
from celwright.imaging.files import read_picture
from celwright.layers import as_float, quantized

FRAMES = ("composite", "line", "flat", "light", "shadow")
NAMES = {
    "composite": ("composite", "source"),
    "line": ("line", "lineart", "line art", "lines"),
    "flat": ("flat", "flat color", "flat colour", "flats", "base"),
    "light": ("highlight", "light", "highlights", "lights"),
    "shadow": ("shadow", "shadows", "shade"),
}
_NEEDED = ("composite", "line", "flat")


@dataclass(frozen=True)
class FiveTuple:
    """``path`` is a folder or a PSD, ``found`` what stands there for each frame: a file's or a layer's name."""

    path: Path
    found: dict[str, str]
    blends: dict[str, str]

    def pictures(self, width: int, height: int) -> NDArray[np.uint8]:
        """(5, height, width, 4) in the order of ``FRAMES``: the whole picture, centred on transparency; a layer that
        is not there is transparent."""
        frames = {name: self._read(name) for name in FRAMES if name in self.found}
        size = frames["composite"].size
        for name, frame in frames.items():
            if frame.size != size:
                raise WrongUsageError(
                    f"The {name} layer of {self.path} is {frame.size[0]}x{frame.size[1]} pixels, its composite "
                    f"{size[0]}x{size[1]}; both must match: export it with the whole picture."
                )
        normal = _laid_normally({name: as_float(frame) for name, frame in frames.items()}, self.blends)
        return np.stack([_fitted(normal.get(name), width, height) for name in FRAMES])

    def _read(self, name: str) -> Pixels:
        if self.path.is_dir():
            return read_picture(self.path / self.found[name])[0].rgba()
        return read_picture(self.path, None if name == "composite" else self.found[name])[0].rgba()


def five_tuples(folder: Path) -> list[FiveTuple]:
    """Those in ``folder`` and below, by path. Raises WrongUsageError when there is none."""
    found = [_in_folder(path.parent) for path in folder.rglob("composite.png")]
    found += [_in_folder(path.parent) for path in folder.rglob("source.png")]
    found += [_in_psd(path) for path in folder.rglob("*.ps[db]")]
    whole = {tuple_.path: tuple_ for tuple_ in found if all(name in tuple_.found for name in _NEEDED)}
    if not whole:
        raise WrongUsageError(
            f"There is nothing to learn from in {folder}; folders with composite.png, line.png, flat.png, "
            f"highlight.png and shadow.png, or PSD files with layers of such names, are needed: name the folder that "
            f"holds them."
        )
    return [whole[path] for path in sorted(whole)]


def _in_folder(folder: Path) -> FiveTuple:
    files = {path.stem.lower(): path.name for path in folder.glob("*.png")}
    return FiveTuple(folder, _matched(files), {})


def _in_psd(path: Path) -> FiveTuple:
    from psd_tools import PSDImage

    layers = {str(layer.name).rstrip("\0"): layer.blend_mode.name for layer in PSDImage.open(path).descendants()}
    found = _matched({name.lower(): name for name in layers}) | {"composite": ""}
    return FiveTuple(path, found, {name: layers[layer] for name, layer in found.items() if layer})


def _matched(there: dict[str, str]) -> dict[str, str]:
    """Frame -> the name that stands for it, of names keyed by their lower case."""
    first = ((name, [there[word] for word in words if word in there]) for name, words in NAMES.items())
    return {name: matches[0] for name, matches in first if matches}


def _laid_normally(frames: dict[str, FloatImage], blends: dict[str, str]) -> dict[str, FloatImage]:
    """Shadow and light as result colours: a Multiply or Screen layer's colour is what it makes of what is below."""
    base = frames["flat"][..., :3]
    normal = dict(frames)
    for name in ("shadow", "light"):
        if name not in frames:
            continue
        color, alpha = frames[name][..., :3], frames[name][..., 3:]
        if blends.get(name) == "MULTIPLY":
            color = base * color
        elif blends.get(name) == "SCREEN":
            color = 1 - (1 - base) * (1 - color)
        normal[name] = np.concatenate([color, alpha], axis=2)
        base = color * alpha + base * (1 - alpha)
    return normal


def _fitted(frame: FloatImage | None, width: int, height: int) -> NDArray[Any]:
    canvas = Image.new("RGBA", (width, height))
    if frame is None:
        return np.asarray(canvas)
    picture = Image.fromarray(quantized(frame, 8), "RGBA" if frame.shape[2] == 4 else None)
    scale = min(width / picture.width, height / picture.height)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    small = picture if size == picture.size else picture.resize(size, Image.Resampling.LANCZOS)  # weighs by alpha
    canvas.paste(small, ((width - size[0]) // 2, (height - size[1]) // 2))
    return np.asarray(canvas)
