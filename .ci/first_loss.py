"""Runs a loss with the installed package: whether all of it came along, and works on this machine.

The likelihood has a ring whose weakest wall is 0.2, around a cell of 0.1. The truth has the same
ring, whole. So there is one hole, born at 0.2 and dying at 0.1, which the loss pulls to (1, 0).
"""

from __future__ import annotations

import torch

import toponet

WALL, CELL = 0.2, 0.1


def main() -> None:
    """Compares the loss and its gradient with the numbers that follow by hand."""
    truth = torch.ones(1, 1, 3, 3, dtype=torch.float64)
    truth[0, 0, 1, 1] = 0
    likelihood = 0.9 * truth
    likelihood[0, 0, 0, 1], likelihood[0, 0, 1, 1] = WALL, CELL
    likelihood.requires_grad_()
    loss = toponet.TopologicalLoss(dims=(1,), frame=False)(likelihood, truth)
    loss.backward()
    expected = torch.zeros_like(truth)
    expected[0, 0, 0, 1], expected[0, 0, 1, 1] = 2 * (WALL - 1), 2 * CELL
    torch.testing.assert_close(loss.item(), (1 - WALL) ** 2 + CELL**2)
    torch.testing.assert_close(likelihood.grad, expected)
    print(f"toponet {toponet.__version__} of {toponet.__path__[0]}: a loss of {loss.item():.2f}")


if __name__ == "__main__":
    main()
