"""Claims about palette files: what is read, and the sentence for each fault."""

import contextlib
import json
import struct
from pathlib import Path

import numpy as np
import pytest
from celwright.errors import UnusableInputError, WrongUsageError
from celwright.imaging.palettes import read_palette
from hypothesis import given, settings
from hypothesis import strategies as st

color = st.tuples(*[st.integers(0, 255)] * 3)
palettes = st.lists(color, min_size=1, max_size=40, unique=True)
KINDS = "a GIMP palette (.gpl), an Adobe swatch exchange (.ase), JSON, or lines of #rrggbb"


def written(folder: Path, content: str | bytes, name: str = "p") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def ase(*swatches: tuple[str, str, tuple[float, ...]]) -> bytes:
    blocks = [struct.pack(">HI", 0xC001, 6) + struct.pack(">H", 2) + "G\0".encode("utf-16-be")]
    for name, model, parts in swatches:
        title = f"{name}\0".encode("utf-16-be")
        body = struct.pack(">H", len(title) // 2) + title + model.encode().ljust(4)
        body += struct.pack(f">{len(parts)}fH", *parts, 2)
        blocks.append(struct.pack(">HI", 1, len(body)) + body)
    blocks.append(struct.pack(">HI", 0xC002, 0))
    return b"ASEF" + struct.pack(">HHI", 1, 0, len(blocks)) + b"".join(blocks)


@settings(max_examples=30, deadline=None)
@given(palettes, st.sampled_from(["gpl", "ase", "json", "json numbers", "json object", "hex"]))
def test_every_kind_gives_back_the_colours_in_order(tmp_path_factory, colors: list, kind: str) -> None:
    hexes = [f"#{r:02x}{g:02X}{b:02x}" for r, g, b in colors]
    content: str | bytes = {
        "gpl": "GIMP Palette\nName: Night\nColumns: 4\n# by hand\n"
        + "".join(f"{r:3} {g:3} {b:3}\tUntitled 7\n" for r, g, b in colors),
        "ase": ase(*(("s", "RGB", tuple(part / 255 for part in c)) for c in colors)),
        "json": json.dumps(hexes),
        "json numbers": json.dumps(colors),
        "json object": json.dumps({"name": "Night", "colors": hexes}),
        "hex": "; comment\n// comment\n# comment\n\n" + "\r\n".join(hexes),
    }[kind]
    palette = read_palette(written(tmp_path_factory.mktemp("p"), content, "dusk.any"))
    assert palette.colors.tolist() == [list(c) for c in colors]
    assert palette.colors.dtype == np.uint8
    assert palette.name == ("Night" if kind in ("gpl", "json object") else "dusk")


def test_repeated_colours_are_kept_once_and_three_digits_are_enough(tmp_path: Path) -> None:
    assert read_palette(written(tmp_path, "f80\n#ff8800\n00F\n")).colors.tolist() == [[255, 136, 0], [0, 0, 255]]


def test_grey_and_lab_swatches_are_converted(tmp_path: Path) -> None:
    content = ase(("g", "Gray", (0.5,)), ("white", "LAB", (1.0, 0.0, 0.0)), ("red", "LAB", (0.5324, 80.09, 67.2)))
    colors = read_palette(written(tmp_path, content)).colors.astype(int)
    assert np.abs(colors - [[128, 128, 128], [255, 255, 255], [255, 0, 0]]).max() <= 1


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "is empty; add at least one colour"),
        (b"  \n\t\n", "is empty; add at least one colour"),
        (b"; nothing here\n", "holds no colour; add at least one"),
        (b"GIMP Palette\nName: x\n", "holds no colour; add at least one"),
        (b"[]", "holds no colour; add at least one"),
        (b"ASEF\0\1\0\0\0\0\0\0", "holds no colour; add at least one"),
        (b"\x89PNG\r\n\x1a\n\0\0", f"is of an unknown kind; {KINDS} is allowed: export it as one of these"),
        (b"abc\0def", f"is of an unknown kind; {KINDS} is allowed: export it as one of these"),
        (b"Dear reader,\n", f"is of an unknown kind; {KINDS} is allowed: export it as one of these"),
        (
            b"#ff0000\n\n#12345\n",
            "has '#12345' in line 3; one '#rrggbb' a line is allowed: correct that line",
        ),
        (
            b"GIMP Palette\n#\n1 2 3 fine\n1 2 256 not\n",
            "has '1 2 256 not' in line 4; three numbers from 0 to 255 and a name are allowed: correct that line",
        ),
        (
            b"GIMP Palette\nred\n",
            "has 'red' in line 2; three numbers from 0 to 255 and a name are allowed: correct that line",
        ),
        (b'["#ff0000",\n', "is not valid JSON in line 2; check its brackets, commas and quotes"),
        (b"[" * 100_000, "is not valid JSON; check its brackets, commas and quotes"),
        (
            b'{"name": "x"}',
            "has no list of colours; a list, or an object with 'colors', is allowed: add one",
        ),
        (
            b'["#ff0000", [1, 2, 3.5]]',
            "has [1, 2, 3.5] as colour 2; '#rrggbb' or three whole numbers from 0 to 255 are allowed: "
            "correct that entry",
        ),
        (
            b"[[true, 0, 0]]",
            "has [true, 0, 0] as colour 1; '#rrggbb' or three whole numbers from 0 to 255 are allowed: "
            "correct that entry",
        ),
        (
            ase(("ink", "CMYK", (0, 0, 0, 1))),
            "has the colour 'ink' in the model 'CMYK', which means nothing on a screen without a printer's profile; "
            "RGB, LAB and Gray are allowed: convert the swatches to RGB",
        ),
        (
            ase(("nan", "RGB", (float("nan"), 0, 0))),
            "has the colour 'nan' with a part that is no number; export it again",
        ),
        (ase(("cut", "RGB", (0, 0, 0)))[:-12], "ends in the middle of a colour block; export it again"),
        (ase(("cut", "RGB", (0, 0, 0)))[:10], "ends in the middle of a colour block; export it again"),
    ],
)
def test_each_fault_has_its_sentence(tmp_path: Path, content: bytes, fault: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(UnusableInputError) as raised:
        read_palette(path)
    assert str(raised.value) == f"The palette {path} {fault}."


def test_a_missing_file_a_folder_and_a_large_file_are_refused(tmp_path: Path) -> None:
    missing = tmp_path / "missing.gpl"
    with pytest.raises(WrongUsageError) as raised:
        read_palette(missing)
    assert str(raised.value) == f"The palette {missing} does not exist; check its path."
    with pytest.raises(WrongUsageError) as raised:
        read_palette(tmp_path)
    assert str(raised.value) == f"The palette {tmp_path} is a folder; name a palette file."
    large = written(tmp_path, b"#ffffff\n" * 600_000)
    with pytest.raises(UnusableInputError) as unusable:
        read_palette(large)
    assert str(unusable.value) == (f"The palette {large} has 4.8 MB; at most 4.2 MB are allowed: is it a palette file?")


def test_a_palette_of_too_many_colours_is_refused(tmp_path: Path) -> None:
    many = written(tmp_path, "\n".join(f"{i:06x}" for i in range(4097)), "many.hex")
    with pytest.raises(WrongUsageError) as raised:
        read_palette(many)
    assert str(raised.value) == "The palette 'many' holds 4097 colours; 1 to 4096 RGB colours are allowed."


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=80).map(lambda tail: b"ASEF\0\1\0\0" + tail) | st.binary(max_size=80) | st.text(max_size=80))
def test_no_bytes_at_all_lead_to_another_kind_of_error(tmp_path_factory, content: bytes | str) -> None:
    path = written(tmp_path_factory.mktemp("p"), content)
    with contextlib.suppress(UnusableInputError):
        assert len(read_palette(path).colors) > 0
