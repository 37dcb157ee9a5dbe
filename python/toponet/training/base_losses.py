"""The losses that a run can minimise beside its topological loss, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

# Torch is imported where a loss is computed: a command that shows its options needs names alone.
if TYPE_CHECKING:
    from torch import Tensor

# Of logits (B, 1, P, P), truths 0 or 1, and valid pixels (None = all); a mean over the images, so
# that parts of a batch and ranks can be averaged.
Loss: TypeAlias = "Callable[[Tensor, Tensor, Tensor | None], Tensor]"


class BaseLoss(NamedTuple):
    """One entry of the registry.

    Attributes:
        label: In sentences and pictures.
        help: One line for ``toponet-train --help``.
        make: Makes the loss.
    """

    label: str
    help: str
    make: Callable[[], Loss]


def cross_entropy(logits: Tensor, truths: Tensor, valid: Tensor | None) -> Tensor:
    """Mean over the images of the mean over each one's valid pixels."""
    from torch.nn import functional as F

    if valid is None:
        return F.binary_cross_entropy_with_logits(logits, truths)
    per_pixel = F.binary_cross_entropy_with_logits(logits, truths, reduction="none")
    counts = valid.sum(dim=(1, 2, 3)).clamp(min=1)
    return ((per_pixel * valid).sum(dim=(1, 2, 3)) / counts).mean()


class CrossEntropyDice:
    """Cross-entropy plus MONAI's Dice loss of the probabilities, each image by itself.

    Pixels that aren't valid are background in likelihood and truth: they add nothing to the Dice
    loss.

    Source: Milletari, Navab, Ahmadi, "V-Net" (2016); monai.losses.DiceLoss.
    """

    def __init__(self) -> None:
        """Nothing to choose."""
        from monai.losses.dice import DiceLoss  # Takes seconds to import.

        self.dice = DiceLoss(reduction="mean")

    def __call__(self, logits: Tensor, truths: Tensor, valid: Tensor | None) -> Tensor:
        """The sum of the two losses."""
        likelihoods, masks = logits.sigmoid(), truths
        if valid is not None:
            likelihoods, masks = likelihoods * valid, masks * valid
        dice: Tensor = self.dice(likelihoods, masks)
        return cross_entropy(logits, truths, valid) + dice


BASE_LOSSES: dict[str, BaseLoss] = {
    "cross_entropy": BaseLoss("cross-entropy", "the paper's", lambda: cross_entropy),
    "cross_entropy_dice": BaseLoss(
        "cross-entropy + Dice", "cross-entropy plus MONAI's Dice loss", CrossEntropyDice
    ),
}
