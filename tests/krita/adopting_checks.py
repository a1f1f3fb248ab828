"""Played inside Krita's window while a daemon runs already, which somebody else started, and after another Krita has
saved a page with a result."""

from celwright_driver import hand, pages
from celwright_driver.hand import until
from krita import Krita
from window_checks import FOLDER, colorize, daemons, four_pixels


def check_a_daemon_that_runs_already_is_used_and_not_ours():
    yield from hand.spread()
    document, _, _ = yield from pages.line_page()
    yield from colorize()
    yield from hand.ended()
    pages.group_of(document, "Colorize – ")
    assert "another program started it" in hand.shown("daemon.sentence"), hand.shown("daemon.sentence")
    assert daemons() == []


def check_a_result_is_made_again_from_what_its_file_remembers():
    document = Krita.instance().openDocument(f"{FOLDER}/page.kra")
    document.setBatchmode(True)
    Krita.instance().activeWindow().addView(document)
    Krita.instance().setActiveDocument(document)
    first = pages.group_of(document, "Colorize – ")
    history = hand.widget("history.list")

    def row():
        rows = [row for row in range(history.count()) if history.item(row).text() == f"{first.name()}\npage.kra"]
        return rows and rows[0] + 1

    number = yield from until(row, "the stored result in the history")
    history.setCurrentRow(number - 1)
    yield from hand.turns()
    assert not hand.widget("history.insert").isEnabled()
    document.setActiveNode(pages.of(document.rootNode(), "Hints"))  # the stored line art is meant, not the active layer
    yield from hand.click("history.again")
    yield from hand.ended()
    groups = [node for node in document.topLevelNodes() if node.type() == "grouplayer"]
    assert len(groups) == 2, pages.names(document)
    assert four_pixels(document, groups[0]) == four_pixels(document, groups[1])
