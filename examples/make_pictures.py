"""Make the pictures of the README: run its seven examples and keep what they show in docs/pictures.

Run it as ``python examples/make_pictures.py``; results other than those pictures go to out/.
"""

import shlex
import subprocess
import sys
from pathlib import Path

import cv2
from gallery_sheets import Sheet
from PIL import Image

ROOT = Path(__file__).parent.parent
SHOWN = ROOT / "docs" / "pictures"

EXAMPLES = {
    "decompose": "decompose examples/fox.png -o out/fox.psd --contact-sheet out/decompose.png",
    "segment": "segment examples/fox-line.png -o out/fox-ids.png --preview out/regions.png --leaks out/segment.png",
    "hints": "colorize examples/fox-line.png --hints examples/fox-hints.png --palette examples/fox.gpl"
    " -o out/fox-hints.psd --contact-sheet out/hints.png",
    "flatting": "colorize examples/fox-line.png --palette flatting -o out/fox-flatting.ora"
    " --contact-sheet out/flatting.png",
    "night": "colorize examples/fox-line.png --hints examples/fox-night-hints.png"
    " --context examples/fox.png --lock examples/fox-eyes.png -o out/fox-night.psd --contact-sheet out/night.png",
    "reference": "colorize examples/fox-leaning-line.png --reference examples/fox.png"
    " -o out/fox-leaning.psd --contact-sheet out/reference.png",
    "variations": "colorize examples/fox-line.png --palette auto --variations 4"
    " -o out/fox-auto.psd --layers-dir out/fox-auto",
}


def main() -> None:
    SHOWN.mkdir(parents=True, exist_ok=True)
    (ROOT / "out").mkdir(exist_ok=True)
    for name, command in EXAMPLES.items():
        print(f"$ celwright {command}")
        subprocess.run([sys.executable, "-m", "celwright", *shlex.split(command), "--force"], cwd=ROOT, check=True)
        if name == "variations":
            _variations()
            continue
        if name == "segment":
            regions, leaks = (cv2.imread(str(ROOT / "out" / f"{kind}.png")) for kind in ("regions", "segment"))
            cv2.imwrite(str(ROOT / "out" / "segment.png"), cv2.hconcat([regions, leaks]))
        small = cv2.imread(str(ROOT / "out" / f"{name}.png"))
        scale = min(1.0, 1200 / small.shape[1])
        cv2.imwrite(
            str(SHOWN / f"{name}.png"), cv2.resize(small, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        )


def _variations() -> None:
    sheet = Sheet(5, 232)
    sheet.add("line art", Image.open(ROOT / "examples" / "fox-line.png"))
    for number in range(1, 5):
        end = "" if number == 1 else f"-{number}"
        sheet.add(f"variation {number}", Image.open(ROOT / "out" / "fox-auto" / f"composite{end}.png"))
    sheet.save(SHOWN / "variations.webp")


if __name__ == "__main__":
    main()
