import re

import numpy as np
import pytest
from celwright.domain import Pixels
from celwright.errors import UnusableInputError
from celwright.evaluation.decompose import FIGURES, evaluate, table
from celwright.models.presets import build_decomposer
from PIL import Image
from safetensors.torch import save_file

NAMES = ("composite", "line", "flat", "shadow", "highlight")


@pytest.fixture
def folders(tmp_path):
    """Two hand-made pictures: one with all layers, one with line and composite only."""
    flat = np.zeros((32, 40, 4), np.uint8)
    flat[...] = (200, 120, 80, 255)
    line, shadow, highlight = (np.zeros_like(flat) for _ in range(3))
    line[:, 20] = (0, 0, 0, 255)
    shadow[20:, :15] = (100, 60, 40, 255)
    highlight[:6, 30:] = (255, 255, 255, 255)
    composite = flat.copy()
    for layer in (shadow, highlight, line):
        composite[layer[..., 3] > 0] = layer[layer[..., 3] > 0]
    images = dict(zip(NAMES, (composite, line, flat, shadow, highlight), strict=True))
    for folder, names in (("a", NAMES), ("deep/b", NAMES[:2])):
        (tmp_path / folder).mkdir(parents=True)
        for name in names:
            Image.fromarray(images[name]).save(tmp_path / folder / f"{name}.png")
    shadow_layer = shadow.copy()
    shadow_layer[20:, :15] = (128, 128, 128, 255)
    return tmp_path, images | {"shadow": shadow_layer}


def artist(images):
    return {"artist": lambda picture: {name: Pixels(image) for name, image in images.items()}}


BEST = {
    "psnr": 100, "ssim": 1, "lmse": 0, "line_f1": 1, "line_leak": 0, "flat_ciede2000": 0, "shadow_iou": 1,
    "shadow_cover": 1, "highlight_iou": 1, "highlight_cover": 1,
}  # fmt: skip


def test_the_artists_own_layers_score_full_marks(folders):
    directory, images = folders
    rows = evaluate(directory, artist(images))
    assert [(row.picture, row.by) for row in rows] == [
        (name, "artist") for name in ("a", "deep/b", "mean of .", "mean of deep", "mean")
    ]
    assert rows[0].figures == pytest.approx(BEST, abs=1e-3)
    assert rows[1].figures["flat_ciede2000"] is None
    assert rows[-1].figures == pytest.approx(BEST, abs=1e-3)


def test_finding_nothing_scores_nothing(folders):
    directory, images = folders
    blank = Pixels(np.zeros_like(images["flat"]))
    picture = Pixels(images["composite"])
    nothing = {"composite": picture, "flat": picture, "line": blank, "shadow": blank, "highlight": blank}
    figures = evaluate(directory, {"nothing": lambda picture: nothing})[0].figures
    assert (figures["line_f1"], figures["shadow_iou"], figures["highlight_iou"]) == (0, 0, 0)
    assert (figures["shadow_cover"], figures["highlight_cover"], figures["line_leak"]) == (0, 0, 1)
    assert figures["flat_ciede2000"] > 1


def test_ways_stand_beside_each_other_and_a_mean_counts_each_folder_once(folders):
    directory, images = folders
    other = Pixels(np.full_like(images["composite"], 255))
    worse = lambda picture: {name: other if name == "composite" else Pixels(images[name]) for name in NAMES}  # noqa: E731
    (directory / "deep" / "c").mkdir()
    for path in (directory / "deep" / "b").iterdir():
        (directory / "deep" / "c" / path.name).write_bytes(path.read_bytes())
    Image.fromarray(other.data).save(directory / "deep" / "c" / "composite.png")
    rows = {(row.picture, row.by): row.figures for row in evaluate(directory, artist(images) | {"worse": worse})}
    deep = (rows["deep/b", "worse"]["psnr"] + rows["deep/c", "worse"]["psnr"]) / 2
    assert rows["mean of deep", "worse"]["psnr"] == pytest.approx(deep)
    assert rows["mean", "worse"]["psnr"] == pytest.approx((rows["a", "worse"]["psnr"] + deep) / 2)
    assert rows["mean", "artist"] != rows["mean", "worse"]


def test_one_folder_of_pictures_has_one_mean(folders):
    directory, images = folders
    assert [row.picture for row in evaluate(directory / "deep", artist(images))] == ["b", "mean"]
    assert [row.picture for row in evaluate(directory / "a", artist(images))] == [".", "mean"]


def test_the_table_names_figures_and_leaves_gaps(folders):
    directory, images = folders
    header, first, second, *_, mean = table(evaluate(directory, artist(images))).splitlines()
    assert header.split() == list(FIGURES)
    assert first.split()[:5] == ["a", "artist", "100.000", "1.000", "0.000000"]
    assert second.split()[-3:] == ["-", "-", "-"]
    assert mean.split()[:2] == ["mean", "artist"]


def test_plain_filters_and_other_weights_stand_beside_the_embedded_ones(folders, tmp_path_factory):
    directory, _ = folders
    weights = tmp_path_factory.mktemp("run") / "earlier.safetensors"
    state = {name: value.contiguous() for name, value in build_decomposer("tiny").state_dict().items()}
    save_file(state, weights, metadata={"preset": "tiny"})
    rows = {row.by: row.figures for row in evaluate(directory / "a", against=[weights]) if row.picture == "mean"}
    assert list(rows) == ["embedded", str(weights), "plain filters"]
    assert rows["embedded"]["line_f1"] > 0.9
    assert rows["plain filters"]["line_f1"] > 0.9
    assert rows[str(weights)]["flat_ciede2000"] > rows["embedded"]["flat_ciede2000"]


@pytest.mark.parametrize("content", [b"no weights", None])
def test_weights_that_are_none_are_refused(folders, tmp_path_factory, content):
    directory, _ = folders
    weights = tmp_path_factory.mktemp("run") / "weights.safetensors"
    if content:
        weights.write_bytes(content)
        said = "Error while deserializing header: header too small|Error while deserializing header: .*"
    else:
        save_file(build_decomposer("tiny").state_dict(), weights, metadata={"preset": "embedded"})
        said = "Error.s. in loading state_dict for Decomposer:"
    sentence = (
        rf"^The weights {re.escape(str(weights))} cannot be read as a decomposer's \(({said})\); "
        rf"a safetensors file from celwright train decomposer is needed\.$"
    )
    with pytest.raises(UnusableInputError, match=sentence):
        evaluate(directory, against=[weights])


def test_a_folder_without_composites_is_refused(tmp_path):
    sentence = (
        f"There is no composite.png in {tmp_path} or below; folders with composite.png and line.png, flat.png, "
        f"shadow.png or highlight.png are needed: name the folder that holds them."
    )
    with pytest.raises(UnusableInputError, match=f"^{re.escape(sentence)}$"):
        evaluate(tmp_path)
