"""The configuration of a training run; the command line is made from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from toponet._validation import check_choice, check_whole
from toponet.losses import TopoNetLoss

DEVICES = ("auto", "cpu", "cuda")
PRECISIONS = ("32-true", "16-mixed", "bf16-mixed")


@dataclass(frozen=True)
class TrainConfig:
    """What to train on, how long, and how much topology counts.

    Attributes:
        data: "synthetic" (membranes made on the fly), or a folder with images/ and labels/.
        out: New folder for the run; empty = a fresh one under runs/.
        epochs: Number of epochs.
        iterations_per_epoch: Optimiser steps in an epoch.
        batch_size: Patches in a step.
        patch_size: Side of a patch of truth, in pixels.
        topo_weight: Weight (lambda) of the topological loss, eq. 2.1.
        topo_start_epoch: First epoch (from 1) with the topological term; before it, cross-entropy
            alone.
        connectivity: Of the structure, 8 or 4; for loss and metrics.
        dims: Dimensions in the loss: 0 = components, 1 = holes.
        matching: "complete", "wasserstein" or "persistence".
        folds: Number of contiguous blocks that the images are divided into.
        fold: The block held out for validation, from 0.
        lr: Learning rate of Adam in the first epoch; it falls to near 0 along half a cosine.
        device: "auto", "cpu" or "cuda".
        precision: "32-true", "16-mixed" or "bf16-mixed"; the topological loss is always float32.
        num_threads: CPU threads of network and kernel; empty = all cores.
        seed: Of weights, patches and synthetic images.
        start_from: A checkpoint to go on from: its weights, optimiser, epoch and normalisation.
            Everything else is as given here.
    """

    data: str = "synthetic"
    out: str | None = None
    epochs: int = 12
    iterations_per_epoch: int = 25
    batch_size: int = 8
    patch_size: int = 65
    topo_weight: float = 0.05
    topo_start_epoch: int = 7
    connectivity: int = 8
    dims: tuple[int, ...] = (0, 1)
    matching: str = "complete"
    folds: int = 3
    fold: int = 0
    lr: float = 1e-3
    device: str = "auto"
    precision: str = "32-true"
    num_threads: int | None = None
    seed: int = 0
    start_from: str | None = None

    def __post_init__(self) -> None:
        """Refuses what no run could use; files are looked at later."""
        for name in ("epochs", "iterations_per_epoch", "batch_size", "patch_size",
                     "topo_start_epoch"):  # fmt: skip
            check_whole(name, getattr(self, name), least=1, most=2**20)
        if not 0 < self.lr < float("inf"):
            raise ValueError(f"lr must be above 0 and finite, got {self.lr}")
        check_whole("seed", self.seed, least=0, most=2**63 - 1)
        if not isinstance(self.data, str):
            raise TypeError(f"data must be 'synthetic' or a folder, got {self.data!r}")
        check_choice("device", self.device, DEVICES)
        check_choice("precision", self.precision, PRECISIONS)
        # The constructor checks what belongs to the loss.
        TopoNetLoss(self.topo_weight, **self.loss_options, num_threads=self.num_threads)

    @property
    def loss_options(self) -> dict[str, Any]:
        """What of this the topological loss is made of."""
        return {
            "dims": self.dims,
            "connectivity": self.connectivity,
            "matching": self.matching,
        }
