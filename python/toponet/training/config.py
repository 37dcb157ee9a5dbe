"""The configuration of a training run; the command line is made from it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from toponet._validation import check_choice, check_flag, check_number, check_whole
from toponet.losses import TopoNetLoss
from toponet.models import NETWORKS
from toponet.training.evaluation import METRIC_NAMES
from toponet.training.schedule import LR_SCHEDULES

DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = ("32-true", "16-mixed", "bf16-mixed")


@dataclass(frozen=True)
class TrainConfig:
    """What to train on, how long, and how much topology counts.

    Attributes:
        data: "synthetic" (membranes made on the fly), a folder with images/ and labels/, or
            NAME:PATH of a data set in its official layout.
        out: New folder for the run; empty = a fresh one under runs/.
        network: "dive" (the paper's) or "unet" (a small one of MONAI's).
        epochs: Number of epochs.
        iterations_per_epoch: Optimiser steps in an epoch.
        batch_size: Patches in a step, over all ranks.
        accumulate: Parts that a rank computes its patches of a step in, one after the other: less
            memory, the same step.
        patch_size: Side of a patch of truth, in pixels.
        topo_weight: Weight (lambda) of the topological loss, eq. 2.1; or "auto": at its start
            epoch, such that its gradient is topo_ratio times the cross-entropy's.
        topo_ratio: For topo_weight "auto": ratio of the norms of the two gradients with respect to
            the logits, above 0. (On synthetic membranes the default weight of 0.05 has about 10.)
        topo_start_epoch: First epoch (from 1) with the topological term; before it, cross-entropy
            alone.
        topo_ramp_epochs: Epochs from the start on over which the weight grows linearly.
        connectivity: Of the structure, 8 or 4; for loss and metrics.
        dims: Dimensions in the loss: 0 = components, 1 = holes.
        matching: "complete", "wasserstein" or "persistence".
        folds: Number of contiguous blocks that the images are divided into.
        fold: The block held out for validation, from 0.
        lr: Learning rate of Adam in the first epoch.
        lr_schedule: "cosine" (from lr to near 0 along half a cosine) or "constant".
        clip_norm: Largest norm of the gradient; empty = any.
        device: "auto", "cpu", "cuda" or "mps".
        precision: "32-true", "16-mixed" or "bf16-mixed"; the topological loss is always float32.
        compile: Compile the network by torch.compile.
        num_threads: CPU threads of network and kernel; empty = all cores.
        seed: Of weights, patches and synthetic images.
        best_metric: What best.ckpt goes by: accuracy, ari, voi, betti_error_0 or betti_error_1.
        save_every: Keep a checkpoint of every so many epochs; empty = of none.
        start_from: A checkpoint to go on from: its weights, optimiser, epoch and normalisation.
            Everything else is as given here.
    """

    data: str = "synthetic"
    out: str | None = None
    network: str = "dive"
    epochs: int = 12
    iterations_per_epoch: int = 25
    batch_size: int = 8
    accumulate: int = 1
    patch_size: int = 65
    topo_weight: float | Literal["auto"] = 0.05
    topo_ratio: float = 10.0
    topo_start_epoch: int = 7
    topo_ramp_epochs: int = 0
    connectivity: int = 8
    dims: tuple[int, ...] = (0, 1)
    matching: str = "complete"
    folds: int = 3
    fold: int = 0
    lr: float = 1e-3
    lr_schedule: str = "cosine"
    clip_norm: float | None = None
    device: str = "auto"
    precision: str = "32-true"
    compile: bool = False
    num_threads: int | None = None
    seed: int = 0
    best_metric: str = "voi"
    save_every: int | None = None
    start_from: str | None = None

    def __post_init__(self) -> None:
        """Refuses what no run could use; files are looked at later."""
        for name in ("epochs", "iterations_per_epoch", "batch_size", "accumulate", "patch_size",
                     "topo_start_epoch"):  # fmt: skip
            check_whole(name, getattr(self, name), least=1, most=2**20)
        check_whole("topo_ramp_epochs", self.topo_ramp_epochs, least=0, most=2**20)
        if self.save_every is not None:
            check_whole("save_every", self.save_every, least=1, most=2**20)
        for name in ("lr", "topo_ratio", "clip_norm"):
            value = getattr(self, name)
            if value is not None and check_number(name, value) <= 0:
                raise ValueError(f"{name} must be above 0 and finite, got {value}")
        check_whole("seed", self.seed, least=0, most=2**63 - 1)
        if not isinstance(self.data, str):
            raise TypeError(f"data must be 'synthetic' or a folder, got {self.data!r}")
        check_choice("network", self.network, tuple(NETWORKS))
        check_choice("lr_schedule", self.lr_schedule, LR_SCHEDULES)
        check_choice("device", self.device, DEVICES)
        check_choice("precision", self.precision, PRECISIONS)
        check_choice("best_metric", self.best_metric, METRIC_NAMES)
        check_flag("compile", self.compile)
        weight = 1.0 if self.topo_weight == "auto" else self.topo_weight
        # The constructor checks what belongs to the loss.
        TopoNetLoss(weight, **self.loss_options, num_threads=self.num_threads)

    @property
    def loss_options(self) -> dict[str, Any]:
        """What of this the topological loss is made of."""
        return {
            "dims": self.dims,
            "connectivity": self.connectivity,
            "matching": self.matching,
        }

    def to_plain(self) -> dict[str, Any]:
        """For YAML, JSON and checkpoints."""
        return {**asdict(self), "dims": list(self.dims)}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> TrainConfig:
        """Of what :meth:`to_plain` gave."""
        return cls(**{**plain, "dims": tuple(plain["dims"])})
