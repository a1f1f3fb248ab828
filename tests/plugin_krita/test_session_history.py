"""Results are not lost and can be made again; frames as a batch; saving; several documents."""

from __future__ import annotations

import dataclasses
import json

import pytest
from celwright_krita import document as documents
from celwright_krita.errors import DaemonUnreachableError
from celwright_krita.pixels import Pixels
from celwright_krita.session import history as histories
from celwright_krita.state import ColorizeOptions, DecomposeOptions
from fake_canvas import FakeCanvas, FakeLayer, mask, painted

GONE = "No daemon answers at unix:/d.sock, or it ended at work; start it and try again."


def made(bench) -> list:
    return [layer for layer in bench.canvas.top if layer.children is not None]


def test_a_result_is_packed_and_comes_back_bit_for_bit(bench):
    bench = bench()
    bench.session.decompose(DecomposeOptions())
    bench.settle()
    (result,) = bench.session._parts.history._results
    assert not hasattr(result.groups[0], "layers")  # packed
    (entry,) = bench.state.history
    bench.session.insert_again(entry.id)
    bench.settle()
    one, two = made(bench)
    assert [layer.data for layer in one.children] == [layer.data for layer in two.children]
    assert one.name == two.name == entry.title
    assert bench.canvas.steps == 2
    assert len(bench.state.history) == 1


def test_old_results_go_when_there_is_no_room_and_the_newest_stays(bench, monkeypatch):
    monkeypatch.setattr(histories, "HELD_BYTES", 1)
    bench = bench()
    ink = bench.canvas.top[0].id
    for _ in range(2):
        bench.session.decompose(DecomposeOptions(source=ink))
        bench.settle()
    newest, oldest = bench.state.history
    assert (newest.insertable, oldest.insertable) == (True, False)
    bench.session.insert_again(oldest.id)
    bench.finish()
    assert bench.sentence == "The result’s layers are no longer held: run it again."
    bench.session.run_again(oldest.id)
    bench.settle()
    assert bench.canvas.steps == 3


def test_a_result_does_not_go_into_a_document_of_other_colours(bench):
    other = FakeCanvas(layers=(painted("ink", depth="U16"),), depth="U16")
    bench = bench(FakeCanvas(layers=(painted("ink"),)), other)
    bench.session.decompose(DecomposeOptions())
    bench.settle()
    bench.canvas.close()
    bench.session.insert_again(bench.state.history[0].id)
    bench.finish()
    assert bench.sentence == ("The result is for documents in RGB with 8 bits: convert the document, or run it again.")


def test_run_again_wants_the_layers_as_they_were_wanted(bench):
    wishes = {
        "flat_colors": 12, "shadow_tones": 2, "shadow_tint": "region", "merge_highlight": True,
        "shadow_blend": "normal",
    }  # fmt: skip
    one = bench(FakeCanvas(layers=(painted("ink"),)))
    one.session.decompose(DecomposeOptions(**wishes))
    one.settle()
    reopened = FakeCanvas(layers=tuple(one.canvas.top))
    reopened.stored = json.loads(json.dumps(one.canvas.stored))  # as a file holds it
    two = bench(reopened)
    two.session.run_again(two.state.history[0].id)
    two.finish()
    for made in (one, two):
        request = made.script.requests[-1]
        assert {name: getattr(request, name) for name in wishes} == wishes


def test_a_group_of_an_older_plugin_is_made_again_as_it_was_then(bench):
    one = bench(FakeCanvas(layers=(painted("ink"),)))
    one.session.decompose(DecomposeOptions())
    one.settle()
    (stored,) = one.canvas.stored.values()
    before = {name: stored["options"][name] for name in ("source", "model", "fidelity", "all_frames")}
    reopened = FakeCanvas(layers=tuple(one.canvas.top))
    reopened.stored = {id: {**stored, "options": before} for id in one.canvas.stored}
    two = bench(reopened)
    two.session.run_again(two.state.history[0].id)
    two.finish()
    request = two.script.requests[-1]
    assert (request.flat_colors, request.shadow_tones, request.shadow_blend) == (0, 0, "multiply")


def test_a_reopened_document_tells_how_its_groups_were_made_and_they_can_be_made_again(bench):
    one = bench(FakeCanvas(layers=(painted("ink"), painted("dots", seed=3))))
    ink, dots = (layer.id for layer in one.canvas.top)
    colors = bytes(range(6))
    one.session.add_picture_reference("sheet", Pixels(bytes(400), 10, 10))
    one.session.colorize(ColorizeOptions(line_art="", hints=dots, palette="Sunset", gap=5, variations=2))
    one.settle()
    reopened = FakeCanvas(layers=tuple(one.canvas.top))
    reopened.stored = json.loads(json.dumps(one.canvas.stored))  # as a file holds it
    two = bench(reopened)
    two.program.colors["Sunset"] = bytes(3)  # the artist has changed the palette
    (entry,) = two.state.history
    assert (entry.task, entry.thumbnail, entry.insertable) == ("colorize", None, False)
    assert entry.title.startswith("Colorize – ")
    two.session.run_again(entry.id)
    two.settle()
    (request,) = two.script.requests
    assert (request.gap, request.variations, request.seed) == (5, 2, 7)  # the seed that was used
    assert (request.palette.name, request.palette.colors) == ("Sunset", colors)
    assert bytes(request.line_art.data) == bytes(one.script.requests[0].line_art.data)
    assert ink in reopened.reads  # the layer that it was then, whichever is active now
    assert two.state.notices == ("References that the result was made with are missing: add sheet and run it again.",)


@pytest.mark.parametrize(
    "stored", [{}, {"task": "colorize", "options": 5}, {"task": "fly", "options": {}}, {"options": {}, "task": ["x"]}]
)
def test_parameters_that_make_no_sense_are_said(bench, stored):
    bench = bench()
    bench.canvas.stored = {bench.canvas.top[0].id: stored}
    bench.session.refresh()
    bench.session.run_again(bench.state.history[0].id)
    bench.finish()
    assert bench.sentence == "How the result was made is not known: choose what to do in the tabs."


def test_odd_values_among_good_ones_are_left_at_their_defaults(bench):
    bench = bench()
    ink = bench.canvas.top[0].id
    options = {"line_art": ink, "gap": "wide", "shading": 1, "steps": 3, "wings": True}
    palette = {"name": "x", "colors": "odd"}
    bench.canvas.stored = {ink: {"task": "colorize", "options": options, "palette": palette, "references": 3}}
    bench.session.refresh()
    bench.session.run_again(bench.state.history[0].id)
    bench.settle()
    (request,) = bench.script.requests
    assert (request.gap, request.shading, request.steps, request.palette) == (8, True, 3, None)


def animated(*frames: int) -> FakeCanvas:
    pictures = {time: painted("x", seed=time).data for time in frames}
    layer = dataclasses.replace(painted("ink"), frames=pictures)
    canvas = FakeCanvas(layers=(layer,))
    canvas.times = (1, 0, 3)
    return canvas


def test_all_frames_become_a_group_each_in_one_undo_step_and_only_that_in_sight_is_visible(bench):
    bench = bench(animated(0, 1, 2, 3))
    bench.session.decompose(DecomposeOptions(all_frames=True))
    assert bench.state.job.task == "frames"
    bench.settle()
    (folder,) = made(bench)
    assert folder.name.endswith(" – frames 0 to 3")
    groups = folder.children[::-1]
    assert [group.name.rpartition(" – ")[2] for group in groups] == [f"frame {time}" for time in range(4)]
    assert [group.visible for group in groups] == [False, True, False, False]
    for time, group in enumerate(groups):
        assert group.children[0].data == painted("x", seed=time).data
    assert (bench.canvas.steps, bench.canvas.times[0]) == (1, 1)
    (entry, *_) = bench.state.history
    assert (entry.task, entry.title, len(bench.state.history)) == ("frames", folder.name, 1)
    bench.session.insert_again(entry.id)
    bench.settle()
    assert bench.canvas.steps == 2


def test_frames_that_a_file_remembers_are_made_again_as_a_batch(bench):
    bench = bench(animated(0, 1, 2, 3))
    ink = bench.canvas.named("ink").id
    bench.canvas.stored = {ink: {"task": "frames", "options": {"fidelity": "exact", "all_frames": False}}}
    bench.session.refresh()
    bench.session.run_again(bench.state.history[0].id)
    bench.settle()
    assert [request.fidelity for request in bench.script.requests] == 4 * ["exact"]
    assert (bench.sentence, bench.canvas.steps) == ("", 1)


def test_a_batch_of_frames_that_breaks_off_goes_on_where_it_was(bench):
    bench = bench(animated(0, 1, 2, 3))

    def break_off() -> None:
        if len(bench.script.requests) == 3:
            bench.script.fault = DaemonUnreachableError(GONE)

    bench.script.before = break_off
    bench.session.decompose(DecomposeOptions(all_frames=True))
    bench.settle()
    assert (bench.sentence, bench.canvas.steps, bench.canvas.times[0]) == (GONE, 0, 1)
    assert len(bench.state.history) == 1  # what is done is kept
    bench.session.retry()
    bench.settle()
    assert (bench.sentence, bench.canvas.steps, len(bench.script.requests)) == ("", 1, 5)
    assert len(made(bench)[0].children) == 4
    assert len(bench.state.history) == 1


def test_a_frame_with_nothing_in_it_is_left_out_and_told(bench):
    canvas = animated(0, 1, 2, 3)
    bench = bench(canvas)
    layer = canvas.top[0]
    bounds = canvas.bounds
    canvas.bounds = lambda id: bounds(id) if canvas.times[0] != 2 else dataclasses.replace(layer.rect, width=0)
    bench.session.decompose(DecomposeOptions(all_frames=True))
    bench.settle()
    assert (canvas.steps, len(made(bench)[0].children)) == (1, 3)
    assert bench.state.notices == ("Frame 2 was left out. The layer has no pixels on the canvas: choose another one.",)


def test_cancelled_frames_stay_in_the_history(bench):
    bench = bench(animated(0, 1, 2, 3))
    bench.script.before = lambda: setattr(bench.script, "held", len(bench.script.requests) == 3)
    bench.session.decompose(DecomposeOptions(all_frames=True))
    bench.until_held()
    bench.session.cancel()
    bench.settle()
    assert (bench.canvas.steps, bench.canvas.times[0]) == (0, 1)
    bench.session.insert_again(bench.state.history[0].id)
    bench.settle()
    assert (bench.canvas.steps, len(made(bench)[0].children)) == (1, 2)


class Writing:
    """Stands for write_document: keeps the request, gives a file's parts."""

    def __init__(self) -> None:
        self.request = None

    def __call__(self, client, request, cancellation=None):
        self.request = request
        yield documents.DocumentStart(6, request.format)
        yield b"abc"
        yield b"def"


@pytest.fixture
def writing(monkeypatch):
    from scripted import ScriptedClient

    found = Writing()
    monkeypatch.setattr(ScriptedClient, "write_document", lambda *given, **more: found(*given, **more), raising=False)
    return found


def test_the_whole_document_is_saved_where_nothing_of_ours_is_in_it(bench, writing, tmp_path):
    small = painted("dot", 3, 2, x=20, y=15)
    group = FakeLayer("folder", children=[painted("inner"), FakeLayer("empty")], blend="add")
    bench = bench(FakeCanvas(layers=(small, group, painted("ink"))))
    bench.canvas.icc = b"profile"
    bench.session.save_document(str(tmp_path / "page.psd"))
    bench.finish()
    assert (bench.sentence, bench.state.saved) == ("", str(tmp_path / "page.psd"))
    assert (tmp_path / "page.psd").read_bytes() == b"abcdef"
    request = writing.request
    assert (request.format, request.composite.icc, request.composite.size) == ("psd", b"profile", (24, 16))
    assert [node.name for node in request.layers] == ["ink", "folder", "dot"]
    folder, dot = request.layers[1:]
    assert ([node.name for node in folder.children], folder.blend) == (["empty", "inner"], "linear_dodge")
    assert (dot.image.size, dot.image.offset) == ((8, 8), (20, 15))
    rows = [bytes(dot.image.data)[row * 32 : row * 32 + 32] for row in range(8)]
    data = bytearray(small.data)
    data[0::4], data[2::4] = small.data[2::4], small.data[0::4]
    assert rows == [bytes(data[:12]) + bytes(20), bytes(data[12:]) + bytes(20), *[bytes(32)] * 6]
    assert not any(folder.children[0].image.data)


def test_the_group_inserted_last_is_saved_and_an_active_one_before_that(bench, writing, tmp_path):
    bench = bench()
    for _ in range(2):
        bench.session.decompose(DecomposeOptions(source=bench.canvas.named("ink").id))
        bench.settle()
    bench.canvas.top[0].name, bench.canvas.top[1].name = "newer", "older"
    older = next(layer.id for layer in bench.canvas.top if layer.name == "older")
    newest = bench.session._parts.history.newest().inserted
    for active, expected in (("", newest), (older, {older})):
        bench.canvas.current = active
        bench.session.save_document(str(tmp_path / f"{len(active)}.ora"))
        bench.finish()
        assert {layer.id for layer in bench.canvas.top if layer.name == writing.request.layers[0].name} == expected
        assert writing.request.format == "openraster"
        assert [node.name for node in writing.request.layers[0].children] == ["flat", "shadow", "highlight", "line"]
        assert [node.clipped for node in writing.request.layers[0].children] == [False, True, True, False]


def test_an_existing_file_is_not_replaced_unless_that_is_asked_for(bench, writing, tmp_path):
    target = tmp_path / "page.psd"
    target.write_bytes(b"mine")
    bench = bench()
    bench.session.save_document(str(target))
    bench.finish()
    assert bench.sentence == f"{target} exists already; replace it or choose another name."
    assert target.read_bytes() == b"mine"
    bench.session.save_document(str(target), True)
    bench.finish()
    assert target.read_bytes() == b"abcdef"


def test_a_model_is_fetched_with_progress(bench):
    bench = bench()
    bench.canvas.close()  # no document is needed
    bench.session.pull_model("big")
    bench.finish()
    assert [state.job.fraction for state in bench.changes if state.job and state.job.stage == "pull"] == [0.25, 1.0]
    assert bench.sentence == ""


def test_state_is_replaced_only_when_something_changed(bench):
    bench = bench()
    bench.canvas.mask = mask(0, 0, 8, 8)
    bench.session.refresh()
    assert bench.state.selected
    before = bench.state
    bench.session.refresh()
    bench.session.turn()
    assert bench.state.layers is before.layers
    assert bench.state.history is before.history
    assert bench.state.references is before.references
