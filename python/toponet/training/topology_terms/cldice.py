"""Soft clDice as a topological loss (Shit et al., 2021)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toponet.training.topology_terms.term import TopologyTerm

if TYPE_CHECKING:
    from torch import Tensor

# Erosions until a skeleton is left: more than half the width of the structures.
CLDICE_ITERATIONS = 10


class ClDiceLoss:
    """MONAI's soft clDice: overlap of each mask with the other one's soft skeleton.

    Shape:
        - input, target: (B, 1, H, W), probabilities and 0 or 1. valid: (B, 1, H, W), or None.
        - output: a scalar from 0 (equal) to 1.

    Source: Shit et al., "clDice" (2021); monai.losses.SoftclDiceLoss.
    """

    def __init__(self) -> None:
        """Nothing to choose."""
        from monai.losses.cldice import SoftclDiceLoss  # Takes seconds to import.

        self.loss = SoftclDiceLoss(iter_=CLDICE_ITERATIONS)

    def __call__(self, input: Tensor, target: Tensor, valid: Tensor | None = None) -> Tensor:
        """Pixels that don't count are background in both."""
        if valid is not None:
            input, target = input * valid, target * valid
        loss: Tensor = self.loss(target, input)
        return loss


CLDICE = TopologyTerm(
    help="MONAI's soft clDice",
    make=lambda options, connectivity, threads, device: ClDiceLoss(),
)
