"""How strongly losses pull at the logits, and the weight that balances two of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


class Pull(NamedTuple):
    """A loss at given logits.

    Attributes:
        value: The loss, without gradient.
        gradient: Its gradient with respect to the logits.
    """

    value: Tensor
    gradient: Tensor


def pull(loss: Callable[[Tensor], Tensor], logits: Tensor) -> Pull:
    """Computes a loss and its gradient at the logits.

    The logits are taken for a leaf of its own: no pass through the network, and under mixed
    precision no gradient that the engine doesn't know of.

    Args:
        loss: Of logits; a scalar that depends on them.
        logits: Any shape. Their own graph isn't touched.

    Example:
        >>> import torch
        >>> pull(lambda logits: (logits**2).sum(), torch.tensor([3.0, 4.0])).gradient.norm()
        tensor(10.)
    """
    with torch.enable_grad():
        leaf = logits.detach().requires_grad_()
        value = loss(leaf)
        (gradient,) = torch.autograd.grad(value, leaf)
    return Pull(value.detach(), gradient)


def balancing_weight(base_norm: float, topo_norm: float, ratio: float) -> float:
    """Returns the weight at which the topological gradient is ``ratio`` times the other one.

    Args:
        base_norm: Norm of the gradient of the base loss.
        topo_norm: Norm of the gradient of the topological loss, unweighted.
        ratio: Which quotient of the two norms is wanted.

    Returns:
        The weight; 0 if the topological gradient vanishes.

    Example:
        >>> balancing_weight(base_norm=0.5, topo_norm=10.0, ratio=10.0)
        0.5
    """
    return ratio * base_norm / topo_norm if topo_norm else 0.0
