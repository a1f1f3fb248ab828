"""The commands about the library of characters: add, list, remove. Knows how they look on a terminal."""

import argparse
import json
import sys
from dataclasses import asdict

from celwright import installed
from celwright.imaging.files import read_picture
from celwright.imaging.palettes import read_palette


def add(options: argparse.Namespace) -> None:
    """Keep a character; prints where it lies."""
    image, _ = read_picture(options.image)
    mask = None if options.mask is None else read_picture(options.mask)[0]
    palette = None if options.palette is None else read_palette(options.palette)
    print(installed.library().add(options.name, image, mask, palette, force=options.force))


def list_characters(options: argparse.Namespace) -> None:
    """Print every character, one a line."""
    found = list(installed.library().characters())
    if options.json:
        print(json.dumps([asdict(character) for character in found]))
        return
    for character in found:
        has = [what for what in ("mask", "palette") if getattr(character, what)]
        size = f"{character.width}x{character.height}"
        print(f"{character.name:<24} {size:>11}  {', '.join(has)}".rstrip())


def remove(options: argparse.Namespace) -> None:
    """Delete a character; names the files that somebody else put into its folder, which stay."""
    for path in installed.library().remove(options.name):
        print(f"celwright: {path} stays; Celwright did not put it there.", file=sys.stderr)
