"""One step of the optimiser, its batch computed in parts."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from toponet.data.patches import Batch
from toponet.training.config import TrainConfig
from toponet.training.objective import Balance, balance, cross_entropy
from toponet.training.ranks import reduced
from toponet.training.state import EpochSums


class Stepper:
    """Takes steps on this rank's patches, and logs how the two losses pull.

    Args:
        config: Of the run.
        fabric: The device, or this rank.
        model: Set up by ``fabric``.
        optimiser: Likewise.
        topological_loss: Of probabilities (B, 1, P, P), truths and ``valid``.
    """

    def __init__(
        self,
        config: TrainConfig,
        fabric: Fabric,
        model: Any,
        optimiser: Any,
        topological_loss: nn.Module,
    ) -> None:
        """Changes nothing yet."""
        self.config = config
        self.fabric = fabric
        self.model = model
        self.optimiser = optimiser
        self.topological_loss = topological_loss

    def step(self, batch: Batch, weight: float, look: bool, sums: EpochSums) -> Tensor:
        """Cross-entropy and what was minimised, on the device.

        Args:
            batch: This rank's patches.
            weight: Of the topological loss; if not 0, ``look`` must be set.
            look: Whether the topological loss is computed, and logged in ``sums``. It waits for the
                device.
            sums: Of the epoch.
        """
        parts = self.config.accumulate
        losses = torch.zeros(2, device=self.fabric.device)
        self.optimiser.zero_grad()
        for k in range(parts):
            images, truths, valid = self.fabric.to_device(every(batch, k, parts))
            with self.fabric.no_backward_sync(self.model, enabled=k < parts - 1):
                logits = self.model(images).float()
                total = bce = cross_entropy(logits, truths, valid)
                minimised = bce
                if look:
                    found = self._look(logits, truths, valid, sums)
                    if weight:
                        total = bce + weight * found.values[1]
                        # The same gradient as the loss's own, which is known already.
                        minimised = bce + weight * (logits * found.topo_gradient).sum()
                self.fabric.backward(minimised / parts)
            losses += torch.stack([bce, total]).detach() / parts
        sums.looks += look
        if self.config.clip_norm is not None:
            self.fabric.clip_gradients(self.model, self.optimiser, max_norm=self.config.clip_norm)
        self.optimiser.step()
        return losses

    def balancing_weight(self, batches: Iterable[Batch]) -> float:
        """The weight whose gradient is ``topo_ratio`` times the cross-entropy's; 0 without any."""
        norms = torch.zeros(2, device=self.fabric.device)
        self.model.eval()  # Else batch normalisation would learn from these batches.
        for batch in batches:
            images, truths, valid = self.fabric.to_device(batch)
            with torch.no_grad():
                logits = self.model(images).float()
            found = balance(self.topological_loss, logits, truths, valid)
            norms += torch.stack(found.values[2:])
        self.model.train()
        bce_norm, topo_norm = reduced(self.fabric, norms, "mean").tolist()
        return float(self.config.topo_ratio * bce_norm / topo_norm) if topo_norm else 0.0

    def _look(
        self, logits: Tensor, truths: Tensor, valid: Tensor | None, sums: EpochSums
    ) -> Balance:
        began = time.perf_counter()
        found = balance(self.topological_loss, logits, truths, valid)
        bce, topo, *norms = (torch.stack(found.values) / self.config.accumulate).tolist()
        sums.topo_seconds += time.perf_counter() - began
        sums.bce += bce
        sums.topo += topo
        sums.norms = [a + b for a, b in zip(sums.norms, norms, strict=True)]
        return found


def every(batch: Batch, first: int, step: int) -> Batch:
    """Every step-th patch from the first one on."""
    return Batch(*(None if part is None else part[first::step] for part in batch))  # type: ignore[arg-type]
