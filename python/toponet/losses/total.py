"""A base loss plus topology: the loss that a training minimises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.nn import functional as F
from torch.nn.modules.loss import _Loss

from toponet._ground.spaces import space_of
from toponet._ground.validation import check_choice, check_flag, check_number
from toponet.losses._inputs import (
    as_computed,
    check_binary,
    check_class_indices,
    check_floating_point,
    check_likelihood,
    check_target,
    check_valid,
    one_hot,
    without_invalid,
)
from toponet.losses.topological import REDUCTIONS, TopologicalLoss, reduce
from toponet.topology.diagrams import PersistenceDiagrams


class TopoNetLoss(_Loss):
    r"""Cross-entropy plus weighted topological loss (paper, eq. 2.1), on logits.

    .. math:: L = L_{bce} + \lambda L_{topo}

    With ``softmax=True`` the cross-entropy is that of one class among C. Otherwise each channel has
    a binary cross-entropy of its own.

    Args:
        topo_weight: :math:`\lambda`, at least 0; with 0 the topological loss isn't computed. Useful
            weights lie around 0.01 to 0.1 for patches of 65 x 65, because the topological loss is a
            sum over the dots of an image, and the cross-entropy a mean over its pixels. A training
            may change the attribute of this name.
        base_loss: Takes the place of cross-entropy, such as a Dice loss. It is called with logits
            and target alone, so it must know itself which pixels count, and it must reduce as
            ``reduction`` says.
        reduction: "mean" or "sum" over images, or "none". Both losses of an image are means over
            its channels. The cross-entropy is a mean over its valid pixels too.
        options: Any other option of :class:`TopologicalLoss`, except ``sigmoid``.
            ``class_weights`` and ``include_background`` concern the topological term only.

    Shape:
        - logits: (B, C, H, W) or (B, H, W), any floating point dtype, any device.
        - target, valid, target_diagrams: as in :class:`TopologicalLoss`. The target is needed even
          if there are diagrams.
        - output: scalar, or (B,) for reduction="none".

    Raises:
        TypeError: If logits isn't a floating point tensor, or an option has the wrong type.
        ValueError: For the reasons of :class:`TopologicalLoss`; if topo_weight is negative or not
            finite; if base_loss gives another shape than ``reduction`` asks for.

    Example:
        >>> import torch, toponet
        >>> logits = torch.zeros(1, 1, 8, 8, requires_grad=True)
        >>> toponet.TopoNetLoss(topo_weight=0.1)(logits, torch.zeros(1, 1, 8, 8)).backward()
    """

    def __init__(
        self,
        topo_weight: float = 0.05,
        reduction: str = "mean",
        *,
        base_loss: Callable[[Tensor, Tensor], Tensor] | None = None,
        **options: Any,
    ) -> None:
        """Checks the options."""
        super().__init__(reduction=reduction)
        check_choice("reduction", reduction, REDUCTIONS)
        self.topo_weight = check_number("topo_weight", topo_weight, least=0)
        if base_loss is not None and not callable(base_loss):
            raise TypeError(f"base_loss must be a function or module, got {base_loss!r}")
        self.base_loss = base_loss
        if "sigmoid" in options:
            raise TypeError("TopoNetLoss takes logits: use softmax=True or neither, got sigmoid")
        softmax = options.get("softmax", False)
        check_flag("softmax", softmax)
        self.topological_loss = TopologicalLoss(**options, reduction="none", sigmoid=not softmax)

    def forward(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        valid: Tensor | None = None,
        target_diagrams: PersistenceDiagrams | None = None,
    ) -> Tensor:
        """Computes the loss; shapes and errors are described at the class."""
        base = self.base_term(logits, target, valid=valid)
        if not self.topo_weight:
            return base
        topological = self.topological_term(
            logits, target, valid=valid, target_diagrams=target_diagrams
        )
        return base + self.topo_weight * topological

    def base_term(self, logits: Tensor, target: Tensor, *, valid: Tensor | None = None) -> Tensor:
        """Computes the base loss alone.

        Args:
            logits: As in :meth:`forward`.
            target: As in :meth:`forward`.
            valid: As in :meth:`forward`.
        """
        check_floating_point("logits", logits)
        if self.base_loss is None:
            return reduce(self._cross_entropy(as_computed(logits), target, valid), self.reduction)
        base = self.base_loss(logits, target)
        expected = logits.shape[:1] if self.reduction == "none" else ()
        if base.shape != expected:
            raise ValueError(
                f"base_loss must give a loss of shape {tuple(expected)} for reduction="
                f"{self.reduction!r}, got {tuple(base.shape)}"
            )
        return base

    def topological_term(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        valid: Tensor | None = None,
        target_diagrams: PersistenceDiagrams | None = None,
    ) -> Tensor:
        """Computes the topological loss alone, without its weight.

        Args:
            logits: As in :meth:`forward`.
            target: As in :meth:`forward`.
            valid: As in :meth:`forward`.
            target_diagrams: As in :meth:`forward`.
        """
        check_floating_point("logits", logits)
        topological: Tensor = self.topological_loss(
            as_computed(logits),
            target if target_diagrams is None else None,
            valid=valid,
            target_diagrams=target_diagrams,
        )
        if topological.ndim == 2:
            topological = topological.mean(dim=1)
        return reduce(topological, self.reduction)

    def _cross_entropy(self, logits: Tensor, target: Tensor, valid: Tensor | None) -> Tensor:
        """(B,): mean over each image's channels and valid pixels."""
        space = space_of(self.topological_loss.options.spatial_dims)
        f = check_likelihood("logits", logits, space)
        v = check_valid(valid, f)
        each_channel = not self.topological_loss.softmax
        f = without_invalid(f, v, each_channel)
        g = check_target(target, logits, space)
        if g.shape[1] != f.shape[1]:
            check_class_indices(g, f.shape[1], v)
        masks = without_invalid(one_hot(g, f.shape[1]).to(f.dtype), v, each_channel)
        self._check_masks(masks, v)
        if self.topological_loss.softmax:
            per_pixel = F.cross_entropy(f, masks, reduction="none")[:, None]
        else:
            per_pixel = F.binary_cross_entropy_with_logits(f, masks, reduction="none")
        if v is None:
            return per_pixel.flatten(1).mean(dim=1)
        v = v.all(dim=1, keepdim=True) if self.topological_loss.softmax else v.expand_as(f)
        return (per_pixel * v).flatten(1).sum(dim=1) / v.flatten(1).sum(dim=1).clamp(min=1)

    def _check_masks(self, masks: Tensor, valid: Tensor | None) -> None:
        """Checks what the topological loss doesn't: all channels and pixels, and one class each.

        Raises:
            ValueError: If a mask holds other values than 0 and 1, or if a pixel has no class or
                several under softmax.
        """
        check_binary("target", masks)
        if not self.topological_loss.softmax:
            return
        wrong = masks.sum(dim=1, keepdim=True) != 1
        if valid is not None:
            wrong &= valid.any(dim=1, keepdim=True)
        if wrong.any():
            raise ValueError(
                "with softmax, target must give each pixel one class (indices from 0 to "
                f"{masks.shape[1] - 1}, or one mask of 1), but {int(wrong.sum())} pixels have none "
                "or several"
            )

    def extra_repr(self) -> str:
        """The weight and the reduction. The topological loss shows its own options."""
        return f"topo_weight={self.topo_weight}, reduction={self.reduction!r}"
