"""Played inside Krita's window by the driver: every "check_" is a claim about what the artist sees and gets.

All share one Krita and one daemon, which the plugin starts at the first job. test_krita_window.py asks for the claims.
"""

import os
import signal
import time

from celwright_driver import hand, pages
from celwright_driver.hand import until
from celwright_driver.qt import QApplication, QDialogButtonBox, QLineEdit
from celwright_driver.stalls import watch
from krita import InfoObject, Krita

FOLDER = os.environ["CELWRIGHT_TEST_FOLDER"]
LARGE = int(os.environ.get("CELWRIGHT_TEST_LARGE", "4000"))
SCRIPTS = ("Tools", "Scripts")
DECOMPOSING = "Taking the picture apart"
SLOW = 800  # px a side: seconds of work, so that something can happen in the middle of it


def daemons():
    """Process ids of daemons that end with this Krita."""
    found = []
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{number}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
        except OSError:
            continue
        if b"serve" in words and b"--owner-pid" in words and str(os.getpid()).encode() in words:
            found.append(int(number))
    return found


def colorize(hints="Hints"):
    """By the menu, with a hint layer."""
    yield from hand.open_tab("Colorize")
    yield from hand.choose("colorize.hints", hints)
    hand.choose_entry(*SCRIPTS, "Colorize selection")


def decompose(fidelity="Exact – gives the picture back"):
    yield from hand.open_tab("Decompose")
    yield from hand.choose("decompose.fidelity", fidelity)
    yield from hand.click("decompose.run")


def act(name):
    document = Krita.instance().activeDocument()
    document.waitForDone()  # Krita silently undoes nothing while it computes the picture
    Krita.instance().action(name).trigger()
    document.waitForDone()
    yield from hand.turns()


def four_pixels(document, group):
    return {node.name(): pages.pixels(document, node) for node in group.childNodes()}


def check_the_plugin_stands_in_the_menu_and_among_the_dockers():
    yield from hand.spread()
    document, _, _ = yield from pages.line_page()
    for name in ("celwright_colorize_selection", "celwright_decompose_layers", "celwright_save_layered_psd"):
        assert Krita.instance().action(name) is not None, name
    assert Krita.instance().action("celwright_colorize_selection").shortcut().toString() == "Ctrl+Alt+K"
    yield from hand.open_menus(*SCRIPTS, "Colorize selection")
    yield from hand.picture_of("menu")
    hand.close_menus()
    yield from hand.open_docker()
    assert hand.docker().windowTitle() == "Celwright"
    assert pages.names(document) == ["Background", "Hints", "Lines"]


def check_colorize_selection_inserts_four_layers_inside_the_selection_and_touches_nothing_else():
    document, lines, _ = yield from pages.line_page()
    left = (0, 0, 200, 300)
    pages.select(document, *left)
    before = pages.whole(document)
    begun = time.monotonic()
    yield from colorize()
    yield from hand.stage("Starting the daemon")
    hand.take_picture("colorize-progress")
    yield from hand.ended()
    hand.facts["first_layer_cold_s"] = round(time.monotonic() - begun, 2)
    yield from hand.picture_of("colorize-done")
    assert len(daemons()) == 1
    group = pages.group_of(document, "Colorize – ")
    assert pages.names(document) == ["Background", "Hints", "Lines", group.name()]
    assert [pages.facts(node) for node in group.childNodes()] == pages.FOUR
    assert pages.whole(document) == before
    assert document.activeNode().name() == "Lines"
    for node in group.childNodes():
        beside = pages.outside(pages.pixels(document, node), 400, left, 4)
        assert beside == bytes(len(beside)), node.name()
    made = pages.inside(pages.pixels(document, pages.of(group, "line")), 400, left, 4)
    assert made == pages.inside(pages.pixels(document, lines), 400, left, 4)
    red = bytes(pages.of(group, "flat").pixelData(120, 120, 1, 1))
    assert red == bytes((0x30, 0x40, 0xD0, 0xFF)), red
    # one undo step, and redo brings the pixels back
    made, whole = four_pixels(document, group), pages.names(document)
    yield from act("edit_undo")
    assert pages.names(document) == ["Background", "Hints", "Lines"]
    assert pages.whole(document) == before
    yield from act("edit_redo")
    assert pages.names(document) == whole
    assert four_pixels(document, pages.group_of(document, "Colorize – ")) == made


def check_a_second_run_is_quick():
    document, _, _ = yield from pages.line_page()
    yield from hand.open_tab("Colorize")
    yield from hand.choose("colorize.hints", "Hints")
    begun = time.monotonic()
    yield from hand.click("colorize.run")
    yield from hand.ended()
    hand.facts["first_layer_warm_s"] = round(time.monotonic() - begun, 2)
    flat = pages.of(pages.group_of(document, "Colorize – "), "flat")
    for (x, y), color in pages.DOTS.items():
        found = bytes(flat.pixelData(int(400 * x), int(300 * y), 1, 1))
        assert found == bytes.fromhex(color[1:])[::-1] + b"\xff", (x, y, found)


def check_exact_decomposition_gives_the_picture_back_and_stays_in_the_history():
    document, picture = yield from pages.shaded_page()
    before, wanted = pages.whole(document), pages.pixels(document, picture)
    yield from decompose()
    yield from hand.ended()
    yield from hand.picture_of("decompose-done")
    group = pages.group_of(document, "Decompose – ")
    assert pages.names(document) == ["Background", "Picture", group.name()]
    assert [pages.facts(node) for node in group.childNodes()] == pages.FOUR
    assert pages.whole(document) == before
    off = max(abs(a - b) for a, b in zip(pages.seen(document, group), wanted, strict=True))
    hand.facts["off_by"] = off
    assert off <= 2, off
    assert hand.shown("result.recomposition").startswith("Recomposition: "), hand.shown("result.recomposition")
    made = four_pixels(document, group)
    title = group.name()
    history = hand.widget("history.list")
    assert history.item(0).text() == f"{title}\npage"
    yield from act("edit_undo")
    assert pages.names(document) == ["Background", "Picture"]
    history.setCurrentRow(0)
    yield from hand.click("history.insert")
    yield from hand.ended()
    assert four_pixels(document, pages.group_of(document, "Decompose – ")) == made


def check_saved_as_kra_and_psd_the_layers_come_back():
    document, _, _ = yield from pages.line_page()
    yield from colorize()
    yield from hand.ended()
    group = pages.group_of(document, "Colorize – ")
    made = four_pixels(document, group)
    document.waitForDone()  # Krita refuses to save while it computes the picture
    assert document.saveAs(f"{FOLDER}/page.kra")
    document.waitForDone()
    assert document.exportImage(f"{FOLDER}/krita.psd", InfoObject())
    # our own file, by the button and Qt's dialog
    yield from hand.open_docker()
    hand.awaits_dialog = True
    yield from hand.click("save")
    dialog = yield from until(QApplication.activeModalWidget, "the file dialog")
    yield from hand.turns(10)
    hand.take_picture("save-dialog")
    dialog.findChild(QLineEdit, "fileNameEdit").setText(f"{FOLDER}/celwright.psd")
    dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Save).click()
    yield from until(lambda: QApplication.activeModalWidget() is None, "the dialog to close")
    hand.awaits_dialog = False
    yield from until(lambda: hand.shown("result.saved"), "the saved file")
    assert hand.shown("result.saved") == f"Saved: {FOLDER}/celwright.psd"
    yield from hand.ended()
    yield from hand.close(document)
    # Krita's own PSD
    psd = Krita.instance().openDocument(f"{FOLDER}/krita.psd")
    reopened = pages.group_of(psd, "Colorize – ")
    assert [(n.name(), n.blendingMode()) for n in reopened.childNodes()] == [(f[0], f[1]) for f in pages.FOUR]
    assert four_pixels(psd, reopened) == made
    psd.close()
    # KRA; that the result can be made again from it is for the next Krita: this one still holds the result
    kra = Krita.instance().openDocument(f"{FOLDER}/page.kra")
    assert four_pixels(kra, pages.group_of(kra, "Colorize – ")) == made
    kra.close()


def check_a_killed_daemon_is_told_and_restart_repeats_the_job():
    document, _ = yield from pages.shaded_page(SLOW, SLOW)
    yield from decompose()
    yield from hand.stage(DECOMPOSING)
    assert len(daemons()) == 1
    killed, height = daemons()[0], hand.window().qwindow().height()
    os.kill(killed, signal.SIGKILL)
    begun = time.monotonic()
    sentence, ways = yield from hand.fault()
    hand.facts["told_after_s"] = round(time.monotonic() - begun, 2)
    yield from hand.picture_of("fault")
    assert hand.window().qwindow().height() == height, "the docker's message made Krita's window higher"
    hand.facts["sentence"] = sentence
    assert "retry" in ways, ways
    assert "restart" in ways, ways
    assert pages.names(document) == ["Background", "Picture"]
    yield from hand.click("fault.retry")
    yield from hand.ended()
    pages.group_of(document, "Decompose – ")
    assert len(daemons()) == 1
    assert daemons() != [killed]


def check_restart_in_the_middle_ends_the_job_and_the_daemon():
    document, _ = yield from pages.shaded_page(SLOW, SLOW)
    yield from decompose()
    yield from hand.stage(DECOMPOSING)
    before = daemons()
    yield from hand.click("daemon.restart")
    sentence, ways = yield from hand.fault()
    assert sentence == "The job was ended to restart the daemon: try it again."
    assert ways == ["retry"]
    yield from until(lambda: daemons() and daemons() != before, "another daemon")
    yield from until(lambda: hand.widget("daemon.restart").isVisible(), "the daemon to be ready")
    assert pages.names(document) == ["Background", "Picture"]


def check_cancel_leaves_the_document_as_it_was():
    document, _ = yield from pages.shaded_page(SLOW, SLOW)
    yield from decompose()
    yield from hand.stage(DECOMPOSING)
    hand.take_picture("decompose-progress")
    begun = time.monotonic()
    yield from hand.click("job.cancel")
    yield from until(lambda: not hand.running(), "the end of the job")
    hand.facts["cancelled_after_s"] = round(time.monotonic() - begun, 2)
    yield from until(lambda: hand.shown("result.notices") == "The job was cancelled.", "the notice")
    assert not hand.shown("fault.sentence")
    assert pages.names(document) == ["Background", "Picture"]


def check_a_document_closed_in_the_middle_loses_no_result():
    document, _ = yield from pages.shaded_page(SLOW, SLOW)
    yield from hand.settled()
    yield from decompose()
    yield from hand.stage(DECOMPOSING)
    document.setModified(False)
    document.close()
    yield from until(lambda: not hand.running(), "the end of the job")
    other = pages.page(SLOW, SLOW, "other")
    sentence, _ = yield from hand.fault()
    assert sentence == (
        "The document “page” was closed; the result is kept: open the document and insert it from the history."
    )
    hand.widget("history.list").setCurrentRow(0)
    yield from hand.click("history.insert")
    yield from hand.ended()
    pages.group_of(other, "Decompose – ")


def check_the_result_goes_where_it_was_asked_for_when_another_document_comes_in_front():
    first, _ = yield from pages.shaded_page(SLOW // 2, SLOW // 2, name="first")
    yield from decompose()
    yield from hand.stage(DECOMPOSING)
    pages.select(first, 0, 0, 10, 10)  # the artist goes on working
    second, _ = yield from pages.shaded_page(name="second")
    before = pages.whole(second)
    yield from hand.ended()
    group = pages.group_of(first, "Decompose – ")
    assert pages.pixels(first, pages.of(group, "flat")).count(0) < SLOW  # the selection came too late
    assert pages.names(second) == ["Background", "Picture"]
    assert pages.whole(second) == before


def check_sixteen_bits_stay_sixteen_bits():
    document, lines, _ = yield from pages.line_page(depth="U16")
    yield from colorize()
    yield from hand.ended()
    group = pages.group_of(document, "Colorize – ")
    assert {node.colorDepth() for node in group.childNodes()} == {"U16"}
    assert {node.colorProfile() for node in group.childNodes()} == {pages.SRGB}
    assert pages.pixels(document, pages.of(group, "line")) == pages.pixels(document, lines)
    picture = yield from pages.layer(document, "Picture", pages.shaded)
    yield from decompose()
    yield from hand.ended()
    seen = memoryview(pages.seen(document, pages.group_of(document, "Decompose – "))).cast("H")
    off = max(abs(a - b) for a, b in zip(seen, memoryview(pages.pixels(document, picture)).cast("H"), strict=True))
    assert off <= 2 * 257, off


def check_a_selection_of_nothing_or_off_the_canvas_is_told():
    document, _, _ = yield from pages.line_page()
    pages.select(document, 900, 900, 50, 50)
    yield from colorize()
    sentence, _ = yield from hand.fault()
    assert sentence == "The selection is empty: select something on the canvas, or nothing at all."
    yield from hand.click("fault.dismiss")
    assert not hand.shown("fault.sentence")
    pages.select(document, 0, 0, 0, 0)
    yield from colorize()
    sentence, _ = yield from hand.fault()
    assert sentence == "The selection is empty: select something on the canvas, or nothing at all."
    assert pages.names(document) == ["Background", "Hints", "Lines"]


def check_hidden_and_locked_layers_are_read_and_stay_hidden_and_locked():
    document, lines, hints = yield from pages.line_page()
    hints.setVisible(False)
    lines.setLocked(True)
    before = pages.whole(document)
    yield from colorize()
    yield from hand.ended()
    group = pages.group_of(document, "Colorize – ")
    flat = bytes(pages.of(group, "flat").pixelData(120, 120, 1, 1))
    assert flat == bytes((0x30, 0x40, 0xD0, 0xFF)), flat
    assert pages.whole(document) == before


def check_documents_that_cannot_hold_the_result_are_refused_with_a_sentence():
    wanted = {
        ("RGBA", "F32"): "The document has floating-point colours (F32); 8 or 16 bits are needed: use Image > Convert "
        "Image Color Space and choose 16-bit integer.",
        ("CMYKA", "U8"): "The document’s colours are CMYKA; RGB is needed: use Image > Convert Image Color Space and "
        "choose RGB with 8 or 16 bits.",
        ("GRAYA", "U8"): "The document is grey, and a coloured result cannot lie in it: use Image > Convert Image "
        "Color Space and choose RGB.",
    }
    for (model, depth), sentence in wanted.items():
        document = pages.page(64, 64, model=model, depth=depth)
        yield from hand.open_docker()
        yield from until(lambda wanted=sentence: hand.shown("refusal") == wanted, sentence)
        assert not hand.widget("decompose.run").isEnabled()
        hand.choose_entry(*SCRIPTS, "Colorize selection")
        yield from hand.turns(5)
        assert not hand.running()
        if model == "CMYKA":
            yield from hand.picture_of("refusal")
        yield from hand.close(document)


def measured(button):
    """Click, wait for the result, keep how long the window stood still; only a frozen window is a fault here."""
    yield from hand.turns(20)
    watch().start(lambda: "nothing")
    begun = time.monotonic()
    yield from until(lambda: time.monotonic() > begun + 1, "a quiet second")
    hand.facts["nothing_runs"] = watch().stop()
    watch().start(lambda: hand.shown("job.stage") or "afterwards")
    begun = time.monotonic()
    yield from hand.click(button)
    yield from hand.ended(3 * hand.PATIENCE)
    hand.facts["seconds"] = round(time.monotonic() - begun, 2)
    yield from hand.turns(20)
    hand.facts["while_it_runs"] = watch().stop()
    assert hand.facts["while_it_runs"]["longest_turn_worked_ms"] < 1000, hand.facts


def check_the_window_stays_alive_while_a_large_page_is_colorized():
    document, _, _ = yield from pages.line_page(LARGE, LARGE)
    yield from hand.open_tab("Colorize")
    yield from hand.choose("colorize.hints", "Hints")
    yield from measured("colorize.run")
    group = pages.group_of(document, "Colorize – ")
    assert [pages.facts(node) for node in group.childNodes()] == pages.FOUR


def check_the_window_stays_alive_while_a_large_picture_is_decomposed():
    document, _ = yield from pages.shaded_page(LARGE, LARGE)
    yield from hand.open_tab("Decompose")
    yield from hand.choose("decompose.fidelity", "Exact – gives the picture back")
    yield from measured("decompose.run")
    pages.group_of(document, "Decompose – ")


def check_the_daemon_that_the_plugin_started_still_runs_when_krita_is_told_to_quit():
    found = yield from until(daemons, "the daemon")
    hand.facts["daemons"] = found
    hand.facts["krita"] = os.getpid()
