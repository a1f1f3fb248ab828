"""Claims about measuring colorizers on held-out pairs."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from celwright.errors import UnusableInputError
from celwright.evaluation.pairs import Painter, _figures, evaluate, shown_pairs, table, trained
from celwright.models.presets import build_autoencoder, build_colorizer

SIZE = 64


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)


def run_folder(folder: Path, *left_out: str) -> Path:
    """What a training of tiny networks leaves behind."""
    folder.mkdir()
    build_autoencoder("tiny").save_pretrained(folder / "autoencoder")
    network = build_colorizer("tiny", **dict.fromkeys(left_out, False))
    options = {"preset": "tiny", "left_out": str(left_out), "autoencoder": str(folder / "autoencoder")}
    torch.save({"average": network.state_dict(), "options": options}, folder / "checkpoint.pt")
    return folder


def test_judged_is_where_a_figure_stands_that_a_reference_shows() -> None:
    for made, judged in shown_pairs(3, SIZE):
        shown = {reference.instance for reference in made.references} - {0}
        assert judged.mean() >= 0.01
        assert set(np.unique(made.instance[judged]).tolist()) <= shown


def test_the_true_picture_has_the_best_figures_and_only_judged_pixels_count() -> None:
    made, judged = next(iter(shown_pairs(1, SIZE)))
    truth = made.color.astype(np.float32) / 255
    psnr, ssim, accuracy = _figures(truth, made, judged)
    assert psnr == pytest.approx(100)
    assert ssim == pytest.approx(1)
    assert accuracy > 0.8  # light and shadow move some medians
    spoilt = np.where(judged[..., None], truth, 1 - truth)
    assert _figures(spoilt, made, judged) == pytest.approx((psnr, ssim, accuracy), abs=1e-6)
    worse = np.where(judged[..., None], 1 - truth, truth)
    assert all(bad < good for bad, good in zip(_figures(worse, made, judged), (psnr, ssim, accuracy), strict=True))


def test_runs_are_compared_under_the_names_of_what_they_leave_out(tmp_path: Path) -> None:
    names = {"full": (), "w/o SGM": ("sgm",), "w/o ISMFF": ("ismff",), "w/o LGB": ("lgb",)}
    painters = [trained(run_folder(tmp_path / str(i), *parts)) for i, parts in enumerate(names.values())]
    assert [painter.name for painter in painters] == list(names)
    scores = evaluate(painters[:2], count=2, size=SIZE)
    assert [(score.name, score.count) for score in scores] == [("full", 2), ("w/o SGM", 2)]
    assert evaluate(painters[:1], count=2, size=SIZE) == scores[:1]
    lines = table(scores).splitlines()
    assert lines[0] == "| model | pairs | PSNR | SSIM | area accuracy | LPIPS |"
    assert len(lines) == 4


def test_the_averaged_weights_are_measured(tmp_path: Path) -> None:
    painter = trained(run_folder(tmp_path / "run"))
    assert isinstance(painter, Painter)
    stored = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["average"]
    assert all(torch.equal(value, stored[name]) for name, value in painter.colorizer.state_dict().items())


def test_a_folder_without_a_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableInputError) as raised:
        trained(tmp_path)
    assert str(raised.value) == (
        f"{tmp_path} holds no checkpoint.pt (No such file or directory); name the folder that a colorizer's training "
        f"wrote."
    )
