"""Decompose from the docker's button to the group in the document, and everything that may happen in between."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
from celwright_krita import domain
from celwright_krita.canvas import VISIBLE, Rect
from celwright_krita.errors import DaemonUnreachableError, QueueFullError, UnusableInputError
from celwright_krita.pixels import Pixels
from celwright_krita.state import DecomposeOptions
from fake_canvas import FakeCanvas, FakeLayer, cut, mask, painted

GONE = "No daemon answers at unix:/d.sock, or it ended at work; start it and try again."


def test_one_group_in_one_step_lies_above_the_source_and_nothing_else_changes(bench):
    ink, below = painted("ink"), painted("paper", seed=2)
    bench = bench(FakeCanvas(layers=(ink, below)))
    bench.canvas.current = below.id
    before = (ink.data, below.data)
    bench.session.decompose(DecomposeOptions())
    bench.finish()
    names = [layer.name for layer in bench.canvas.top]
    assert (names[0], names[2]) == ("ink", "paper")
    assert names[1].startswith("Decompose – ")
    group = bench.canvas.top[1]
    told = [(layer.name, layer.blend, layer.clipped, layer.rect) for layer in group.children]
    rect = Rect(0, 0, 24, 16)
    assert told == [
        ("line", "normal", False, rect),
        ("highlight", "screen", True, rect),
        ("shadow", "multiply", True, rect),
        ("flat", "normal", False, rect),
    ]
    assert bench.canvas.steps == 1
    assert (ink.data, below.data) == before
    assert group.children[0].data == below.data  # the scripted line layer is the picture: bit for bit there and back
    assert bench.program.messages == [f"Inserted “{names[1]}”."]
    assert bench.sentence == ""


def test_a_shadow_that_the_daemon_made_to_lie_normally_does_so_in_the_document(bench):
    bench = bench()
    bench.script.report = domain.Report(shadow_blend="normal")
    bench.session.decompose(DecomposeOptions(shadow_blend="normal", flat_colors=9))
    bench.finish()
    assert (bench.script.requests[0].shadow_blend, bench.script.requests[0].flat_colors) == ("normal", 9)
    assert bench.canvas.named("shadow").blend == "normal"
    assert bench.canvas.named("highlight").blend == "screen"


@pytest.mark.parametrize("depth", ["U8", "U16"])
def test_pixels_cross_bit_for_bit_in_both_depths(bench, depth):
    bench = bench(FakeCanvas(layers=(painted("ink", depth=depth),), depth=depth))
    bench.session.decompose(DecomposeOptions())
    bench.finish()
    assert bench.canvas.named("line").data == bench.canvas.named("ink").data
    assert bench.script.requests[0].picture.depth == int(depth[1:])


def test_a_layer_with_an_offset_is_cut_to_the_canvas(bench):
    ink = painted("ink", 20, 20, x=-4, y=6)
    bench = bench(FakeCanvas(layers=(ink,)))
    bench.session.decompose(DecomposeOptions())
    bench.finish()
    line = bench.canvas.named("line")
    assert line.rect == Rect(0, 6, 16, 10)
    assert line.data == cut(ink.data, ink.rect, line.rect, 4)


def test_the_visible_picture_goes_on_top_of_all(bench):
    bench = bench(FakeCanvas(layers=(painted("a"), painted("b"))))
    bench.session.decompose(DecomposeOptions(source=VISIBLE))
    bench.finish()
    assert bench.canvas.top[0].children is not None


@pytest.mark.parametrize("changes", [{"visible": False}, {"locked": True}], ids=["hidden", "locked"])
def test_hidden_and_locked_sources_are_read_and_left_as_they_are(bench, changes):
    ink = dataclasses.replace(painted("ink"), **changes)
    bench = bench(FakeCanvas(layers=(ink,)))
    bench.session.decompose(DecomposeOptions(source=ink.id))
    bench.finish()
    assert bench.canvas.steps == 1
    assert {name: getattr(ink, name) for name in changes} == changes


def test_a_group_is_a_source_too(bench):
    group = FakeLayer("figure", children=[painted("ink")])
    bench = bench(FakeCanvas(layers=(group,)))
    bench.session.decompose(DecomposeOptions(source=group.id))
    bench.finish()
    assert bench.canvas.top[0].name.startswith("Decompose – ")
    assert bench.canvas.top[1] is group


def test_outside_the_selection_the_layers_are_transparent_and_inside_as_they_came(bench):
    bench = bench(FakeCanvas(80, 90, layers=(painted("ink", 80, 90),)))
    bench.canvas.mask = mask(5, 3, 9, 70, value=1)  # hardly selected is selected
    bench.session.decompose(DecomposeOptions())
    bench.finish()
    ink, line, flat = (bench.canvas.named(name) for name in ("ink", "line", "flat"))
    assert line.rect == Rect(0, 0, 78, 90)  # as far as the decomposer looks around the selection
    inside = cut(ink.data, ink.rect, Rect(5, 3, 9, 70), 4)
    assert line.data == cut(inside, Rect(5, 3, 9, 70), line.rect, 4)
    assert flat.data == cut(bytes([11]) * (9 * 70 * 4), Rect(5, 3, 9, 70), line.rect, 4)


def test_the_selection_of_the_start_counts_not_that_of_the_end(bench):
    bench = bench()
    bench.canvas.mask = mask(0, 0, 24, 4)
    bench.script.before = lambda: setattr(bench.canvas, "mask", mask(0, 8, 24, 4))
    bench.session.decompose(DecomposeOptions())
    bench.finish()
    ink, line = bench.canvas.named("ink"), bench.canvas.named("line")
    assert line.data == ink.data[: 24 * 4 * 4] + bytes(24 * 12 * 4)


@pytest.mark.parametrize(
    ("model", "depth", "sentence"),
    [
        (
            "CMYKA",
            "U8",
            "The document’s colours are CMYKA; RGB is needed: use Image > Convert Image Color Space and choose RGB "
            "with 8 or 16 bits.",
        ),
        (
            "RGBA",
            "F32",
            "The document has floating-point colours (F32); 8 or 16 bits are needed: use Image > Convert Image Color "
            "Space and choose 16-bit integer.",
        ),
        (
            "GRAYA",
            "U8",
            "The document is grey, and a coloured result cannot lie in it: use Image > Convert Image Color Space and "
            "choose RGB.",
        ),
    ],
)
def test_documents_of_other_colours_are_refused_before_anything_is_read(bench, model, depth, sentence):
    bench = bench(FakeCanvas(layers=(painted("ink"),), model=model, depth=depth))
    assert bench.state.refusal == sentence
    bench.session.decompose(DecomposeOptions())
    assert bench.sentence == sentence
    assert bench.state.job is None
    assert (bench.canvas.reads, bench.script.requests) == ([], [])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda canvas: setattr(canvas, "mask", mask(0, 0, 8, 8, value=0)),
            "The selection is empty: select something on the canvas, or nothing at all.",
        ),
        (
            lambda canvas: setattr(canvas, "mask", mask(100, 100, 8, 8)),
            "The selection is empty: select something on the canvas, or nothing at all.",
        ),
        (
            lambda canvas: setattr(canvas.top[0], "rect", Rect(50, 50, 24, 16)),
            "The layer has no pixels on the canvas: choose another one.",
        ),
        (lambda canvas: setattr(canvas, "current", ""), "No layer is active: choose one in the list of layers."),
    ],
    ids=["empty selection", "selection off the canvas", "layer off the canvas", "no active layer"],
)
def test_what_cannot_be_worked_on_is_said_before_anything_is_sent(bench, change, sentence):
    bench = bench()
    change(bench.canvas)
    bench.session.decompose(DecomposeOptions())
    bench.finish()
    assert (bench.sentence, bench.script.requests) == (sentence, [])


def test_a_selection_beside_the_layers_pixels_is_said(bench):
    bench = bench(FakeCanvas(200, 16, layers=(painted("ink", 24, 16),)))
    bench.canvas.mask = mask(150, 0, 10, 10)
    bench.session.decompose(DecomposeOptions())
    bench.finish()
    assert bench.sentence == ("The selection lies beside the layer’s pixels: select a part of them, or nothing at all.")


def test_without_a_document_there_is_a_sentence(bench):
    bench = bench()
    bench.canvas.close()
    bench.session.decompose(DecomposeOptions())
    assert bench.sentence == "No document is open: open or create one."


def test_a_second_job_waits_for_the_artist_not_for_the_first(bench):
    bench = bench()
    bench.session.decompose(DecomposeOptions())
    bench.session.decompose(DecomposeOptions())
    assert bench.sentence == "Another job runs: wait for it, or cancel it."
    bench.finish()
    assert bench.canvas.steps == 1


def test_progress_queue_and_preview_are_shown(bench):
    bench = bench()
    preview = domain.Preview(Pixels(bytes(8 * 8 * 4), 8, 8))
    bench.script.events = [domain.Queued(2), domain.Progress("decompose", 0.5, 3.0), preview]
    bench.session.decompose(DecomposeOptions())
    bench.finish()
    assert bench.stages() == ["read", "send", "queue", "decompose", "insert"]
    jobs = [state.job for state in bench.changes if state.job is not None]
    assert [job.ahead for job in jobs if job.stage == "queue"] == [2]
    worked = next(job for job in jobs if job.stage == "decompose")
    assert (worked.fraction, worked.seconds_left, worked.ahead) == (0.5, 3.0, 0)
    assert any(job.preview is preview.image for job in jobs)


def test_what_is_known_about_the_result_is_shown(bench):
    bench = bench()
    error = domain.RecompositionError(1.0, 0.1, 50.0)
    bench.script.report = domain.Report(recomposition=error, notices=("A notice.",))
    bench.session.decompose(DecomposeOptions())
    bench.finish()
    state = bench.state
    assert (state.recomposition, state.notices, state.variations) == (error, ("A notice.",), ())
    assert state.overview.size == (24, 16)


def test_cancelling_ends_it_at_once_and_inserts_nothing(bench):
    bench = bench()
    bench.script.held = True
    bench.session.decompose(DecomposeOptions())
    bench.until_held()
    bench.session.cancel()
    assert bench.state.job is None
    assert (bench.state.notices, bench.sentence) == (("The job was cancelled.",), "")
    bench.settle()
    assert (bench.canvas.steps, bench.state.history) == (0, ())


def test_cancelling_while_it_inserts_leaves_the_document_alone(bench):
    bench = bench()
    bench.session.decompose(DecomposeOptions())
    bench.until(lambda: bench.state.job is not None and bench.state.job.stage == "insert" and bench.state.history)
    bench.session.cancel()
    bench.settle()
    assert bench.canvas.steps == 0
    assert len(bench.state.history) == 1  # and the result is not lost


def test_the_document_closed_in_the_middle_takes_nothing_with_it(bench):
    bench = bench()
    other = FakeCanvas(layers=(painted("other"),))
    bench.program.documents.append(other)
    bench.script.before = bench.canvas.close
    bench.session.decompose(DecomposeOptions())
    bench.finish()
    assert bench.sentence == (
        "The document “page one.kra” was closed; the result is kept: open the document and insert it from the history."
    )
    (entry,) = bench.state.history
    assert (entry.document, entry.insertable) == ("page one.kra", True)
    bench.session.insert_again(entry.id)
    bench.finish()
    assert other.steps == 1
    assert other.named("line").data == painted("ink").data


def test_the_source_removed_in_the_middle_is_told_and_the_result_lies_on_top(bench):
    ink, other = painted("ink"), painted("other")
    bench = bench(FakeCanvas(layers=(other, ink)))
    bench.canvas.current = ink.id
    bench.script.before = lambda: bench.canvas.remove(ink.id)
    bench.session.decompose(DecomposeOptions())
    bench.finish()
    assert bench.canvas.top[0].children is not None
    assert bench.state.notices == (
        "The layer that the result was made from is gone; the result lies on top of all layers.",
    )


def test_a_daemon_killed_in_the_middle_is_a_fault_with_ways_on_and_a_retry_reads_nothing_anew(bench):
    bench = bench()
    bench.script.fault = DaemonUnreachableError(GONE)
    bench.session.decompose(DecomposeOptions())
    bench.finish()
    assert (bench.sentence, bench.state.fault.ways) == (GONE, ("retry", "restart", "diagnose"))
    bench.canvas.top[0].data = bytes(len(bench.canvas.top[0].data))  # the artist paints on
    bench.session.retry()
    bench.finish()
    assert bench.sentence == ""
    assert bench.canvas.named("line").data == painted("ink").data
    assert len(bench.canvas.reads) == 1


def test_a_full_queue_is_worth_a_retry_and_unusable_input_is_not(bench):
    bench = bench()
    for fault, ways in ((QueueFullError("Full."), ("retry",)), (UnusableInputError("Empty."), ())):
        bench.script.fault = fault
        bench.session.decompose(DecomposeOptions())
        bench.finish()
        assert (bench.sentence, bench.state.fault.ways) == (str(fault), ways)


def test_what_nobody_thought_of_is_a_sentence_too_and_the_docker_lives_on(bench):
    bench = bench()
    bench.script.fault = KeyError("odd")
    bench.session.decompose(DecomposeOptions())
    bench.finish()
    assert bench.sentence == (
        "Something went wrong that should not (KeyError): try it again, and copy a report with Diagnose if it stays so."
    )
    assert bench.state.fault.ways == ("retry", "diagnose")
    bench.session.retry()
    bench.finish()
    assert bench.canvas.steps == 1


def test_dismissing_a_fault_forgets_the_retry(bench):
    bench = bench()
    bench.script.fault = DaemonUnreachableError(GONE)
    bench.session.decompose(DecomposeOptions())
    bench.finish()
    bench.session.dismiss()
    assert bench.state.fault is None
    bench.session.retry()
    assert bench.state.job is None


def test_a_second_try_sends_only_what_changed(bench):
    bench = bench()
    for sent in (24 * 16 * 4, 24 * 16 * 4):
        bench.session.decompose(DecomposeOptions(source=bench.canvas.named("ink").id))
        bench.finish()
        assert bench.script.sent == sent


def test_several_documents_keep_their_own(bench):
    first, second = FakeCanvas(layers=(painted("ink"),)), FakeCanvas(layers=(painted("sketch", seed=3),))
    second.name = "page two.kra"
    bench = bench(first, second)

    def other_in_front() -> None:
        bench.program.documents.reverse()

    bench.script.before = other_in_front
    bench.session.decompose(DecomposeOptions())
    bench.finish()
    assert (first.steps, second.steps) == (1, 0)  # it goes where it came from
    assert bench.state.document == "page two.kra"


def test_the_session_knows_neither_krita_nor_qt():
    told = (
        "import sys, celwright_krita.session.session; print([name for name in sys.modules if name in ('krita', 'numpy')"
    )
    told += " or name.startswith('PyQt') or name in ('celwright_krita.window.qt', 'celwright_krita.rim.docker')])"
    plugin = Path(__file__).resolve().parents[2] / "plugin_krita"
    done = subprocess.run([sys.executable, "-c", told], cwd=str(plugin), stdout=subprocess.PIPE, check=True)
    assert done.stdout.strip() == b"[]"
