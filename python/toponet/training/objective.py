"""What a step minimises (paper, eq. 2.1): cross-entropy plus a weighted topological loss."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class TrainingDivergedError(RuntimeError):
    """The loss is no longer a finite number."""


class Balance(NamedTuple):
    """Two losses and how strongly they pull at the logits.

    Attributes:
        values: Cross-entropy, topological loss (unweighted), and the norms of their gradients with
            respect to the logits.
        topo_gradient: The topological loss's.
    """

    values: tuple[Tensor, Tensor, Tensor, Tensor]
    topo_gradient: Tensor


def cross_entropy(logits: Tensor, truths: Tensor, valid: Tensor | None) -> Tensor:
    """Mean over the images of the mean over each one's valid pixels."""
    if valid is None:
        return F.binary_cross_entropy_with_logits(logits, truths)
    per_pixel = F.binary_cross_entropy_with_logits(logits, truths, reduction="none")
    counts = valid.sum(dim=(1, 2, 3)).clamp(min=1)
    return ((per_pixel * valid).sum(dim=(1, 2, 3)) / counts).mean()


def balance(
    topological_loss: nn.Module, logits: Tensor, truths: Tensor, valid: Tensor | None
) -> Balance:
    """Compares the losses at the logits, because both reach all weights through them.

    The logits are taken for a leaf of its own: no pass through the network, and under mixed
    precision no gradient that the engine doesn't know of.

    Raises:
        TrainingDivergedError: If the cross-entropy is NaN or infinite.
    """
    leaf = logits.detach().requires_grad_()
    bce = cross_entropy(leaf, truths, valid)
    check_finite(bce)
    topo = topological_loss(torch.sigmoid(leaf), truths, valid=valid)
    gradients = [torch.autograd.grad(loss, leaf)[0] for loss in (bce, topo)]
    norms = [gradient.norm() for gradient in gradients]
    return Balance((bce.detach(), topo.detach(), *norms), gradients[1])


def check_finite(loss: Tensor) -> None:
    """Waits for the device.

    Raises:
        TrainingDivergedError: If the loss isn't finite.
    """
    if not torch.isfinite(loss):
        raise TrainingDivergedError(
            f"the cross-entropy is {loss.item()}; try a smaller lr or topo_weight"
        )
