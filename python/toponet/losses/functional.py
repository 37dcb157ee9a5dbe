"""The topological loss as a function: torch in, torch out."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from toponet.losses import TopologicalLoss
from toponet.topology.diagrams import PersistenceDiagrams


def topological_loss(
    likelihood: Tensor,
    target: Tensor | None = None,
    *,
    valid: Tensor | None = None,
    target_diagrams: PersistenceDiagrams | None = None,
    **options: Any,
) -> Tensor:
    """Functional form of :class:`toponet.TopologicalLoss`, which describes everything.

    Args:
        likelihood: The same as in a call of the class.
        target: The same as in a call of the class.
        valid: The same as in a call of the class.
        target_diagrams: The same as in a call of the class.
        options: Options of the class's constructor.

    Example:
        >>> import torch
        >>> from toponet.losses.functional import topological_loss
        >>> likelihood = torch.full((1, 1, 5, 5), 0.5, requires_grad=True)
        >>> topological_loss(likelihood, torch.zeros(1, 1, 5, 5)).item()
        0.25
    """
    loss = TopologicalLoss(**options)
    result: Tensor = loss(likelihood, target, valid=valid, target_diagrams=target_diagrams)
    return result
