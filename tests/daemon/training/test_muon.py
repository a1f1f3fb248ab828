"""Claims about the optimiser that makes momentum orthogonal."""

from copy import deepcopy

import pytest
import torch
from celwright.models.presets import build_colorizer
from celwright.training.muon import MuonWithAdamW, orthogonal
from torch import nn

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("shape", [(24, 96), (96, 24), (32, 16, 3, 3)])
def test_an_update_keeps_its_directions_and_loses_their_strengths(shape):
    """Singular values of a hundredth and of one come out nearly alike; rows beyond the columns make it larger."""
    torch.manual_seed(0)
    left, _, right = torch.linalg.svd(torch.randn(shape).flatten(1), full_matrices=False)
    update = (left * torch.logspace(-2, 0, left.shape[1]) @ right).reshape(shape)
    found = orthogonal(update)
    assert found.shape == update.shape
    rows, columns = update.flatten(1).shape
    strengths = torch.linalg.svdvals(found.flatten(1)) / max(1.0, rows / columns) ** 0.5
    assert 0.6 < strengths.min() < strengths.max() < 1.3
    assert (left.T @ found.flatten(1) @ right.T).diagonal().min() > 0


def test_matrices_go_to_muon_and_rims_gains_and_biases_to_adamw():
    network = build_colorizer("tiny")
    optimizer = MuonWithAdamW(network, 1e-3, ("head", "gamma"))
    muon, adamw = ({id(weight) for weight in group["params"]} for group in optimizer.param_groups)
    assert len(muon) + len(adamw) == len(list(network.parameters()))
    assert {id(network.query.weight), id(network.tokens.encoder.blocks[2].spread.weight)} <= muon
    assert {id(network.head.weight), id(network.gamma), id(network.query.bias), id(network.none.weight)} <= adamw


def test_it_goes_on_from_its_state_as_if_it_had_not_stopped():
    torch.manual_seed(0)
    data, network = torch.randn(64, 16), nn.Sequential(nn.Linear(16, 32), nn.SiLU(), nn.Linear(32, 16))

    def steps(network, optimizer, count):
        for _ in range(count):
            optimizer.zero_grad()
            loss = (network(data) - data).square().mean()
            loss.backward()
            optimizer.step()
        return loss.item()

    optimizer = MuonWithAdamW(network, 1e-3, ())
    first = steps(network, optimizer, 5)
    again = nn.Sequential(nn.Linear(16, 32), nn.SiLU(), nn.Linear(32, 16))
    again.load_state_dict(network.state_dict())
    other = MuonWithAdamW(again, 1e-3, ())
    other.load_state_dict(deepcopy(optimizer.state_dict()))
    assert steps(again, other, 20) == steps(network, optimizer, 20) < 0.9 * first
