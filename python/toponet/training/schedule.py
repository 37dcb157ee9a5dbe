"""How learning rate and topological weight go over the epochs."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

LR_SCHEDULES = ("cosine", "constant")


def lr_factor(schedule: str, epoch: int, epochs: int) -> float:
    """Factor of the learning rate: 1, or half a cosine from 1 in the first epoch to near 0."""
    if schedule == "constant":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * (epoch - 1) / epochs))


def topo_factor(epoch: int, start_epoch: int, ramp_epochs: int) -> float:
    """Factor of the topological weight: 0 before its start, then a line that reaches 1.

    With ``ramp_epochs`` = r the r epochs from the start on have 1 / (r + 1), 2 / (r + 1), ...
    """
    if epoch < start_epoch:
        return 0.0
    return min(1.0, (epoch - start_epoch + 1) / (ramp_epochs + 1))


class Balance(NamedTuple):
    """Two losses and how strongly they pull at the logits.

    Attributes:
        values: Cross-entropy, topological loss (unweighted), and the norms of their gradients with
            respect to the logits.
        topo_gradient: The topological loss's.
    """

    values: tuple[Tensor, Tensor, Tensor, Tensor]
    topo_gradient: Tensor


def balance(logits: Tensor, cross_entropy: Tensor, topological: Tensor) -> Balance:
    """Compares the losses at the logits, because both reach all weights through them.

    Args:
        logits: A leaf of its own: no pass through the network, and under mixed precision no
            gradient that the engine doesn't know of.
        cross_entropy: Of these logits.
        topological: Likewise.
    """
    gradients = [torch.autograd.grad(loss, logits)[0] for loss in (cross_entropy, topological)]
    norms = [gradient.norm() for gradient in gradients]
    return Balance((cross_entropy.detach(), topological.detach(), *norms), gradients[1])
