"""The losses that a run can add to its cross-entropy: persistence, clDice, VGG19's features."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from toponet.losses import TopologicalLoss
from toponet.training.config import TrainConfig
from toponet.training.vgg import VGGFeatureLoss

# Erosions until a skeleton is left: more than half the width of the structures.
CLDICE_ITERATIONS = 10


class ClDiceLoss(nn.Module):
    """MONAI's soft clDice: overlap of each mask with the other one's soft skeleton.

    Shape:
        - input, target: (B, 1, H, W), probabilities and 0 or 1. valid: (B, 1, H, W), or None.
        - output: a scalar from 0 (equal) to 1.

    Source: Shit et al., "clDice" (2021); monai.losses.SoftclDiceLoss.
    """

    def __init__(self) -> None:
        """Nothing to choose."""
        super().__init__()
        from monai.losses.cldice import SoftclDiceLoss  # Takes seconds to import.

        self.loss = SoftclDiceLoss(iter_=CLDICE_ITERATIONS)

    def forward(self, input: Tensor, target: Tensor, valid: Tensor | None = None) -> Tensor:
        """Pixels that don't count are background in both."""
        if valid is not None:
            input, target = input * valid, target * valid
        loss: Tensor = self.loss(target, input)
        return loss


def make_topo_loss(config: TrainConfig, num_threads: int, device: torch.device) -> nn.Module:
    """The loss that ``config.topo_loss`` names: of probabilities, truths and ``valid=``.

    Raises:
        ValueError: If VGG19's weights can't be had.
    """
    if config.topo_loss == "cldice":
        return ClDiceLoss()
    if config.topo_loss == "vgg":
        weights = None if config.vgg_weights is None else Path(config.vgg_weights)
        return VGGFeatureLoss(weights).to(device)
    return TopologicalLoss(
        **config.loss_options, patch_size=config.topo_patch_size, num_threads=num_threads
    )
