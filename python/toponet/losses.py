"""The losses as modules, in the manner of torch.nn."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.modules.loss import _Loss

from toponet._validation import check_choice, check_number
from toponet.functional import (
    REDUCTIONS,
    check_floating_point,
    check_options,
    reduce,
    topological_loss,
)


class TopologicalLoss(_Loss):
    r"""Distance between the topology of a likelihood map and the truth's (paper, eq. 2.2).

    .. math::
        L(f, g) = \min_\gamma \sum_{p \in Dgm(f)}
            [birth(p) - birth(\gamma(p))]^2 + [death(p) - death(\gamma(p))]^2

    for each image, summed over dimensions 0 (components) and 1 (holes), which are matched apart. A
    dot without a partner is matched to its projection on the diagonal: noise to be removed.

    The gradient (eq. 2.3) is :math:`2 (f(c) - target)` at the critical pixels c of each dot and 0
    elsewhere. It is exact where all pixels differ; where some are equal the function has no
    gradient, and ties are broken by pixel index. First order only: a second derivative raises
    ``RuntimeError``.

    Args:
        dims: Dimensions that count: (0,), (1,) or (0, 1).
        connectivity: Of the foreground, 8 (background 4) or 4 (background 8).
        frame: Surround likelihood and target by a virtual frame of foreground (relative homology,
            section 2.3), so that structures cut by the border close loops with it.
        matching: "complete", "wasserstein" or "persistence"; see :func:`toponet.match`.
        min_persistence: Unmatched dots of at most this persistence are left alone.
        reduction: "mean" or "sum" over images and channels, or "none".
        num_threads: Threads of the kernel; None = all cores, 1 = none started.

    Shape:
        - likelihood: (B, C, H, W) or (B, H, W), any floating point dtype, any device, in [0, 1].
          Each channel is a binary problem of its own.
        - target: the same shape, 0 or 1 in any dtype.
        - output: scalar, or (B, C) respectively (B,) for reduction="none". float64 for float64
          input, otherwise float32, under autocast as well.

    Raises:
        TypeError: If likelihood isn't a floating point tensor.
        ValueError: If an option is unknown (in the constructor), shapes differ or are empty,
            likelihood holds NaN or values outside [0, 1] (logits), target anything but 0 and 1.

    Cost: near-linear in the pixels, on the CPU: one copy from the device and one back.

    Differences from the authors' code: their diagrams come from sigmoid(x), their differences from
    x; their force on noise overshoots the diagonal; patches without structure are skipped there.

    Source: Hu, Li, Samaras, Chen, "Topology-Preserving Deep Image Segmentation", NeurIPS 2019.

    Example:
        >>> import torch, toponet
        >>> logits = torch.randn(2, 1, 65, 65, requires_grad=True)
        >>> target = (torch.rand(2, 1, 65, 65) > 0.5).float()
        >>> toponet.TopologicalLoss()(logits.sigmoid(), target).backward()
    """

    def __init__(
        self,
        dims: Sequence[int] = (0, 1),
        connectivity: int = 8,
        frame: bool = True,
        matching: str = "complete",
        min_persistence: float = 0.0,
        reduction: str = "mean",
        num_threads: int | None = None,
    ) -> None:
        """Checks the options."""
        super().__init__(reduction=reduction)
        check_options(dims, connectivity, frame, matching, min_persistence, reduction, num_threads)
        self.dims = tuple(dims)
        self.connectivity = connectivity
        self.frame = frame
        self.matching = matching
        self.min_persistence = min_persistence
        self.num_threads = num_threads

    def forward(self, likelihood: Tensor, target: Tensor) -> Tensor:
        """Computes the loss; shapes and errors are described at the class."""
        return topological_loss(
            likelihood,
            target,
            dims=self.dims,
            connectivity=self.connectivity,
            frame=self.frame,
            matching=self.matching,
            min_persistence=self.min_persistence,
            reduction=self.reduction,
            num_threads=self.num_threads,
        )

    def extra_repr(self) -> str:
        """Shows the options that decide the result."""
        return (
            f"dims={self.dims}, connectivity={self.connectivity}, frame={self.frame}, "
            f"matching={self.matching!r}, min_persistence={self.min_persistence}, "
            f"reduction={self.reduction!r}"
        )


class TopoNetLoss(_Loss):
    r"""Cross-entropy plus weighted topological loss (paper, eq. 2.1), on logits.

    .. math:: L = L_{bce} + \lambda L_{topo}

    Args:
        topo_weight: :math:`\lambda`, at least 0. The topological loss is a sum over the dots of an
            image, the cross-entropy a mean over its pixels: useful weights lie around 0.01 to 0.1
            for patches of 65 x 65.
        dims, connectivity, frame, matching, min_persistence, num_threads: As of
            :class:`TopologicalLoss`.
        reduction: "mean" or "sum" over images and channels, or "none". The cross-entropy is the
            mean over each image's pixels in all cases.

    Shape:
        - logits: (B, C, H, W) or (B, H, W), any floating point dtype, any device.
        - target: the same shape, 0 or 1 in any dtype.
        - output: scalar, or (B, C) respectively (B,) for reduction="none".

    Raises:
        TypeError: If logits isn't a floating point tensor.
        ValueError: As :class:`TopologicalLoss`; if topo_weight is negative or not finite.

    Example:
        >>> import torch, toponet
        >>> logits = torch.zeros(1, 1, 8, 8, requires_grad=True)
        >>> toponet.TopoNetLoss(topo_weight=0.1)(logits, torch.zeros(1, 1, 8, 8)).backward()
    """

    def __init__(
        self,
        topo_weight: float = 0.05,
        dims: Sequence[int] = (0, 1),
        connectivity: int = 8,
        frame: bool = True,
        matching: str = "complete",
        min_persistence: float = 0.0,
        reduction: str = "mean",
        num_threads: int | None = None,
    ) -> None:
        """Checks the options."""
        super().__init__(reduction=reduction)
        check_choice("reduction", reduction, REDUCTIONS)
        self.topo_weight = check_number("topo_weight", topo_weight, least=0)
        self.topological_loss = TopologicalLoss(
            dims, connectivity, frame, matching, min_persistence, "none", num_threads
        )

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Computes the loss; shapes and errors are described at the class."""
        check_floating_point("logits", logits)
        if logits.dtype != torch.float64:
            logits = logits.float()  # Lower precisions have too few values near 0 and 1.
        topological = self.topological_loss(torch.sigmoid(logits), target)
        per_pixel = F.binary_cross_entropy_with_logits(
            logits, target.to(logits.dtype), reduction="none"
        )
        total: Tensor = per_pixel.mean(dim=(-2, -1)) + self.topo_weight * topological
        return reduce(total, self.reduction)

    def extra_repr(self) -> str:
        """Shows the weight; the topological loss shows its own options."""
        return f"topo_weight={self.topo_weight}, reduction={self.reduction!r}"
