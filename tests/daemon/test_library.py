"""Claims about the library of characters: plain files, nothing overwritten, every fault a sentence."""

from pathlib import Path

import numpy as np
import pytest
from celwright.domain import Palette, Pixels
from celwright.errors import WrongUsageError
from celwright.imaging.palettes import read_palette
from celwright.library import Character, Library

COLORS = np.array([[250, 214, 196], [0, 7, 255]], np.uint8)


def image(shade: int = 90, depth: int = 8) -> Pixels:
    kind = np.uint8 if depth == 8 else np.uint16
    return Pixels(np.full((12, 16, 4), shade * (1 if depth == 8 else 257), kind))


def mask() -> Pixels:
    data = np.zeros((12, 16, 3), np.uint8)
    data[2:10, 3:12] = 255
    return Pixels(data)


@pytest.mark.parametrize("depth", [8, 16])
def test_a_character_comes_back_as_it_was_kept(depth: int, tmp_path: Path) -> None:
    library = Library(tmp_path / "celwright")
    folder = library.add("Mia", image(depth=depth), mask(), Palette("Mia's", COLORS))
    assert folder == tmp_path / "celwright" / "library" / "Mia"
    assert sorted(path.name for path in folder.iterdir()) == ["image.png", "mask.png", "palette.gpl"]
    kept = library.reference("Mia")
    assert np.array_equal(kept.image.data, image(depth=depth).data)
    assert kept.mask is not None
    assert np.array_equal(kept.mask.coverage(), mask().coverage())
    assert library.palette("Mia").name == "Mia's"
    assert np.array_equal(library.palette("Mia").colors, COLORS)
    assert list(library.characters()) == [Character("Mia", 16, 12, mask=True, palette=True)]


def test_an_empty_or_missing_folder_is_an_empty_library(tmp_path: Path) -> None:
    assert Library(tmp_path / "nowhere").names() == []


def test_characters_are_listed_in_order_whatever_their_case(tmp_path: Path) -> None:
    library = Library(tmp_path)
    for name in ("bo", "Ann", "Česká", "ann 2"):
        library.add(name, image())
    (tmp_path / "library" / "no picture").mkdir()
    assert library.names() == ["Ann", "ann 2", "bo", "Česká"]


def test_a_character_that_is_there_stays_unless_forced(tmp_path: Path) -> None:
    library = Library(tmp_path)
    library.add("Mia", image(1), mask(), Palette("p", COLORS))
    with pytest.raises(WrongUsageError) as raised:
        library.add("Mia", image(2))
    assert str(raised.value) == (
        "The library holds a character 'Mia' already; use --force to replace it or choose another name."
    )
    assert library.reference("Mia").image.data[0, 0, 0] == 1
    library.add("Mia", image(2), force=True)
    assert library.reference("Mia").image.data[0, 0, 0] == 2
    assert [path.name for path in (tmp_path / "library").rglob("*")] == ["Mia", "image.png"]


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "a\\b", "a:b", ".a", "a.", "a ", "x" * 81, "a\n"])
def test_a_name_that_cannot_be_a_folder_s_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(WrongUsageError) as raised:
        Library(tmp_path / "home").add(name, image())
    assert str(raised.value) == (
        f"{name!r} cannot be a character's name, which is a folder's too; 1 to 80 letters, digits and blanks are "
        f'allowed, but none of < > : " / \\ | ? *, no dot in front or at the end: choose another.'
    )
    assert list(tmp_path.iterdir()) == []


def test_a_mask_of_another_size_is_refused_and_nothing_is_left_behind(tmp_path: Path) -> None:
    with pytest.raises(WrongUsageError) as raised:
        Library(tmp_path).add("Mia", image(), Pixels(np.zeros((9, 16, 1), np.uint8)))
    assert str(raised.value) == (
        "A reference mask is 16x9 pixels, its picture 16x12; both must match: export the mask with the whole picture."
    )
    assert list(tmp_path.iterdir()) == []


def test_removing_takes_our_files_and_leaves_others(tmp_path: Path) -> None:
    library = Library(tmp_path)
    library.add("Mia", image(), mask())
    library.add("Bo", image())
    (tmp_path / "library" / "Mia" / "notes.txt").write_text("hers")
    assert library.remove("Bo") == []
    assert not (tmp_path / "library" / "Bo").exists()
    assert library.remove("Mia") == [tmp_path / "library" / "Mia" / "notes.txt"]
    assert library.names() == []


@pytest.mark.parametrize("name", ["Bo", "..", "../library/Mia"])
def test_an_unknown_character_is_named_with_those_that_are_there(name: str, tmp_path: Path) -> None:
    library = Library(tmp_path)
    library.add("Mia", image())
    for asked in (library.reference, library.remove):
        with pytest.raises(WrongUsageError) as raised:
            asked(name)
        assert str(raised.value) == (
            f"There is no character {name!r} in the library (Mia); add it with 'celwright library add'."
        )
    assert library.names() == ["Mia"]


def test_a_saved_palette_goes_before_a_character_s(tmp_path: Path) -> None:
    library = Library(tmp_path)
    library.add("Mia", image(), palette=Palette("own", COLORS))
    (tmp_path / "palettes").mkdir()
    (tmp_path / "palettes" / "Night.gpl").write_text("GIMP Palette\nName: Night\n#\n1 2 3\n")
    assert library.palette("Night").colors.tolist() == [[1, 2, 3]]
    assert library.palette("Mia").name == "own"
    (tmp_path / "palettes" / "Mia.gpl").write_text("GIMP Palette\n#\n9 9 9\n")
    assert library.palette("Mia").colors.tolist() == [[9, 9, 9]]


@pytest.mark.parametrize("name", ["Day", "../palettes/Night"])
def test_an_unknown_palette_is_named_with_those_that_are_there(name: str, tmp_path: Path) -> None:
    library = Library(tmp_path)
    library.add("Mia", image(), palette=Palette("own", COLORS))
    library.add("Bo", image())
    (tmp_path / "palettes").mkdir()
    (tmp_path / "palettes" / "Night.gpl").write_text("GIMP Palette\n1 2 3\n")
    with pytest.raises(WrongUsageError) as raised:
        library.palette(name)
    assert str(raised.value) == (
        f"There is no palette {name!r}, neither as a file nor in the library (Mia, Night); name a palette file, "
        f"'flatting' or 'auto', or add the palette to the library."
    )


def test_a_palette_s_name_is_one_line_in_its_file(tmp_path: Path) -> None:
    Library(tmp_path).add("Mia", image(), palette=Palette("two\nlines", COLORS))
    palette = read_palette(tmp_path / "library" / "Mia" / "palette.gpl")
    assert palette.name == "two lines"
    assert np.array_equal(palette.colors, COLORS)
