"""Colorize: hints, locks, palettes, references, variations, leaks, and the character library."""

from __future__ import annotations

import os
import shutil

import pytest
from celwright_krita import domain
from celwright_krita.canvas import Rect
from celwright_krita.pixels import Pixels
from celwright_krita.state import ColorizeOptions
from fake_canvas import FakeCanvas, FakeLayer, cut, mask, painted


def rgba(layer: FakeLayer) -> bytes:
    data = bytearray(layer.data)
    data[0::4], data[2::4] = layer.data[2::4], layer.data[0::4]
    return bytes(data)


def picture(width: int = 10, height: int = 9, channels: int = 4, seed: int = 0) -> Pixels:
    return Pixels(
        bytes((place * 7 + seed) % 256 for place in range(width * height * channels)), width, height, channels
    )


def test_every_option_reaches_the_daemon(bench):
    ink, dots = painted("ink"), painted("dots", seed=2)
    bench = bench(FakeCanvas(layers=(dots, ink)))
    bench.canvas.icc = b"profile"
    bench.canvas.mask = mask(2, 3, 4, 5, value=9)
    options = ColorizeOptions(
        line_art=ink.id, hints=dots.id, palette="Sunset", unhinted="transparent", gap=3, shading=False, light=0, seed=5,
        variations=2, steps=4, model="big",
    )  # fmt: skip
    bench.session.colorize(options)
    bench.finish()
    assert bench.sentence == ""
    (request,) = bench.script.requests
    for name in ("unhinted", "gap", "shading", "light", "seed", "variations", "steps", "model"):
        assert getattr(request, name) == getattr(options, name)
    assert (bytes(request.line_art.data), request.line_art.icc) == (rgba(ink), b"profile")
    assert bytes(request.hints.data) == rgba(dots)
    assert bytes(request.selection.data) == cut(bytes([9]) * 20, Rect(2, 3, 4, 5), Rect(0, 0, 24, 16), 1)
    assert (request.palette.name, request.palette.colors) == ("Sunset", bytes(range(6)))
    assert (request.lock, request.context, request.references) == (None, None, ())
    assert bench.canvas.top[1].name.startswith("Colorize – ")


@pytest.mark.parametrize(("palette", "sent"), [("auto", "auto"), ("flatting", "flatting"), ("", None)])
def test_palettes_without_colours_are_sent_by_name(bench, palette, sent):
    bench = bench()
    bench.session.colorize(ColorizeOptions(palette=palette))
    bench.finish()
    assert bench.script.requests[0].palette == sent


def test_only_the_changed_image_is_sent_again(bench):
    ink, dots = painted("ink"), painted("dots", seed=2)
    bench = bench(FakeCanvas(layers=(dots, ink)))
    options = ColorizeOptions(line_art=ink.id, hints=dots.id)
    sent = []
    for _ in range(3):
        before = bench.script.sent
        bench.session.colorize(options)
        bench.finish()
        sent.append(bench.script.sent - before)
        if len(sent) == 2:
            dots.data = painted("dots", seed=4).data
            sent[1:2] = [sent[1]]
    size = 24 * 16 * 4
    assert sent == [2 * size, 0, size]


def test_a_lock_goes_by_how_opaque_it_is_and_keeps_the_newest_flat(bench):
    ink = painted("ink")
    black = FakeLayer("keep", bytes([0, 0, 0, 255]) * 24 * 8 + bytes(24 * 8 * 4), Rect(0, 0, 24, 16))
    bench = bench(FakeCanvas(layers=(black, ink)))
    bench.session.colorize(ColorizeOptions(line_art=ink.id))
    bench.finish()
    flat = bench.canvas.named("flat")
    flat.data = painted("mine", seed=8).data  # the artist has painted on it
    bench.session.colorize(ColorizeOptions(line_art=ink.id, lock=black.id))
    bench.finish()
    request = bench.script.requests[1]
    assert bytes(request.lock.data) == bytes([255]) * (24 * 8) + bytes(24 * 8)
    assert bytes(request.context.data) == rgba(flat)


def test_a_lock_in_16_bits_is_an_8_bit_mask(bench):
    keep = painted("keep", depth="U16")
    bench = bench(FakeCanvas(layers=(keep, painted("ink", depth="U16")), depth="U16"))
    bench.session.colorize(ColorizeOptions(line_art=bench.canvas.top[1].id, lock=keep.id))
    bench.finish()
    request = bench.script.requests[0]
    assert (request.lock.channels, request.lock.depth, request.context.depth) == (1, 8, 16)
    assert bytes(request.lock.data) == keep.data[7::8]


def test_a_hint_layer_that_is_gone_is_said(bench):
    bench = bench()
    bench.session.colorize(ColorizeOptions(hints="{gone}"))
    bench.finish()
    assert bench.sentence == "A chosen layer is no longer in the document: choose another one."


def test_variations_are_shown_and_each_can_be_inserted(bench):
    bench = bench()
    bench.session.colorize(ColorizeOptions(variations=3))
    bench.finish()
    assert [image.size for image in bench.state.variations] == [(24, 16)] * 3
    assert (bench.canvas.steps, bench.state.chosen) == (1, 0)
    bench.session.choose(2)
    bench.finish()
    assert (bench.canvas.steps, bench.state.chosen) == (2, 2)
    flats = {layer.data[0] for group in bench.canvas.top if group.children for layer in group.children[3:]}
    assert flats == {11, 13}
    names = sorted(group.name for group in bench.canvas.top if group.children)
    assert names[1] == f"{names[0]} (3)"
    bench.session.choose(7)
    bench.finish()
    assert bench.sentence == "The result’s layers are no longer held: run it again."


def test_leaks_are_shown_and_nothing_is_inserted(bench):
    bench = bench()
    leak = domain.Leak(3, 4, 2.0, (1, 2))
    bench.script.report = domain.Report(leaks=(leak,))
    bench.session.show_leaks(ColorizeOptions(gap=5, leaks=True))
    bench.finish()
    (request,) = bench.script.requests
    assert isinstance(request, domain.SegmentRequest)
    assert (request.gap, request.leaks) == (5, True)
    assert (bench.state.leaks, bench.state.notices, bench.canvas.steps) == ((leak,), (), 0)
    assert bench.state.overview.size == (24, 16)
    bench.script.report = domain.Report()
    bench.session.show_leaks(ColorizeOptions())
    bench.finish()
    assert bench.state.notices == ("The lines have no openings up to the gap that was set.",)


def test_references_go_with_their_masks_and_the_places_of_this_document(bench):
    sheet, ink = painted("sheet", 12, 10, x=2, y=3, seed=5), painted("ink")
    first, second = FakeCanvas(layers=(sheet, ink)), FakeCanvas(layers=(painted("ink two"),))
    bench = bench(first, second)
    session = bench.session
    session.add_layer_reference(sheet.id)
    session.add_picture_reference("clip", picture())
    one, two = (reference.id for reference in bench.state.references)
    first.mask = mask(4, 5, 3, 2)
    session.mask_reference_by_selection(one)
    first.mask = mask(0, 0, 5, 5)
    session.place_reference_by_selection(one)
    told = [(reference.name, reference.masked, reference.placed) for reference in bench.state.references]
    assert told == [("sheet", True, True), ("clip", False, False)]
    assert [reference.thumbnail.size for reference in bench.state.references] == [(12, 10), (10, 9)]
    assert bytes(bench.state.references[0].thumbnail.data) == rgba(sheet)
    first.mask = None
    session.show_placement(one)
    assert first.mask.rect == Rect(0, 0, 5, 5)
    sheet.data = bytes(len(sheet.data))  # a reference is a copy
    session.colorize(ColorizeOptions(line_art=ink.id))
    bench.finish()
    used = bench.script.requests[0].references
    assert bytes(used[0].image.data) == rgba(painted("sheet", 12, 10, seed=5))
    assert bytes(used[0].mask.data) == cut(bytes([255]) * 6, Rect(4, 5, 3, 2), sheet.rect, 1)
    assert bytes(used[0].region.data) == cut(bytes([255]) * 25, Rect(0, 0, 5, 5), Rect(0, 0, 24, 16), 1)
    assert (used[1].mask, used[1].region) == (None, None)
    first.close()
    session.refresh()
    assert [reference.placed for reference in bench.state.references] == [False, False]
    session.colorize(ColorizeOptions())
    bench.finish()
    used = bench.script.requests[1].references
    assert (used[0].mask is None, used[0].region) == (False, None)  # the place was the other page's
    session.remove_reference(one)
    assert [reference.id for reference in bench.state.references] == [two]


@pytest.mark.parametrize(
    ("selection", "act", "sentence"),
    [
        (None, "mask", "Nothing is selected: select an area on the canvas first."),
        (
            mask(0, 0, 4, 4),
            "mask",
            "The reference is no layer of this document: open its picture (10x9 pixels), select the instance there, "
            "then set the mask again.",
        ),
        (mask(90, 0, 4, 4), "place", "Nothing is selected: select an area on the canvas first."),
        (
            mask(0, 0, 4, 4),
            "show",
            "The reference has no place in this document: select where it stands, then set its place.",
        ),
    ],
)
def test_what_a_reference_lacks_is_said(bench, selection, act, sentence):
    bench = bench()
    bench.canvas.mask = selection
    session = bench.session
    session.add_picture_reference("clip", picture())
    acts = {
        "mask": session.mask_reference_by_selection,
        "place": session.place_reference_by_selection,
        "show": session.show_placement,
    }
    acts[act](bench.state.references[0].id)
    assert bench.sentence == sentence


def test_a_pictures_mask_is_set_in_its_own_document(bench):
    bench = bench(FakeCanvas(10, 9, layers=(painted("ink", 10, 9),)))
    bench.canvas.mask = mask(1, 1, 2, 2)
    bench.session.add_picture_reference("clip", picture())
    bench.session.mask_reference_by_selection(bench.state.references[0].id)
    assert (bench.sentence, bench.state.references[0].masked) == ("", True)


def stored_pictures() -> tuple:
    """Writes and reads pictures as plain bytes with a head: PNG is Qt's."""

    def write(path: str, pixels: Pixels) -> None:
        with open(path, "wb") as file:
            file.write(bytes((pixels.width, pixels.height, pixels.channels)) + bytes(pixels.data))

    def read(path: str) -> Pixels:
        with open(path, "rb") as file:
            head, data = file.read(3), file.read()
        return Pixels(data, *head)

    return read, write


def test_a_character_is_saved_and_used_on_another_page(bench):
    read, write = stored_pictures()
    one = bench(read_picture=read, write_picture=write)
    one.session.add_picture_reference("clip", picture())
    one.session.save_character(one.state.references[0].id, "Aoi")
    one.finish()
    assert one.state.characters == ("Aoi",)
    assert sorted(os.listdir(str(one.folder / "library"))) == ["Aoi"]
    one.session.save_character(one.state.references[0].id, "Aoi")
    one.finish()
    assert one.sentence == "There is a character “Aoi” already: choose another name."
    write(str(one.folder / "library/Aoi/mask.png"), picture(channels=4, seed=3))
    two = bench(read_picture=read, write_picture=write)
    two.session.add_character("Aoi")
    two.finish()
    (reference,) = two.state.references
    assert (reference.name, reference.masked) == ("Aoi", True)
    two.session.colorize(ColorizeOptions())
    two.finish()
    (used,) = two.script.requests[0].references
    assert bytes(used.image.data) == bytes(picture().data)
    assert bytes(used.mask.data) == bytes(picture(seed=3).data)[::4]


@pytest.mark.parametrize("name", ["", "a/b", "..", ".hidden", "x" * 81, "con:"])
def test_names_that_no_file_can_have_are_refused(bench, name):
    read, write = stored_pictures()
    bench = bench(read_picture=read, write_picture=write)
    bench.session.add_picture_reference("clip", picture())
    sentence = f"“{name}” cannot be a file’s name: use letters, digits, spaces and hyphens."
    bench.session.save_character(bench.state.references[0].id, name)
    bench.finish()
    assert bench.sentence == sentence
    bench.session.save_palette(name, bytes(3))
    assert bench.sentence == sentence
    assert not (bench.folder / "palettes").exists()


def test_broken_characters_are_said(bench):
    read, write = stored_pictures()
    bench = bench(read_picture=read, write_picture=write)
    folder = bench.folder / "library/Aoi"
    folder.mkdir(parents=True)
    write(str(folder / "image.png"), picture())
    write(str(folder / "mask.png"), picture(9, 9))
    bench.session.add_character("Aoi")
    bench.finish()
    assert bench.sentence == (
        "The mask of the character “Aoi” has another size than its picture: save the character anew."
    )
    shutil.rmtree(str(folder))
    bench.session.add_character("Aoi")
    bench.finish()
    assert bench.sentence == "The character “Aoi” is not in the library: choose one of the list."


def test_saved_palettes_are_gpl_files_that_come_before_the_programs_own(bench):
    bench = bench()
    bench.session.save_palette("skin", b"\x01\x02\x03\xff\x00\x80")
    assert (bench.folder / "palettes/skin.gpl").read_text(encoding="utf-8") == (
        "GIMP Palette\nName: skin\nColumns: 0\n#\n  1   2   3\n255   0 128\n"
    )
    assert bench.state.palettes == ("skin", "Sunset")
    bench.session.colorize(ColorizeOptions(palette="skin"))
    bench.finish()
    assert bench.script.requests[0].palette.colors == b"\x01\x02\x03\xff\x00\x80"
    bench.session.save_palette("skin", bytes(3))
    assert bench.sentence == "There is a palette “skin” already: choose another name."
    bench.session.save_palette("none", b"")
    assert bench.sentence == "The palette “none” has 0 colours; 1 to 4096 are allowed: choose another one."


def test_a_palette_that_is_gone_is_said_before_anything_is_sent(bench):
    bench = bench()
    bench.session.colorize(ColorizeOptions(palette="lost"))
    bench.finish()
    assert (bench.sentence, bench.script.requests) == (
        "The palette “lost” has 0 colours; 1 to 4096 are allowed: choose another one.",
        [],
    )
