"""What a step minimises (paper, eq. 2.1): the base loss plus a weighted topological loss."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, NamedTuple

import torch
from lightning_fabric import Fabric
from torch import Tensor

from toponet.data.patches import Batch
from toponet.losses.balance import balancing_weight, pull
from toponet.training.base_losses import BASE_LOSSES
from toponet.training.config import TrainConfig
from toponet.training.ranks import reduced
from toponet.training.topology_terms.term import TopologyLoss


class TrainingDivergedError(RuntimeError):
    """The loss is no longer a finite number."""


class Comparison(NamedTuple):
    """Two losses and how strongly they pull at the logits.

    Attributes:
        values: Base loss, topological loss (unweighted), and the norms of their gradients with
            respect to the logits.
        topo_gradient: The gradient of the topological loss.
        seconds: The time that both took, up to the last value on the device.
    """

    values: tuple[float, float, float, float]
    topo_gradient: Tensor
    seconds: float


class Minimised(NamedTuple):
    """The loss of one part of a batch.

    Attributes:
        loss: To go backward from. Its gradient is that of the total; its value may be another.
        values: (2,) The base loss and the total, on the device, without gradient.
        comparison: What was logged; None = the topological loss wasn't computed.
    """

    loss: Tensor
    values: Tensor
    comparison: Comparison | None


class Objective:
    """Base loss and topological loss of logits (B, 1, P, P), truths and valid pixels.

    Args:
        config: Of the run, which names the two.
        threads: CPU threads of the topological loss.
        device: Where the logits are.

    Raises:
        ValueError: If a file of the topological loss can't be had.
    """

    def __init__(self, config: TrainConfig, threads: int, device: torch.device) -> None:
        """Makes both losses."""
        self.label = config.base_label
        self.base_loss = BASE_LOSSES[config.base_loss].make()
        self.topological_loss: TopologyLoss = config.term.make(
            config.term_options, config.connectivity, threads, device
        )

    def __call__(
        self, logits: Tensor, truths: Tensor, valid: Tensor | None, weight: float, look: bool
    ) -> Minimised:
        """What to minimise.

        Args:
            logits: Of the network.
            truths: 0 or 1.
            valid: Which pixels count; None = all.
            weight: Of the topological loss; if not 0, ``look`` must be set.
            look: Whether the topological loss is computed. It waits for the device.
        """
        total = minimised = base = self.base_loss(logits, truths, valid)
        comparison = self.compare(logits, truths, valid) if look else None
        if comparison is not None and weight:
            total = base + weight * comparison.values[1]
            # The same gradient as the loss's own, which is known already.
            minimised = base + weight * (logits * comparison.topo_gradient).sum()
        return Minimised(minimised, torch.stack([base, total]).detach(), comparison)

    def compare(self, logits: Tensor, truths: Tensor, valid: Tensor | None) -> Comparison:
        """Compares the losses at the logits, because both reach all weights through them.

        Raises:
            TrainingDivergedError: If the base loss is NaN or infinite.
        """
        began = time.perf_counter()
        base = pull(lambda leaf: self.base_loss(leaf, truths, valid), logits)
        self.check_finite(base.value)
        topo = pull(
            lambda leaf: self.topological_loss(torch.sigmoid(leaf), truths, valid=valid), logits
        )
        norms = [gradient.norm() for gradient in (base.gradient, topo.gradient)]
        # Waits for the device.
        b, t, of_base, of_topo = torch.stack([base.value, topo.value, *norms]).tolist()
        return Comparison((b, t, of_base, of_topo), topo.gradient, time.perf_counter() - began)

    def check_finite(self, loss: Tensor) -> None:
        """Waits for the device.

        Raises:
            TrainingDivergedError: If the base loss isn't finite.
        """
        if not torch.isfinite(loss):
            raise TrainingDivergedError(
                f"the {self.label} is {loss.item()}; try a smaller learning rate or topological "
                "weight"
            )

    def balancing_weight(
        self, fabric: Fabric, model: Any, batches: Iterable[Batch], ratio: float
    ) -> float:
        """Returns the weight at which the topological gradient is ``ratio`` times the other one.

        Compared are the norms of the two gradients with respect to the logits, as means over the
        batches and ranks. If the topological gradient vanishes, the weight is 0.
        """
        norms = torch.zeros(2)
        model.eval()  # Else batch normalisation would learn from these batches.
        for batch in batches:
            images, truths, valid = fabric.to_device(batch)
            with torch.no_grad():
                logits = model(images).float()
            norms += torch.tensor(self.compare(logits, truths, valid).values[2:])
        model.train()
        base_norm, topo_norm = reduced(fabric, norms.to(fabric.device), "mean").tolist()
        return balancing_weight(base_norm, topo_norm, ratio)
