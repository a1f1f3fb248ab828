import torch
from celwright.diffusion.guidance import Guided

NOISY, T = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(0)), torch.tensor([5, 5])


class Counted:
    """A network whose estimate is its condition, and that counts its calls."""

    def __init__(self):
        self.calls = []

    def __call__(self, noisy, t, conditions):
        self.calls.append(conditions)
        return torch.full_like(noisy, conditions)


def test_scale_one_calls_the_network_once_and_takes_what_it_says():
    network = Counted()
    result = Guided(network, 3.0, [(1.0, 1.0), (1, 2.0)])(NOISY, T)
    assert network.calls == [3.0]
    torch.testing.assert_close(result, torch.full_like(NOISY, 3.0))


def test_one_scale_is_classifier_free_guidance():
    network = Counted()
    result = Guided(network, 3.0, [(2.5, 1.0)])(NOISY, T)
    torch.testing.assert_close(result, torch.full_like(NOISY, 1.0 + 2.5 * (3.0 - 1.0)))
    assert network.calls == [3.0, 1.0]


def test_scale_zero_ignores_the_condition():
    torch.testing.assert_close(Guided(Counted(), 3.0, [(0.0, 1.0)])(NOISY, T), torch.full_like(NOISY, 1.0))


def test_each_condition_has_its_own_scale_and_costs_one_call_more():
    network = Counted()
    result = Guided(network, 3.0, [(2.0, 1.0), (1.0, 7.0), (1.5, 2.0)])(NOISY, T)
    torch.testing.assert_close(result, torch.full_like(NOISY, 3 + 1 * (3 - 1) + 0.5 * (3 - 2)))
    assert network.calls == [3.0, 1.0, 2.0]
