"""Torch's words for what becomes of the losses of a batch."""

from __future__ import annotations

from torch import Tensor

REDUCTIONS = ("mean", "sum", "none")


def reduce(losses: Tensor, reduction: str) -> Tensor:
    """Torch's "mean", "sum" or "none" over all entries."""
    if reduction == "none":
        return losses
    return losses.mean() if reduction == "mean" else losses.sum()
