"""Make the pictures of docs/decompose.md and docs/colorize.md: ``python examples/make_gallery.py DIR``.

``DIR`` holds the folders morevna, renpy and kaykit_render, whose origins the two pages name. Every result comes from
the command line as the pages print it and lies in out/gallery afterwards; the sheets go to docs/pictures.
"""

import json
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from celwright.domain import Pixels
from celwright.layers import NAMES, LayerStack, compose
from celwright.training.broken_lines import broken
from gallery_edits import recolored, relit, textured
from gallery_sheets import GAIN, WHOLE, Crop, Sheet, error_map, from_floats
from PIL import Image, ImageDraw

ROOT = Path(__file__).parent.parent
OUT = Path("out/gallery")
SHOWN = ROOT / "docs" / "pictures"
FOLDERS = ("morevna", "renpy", "kaykit_render")


@dataclass(frozen=True)
class Drawing:
    """A finished picture: what of it is shown, and the edits: which colour becomes which, the print's pattern."""

    path: str
    crop: Crop
    picked: str
    wanted: str
    reach: float  # distance in CIE Lab
    pattern: str
    period: float  # px


DECOMPOSED = {
    "sylvie": Drawing("renpy/sylvie green smile.png", (0.02, 0, 0.98, 0.68), "#b5f09a", "#d9a0f0", 40, "dots", 16),
    "lucy": Drawing("renpy/lucy mad.png", (0, 0.12, 1, 0.8), "#dff7dd", "#ffc9d2", 12, "checks", 24),
    "eileen": Drawing("renpy/eileen happy.png", (0.05, 0, 0.95, 0.55), "#6f86ad", "#5f9a6a", 17, "stripes", 14),
    "saha": Drawing("morevna/sample.male_head-45-left/composite.png", WHOLE, "#e0ca78", "#a8462a", 24, "stripes", 24),
    "barbarian": Drawing("kaykit_render/1035/composite.png", (0.05, 0, 0.9, 1), "#9cc4f8", "#f2b48c", 17, "dots", 26),
}
DUSK = (1.2, 1.8, 0.6)  # the shadow's lightness to these powers: violet

SKIN, HAIR, PAPER = "#f4ba9c", "#e0c878", "#ffffff"
SIDE = "morevna/sample.male_00-saha-side"
DOTS = [(335, 260, SKIN), (420, 80, HAIR), (260, 150, PAPER), (180, 900, PAPER)]
ONE_MORE = (235, 790, SKIN)

FRONT = "morevna/sample.male_00-saha-front"
VARIATIONS = 5
VARIED = {
    "sita": "DIR/morevna/sita_00-sita-front/line.png",
    "saha": f"DIR/{FRONT}/line.png",
    "fox": "examples/fox-line.png",
}
WORN = {"sita_00-sita-front": 5, "sample.male_00-saha-front": 2}  # pages of morevna, and how their lines are broken
SKIN_DOTS = [(376, 190, SKIN), (86, 815, SKIN), (666, 815, SKIN)]


class Gallery:
    """Commands run and what came of them."""

    def __init__(self, source: Path) -> None:
        self._source = source

    def picture(self, path: str | Path) -> Image.Image:
        """One of the source's, of the results (out/...), or of the examples (examples/...)."""
        ours = Path(path).parts[0] in {"out", "examples"}
        return Image.open((ROOT if ours else self._source) / path).convert("RGBA")

    def run(self, command: str) -> dict[str, Any]:
        """The command as the pages print it, DIR standing for the source; what it says of its result."""
        print(f"$ celwright {command}", flush=True)
        words = [word.replace("DIR/", f"{self._source}/") for word in shlex.split(command)]
        full = [sys.executable, "-m", "celwright", *words, "--force", "--json", "--quiet"]
        said: dict[str, Any] = json.loads(subprocess.run(full, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
        return said

    def decomposed(self, name: str, drawing: Drawing) -> None:
        folder = OUT / name
        path = shlex.quote(f"DIR/{drawing.path}")
        error = self.run(f"decompose {path} -o {folder}.psd --layers-dir {folder}")["recomposition"]
        layers = {layer: self.picture(folder / f"{layer}.png") for layer in (*NAMES, "composite")}
        picture, stack = self.picture(drawing.path), _stack(layers)
        like = drawing.picked, drawing.reach
        edits = {
            "edit: the flat recoloured": recolored(stack, drawing.picked, drawing.wanted, drawing.reach),
            "edit: the shadow's hue": relit(stack, DUSK),
            "edit: a print under the shadow": textured(stack, *like, drawing.pattern, drawing.period),
        }
        sheet = Sheet(5, 300)
        for title, image in {"input": picture, **layers}.items():
            sheet.add(title.replace("composite", "recomposition"), image, drawing.crop)
        measured = f"error x {GAIN}: {error['psnr']:.1f} dB, largest {error['max']:.0f}/255"
        sheet.add(measured, error_map(picture, layers["composite"]), drawing.crop)
        for title, edited in edits.items():
            sheet.add(title, from_floats(compose(edited)), drawing.crop)
        sheet.save(SHOWN / f"decompose-{name}.webp")

    def colored(self, name: str, line: str, options: str) -> dict[str, Image.Image]:
        """The layers of a coloured line drawing, and what happened on the way as ``stages/...``."""
        folder = OUT / name
        self.run(f"colorize {line} {options} -o {folder}.psd --layers-dir {folder} --stages-dir {folder}-stages")
        found = {layer: self.picture(folder / f"{layer}.png") for layer in (*NAMES, "composite")}
        for stage in ("regions", "hints", "proposal"):
            if "--hints" in options or stage != "hints":
                found[f"stages/{stage}"] = self.picture(f"{folder}-stages/{stage}.png")
        return found

    def from_sprite(self, name: str, reference: str, crop: Crop) -> None:
        """Line art that ``decompose`` found in a finished picture, coloured by another picture of the same figure."""
        line = f"{OUT}/{name}/line.png"
        found = self.colored(f"{name}-colored", line, f"--reference {shlex.quote(f'DIR/{reference}')}")
        sheet = Sheet(5, 300)
        sheet.add("line art", self.picture(line), crop)
        sheet.add("reference", self.picture(reference), crop)
        sheet.add("result: flat", found["flat"], crop)
        sheet.add("result", found["composite"], crop)
        sheet.add("the artist's picture", self.picture(DECOMPOSED[name].path), crop)
        sheet.save(SHOWN / f"colorize-{name}.webp")

    def layers(self, name: str, drawing: str) -> None:
        """The four layers of line art that was coloured by a reference, and all together."""
        sheet = Sheet(5, 240)
        sheet.add("line art", self.picture(f"{drawing}/line.png"))
        for layer in (*NAMES[1:], "composite"):
            image = self.picture(OUT / name / f"{layer}.png")
            if layer == "highlight":
                image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image)
            sheet.add("highlight, on black" if layer == "highlight" else layer, image)
        sheet.save(SHOWN / "colorize-layers.webp")

    def varied(self) -> None:
        """Line art that nothing but its lines says anything of, in several palettes; then one with its skin said."""
        sheet, hinted = Sheet(1 + VARIATIONS, 190), Sheet(1 + VARIATIONS, 190)
        for name, line in VARIED.items():
            sheet.add("line art", self.picture(line.removeprefix("DIR/")))
            self._variations(name, line, sheet)
        sheet.save(SHOWN / "colorize-variations.webp")
        art = self.picture(f"{FRONT}/line.png")
        _dots(art.size, SKIN_DOTS).save(ROOT / OUT / "skin.png")
        ringed = Image.alpha_composite(art, _dots(art.size, SKIN_DOTS, "#202020"))
        hinted.add(f"{len(SKIN_DOTS)} dots (ringed here)", ringed)
        self._variations("saha-skin", f"{VARIED['saha']} --hints {OUT}/skin.png", hinted)
        hinted.save(SHOWN / "colorize-variations-hints.webp")

    def _variations(self, name: str, line: str, sheet: Sheet) -> None:
        folder = OUT / f"{name}-varied"
        self.run(f"colorize {line} --palette auto --variations {VARIATIONS} -o {folder}.psd --layers-dir {folder}")
        for number in range(1, VARIATIONS + 1):
            end = "" if number == 1 else f"-{number}"
            sheet.add(f"variation {number}", self.picture(folder / f"composite{end}.png"))

    def from_layers(self, name: str, pairs: list[tuple[str, str]]) -> None:
        """Line art of its artist, coloured by another view, beside the artist's own flats; a row a pair."""
        sheet = Sheet(5, 240)
        for number, (drawing, reference) in enumerate(pairs, 1):
            options = f"--reference DIR/{reference}/composite.png"
            found = self.colored(f"{name}-{number}", f"DIR/{drawing}/line.png", options)
            sheet.add("line art", self.picture(f"{drawing}/line.png"))
            sheet.add("reference", self.picture(f"{reference}/composite.png"))
            sheet.add("result: flat", found["flat"])
            sheet.add("result", found["composite"])
            sheet.add("the artist's flat", self.picture(f"{drawing}/flat.png"))
        sheet.save(SHOWN / f"colorize-{name}.webp")

    def worn(self) -> None:
        """Lines that were broken on purpose, what completes them, and the regions of both and of the whole lines."""
        sheet = Sheet(4, 300)
        for name, seed in WORN.items():
            line = self.picture(f"morevna/{name}/line.png")
            broken_art = line.copy()
            broken_art.putalpha(Image.fromarray(broken(np.random.default_rng(seed), np.asarray(line)[..., 3])))
            broken_art.save(ROOT / OUT / f"{name}-worn.png")
            worn = self.colored(f"{name}-worn", f"{OUT}/{name}-worn.png", "--palette flatting")
            whole = self.colored(f"{name}-whole", f"DIR/morevna/{name}/line.png", "--palette flatting")
            sheet.add("worn line art", broken_art)
            sheet.add(
                "completed: what was added in red",
                _added(broken_art, self.picture(f"{OUT}/{name}-worn-stages/lines.png")),
            )
            sheet.add("its regions", worn["composite"])
            sheet.add("regions of the whole lines", whole["composite"])
        sheet.save(SHOWN / "colorize-worn.webp")

    def hinted(self) -> None:
        """A reference, then dots, then one dot more; and the stages of the last."""
        line, reference = f"{SIDE}/line.png", f"{FRONT}/composite.png"
        sheet, stages = Sheet(4, 300), Sheet(4, 300)
        crop = (0, 0, 1, 0.72)
        art = self.picture(line)
        results = []
        for name, dots in {"dots": DOTS, "one-more": [*DOTS, ONE_MORE]}.items():
            hints = _dots(art.size, dots)
            hints.save(ROOT / OUT / f"{name}.png")
            options = f"--reference DIR/{reference} --hints {OUT}/{name}.png"
            results.append(self.colored(f"side-{name}", f"DIR/{line}", options))
            sheet.add(
                f"{len(dots)} dots (ringed here)", Image.alpha_composite(art, _dots(art.size, dots, "#202020")), crop
            )
            sheet.add("result", results[-1]["composite"], crop)
        sheet.save(SHOWN / "colorize-hints.webp")
        last = results[-1]
        for stage, title in {
            "regions": "stages: regions",
            "hints": "stages: hints as understood",
            "proposal": "stages: proposal",
        }.items():
            stages.add(title, last[f"stages/{stage}"], crop)
        stages.add("result: flat", last["flat"], crop)
        stages.save(SHOWN / "colorize-stages.webp")


def _stack(layers: dict[str, Image.Image]) -> LayerStack:
    return LayerStack(*(Pixels(np.asarray(layers[name])) for name in NAMES))


def _added(drawn: Image.Image, completed: Image.Image) -> Image.Image:
    """The completed lines, red where ``drawn`` has none."""
    was, now = (np.asarray(image)[..., 3:].astype(np.float32) / 255 for image in (drawn, completed))
    red = np.float32((1, 0.1, 0.1)) * np.maximum(now - was, 0)
    return from_floats(np.dstack([red / np.maximum(now, 1e-3), now]))


def _dots(size: tuple[int, int], dots: list[tuple[int, int, str]], ring: str | None = None) -> Image.Image:
    hints = Image.new("RGBA", size)
    pen = ImageDraw.Draw(hints)
    for x, y, color in dots:
        pen.ellipse((x - 9, y - 9, x + 9, y + 9), fill=color, outline=ring, width=3 if ring else 0)
    return hints


def main() -> None:
    source = Path(sys.argv[1]).resolve() if len(sys.argv) == 2 else None
    if source is None or not all((source / folder).is_dir() for folder in FOLDERS):
        sys.exit(f"Give one folder that holds {', '.join(FOLDERS)}: python examples/make_gallery.py DIR.")
    (ROOT / OUT).mkdir(parents=True, exist_ok=True)
    gallery = Gallery(source)
    for name, drawing in DECOMPOSED.items():
        gallery.decomposed(name, drawing)
    gallery.from_sprite("sylvie", "renpy/sylvie green normal.png", DECOMPOSED["sylvie"].crop)
    gallery.from_sprite("lucy", "renpy/lucy happy.png", (0, 0.06, 1, 0.8))
    front, side = "morevna/sample.male_head-0", SIDE
    heads = [(f"morevna/sample.male_head-{view}-left", front) for view in (45, 90)]
    gallery.from_layers("views", [*heads, (side, FRONT), (heads[0][0], FRONT)])
    gallery.hinted()
    gallery.layers("views-1", heads[0][0])
    gallery.varied()
    gallery.worn()


if __name__ == "__main__":
    main()
