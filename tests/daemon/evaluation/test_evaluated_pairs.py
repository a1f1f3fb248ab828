"""Claims about measuring colouring by references on held-out pairs."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from celwright.domain import FloatImage, Pixels
from celwright.errors import UnusableInputError
from celwright.evaluation.pairs import Way, _figures, area_accuracy, evaluate, installed, shown_pairs, table, trained
from celwright.models.presets import build_colorizer
from celwright.pipelines.colorize.matched import MatchedProposer
from celwright.pipelines.colorize.pipeline import ColorizePipeline
from celwright.training.pairs import ColorSample

SIZE = 96


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)


def look(picture: Pixels) -> FloatImage:
    """Lines are what is dark, flats what is seen beside them."""
    ink = (picture.data[..., :3].max(axis=2) < 60).astype(np.float32)
    return np.dstack([ink, picture.data[..., :3] / np.float32(255)])


def run_folder(folder: Path, *left_out: str) -> Path:
    """What a training of tiny networks leaves behind."""
    folder.mkdir()
    network = build_colorizer("tiny", **dict.fromkeys(left_out, False))
    options = {"preset": "tiny", "left_out": str(left_out)}
    torch.save({"average": network.state_dict(), "options": options}, folder / "checkpoint.pt")
    return folder


def test_judged_is_where_a_figure_stands_that_a_reference_shows() -> None:
    for made, judged in shown_pairs(3, SIZE):
        shown = {reference.instance for reference in made.references} - {0}
        assert judged.mean() >= 0.01
        assert set(np.unique(made.instance[judged]).tolist()) <= shown


def test_the_true_flat_has_the_best_figures_and_only_judged_pixels_count() -> None:
    made, judged = next(iter(shown_pairs(1, SIZE)))
    truth = made.flat.astype(np.float32) / 255
    psnr, ssim, accuracy, _ = best = _figures(truth, made, judged)
    assert (psnr, ssim, accuracy) == pytest.approx((100, 1, 1))
    spoilt = np.where(judged[..., None], truth, 1 - truth)
    assert _figures(spoilt, made, judged)[:3] == pytest.approx(best[:3], abs=1e-6)
    worse = np.where(judged[..., None], 1 - truth, truth)
    assert all(bad < good for bad, good in zip(_figures(worse, made, judged)[:3], best[:3], strict=True))


def test_area_accuracy_is_the_share_of_rightly_coloured_parts() -> None:
    flat = np.zeros((8, 8, 3), np.float32)
    picture, part = flat.copy(), np.zeros((8, 8), np.int16)
    part[4:] = 1
    picture[4:] = 1
    assert area_accuracy(picture, flat, part) == 0.5
    part[4:] = -1
    assert area_accuracy(picture, flat, part) == 1


def test_the_product_stands_beside_plain_ways_and_who_knows_the_truth_is_best() -> None:
    def truth(made: ColorSample) -> np.ndarray:
        return np.dstack([made.flat, np.full(made.line.shape, 255, np.uint8)])

    product = ColorizePipeline(sampled=MatchedProposer(lambda: look))
    scores = evaluate([*installed(product), Way("truth", truth)], count=2, size=SIZE)
    assert [(score.name, score.count) for score in scores] == [
        ("celwright", 2), ("by position", 2), ("by area", 2), ("truth", 2),
    ]  # fmt: skip
    assert scores[-1].accuracy == 1 > max(score.accuracy for score in scores[:-1])


def test_runs_are_compared_under_the_names_of_what_they_leave_out(tmp_path: Path) -> None:
    names = {"full": (), "w/o SGM": ("sgm",), "w/o ISMFF": ("ismff",), "w/o LGB": ("lgb",)}
    ways = [trained(run_folder(tmp_path / str(i), *parts), look) for i, parts in enumerate(names.values())]
    assert [way.name for way in ways] == list(names)
    scores = evaluate(ways[:2], count=2, size=SIZE)
    assert [(score.name, score.count) for score in scores] == [("full", 2), ("w/o SGM", 2)]
    assert all(0 <= score.accuracy <= 1 for score in scores)
    assert table(scores).splitlines()[0] == "| way | pairs | PSNR | SSIM | area accuracy | LPIPS |"


def test_a_folder_without_a_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableInputError) as raised:
        trained(tmp_path, look)
    assert str(raised.value) == (
        f"{tmp_path} holds no checkpoint.pt (No such file or directory); name the folder that a colorizer's training "
        f"wrote."
    )
