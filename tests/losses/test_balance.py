"""The weight that balances two losses, and what it is made of."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from toponet.losses.balance import balancing_weight, pull


def squares(logits: Tensor) -> Tensor:
    return (logits**2).sum() / 2


def test_a_pull_is_the_loss_and_its_gradient() -> None:
    logits = torch.tensor([3.0, -4.0, 0.0])
    found = pull(squares, logits)
    assert found.value == 12.5
    assert not found.value.requires_grad
    torch.testing.assert_close(found.gradient, logits)


def test_a_pull_leaves_the_network_alone() -> None:
    """The gradient stops at the logits: the network's own comes from the loss that is minimised."""
    weight = torch.ones(3, requires_grad=True)
    pull(squares, 2 * weight)
    assert weight.grad is None


def test_a_pull_is_known_where_gradients_are_off() -> None:
    """Reason: validation steps run under no_grad."""
    with torch.no_grad():
        assert pull(squares, torch.tensor([2.0])).gradient == 2


@pytest.mark.parametrize("ratio", [0.25, 10.0])
def test_at_the_balancing_weight_the_gradients_have_the_ratio(ratio: float) -> None:
    weight = balancing_weight(0.125, 4.0, ratio)
    assert weight * 4.0 == pytest.approx(ratio * 0.125)


def test_a_gradient_that_vanishes_gets_no_weight() -> None:
    assert balancing_weight(0.125, 0.0, 10.0) == 0
