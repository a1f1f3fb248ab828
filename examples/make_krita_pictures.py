"""Make pictures and figures of docs/krita.md in a real Krita: ``python examples/make_krita_pictures.py [SCENE ...]``.

Needs Krita and Xvfb (installers/test.sh installs them). Plays examples/krita/scenes.py with the harness of tests/krita,
keeps the pictures in docs/pictures, each below 150 kB, and prints the figures.
"""

import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parent.parent
SHOWN = ROOT / "docs" / "pictures"
LIMIT = 150_000  # bytes
WIDEST = 1200  # px

sys.path.insert(0, str(ROOT / "tests" / "krita"))
import window  # noqa: E402


def keep(source: Path) -> None:
    """As it is where that is small enough; else narrower, then with fewer colours."""
    picture = Image.open(source).convert("RGB")
    target = SHOWN / source.name
    if picture.width > WIDEST:
        picture = picture.resize((WIDEST, round(picture.height * WIDEST / picture.width)), Image.Resampling.LANCZOS)
    for colors in (0, 256, 128, 64):
        shown = picture.quantize(colors, dither=Image.Dither.NONE) if colors else picture
        shown.save(target, optimize=True)
        if target.stat().st_size <= LIMIT:
            break
    print(f"{target.relative_to(ROOT)}: {picture.width}x{picture.height}, {target.stat().st_size // 1000} kB")


def main() -> None:
    if window.MISSING:
        sys.exit(f"{' and '.join(window.MISSING)} must be installed first: bash installers/test.sh does it.")
    with tempfile.TemporaryDirectory() as folder, window.screen() as display:
        home = window.make_home(Path(folder) / "home")
        scenes = ROOT / "examples" / "krita" / "scenes.py"
        wanted = " ".join(sys.argv[1:])
        krita = window.Krita(home, display, scenes, CELWRIGHT_EXAMPLES=ROOT / "examples", CELWRIGHT_TEST_ONLY=wanted)
        try:
            played = krita.wait(600)
        finally:
            krita.kill()
        for name, end in played.ends.items():
            if end["fault"] is not None:
                sys.exit(f"{name}: {end['fault']}")
            for what, seconds in end["facts"].items():
                print(f"{what}: {seconds}")
        for source in sorted(home.glob("krita-*.png")):
            keep(source)


if __name__ == "__main__":
    main()
