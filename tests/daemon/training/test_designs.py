"""Claims about comparing trained designs of the decomposer."""

from functools import partial
from pathlib import Path

import pytest
import torch
from celwright.errors import UnusableInputError, WrongUsageError
from celwright.models import presets
from celwright.models.decomposer_designs import IdentityDecomposer, TwoStageDecomposer
from celwright.models.presets import build_colorizer, build_decomposer
from celwright.training.decomposer import TrainingOptions, train
from celwright.training.designs import Design, compared, table
from celwright.training.held_out import held_out_figures
from celwright.training.samples import held_out
from celwright.training.scenes import Kind

LITTLE = {"widths": (8, 12), "depths": (1, 1), "depths_up": (1,)}


@pytest.fixture(autouse=True)
def little_designs(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    monkeypatch.setitem(presets.DECOMPOSERS, "little-identities", partial(IdentityDecomposer, patch=4, **LITTLE))
    monkeypatch.setitem(presets.DECOMPOSERS, "little-two-stage", partial(TwoStageDecomposer, LITTLE, LITTLE))


def run_folder(folder: Path, preset: str) -> Path:
    """What a training leaves behind."""
    folder.mkdir()
    network = build_decomposer(preset)
    state = {"average": network.state_dict(), "options": {"preset": preset}, "seconds": 720.0, "step": 9}
    torch.save(state, folder / "checkpoint.pt")
    return folder


def test_all_designs_are_measured_on_the_same_scenes(tmp_path: Path) -> None:
    names = ("tiny", "little-identities", "little-two-stage")
    runs = [run_folder(tmp_path / f"run-{name}", name) for name in names]
    found = compared(runs, count=2, size=32)
    assert [(design.preset, design.run) for design in found] == [(name, f"run-{name}") for name in names]
    assert [(design.minutes, design.steps) for design in found] == [(12, 9)] * 3
    network = build_decomposer("little-two-stage")
    network.load_state_dict(torch.load(runs[2] / "checkpoint.pt", weights_only=True)["average"])
    kinds: tuple[Kind, ...] = ("standard", "rich", "painted")
    for kind in kinds:
        expected = held_out_figures(network, held_out(kind, 2, 32))
        assert found[2].figures[kind] == pytest.approx(expected, rel=1e-3, abs=1e-3)
    assert found[2].parameters == sum(parameter.numel() for parameter in network.parameters())
    assert len(table(found).splitlines()) == 2 + 3 * 3


def test_the_table_has_a_row_for_each_kind_of_scene() -> None:
    figures = {"flat_psnr": 28.06, "line_psnr": 27.0, "shadow_iou": 0.756, "highlight_iou": 0.5}
    design = Design("two-stage", "b", 5_957_724, 12.04, 3100, {"standard": figures, "painted": figures})
    assert table([design]).splitlines() == [
        "| design | run | parameters | minutes | steps | scenes | flat, PSNR | line on white, PSNR | shadow, IoU | "
        "highlight, IoU |",
        "|---|---|---:|---:|---:|---|---:|---:|---:|---:|",
        "| two-stage | b | 6.0 M | 12 | 3100 | standard | 28.1 dB | 27.0 dB | 0.76 | 0.50 |",
        "| two-stage | b | 6.0 M | 12 | 3100 | painted | 28.1 dB | 27.0 dB | 0.76 | 0.50 |",
    ]


def test_a_folder_without_a_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableInputError) as refused:
        compared([tmp_path])
    assert str(refused.value) == (
        f"{tmp_path} holds no checkpoint.pt (No such file or directory); name the folder that a decomposer's training "
        f"wrote."
    )


def test_the_checkpoint_of_another_model_is_refused(tmp_path: Path) -> None:
    state = {"average": build_colorizer("tiny").state_dict(), "options": {"preset": "tiny"}}
    torch.save(state, tmp_path / "checkpoint.pt")
    with pytest.raises(UnusableInputError) as refused:
        compared([tmp_path])
    assert str(refused.value) == (
        f"{tmp_path / 'checkpoint.pt'} is no checkpoint of a decomposer that is known here; name the folder that a "
        f"decomposer's training wrote."
    )


@pytest.mark.parametrize(
    ("recipe", "drawn", "count"), [({"drawn": 0.2}, 0.2, 0), ({"corpora": (Path("a"), Path("b"))}, 0.0, 2)]
)
def test_drawings_need_a_share_and_a_folder(
    tmp_path: Path, recipe: dict[str, object], drawn: float, count: int
) -> None:
    with pytest.raises(WrongUsageError) as refused:
        train(TrainingOptions(out=tmp_path / "out", **recipe))  # type: ignore[arg-type]
    assert str(refused.value) == (
        f"The share of scenes out of drawings is {drawn} and {count} folders of drawings came; give both or neither, "
        f"with --drawn and --corpora."
    )
    assert not (tmp_path / "out").exists()
