import re
import sys

import cv2
import numpy as np
import pytest
from celwright.errors import WrongUsageError
from celwright.training import vectors
from celwright.training.corpora import _take_shading, drawing_count, drawn_scene, packed_corpora, picked, uneven
from celwright.training.painting.finishes import chosen
from celwright.training.painting.inks import Ink
from celwright.training.painting.painted_canvas import PaintedCanvas
from celwright.training.samples import Shares, packed, sample
from celwright.training.scenes import composed

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40"><mask id="m"><rect fill="#fff"/></mask>'
    '<path d="M5 5H35V35H5Z" fill="#fdd2b2" stroke="#592d3d" stroke-width="4"/>'
    '<path d="M25 10H30V30H25Z" fill="#f3ab98"/><path d="M8 8H20" fill="none" stroke="url(#g)"/></svg>'
)


def write_drawing(folder, size=96, shaded=False, gradient=False):
    folder.mkdir(parents=True)
    flat = np.zeros((size, size, 4), np.uint8)
    flat[10:-10, 10:-10] = (60, 90, 200, 255)
    flat[30:60, 30:60] = (40, 180, 60, 255)
    if gradient:
        flat[10:-10, 10:-10, 1] = np.arange(size - 20)[None, :] * 2
    line = np.zeros((size, size, 4), np.uint8)
    cv2.rectangle(line, (10, 10), (size - 10, size - 10), (20, 10, 30, 255), 2)
    cv2.imwrite(str(folder / "flat.png"), flat)
    cv2.imwrite(str(folder / "line.png"), line)
    if shaded:
        shadow = np.zeros_like(flat)
        shadow[50:-10, 10:-10] = (30, 45, 100, 255)
        cv2.imwrite(str(folder / "shadow.png"), shadow)


def test_drawings_become_scenes_that_obey_the_formula(tmp_path):
    write_drawing(tmp_path / "in" / "a")
    write_drawing(tmp_path / "in" / "b", shaded=True)
    store = packed_corpora([tmp_path / "in"], tmp_path / "cache")
    assert drawing_count(store) == 2
    seen_shadow = False
    for seed in range(12):
        made = drawn_scene(store, seed, 64)
        for name in ("line_alpha", "line_color", "flat", "shadow", "highlight"):
            plane = getattr(made, name)
            assert plane.dtype == np.float32
            assert -1e-4 <= plane.min() <= plane.max() <= 1 + 1e-4, name
        again = composed(made.line_alpha, made.line_color, made.flat, made.shadow, made.highlight)
        np.testing.assert_allclose(made.picture(), again)
        seen_shadow |= bool((made.shadow < 0.9).any())
    assert seen_shadow
    np.testing.assert_array_equal(drawn_scene(store, 3, 64).seen, drawn_scene(store, 3, 64).seen)


def test_drawings_are_packed_once_and_again_when_they_change(tmp_path):
    write_drawing(tmp_path / "in" / "a")
    first = packed_corpora([tmp_path / "in"], tmp_path / "cache")
    stamp = first.stat().st_mtime_ns
    assert packed_corpora([tmp_path / "in"], tmp_path / "cache") == first
    assert first.stat().st_mtime_ns == stamp
    write_drawing(tmp_path / "in" / "b")
    assert packed_corpora([tmp_path / "in"], tmp_path / "cache") != first


def test_a_flat_that_already_holds_shading_is_left_out(tmp_path):
    write_drawing(tmp_path / "in" / "plain")
    write_drawing(tmp_path / "in" / "graded", gradient=True)
    assert uneven(cv2.imread(str(tmp_path / "in" / "plain" / "flat.png"), cv2.IMREAD_UNCHANGED)) < 0.01
    assert drawing_count(packed_corpora([tmp_path / "in"], tmp_path / "cache")) == 1


def test_every_folder_is_drawn_from_equally_often(tmp_path):
    write_drawing(tmp_path / "few" / "a")
    for name in "bcdefgh":
        write_drawing(tmp_path / "many" / name)
    store = packed_corpora([tmp_path / "few", tmp_path / "many"], tmp_path / "cache")
    rng = np.random.default_rng(0)
    counts = np.bincount([picked(rng, store) for _ in range(1400)], minlength=8)
    np.testing.assert_allclose(counts / 1400, [1 / 2, *[1 / 14] * 7], atol=0.04)
    twice = packed_corpora([tmp_path / "few", tmp_path / "few", tmp_path / "many"], tmp_path / "cache")
    counts = np.bincount([picked(rng, twice) for _ in range(1400)], minlength=9)
    np.testing.assert_allclose(counts / 1400, [1 / 3, 1 / 3, *[1 / 21] * 7], atol=0.04)


def test_the_same_drawings_in_other_folders_are_packed_anew(tmp_path):
    for name in ("a", "b"):
        write_drawing(tmp_path / "in" / name)
    together = packed_corpora([tmp_path / "in"], tmp_path / "cache")
    assert packed_corpora([tmp_path / "in" / "a", tmp_path / "in" / "b"], tmp_path / "cache") != together


def test_folders_without_drawings_are_refused(tmp_path):
    write_drawing(tmp_path / "full" / "a")
    empty = tmp_path / "empty"
    with pytest.raises(WrongUsageError) as refused:
        packed_corpora([tmp_path / "full", empty], tmp_path / "cache")
    assert str(refused.value) == (
        f"There is no drawing to learn from in {empty}; folders with line.png and flat.png of one size, the flat "
        "without shading, are needed: name a folder that holds some."
    )


def test_shading_laid_normally_becomes_factors_that_give_it_back():
    rng = np.random.default_rng(0)
    flat = np.full((8, 8, 3), (0.8, 0.5, 0.4), np.float32)
    canvas = PaintedCanvas(flat, chosen(rng, 8), Ink(None, None, None, np.zeros(3)), "paint", 0)
    shadow, highlight = np.zeros((8, 8, 4), np.float32), np.zeros((8, 8, 4), np.float32)
    shadow[:4] = (0.5, 0.3, 0.35, 1.0)
    highlight[6:] = (1.0, 0.9, 0.9, 0.5)
    _take_shading(canvas, shadow, highlight)
    result = composed(canvas.line_alpha, canvas.line_color, canvas.flat, canvas.shadow, canvas.highlight)
    np.testing.assert_allclose(result[:4], np.broadcast_to(shadow[:4, :, :3], (4, 8, 3)), atol=1e-5)
    np.testing.assert_allclose(result[4:6], flat[4:6], atol=1e-6)
    np.testing.assert_allclose(result[6:], 0.5 * highlight[6:, :, :3] + 0.5 * flat[6:], atol=1e-5)


def test_samples_come_from_the_corpora_by_their_share(tmp_path):
    write_drawing(tmp_path / "in" / "a")
    store = packed_corpora([tmp_path / "in"], tmp_path / "cache")
    made = sample(9, 48, Shares(rich=0.0, drawn=1.0, corpora=store))
    np.testing.assert_array_equal(made, packed(drawn_scene(store, 9, 48)))


def test_repainting_changes_what_is_painted_and_no_mask():
    painted = vectors.repainted(SVG, "#000000", "none")
    assert 'fill="#fff"' in painted, "masks stay"
    assert painted.count('fill="#000000"') == 2
    assert 'fill="none"' in painted
    assert 'stroke="#592d3d"' not in painted
    assert 'stroke="url(#g)"' in painted


def test_vector_drawings_need_a_renderer(monkeypatch):
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(WrongUsageError) as refused:
        vectors.rendered(SVG)
    assert str(refused.value) == (
        "Reading vector drawings needs the package resvg_py, which is not installed; run 'pip install resvg_py'."
    )


def test_strokes_are_line_fills_are_flat_and_known_shadow_fills_are_shadow(monkeypatch):
    """With a renderer of two-letter drawings in place of the real one: only what is painted in which colour counts."""

    def rendered(svg, side):
        picture = np.zeros((8, 8, 4), np.float32)
        colors = {"#fdd2b2": (0.99, 0.82, 0.7), "#f3ab98": (0.95, 0.67, 0.6), "#592d3d": (0.35, 0.18, 0.24)}
        colors |= {"#000000": (0, 0, 0), "#ffffff": (1, 1, 1)}
        body, shade = re.findall(r'H35V35H5Z" fill="(.*?)".*V30H25Z" fill="(.*?)"', svg)[0]
        picture[1:7, 1:7] = (*colors[body], 1)
        picture[3:6, 4:6] = (*colors[shade], 1)
        stroke = svg.split('stroke="')[1].split('"')[0]
        if stroke != "none":
            picture[1, 1:7] = (*colors[stroke], 1)
        return picture

    monkeypatch.setattr(vectors, "rendered", rendered)
    found = vectors.layers(SVG, vectors.BIGHEADS, 8)
    np.testing.assert_allclose(found["line"][1, 1:7], np.broadcast_to((0.35, 0.18, 0.24, 1), (6, 4)), atol=1e-6)
    assert found["line"][..., 3].sum() == 6
    np.testing.assert_allclose(found["flat"][3:6, 4:6, :3], np.broadcast_to((0.99, 0.82, 0.7), (3, 2, 3)), atol=1e-6)
    assert found["shadow"][..., 3].sum() == 6
