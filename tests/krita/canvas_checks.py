"""Runs inside Krita (kritarunner): every function whose name begins with "check_" is a claim about the plugin's canvas.

Writes one line of JSON to ANSWER for each: its name, and what went wrong or null. test_krita_canvas.py asks for them.
"""

import importlib.util
import json
import os
import random
import sys
import traceback
import zipfile

from krita import InfoObject, Krita, Selection

# The package without what its __init__ does: there is no window here to put a docker into.
sys.modules["celwright_krita"] = importlib.util.module_from_spec(importlib.util.find_spec("celwright_krita"))

from celwright_krita.canvas import VISIBLE, NewGroup, NewLayer, Raw, Rect  # noqa: E402
from celwright_krita.errors import DocumentClosedError, LayerGoneError, UnusableInputError  # noqa: E402
from celwright_krita.pixels import Pixels  # noqa: E402
from celwright_krita.rim import canvas as krita_canvas  # noqa: E402
from celwright_krita.rim.program import KritaProgram  # noqa: E402
from celwright_krita.session import layouts  # noqa: E402  # noqa: E402
from celwright_krita.session.turns import finished  # noqa: E402

KRITA = Krita.instance()
PROGRAM = KritaProgram()
FOLDER = os.environ["FOLDER"]
SRGB = "sRGB-elle-V2-srgbtrc.icc"
PROFILES = "/usr/share/color/icc/krita"
W, H = 40, 30
WHOLE = Rect(0, 0, W, H)


def opened(model="RGBA", depth="U8", profile=SRGB, size=(W, H)):
    """(document, canvas)"""
    document = KRITA.createDocument(*size, "page", model, depth, profile, 72.0)
    document.setBatchmode(True)
    return document, canvas_of(document)


def canvas_of(document):
    return next(canvas for canvas in PROGRAM.canvases() if canvas.stands_for(document))


def layer_in(document, parent=None, name="layer", color=(10, 20, 30, 255), rect=(0, 0, W, H)):
    node = document.createNode(name, "paintlayer")
    (parent or document.rootNode()).addChildNode(node, None)
    node.setPixelData(bytes(color) * (rect[2] * rect[3]), *rect)
    return node


def id_of(node):
    return node.uniqueId().toString()


def noise(count, seed=0):
    return random.Random(seed).randbytes(count)


def four(depth=8, rect=WHOLE, **changes):
    """A result as the plugin inserts it: noise, of which the line is half-transparent."""
    count = rect.width * rect.height * 4 * depth // 8
    layers = (
        NewLayer("flat", noise(count, 1), rect),
        NewLayer("shadow", noise(count, 2), rect, "multiply", clipped=True),
        NewLayer("highlight", noise(count, 3), rect, "screen", clipped=True),
        NewLayer("line", noise(count, 4), rect, **changes),
    )
    return NewGroup("Colorize – 12:00:00", layers, {"seed": 7, "model": "größer"})


def pixel(canvas, id, x=0, y=0):
    return canvas.read(id, Rect(x, y, 1, 1)).data


def told(kind, call):
    try:
        call()
    except kind as fault:
        return str(fault)
    raise AssertionError(f"{kind.__name__} did not come")


# ---- inserting


def check_the_document_changes_only_at_the_end_and_gets_one_group():
    document, canvas = opened()
    source = layer_in(document, name="drawing")
    layer_in(document, name="on top")
    document.refreshProjection()
    before = canvas.read(VISIBLE, canvas.frame().rect).data
    turns = canvas.insert(four(), id_of(source))
    names = []
    for _ in turns:
        names.append([node.name() for node in document.topLevelNodes()])
        assert canvas.read(VISIBLE, canvas.frame().rect).data == before
    whole = ["Background", "drawing", "Colorize – 12:00:00", "on top"]
    assert names == 4 * [["Background", "drawing", "on top"]] + [whole], names
    assert [node.name() for node in document.topLevelNodes()] == whole
    assert bytes(source.pixelData(0, 0, W, H)) == bytes((10, 20, 30, 255)) * W * H


def check_the_layers_have_their_names_blend_modes_and_clipping():
    document, canvas = opened()
    id = finished(canvas.insert(four(visible=False, locked=True), ""))
    group = document.topLevelNodes()[-1]
    assert id_of(group) == id
    assert group.type() == "grouplayer"
    assert group.blendingMode() == "normal"
    facts = [(n.name(), n.blendingMode(), n.inheritAlpha(), n.visible(), n.locked()) for n in group.childNodes()]
    assert facts == [
        ("flat", "normal", False, True, False),
        ("shadow", "multiply", True, True, False),
        ("highlight", "screen", True, True, False),
        ("line", "normal", False, False, True),
    ], facts


def check_inserted_pixels_are_those_that_came_bit_for_bit():
    for depth in (8, 16):
        document, canvas = opened(depth=f"U{depth}")
        group = four(depth, Rect(-7, 5, W, H))
        finished(canvas.insert(group, ""))
        nodes = document.topLevelNodes()[-1].childNodes()
        for node, layer in zip(nodes, group.layers, strict=True):
            assert bytes(node.pixelData(-7, 5, W, H)) == layer.data, (depth, layer.name)
            assert node.bounds().x() == -7


def check_a_layer_larger_than_a_turn_arrives_in_bands():
    from celwright_krita.rim import insertion as krita_insertion

    document, canvas = opened()
    kept, krita_insertion.TURN_BYTES = krita_insertion.TURN_BYTES, W * 4 * 7  # seven rows
    try:
        group = four()
        assert sum(1 for _ in canvas.insert(group, "")) == 4 * 5 + 1  # the one after the group was added
    finally:
        krita_insertion.TURN_BYTES = kept
    nodes = document.topLevelNodes()[-1].childNodes()
    assert [bytes(node.pixelData(0, 0, W, H)) for node in nodes] == [layer.data for layer in group.layers]


def check_an_insertion_that_is_given_up_leaves_nothing_behind():
    document, canvas = opened()
    for turn in (0, 1, 4, 5):
        turns = canvas.insert(four(), "")
        for _ in range(turn):
            next(turns)
        turns.close()
        assert len(KRITA.documents()) == 1, turn
        assert len(document.topLevelNodes()) == 1


def check_an_inserted_group_is_seen_at_once():
    _, canvas = opened()
    rect = Rect(0, 0, W, H)
    flat, line = bytes((200, 150, 100, 255)) * W * H, bytes(W * H * 4)
    shadow = bytes((128, 128, 128, 255)) * W * H
    layers = (
        NewLayer("flat", flat, rect),
        NewLayer("shadow", shadow, rect, "multiply", clipped=True),
        NewLayer("line", line, rect),
    )
    id = finished(canvas.insert(NewGroup("group", layers), ""))
    assert pixel(canvas, VISIBLE) == bytes((100, 75, 50, 255)), pixel(canvas, VISIBLE)
    assert pixel(canvas, id) == bytes((100, 75, 50, 255))


def check_a_shadow_is_bounded_by_the_flat():
    _, canvas = opened()
    half = Rect(0, 0, 8, 8)
    layers = (
        NewLayer("flat", bytes((200, 150, 100, 255)) * 64, half),
        NewLayer("shadow", bytes((0, 0, 0, 255)) * W * H, Rect(0, 0, W, H), "multiply", clipped=True),
    )
    id = finished(canvas.insert(NewGroup("group", layers), ""))
    assert pixel(canvas, id, 2, 2) == bytes((0, 0, 0, 255))
    assert pixel(canvas, id, 20, 20)[3] == 0


def check_a_group_goes_above_its_source_inside_a_group_and_on_top_when_the_source_is_gone():
    document, canvas = opened()
    folder = document.createGroupLayer("folder")
    document.rootNode().addChildNode(folder, None)
    source, above = layer_in(document, folder, "drawing"), layer_in(document, folder, "above")
    selection = Selection()
    selection.select(1, 1, 4, 4, 255)
    document.setSelection(selection)
    finished(canvas.insert(four(), id_of(source)))
    assert [node.name() for node in folder.childNodes()] == ["drawing", "Colorize – 12:00:00", "above"]
    gone = id_of(above)
    above.remove()
    finished(canvas.insert(four(), gone))
    names = [node.name() for node in document.topLevelNodes() if node.type() != "selectionmask"]
    assert names == ["Background", "folder", "Colorize – 12:00:00"]


def check_a_group_goes_above_a_hidden_locked_layer():
    document, canvas = opened()
    source = layer_in(document, name="drawing")
    source.setVisible(False)
    source.setLocked(True)
    finished(canvas.insert(four(), id_of(source)))
    assert [node.name() for node in document.topLevelNodes()][-2:] == ["drawing", "Colorize – 12:00:00"]
    assert source.locked()
    assert not source.visible()


def check_a_document_that_was_converted_meanwhile_is_left_alone():
    document, canvas = opened()
    turns = canvas.insert(four(), "")
    next(turns)
    document.setColorSpace("RGBA", "U16", SRGB)
    document.waitForDone()
    sentence = told(UnusableInputError, lambda: finished(turns))
    assert sentence == (
        "The document’s colours are RGBA with U16 now, the result was made for others: run it again."
    ), sentence
    assert len(document.topLevelNodes()) == 1


def check_a_document_that_is_closed_meanwhile_is_told_and_krita_goes_on():
    for turn in (0, 1, 3, 5):
        document, canvas = opened()
        assert canvas.title == "page"
        turns = canvas.insert(four(), "")
        for _ in range(turn):
            next(turns)
        document.close()
        assert not canvas.open
        sentence = told(DocumentClosedError, lambda turns=turns: finished(turns))
        assert sentence == ("The document “page” is closed: open it again and insert the result from the history."), (
            sentence
        )
        del turns
        assert not KRITA.documents(), "the unseen document is still there"


def check_every_method_of_a_closed_document_tells_that_it_is_closed():
    document, canvas = opened()
    id = id_of(layer_in(document))
    assert canvas.title
    document.close()
    mask = Raw(bytes(1), Rect(0, 0, 1, 1), "MASK", "U8")
    calls = [
        lambda: canvas.title, canvas.frame, canvas.layers, canvas.active, canvas.selection, canvas.remembered,
        canvas.icc_profile, lambda: canvas.layer(id), lambda: canvas.bounds(id), lambda: canvas.bounds(VISIBLE),
        lambda: canvas.read(VISIBLE, Rect(0, 0, 1, 1)), lambda: canvas.read(id, Rect(0, 0, 1, 1)),
        lambda: canvas.select(mask), lambda: canvas.tree(VISIBLE), lambda: list(canvas.at_time(1)),
        lambda: list(canvas.insert(four(), id)),
    ]  # fmt: skip
    for number, call in enumerate(calls):
        assert told(DocumentClosedError, call), number


# ---- reading


def check_a_layer_is_read_in_its_place_and_beyond_the_document():
    document, canvas = opened()
    node = layer_in(document, rect=(-2, -3, 5, 6))
    assert canvas.bounds(id_of(node)) == Rect(-2, -3, 5, 6)
    raw = canvas.read(id_of(node), Rect(-3, -3, 2, 1))
    assert (raw.data, raw.rect) == (bytes(4) + bytes((10, 20, 30, 255)), Rect(-3, -3, 2, 1))
    assert canvas.bounds(VISIBLE) == Rect(0, 0, W, H)


def check_a_hidden_and_a_half_transparent_layer_is_read_with_its_own_pixels():
    document, canvas = opened()
    node = layer_in(document)
    node.setOpacity(100)
    node.setVisible(False)
    node.setLocked(True)
    document.refreshProjection()
    assert pixel(canvas, id_of(node)) == bytes((10, 20, 30, 255))
    assert pixel(canvas, VISIBLE) == bytes((255, 255, 255, 255))


def check_a_layer_is_read_with_its_masks_even_when_it_is_hidden():
    document, canvas = opened()
    node = layer_in(document, color=(10, 20, 30, 255))
    half = Selection()
    half.select(0, 0, W // 2, H, 255)
    node.addChildNode(document.createFilterMask("negative", KRITA.filter("invert"), half), None)
    document.refreshProjection()
    assert pixel(canvas, id_of(node), 0) == bytes((245, 235, 225, 255)), pixel(canvas, id_of(node), 0)
    assert pixel(canvas, id_of(node), W - 1) == bytes((10, 20, 30, 255))
    node.setVisible(False)
    document.refreshProjection()
    assert pixel(canvas, id_of(node), 0) == bytes((245, 235, 225, 255)), pixel(canvas, id_of(node), 0)
    assert [layer.name for layer in canvas.layers()] == ["layer", "Background"]  # no masks


def check_a_group_is_read_as_its_children_look_together():
    document, canvas = opened()
    group = document.createGroupLayer("group")
    document.rootNode().addChildNode(group, None)
    layer_in(document, group, "below", (0, 0, 200, 255), (4, 4, 10, 10))
    layer_in(document, group, "over", (0, 100, 0, 255), (8, 8, 10, 10))
    document.refreshProjection()
    assert canvas.bounds(id_of(group)) == Rect(4, 4, 14, 14)
    assert pixel(canvas, id_of(group), 5, 5) == bytes((0, 0, 200, 255))
    assert pixel(canvas, id_of(group), 9, 9) == bytes((0, 100, 0, 255))
    assert pixel(canvas, id_of(group), 0, 0) == bytes(4)
    group.setVisible(False)
    document.refreshProjection()
    assert pixel(canvas, id_of(group), 9, 9) == bytes((0, 100, 0, 255))


def check_layers_are_listed_from_the_top_with_their_levels():
    document, canvas = opened()
    group = document.createGroupLayer("group")
    document.rootNode().addChildNode(group, None)
    child = layer_in(document, group, "child")
    child.setVisible(False)
    top = layer_in(document, name="top")
    top.setLocked(True)
    selection = Selection()
    selection.select(1, 1, 4, 4, 255)
    document.setSelection(selection)
    all_of_it = Selection()
    all_of_it.select(0, 0, W, H, 255)
    filtered = document.createFilterLayer("filter", KRITA.filter("invert"), all_of_it)
    document.rootNode().addChildNode(filtered, None)
    facts = [(one.name, one.kind, one.level, one.visible, one.locked) for one in canvas.layers()]
    assert facts == [
        ("top", "paintlayer", 0, True, True),
        ("group", "grouplayer", 0, True, False),
        ("child", "paintlayer", 1, False, False),
        ("Background", "paintlayer", 0, True, False),
    ], facts
    assert canvas.layer(id_of(child)).level == 1


def check_a_removed_layer_is_told():
    document, canvas = opened()
    node = layer_in(document)
    id = id_of(node)
    node.remove()
    assert canvas.layer(id) is None
    sentence = told(LayerGoneError, lambda: canvas.read(id, Rect(0, 0, 1, 1)))
    assert sentence == "The layer is no longer in the document: choose another one.", sentence
    assert told(LayerGoneError, lambda: canvas.bounds(id)) == sentence


def check_16_bit_pixels_are_read_as_they_are():
    document, canvas = opened(depth="U16")
    data = noise(W * H * 8)
    node = document.createNode("noise", "paintlayer")
    document.rootNode().addChildNode(node, None)
    node.setPixelData(data, 0, 0, W, H)
    raw = canvas.read(id_of(node), Rect(0, 0, W, H))
    assert (raw.data, raw.model, raw.depth) == (data, "RGBA", "U16")


def check_colors_keep_their_meaning_all_the_way():
    document, canvas = opened()
    node = layer_in(document, color=(0, 0, 255, 255))  # red, as Krita stores it
    image = layouts.pixels(canvas.read(id_of(node), Rect(0, 0, W, H)))
    assert bytes(image.samples()[:4]) == bytes((255, 0, 0, 255))
    green = Pixels(bytes((0, 255, 0, 255)) * W * H, W, H)
    layer = NewLayer("green", bytes(layouts.bgra(green, "U8")), Rect(0, 0, W, H))
    finished(canvas.insert(NewGroup("group", (layer,)), ""))
    color = document.projection(0, 0, W, H).pixelColor(3, 3)
    assert (color.red(), color.green(), color.blue()) == (0, 255, 0)


def check_a_layer_with_colors_of_its_own_tells_them():
    document, canvas = opened()
    node = layer_in(document)
    node.setColorSpace("CMYKA", "U8", "Chemical proof")
    document.waitForDone()
    raw = canvas.read(id_of(node), Rect(0, 0, 8, 8))
    assert (raw.model, raw.depth, len(raw.data)) == ("CMYKA", "U8", 64 * 5)
    assert told(UnusableInputError, lambda: layouts.pixels(raw)).startswith("The layer’s colours are CMYKA with U8;")


# ---- documents


def check_a_frame_tells_what_the_document_is():
    cases = [("RGBA", "U8"), ("RGBA", "U16"), ("RGBA", "F32"), ("GRAYA", "U8"), ("CMYKA", "U8"), ("LABA", "U16")]
    for model, depth in cases:
        document, canvas = opened(model, depth, "", (16, 12))
        frame = canvas.frame()
        assert (frame.width, frame.height, frame.model, frame.depth) == (16, 12, model, depth), frame
        assert frame.profile == document.colorProfile()
        assert frame.profile
        assert (frame.time, frame.first, frame.last) == (0, 0, 0)


def check_the_same_document_has_the_same_key_and_others_have_others():
    first, one = opened()
    second, other = opened()
    copy = first.clone()
    assert canvas_of(first) is one
    assert canvas_of(second) is other
    assert one.key != other.key
    first.flatten()
    first.waitForDone()
    assert canvas_of(first).key == one.key
    assert not one.stands_for(copy)
    first.close()
    assert not one.open
    assert other.open
    _, new = opened()
    assert new.key not in (one.key, other.key)
    assert one not in PROGRAM.canvases()
    assert not one.stands_for(first)


def check_the_title_is_the_file_s_name():
    document, canvas = opened()
    assert canvas.title == "page"
    path = os.path.join(FOLDER, "Straße 1.kra")
    document.setFileName(path)
    assert canvas.title == "Straße 1.kra"


def check_parameters_stay_with_the_document_when_it_is_saved_and_opened():
    document, canvas = opened()
    first = finished(canvas.insert(four(), ""))
    second = finished(canvas.insert(NewGroup("other", four().layers, {"seed": 8}), ""))
    third = finished(canvas.insert(NewGroup("third", four().layers), ""))
    assert canvas.remembered() == {first: {"seed": 7, "model": "größer"}, second: {"seed": 8}, third: {}}
    next(node for node in document.topLevelNodes() if id_of(node) == second).remove()
    assert sorted(canvas.remembered()) == sorted([first, third])
    path = os.path.join(FOLDER, "remembered.kra")
    assert document.saveAs(path)
    document.close()
    again = KRITA.openDocument(path)
    assert canvas_of(again).remembered() == {first: {"seed": 7, "model": "größer"}, third: {}}
    group = again.nodeByName("Colorize – 12:00:00")
    assert [bytes(n.pixelData(0, 0, W, H)) for n in group.childNodes()] == [layer.data for layer in four().layers]
    assert [(n.blendingMode(), n.inheritAlpha()) for n in group.childNodes()] == [
        ("normal", False), ("multiply", True), ("screen", True), ("normal", False),
    ]  # fmt: skip


def check_an_annotation_that_is_not_ours_is_no_fault():
    document, canvas = opened()
    for text in (b"", b"\xff", b"[1]", b'{"a": 1}', b"{"):
        document.setAnnotation(krita_canvas.ANNOTATION, "", text)
        assert canvas.remembered() == {}, text


def check_the_profile_is_the_file_s_bytes_and_leaves_no_document_behind():
    cases = [
        ("RGBA", "U8", SRGB), ("RGBA", "U16", "sRGB-elle-V2-g10.icc"), ("GRAYA", "U8", "Gray-D50-elle-V2-srgbtrc.icc"),
        ("RGBA", "U8", "ClayRGB-elle-V2-g22.icc"),
    ]  # fmt: skip
    for model, depth, name in cases:
        _document, canvas = opened(model, depth, name)
        count = len(KRITA.documents())
        with open(os.path.join(PROFILES, name), "rb") as file:
            assert canvas.icc_profile() == file.read(), name
        assert len(KRITA.documents()) == count
        assert canvas.icc_profile() is canvas.icc_profile()
    _, canvas = opened("CMYKA", "U8", "")
    assert canvas.icc_profile() == b""


def check_an_animation_is_read_at_each_time():
    document, canvas = opened()
    node = layer_in(document, name="moving", color=(1, 2, 3, 255))
    layer_in(document, name="later", color=(9, 8, 7, 255))
    node.enableAnimation()
    document.waitForDone()
    document.setFullClipRangeEndTime(9)
    path = os.path.join(FOLDER, "animation.kra")
    assert document.saveAs(path)
    document.close()
    _with_second_keyframe(path, 4)
    document = KRITA.openDocument(path)
    canvas = canvas_of(document)
    document.nodeByName("later").setVisible(False)
    document.refreshProjection()
    moving = id_of(document.nodeByName("moving"))
    frame = canvas.frame()
    assert (frame.time, frame.first, frame.last) == (0, 0, 4), frame
    for time, color in ((4, (9, 8, 7, 255)), (0, (1, 2, 3, 255)), (6, (9, 8, 7, 255)), (3, (1, 2, 3, 255))):
        list(canvas.at_time(time))
        assert canvas.frame().time == time
        assert pixel(canvas, moving) == bytes(color), (time, pixel(canvas, moving))
        assert pixel(canvas, VISIBLE) == bytes(color), (time, pixel(canvas, VISIBLE))


def _with_second_keyframe(path, time):
    """The layer "moving" gets its own pixels at time 0 and those of the layer above it at ``time``: only Krita's files,
    not its API, take keyframes."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    keyframes = next(name for name in files if name.endswith(".keyframes.xml"))
    folder, name = os.path.split(keyframes[: -len(".keyframes.xml")])
    later = f"layer{int(name[len('layer') :]) - 1}"  # layers are numbered from the top
    frame = '<keyframe time="{}" color-label="0" frame="{}"><offset x="0" y="0"/></keyframe>'
    channel = frame.format(0, name) + frame.format(time, f"{name}.f1")
    files[keyframes] = (
        '<keyframes xmlns="http://www.calligra.org/DTD/krita-keyframes">'
        f'<channel name="content">{channel}</channel></keyframes>'
    ).encode()
    files[f"{folder}/{name}.f1"] = files[f"{folder}/{later}"]
    files[f"{folder}/{name}.f1.defaultpixel"] = bytes(4)
    with zipfile.ZipFile(path, "w") as archive:
        for entry, data in files.items():
            archive.writestr(entry, data)


# ---- selections


def check_no_selection_is_none():
    _, canvas = opened()
    assert canvas.selection() is None


def check_a_selection_is_cut_to_the_document():
    document, canvas = opened()
    selection = Selection()
    selection.select(-5, -5, 10, 12, 200)
    document.setSelection(selection)
    raw = canvas.selection()
    assert (raw.rect, raw.data, raw.model) == (Rect(0, 0, 5, 7), bytes([200]) * 35, "MASK")


def check_a_selection_off_the_canvas_and_an_empty_one_have_no_pixels():
    document, canvas = opened()
    selection = Selection()
    selection.select(W + 10, 3, 5, 5, 255)
    for one in (selection, Selection()):
        document.setSelection(one)
        raw = canvas.selection()
        assert raw is not None
        assert raw.rect.empty
        assert raw.data == b""


def check_a_mask_becomes_the_selection_with_its_soft_edge():
    document, canvas = opened()
    mask = Pixels(bytes(range(64)), 8, 8, 1, offset=(3, 2))
    canvas.select(layouts.coverage(mask))
    raw = canvas.selection()
    assert document.selection() is not None
    values = {
        (x, y): raw.data[(y - raw.rect.y) * raw.rect.width + x - raw.rect.x] for x, y in ((4, 2), (10, 9), (3, 5))
    }
    assert values == {(4, 2): 1, (10, 9): 63, (3, 5): 24}, values
    canvas.select(Raw(b"", Rect(0, 0, 0, 0), "MASK", "U8"))
    assert canvas.selection().rect.empty


# ---- saving, palettes


def check_a_group_is_read_for_saving_with_all_that_it_is():
    document, canvas = opened()
    group = four(rect=Rect(2, 3, 12, 10))
    id = finished(canvas.insert(group, ""))
    node = document.topLevelNodes()[-1]
    node.childNodes()[1].setOpacity(51)
    node.childNodes()[3].setVisible(False)
    document.refreshProjection()
    tree = canvas.tree(id)
    assert (tree.frame.width, tree.composite.rect, len(tree.layers)) == (W, Rect(0, 0, W, H), 1)
    top = tree.layers[0]
    assert (top.name, top.blend, top.opacity, top.raw) == ("Colorize – 12:00:00", "normal", 1.0, None)
    facts = [(one.name, one.blend, one.opacity, one.visible, one.clipped) for one in top.children]
    assert facts == [
        ("flat", "normal", 1.0, True, False),
        ("shadow", "multiply", 0.2, True, True),
        ("highlight", "screen", 1.0, True, True),
        ("line", "normal", 1.0, False, False),
    ], facts
    assert all(one.raw.rect == Rect(2, 3, 12, 10) for one in top.children)
    assert [one.raw.data for one in top.children] == [layer.data for layer in group.layers]
    assert tree.composite.data == bytes(node.projectionPixelData(0, 0, W, H))


def check_the_whole_document_is_read_for_saving_without_masks_and_with_empty_layers():
    document, canvas = opened()
    selection = Selection()
    selection.select(1, 1, 4, 4, 255)
    document.setSelection(selection)
    document.rootNode().addChildNode(document.createNode("empty", "paintlayer"), None)
    layer_in(document, name="small", rect=(9, 9, 2, 1))
    document.refreshProjection()
    tree = canvas.tree(VISIBLE)
    assert [layer.name for layer in tree.layers] == ["Background", "empty", "small"]
    assert [layer.raw.rect for layer in tree.layers] == [Rect(0, 0, W, H), Rect(0, 0, 8, 8), Rect(9, 9, 8, 8)]
    assert tree.composite.data == bytes(document.pixelData(0, 0, W, H))
    images = [layouts.pixels(layer.raw) for layer in tree.layers]
    assert [image.size for image in images] == [(W, H), (8, 8), (8, 8)]


def check_a_document_closed_while_it_is_read_for_saving_is_told():
    document, canvas = opened()
    layer_in(document)
    turns = canvas.tree_in_turns(VISIBLE)
    next(turns)
    document.close()
    assert told(DocumentClosedError, lambda: finished(turns))


def check_a_fill_layer_and_a_clone_are_read_as_they_look():
    document, canvas = opened()
    source = layer_in(document, rect=(2, 2, 4, 4))
    clone = document.createCloneLayer("clone", source)
    document.rootNode().addChildNode(clone, None)
    wanted = InfoObject()
    wanted.setProperty("color", "#00ff00")
    everywhere = Selection()
    everywhere.select(0, 0, W, H, 255)
    fill = document.createFillLayer("fill", "color", wanted, everywhere)
    document.rootNode().addChildNode(fill, None)
    document.refreshProjection()
    assert pixel(canvas, id_of(clone), 3, 3) == bytes((10, 20, 30, 255))
    assert [layer.kind for layer in canvas.layers()][:2] == ["filllayer", "clonelayer"]
    assert len(pixel(canvas, id_of(fill), 3, 3)) == 4


def check_palettes_give_three_bytes_for_each_color():
    palettes = PROGRAM.palettes()
    assert {"Default", "Markers", "Swatch CMYK"} <= set(palettes), list(palettes)
    assert palettes["Default"]()[:6] == bytes((255, 255, 255, 242, 242, 242))
    assert len(palettes["Default"]()) == 360
    cmyk = palettes["Swatch CMYK"]()
    assert cmyk
    assert len(cmyk) % 3 == 0
    assert len(set(cmyk)) > 10


def check_without_a_window_there_is_no_document_in_front():
    opened()
    assert PROGRAM.canvas() is None
    PROGRAM.show_message("to nobody")


def main(*_):
    only = os.environ.get("ONLY", "")
    with open(os.environ["ANSWER"], "w", encoding="utf-8") as answer:
        for name, check in list(globals().items()):
            if name.startswith("check_") and only in name:
                fault = None
                answer.write(json.dumps({"begun": name}) + "\n")
                answer.flush()
                try:
                    check()
                except Exception:  # noqa: BLE001 - told below, by the test of this name
                    fault = traceback.format_exc()
                for document in KRITA.documents():
                    document.setModified(False)
                    document.close()
                answer.write(json.dumps({"name": name, "fault": fault}, ensure_ascii=False) + "\n")
                answer.flush()
    sys.stdout.flush()
    os._exit(0)  # kritarunner's own exit code is always 0
