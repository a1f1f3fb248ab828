import re

import numpy as np
import pytest
from celwright.domain import Pixels
from celwright.errors import UnusableInputError
from celwright.evaluation.decompose import evaluate, table
from PIL import Image

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


def test_the_artists_own_layers_score_full_marks(folders):
    directory, images = folders
    rows = evaluate(directory, lambda picture: {name: Pixels(image) for name, image in images.items()})
    assert [row.picture for row in rows] == ["a", "deep/b", "mean"]
    best = {"psnr": 100, "ssim": 1, "line_f1": 1, "flat_ciede2000": 0, "shadow_iou": 1, "highlight_iou": 1}
    assert rows[0].figures == pytest.approx(best, abs=1e-3)
    assert rows[1].figures["flat_ciede2000"] is None
    assert rows[2].figures == pytest.approx(best, abs=1e-3)


def test_finding_nothing_scores_nothing(folders):
    directory, images = folders
    blank = Pixels(np.zeros_like(images["flat"]))
    picture = Pixels(images["composite"])
    nothing = {"composite": picture, "flat": picture, "line": blank, "shadow": blank, "highlight": blank}
    figures = evaluate(directory, lambda picture: nothing)[0].figures
    assert (figures["line_f1"], figures["shadow_iou"], figures["highlight_iou"]) == (0, 0, 0)
    assert figures["flat_ciede2000"] > 1


def test_the_table_names_figures_and_leaves_gaps(folders):
    directory, images = folders
    lines = table(evaluate(directory, lambda picture: {name: Pixels(image) for name, image in images.items()}))
    header, first, second, mean = lines.splitlines()
    assert header.split() == ["psnr", "ssim", "line_f1", "flat_ciede2000", "shadow_iou", "highlight_iou"]
    assert first.split()[:2] == ["a", "100.000"]
    assert second.split()[-3:] == ["-", "-", "-"]
    assert mean.split()[0] == "mean"


def test_a_folder_without_composites_is_refused(tmp_path):
    sentence = (
        f"There is no composite.png in {tmp_path} or below; folders with composite.png and line.png, flat.png, "
        f"shadow.png or highlight.png are needed: name the folder that holds them."
    )
    with pytest.raises(UnusableInputError, match=f"^{re.escape(sentence)}$"):
        evaluate(tmp_path)
