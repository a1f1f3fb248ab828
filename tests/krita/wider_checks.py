"""Played inside Krita's window: animations, Krita's themes, and everything that the colours are taken from.

What a daemon can do only with colour networks is skipped where the daemon says that it has none.
"""

import json
import os
import subprocess

from celwright_driver import hand, pages
from celwright_driver.hand import until
from celwright_driver.qt import (
    QApplication,
    QColor,
    QDialogButtonBox,
    QImage,
    QLineEdit,
    QPen,
    QPointF,
    QRectF,
    Qt,
    QTest,
    QToolButton,
    QWidget,
)
from krita import Krita
from window_checks import DECOMPOSING, FOLDER, act, colorize, four_pixels

FRAMES = ("#d04030", "#3060c0", "#40a040")  # the ground of each keyframe
THEMES = ("Krita bright", "Krita dark")  # the one that Krita begins with last
CONTRAST = 3.0  # WCAG 2.1, 1.4.11: what a picture needs to be told from its ground
READABLE = 4.5  # the same, 1.4.3: text


# ---- animations


def animated_page(width=240, height=180):
    """(document, layer) with a keyframe at each of the times 0, 1 and 2; in front is the one at 1."""
    document = pages.page(width, height)
    moving = yield from pages.layer(document, "Moving", grounded(FRAMES[0]))
    for time, color in enumerate(FRAMES):
        yield from to_frame(document, time)
        yield from act("add_blank_frame")
        data = pages.painted(width, height, grounded(color))
        moving.setPixelData(data, 0, 0, width, height)
    document.setFullClipRangeEndTime(2)
    yield from to_frame(document, 1)
    yield from hand.open_tab("Decompose")
    yield from until(lambda: hand.widget("decompose.frames").isVisible(), "the offer of all frames")
    assert [moving.hasKeyframeAtTime(time) for time in range(4)] == [True, True, True, False]
    return document, moving


def grounded(color):
    def paint(painter):
        painter.fillRect(QRectF(0, 0, 1, 1), QColor(color))
        pages.lines(painter)

    return paint


def to_frame(document, time):
    document.setCurrentTime(time)
    document.refreshProjection()
    document.waitForDone()
    yield from hand.turns()


def all_frames(wanted):
    if hand.widget("decompose.frames").isChecked() != wanted:
        hand.widget("decompose.frames").click()
    yield from hand.turns()


def ground_of(document, group):
    """The flat colour beside the rings."""
    blue, green, red, alpha = bytes(pages.of(group, "flat").pixelData(document.width() // 2, 20, 1, 1))
    assert alpha == 255
    return red, green, blue


def near(color, wanted, limit=12):
    """Whether the found (red, green, blue) is the wanted "#rrggbb"."""
    return max(abs(found - ours) for found, ours in zip(color, bytes.fromhex(wanted[1:]), strict=True)) <= limit


def check_one_frame_alone_is_taken_apart_when_all_are_not_asked_for():
    document, _ = yield from animated_page()
    yield from all_frames(False)
    yield from hand.click("decompose.run")
    yield from hand.ended()
    group = pages.group_of(document, "Decompose – ")
    assert [pages.facts(node) for node in group.childNodes()] == pages.FOUR
    assert near(ground_of(document, group), FRAMES[1]), ground_of(document, group)
    assert document.currentTime() == 1
    yield from act("edit_undo")
    assert pages.names(document) == ["Background", "Moving"]


def check_all_frames_become_a_group_each_and_one_undo_takes_them_back():
    document, moving = yield from animated_page()
    yield from all_frames(True)
    yield from hand.click("decompose.run")
    yield from hand.stage(DECOMPOSING)
    yield from hand.picture_of("frames-progress")
    yield from hand.ended()
    yield from hand.picture_of("frames-done")
    whole = pages.group_of(document, "Decompose – ")
    assert whole.name().endswith(" – frames 0 to 2"), whole.name()
    groups = whole.childNodes()
    assert [group.name().rpartition(" – ")[2] for group in groups] == ["frame 0", "frame 1", "frame 2"]
    for group, color in zip(groups, FRAMES, strict=True):
        assert [pages.facts(node) for node in group.childNodes()] == pages.FOUR
        assert near(ground_of(document, group), color), (group.name(), ground_of(document, group))
    assert [group.visible() for group in groups] == [False, True, False]
    assert document.currentTime() == 1
    made = [four_pixels(document, group) for group in groups]
    yield from act("edit_undo")
    assert pages.names(document) == ["Background", "Moving"]
    yield from act("edit_redo")
    assert [four_pixels(document, group) for group in pages.group_of(document, "Decompose – ").childNodes()] == made
    yield from act("edit_undo")
    for time, color in enumerate(FRAMES):
        yield from to_frame(document, time)
        blue, green, red, _ = bytes(moving.projectionPixelData(document.width() // 2, 20, 1, 1))
        assert near((red, green, blue), color, 0), time


def check_cancelled_between_two_frames_what_is_done_stays_in_the_history():
    document, _ = yield from animated_page()
    yield from all_frames(True)
    yield from hand.click("decompose.run")
    yield from until(lambda: document.currentTime() == 0 and hand.running(), "the first frame")
    yield from until(lambda: document.currentTime() == 1, "the second frame")
    yield from hand.click("job.cancel")
    yield from until(lambda: not hand.running(), "the end of the job")
    yield from until(lambda: hand.shown("result.notices") == "The job was cancelled.", "the notice")
    assert pages.names(document) == ["Background", "Moving"]
    assert document.currentTime() == 1
    history = hand.widget("history.list")
    yield from until(lambda: history.count() and "frames 0 to 0" in history.item(0).text(), "the frame in the history")
    history.setCurrentRow(0)
    yield from hand.click("history.insert")
    yield from hand.ended()
    (group,) = pages.group_of(document, "Decompose – ").childNodes()
    assert near(ground_of(document, group), FRAMES[0]), ground_of(document, group)


# ---- themes


def luminance(color):
    """WCAG's relative luminance, 0 to 1."""
    parts = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in color.getRgbF()[:3]]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one, other):
    """1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def strongest(image):
    """The strongest contrast between the image's corner and any of its pixels."""
    ground = image.pixelColor(2, 2)
    places = ((x, y) for y in range(image.height()) for x in range(image.width()))
    colors = {image.pixel(x, y): (x, y) for x, y in places}
    return max(contrast(ground, image.pixelColor(*place)) for place in colors.values())


def unseen():
    """(what, contrast) for each visible part of the docker that can hardly be told from its ground."""
    found = []
    for one in hand.docker().findChildren(QWidget):
        if not one.isVisible() or not one.objectName() or not one.isEnabled():
            continue
        text = one.text() if hasattr(one, "text") else ""
        if isinstance(one, QToolButton) and not text and not one.icon().isNull():
            needed = CONTRAST
        elif text and one.inherits("QLabel"):
            needed = READABLE
        else:
            continue
        seen = strongest(one.grab().toImage())
        if seen < needed:
            found.append((one.objectName(), round(seen, 2)))
    return found


def cut():
    """Labels, buttons and boxes whose texts have no room, but for those that end in "…" and say all in a tooltip."""
    found = []
    for one in hand.docker().findChildren(QWidget):
        kinds = ("QPushButton", "QCheckBox", "QLabel")
        if not one.isVisible() or not any(one.inherits(kind) for kind in kinds) or not one.text():
            continue
        wrapped = one.inherits("QLabel") and one.wordWrap()
        room, needed = (one.height(), one.heightForWidth(one.width())) if wrapped else (one.width(), text_width(one))
        if room < needed and one.objectName() != "daemon.sentence":
            found.append((one.objectName(), room, needed))
    return found


def text_width(one):
    words = one.text().replace("&", "")
    return one.fontMetrics().horizontalAdvance(words)


def check_the_docker_is_legible_in_a_bright_and_in_a_dark_theme():
    yield from hand.spread()
    yield from pages.line_page()
    yield from colorize()
    yield from hand.ended()
    yield from hand.float_docker()
    for theme in THEMES:
        hand.choose_entry("Settings", "Themes", theme)
        for tab, groups in (("Colorize", ("references", "regions", "variation")), ("Decompose", ("finish",))):
            yield from hand.open_tab(tab)
            for group in groups:
                yield from hand.opened(f"group.{group}")
            yield from hand.turns(20)
            name = f"theme-{theme.split()[1]}-{tab.lower()}"
            yield from hand.picture_of(name)
            assert unseen() == [], (theme, tab, unseen())
            assert cut() == [], (theme, tab, cut())
    yield from hand.dock_again()
    background = hand.docker().palette().window().color()
    assert luminance(background) < 0.2, "the theme did not change"
    ratio = hand.docker().devicePixelRatioF()
    hand.facts["device pixels"] = ratio
    icon = hand.widget("history.list").item(0).icon()
    sides = [size.width() for size in icon.availableSizes()]
    assert max(sides) >= hand.widget("history.list").iconSize().width() * ratio, (sides, ratio)


# ---- lines and regions


def check_a_locked_region_keeps_the_colours_of_the_result_before():
    document, lines, _ = yield from pages.line_page()
    yield from colorize()
    yield from hand.ended()
    before = bytes(pages.of(pages.group_of(document, "Colorize – "), "flat").pixelData(120, 120, 1, 1))

    def left(painter):
        painter.fillRect(QRectF(0, 0, 0.5, 0.68), QColor("#000000"))

    def violet(painter):
        painter.fillRect(QRectF(0.25, 0.35, 0.1, 0.1), QColor("#9020c0"))
        painter.fillRect(QRectF(0.65, 0.35, 0.1, 0.1), QColor("#9020c0"))

    yield from pages.layer(document, "Locked", left)
    yield from pages.layer(document, "Other", violet)
    document.setActiveNode(lines)
    yield from hand.turns()
    yield from hand.opened("group.regions")
    yield from hand.choose("colorize.lock", "Locked")
    yield from colorize("Other")
    yield from hand.ended()
    yield from hand.choose("colorize.lock", "None")
    groups = [node for node in document.topLevelNodes() if node.type() == "grouplayer"]
    flats = [pages.of(group, "flat") for group in sorted(groups, key=lambda group: group.name())]
    after = [bytes(flat.pixelData(x, 120, 1, 1)) for flat in flats for x in (120, 280)]
    assert before == bytes((0x30, 0x40, 0xD0, 0xFF))
    violet = bytes((0xC0, 0x20, 0x90, 0xFF))
    assert sorted(after) == sorted([before, bytes((0xC0, 0x60, 0x30, 0xFF)), before, violet]), after


def check_leaks_are_shown_and_nothing_is_inserted():
    document = pages.page(400, 300)

    def open_ring(painter):
        painter.setPen(QPen(QColor(20, 10, 30), 0.02))
        painter.drawArc(QRectF(0.3, 0.3, 0.4, 0.4), 16 * 5, 16 * 350)
        painter.drawLine(QPointF(0, 0.9), QPointF(1, 0.9))

    yield from pages.layer(document, "Lines", open_ring)
    yield from hand.open_tab("Colorize")
    yield from hand.opened("group.regions")
    yield from hand.count("colorize.gap", 24)
    yield from hand.click("colorize.leaks")
    yield from hand.ended()
    yield from hand.picture_of("leaks")
    assert hand.shown("result.leaks").startswith("One opening was closed, "), hand.shown("result.leaks")
    assert hand.widget("result.picture").isVisible()
    assert pages.names(document) == ["Background", "Lines"]


# ---- references, automatic colours, variations: only with colour networks


def can(what):
    """Asks the daemon itself; skips the check when it says no. Needs an open document, or Krita shows no docker."""
    yield from hand.open_tab("Colorize")
    if hand.widget("daemon.start").isVisible():
        yield from hand.click("daemon.start")
    yield from until(lambda: hand.widget("daemon.restart").isVisible(), "the daemon to be ready")
    command = [os.environ["CELWRIGHT_COMMAND"], "status", "--json"]
    answer = subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout
    if what not in json.loads(answer)["capabilities"]:
        raise hand.Skipped(f"This daemon has no weights for {what}.")


def colored(painter):
    """The line page, finished: red and blue rings on green."""
    painter.fillRect(QRectF(0, 0, 1, 1), QColor("#f0e0b0"))
    painter.fillRect(QRectF(0, 0.7, 1, 0.3), QColor("#40a040"))
    for x, color in ((0.3, "#d04030"), (0.7, "#3060c0")):
        painter.setBrush(QColor(color))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawEllipse(QPointF(x, 0.4), 0.17, 0.22)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    pages.lines(painter)


def rows():
    return [hand.widget("references.list").item(row).text() for row in range(hand.widget("references.list").count())]


def listed(wanted):
    """Wait until the references are these; the docker is drawn after it was told."""
    yield from until(lambda: rows() == wanted, f"{wanted} in the list of references", 30)


def no_references():
    while rows():
        before = len(rows())
        yield from hand.click("references.remove")
        yield from until(lambda before=before: len(rows()) < before, "one reference less")


def lone_lines():
    """(document, lines) with neither hints nor references chosen."""
    document = pages.page(400, 300)
    lines = yield from pages.layer(document, "Lines", pages.lines)
    yield from hand.open_tab("Colorize")
    for name in ("hints", "lock"):
        yield from hand.choose(f"colorize.{name}", "None")
    yield from hand.choose("colorize.palette", "Any colours")
    for group in ("references", "variation"):
        yield from hand.opened(f"group.{group}")
    if hand.widget("colorize.steps").isEnabled():
        yield from hand.count("colorize.steps", 2)  # quick; what the colours are worth is measured elsewhere
    yield from no_references()
    return document, lines


def run():
    yield from hand.click("colorize.run")
    yield from hand.ended()


def flats_of(document):
    groups = [node for node in document.topLevelNodes() if node.name().startswith("Colorize – ")]
    return {group.name(): pages.pixels(document, pages.of(group, "flat")) for group in groups}


def check_references_come_from_layer_file_clipboard_and_library():
    document, lines = yield from lone_lines()
    yield from can("colorize.references")
    yield from pages.layer(document, "Sheet", colored)
    document.setActiveNode(lines)
    yield from hand.turns(80)  # the docker looks at the layers once a second
    yield from hand.chosen("references.add", "From layer", "Sheet")
    yield from listed(["Sheet"])
    picture = QImage(pages.painted(400, 300, colored), 400, 300, QImage.Format.Format_ARGB32)
    assert picture.save(f"{FOLDER}/sheet.png")
    hand.awaits_dialog = True
    yield from hand.chosen("references.add", "From file…")
    dialog = yield from hand.dialog("QFileDialog")
    dialog.findChild(QLineEdit, "fileNameEdit").setText(f"{FOLDER}/sheet.png")
    dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Open).click()
    yield from hand.dialog_closed()
    yield from listed(["Sheet", "sheet.png"])
    QApplication.clipboard().setImage(picture)
    yield from hand.chosen("references.add", "From clipboard")
    yield from listed(["Sheet", "sheet.png", "Clipboard"])
    hand.awaits_dialog = True
    yield from hand.click("references.save")
    dialog = yield from hand.dialog("QInputDialog")
    dialog.setTextValue("Ring twins")
    dialog.accept()
    yield from hand.dialog_closed()
    yield from hand.ended()
    assert hand.shown("result.notices") == "The character “Ring twins” is in the library."
    yield from hand.chosen("references.add", "From character library", "Ring twins")
    yield from hand.ended()
    yield from listed(["Sheet", "sheet.png", "Clipboard", "Ring twins"])
    yield from hand.float_docker()
    yield from hand.picture_of("references")
    yield from hand.dock_again()
    yield from no_references()
    yield from listed([])


def check_a_reference_with_mask_and_region_gives_its_colours_and_its_place_is_shown():
    document, lines = yield from lone_lines()
    yield from can("colorize.references")
    sheet = yield from pages.layer(document, "Sheet", colored)
    document.setActiveNode(lines)
    yield from hand.turns(80)
    yield from hand.chosen("references.add", "From layer", "Sheet")
    sheet.setVisible(False)
    document.refreshProjection()
    assert not hand.widget("references.mask").isEnabled()
    pages.select(document, 52, 54, 136, 132)  # the red ring
    yield from hand.click("references.mask")
    yield from hand.turns()
    yield from listed(["Sheet\nmasked"])
    pages.select(document, 40, 40, 160, 160)
    yield from hand.click("references.place")
    yield from hand.turns()
    yield from listed(["Sheet\nmasked, placed on the canvas"])
    document.setSelection(None)
    yield from hand.settled()
    yield from hand.turns(80)
    before = hand.canvas_image()
    yield from hand.click("references.show")
    yield from hand.settled()
    yield from hand.picture_of("instance")
    after = hand.canvas_image()
    shown = document.selection()
    assert (shown.x(), shown.y(), shown.width(), shown.height()) == (40, 40, 160, 160)
    changed = sum(before.pixel(x, y) != after.pixel(x, y) for x in range(after.width()) for y in range(after.height()))
    assert changed > after.width() // 2, f"Krita draws no outline of the region: {changed} pixels changed"
    assert len(Krita.instance().documents()) == 1
    document.setSelection(None)
    yield from hand.turns(80)
    yield from run()
    yield from hand.picture_of("reference-colors")
    (flat,) = flats_of(document).values()
    blue, green, red, alpha = flat[4 * (400 * 120 + 120) :][:4]
    hand.facts["red ring"] = [red, green, blue, alpha]
    assert alpha == 255
    assert red > 1.5 * max(green, blue), (red, green, blue)
    yield from no_references()


def check_variations_are_shown_as_thumbnails_and_one_is_chosen_by_a_click():
    document, _ = yield from lone_lines()
    yield from can("colorize.variations")
    yield from hand.choose("colorize.palette", "Automatic")
    yield from hand.count("colorize.variations", 3)
    yield from run()
    view = hand.widget("variations")
    assert view.isVisible()
    assert view.count() == 3
    assert len(flats_of(document)) == 1
    place = view.visualItemRect(view.item(1)).center()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    yield from hand.ended()
    yield from hand.float_docker()
    yield from hand.picture_of("variations")
    yield from hand.dock_again()
    flats = flats_of(document)
    assert sorted(name.rpartition(" ")[2] for name in flats)[0] == "(2)", list(flats)
    first, second = flats.values()
    assert first != second
    yield from act("edit_undo")
    assert len(flats_of(document)) == 1
    yield from hand.count("colorize.variations", 1)


def check_the_same_seed_gives_the_same_colours_and_another_seed_others():
    made = {}
    for turn, seed in enumerate((7, 7, 8)):
        document, _ = yield from lone_lines()
        yield from can("colorize.auto")
        yield from hand.choose("colorize.palette", "Automatic")
        yield from hand.count("colorize.seed", seed)
        yield from run()
        (made[turn],) = flats_of(document).values()
        yield from hand.close(document)
    assert made[0] == made[1]
    assert made[0] != made[2]
    assert len({made[0][at : at + 4] for at in range(0, len(made[0]), 4)}) > 1
