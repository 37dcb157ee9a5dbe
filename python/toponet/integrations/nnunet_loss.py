"""The loss of a trainer of nnU-Net v2, plus the topological loss of its full-resolution output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from toponet.losses import TopologicalLoss
from toponet.losses.balance import balancing_weight, pull

# One tensor, or with deep supervision one for each resolution, the full one first.
Resolutions = Tensor | list[Tensor] | tuple[Tensor, ...]

BATCHES_TO_BALANCE = 8


class Labels(NamedTuple):
    """What the labels of a data set are to nnU-Net.

    Attributes:
        has_regions: Whether each channel is a region of its own, and regions may overlap. Else the
            channels are classes, the background first.
        ignore_label: The label of pixels that don't count; None = all count.
    """

    has_regions: bool
    ignore_label: int | None

    def truth_and_valid(self, target: Tensor) -> tuple[Tensor, Tensor | None]:
        """What the topological loss takes for a target of nnU-Net.

        Args:
            target: Of labels (B, 1, H, W), of any dtype. Of regions (B, C, H, W), bool or 0 and 1;
                with an ignore label the last channel is 1 where pixels don't count.
        """
        if self.has_regions:
            if self.ignore_label is None:
                return target, None
            return target[:, :-1], target[:, -1:] == 0
        labels = target.long()
        return labels, None if self.ignore_label is None else labels != self.ignore_label

    def topological_loss(self, options: Mapping[str, Any]) -> TopologicalLoss:
        """The loss of nnU-Net's logits."""
        if self.has_regions:
            return TopologicalLoss(sigmoid=True, **options)
        return TopologicalLoss(softmax=True, include_background=False, **options)


class LossWithTopology(nn.Module):
    """nnU-Net's own loss, and the topological loss once it is ``active``.

    The coarse outputs of deep supervision get no topological loss, because they have another
    topology: thin walls vanish in them.

    Where a logit is NaN or infinite, as mixed precision may make it, there is no topology, and the
    base loss stands alone. It isn't finite then, and nnU-Net leaves the step out.

    Args:
        base: nnU-Net's own loss of outputs and targets.
        labels: Of the data set.
        options: Arguments of :class:`toponet.TopologicalLoss`, but for ``sigmoid``, ``softmax`` and
            ``include_background``, which follow from the labels.
        weight: Of the topological loss; None = it is measured in the first eight training steps
            with topology, and used from the first of them on.
        ratio: The measured weight makes the topological gradient so many times as long as the
            gradient of the base loss. Both are taken with respect to the full-resolution logits,
            and each norm is a mean over the steps and ranks.

    Attributes:
        active: Whether the topological loss counts.
        weight: As it is by now; None = not known yet.
    """

    def __init__(
        self,
        base: nn.Module,
        labels: Labels,
        options: Mapping[str, Any],
        weight: float | None,
        ratio: float,
    ) -> None:
        """Starts without topology."""
        super().__init__()
        self.base = base
        self.labels = labels
        self.topological = labels.topological_loss(options)
        self.weight = weight
        self.ratio = ratio
        self.active = False
        self._batches_to_measure = BATCHES_TO_BALANCE if weight is None else 0
        self._norms = torch.zeros(2)
        self._values: list[Tensor] = []

    def settle(self, weight: float) -> None:
        """Takes a weight that was measured before: training goes on from a checkpoint."""
        self.weight = weight
        self._batches_to_measure = 0

    def take_mean(self) -> float | None:
        """The mean topological loss of the training steps since the last call; None = of none."""
        values, self._values = self._values, []
        return torch.stack(values).mean().item() if values else None

    def forward(self, output: Resolutions, target: Resolutions) -> Tensor:
        """The loss of outputs and targets, each one tensor or one for each resolution."""
        base: Tensor = self.base(output, target)
        if not self.active:
            return base
        logits = _full(output)
        finite = bool(logits.isfinite().all())
        if self._batches_to_measure and torch.is_grad_enabled():
            self._measure(output, target, finite)
        if not finite or not self.weight:
            return base
        topology = self._topology(logits, target)
        if torch.is_grad_enabled():
            self._values.append(topology.detach())
        return base + self.weight * topology

    def _topology(self, logits: Tensor, target: Resolutions) -> Tensor:
        truth, valid = self.labels.truth_and_valid(_full(target))
        found: Tensor = self.topological(logits, truth, valid=valid)
        return found

    def _measure(self, output: Resolutions, target: Resolutions, finite: bool) -> None:
        """Adds this batch to the norms. All ranks come here at the same steps."""
        logits = _full(output).float()  # A gradient of 1e-7 is 0 in half precision.
        norms = logits.new_zeros(2)
        if finite:
            base = pull(lambda leaf: self.base(_with_full(output, leaf), target), logits)
            topo = pull(lambda leaf: self._topology(leaf, target), logits)
            norms = torch.stack([base.gradient.norm(), topo.gradient.norm()])
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.all_reduce(norms)
        self._norms += norms.cpu()
        base_norm, topo_norm = self._norms.tolist()
        self.weight = balancing_weight(base_norm, topo_norm, self.ratio)
        self._batches_to_measure -= 1


def _full(resolutions: Resolutions) -> Tensor:
    return resolutions if isinstance(resolutions, Tensor) else resolutions[0]


def _with_full(output: Resolutions, logits: Tensor) -> Resolutions:
    """The output with other logits at full resolution."""
    if isinstance(output, Tensor):
        return logits
    return [logits, *(coarse.detach() for coarse in output[1:])]
