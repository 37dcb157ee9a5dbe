"""The two networks that are timed, and one step of their training."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional as F

import toponet
from toponet.data import Normalisation, PatchSampler, synthetic_membranes
from toponet.models import DIVE, UNet

# Network, patch and margin of each.
NETWORKS: dict[str, tuple[Callable[[], nn.Module], int, int]] = {
    "DIVE": (DIVE, 65, DIVE.margin),
    "U-Net": (UNet, 65, UNet.margin),
}
TOPO_WEIGHT = 0.05


class TrainingStep:
    """Draws patches, goes forward, takes the losses, goes backward and lets the optimiser move.

    ``call`` waits for the device at its end: what is timed is finished.
    """

    def __init__(self, name: str, batch_size: int, device: str, precision: str = "float32") -> None:
        """A network of ``NETWORKS`` with the default loss; ``precision`` is what autocast takes."""
        make, self.patch_size, margin = NETWORKS[name]
        self.device, self.batch_size = device, batch_size
        self.dtype = getattr(torch, precision)
        torch.manual_seed(0)
        self.network = make().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimiser = torch.optim.Adam(self.network.parameters(), lr=1e-3)
        data = synthetic_membranes(4)
        self.sampler = PatchSampler(data, Normalisation.of(data.images), self.patch_size, margin)
        self.criterion = toponet.TopologicalLoss()

    def drawn(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Images and truths of a batch, on the device."""
        batch = self.sampler.batch(self.batch_size)
        return batch.images.to(self.device), batch.truths.to(self.device)

    def logits(self, images: torch.Tensor) -> torch.Tensor:
        """The network's answer, in the precision that was asked for."""
        mixed = self.dtype != torch.float32
        with torch.autocast(torch.device(self.device).type, self.dtype, enabled=mixed):
            answer: torch.Tensor = self.network(images)
        return answer.float()

    def call(self, topology: bool) -> None:
        """One step, with or without the topological loss."""
        images, truths = self.drawn()
        logits = self.logits(images)
        loss = F.binary_cross_entropy_with_logits(logits, truths)
        if topology:
            loss = loss + TOPO_WEIGHT * self.criterion(logits.sigmoid(), truths)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        self.wait()

    def topological_loss(self) -> Callable[[], None]:
        """The loss alone, forward and backward, on the network's answer of now."""
        images, truths = self.drawn()
        likelihood = self.logits(images).sigmoid().detach().requires_grad_()

        def call() -> None:
            self.criterion(likelihood, truths).backward()
            self.wait()

        return call

    def wait(self) -> None:
        """Until the device has done all that it was given."""
        if torch.device(self.device).type == "cuda":
            torch.cuda.synchronize()
